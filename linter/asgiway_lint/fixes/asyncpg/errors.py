"""psycopg2's exceptions that asyncpg has, too, one by one: its own tree has no class for "any error of the database".

A connection that fails is an `OSError` there, a wrong value a `DataError` without SQLSTATE; so `psycopg2.Error`, `OperationalError`
and their like have no counterpart.
"""

from __future__ import annotations

from typing import Final

import libcst as cst

from asgiway_lint.fixes.psycopg.editing import Draft
from asgiway_lint.fixes.psycopg.errors import caught
from asgiway_lint.fixes.psycopg.uses import Unprovable, Uses

__all__ = ["map_errors"]

_CLASSES: Final = {
    "psycopg2.IntegrityError": "IntegrityConstraintViolationError",
    "psycopg2.errors.IntegrityConstraintViolation": "IntegrityConstraintViolationError",
    "psycopg2.errors.UniqueViolation": "UniqueViolationError",
    "psycopg2.errors.ForeignKeyViolation": "ForeignKeyViolationError",
    "psycopg2.errors.NotNullViolation": "NotNullViolationError",
    "psycopg2.errors.CheckViolation": "CheckViolationError",
    "psycopg2.errors.ExclusionViolation": "ExclusionViolationError",
    "psycopg2.errors.RestrictViolation": "RestrictViolationError",
    "psycopg2.errors.UndefinedTable": "UndefinedTableError",
    "psycopg2.errors.UndefinedColumn": "UndefinedColumnError",
    "psycopg2.errors.DuplicateTable": "DuplicateTableError",
    "psycopg2.errors.DivisionByZero": "DivisionByZeroError",
    "psycopg2.errors.InsufficientPrivilege": "InsufficientPrivilegeError",
    "psycopg2.errors.SerializationFailure": "SerializationError",
    "psycopg2.errors.DeadlockDetected": "DeadlockDetectedError",
    "psycopg2.errors.LockNotAvailable": "LockNotAvailableError",
    "psycopg2.errors.RaiseException": "RaiseError",
}
_ATTRIBUTES: Final = {"pgcode": "sqlstate"}
_GONE: Final = frozenset(["pgerror", "cursor", "diag"])


def map_errors(draft: Draft, uses: Uses, known: set[int]) -> None:
    """Replace psycopg2's names in a function.

    Args:
        draft: takes the edits.
        uses: what the function does.
        known: ids of the names that go in another way.

    Raises:
        Unprovable: asyncpg has no such class.
    """
    source = draft.source
    for node, name in uses.references:
        if id(node) in known or name.startswith("psycopg2.errorcodes."):
            continue
        if name not in _CLASSES:
            raise Unprovable(f"asyncpg has no class that says the same as `{name}`")
        draft.replace(node, draft.name(node, "asyncpg", _CLASSES[name]))
    for handler in source.find(cst.ExceptHandler, uses.function.body):
        for kind in caught(handler):
            if not source.resolve(kind):
                raise Unprovable(f"what `except {source.code(kind)}` catches cannot be seen here")
        if handler.name is None or not isinstance(handler.name.name, cst.Name):
            continue
        for node in source.find(cst.Attribute, handler.body):
            if isinstance(node.value, cst.Name) and node.value.value == handler.name.name.value:
                if node.attr.value in _ATTRIBUTES:
                    draft.replace(node.attr, _ATTRIBUTES[node.attr.value])
                elif node.attr.value in _GONE:
                    raise Unprovable(f"asyncpg's errors have no `{node.attr.value}`")
