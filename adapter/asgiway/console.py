"""The standard streams of the command ``asgiway``: reports to stdout, complaints to stderr, whatever the caller has made of them."""

from __future__ import annotations

import os
import sys
from typing import TextIO

__all__ = ["OutputError", "complain", "give_up_complaints", "open_streams", "report"]


class OutputError(Exception):
    """A report cannot be written; the message says why."""


def open_streams() -> None:
    """Open standard streams that the caller has closed (``>&-``) on the null device.

    A file or socket opened later would otherwise take the number of one, and get what is meant for it.
    """
    for name, flags, mode in (("stdin", os.O_RDONLY, "r"), ("stdout", os.O_WRONLY, "w"), ("stderr", os.O_WRONLY, "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.open(os.devnull, flags), mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def report(text: str) -> None:
    """Write to stdout. A reader that has had enough (``| head``) is no error.

    Raises:
        OutputError: the disk behind it is full, say.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard(sys.stdout)
    except OSError as error:
        _discard(sys.stdout)
        raise OutputError(f"cannot write to standard output: {error.strerror or error}") from error


def complain(text: str) -> None:
    """Write a line to stderr; where that goes nowhere, nobody is there to be told."""
    try:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except OSError:
        pass


def give_up_complaints() -> None:
    """Let what stderr has not taken go nowhere: the interpreter would try again at exit, and make the code 120."""
    try:
        sys.stderr.flush()
    except OSError:
        _discard(sys.stderr)


def _discard(stream: TextIO) -> None:
    """Let what is still buffered go nowhere, or the interpreter would complain about it at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
