"""A progress bar on stderr, for runs on a terminal that take longer than a second. It is gone when the run ends.

Drawn when a file is done, by whoever consumes the files: no thread, and nothing to stop when something goes wrong.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Generator, Iterable
from typing import TextIO, TypeVar

__all__ = ["with_progress"]

_PATIENCE = 1.0  # seconds before it appears
_PAUSE = 0.1  # seconds between two drawings
_CLEAR = "\r\x1b[K"
_WIDEST = 40

_Item = TypeVar("_Item")


def with_progress(items: Iterable[_Item], total: int, stream: TextIO, *, colour: bool) -> Generator[_Item, None, None]:
    """Pass items through, and show how many have gone by.

    Args:
        items: what is being done; each one counts when it arrives.
        total: how many there will be.
        stream: the terminal.
        colour: whether to colour the bar.
    """
    bar = _Bar(total, stream, colour=colour)
    logger = logging.getLogger("asgiway_lint")
    # What is logged meanwhile must not end up behind the bar.
    filters = [(handler, bar.step_aside) for handler in logger.handlers]
    for handler, step_aside in filters:
        handler.addFilter(step_aside)
    try:
        for done, item in enumerate(items, 1):
            bar.draw(done)
            yield item
    finally:
        for handler, step_aside in filters:
            handler.removeFilter(step_aside)
        bar.clear()


class _Bar:
    def __init__(self, total: int, stream: TextIO, *, colour: bool) -> None:
        self._total = total
        self._stream = stream
        self._colour = colour
        self._shown = False
        self._next = time.monotonic() + _PATIENCE

    def draw(self, done: int) -> None:
        now = time.monotonic()
        if now < self._next or done >= self._total:
            return
        self._next = now + _PAUSE
        width = max(10, min(_WIDEST, shutil.get_terminal_size().columns - 30))
        full = width * done // self._total
        blocks, rest = "#" * full, "-" * (width - full)
        if self._colour:
            blocks = f"\x1b[32m{blocks}\x1b[0m"
        self._write(f"{_CLEAR}Checking [{blocks}{rest}] {done}/{self._total} files")
        self._shown = True

    def step_aside(self, record: logging.LogRecord) -> bool:
        self.clear()
        return True

    def clear(self) -> None:
        if self._shown:
            self._write(_CLEAR)
            self._shown = False

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self._next = float("inf")  # the terminal is gone: a bar is nothing to fail for
