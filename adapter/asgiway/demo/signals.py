"""SIGINT and SIGTERM, which end the demonstration in good order whenever they come."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Ending", "ending_signals"]


class Ending:
    """What a signal does: it raises KeyboardInterrupt, or calls the action of a with-block that says so."""

    def __init__(self) -> None:
        self._actions: list[Callable[[], None]] = []
        self._asked = False

    @contextmanager
    def on_signal(self, action: Callable[[], None]) -> Generator[None]:
        """Have `action` called on a signal, from here on."""
        self.check()
        self._actions.append(action)
        # Not taken back at the end: a second signal then is one more wish to end, not an error.
        yield

    def check(self) -> None:
        """Raise KeyboardInterrupt if a signal has come whose own was swallowed.

        That happens where it comes while the interpreter runs a finaliser or a callback of a weak reference, as there
        are many during imports.
        """
        if self._asked and not self._actions:
            raise KeyboardInterrupt

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The handler of both signals."""
        if self._actions:
            self._actions[-1]()
            return
        self._asked = True
        raise KeyboardInterrupt


@contextmanager
def ending_signals() -> Generator[Ending]:
    """Handle SIGINT and SIGTERM alike while the block lasts; only the main thread may use it."""
    ending = Ending()
    before = {number: signal.signal(number, ending.handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
