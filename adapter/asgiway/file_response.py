"""wsgi.file_wrapper (PEP 3333, "Optional Platform-Specific File Handling"): a file as an iterable of large blocks, or,
where the server offers ``http.response.pathsend`` and the file is plainly the one its name leads to, that name alone."""

from __future__ import annotations

import io
import os
import stat
from typing import Protocol, Self

__all__ = ["FileWrapper", "sendable_file"]

_BLOCK = 256 * 1024  # each block costs a hand-off at worst; PEP 3333 calls the caller's size a suggestion


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class FileWrapper:
    """Iterates over a binary file from its current position to its end, and closes it with the response.

    It is its own iterator, and can be positioned where the file can: werkzeug cuts ranges out of ``iter(wrapper)``, for
    which it calls seek(), tell() and close() on what that returns.

    Parameters:
        filelike: an object with read(size); its close() is called if it has one.
        block_size: smallest block to read, in bytes; small values are raised. Default 8192.
    """

    def __init__(self, filelike: _Readable, block_size: int = 8192) -> None:
        self.filelike = filelike
        self._block_size = max(block_size, _BLOCK)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if block := self.filelike.read(self._block_size):
            return block
        raise StopIteration

    def seekable(self) -> bool:
        """Whether seek() and tell() work, as in io.IOBase."""
        if not (hasattr(self.filelike, "seek") and hasattr(self.filelike, "tell")):
            return False
        seekable = getattr(self.filelike, "seekable", None)
        return seekable is None or bool(seekable())

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int | None:
        """Move to `offset` bytes; raises io.UnsupportedOperation where the file cannot."""
        seek = getattr(self.filelike, "seek", None)
        if seek is None:
            raise io.UnsupportedOperation("seek")
        result: int | None = seek(offset, whence)
        return result

    def tell(self) -> int:
        """The position in bytes; raises io.UnsupportedOperation where the file has none."""
        tell = getattr(self.filelike, "tell", None)
        if tell is None:
            raise io.UnsupportedOperation("tell")
        return int(tell())

    def close(self) -> None:
        """Close the file."""
        close = getattr(self.filelike, "close", None)
        if close is not None:
            close()


def sendable_file(wrapper: FileWrapper) -> tuple[str, int] | None:
    """Path and size of the file, if sending what lies at the path is the same as reading the wrapper; else None.

    The file has to be open in binary mode at its start, regular, and under an absolute name that leads to this very file:
    a deleted or replaced one, a temporary file without a name and a pipe are read instead. So is one that fits into a
    block: it takes less to read it than to have the worker wait until the server has it (a third, for 1 KB on uvicorn).
    """
    file = wrapper.filelike
    if not isinstance(file, (io.BufferedReader, io.BufferedRandom, io.FileIO)):
        return None
    name = file.name
    if not isinstance(name, str) or not os.path.isabs(name):  # noqa: PTH117
        return None
    try:
        opened, named = os.fstat(file.fileno()), os.stat(name)  # noqa: PTH116 - a str of the file's own
        if file.tell() != 0:
            return None
    except (OSError, ValueError):  # gone, closed, or not seekable: reading says what is wrong, if anything is
        return None
    if (
        opened.st_size <= _BLOCK
        or not stat.S_ISREG(opened.st_mode)
        or opened.st_nlink == 0
        or not os.path.samestat(opened, named)
    ):
        return None
    return name, opened.st_size
