"""Remove the codes of a suppression comment that suppress nothing, or all of it (AW003): safe."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from asgiway_lint.finding import Finding
from asgiway_lint.fixes.model import Applicability, Edit, Fix, Refusal
from asgiway_lint.fixes.source import FixSource
from asgiway_lint.suppress import Directive, find_directives

__all__ = ["NAME", "offer"]

NAME = "unused-suppression"
_CODE = re.compile(r"[A-Za-z]+[0-9]+")


def offer(source: FixSource, finding: Finding, findings: Sequence[Finding]) -> Fix | Refusal | None:
    """Return the fix of an unused suppression."""
    if finding.code != "AW003":
        return None
    directives = source.memo(_directives)
    directive = next((each for each in directives if (each.line, each.column) == (finding.line, finding.column)), None)
    unused = frozenset(finding.symbol.split(", "))
    if directive is None or not unused:
        return Refusal(NAME, "its comment is not where it was")
    left = [code for code in directive.codes if code not in unused]
    return Fix(
        name=NAME,
        title=f"Remove {finding.symbol}" if left else "Remove the comment",
        applicability=Applicability.SAFE,
        edits=(_without_codes(source, directive, unused) if left else _without_directive(source, directive),),
        removes=(finding,),
    )


def _directives(source: FixSource) -> tuple[Directive, ...]:
    return find_directives(source.text)


def _without_codes(source: FixSource, directive: Directive, unused: frozenset[str]) -> Edit:
    """The other codes stay as they are written, separators too."""
    start = source.offset_of(directive.line, directive.column)
    end = source.offset_of(directive.line, directive.end_column)
    text = source.text[start:end]
    first = text.index(":", text.lower().index("noqa")) + 1
    codes = list(_CODE.finditer(text, first))
    kept = [match for match in codes if match[0].upper() not in unused]
    separators = [text[a.end() : b.start()] for a, b in itertools.pairwise(codes)]
    separator = separators[0] if separators else ", "
    return Edit(start + codes[0].start(), end, separator.join(match[0] for match in kept))


def _without_directive(source: FixSource, directive: Directive) -> Edit:
    """What else the comment says stays a comment; of a line that held nothing else nothing stays."""
    text = source.text
    start = source.offset_of(directive.line, directive.column)
    end = source.offset_of(directive.line, directive.end_column)
    line_start, line_end = source.line_start(start), _line_end(source, directive.line)
    before, after = text[line_start:start], text[end:line_end].strip()
    if after.startswith("#"):
        return Edit(start, line_end - len(text[end:line_end].lstrip()), "")
    if after:
        return Edit(start, end + len(text[end:line_end]) - len(text[end:line_end].lstrip()), "# ")
    if not before.strip():
        return Edit(line_start, source.offset_of(directive.line + 1, 1), "")
    # What the comment says before stays.
    return Edit(line_start + len(before.rstrip()), line_end, "")


def _line_end(source: FixSource, line: int) -> int:
    end = source.offset_of(line + 1, 1)
    return (
        end
        - len(source.text[source.offset_of(line, 1) : end])
        + len(source.text[source.offset_of(line, 1) : end].rstrip("\r\n"))
    )
