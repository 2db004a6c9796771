"""Where text goes: stdout, or the file of `--output-file`. Whatever is in a file's name or source gets through."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Generator, Iterable, Mapping
from types import TracebackType
from typing import Self, TextIO

from asgiway_lint.errors import UsageError

__all__ = ["Output", "tell", "wants_colour", "write_bytes"]


class Output:
    """A context manager to write text with.

    A reader that has had enough (`| head`) is no error: the rest is dropped. A file is replaced when everything is written; if
    anything goes wrong before, it is what it was.

    Args:
        file: path to write to; None: stdout.

    Raises:
        UsageError: on entering, writing or leaving, if the file cannot be written.
    """

    def __init__(self, file: str | None = None) -> None:
        self._file = file
        self._stream: TextIO = sys.stdout
        self._pieces: list[str] | None = None

    def __enter__(self) -> Self:
        if self._file is not None:
            from pathlib import Path  # help and version come here, too, and need none

            path = Path(self._file)
            if path.is_file() or not path.exists():
                self._pieces = []
                return self
            try:  # a pipe or a device
                self._stream = path.open("w", encoding="utf-8", errors="surrogateescape", newline="")
            except OSError as error:
                raise UsageError(f"cannot write to {self._file}: {error.strerror or error}") from error
        elif (reconfigure := getattr(self._stream, "reconfigure", None)) is not None:
            # File names need not be UTF-8: give their bytes back as they are. Other encodings may lack any character.
            utf8 = self._stream.encoding.lower().replace("-", "") == "utf8"
            reconfigure(errors="surrogateescape" if utf8 else "backslashreplace")
        return self

    def write(self, pieces: Iterable[str]) -> None:
        """Write all pieces."""
        if self._pieces is not None:
            self._pieces.extend(pieces)
            return
        with _complaining(self._stream, self._file):
            self._stream.writelines(pieces)
            self._stream.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None:
            return
        if self._pieces is None:
            self._stream.close()
        elif kind is None:
            self._replace(self._file, "".join(self._pieces))

    @staticmethod
    def _replace(file: str, text: str) -> None:
        from pathlib import Path

        from asgiway_lint.replacing import WriteError, write_atomically

        path = Path(file)
        existed = path.exists()
        try:
            write_atomically(path, text.encode("utf-8", "surrogateescape"))
        except WriteError as error:
            kept = "; it is as it was before" if existed else ""
            raise UsageError(f"cannot write to {file}: {error}{kept}") from error


def write_bytes(data: bytes) -> None:
    """Write bytes to stdout as they are.

    Raises:
        UsageError: they cannot be written.
    """
    with _complaining(sys.stdout, None):
        sys.stdout.buffer.write(data)
        sys.stdout.flush()


def tell(text: str) -> None:
    """Write a text for the user to stderr; one that goes nowhere, as the disk behind it is full, is nothing to fail for."""
    with contextlib.suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


@contextlib.contextmanager
def _complaining(stream: TextIO, file: str | None) -> Generator[None]:
    """Turn what goes wrong in writing into a sentence; a reader that has had enough is no error."""
    try:
        yield
    except BrokenPipeError:
        _discard(stream)
    except OSError as error:
        _discard(stream)
        raise UsageError(f"cannot write to {file or 'standard output'}: {error.strerror or error}") from error


def _discard(stream: TextIO) -> None:
    """Let what is still buffered go nowhere, or the interpreter would complain about it at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)


def wants_colour(when: str, to_terminal: bool, environment: Mapping[str, str]) -> bool:
    """Decide about colours: `--color`, then NO_COLOR (no-color.org), then FORCE_COLOR, then whether a terminal shows them."""
    if when != "auto":
        return when == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return to_terminal and environment.get("TERM") != "dumb"
