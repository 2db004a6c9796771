"""A function that uses psycopg2, turned into one that uses psycopg 3's asynchronous connections; or the reason why not.

Each check here is a difference between the two that was seen on a real PostgreSQL. What stays different by nature (the classes of
errors that leave the function, the Python types of some columns) is the reason why the fix is unsafe.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from asgiway_lint.fixes.model import Edit
from asgiway_lint.fixes.psycopg.connecting import connect_call, row_factory
from asgiway_lint.fixes.psycopg.editing import Draft
from asgiway_lint.fixes.psycopg.errors import map_errors
from asgiway_lint.fixes.psycopg.statements import check_statement
from asgiway_lint.fixes.psycopg.uses import Connection, Cursor, Unprovable, Uses
from asgiway_lint.fixes.source import FixSource

__all__ = ["check_blocks", "rewrite"]


def rewrite(source: FixSource, uses: Uses) -> Draft:
    """Return the edits that rewrite a function.

    Args:
        source: the file.
        uses: what the function does with psycopg2.

    Raises:
        Unprovable: the new function might do something else.
    """
    draft = Draft(source)
    ours: set[int] = set()
    queries = {id(execute.query) for cursor in uses.cursors for execute in cursor.executes}
    for connection in uses.connections:
        cursors = [cursor for cursor in uses.cursors if cursor.connection is connection]
        _check_life(draft, connection, cursors)
        check_blocks(source, connection, cursors)
        _check_autocommit(source, connection, cursors)
        plain = True
        for cursor in cursors:
            for execute in cursor.executes:
                plain &= check_statement(draft, cursor, execute, queries)
        connect_call(draft, connection, client=not plain)
        if not plain:
            draft.notes.append(
                "`AsyncClientCursor` puts values into the SQL itself, as psycopg2 did; where the server may do it, "
                "leave `cursor_factory` out"
            )
        _connection_edits(draft, connection)
        for cursor in cursors:
            _cursor_edits(draft, cursor)
        ours |= {id(item) for item in _items(connection, cursors)}
    for statement in _statements(source, uses):
        draft.asynchronous_with(statement, ours)
    map_errors(draft, uses)
    return draft


def _items(connection: Connection, cursors: list[Cursor]) -> Iterator[cst.WithItem]:
    if connection.item is not None:
        yield connection.item
    yield from connection.blocks
    for cursor in cursors:
        yield from cursor.items


def _statements(source: FixSource, uses: Uses) -> list[cst.With]:
    """The `with` statements that enter connections or cursors, each once."""
    found: dict[int, cst.With] = {}
    for connection in uses.connections:
        for item in _items(connection, [each for each in uses.cursors if each.connection is connection]):
            statement = source.parent(item)
            assert isinstance(statement, cst.With)
            found[id(statement)] = statement
    return list(found.values())


def _within(source: FixSource, node: cst.CSTNode, statement: cst.CSTNode) -> bool:
    return any(above is statement for above in source.ancestors(node))


def _calls(cursor: Cursor) -> list[cst.Call]:
    return [execute.call for execute in cursor.executes]


def _everything(cursor: Cursor) -> list[cst.CSTNode]:
    """Every place where something is done with a cursor but closing it."""
    return [*cursor.opened, *_calls(cursor), *cursor.fetches, *cursor.loops, *cursor.drained, *cursor.reads]


def _check_life(draft: Draft, connection: Connection, cursors: list[Cursor]) -> None:
    """The connection is made and closed here, and nobody uses it after a `with` that closes it."""
    name, source = connection.name, draft.source
    if connection.item is None:
        if not connection.closes:
            raise Unprovable(f"`{name}` is not closed in this function: call `{name}.close()` in a `finally` first")
        if not any(source.enclosing(call, cst.Finally) for call in connection.closes):
            draft.notes.append(
                f"an error leaves `{name}` open until it is garbage, as before, now with a `ResourceWarning`: "
                "close it in a `finally`"
            )
        return
    statement = source.parent(connection.item)
    assert isinstance(statement, cst.With)
    if connection.blocks:
        raise Unprovable(f"`with {name}` enters again what `async with` of psycopg closes at its end")
    for call in connection.closes:
        if _within(source, call, statement):
            raise Unprovable(f"`{name}` is closed inside its own `with`, which commits at its end")
    later: list[cst.CSTNode] = [*connection.commits, *connection.rollbacks]
    later += [node for node, _ in connection.autocommit]
    later += [node for cursor in cursors for node in _everything(cursor)]
    for node in later:
        if not _within(source, node, statement):
            line = source.line_of(source.offset(node)[0])
            raise Unprovable(
                f"`async with` of psycopg closes the connection, and line {line} uses it outside of the `with`"
            )


def check_blocks(source: FixSource, connection: Connection, cursors: list[Cursor]) -> None:
    """`with connection` commits all there is; `connection.transaction()` does the same when it finds no transaction open."""
    if not connection.blocks:
        return
    statements: list[cst.With] = []
    for item in connection.blocks:
        statement = source.parent(item)
        assert isinstance(statement, cst.With)
        if item.asname is not None:
            raise Unprovable(f"`with {connection.name} as ...` gives the connection a second name")
        if any(_within(source, statement, other) or statement is other for other in statements):
            raise Unprovable(f"`with {connection.name}` is entered twice")
        statements.append(statement)
    for cursor in cursors:
        for call in _calls(cursor):
            if not any(_within(source, call, statement) for statement in statements):
                line = source.line_of(source.offset(call)[0])
                raise Unprovable(
                    f"line {line} starts a transaction outside of `with {connection.name}`, which would not commit it any more"
                )
    for node in (
        *connection.commits,
        *connection.rollbacks,
        *connection.closes,
        *(n for n, _ in connection.autocommit),
    ):
        if any(_within(source, node, statement) for statement in statements):
            raise Unprovable(
                f"psycopg allows no commit, rollback or close inside of `connection.transaction()` (`with {connection.name}`)"
            )


def _check_autocommit(source: FixSource, connection: Connection, cursors: list[Cursor]) -> None:
    if not connection.autocommit:
        return
    statement = source.parent(connection.item) if connection.item is not None else None
    for node, value in connection.autocommit:
        if statement is not None and _within(source, node, statement):
            raise Unprovable("psycopg2 forbids to change `autocommit` inside of `with`, psycopg does not")
        if value is None and any(
            source.offset(call)[0] < source.offset(node)[0] for cursor in cursors for call in _calls(cursor)
        ):
            raise Unprovable("`set_isolation_level` ends a transaction in psycopg2, and is refused there by psycopg")
    if any(execute.many for cursor in cursors for execute in cursor.executes):
        raise Unprovable("with autocommit, psycopg's `executemany` is one transaction, and psycopg2's one for each row")


def _connection_edits(draft: Draft, connection: Connection) -> None:
    source = draft.source
    if connection.item is not None:
        draft.notes.append(
            f"`async with` commits and closes `{connection.name}` at its end; psycopg2's `with` commits and leaves closing to you"
        )
    for item in connection.blocks:
        draft.insert(source.offset(item.item)[1], ".transaction()")
    for call in connection.commits:
        draft.awaited(call)
    for call in (*connection.rollbacks, *connection.closes):
        draft.awaited(call, closing=True)
    for node, value in connection.autocommit:
        if isinstance(node, cst.Call):
            draft.awaited(node)
            assert isinstance(node.func, cst.Attribute)
            draft.replace(node.func.attr, "set_autocommit")
            if value is None:
                draft.replace(node.args[0].value, "True")
            elif (keyword := node.args[0].keyword) is not None:
                draft.edits.append(Edit(source.offset(keyword)[0], source.outer_offset(node.args[0].value)[0], ""))
        else:
            _assigned_autocommit(draft, node)


def _assigned_autocommit(draft: Draft, node: cst.Assign) -> None:
    """`connection.autocommit = x` -> `await connection.set_autocommit(x)`."""
    source = draft.source
    draft.allowed(node)
    target = node.targets[0].target
    assert isinstance(target, cst.Attribute)
    start, end = source.outer_offset(node.value)
    draft.insert(source.offset(target)[0], "await ")
    draft.replace(target.attr, "set_autocommit")
    draft.edits.append(Edit(source.offset(target)[1], start, "("))
    draft.insert(end, ")")


def _cursor_edits(draft: Draft, cursor: Cursor) -> None:
    for call in cursor.opened:
        for arg in call.args:
            row_factory(draft, arg)
    for call in (*_calls(cursor), *cursor.fetches):
        draft.awaited(call)
    for call in cursor.closes:
        draft.awaited(call, closing=True)
    for loop in cursor.loops:
        if isinstance(loop, cst.For) and any(_within(draft.source, call, loop) for call in _calls(cursor)):
            raise Unprovable(f"the loop over `{cursor.name}` executes something on it")
        draft.asynchronous_for(loop)
    for name in cursor.drained:
        draft.allowed(name)
        draft.replace(name, f"await {name.value}.fetchall()")
