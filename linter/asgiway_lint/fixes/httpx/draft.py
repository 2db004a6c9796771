"""Edits while they are collected: insertions and replacements at offsets, and a region of lines that moves to the right.

What touches is merged, so that the order of insertions at one place is the order in which they were asked for.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from asgiway_lint.fixes.model import Edit

__all__ = ["Draft", "Region"]


@dataclass(frozen=True, slots=True)
class Region:
    """Lines that move to the right.

    Args:
        start: offset where the first line starts.
        end: offset behind the last line, without its line end.
        header: a line to put above the first one, with its line end; may be empty.
        unit: what the lines are indented by in addition.
        line_starts: offsets of the lines to indent: neither blank ones nor those that begin inside a string.
    """

    start: int
    end: int
    header: str
    unit: str
    line_starts: tuple[int, ...]

    def around(self, offset: int) -> bool:
        """Whether an offset is in the region."""
        return self.start <= offset <= self.end


@dataclass(slots=True)
class Draft:
    """Edits of one text.

    Args:
        inserted: offset -> texts inserted there, in order.
        replaced: (start, end) -> new text.
    """

    inserted: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    replaced: dict[tuple[int, int], str] = field(default_factory=dict[tuple[int, int], str])

    def insert(self, offset: int, text: str) -> None:
        """Insert a text; behind what was inserted there before."""
        self.inserted.setdefault(offset, []).append(text)

    def replace(self, start: int, end: int, text: str) -> None:
        """Replace a piece of the text; whatever is inserted at its start comes first."""
        self.replaced[start, end] = text

    def wrap(self, start: int, end: int, before: str, after: str) -> None:
        """Put something around a piece; a wrap within another one is asked for later."""
        self.insert(start, before)
        self.inserted.setdefault(end, []).insert(0, after)

    def add(self, other: Draft) -> None:
        """Take over the edits of another draft, behind one's own."""
        for offset, texts in other.inserted.items():
            self.inserted.setdefault(offset, []).extend(texts)
        self.replaced.update(other.replaced)

    def edits(self, regions: Iterable[Region] = ()) -> tuple[Edit, ...]:
        """Return the edits, sorted and merged, with the lines of regions indented.

        Raises:
            ValueError: two of them overlap, or two regions do without one being inside the other.
        """
        nested = sorted(regions, key=lambda region: (region.start, -region.end))
        pieces: dict[tuple[int, int], str] = {}
        for number, region in enumerate(nested):
            outer = [each for each in nested[:number] if each.end >= region.start]
            if any(each.end < region.end for each in outer):
                raise ValueError("the lines that need one client overlap with those that need another")
            if region.header:
                above = pieces.get((region.start, region.start), "")
                indent = "".join(each.unit for each in outer)
                pieces[region.start, region.start] = f"{above}{region.header}{indent}"
            for start in region.line_starts:
                if any(begin < start < end for begin, end in self.replaced):
                    continue  # the line is joined with the one before
                pieces[start, start] = pieces.get((start, start), "") + region.unit
        for offset, texts in self.inserted.items():
            text = _indented("".join(texts), offset, nested)
            pieces[offset, offset] = pieces.get((offset, offset), "") + text
        for (start, end), text in self.replaced.items():
            before = pieces.pop((start, start), "") if start != end else ""
            pieces[start, end] = before + _indented(text, start, nested)
        found = [Edit(start, end, text) for (start, end), text in sorted(pieces.items())]
        for edit, following in itertools.pairwise(found):
            if edit.end > following.start:
                raise ValueError("two of its changes overlap")
        return tuple(edit for edit in found if edit.text or edit.start < edit.end)


def _indented(text: str, offset: int, regions: Sequence[Region]) -> str:
    """Indent the further lines of a new text that stands in regions."""
    unit = "".join(region.unit for region in regions if region.around(offset))
    return text.replace("\n", f"\n{unit}") if unit else text
