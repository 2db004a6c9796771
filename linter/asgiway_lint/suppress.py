"""Suppression comments: `# noqa` for a line, `# asgiway-lint: noqa` for a file.

Two steps: `find_directives` reads them from source text, parsable or not; `apply` decides which findings they silence, and which
codes in them silence nothing. The line form is shared with flake8 and ruff, so codes of other tools are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from asgiway_lint.comments import find_comments, joined_lines
from asgiway_lint.finding import Finding

__all__ = ["Applied", "Directive", "Suppressed", "Unused", "apply", "find_directives"]

_CODES = r"(?P<codes>[A-Z]+[0-9]+(?:[\s,]*[A-Z]+[0-9]+)*)"
# ruff's grammar, except that codes may be lower case, as in flake8: a colon promises codes, so without any it is no directive.
_LINE = re.compile(rf"#\s*noqa(?:\s*:\s*{_CODES}|(?![\w\-:,]|\s*:))", re.IGNORECASE)
_FILE = re.compile(rf"#\s*asgiway-lint\s*:\s*noqa(?:\s*:\s*{_CODES}|(?![\w\-:,]|\s*:))", re.IGNORECASE)
_CODE = re.compile(r"[A-Z]+[0-9]+")
_OWN = re.compile(r"AW[0-9]+")
_UNUSED = "AW003"


@dataclass(frozen=True, slots=True)
class Directive:
    """One suppression comment.

    Args:
        line: 1-based line of the comment.
        column: 1-based column of its `#`, in code points.
        end_column: 1-based column behind the directive (exclusive).
        codes: the codes that it names, upper case, ours and other tools'; empty for a blanket directive.
        file_level: whether it holds for the whole file.
        first: the first line that it counts for: strings and backslashes leave the lines above no room for a comment. 0: its own.
    """

    line: int
    column: int
    end_column: int
    codes: tuple[str, ...]
    file_level: bool
    first: int = 0


@dataclass(frozen=True, slots=True)
class Unused:
    """Codes of ours in a directive that silence nothing."""

    directive: Directive
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that is not shown.

    Args:
        finding: the finding.
        by: what silences it: a comment in the source, or the baseline.
    """

    finding: Finding
    by: Literal["noqa", "baseline"]


@dataclass(frozen=True, slots=True)
class Applied:
    """What is left of a file's findings, what was silenced, and which codes of its directives were for nothing."""

    findings: tuple[Finding, ...]
    silenced: tuple[Suppressed, ...]
    unused: tuple[Unused, ...]


def find_directives(source: str) -> tuple[Directive, ...]:
    """Return the directives of a source text in order.

    A line directive may follow other words in its comment (`# why # noqa: AW102`); the first one of a comment counts. A file-level
    directive stands on a line of its own, anywhere in the file. Text in strings is no directive. One behind a string of several lines,
    or behind lines that end in backslashes, counts for all of these lines, as in ruff.
    """
    if "noqa" not in source.lower():
        return ()
    return tuple(_directives(source))


def _directives(source: str) -> Iterable[Directive]:
    first_lines: dict[int, int] | None = None
    for comment in find_comments(source):
        file_level = _FILE.match(comment.text)
        match = file_level or _LINE.search(comment.text)
        if match is not None and (comment.own_line or not file_level):
            codes = tuple(dict.fromkeys(_CODE.findall((match["codes"] or "").upper())))
            if first_lines is None:
                first_lines = {last: first for first, last in joined_lines(source)}
            column, end = comment.column + match.start(), comment.column + match.end()
            yield Directive(
                comment.line, column, end, codes, file_level is not None, first_lines.get(comment.line, comment.line)
            )


def apply(findings: Iterable[Finding], directives: Sequence[Directive]) -> Applied:
    """Take away the findings that directives silence.

    A line directive counts on the first and on the last line of a finding's range, so that it fits on either end of a call that
    spans several lines.
    """
    by_line = {
        line: directive
        for directive in directives
        if not directive.file_level
        for line in range(directive.first or directive.line, directive.line + 1)
    }
    for_file = [directive for directive in directives if directive.file_level]
    used: set[tuple[Directive, str]] = set()
    left: list[Finding] = []
    silenced: list[Suppressed] = []
    for finding in findings:
        nearby = (by_line.get(line) for line in dict.fromkeys((finding.line, finding.end_line)))
        silencing = [d for d in (*nearby, *for_file) if d is not None and (not d.codes or finding.code in d.codes)]
        if silencing:
            used.update((directive, finding.code) for directive in silencing)
            silenced.append(Suppressed(finding, "noqa"))
        else:
            left.append(finding)
    unused: list[Unused] = []
    for directive in directives:
        codes = tuple(code for code in directive.codes if _OWN.fullmatch(code) and (directive, code) not in used)
        if codes and not _kept(directive, for_file):
            unused.append(Unused(directive, codes))
    return Applied(tuple(left), tuple(silenced), tuple(unused))


def _kept(directive: Directive, for_file: Sequence[Directive]) -> bool:
    """Whether the directive may stay though it silences nothing: somebody says so, by a blanket or by naming AW003."""
    return _UNUSED in directive.codes or any(not other.codes or _UNUSED in other.codes for other in for_file)
