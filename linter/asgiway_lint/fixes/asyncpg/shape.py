"""What becomes of a function's transactions: which statements psycopg2 commits together, and how that is one block for asyncpg.

psycopg2 opens a transaction with the first statement and ends it with `commit`, `rollback` or `close`. asyncpg commits each statement
by itself, unless it stands in `async with connection.transaction()`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field

import libcst as cst

from asgiway_lint.fixes.asyncpg.layout import block_of, statement_of
from asgiway_lint.fixes.psycopg.rewrite import check_blocks
from asgiway_lint.fixes.psycopg.uses import Connection, Unprovable, Uses
from asgiway_lint.fixes.source import FixSource

__all__ = ["Mode", "Shape", "shape_of"]


class Mode(enum.Enum):
    """How the function's statements take effect."""

    AUTOCOMMIT = enum.auto()  # each by itself
    BLOCKS = enum.auto()  # those of each `with connection`
    READ = enum.auto()  # they change nothing
    COMMIT = enum.auto()  # all together


@dataclass(slots=True)
class Shape:
    """The transactions of a function.

    Args:
        connection: its only connection.
        mode: how its statements take effect.
        blocks: the `with connection` statements, with their item.
        cursors: `with connection.cursor() as cursor` statements of their own.
        outer: the one of `cursors` that becomes the transaction.
        span: the first and last statement that have to be put into a transaction.
    """

    connection: Connection
    mode: Mode
    blocks: list[tuple[cst.With, cst.WithItem]] = field(default_factory=list[tuple[cst.With, cst.WithItem]])
    cursors: list[cst.With] = field(default_factory=list[cst.With])
    outer: cst.With | None = None
    span: tuple[cst.BaseStatement, cst.BaseStatement] | None = None


def shape_of(source: FixSource, uses: Uses) -> Shape:
    """Find out how a function's statements are committed.

    Raises:
        Unprovable: not in one of the ways that asyncpg can be told.
    """
    if len(uses.connections) != 1:
        raise Unprovable("there are several connections in the function")
    (connection,) = uses.connections
    if connection.tests:
        raise Unprovable(f"asyncpg has `is_closed()` for `{connection.name}.closed`")
    executes = [execute for cursor in uses.cursors for execute in cursor.executes]
    if not executes:
        raise Unprovable("nothing is executed")
    shape = Shape(connection, Mode.COMMIT)
    for item in connection.blocks:
        shape.blocks.append((_statement(source, item), item))
    opened = None if connection.item is None else _statement(source, connection.item)
    for cursor in uses.cursors:
        for item in cursor.items:
            statement = _statement(source, item)
            if not isinstance(item.item, cst.Call):
                raise Unprovable(f"`{cursor.name}` is entered, and asyncpg has no cursor that could be")
            if statement is opened or any(statement is block for block, _ in shape.blocks):
                if len(statement.items) != 2 or statement.items[1] is not item:
                    raise Unprovable("a `with` also enters something else")
                continue
            if len(statement.items) != 1:
                raise Unprovable("a `with` also enters something else")
            shape.cursors.append(statement)
    entering = [block for block, _ in shape.blocks] + ([] if opened is None else [opened])
    for entered in entering:
        others = [each for each in entered.items if each is not connection.item]
        for item in others:
            mine = any(item is each for each in connection.blocks) or any(
                item is each for cursor in uses.cursors for each in cursor.items
            )
            if not mine:
                raise Unprovable("a `with` also enters something else")
    calls = [execute.call for execute in executes]
    _decide(source, uses, shape, calls)
    if shape.mode is Mode.AUTOCOMMIT and any(execute.many for execute in executes):
        raise Unprovable(
            "asyncpg's `executemany` is one transaction, and psycopg2's, with autocommit, one for each row"
        )
    _check_handlers(source, uses, shape, calls)
    if opened is None:
        _check_closing(source, shape, calls)
    elif connection.closes:
        raise Unprovable(f"`{connection.name}` is closed behind its `with`, which the new code does itself")
    return shape


def _statement(source: FixSource, item: cst.WithItem) -> cst.With:
    statement = source.parent(item)
    assert isinstance(statement, cst.With)
    if statement.asynchronous is not None:
        raise Unprovable("psycopg2's connections and cursors cannot be used with `async with`")
    return statement


def _within(source: FixSource, node: cst.CSTNode, outer: cst.CSTNode) -> bool:
    return any(above is outer for above in source.ancestors(node))


def _decide(source: FixSource, uses: Uses, shape: Shape, calls: list[cst.Call]) -> None:
    connection = shape.connection
    if connection.autocommit:
        _check_autocommit(source, connection, calls)
        shape.mode = Mode.AUTOCOMMIT
    if shape.blocks:
        if connection.item is not None:
            raise Unprovable(f"`{connection.name}` is entered twice")
        if shape.mode is not Mode.AUTOCOMMIT:
            check_blocks(source, connection, uses.cursors)
            shape.mode = Mode.BLOCKS
    if shape.mode is not Mode.COMMIT:
        if connection.commits or connection.rollbacks:
            raise Unprovable("there is a `commit` or `rollback` where nothing is left to do for it")
        return
    if connection.item is not None:
        _with_connection(source, shape, calls)
        return
    if connection.commits:
        _commit(source, shape, calls)
        return
    if connection.rollbacks:
        raise Unprovable("a rollback without a commit")
    statements = [execute.sql for cursor in uses.cursors for execute in cursor.executes]
    if not all(sql is None or sql.reads_only() for sql in statements):  # None is refused with its own reason
        raise Unprovable("psycopg2 drops what is never committed, and asyncpg would keep it")
    shape.mode = Mode.READ
    if len(shape.cursors) > 1:
        raise Unprovable("there are several `with` for cursors")
    shape.outer = shape.cursors[0] if shape.cursors else None


def _check_autocommit(source: FixSource, connection: Connection, calls: list[cst.Call]) -> None:
    node, value = connection.autocommit[0]
    on = value is None or (isinstance(value, cst.Name) and value.value == "True")
    if len(connection.autocommit) != 1 or not on or connection.item is not None:
        raise Unprovable("autocommit is not simply on")
    line = statement_of(source, node)
    block = block_of(source, line)
    for call in calls:
        around = [above for above in (call, *source.ancestors(call)) if any(above is each for each in block)]
        if not around or source.offset(around[0])[0] < source.offset(line)[0]:
            raise Unprovable("something is executed before autocommit is on")


def _with_connection(source: FixSource, shape: Shape, calls: list[cst.Call]) -> None:
    """All of `with psycopg2.connect(...)` is one transaction."""
    connection = shape.connection
    if connection.commits or connection.rollbacks:
        raise Unprovable("there is a `commit` or `rollback` inside of a `with` that commits at its end")
    assert connection.item is not None
    statement = _statement(source, connection.item)
    for call in calls:
        if not _within(source, call, statement):
            raise Unprovable(f"`{connection.name}` is used behind its `with`")
    body = statement.body.body
    if not shape.cursors:
        return
    if len(shape.cursors) > 1 or len(body) != 1 or body[0] is not shape.cursors[0]:
        raise Unprovable("`with` for a cursor stands around a part of the transaction only")
    shape.outer = shape.cursors[0]


def _commit(source: FixSource, shape: Shape, calls: list[cst.Call]) -> None:
    """One `commit`, right behind all that it commits."""
    connection = shape.connection
    if len(connection.commits) != 1:
        raise Unprovable("there are several commits")
    commit = statement_of(source, connection.commits[0])
    block = list(block_of(source, commit))
    end = next(index for index, each in enumerate(block) if each is commit)
    inside: list[int] = []
    for call in calls:
        line = (call, *source.ancestors(call))
        index = next((index for index, each in enumerate(block) if any(above is each for above in line)), None)
        if index is None or index > end:
            raise Unprovable("something is executed elsewhere than above the `commit`")
        inside.append(index)
    first = min(inside)
    for statement in block[first:end]:
        for node in source.nodes(statement):
            if isinstance(node, (cst.Return, cst.Break, cst.Continue)) and source.enclosing_function(node) is not None:
                raise Unprovable("the function may be left before the `commit`, and then psycopg2 drops what was done")
    around = source.parent(source.parent(commit) or commit)
    only = shape.cursors[0] if len(shape.cursors) == 1 else None
    ends_it = only is not None and around is only and end == len(block) - 1
    follows_it = only is not None and block[end - 1] is only and first == end - 1
    if ends_it or follows_it:
        shape.outer = only
    elif not shape.cursors:
        shape.span = (block[first], block[end - 1])
    else:
        raise Unprovable("`with` for a cursor stands around a part of the transaction only")
    for call in connection.rollbacks:
        handler = source.enclosing(statement_of(source, call), cst.ExceptHandler)
        attempt = source.parent(handler) if handler is not None else None
        if not isinstance(attempt, cst.Try) or not _within(source, commit, attempt.body):
            raise Unprovable("a rollback stands elsewhere than in a handler around the transaction")


def _tries(source: FixSource, node: cst.CSTNode) -> Iterator[tuple[cst.Try | cst.TryStar, bool]]:
    """The `try` statements around a node, and whether it stands in their body."""
    below = node
    for above in source.ancestors(node):
        if isinstance(above, (cst.Try, cst.TryStar)):
            yield above, below is above.body
        if isinstance(above, cst.FunctionDef):
            return
        below = above


def _check_handlers(source: FixSource, uses: Uses, shape: Shape, calls: list[cst.Call]) -> None:
    """After an error psycopg2's transaction takes no statement any more; so none may follow a handler."""
    if shape.mode is Mode.AUTOCOMMIT:
        return
    whole = [*calls, *shape.connection.commits]
    for call in calls:
        for attempt, inside in _tries(source, call):
            if not attempt.handlers:
                continue
            if not inside:
                raise Unprovable("something is executed in a handler, in a transaction that has failed")
            if shape.mode is Mode.BLOCKS and any(_within(source, block, attempt.body) for block, _ in shape.blocks):
                continue  # around all of a block
            if not all(_within(source, each, attempt.body) for each in whole):
                raise Unprovable("a handler stands around a part of the transaction only")
            if shape.connection.item is not None and not _within(source, shape.connection.call, attempt.body):
                raise Unprovable("a handler inside of the transaction lets it be committed")


def _check_closing(source: FixSource, shape: Shape, calls: list[cst.Call]) -> None:
    """The event loop keeps an open connection of asyncpg alive, so it must be closed whatever happens."""
    name = shape.connection.name
    for close in shape.connection.closes:
        final = source.enclosing(close, cst.Finally)
        attempt = source.parent(final) if final is not None else None
        if isinstance(attempt, cst.Try) and all(
            _within(source, call, attempt.body) or _in_handlers(source, call, attempt) for call in calls
        ):
            return
    raise Unprovable(f"`{name}` is not closed in a `finally` around all that is executed")


def _in_handlers(source: FixSource, call: cst.Call, attempt: cst.Try) -> bool:
    return any(_within(source, call, handler) for handler in attempt.handlers)
