"""The three ways in which an adapter meets the end of its process, and a request that could bring it about.

Each is an ASGI application to give to a server.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Message, Receive, Scope, Send

from asgiway import WSGIMiddleware
from tests.adapter.wire_support import programs_lifecycle
from tests.adapter.wire_support.control import serve_control
from tests.adapter.wire_support.programs import conformance_app

logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
assert programs_lifecycle

adapter = WSGIMiddleware(conformance_app, workers=4, drain_timeout=20)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncGenerator[None]:
    async with adapter:
        yield


standalone = adapter
mounted = Starlette(routes=[Mount("/", adapter)], lifespan=lifespan)
mounted_without_recipe = Starlette(routes=[Mount("/", adapter)])


stuck = WSGIMiddleware(conformance_app, workers=4, drain_timeout=0.5)


async def cancelled_start(scope: Scope, receive: Receive, send: Send) -> None:
    """Cancels requests for the host "cancelled.test" in the moment in which their response starts."""
    if scope["type"] == "lifespan" or (b"host", b"cancelled.test") not in scope["headers"]:
        await adapter(scope, receive, send)
        return
    with anyio.CancelScope() as limit:

        async def cancelling_send(message: Message) -> None:
            limit.cancel()
            await send(message)
            await anyio.lowlevel.checkpoint()

        await adapter(scope, receive, cancelling_send)


serve_control({"adapter": adapter})
