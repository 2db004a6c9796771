"""A function that uses psycopg2, turned into one that uses asyncpg, where it is simple enough to be sure.

asyncpg has no cursors for everyday use and no transaction unless it is told: so each `execute` takes the fetch behind it along, and
what psycopg2 would commit or drop as a whole has to be one block.
"""

from __future__ import annotations

import libcst as cst

from asgiway_lint.fixes.asyncpg.connecting import connect_arguments
from asgiway_lint.fixes.asyncpg.errors import map_errors
from asgiway_lint.fixes.asyncpg.layout import Layout, block_of, statement_of
from asgiway_lint.fixes.asyncpg.queries import Query, query_of
from asgiway_lint.fixes.asyncpg.rows import Fetch, fetches_of, once, record_stays, records_stay
from asgiway_lint.fixes.asyncpg.shape import Mode, Shape, shape_of
from asgiway_lint.fixes.contexts import parenthesised, text_refusal
from asgiway_lint.fixes.model import Edit
from asgiway_lint.fixes.psycopg.editing import Draft
from asgiway_lint.fixes.psycopg.uses import Cursor, Execute, Unprovable, Uses
from asgiway_lint.fixes.source import FixSource

__all__ = ["rewrite"]

_DICTIONARIES = "psycopg2.extras.RealDictCursor"


def rewrite(source: FixSource, uses: Uses) -> Draft:
    """Return the edits that rewrite a function.

    Args:
        source: the file.
        uses: what the function does with psycopg2.

    Raises:
        Unprovable: the new function might do something else.
    """
    draft = Draft(source)
    layout = Layout(draft)
    shape = shape_of(source, uses)
    connection = shape.connection
    queries = {id(execute.query) for cursor in uses.cursors for execute in cursor.executes}
    known = {id(connection.call.func)}
    for cursor in uses.cursors:
        _check_cursor(source, cursor)
        _check_open(source, cursor)
        known |= {id(arg.value) for call in cursor.opened for arg in call.args}
        _executions(draft, layout, shape, cursor, queries)
        for call in (*cursor.opened, *cursor.closes):
            if not isinstance(source.parent(call), cst.WithItem):
                layout.remove(statement_of(source, call))
    _check_names(source, uses)
    connect_arguments(draft, connection.call)
    known |= {
        id(node.args[0].value) for node, value in connection.autocommit if isinstance(node, cst.Call) and value is None
    }
    _transactions(draft, layout, shape)
    for call in connection.closes:
        if connection.item is None:
            draft.awaited(call, closing=True)
    map_errors(draft, uses, known)
    layout.finish()
    return draft


def _check_cursor(source: FixSource, cursor: Cursor) -> None:
    if cursor.reads:
        raise Unprovable(f"asyncpg has no `{source.code(cursor.reads[0])}`")
    if cursor.factory not in ("", "psycopg2.extensions.cursor", _DICTIONARIES):
        raise Unprovable("asyncpg's rows have no attributes, as named tuples have")
    for call in cursor.fetches:
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "fetchmany":
            raise Unprovable("asyncpg has no `fetchmany` outside of its server-side cursors")
    if any(isinstance(loop, cst.CompFor) and loop.asynchronous is not None for loop in cursor.loops):
        raise Unprovable("a cursor of psycopg2 cannot be iterated over with `async for`")


def _check_open(source: FixSource, cursor: Cursor) -> None:
    """A cursor that is closed takes no statement any more; where there is none, everything would go on."""
    statements = [source.parent(item) for item in cursor.items]
    assigned = [call for call in cursor.opened if not isinstance(source.parent(call), cst.WithItem)]
    uses = [*(execute.call for execute in cursor.executes), *fetches_of(cursor)]
    if statements and assigned:
        raise Unprovable(f"`{cursor.name}` is bound to several cursors")
    for use in uses:
        start = source.offset(use)[0]
        line = source.line_of(start)
        if statements and not any(above is each for above in source.ancestors(use) for each in statements):
            raise Unprovable(f"line {line}: `{cursor.name}` is used behind its `with`")
        for close in cursor.closes:
            if source.enclosing(close, cst.Finally) is None and source.offset(close)[0] < start:
                raise Unprovable(f"line {line}: `{cursor.name}` is used after it was closed")


def _check_names(source: FixSource, uses: Uses) -> None:
    """Cursors are gone in the new code: nothing may be left that names one."""
    for cursor in uses.cursors:
        known = {
            id(call.func.value) for call in (*cursor.fetches, *cursor.closes) if isinstance(call.func, cst.Attribute)
        }
        known |= {id(each.call.func.value) for each in cursor.executes if isinstance(each.call.func, cst.Attribute)}
        known |= {id(name) for name in cursor.drained} | {id(loop.iter) for loop in cursor.loops}
        for node in source.find(cst.Name, uses.function.body):
            above = source.parent(node)
            if node.value != cursor.name or id(node) in known:
                continue
            if isinstance(above, (cst.AssignTarget, cst.AsName)):
                made = source.parent(above)
                value = (
                    made.value
                    if isinstance(made, cst.Assign)
                    else made.item
                    if isinstance(made, cst.WithItem)
                    else None
                )
                if any(value is call for call in cursor.opened):
                    continue
            if (isinstance(above, cst.Attribute) and above.attr is node) or (
                isinstance(above, cst.Arg) and above.keyword is node
            ):
                continue
            raise Unprovable(f"`{cursor.name}` is tested or entered, and asyncpg has no cursor that could be")


# ---- what is executed and fetched


def _executions(draft: Draft, layout: Layout, shape: Shape, cursor: Cursor, queries: set[int]) -> None:
    source = draft.source
    waiting = fetches_of(cursor)
    for execute in cursor.executes:
        line = statement_of(source, execute.call)
        fetch = _fetch_behind(source, line, waiting)
        if fetch is not None:
            waiting.remove(fetch)
        query = query_of(draft, execute, queries, rows=fetch is not None)
        if fetch is None:
            _alone(draft, shape, execute, query)
            continue
        if execute.many:
            raise Unprovable("psycopg2's `executemany` keeps no rows")
        draft.allowed(fetch)
        draft.heed(fetch)
        _together(draft, shape, cursor, fetch, query)
        layout.remove(line)
    if waiting:
        line_number = source.line_of(source.offset(waiting[0])[0])
        raise Unprovable(
            f"line {line_number}: asyncpg fetches where it executes, and the `execute` of this fetch is not right above"
        )


def _fetch_behind(source: FixSource, line: cst.SimpleStatementLine, waiting: list[Fetch]) -> Fetch | None:
    block = list(block_of(source, line))
    index = next(index for index, each in enumerate(block) if each is line)
    following = block[index + 1] if index + 1 < len(block) else None
    found = [fetch for fetch in waiting if following is not None and source.statement(fetch) is following]
    if not found or following is None:
        return None
    if len(found) > 1:
        raise Unprovable("one statement fetches several times")
    once(source, found[0], following)
    return found[0]


def _alone(draft: Draft, shape: Shape, execute: Execute, query: Query) -> None:
    """`cursor.execute(q, (a,))` -> `await connection.execute(q, a)`"""
    func = execute.call.func
    assert isinstance(func, cst.Attribute)
    draft.awaited(execute.call)
    draft.replace(func.value, shape.connection.name)
    draft.edits += query.edits


def _together(draft: Draft, shape: Shape, cursor: Cursor, fetch: Fetch, query: Query) -> None:
    """`cursor.execute(q, (a,)); rows = cursor.fetchall()` -> `rows = await connection.fetch(q, a)`"""
    source = draft.source
    named = cursor.factory == _DICTIONARIES
    single = (
        isinstance(fetch, cst.Call) and isinstance(fetch.func, cst.Attribute) and fetch.func.attr.value == "fetchone"
    )
    call = f"await {shape.connection.name}.{'fetchrow' if single else 'fetch'}({query.text(source)})"
    if reason := text_refusal(source, fetch, call):
        raise Unprovable(f"the query would be {reason}")
    if single:
        if not record_stays(source, fetch, named=named):
            line = source.line_of(source.offset(fetch)[0])
            raise Unprovable(f"line {line}: asyncpg's row is neither a tuple nor a dictionary, and is handed on here")
    elif not records_stay(source, fetch, named=named):
        call = f"[{'dict' if named else 'tuple'}(row) for row in {call}]"
        draft.replace(fetch, call)
        return
    draft.replace(fetch, parenthesised(source, fetch, call))


# ---- connections and transactions


def _transactions(draft: Draft, layout: Layout, shape: Shape) -> None:
    source, connection = draft.source, shape.connection
    connect = draft.name(connection.call, "asyncpg", "connect")
    transaction = f"async with {connection.name}.transaction():"
    draft.allowed(connection.call)
    for node, _ in connection.autocommit:
        layout.remove(statement_of(source, node))
    for call in (*connection.commits, *connection.rollbacks):
        layout.remove(statement_of(source, call))
    for statement, item in shape.blocks:
        draft.asynchronous_with(statement, {id(each) for each in statement.items})
        draft.insert(source.offset(item.item)[1], ".transaction()")
        if len(statement.items) > 1:
            start, end = source.offset(item.item)[1], _item_end(source, statement.items[-1])
            draft.edits.append(Edit(start, end, ""))
    for statement in shape.cursors:
        if shape.mode in (Mode.AUTOCOMMIT, Mode.BLOCKS) or statement is not shape.outer:
            _dissolve(draft, layout, statement)
        else:
            draft.allowed(statement)
            start, end = _header(source, statement)
            draft.edits.append(Edit(start, end, transaction))
    if shape.span is not None:
        first, last = shape.span
        layout.above(first, transaction)
        layout.shift(first, last, 1)
    if connection.item is None:
        draft.replace(connection.call.func, f"await {connect}")
    else:
        _with_connection(draft, layout, shape, connect, transaction)


def _header(source: FixSource, statement: cst.With) -> tuple[int, int]:
    """From `with` to behind its colon."""
    start, last = source.offset(statement)[0], _item_end(source, statement.items[-1])
    end = source.text.index(":", last) + 1
    if (
        isinstance(statement.lpar, cst.LeftParen)
        or "#" in source.text[start:end]
        or source.text[last : end - 1].strip()
    ):
        raise Unprovable("a `with` is written over several lines")
    return start, end


def _item_end(source: FixSource, item: cst.WithItem) -> int:
    if item.asname is not None:
        name = item.asname.name
        return source.outer_offset(name)[1]
    return source.outer_offset(item.item)[1]


def _dissolve(draft: Draft, layout: Layout, statement: cst.With) -> None:
    """Remove `with connection.cursor() as cursor:` around statements."""
    source = draft.source
    start, end = _header(source, statement)
    body = statement.body
    if not isinstance(body, cst.IndentedBlock) or body.header.comment is not None:
        raise Unprovable("a `with` whose line has a comment, or its statements, would have to go")
    following = source.offset_of(source.line_of(end) + 1, 1)
    draft.edits.append(Edit(source.line_start(start), following, ""))
    layout.shift(body.body[0], body.body[-1], -1)


def _with_connection(draft: Draft, layout: Layout, shape: Shape, connect: str, transaction: str) -> None:
    """`with psycopg2.connect(...) as connection:` -> connect, `try`, `finally` and close."""
    source, connection = draft.source, shape.connection
    assert connection.item is not None
    statement = source.parent(connection.item)
    assert isinstance(statement, cst.With)
    start, end = _header(source, statement)
    body = statement.body
    if not isinstance(body, cst.IndentedBlock):
        raise Unprovable("the statements of a `with` stand behind its colon")
    indent, unit, newline = source.indent_at(start), source.module.default_indent, source.newline
    func_start, func_end = source.offset(connection.call.func)
    draft.edits.append(Edit(start, func_start, f"{connection.name} = await "))
    draft.edits.append(Edit(func_start, func_end, connect))
    opening = f"{newline}{indent}try:"
    if shape.outer is None and shape.mode is Mode.COMMIT:
        opening += f"{newline}{indent}{unit}{transaction}"
        layout.shift(body.body[0], body.body[-1], 1)
    draft.edits.append(Edit(source.offset(connection.call)[1], end, opening))
    layout.below(statement, ["finally:", f"{unit}await {connection.name}.close()"], indent)
