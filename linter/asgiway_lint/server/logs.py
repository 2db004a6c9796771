"""What the linter logs, shown in the client's log, too."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from lsprotocol import types

__all__ = ["ClientLog"]

_LEVELS: Final = (
    (logging.ERROR, types.MessageType.Error),
    (logging.WARNING, types.MessageType.Warning),
    (logging.INFO, types.MessageType.Info),
)


class ClientLog(logging.Handler):
    """Sends log records to the client, from any thread.

    Args:
        send: sends one; called on the loop.
        loop: the loop.
    """

    def __init__(self, send: Callable[[types.LogMessageParams], None], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(logging.INFO)
        self._send = send
        self._loop = loop

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record."""
        level = next((found for least, found in _LEVELS if record.levelno >= least), types.MessageType.Log)
        message = types.LogMessageParams(level, self.format(record))
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._send, message)
