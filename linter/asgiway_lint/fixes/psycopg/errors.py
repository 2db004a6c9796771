"""The names of psycopg2 that a function mentions (exception classes, above all), replaced by psycopg's; and its handlers."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from asgiway_lint.fixes.psycopg.editing import Draft
from asgiway_lint.fixes.psycopg.names import ERROR_RENAMES, ERRORS, FACTORIES, WIDER_ERRORS, why_not
from asgiway_lint.fixes.psycopg.uses import Unprovable, Uses
from asgiway_lint.fixes.source import FixSource

__all__ = ["caught", "map_errors", "other_readers"]

_TYPES = {
    "psycopg2.extensions.connection": "AsyncConnection",
    "psycopg2.extensions.cursor": "AsyncCursor",
}
_GONE = {
    "pgerror": "psycopg's errors have no `pgerror`: use `str(error)` or `error.diag.message_primary`",
    "cursor": "psycopg's errors have no `cursor`",
}


def map_errors(draft: Draft, uses: Uses) -> None:
    """Replace the names of psycopg2 in a function.

    Raises:
        Unprovable: one has no counterpart, or a handler catches something that cannot be seen.
    """
    source = draft.source
    calls = {id(connection.call.func) for connection in uses.connections}
    composers = {id(node) for cursor in uses.cursors for execute in cursor.executes for node in execute.composers}
    for node, name in uses.references:
        if id(node) in calls or name.startswith("psycopg2.errorcodes."):
            continue
        above = source.parent(node)
        if id(node) in composers:
            draft.replace(node, _composer(draft, node, name.removeprefix("psycopg2.sql.")))
            continue
        if name in FACTORIES and isinstance(above, cst.Arg) and above.keyword is not None:
            continue  # the value of cursor_factory: replaced with it
        if name == "psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT" and isinstance(above, cst.Arg):
            continue
        if name in _TYPES and isinstance(above, cst.Annotation) and isinstance(source.parent(above), cst.AnnAssign):
            draft.replace(node, draft.name(node, "psycopg", _TYPES[name]))
            continue
        draft.replace(node, draft.name(node, "psycopg", _error(name)))
        if name.rpartition(".")[2] in WIDER_ERRORS:
            draft.notes.append(
                f"`psycopg.{name.rpartition('.')[2]}` also covers errors raised in PL/pgSQL, an `InternalError` in psycopg2"
            )
    for handler in source.find(cst.ExceptHandler, uses.function.body):
        for kind in caught(handler):
            _check_kind(source, kind)
        _error_attributes(draft, handler)


def _composer(draft: Draft, node: cst.CSTNode, name: str) -> str:
    """`sql` and its classes are mostly bound to psycopg2's."""
    try:
        return draft.name(node, "psycopg.sql", name)
    except Unprovable:
        return draft.name(node, "psycopg", f"sql.{name}")


def _error(name: str) -> str:
    """The name in `psycopg` of a class of psycopg2's errors."""
    if name in ERROR_RENAMES:
        return ERROR_RENAMES[name]
    for prefix in ("psycopg2.", "psycopg2.extensions."):
        if name.removeprefix(prefix) in ERRORS:
            return name.removeprefix(prefix)
    if name.startswith("psycopg2.errors."):
        return name.removeprefix("psycopg2.")
    raise Unprovable(why_not(name))


def caught(handler: cst.ExceptHandler) -> Iterator[cst.BaseExpression]:
    """Yield the classes that a handler names."""
    if isinstance(handler.type, cst.Tuple):
        for element in handler.type.elements:
            yield element.value
    elif handler.type is not None:
        yield handler.type


def _check_kind(source: FixSource, node: cst.BaseExpression) -> None:
    if source.resolve(node):
        return
    if isinstance(node, cst.Name):
        found = source.scopes.lookup(node.value, node)
        if found is not None and all(_is_foreign(bound.node) for bound in found[1]):
            return
    raise Unprovable(f"what `except {source.code(node)}` catches cannot be seen here")


def _is_foreign(node: cst.CSTNode) -> bool:
    """A class of the project, or what a relative import brings: neither is one of psycopg2's own."""
    return isinstance(node, (cst.ClassDef, cst.ImportFrom))


def _error_attributes(draft: Draft, handler: cst.ExceptHandler) -> None:
    if handler.name is None or not isinstance(handler.name.name, cst.Name):
        return
    for node in draft.source.find(cst.Attribute, handler.body):
        if not isinstance(node.value, cst.Name) or node.value.value != handler.name.name.value:
            continue
        if node.attr.value == "pgcode":
            draft.replace(node.attr, "sqlstate")
        elif node.attr.value in _GONE:
            raise Unprovable(_GONE[node.attr.value])


def other_readers(source: FixSource, uses: Uses) -> bool:
    """Whether the file mentions psycopg2 outside of a function, other than by importing it."""
    inside = {id(node) for node, _ in uses.references}
    return any(id(node) not in inside for node in source.memo(_mentions))


def _mentions(source: FixSource) -> list[cst.Name | cst.Attribute]:
    found: list[cst.Name | cst.Attribute] = []
    for node in source.nodes():
        if isinstance(node, (cst.Name, cst.Attribute)):
            above = source.parent(node)
            if isinstance(above, (cst.Attribute, cst.ImportAlias, cst.Import, cst.ImportFrom, cst.AsName)):
                continue
            if source.resolve(node).startswith("psycopg2."):
                found.append(node)
    return found
