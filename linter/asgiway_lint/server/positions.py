"""Places in a text: the engine's lines and columns and the fixes' offsets on one side, a client's positions on the other.

The engine counts lines and columns from 1, in code points; a fix counts code points from the start of the text; a client counts
from 0, in UTF-16 code units unless it has negotiated something else (LSP 3.17, `PositionEncodingKind`). Lines end as the tokenizer
and the protocol say (`\\n`, `\\r\\n`, `\\r`): form feeds and others that `str.splitlines` knows are part of a line.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Mapping
from typing import Final

from lsprotocol import types

from asgiway_lint.finding import Finding

__all__ = ["Text"]

_NEWLINE: Final = re.compile(r"\r\n?|\n")
_BOM: Final = "\ufeff"


def _utf16(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def _utf8(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


_UNITS: Final[Mapping[str, Callable[[str], int]]] = {"utf-16": _utf16, "utf-8": _utf8, "utf-32": len}


class Text:
    """A text and the translation of places in it.

    Args:
        text: as the client has it; a byte order mark counts for the client and not for the engine.
        encoding: what the client's positions count: `utf-16`, `utf-8` or `utf-32`.
    """

    def __init__(self, text: str, encoding: str) -> None:
        self._text = text
        self._units = _UNITS[encoding]
        self._trivial = text.isascii() or encoding == "utf-32"
        self._bom = text.startswith(_BOM)
        self._starts = [0, *(match.end() for match in _NEWLINE.finditer(text))]

    @property
    def body(self) -> str:
        """The text without its byte order mark, as fixes count it."""
        return self._text[1:] if self._bom else self._text

    def line(self, number: int) -> str:
        """The text of a line (from 1), without its end; empty behind the last one."""
        if not 1 <= number <= len(self._starts):
            return ""
        start = self._starts[number - 1]
        end = self._starts[number] if number < len(self._starts) else len(self._text)
        return self._text[start:end].rstrip("\r\n")

    def position(self, line: int, column: int) -> types.Position:
        """The client's position of a line and column, counted from 1; a place behind the text's end is its end."""
        content = self.line(line)
        if line > len(self._starts):
            line = len(self._starts)
            content = self.line(line)
            column = len(content) + 1
        elif line == 1 and self._bom:
            column += 1
        column = min(max(column - 1, 0), len(content))
        return types.Position(line - 1, column if self._trivial else self._units(content[:column]))

    def position_at(self, offset: int) -> types.Position:
        """The client's position of an offset into `body`."""
        offset += self._bom
        line = bisect.bisect_right(self._starts, offset)
        start = self._starts[line - 1]
        inside = offset - start
        return types.Position(line - 1, inside if self._trivial else self._units(self._text[start:offset]))

    def span(self, start: int, end: int) -> types.Range:
        """The client's range between two offsets into `body`."""
        return types.Range(self.position_at(start), self.position_at(end))

    def range_of(self, finding: Finding) -> types.Range:
        """The client's range of a finding; one of no length gets the word, or the character, that it points at."""
        start = self.position(finding.line, finding.column)
        end = self.position(finding.end_line, finding.end_column)
        if (start.line, start.character) < (end.line, end.character):
            return types.Range(start, end)
        return self.word(finding.line, finding.column)

    def word(self, line: int, column: int) -> types.Range:
        """The client's range of the dotted name that begins at a line and column; of the character where there is none."""
        content = self.line(line)
        at = column - 1 + (self._bom and line == 1)
        match = re.compile(r"[\w.]+|.").match(content, at) if 0 <= at < len(content) else None
        if match is None:
            # Behind the end of a line: its last character, so that there is something to see.
            place = self.position(line, column)
            before = self.position(line, max(len(content), 1) - (self._bom and line == 1))
            return types.Range(min(before, place, key=lambda each: each.character), place)
        return types.Range(self.position(line, column), self.position(line, column + match.end() - match.start()))

    def offset(self, position: types.Position) -> int:
        """The offset into `body` of a client's position; one behind the end of its line is that end."""
        if position.line >= len(self._starts):
            return len(self.body)
        content = self.line(position.line + 1)
        if self._trivial:
            inside = min(position.character, len(content))
        else:
            inside, counted = 0, 0
            for character in content:
                counted += self._units(character)
                if counted > position.character:
                    break
                inside += 1
        return max(self._starts[position.line] + inside - self._bom, 0)
