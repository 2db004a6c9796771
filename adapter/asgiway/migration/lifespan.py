"""The lifespan of two applications as one: native starts first and ends last, the adapter opens and drains in between.

So a request of the legacy side never runs without what the native side's lifespan has made (pools, settings). A native
application that has no lifespan (it raises, or returns without a word) does not keep the adapter from draining.
Source: ASGI lifespan specification.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AbstractAsyncContextManager
from typing import Any

__all__ = ["run_lifespan"]

logger: logging.Logger = logging.getLogger("asgiway")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


async def run_lifespan(
    native: Callable[..., Awaitable[None]],
    legacy: AbstractAsyncContextManager[object],
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Answer a lifespan scope.

    Parameters:
        native: the application that gets the scope.
        legacy: entered when `native` has started, left before it is told to stop.

    Raises:
        what `native` raises after it has answered lifespan.startup.
    """
    await _Lifespan(legacy, receive, send).run(native, scope)


class _Lifespan:
    def __init__(self, legacy: AbstractAsyncContextManager[object], receive: Receive, send: Send) -> None:
        self._legacy = legacy
        self._receive = receive
        self._send = send
        self._asked: set[str] = set()
        self._answered: set[str] = set()
        self._open = False

    async def run(self, native: Callable[..., Awaitable[None]], scope: Scope) -> None:
        try:
            await native(scope, self._receiving, self._sending)
        except Exception as exc:
            if self._answered:
                await self._close()
                raise
            logger.info("the native application has no lifespan: %r", exc)
        if "lifespan.startup.failed" in self._answered:
            return
        # What the native application has left undone is done in its place.
        if not self._answered:
            if "lifespan.startup" not in self._asked:
                await self._receiving()
            await self._sending({"type": "lifespan.startup.complete"})
        while "lifespan.shutdown" not in self._asked:
            await self._receiving()
        if len(self._answered) == 1:
            await self._sending({"type": "lifespan.shutdown.complete"})

    async def _receiving(self) -> Any:
        message = await self._receive()
        self._asked.add(message["type"])
        if message["type"] == "lifespan.shutdown":
            await self._close()
        return message

    async def _sending(self, message: Any) -> None:
        self._answered.add(message["type"])
        if message["type"] == "lifespan.startup.complete":
            self._open = True
            await self._legacy.__aenter__()
        await self._send(message)

    async def _close(self) -> None:
        if self._open:
            self._open = False
            await self._legacy.__aexit__(None, None, None)
