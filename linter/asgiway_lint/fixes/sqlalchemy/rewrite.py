"""The edits that make a group of session parameters asynchronous.

Which methods are coroutines: https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html, `AsyncSession`, compared with its source.
"""

from __future__ import annotations

from typing import Final

import libcst as cst

from asgiway_lint.fixes.psycopg.editing import Draft
from asgiway_lint.fixes.psycopg.uses import Unprovable
from asgiway_lint.fixes.source import FixSource
from asgiway_lint.fixes.sqlalchemy.sessions import Group, Parameter

__all__ = ["rewrite"]

_AWAITED: Final = frozenset(
    ["execute", "scalar", "scalars", "get", "get_one", "exec", "commit", "rollback", "flush", "refresh", "merge"]
) | {"delete", "close", "invalidate", "reset"}
_ENDING: Final = frozenset(["rollback", "close"])
_SAME: Final = frozenset(
    [
        "add",
        "add_all",
        "expire",
        "expire_all",
        "expunge",
        "expunge_all",
        "is_modified",
        "in_transaction",
        "in_nested_transaction",
    ]
)
_READ: Final = frozenset(["new", "dirty", "deleted", "identity_map", "info", "is_active", "autoflush"])
_BLOCKS: Final = frozenset(["begin", "begin_nested"])
_STREAMS: Final = frozenset(["yield_per", "stream_results"])
_QUERY: Final = "`AsyncSession` has no `query`: `select(...)` says the same, with `await session.scalars(...)`"


def rewrite(source: FixSource, group: Group) -> tuple[Draft, set[int]]:
    """Return the edits, and the ids of the calls that they make asynchronous.

    Raises:
        Unprovable: something is done with a session that an `AsyncSession` does in another way, or not at all.
    """
    draft = Draft(source)
    done: set[int] = set()
    statements: dict[int, cst.With] = {}
    entered: set[int] = set()
    renamed: set[int] = set()
    for parameter in group.parameters:
        if id(parameter.annotation) not in renamed:
            renamed.add(id(parameter.annotation))
            draft.replace(parameter.annotation, draft.name(parameter.annotation, parameter.module, parameter.twin))
        _check_streams(source, parameter)
        for use in parameter.uses:
            if id(use) in group.handed:
                continue
            item = _use(draft, parameter, use, done)
            if item is not None:
                statement = source.parent(item)
                assert isinstance(statement, cst.With)
                statements[id(statement)] = statement
                entered.add(id(item))
    for statement in statements.values():
        draft.asynchronous_with(statement, entered)
    _notes(draft, group, done)
    return draft, done


def _use(draft: Draft, parameter: Parameter, use: cst.Name, done: set[int]) -> cst.WithItem | None:
    """Rewrite one use; the item of a `with` if it is entered."""
    source = draft.source
    above = source.parent(use)
    if isinstance(above, cst.WithItem) and above.asname is None:
        return above
    if isinstance(above, cst.ComparisonTarget) and isinstance(above.operator, (cst.In, cst.NotIn)):
        return None
    if not isinstance(above, cst.Attribute):
        line = source.line_of(source.offset(use)[0])
        raise Unprovable(f"`{use.value}` is handed on (line {line}), to code that may expect a synchronous session")
    name = above.attr.value
    call = source.parent(above)
    if isinstance(call, cst.Call) and call.func is above:
        if name in _AWAITED:
            draft.awaited(call, closing=name in _ENDING)
            done.add(id(call))
            return None
        if name in _SAME:
            return None
        if name in _BLOCKS:
            item = source.parent(call)
            if isinstance(item, cst.WithItem) and item.asname is None:
                return item
            raise Unprovable(f"`{name}` is used without `with`, or its transaction is")
    elif name in _READ:
        return None
    elif name == "no_autoflush":
        return None  # a plain `with` for both
    if name == "query":
        raise Unprovable(_QUERY)
    if name.startswith("bulk_"):
        raise Unprovable(f"`AsyncSession` has no `{name}`: use `await session.execute(insert(...), rows)`")
    raise Unprovable(f"`AsyncSession` has no `{name}` that is known to do the same")


def _check_streams(source: FixSource, parameter: Parameter) -> None:
    for node in source.find(cst.Name, parameter.function):
        if node.value in _STREAMS:
            raise Unprovable("rows that are to be streamed (`yield_per`) need `await session.stream(...)`")


def _notes(draft: Draft, group: Group, done: set[int]) -> None:
    draft.notes.append(
        "relationships that load when they are read raise `MissingGreenlet` now: load them in the query, with `selectinload`"
    )
    source = draft.source
    commits = any(
        isinstance(call.func, cst.Attribute) and call.func.attr.value in ("commit", "rollback")
        for parameter in group.parameters
        for call in source.find(cst.Call, parameter.function.body)
        if id(call) in done
    )
    if commits:
        draft.notes.append(
            "so do all attributes after `commit()` or `rollback()`, unless they are refreshed, or the session is made with "
            "`expire_on_commit=False` (for `commit()`)"
        )
