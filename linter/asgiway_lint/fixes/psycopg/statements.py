"""One statement that psycopg2 executes: does psycopg do the same with it, and what has to be changed in it?

psycopg binds values on the server, where the type of a parameter must be found without seeing its value, and `IN %s`, `SET`,
`NOTIFY`, DDL and several statements take none. Its client cursors put values in as psycopg2 does, all but tuples.
"""

from __future__ import annotations

from typing import Final

import libcst as cst

from asgiway_lint.fixes.model import Edit
from asgiway_lint.fixes.psycopg.editing import Draft, is_private
from asgiway_lint.fixes.psycopg.sql import Placeholder, Sql, scan
from asgiway_lint.fixes.psycopg.uses import Cursor, Execute, Unprovable

__all__ = ["check_arguments", "check_statement"]

_KEYWORDS: Final = {"vars": "params", "vars_list": "params_seq"}


def check_statement(draft: Draft, cursor: Cursor, execute: Execute, queries: set[int]) -> bool:
    """Check a statement, change what has to be changed, and return whether the server may bind its values.

    Args:
        draft: takes the edits.
        cursor: what it is executed on.
        execute: the call.
        queries: ids of all expressions in the function that stand for SQL.

    Raises:
        Unprovable: psycopg might do something else.
    """
    sql = execute.sql
    line = draft.source.line_of(draft.source.offset(execute.call)[0])
    for arg in execute.call.args:
        if arg.keyword is not None and arg.keyword.value in _KEYWORDS:
            draft.replace(arg.keyword, _KEYWORDS[arg.keyword.value])
    if sql is None:
        if execute.arguments is not None or cursor.looks or execute.many:
            raise Unprovable(
                f"the SQL of line {line} is put together at run time, so nobody can see whether it has several statements or an `IN %s`"
            )
        return True
    if sql.problem:
        raise Unprovable(f"line {line}: {sql.problem}")
    if sql.statements != 1 and (cursor.looks or execute.many):
        raise Unprovable(
            f"of the several statements of line {line} psycopg2 shows the last result, and psycopg the first"
        )
    if execute.many and (cursor.fetches or cursor.loops or cursor.drained):
        raise Unprovable("psycopg's `executemany` keeps no rows unless `returning=True`")
    if execute.arguments is None:
        return True
    if not execute.many:
        check_arguments(sql, execute.arguments, line)
        _check_arrays(sql, execute.arguments, line)
    elif not sql.placeholders:
        raise Unprovable(f"line {line}: there is no placeholder for the parameters")
    lists = sql.whole_lists()
    for placeholder in lists:
        _list(draft, execute, sql, placeholder, queries, line)
    return sql.plain() if not lists else _others_plain(sql, lists)


def _others_plain(sql: Sql, lists: tuple[Placeholder, ...]) -> bool:
    """`= ANY(%s)` is plain; so the rest decides."""
    text = sql.text
    for placeholder in reversed(lists):
        start, operator = _range(sql, placeholder)
        text = f"{text[:start]}{operator}{text[placeholder.end :]}"
    return scan(text, parameters=True).plain()


def check_arguments(sql: Sql, arguments: cst.BaseExpression, line: int) -> None:
    """Make sure that the parameters, as far as they can be seen, are those that the placeholders ask for.

    Raises:
        Unprovable: psycopg2 or psycopg would raise, or not in the same way.
    """
    if isinstance(arguments, (cst.Tuple, cst.List)):
        if any(isinstance(element, cst.StarredElement) for element in arguments.elements):
            return
        values = [element.value for element in arguments.elements]
        if any(placeholder.name for placeholder in sql.placeholders) or len(values) != len(sql.placeholders):
            raise Unprovable(f"line {line}: the parameters are not those that the SQL has placeholders for")
        lists = {sql.placeholders.index(each) for each in sql.whole_lists()}
        for index, value in enumerate(values):
            if index not in lists and isinstance(value, cst.Tuple):
                raise Unprovable(f"line {line}: psycopg makes a composite value of a tuple")
    elif isinstance(arguments, cst.Dict):
        names = {
            str(element.key.evaluated_value)
            for element in arguments.elements
            if isinstance(element, cst.DictElement) and isinstance(element.key, cst.SimpleString)
        }
        readable = all(
            isinstance(element, cst.DictElement) and isinstance(element.key, cst.SimpleString)
            for element in arguments.elements
        )
        if readable and not {placeholder.name for placeholder in sql.placeholders} <= names:
            raise Unprovable(f"line {line}: the parameters are not those that the SQL has placeholders for")
    elif not sql.placeholders:
        raise Unprovable(f"line {line}: psycopg refuses parameters for which there is no placeholder")
    elif arguments.lpar and isinstance(arguments, (cst.Name, cst.Attribute, cst.SimpleString, cst.Integer)):
        raise Unprovable(f"line {line}: parentheses alone make no tuple of the parameters")
    elif isinstance(arguments, (cst.SimpleString, cst.FormattedString, cst.ConcatenatedString)):
        raise Unprovable(f"line {line}: psycopg takes no string for the parameters")


def _check_arrays(sql: Sql, arguments: cst.BaseExpression, line: int) -> None:
    """psycopg2 makes `ARRAY[1, 2]` of a list, an array of integers; psycopg's is one of the smallest type that holds them."""
    values: dict[str | int, cst.BaseExpression] = {}
    if isinstance(arguments, (cst.Tuple, cst.List)):
        values = {index: element.value for index, element in enumerate(arguments.elements)}
    elif isinstance(arguments, cst.Dict):
        values = {
            str(element.key.evaluated_value): element.value
            for element in arguments.elements
            if isinstance(element, cst.DictElement) and isinstance(element.key, cst.SimpleString)
        }
    for placeholder in sql.compared():
        value = values.get(placeholder.name or sql.placeholders.index(placeholder))
        if isinstance(value, (cst.List, cst.ListComp)):
            raise Unprovable(
                f"line {line}: psycopg's list of integers is no `integer[]` that a column could be compared with"
            )


def _range(sql: Sql, placeholder: Placeholder) -> tuple[int, str]:
    """Where `IN %s` or `NOT IN %s` starts, and what to write for it."""
    before = sql.before(placeholder)
    shown = sql.text[placeholder.start : placeholder.end]
    if before[0].text != "in":
        raise Unprovable("psycopg makes a composite value of the tuple of `VALUES %s`")
    negated = len(before) > 1 and before[1].text == "not"
    left = before[2] if negated and len(before) > 2 else before[1] if len(before) > 1 else None
    if left is None or left.kind not in ("word", "quoted"):
        raise Unprovable("what stands before `IN %s` is no column")
    return (before[1].start, f"<> ALL({shown})") if negated else (before[0].start, f"= ANY({shown})")


def _list(draft: Draft, execute: Execute, sql: Sql, placeholder: Placeholder, queries: set[int], line: int) -> None:
    """`IN %s` with a tuple -> `= ANY(%s)` with a list."""
    if execute.literal is None:
        raise Unprovable(f"line {line}: the SQL with `IN %s` is composed")
    start, text = _range(sql, placeholder)
    if execute.many:
        raise Unprovable("the tuples for `IN %s` cannot be seen")
    if execute.literal.home is not None and not is_private(draft.source, execute.literal, queries):
        raise Unprovable(
            f"`{execute.literal.name}` has an `IN %s`, which psycopg does not take, and is used elsewhere, too"
        )
    value = _value(sql, placeholder, execute.arguments)
    if value is None:
        raise Unprovable(f"line {line}: the tuple for `IN %s` cannot be seen, and psycopg takes a list for `= ANY(%s)`")
    draft.literal(execute.literal, start, placeholder.end, text)
    _listed(draft, value)


def _value(sql: Sql, placeholder: Placeholder, arguments: cst.BaseExpression | None) -> cst.BaseExpression | None:
    if isinstance(arguments, (cst.Tuple, cst.List)) and not placeholder.name:
        elements = arguments.elements
        if any(isinstance(element, cst.StarredElement) for element in elements):
            return None
        return elements[sql.placeholders.index(placeholder)].value
    if isinstance(arguments, cst.Dict) and placeholder.name:
        if any(each.name == placeholder.name and each not in sql.whole_lists() for each in sql.placeholders):
            return None
        for element in arguments.elements:
            if not isinstance(element, cst.DictElement) or not isinstance(element.key, cst.SimpleString):
                return None
            if element.key.evaluated_value == placeholder.name:
                return element.value
    return None


def _listed(draft: Draft, value: cst.BaseExpression) -> None:
    """Make a list of an expression whose value is a tuple."""
    source = draft.source
    if isinstance(value, cst.Tuple) and len(value.lpar) == 1:
        start, end = source.outer_offset(value)
        edits = [Edit(start, start + 1, "["), Edit(end - 1, end, "]")]
    else:
        found = source.scopes.lookup("list", value)
        if found is not None or source.scopes.module.star:
            raise Unprovable("`list` is the name of something else in this file")
        if isinstance(value, cst.Call) and source.resolve(value.func) == "builtins.tuple":
            edits = [Edit(*source.offset(value.func), "list")]
        else:
            start, end = source.outer_offset(value)
            edits = [Edit(start, start, "list("), Edit(end, end, ")")]
    draft.edits += [edit for edit in edits if edit not in draft.edits]  # `%(ids)s` twice
