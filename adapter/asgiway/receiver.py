"""Reads a request's messages beside the request: first its body, then whether the client has left.

ASGI shows a client's leaving only through ``receive()``, and calling that has a side effect: it tells a client that sent
``Expect: 100-continue`` to go on (RFC 9110, 10.1.1). So nothing is received before the application asks for the body or the
response has started, at most READ_AHEAD bytes are kept for an application that does not read, and the watch for the
client's leaving begins when the body is complete.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from asgiway.errors import ClientDisconnected
from asgiway.loops import Background, LoopPort, Waiter
from asgiway.request_body import BodyBuffer

__all__ = ["READ_AHEAD", "Receive", "Receiver"]

Receive = Callable[[], Awaitable[Any]]

READ_AHEAD = 256 * 1024
"""Bytes of body that are received before the application asks for them."""


class _Owner(Protocol):
    @property
    def sent(self) -> bool: ...

    def abort(self, error: Exception) -> None: ...

    def open_gates(self) -> None: ...


class Receiver:
    """Receives for one request. All methods belong to the loop; a worker only posts it.

    Parameters:
        port: the loop.
        receive: ASGI's receive(); may return any awaitable.
        body: what to fill, None when the request has no body.
        owner: whom to tell of a disconnect and of new bytes.
    """

    __slots__ = ("_background", "_body", "_owner", "_pause", "_port", "_receive", "_running", "_stopped", "watching")

    def __init__(self, port: LoopPort, receive: Receive, body: BodyBuffer | None, owner: _Owner) -> None:
        self._port = port
        self._receive = receive
        self._body = body
        self._owner = owner
        self._background: Background | None = None
        self._pause: Waiter | None = None
        self._running = False
        self._stopped = False
        self.watching: bool = False
        """Go on receiving when the body is complete, to learn that the client has left."""

    def ready(self) -> None:
        """A worker waits for the body."""
        pause = self._pause
        if pause is not None:
            if not pause.done():
                pause.set_result(None)
        else:
            self.start()

    def start(self) -> None:
        """Receive from now on."""
        if not (self._running or self._stopped):
            self._running = True
            self._background = self._port.spawn(self._run())

    def watch(self) -> None:
        """Notice the client's leaving from now on, as far as that is possible without asking it for the body."""
        self.watching = True
        if self._body is None or self._body.complete or self._owner.sent:
            self.start()

    async def stop(self) -> None:
        """Receive no more; returns when ``receive()`` is not being called any longer."""
        self._stopped = True
        if self._running and self._background is not None:
            await self._background.cancel()

    async def _run(self) -> None:
        body = self._body
        over = False
        try:
            while True:
                if body is not None and not body.complete and body.error is None:
                    while body.buffered >= READ_AHEAD:
                        self._pause = pause = self._port.new_waiter()
                        try:
                            await pause
                        finally:
                            self._pause = None
                elif not self.watching:
                    return
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    self._owner.abort(ClientDisconnected("the client has disconnected"))
                    return
                if over:
                    # No server's: middleware that gives again what it has read, for ever and without suspending. It would
                    # hold the loop, and will not tell that the client has left.
                    return
                more = message.get("more_body", False)
                over = not more
                if body is not None:
                    body.feed(message.get("body", b""), more)
                    self._owner.open_gates()
        except Exception as exc:
            # The server's receive() failed: the request can't go on, and its task raises this to the server.
            self._owner.abort(exc)
        finally:
            self._running = False
