"""The excerpt of source code that a finding points at: context lines, line numbers, carets. Pure text, no colours.

Columns are a terminal's: tabs count four, wide characters two, combining marks none. Lines that are too long are cut on both
sides, around what is marked, and say so by an ellipsis.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from asgiway_lint.finding import Finding
from asgiway_lint.report.style import visible, width_of

__all__ = ["Frame", "Row", "frame_of"]

_CONTEXT = 2  # lines shown before and after
_HEAD, _TAIL = 3, 2  # lines of a long range that are shown at its start and at its end
_ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a frame.

    Args:
        number: the line's number; None for a line that marks or elides.
        rail: what runs down the left side of a range of several lines; as wide in every row of a frame.
        text: source text, or the marks under it.
        marks: whether the text is marks.
        elided: whether it stands for lines that are left out.
    """

    number: int | None
    rail: str
    text: str
    marks: bool = False
    elided: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """Rows, and the width of the column with their numbers."""

    rows: tuple[Row, ...]
    gutter: int


def frame_of(finding: Finding, lines: Sequence[str], width: int) -> Frame | None:
    """Return the frame of a finding; None if the source has no such line (it has changed, or it is empty).

    Args:
        finding: what to mark.
        lines: the source's lines, without their ends.
        width: most columns of a line of source text.
    """
    if not 1 <= finding.line <= len(lines) or (len(lines) == 1 and not lines[0]):
        return None
    last = min(finding.end_line, len(lines))
    shown = range(max(1, finding.line - _CONTEXT), min(len(lines), last + _CONTEXT) + 1)
    shown = _without_blank_edges(shown, finding.line, last, lines)
    rows = (
        _one_line(finding, lines, shown, width) if last <= finding.line else _many_lines(finding, lines, shown, width)
    )
    return Frame(tuple(rows), len(str(shown[-1])))


def _without_blank_edges(shown: range, first: int, last: int, lines: Sequence[str]) -> range:
    start, stop = shown.start, shown.stop
    while start < first and not lines[start - 1].strip():
        start += 1
    while stop - 1 > last and not lines[stop - 2].strip():
        stop -= 1
    return range(start, stop)


def _one_line(finding: Finding, lines: Sequence[str], shown: range, width: int) -> Iterator[Row]:
    marked = lines[finding.line - 1]
    start = _columns(marked, finding.column)
    end = max(start + 1, _columns(marked, finding.end_column) if finding.end_line == finding.line else start + 1)
    total = width_of(visible(marked))
    # Cut on the left only what must go: the range's start stays visible with a third of the width before it.
    cut = 0 if max(end, total) <= width or end < width else max(0, min(start - width // 3, total - width + 1))
    for number in shown:
        yield Row(number, "", _cut(lines[number - 1], cut, width))
        if number == finding.line:
            visible_end = min(end - cut, width)
            yield Row(None, "", " " * (start - cut) + "^" * max(1, visible_end - (start - cut)), marks=True)


def _many_lines(finding: Finding, lines: Sequence[str], shown: range, width: int) -> Iterator[Row]:
    first, last = finding.line, min(finding.end_line, len(lines))
    opening = _columns(lines[first - 1], finding.column)
    closing = _columns(lines[last - 1], finding.end_column if last == finding.end_line else len(lines[last - 1]) + 1)
    at_margin = not lines[first - 1][: finding.column - 1].strip()
    for number in shown:
        if first + _HEAD <= number <= last - _TAIL:
            if number == first + _HEAD and last - _TAIL > number:
                yield Row(None, "| ", "", elided=True)
                continue
            if number > first + _HEAD:
                continue
        rail = "| " if first < number <= last else "/ " if number == first and at_margin else "  "
        yield Row(number, rail, _cut(lines[number - 1], 0, width))
        if number == first and not at_margin:
            yield Row(None, " _", "_" * min(opening, width - 1) + "^", marks=True)
        elif number == last:
            yield Row(None, "|_", "_" * max(0, min(closing, width) - 1) + "^", marks=True)


def _columns(line: str, column: int) -> int:
    """Return how many columns stand before a 1-based column of a line; at most the line's own."""
    return width_of(visible(line[: column - 1]))


def _cut(line: str, cut: int, width: int) -> str:
    """Return the part of a line from the column `cut` on that fits into `width` columns."""
    text = visible(line)
    if not cut and width_of(text) <= width:
        return text
    kept: list[str] = []
    position, room, overflow = 0, width, False
    for character in text:
        size = width_of(character)
        if position >= cut:
            if room < size + 1:
                overflow = True
                break
            kept.append(character)
            room -= size
        elif position + size > cut:  # a wide character across the edge
            kept.append(" ")
            room -= 1
        position += size
    result = "".join(kept)
    if cut and result:
        result = _ELLIPSIS + " " * (width_of(result[0]) - 1) + result[1:]
    return result + _ELLIPSIS if overflow else result
