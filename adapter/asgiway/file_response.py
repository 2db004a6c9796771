"""wsgi.file_wrapper: hands a file to the server as an iterable of large blocks (PEP 3333, "Optional Platform-Specific File Handling")."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

__all__ = ["FileWrapper"]

_BLOCK = 256 * 1024  # each block costs a hand-off at worst; PEP 3333 calls the caller's size a suggestion


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class FileWrapper:
    """Iterates over a binary file from its current position to its end, and closes it with the response.

    Parameters:
        filelike: an object with read(size); its close() is called if it has one.
        block_size: smallest block to read, in bytes; small values are raised. Default 8192.
    """

    def __init__(self, filelike: _Readable, block_size: int = 8192) -> None:
        self.filelike = filelike
        self._block_size = max(block_size, _BLOCK)

    def __iter__(self) -> Iterator[bytes]:
        read, size = self.filelike.read, self._block_size
        while block := read(size):
            yield block

    def close(self) -> None:
        """Close the file."""
        close = getattr(self.filelike, "close", None)
        if close is not None:
            close()
