"""Catches the adapter blocking the event loop, by blockbuster, while other tests run.

blockbuster makes blocking calls raise when an event loop runs in the calling thread. Here that holds for calls with a frame
of asgiway's on the stack: applications block in their worker threads, where no loop runs, and tests may do as they like.
It knows asyncio's loops, uvloop's included, and not trio's.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import blockbuster.blockbuster
from blockbuster import BlockBuster, BlockingError

__all__ = ["blocking_calls"]


@contextmanager
def blocking_calls() -> Generator[list[str]]:
    """Let blocking calls raise; the list holds their names, also of those whose exception was caught on its way."""
    seen: list[str] = []

    class Recorded(BlockingError):
        def __init__(self, func: str) -> None:
            super().__init__(func)
            seen.append(func)

    detector = BlockBuster(scanned_modules="asgiway")
    # Where log records go is the choice of who configures logging; pytest has a handler that writes to a file.
    for name in ("io.TextIOWrapper.write", "io.BufferedWriter.write"):
        detector.functions[name].can_block_in("logging/__init__.py", "emit")
    # Under coverage, its own tracer takes a lock in the frames that it looks at.
    detector.functions["threading.Lock.acquire"].can_block_in("coverage/collector.py", "lock_data")
    kept = blockbuster.blockbuster.BlockingError
    blockbuster.blockbuster.BlockingError = Recorded  # type: ignore[misc]
    detector.activate()
    try:
        yield seen
    finally:
        detector.deactivate()
        blockbuster.blockbuster.BlockingError = kept  # type: ignore[misc]
