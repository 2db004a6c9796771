"""SIGINT and SIGTERM, which end the demonstration in good order whenever they come."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

__all__ = ["ending_signals"]


@contextmanager
def ending_signals() -> Generator[Callable[[Callable[[], None]], AbstractContextManager[None]]]:
    """Handle SIGINT and SIGTERM alike while the block lasts; only the main thread may use it.

    Yields a function that takes what is to be called on a signal, for the length of its own with-block. Before and
    after, a signal raises KeyboardInterrupt.
    """
    actions: list[Callable[[], None]] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if not actions:
            raise KeyboardInterrupt
        actions[-1]()

    @contextmanager
    def on_signal(action: Callable[[], None]) -> Generator[None]:
        actions.append(action)
        # Not taken back at the end: a second signal then is one more wish to end, not an error.
        yield

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield on_signal
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
