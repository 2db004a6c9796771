"""The store of facts under ``.asgiway_lint_cache/``: one SQLite file, safe against two runs at once and a crash half-way.

Entries are keyed by the content of the source, the version of asgiway and `FORMAT`, so a stale one is never found; each carries
a checksum, so a damaged one is found out, ignored and written again. A folder that cannot be written is no error: the run
goes on without a cache and says so once.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import sqlite3
import sys
from pathlib import Path
from typing import Final

from asgiway_lint.facts.model import FORMAT, Facts

__all__ = ["FactsCache", "content_key"]

_LOGGER: Final = logging.getLogger(__name__)
_FILE: Final = "facts.db"
_CHECKSUM: Final = 16
_BUSY_SECONDS: Final = 5.0
# Beyond this the store is emptied: entries of old contents are never asked for again.
_MAX_BYTES: Final = 400_000_000


def content_key(source: bytes, version: str) -> bytes:
    """The key of a source: its content, the tool's version, the format of facts, the interpreter's marshal format."""
    # The same text can give other facts where another parser reads it.
    salt = f"{version} {FORMAT} {sys.version_info[:2]}".encode()
    return hashlib.blake2b(source, digest_size=20, key=salt[:64]).digest()


class FactsCache:
    """Facts by content. Every method answers as if the cache were empty when the store is of no use.

    Args:
        folder: the cache folder; it is created, with a ``.gitignore`` of its own.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connection: sqlite3.Connection | None = None
        self._pending: list[tuple[bytes, bytes]] = []
        try:
            self._connection = self._open()
        except (OSError, sqlite3.Error) as error:
            _LOGGER.warning("running without a cache: %s cannot be used: %s", folder, error)

    @property
    def usable(self) -> bool:
        """Whether there is a store behind it."""
        return self._connection is not None

    def get(self, key: bytes) -> Facts | None:
        """The facts of a source, or None."""
        data = self.get_bytes(key)
        if data is None:
            return None
        try:
            return Facts.load(data)
        except (
            ValueError,
            EOFError,
            TypeError,
            AttributeError,
        ):  # the right checksum over the wrong record: ours to rewrite
            return None

    def get_bytes(self, key: bytes) -> bytes | None:
        """What `put_bytes` remembered, or None."""
        if self._connection is None:
            return None
        try:
            row = self._connection.execute("SELECT data FROM facts WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            self._drop(error)
            return None
        data = row[0] if row is not None else None
        if not isinstance(data, bytes) or data[:_CHECKSUM] != _checksum(data[_CHECKSUM:]):
            return None
        return data[_CHECKSUM:]

    def put(self, key: bytes, facts: Facts) -> None:
        """Remember the facts of a source; written by `close` at the latest."""
        if self._connection is not None:
            self.put_bytes(key, facts.dump())

    def put_bytes(self, key: bytes, data: bytes) -> None:
        """Remember any record under a key of its own; written by `close` at the latest."""
        if self._connection is None:
            return
        self._pending.append((key, _checksum(data) + data))
        if len(self._pending) >= 200:
            self._flush()

    def close(self) -> None:
        """Write what is left."""
        self._flush()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        self._folder.mkdir(parents=True, exist_ok=True)
        ignore = self._folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", "utf-8")
        path = self._folder / _FILE
        if path.exists() and path.stat().st_size > _MAX_BYTES:
            path.unlink()
        try:
            return _connect(path)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            path.unlink()
            return _connect(path)

    def _flush(self) -> None:
        if self._connection is None or not self._pending:
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            with self._connection:
                self._connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", self._pending)
        except sqlite3.Error as error:
            _LOGGER.warning("the cache in %s cannot be written: %s", self._folder, error)
            self._drop(error)
        self._pending.clear()

    def _drop(self, error: sqlite3.Error) -> None:
        """Go on without the store; a damaged one is removed so that the next run begins anew."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if _is_damage(error):
            with contextlib.suppress(OSError):
                (self._folder / _FILE).unlink()


def _connect(path: Path) -> sqlite3.Connection:
    # No write-ahead log: two runs that create the store at once would lock each other out of the switch to it.
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        # A lost cache costs one slow run: not worth an fsync.
        connection.execute("PRAGMA synchronous = OFF")
        # A transaction that reads first and writes then may be refused at once when another one writes.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE IF NOT EXISTS facts (key BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID")
        connection.execute("COMMIT")
        connection.execute("SELECT key, data FROM facts LIMIT 0")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is to blame, rather than a lock, a full disk or missing rights."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT)


def _checksum(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_CHECKSUM).digest()
