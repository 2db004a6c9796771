"""uvicorn in a thread, so that the main thread can show, check and wait for signals."""

from __future__ import annotations

import logging
import socket
import sys
import threading
import time
from types import TracebackType
from typing import Any, Final, Self

import uvicorn

from asgiway.demo.place import DemoError

__all__ = ["Server"]

START_SECONDS: Final = 60.0
DRAIN_SECONDS: Final = 30
_TICK = 0.2  # a wait without a timeout would not let signals through on every platform


class Server:
    """Serves `app` on `listener` while its with-block lasts, and drains it at the end.

    Entering raises DemoError when the site does not start.
    """

    def __init__(self, app: Any, listener: socket.socket) -> None:
        self._listener = listener
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=DRAIN_SECONDS)
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._uvicorn.run, kwargs={"sockets": [listener]}, name="uvicorn")

    @property
    def address(self) -> str:
        """The URL to visit, without a slash at the end."""
        name: tuple[str, int] = self._listener.getsockname()[:2]
        host, port = name
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def forced(self) -> bool:
        """Whether it was asked to end without draining."""
        return self._uvicorn.force_exit

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        try:
            while not self._uvicorn.started:
                if not self._thread.is_alive() or time.monotonic() > deadline:
                    raise DemoError("the site did not start; uvicorn's messages above say why")
                time.sleep(0.02)
        except BaseException:  # a signal too: __exit__ is not called for what has not been entered
            self._uvicorn.should_exit = True
            self.wait()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._uvicorn.should_exit = True
        self.wait()

    def end(self) -> None:
        """Ask the server to drain and end; asked again, it ends at once."""
        if self._uvicorn.should_exit:
            # What is cut off now ends in exceptions, which uvicorn would log; they are what was asked for.
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
            self._uvicorn.force_exit = True
        else:
            self._uvicorn.should_exit = True
            sys.stderr.write("\nDraining: requests under way are finished. Once more ends at once.\n")

    def wait(self) -> None:
        """Wait until the server has ended."""
        while self._thread.is_alive():
            self._thread.join(_TICK)
