"""The call of `psycopg2.connect`, argument by argument.

libpq's parameters are the same for both drivers; psycopg2 calls `dbname` also `database`, and has factories of its own.
"""

from __future__ import annotations

from typing import Final

import libcst as cst

from asgiway_lint.fixes.psycopg.editing import Draft
from asgiway_lint.fixes.psycopg.names import FACTORIES, why_not
from asgiway_lint.fixes.psycopg.uses import Connection, Unprovable
from asgiway_lint.fixes.source import FixSource

__all__ = ["connect_call", "keys_of", "row_factory"]

_RENAMED: Final = {"database": "dbname", "dsn": "conninfo"}
_REFUSED: Final = {
    "connection_factory": "psycopg has no `connection_factory`",
    "async": "psycopg2's own asynchronous mode is not followed",
    "async_": "psycopg2's own asynchronous mode is not followed",
}


def connect_call(draft: Draft, connection: Connection, *, client: bool) -> None:
    """Turn `psycopg2.connect(...)` into `await psycopg.AsyncConnection.connect(...)`.

    Args:
        draft: takes the edits.
        connection: whose call it is.
        client: whether its cursors put values into the SQL themselves, as psycopg2's do.
    """
    call, source = connection.call, draft.source
    if not call.args:
        raise Unprovable("`connect` without arguments fails in psycopg2, and not in psycopg")
    draft.allowed(call)
    draft.replace(call.func, f"await {draft.name(call, 'psycopg', 'AsyncConnection.connect')}")
    for position, arg in enumerate(call.args):
        if arg.star == "*" or (arg.keyword is None and not arg.star and position):
            raise Unprovable("of the arguments of `connect` only the first may be positional in psycopg")
        if arg.star:
            _check_keys(source, arg.value)
        elif arg.keyword is not None:
            name = arg.keyword.value
            if name in _REFUSED:
                raise Unprovable(_REFUSED[name])
            if name == "cursor_factory":
                row_factory(draft, arg)
            elif name in _RENAMED:
                draft.replace(arg.keyword, _RENAMED[name])
    if client:
        cursor = draft.name(call, "psycopg", "AsyncClientCursor")
        draft.insert(source.offset(call.args[-1])[1], f", cursor_factory={cursor}")


def row_factory(draft: Draft, arg: cst.Arg) -> None:
    """Turn `cursor_factory=RealDictCursor` into `row_factory=dict_row`."""
    name = draft.source.resolve(arg.value)
    if name not in FACTORIES:
        raise Unprovable(why_not(name) if name.startswith("psycopg2.") else "its `cursor_factory` is no known class")
    assert arg.keyword is not None
    draft.replace(arg.keyword, "row_factory")
    draft.replace(arg.value, draft.name(arg.value, "psycopg.rows", FACTORIES[name]))


def _check_keys(source: FixSource, node: cst.BaseExpression) -> None:
    keys = keys_of(source, node)
    if keys is None:
        raise Unprovable(
            f"what `**{source.code(node)}` holds cannot be seen here, and some parameters have other names in psycopg"
        )
    for key in keys:
        if key in _RENAMED or key in _REFUSED or key == "cursor_factory":
            raise Unprovable(f"`**{source.code(node)}` holds `{key}`, which has another name in psycopg")


def keys_of(source: FixSource, node: cst.BaseExpression) -> list[str] | None:
    """Return the keys of a dictionary that stands in the file; None if it cannot be read off."""
    if isinstance(node, cst.Name):
        found = source.scopes.lookup(node.value, node)
        if found is None or len(found[1]) != 1:
            return None
        target = found[1][0].node
        above = source.parent(target)
        home = source.parent(above) if isinstance(above, cst.AssignTarget) else above
        if not isinstance(home, (cst.Assign, cst.AnnAssign)) or home.value is None or isinstance(home.value, cst.Name):
            return None
        if _changed(source, node.value):
            return None
        node = home.value
    if isinstance(node, cst.Call) and source.resolve(node.func) == "builtins.dict":
        names = [arg.keyword.value for arg in node.args if arg.keyword is not None]
        return names if len(names) == len(node.args) else None
    if not isinstance(node, cst.Dict):
        return None
    keys: list[str] = []
    for element in node.elements:
        if not isinstance(element, cst.DictElement) or not isinstance(element.key, cst.SimpleString):
            return None
        keys.append(str(element.key.evaluated_value))
    return keys


def _changed(source: FixSource, name: str) -> bool:
    """Whether a dictionary's name is used for anything but reading: `DB["x"] = 1`, `DB.update(...)`, `f(DB)`."""
    for node in source.find(cst.Name):
        if node.value != name:
            continue
        above = source.parent(node)
        if isinstance(above, cst.Arg) and above.star == "**":
            continue
        if isinstance(above, (cst.AssignTarget, cst.AnnAssign)):
            continue
        if isinstance(above, cst.Subscript) and not isinstance(
            source.parent(above), (cst.AssignTarget, cst.Del, cst.AugAssign)
        ):
            continue
        return True
    return False
