"""Statements that go, and blocks that move in or out, as minimal edits of lines; strings and comments stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import libcst as cst

from asgiway_lint.fixes.model import Edit
from asgiway_lint.fixes.psycopg.editing import Draft
from asgiway_lint.fixes.psycopg.uses import Unprovable
from asgiway_lint.fixes.source import FixSource

__all__ = ["Layout", "block_of", "statement_of"]


@dataclass(slots=True)
class Layout:
    """What happens to whole lines of a function.

    Args:
        draft: takes the edits.
        gone: ids of statements that are removed.
        shifts: stretches of lines that move: first line, last line, by how many levels.
    """

    draft: Draft
    gone: set[int] = field(default_factory=set[int])
    shifts: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])

    def remove(self, line: cst.SimpleStatementLine) -> None:
        """Remove a statement; a comment behind it stays, on a line of its own. What would leave a block empty becomes `pass`."""
        self.gone.add(id(line))
        source = self.draft.source
        block = source.parent(line)
        assert isinstance(block, (cst.IndentedBlock, cst.SimpleStatementSuite))
        if not isinstance(block, cst.IndentedBlock) or len(line.body) != 1:
            raise Unprovable("there are several statements on one line")
        start, end = source.offset(line)
        if all(id(other) in self.gone for other in block.body):
            self.draft.edits.append(Edit(start, source.offset(line.body[0])[1], "pass"))
            return
        rest = line.trailing_whitespace.comment
        if rest is not None:
            comment = source.text.index("#", source.offset(line.body[0])[1])
            self.draft.edits.append(Edit(start, comment, ""))
            return
        following = _next_line(source, end)
        self.draft.edits.append(Edit(source.line_start(start), following, ""))

    def shift(self, first: cst.BaseStatement, last: cst.BaseStatement, levels: int) -> None:
        """Move the statements from one to another of a block by levels of indentation."""
        source = self.draft.source
        top = source.line_of(source.offset(first)[0])
        self.shifts.append((top, source.line_of(_end(source, last)), levels))

    def finish(self) -> None:
        """Add the edits of the lines that move; when all else is known."""
        source = self.draft.source
        unit = source.module.default_indent
        inside = self._in_strings()
        taken = [edit for edit in self.draft.edits if edit.start < edit.end]
        moved: dict[int, int] = {}
        for top, bottom, levels in self.shifts:
            for line in range(top, bottom + 1):
                moved[line] = moved.get(line, 0) + levels
        for line, levels in sorted(moved.items()):
            start = source.offset_of(line, 1)
            text = source.text[start : _next_line(source, start)]
            if levels == 0 or not text.strip() or line in inside:
                continue
            if any(edit.start < start < edit.end or (edit.start == start and edit.text == "") for edit in taken):
                continue
            if levels > 0:
                self._prepend(start, unit * levels)
            elif text.startswith(unit * -levels):
                self.draft.edits.append(Edit(start, start + len(unit * -levels), ""))
            else:
                raise Unprovable(f"line {line} is not indented as the rest of the file")

    def _prepend(self, start: int, text: str) -> None:
        """Insert at the start of a line, behind whatever else is inserted there."""
        for index, edit in enumerate(self.draft.edits):
            if edit.start == edit.end == start:
                self.draft.edits[index] = Edit(start, start, edit.text + text)
                return
        self.draft.insert(start, text)

    def _in_strings(self) -> set[int]:
        """Lines that start inside of a string."""
        source = self.draft.source
        found: set[int] = set()
        for node in source.nodes():
            if isinstance(node, (cst.SimpleString, cst.FormattedString)):
                start, end = source.offset(node)
                found.update(range(source.line_of(start) + 1, source.line_of(end) + 1))
        return found

    def above(self, statement: cst.BaseStatement, text: str) -> None:
        """Put a line above a statement, as deep as that is now."""
        source = self.draft.source
        start = source.offset(statement)[0]
        self.draft.insert(source.line_start(start), f"{source.indent_at(start)}{text}{source.newline}")

    def below(self, statement: cst.BaseStatement, lines: Sequence[str], indent: str) -> None:
        """Put lines below a statement."""
        source = self.draft.source
        end = _end(source, statement)
        following = _next_line(source, end)
        text = "".join(f"{indent}{line}{source.newline}" for line in lines)
        if following == len(source.text) and not source.text.endswith(("\n", "\r")):
            text = source.newline + text.removesuffix(source.newline)
        self.draft.insert(following, text)


def _next_line(source: FixSource, offset: int) -> int:
    """Where the line behind an offset's line starts."""
    return source.offset_of(source.line_of(offset) + 1, 1)


def _end(source: FixSource, statement: cst.BaseStatement) -> int:
    """Where the last statement inside of a statement ends."""
    ends = [
        source.offset(node)[1]
        for node in source.nodes(statement)
        if isinstance(node, (cst.BaseSmallStatement, cst.Expr))
    ]
    return max(ends)


def statement_of(source: FixSource, node: cst.CSTNode) -> cst.SimpleStatementLine:
    """Return the line that a call is the only statement of.

    Raises:
        Unprovable: it is part of something else.
    """
    statement = source.statement(node)
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        line = source.line_of(source.offset(node)[0])
        raise Unprovable(f"line {line} does several things at once")
    return statement


def block_of(source: FixSource, statement: cst.CSTNode) -> Sequence[cst.BaseStatement]:
    """Return the statements of the block that a statement stands in."""
    block = source.parent(statement)
    if not isinstance(block, cst.IndentedBlock):
        raise Unprovable("there are several statements on one line")
    return block.body
