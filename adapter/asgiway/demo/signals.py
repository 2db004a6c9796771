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
        self._held = False

    @contextmanager
    def on_signal(self, action: Callable[[], None]) -> Generator[None]:
        """Have `action` called on a signal, from here on."""
        self.check()
        self._actions.append(action)
        # Not taken back at the end: a second signal then is one more wish to end, not an error.
        yield

    @contextmanager
    def held(self) -> Generator[None]:
        """Let a signal wait until the end of the block: what is being imported does not survive a KeyboardInterrupt."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        self.check()

    def check(self) -> None:
        """Raise KeyboardInterrupt if a signal has come that was held, or whose own KeyboardInterrupt was swallowed.

        The interpreter does that in a finaliser or a callback of a weak reference, of which imports have many.
        """
        if self._asked and not self._actions:
            raise KeyboardInterrupt

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The handler of both signals."""
        if self._actions:
            self._actions[-1]()
            return
        self._asked = True
        if not self._held:
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
