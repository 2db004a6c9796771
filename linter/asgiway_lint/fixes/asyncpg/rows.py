"""Rows: asyncpg's `Record` is neither a tuple nor a dictionary. Where nobody can tell, it stays; elsewhere rows are converted.

asyncpg documentation, "Record objects": https://magicstack.github.io/asyncpg/current/api/index.html#record-objects
"""

from __future__ import annotations

import libcst as cst

from asgiway_lint.fixes.psycopg.uses import Cursor, Unprovable
from asgiway_lint.fixes.source import FixSource

__all__ = ["Fetch", "fetches_of", "once", "record_stays", "records_stay"]

Fetch = cst.Call | cst.Name
"""A call of `fetchone` or `fetchall`, or the cursor's name where it is iterated over."""

_COMPUTING = frozenset(f"builtins.{name}" for name in ("len", "bool"))


def fetches_of(cursor: Cursor) -> list[Fetch]:
    """Return every place where rows of a cursor are fetched."""
    found: list[Fetch] = [*cursor.fetches, *cursor.drained]
    for loop in cursor.loops:
        assert isinstance(loop.iter, cst.Name)
        found.append(loop.iter)
    return found


def record_stays(source: FixSource, node: cst.BaseExpression, *, named: bool) -> bool:
    """Whether a single row may be a `Record` (or None) where psycopg2 gave a tuple, or a dictionary if it is `named`."""
    above = source.parent(node)
    if isinstance(above, cst.Subscript) and above.value is node:
        return _is_key(above, named) and not _is_target(source, above)
    if isinstance(above, cst.Attribute) and named:
        return above.attr.value == "get"  # its keys(), values() and items() are iterators
    if isinstance(above, cst.Arg) and above.keyword is None and not above.star:
        call = source.parent(above)
        name = source.resolve(call.func) if isinstance(call, cst.Call) else ""
        return name in _COMPUTING or name == ("builtins.dict" if named else "builtins.tuple")
    if isinstance(above, cst.Assign) and len(above.targets) == 1:
        target = above.targets[0].target
        if isinstance(target, (cst.Tuple, cst.List)):
            return not named
        return isinstance(target, cst.Name) and _each_use(source, target, named)
    return _is_test(source, node)


def records_stay(source: FixSource, node: cst.BaseExpression, *, named: bool) -> bool:
    """The same for a list of rows."""
    above = source.parent(node)
    if isinstance(above, (cst.For, cst.CompFor)) and above.iter is node:
        if isinstance(above.target, (cst.Tuple, cst.List)):
            return not named
        return isinstance(above.target, cst.Name) and _each_use(source, above.target, named)
    if isinstance(above, cst.Arg) and above.keyword is None and not above.star:
        call = source.parent(above)
        return isinstance(call, cst.Call) and source.resolve(call.func) in _COMPUTING
    if isinstance(above, cst.Assign) and len(above.targets) == 1 and isinstance(above.targets[0].target, cst.Name):
        target = above.targets[0].target
        uses = _uses(source, target)
        return uses is not None and all(records_stay(source, use, named=named) for use in uses)
    return _is_test(source, node)


def _each_use(source: FixSource, target: cst.Name, named: bool) -> bool:
    uses = _uses(source, target)
    return uses is not None and all(
        _unpacked(source, use, named)
        if isinstance(source.parent(use), cst.Assign)
        else record_stays(source, use, named=named)
        for use in uses
    )


def _unpacked(source: FixSource, use: cst.Name, named: bool) -> bool:
    above = source.parent(use)
    return isinstance(above, cst.Assign) and isinstance(above.targets[0].target, cst.Tuple) and not named


def _uses(source: FixSource, target: cst.Name) -> list[cst.Name] | None:
    """The names that read what a target was given; None if the name is bound in another place, too."""
    found = source.scopes.lookup(target.value, target)
    if found is None:
        return None
    home = found[0].node
    bound = {id(each.node) for each in found[1]}
    if bound != {id(target)}:
        return None
    uses: list[cst.Name] = []
    for node in source.find(cst.Name, home):
        if node.value != target.value or node is target:
            continue
        above = source.parent(node)
        if (isinstance(above, cst.Attribute) and above.attr is node) or (
            isinstance(above, cst.Arg) and above.keyword is node
        ):
            continue
        again = source.scopes.lookup(node.value, node)
        if again is not None and again[0] is found[0]:
            uses.append(node)
    return uses


def _is_key(node: cst.Subscript, named: bool) -> bool:
    if len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return False
    return isinstance(node.slice[0].slice.value, cst.SimpleString if named else cst.Integer)


def _is_target(source: FixSource, node: cst.Subscript) -> bool:
    """Whether an item is written: a `Record` never changes."""
    above = source.parent(node)
    while isinstance(above, (cst.Element, cst.StarredElement, cst.Tuple, cst.List)):
        above = source.parent(above)
    if isinstance(above, (cst.AugAssign, cst.AnnAssign, cst.For, cst.CompFor)):
        return above.target is node
    return isinstance(above, (cst.AssignTarget, cst.Del, cst.AsName))


def _is_test(source: FixSource, node: cst.BaseExpression) -> bool:
    above = source.parent(node)
    if isinstance(above, (cst.If, cst.While, cst.IfExp, cst.Assert)):
        return above.test is node
    if isinstance(above, cst.UnaryOperation):
        return isinstance(above.operator, cst.Not)
    if isinstance(above, cst.Comparison) and above.left is node and len(above.comparisons) == 1:
        operator, against = above.comparisons[0].operator, above.comparisons[0].comparator
        return isinstance(operator, (cst.Is, cst.IsNot)) and isinstance(against, cst.Name) and against.value == "None"
    return False


def once(source: FixSource, node: Fetch, statement: cst.BaseStatement) -> None:
    """Make sure that a fetch is done exactly once when its statement begins, so that the query can be made there.

    Raises:
        Unprovable: it is done later, perhaps, or several times.
    """
    below: cst.CSTNode = node
    for above in source.ancestors(node):
        if above is statement:
            if (isinstance(above, cst.For) and below is above.iter) or (
                isinstance(above, cst.If) and below is above.test
            ):
                return
            if isinstance(above, cst.SimpleStatementLine):
                return
            break
        if isinstance(above, (cst.Lambda, cst.IfExp, cst.BooleanOperation, cst.While)):
            break
        if isinstance(above, cst.CompFor) and below is above.iter:
            comprehension = source.parent(above)
            if not isinstance(comprehension, (cst.ListComp, cst.SetComp, cst.DictComp)):
                break
        elif isinstance(above, (cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)) and not isinstance(
            below, cst.CompFor
        ):
            break
        below = above
    line = source.line_of(source.offset(node)[0])
    raise Unprovable(
        f"line {line}: asyncpg fetches where it executes, and this fetch may be done several times, or never"
    )
