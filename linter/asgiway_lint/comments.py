"""Find the comments of Python source text, also of text that no parser accepts.

`tokenize` gives up at the first unterminated string and knows only the syntax of the interpreter that runs it; a suppression has
to work in a file with a syntax error and in a file that is newer than the interpreter. So this is a scanner for strings and
comments alone. It follows PEP 701: quotes may nest inside the replacement fields of an f-string (every older f-string means the
same when read this way), and a backslash does not escape a brace. A string that is never closed ends with its line, or with the
file when it is triple-quoted, so that one mistake spoils as little as possible.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Comment", "find_comments", "joined_lines"]

_DEEPEST = 50  # nested f-strings; CPython itself stops at 150
# Characters of one replacement field, and how many f-strings without an end are searched for one: they keep the work linear.
_LONGEST, _MOST_BROKEN = 10_000, 50

_START = re.compile(
    r"#[^\r\n]*|\"\"\"|'''|\"|'"
)  # each alternative starts with a literal, so the search skips at C speed
_NEWLINE = re.compile(r"\r\n|\r|\n")
_CONTINUED = re.compile(r"\\(?:\r\n|\r|\n)")
_PREFIX = re.compile(r"(?:\A|(?<=\W))[fFtTrRbBuU]{1,2}\Z")
_PLAIN = {
    '"': re.compile(r'[^"\\\r\n]*(?:\\(?:\r\n|[\s\S])[^"\\\r\n]*)*"?'),
    "'": re.compile(r"[^'\\\r\n]*(?:\\(?:\r\n|[\s\S])[^'\\\r\n]*)*'?"),
    '"""': re.compile(r'[^"\\]*(?:(?:\\[\s\S]|"(?!""))[^"\\]*)*(?:"""|\\?\Z)'),
    "'''": re.compile(r"[^'\\]*(?:(?:\\[\s\S]|'(?!''))[^'\\]*)*(?:'''|\\?\Z)"),
}
# The literal text of an f-string up to what may end it.
_TEXT = {
    '"': re.compile(r'[^"\\{}\r\n]*'),
    "'": re.compile(r"[^'\\{}\r\n]*"),
    '"""': re.compile(r'[^"\\{}]*(?:"(?!"")[^"\\{}]*)*'),
    "'''": re.compile(r"[^'\\{}]*(?:'(?!'')[^'\\{}]*)*"),
}
_EXPRESSION = re.compile(r"[^#\"'(\[{}\]):]*")
_FORMAT_SPEC = re.compile(r"[^{}\\\"'\r\n]*")
_COMMENT = re.compile(r"#[^\r\n]*")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment: its text from the `#` on, where it starts (1-based, code points), whether its line holds nothing else."""

    text: str
    line: int
    column: int
    own_line: bool


def find_comments(source: str) -> Iterator[Comment]:
    """Yield the comments of a source text in order."""
    line, line_start = 1, 0
    for start, end in _Scanner(source).comments():
        for newline in _NEWLINE.finditer(source, line_start, start):
            line, line_start = line + 1, newline.end()
        own_line = not source[line_start:start].strip()
        yield Comment(source[start:end], line, start - line_start + 1, own_line)


_Spans = list[tuple[int, int]]


def joined_lines(source: str) -> tuple[tuple[int, int], ...]:
    """Return the runs of lines, first and last, that strings or backslashes make one: only the last has room for a comment."""
    if '"""' not in source and "'''" not in source and "\\" not in source:
        return ()
    scanner = _Scanner(source)
    comments = scanner.comments()
    starts = [0, *(match.end() for match in _NEWLINE.finditer(source))]
    inside = sorted([*scanner.strings, *comments])
    joined: set[int] = set()
    for start, end in scanner.strings:
        first, last = bisect.bisect_right(starts, start), bisect.bisect_right(starts, end)
        joined.update(range(first, last))
    for match in _CONTINUED.finditer(source):
        index = bisect.bisect_right(inside, (match.start(), len(source))) - 1
        if index < 0 or inside[index][1] <= match.start():
            joined.add(bisect.bisect_right(starts, match.start()))
    runs: list[tuple[int, int]] = []
    for line in sorted(joined):
        if runs and runs[-1][1] == line:
            runs[-1] = runs[-1][0], line + 1
        else:
            runs.append((line, line + 1))
    return tuple(runs)


class _Unclosed(Exception):
    """What was read as an f-string has no end."""


class _Scanner:
    """Holds the text and what is known of its f-strings, so that none is read twice however they nest."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._known: dict[int, tuple[int, _Spans]] = {}
        self._broken = 0
        self.strings: _Spans = []  # those of several lines, once `comments` has run

    def comments(self) -> _Spans:
        """Return the start and end offsets of all comments."""
        found: _Spans = []
        position = 0
        while match := _START.search(self._source, position):
            if match[0][0] == "#":
                found.append(match.span())
                position = match.end()
            else:
                position, inner = self._string(match.start(), match[0], 0)
                found += inner
                if _NEWLINE.search(self._source, match.start(), position):
                    self.strings.append((match.start(), position))
        return found

    def _string(self, start: int, quote: str, depth: int) -> tuple[int, _Spans]:
        """Return where the string ends whose opening quote is at `start`, and the comments in its fields."""
        prefix = _PREFIX.search(self._source[max(0, start - 3) : start])
        kind = prefix[0].lower() if prefix else ""
        if ("f" not in kind and "t" not in kind) or self._broken >= _MOST_BROKEN:
            return _end(_PLAIN[quote], self._source, start + len(quote)), []
        if start not in self._known:
            comments: _Spans = []
            try:
                end = self._formatted(start + len(quote), quote, "r" in kind, comments, depth)
            except _Unclosed:  # read it as the plain string that an older Python would have seen
                self._broken += 1
                end, comments = _end(_PLAIN[quote], self._source, start + len(quote)), []
            self._known[start] = end, comments
        return self._known[start]

    def _formatted(self, position: int, quote: str, raw: bool, comments: _Spans, depth: int) -> int:
        """Return where the f-string ends whose text starts at `position`."""
        source = self._source
        while True:
            position = _end(_TEXT[quote], source, position)
            if source.startswith(quote, position):
                return position + len(quote)
            if source.startswith("\\", position):
                position = self._escape(position, raw)
            elif source.startswith(("{{", "}}"), position):
                position += 2
            elif source.startswith("{", position):
                position = self._field(position + 1, quote, raw, comments, depth)
            elif source.startswith("}", position):
                position += 1
            else:  # the end of the line or of the file
                raise _Unclosed

    def _escape(self, position: int, raw: bool) -> int:
        source = self._source
        if source.startswith(("{", "}"), position + 1):
            return position + 1  # the brace keeps its meaning
        if not raw and source.startswith("N{", position + 1):
            return source.find("}", position) + 1 or len(source)
        return position + (3 if source.startswith("\r\n", position + 1) else 2)

    def _field(self, position: int, quote: str, raw: bool, comments: _Spans, depth: int) -> int:
        """Return where the replacement field ends whose expression starts at `position`."""
        source, limit, brackets = self._source, position + _LONGEST, 0
        if depth == _DEEPEST:
            raise _Unclosed
        while (position := _end(_EXPRESSION, source, position)) < limit:
            match source[position : position + 1]:
                case "#":
                    end = _end(_COMMENT, source, position)
                    comments.append((position, end))
                    position = end
                case "'" | '"' as character:
                    nested = character * 3 if source.startswith(character * 3, position) else character
                    position, inner = self._string(position, nested, depth + 1)
                    comments += inner
                case "(" | "[" | "{":
                    brackets += 1
                    position += 1
                case "}" if not brackets:
                    return position + 1
                case ")" | "]" | "}" if brackets:
                    brackets -= 1
                    position += 1
                case ":" if not brackets:
                    return self._format_spec(position + 1, quote, raw, comments, depth)
                case ":":
                    position += 1
                case _:
                    raise _Unclosed
        raise _Unclosed

    def _format_spec(self, position: int, quote: str, raw: bool, comments: _Spans, depth: int) -> int:
        """Return where the field ends whose format specification starts at `position`: in it `#` and quotes are text."""
        source = self._source
        ends = (quote,) if len(quote) == 3 else (quote, "\r", "\n")
        while True:
            position = _end(_FORMAT_SPEC, source, position)
            if source.startswith("}", position):
                return position + 1
            if source.startswith("{", position):
                position = self._field(position + 1, quote, raw, comments, depth + 1)
            elif source.startswith("\\", position):
                position = self._escape(position, raw)
            elif position >= len(source) or source.startswith(ends, position):
                raise _Unclosed
            else:
                position += 1


def _end(pattern: re.Pattern[str], source: str, position: int) -> int:
    match = pattern.match(source, position)
    assert match is not None, "every pattern here matches the empty string"
    return match.end()
