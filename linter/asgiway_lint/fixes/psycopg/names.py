"""What the names of psycopg2 are called in psycopg 3, and why some have no counterpart.

Sources: the documentation of both, "Differences from psycopg2" (https://www.psycopg.org/psycopg3/docs/basic/from_pg2.html), and their
`errors` modules, compared class by class.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["ERRORS", "ERROR_RENAMES", "FACTORIES", "WIDER_ERRORS", "WITHOUT_TWIN", "why_not"]

# The hierarchy of the DB-API: the same classes, but for two whose members differ.
ERRORS: Final = frozenset(
    [
        "Error",
        "Warning",
        "InterfaceError",
        "DatabaseError",
        "DataError",
        "OperationalError",
        "IntegrityError",
        "ProgrammingError",
        "NotSupportedError",
    ]
)
# They catch a few errors more than in psycopg2, where RAISE of PL/pgSQL and its like are an InternalError.
WIDER_ERRORS: Final = frozenset(["OperationalError", "ProgrammingError"])
ERROR_RENAMES: Final[Mapping[str, str]] = {"psycopg2.extensions.QueryCanceledError": "errors.QueryCanceled"}

# cursor_factory -> row_factory.
FACTORIES: Final[Mapping[str, str]] = {
    "psycopg2.extras.RealDictCursor": "dict_row",
    "psycopg2.extras.NamedTupleCursor": "namedtuple_row",
    "psycopg2.extensions.cursor": "tuple_row",
}
_COPY = "psycopg copies with `async with cursor.copy(...)`, block by block"
WITHOUT_TWIN: Final[Mapping[str, str]] = {
    "callproc": "psycopg has no `callproc`: use `SELECT * FROM function(...)`",
    "copy_from": _COPY,
    "copy_to": _COPY,
    "copy_expert": _COPY,
    "mogrify": "`mogrify` gives bytes, and psycopg's only text",
    "scroll": "`scroll` past the end raises another error in psycopg",
    "nextset": "psycopg2 shows only the last result of several, psycopg each",
    "lastrowid": "psycopg has no `lastrowid`: use `RETURNING`",
    "query": "psycopg does not keep the text with its values put in",
    "itersize": "it is for named cursors, which psycopg makes in another way",
    "connection": "what is done to the connection behind `cursor.connection` cannot be followed",
    "setinputsizes": "psycopg has no `setinputsizes`",
    "tzinfo_factory": "psycopg has no `tzinfo_factory`",
    "cast": "psycopg converts values with loaders instead of `cast`",
    "cancel": "`cancel` is for another thread's query; cancel the task instead",
    "reset": 'psycopg has no `reset`: use `execute("DISCARD ALL")`',
    "poll": "psycopg's asynchronous connection needs no `poll`",
    "notifies": "psycopg waits for notifications with `async for notification in connection.notifies()`",
    "notices": "psycopg hands notices to `add_notice_handler`",
    "lobject": "psycopg has no large objects",
    "xid": "two-phase commit is not followed",
    "tpc_begin": "two-phase commit is not followed",
    "tpc_prepare": "two-phase commit is not followed",
    "tpc_commit": "two-phase commit is not followed",
    "tpc_rollback": "two-phase commit is not followed",
    "set_client_encoding": 'psycopg has no `set_client_encoding`: give `client_encoding="..."` to `connect`',
    "get_backend_pid": "psycopg has it as `connection.info.backend_pid`",
    "get_dsn_parameters": "psycopg has it as `connection.info.get_parameters()`",
    "get_transaction_status": "psycopg has it as `connection.info.transaction_status`, with values of another type",
    "get_parameter_status": "psycopg has it as `connection.info.parameter_status(...)`",
    "server_version": "psycopg has it as `connection.info.server_version`",
    "status": "psycopg has `connection.info.status`, with values of another type",
    "isolation_level": "psycopg has other values for `isolation_level`",
    "pgconn_ptr": "it is a pointer into psycopg2's connection",
}

_REASONS: Final[Mapping[str, str]] = {
    "psycopg2.extras.execute_values": "psycopg has no `execute_values`: `executemany` is as quick there",
    "psycopg2.extras.execute_batch": "psycopg has no `execute_batch`: `executemany` is as quick there",
    "psycopg2.extras.DictCursor": "psycopg has no rows that are lists and dictionaries at once, as `DictCursor` has",
    "psycopg2.extras.LoggingCursor": "psycopg has no `LoggingCursor`",
    "psycopg2.extras.Json": "`psycopg.types.json` tells `Json` from `Jsonb`, so the column's type must be known",
    "psycopg2.InternalError": "errors of PL/pgSQL (`RAISE`) are an `InternalError` in psycopg2, a `ProgrammingError` in psycopg",
    "psycopg2.Binary": "psycopg needs no `Binary`: it takes `bytes`",
    "psycopg2.extensions.TransactionRollbackError": "psycopg has no class of its own for `TransactionRollbackError`",
}


def why_not(name: str) -> str:
    """Return why a name of psycopg2 cannot be replaced; for names that can, too."""
    if name in _REASONS:
        return _REASONS[name]
    last = name.rpartition(".")[2]
    if name.startswith("psycopg2.sql."):
        return 'of composed SQL only `SQL("...").format(Identifier(...))` is followed'
    if name.startswith("psycopg2.pool."):
        return "a pool is shared: it has to be replaced wherever it is used (`psycopg_pool.AsyncConnectionPool`)"
    if last.startswith(("register_", "new_type", "new_array_type", "adapt", "AsIs", "set_wait_callback")):
        return f"psycopg converts values in another way than `{last}`"
    return f"psycopg has no twin of `{name}` that is known to do the same"
