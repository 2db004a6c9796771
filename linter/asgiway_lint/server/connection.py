"""The connection to the client, as far as it can be lost: then the process ends, as nobody else would end it.

Normally its standard input ends with the client. But a client may close one direction only, and some other process of it may have
inherited the other end of the pipe.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import BinaryIO, Final, NoReturn

__all__ = ["Output", "brief", "end_with", "watchable"]

log: logging.Logger = logging.getLogger(__name__)

# Seconds between looks at the client's process.
_PAUSE: Final = 2.0


class Output:
    """Where messages for the client go; ends the process when it takes no more.

    Args:
        stream: the stream.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, data: bytes) -> None:
        """Send a message."""
        try:
            self._stream.write(data)
            self._stream.flush()
        except OSError as error:
            _leave(f"the client takes no more messages: {error.strerror or error}")

    def flush(self) -> None:
        """Nothing is kept back."""

    def close(self) -> None:
        """Close the stream; what could not be sent is lost."""
        try:
            self._stream.close()
        except OSError as error:
            log.debug("%s", error)


def watchable(process: int) -> bool:
    """Whether the end of a process can be told from here.

    Not that of one that cannot be seen, as it runs on the other side of a container's wall. Windows has no way to ask that does no harm.
    """
    return process > 0 and os.name == "posix" and _is_there(process)


async def end_with(process: int) -> None:
    """End this process when the client's has gone, as the protocol asks for (`InitializeParams.processId`)."""
    while _is_there(process):  # noqa: ASYNC110  (nobody tells)
        await asyncio.sleep(_PAUSE)
    _leave("the client's process has gone")


def _is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # somebody else's
    return True


def _leave(reason: str) -> NoReturn:
    log.warning("%s", reason)
    try:
        sys.stderr.flush()
    except OSError as error:
        log.debug("%s", error)
    os._exit(1)  # a thread waits for the client's next message, and cannot be ended


def brief(record: logging.LogRecord) -> bool:
    """Shorten what pygls says of a message that it does not understand: it is the client's fault, and no traceback of ours helps.

    A filter of log handlers.
    """
    if record.name.startswith("pygls"):
        text = str(record.msg)
        if text.startswith("Unable to deserialize"):  # which is said again
            return False
        if text.startswith("Unable to handle") and record.exc_info and record.exc_info[1] is not None:
            reason = f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}"
            record.msg, record.args = "a message of the client is not understood: %s", (reason.splitlines()[0],)
            record.exc_info, record.exc_text = None, None
    return True
