"""What the command has from the system: its standard streams, and the signals that end it.

Only the command itself comes here; whoever calls `main(arguments)` keeps their own. Ctrl-C, SIGTERM and SIGHUP are raised as
`KeyboardInterrupt`, so that what is being written is left whole, and then end the process as they would have done at once: a shell
that runs the command in a loop, `xargs` and `timeout` learn from that what has happened.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import time
from types import FrameType
from typing import Final

__all__ = ["ENDING", "Signals", "give_up_complaints", "open_streams"]

# The signals that ask for an end. Windows has only the first two.
ENDING: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
# Seconds in which a second signal is taken for an echo of the first, such as a wrapper's that passes on what the terminal sends to
# all. A later one is from somebody who does not want to wait.
_ECHO: Final = 1.0


def open_streams() -> None:
    """Open the standard streams that were closed by the caller (`>&-`) on the null device.

    A file opened later would otherwise take the number of one, and get what is meant for it.
    """
    for name, flags, mode in (("stdin", os.O_RDONLY, "r"), ("stdout", os.O_WRONLY, "w"), ("stderr", os.O_WRONLY, "w")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, flags)
            setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def give_up_complaints() -> None:
    """Let what stderr has not taken go nowhere (its disk is full): the interpreter would try again at exit, and make the code 120."""
    try:
        sys.stderr.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stderr.fileno())
        os.close(nowhere)


class Signals:
    """Handlers of the signals that end a process.

    Attributes:
        received: the first one that came; None: none.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._time = 0.0
        self._installed: list[int] = []

    def install(self) -> None:
        """Raise `KeyboardInterrupt` for each; those that the caller wants to be ignored (`nohup`, `&`) stay so."""
        for number in ENDING:
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                signal.signal(number, self._handle)
                self._installed.append(number)
        atexit.register(self._end)  # the first to be registered is the last to be called

    def leave(self) -> None:
        """End the process without ado from now on, whichever comes."""
        for number in self._installed:
            signal.signal(number, signal.SIG_DFL)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.received is None:
            self.received, self._time = number, now
            raise KeyboardInterrupt
        if now - self._time > _ECHO:
            _die(number)

    def _end(self) -> None:
        if self.received is not None and os.name == "posix":
            # Before the interpreter writes what is left in stdout's buffer: whoever does not read it would hold up the end.
            _die(self.received)


def _die(number: int) -> None:
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
