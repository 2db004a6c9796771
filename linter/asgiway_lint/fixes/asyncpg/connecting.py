"""The call of `psycopg2.connect`, turned into one of `asyncpg.connect`.

asyncpg takes a URI or keywords, and not libpq's `key=value` text: https://magicstack.github.io/asyncpg/current/api/index.html#connection
"""

from __future__ import annotations

from typing import Final

import libcst as cst

from asgiway_lint.fixes.psycopg.editing import Draft
from asgiway_lint.fixes.psycopg.literals import literal_of
from asgiway_lint.fixes.psycopg.uses import Unprovable
from asgiway_lint.fixes.source import FixSource

__all__ = ["connect_arguments"]

_NAMES: Final = {
    "dsn": "dsn",
    "dbname": "database",
    "database": "database",
    "host": "host",
    "port": "port",
    "user": "user",
    "password": "password",
}
_SCHEMES: Final = ("postgresql://", "postgres://")


def connect_arguments(draft: Draft, call: cst.Call) -> None:
    """Check the arguments of `connect`, and rename what has another name.

    Raises:
        Unprovable: asyncpg may connect in another way.
    """
    source = draft.source
    if not call.args:
        raise Unprovable("`connect` without arguments fails in psycopg2, and not in asyncpg")
    for position, arg in enumerate(call.args):
        name = arg.keyword.value if arg.keyword is not None else "dsn"
        if arg.star or (arg.keyword is None and position):
            raise Unprovable(
                f"what `{source.code(arg)}` is cannot be seen here, and asyncpg has other names for some parameters"
            )
        if name not in _NAMES:
            raise Unprovable(f"asyncpg has another form of `{name}=`")
        if name == "dsn" and not _is_uri(source, arg.value):
            raise Unprovable(f"asyncpg takes a URI only, and `{source.code(arg.value)}` may be `host=... dbname=...`")
        if arg.keyword is not None and _NAMES[name] != name:
            draft.replace(arg.keyword, _NAMES[name])


def _is_uri(source: FixSource, node: cst.BaseExpression) -> bool:
    """A literal shows it, the last word of a name tells it."""
    literal = literal_of(source, node)
    if literal is not None:
        return literal.text.startswith(_SCHEMES)
    if isinstance(node, cst.FormattedString):
        first = node.parts[0] if node.parts else None
        return isinstance(first, cst.FormattedStringText) and first.value.startswith(_SCHEMES)
    if isinstance(node, cst.Await):
        return False
    text = ""
    if isinstance(node, cst.Name):
        text = node.value
    elif isinstance(node, cst.Attribute):
        text = node.attr.value
    elif isinstance(node, cst.Subscript) and isinstance(node.slice[0].slice, cst.Index):
        text = source.code(node.slice[0].slice.value)
    elif isinstance(node, cst.Call) and node.args:
        text = source.code(node.args[0].value)
    words = text.strip("\"'").lower().replace("-", "_").split("_")
    return not {"url", "uri"}.isdisjoint(words)
