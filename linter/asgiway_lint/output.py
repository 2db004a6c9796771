"""Where text goes: stdout, or the file of `--output-file`. Whatever is in a file's name or source gets through."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self, TextIO

from asgiway_lint.errors import UsageError

__all__ = ["Output", "wants_colour"]


class Output:
    """A context manager to write text with.

    A reader that has had enough (`| head`) is no error: the rest is dropped.

    Args:
        file: path to write to; None: stdout.

    Raises:
        UsageError: on entering or writing, if the file cannot be written.
    """

    def __init__(self, file: str | None = None) -> None:
        self._file = file
        self._stream: TextIO = sys.stdout

    def __enter__(self) -> Self:
        if self._file is not None:
            from pathlib import Path  # help and version come here, too, and need none

            try:
                self._stream = Path(self._file).open("w", encoding="utf-8", errors="surrogateescape", newline="")
            except OSError as error:
                raise UsageError(f"cannot write to {self._file}: {error.strerror or error}") from error
        elif (reconfigure := getattr(self._stream, "reconfigure", None)) is not None:
            # File names need not be UTF-8: give their bytes back as they are. Other encodings may lack any character.
            utf8 = self._stream.encoding.lower().replace("-", "") == "utf8"
            reconfigure(errors="surrogateescape" if utf8 else "backslashreplace")
        return self

    def write(self, pieces: Iterable[str]) -> None:
        """Write all pieces."""
        try:
            self._stream.writelines(pieces)
            self._stream.flush()
        except BrokenPipeError:
            _discard(self._stream)
        except OSError as error:
            where = "standard output" if self._file is None else self._file
            _discard(self._stream)
            raise UsageError(f"cannot write to {where}: {error.strerror or error}") from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._stream.close()


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
