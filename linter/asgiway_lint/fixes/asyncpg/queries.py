"""What stands in the parentheses of `execute`, rewritten for asyncpg: `$1` for `%s`, and values one by one instead of a tuple."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from asgiway_lint.fixes.apply import apply_edits
from asgiway_lint.fixes.model import Edit
from asgiway_lint.fixes.psycopg.editing import Draft, is_private
from asgiway_lint.fixes.psycopg.statements import check_arguments
from asgiway_lint.fixes.psycopg.uses import Execute, Unprovable
from asgiway_lint.fixes.source import FixSource

__all__ = ["Query", "query_of"]

_PURE = (
    cst.Name,
    cst.Attribute,
    cst.Subscript,
    cst.SimpleString,
    cst.Integer,
    cst.Float,
    cst.ConcatenatedString,
    cst.FormattedString,
)


@dataclass(frozen=True, slots=True)
class Query:
    """The arguments of one execution.

    Args:
        start: where they start in the source.
        end: where they end.
        edits: what changes in them.
    """

    start: int
    end: int
    edits: tuple[Edit, ...]

    def text(self, source: FixSource) -> str:
        """Return them as they are to be written elsewhere."""
        moved = [Edit(edit.start - self.start, edit.end - self.start, edit.text) for edit in self.edits]
        return apply_edits(source.text[self.start : self.end], moved)


def query_of(draft: Draft, execute: Execute, queries: set[int], *, rows: bool) -> Query:
    """Return the new arguments of an `execute`; edits of a constant go to the draft.

    Args:
        draft: takes the edits outside of the call.
        execute: the call.
        queries: ids of all expressions in the function that stand for SQL.
        rows: whether somebody fetches what comes of it.

    Raises:
        Unprovable: asyncpg may do something else.
    """
    source, sql, literal = draft.source, execute.sql, execute.literal
    line = source.line_of(source.offset(execute.call)[0])
    if sql is None or literal is None:
        raise Unprovable(
            f"the SQL of line {line} is put together at run time, so its placeholders cannot be numbered here"
        )
    if sql.problem:
        raise Unprovable(f"line {line}: {sql.problem}")
    if any(arg.keyword is not None for arg in execute.call.args):
        raise Unprovable(f"line {line}: the arguments of `execute` have names")
    if rows and not sql.gives_rows():
        raise Unprovable(f"line {line}: asyncpg raises nothing when a statement without rows is fetched")
    edits: list[Edit] = []
    if execute.arguments is not None:
        _check(execute, line)
        changes = sql.numbered()
        if changes and literal.home is not None and not is_private(source, literal, queries):
            raise Unprovable(f"`{literal.name}` has psycopg2's placeholders, and is used elsewhere, too")
        for start, end, text in changes:
            span = literal.span(start, end)
            if span is None:
                raise Unprovable(f"line {line}: a placeholder is split between two literals")
            edit = Edit(*span, text)
            if literal.home is None:
                edits.append(edit)
            elif edit not in draft.edits:
                draft.edits.append(edit)
        edits += _arguments(source, execute, line)
    start = source.text.index("(", source.offset(execute.call.func)[1]) + 1
    end = source.offset(execute.call)[1] - 1
    return Query(start, end, tuple(sorted(edits)))


def _check(execute: Execute, line: int) -> None:
    assert execute.sql is not None
    assert execute.arguments is not None
    sql = execute.sql
    for placeholder in sql.placeholders:
        if placeholder.inside:
            raise Unprovable(f"line {line}: a placeholder stands in {placeholder.inside}, where asyncpg has none")
    if sql.whole_lists():
        raise Unprovable(f"line {line}: asyncpg takes no tuple for `IN`, but a list for `= ANY(...)`")
    if sql.statements != 1:
        raise Unprovable(f"line {line}: asyncpg takes no parameters for several statements")
    if execute.many:
        if any(each.name for each in sql.placeholders) or not sql.placeholders:
            raise Unprovable(f"line {line}: asyncpg's `executemany` takes rows of values, without names")
    else:
        check_arguments(sql, execute.arguments, line)
    if not sql.plain():
        raise Unprovable(
            f"line {line}: asyncpg needs the type of each value, which only a column beside its placeholder tells"
        )


def _arguments(source: FixSource, execute: Execute, line: int) -> Sequence[Edit]:
    node = execute.arguments
    assert node is not None
    assert execute.sql is not None
    start, end = source.outer_offset(node)
    if execute.many:
        return ()
    if isinstance(node, cst.Dict) and execute.sql.placeholders:
        return [Edit(start, end, ", ".join(_values(source, node, execute, line)))]
    if any(placeholder.name for placeholder in execute.sql.placeholders):
        raise Unprovable(f"line {line}: asyncpg has no named parameters, and the values cannot be seen here")
    if isinstance(node, (cst.Tuple, cst.List)):
        if any(isinstance(element, cst.StarredElement) for element in node.elements):
            raise Unprovable(f"line {line}: how many values there are cannot be seen here")
        if not node.elements:
            return [Edit(source.outer_offset(execute.query)[1], end, "")]
        last = source.outer_offset(node.elements[-1].value)[1]
        rest = source.text[last : end - 1]
        closing = Edit(last, end, "") if not rest.strip(" ,") else Edit(end - 1, end, "")
        return [Edit(start, start + 1, ""), closing]
    if isinstance(node, (cst.Name, cst.Attribute, cst.Subscript, cst.Call)):
        return [Edit(start, start, "*")]
    raise Unprovable(f"line {line}: what the values are cannot be seen here")


def _values(source: FixSource, node: cst.Dict, execute: Execute, line: int) -> list[str]:
    """The values of a dictionary in the order of their placeholders."""
    if any(isinstance(each, cst.Comment) for each in source.nodes(node)):
        raise Unprovable(f"line {line}: there are comments between the named values, which change their order")
    values: dict[str, cst.BaseExpression] = {}
    for element in node.elements:
        if not isinstance(element, cst.DictElement) or not isinstance(element.key, cst.SimpleString):
            raise Unprovable(f"line {line}: the names of the values cannot be seen here")
        if not isinstance(element.value, _PURE):
            raise Unprovable(f"line {line}: the named values do something, and would do it in another order")
        values[str(element.key.evaluated_value)] = element.value
    assert execute.sql is not None
    return [
        source.text[slice(*source.outer_offset(values[placeholder.name]))] for placeholder in execute.sql.placeholders
    ]
