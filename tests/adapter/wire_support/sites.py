"""Many adapters in one server's process: mounted in routers, inside middleware, with pools of particular sizes, and frameworks.

The first label of the Host header chooses (``starlette.test``), so that each site sees the paths and the messages exactly
as the server gives them. All adapters are opened and drained in the lifespan, by the recipe for mounted ones.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from wsgiref.types import WSGIApplication
from wsgiref.validate import validator

import anyio
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from asgiway import WSGIMiddleware
from tests.adapter.wire_support import programs_lifecycle, programs_neighbours, programs_request, programs_response
from tests.adapter.wire_support.control import serve_control
from tests.adapter.wire_support.frameworks import FRAMEWORKS
from tests.adapter.wire_support.journal import journal
from tests.adapter.wire_support.programs import conformance_app
from tests.adapter.wire_support.programs_neighbours import VISITOR

logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
assert [programs_lifecycle, programs_neighbours, programs_request, programs_response]

DEADLINE = 0.05
"""Seconds that the site "deadline" gives each request."""

_adapters: dict[str, WSGIMiddleware] = {}


def _adapter(name: str, app: WSGIApplication = conformance_app, **settings: Any) -> WSGIMiddleware:
    adapter = _adapters[name] = WSGIMiddleware(app, **settings)
    return adapter


async def _native(request: Request) -> Response:
    return PlainTextResponse("native")


def _starlette() -> ASGIApp:
    legacy = _adapter("starlette", workers=8)
    return Starlette(
        routes=[
            Route("/native", _native),
            Mount("/legacy", legacy),
            Mount("/中", legacy),
            Mount("/outer", routes=[Mount("/inner", legacy)]),
        ]
    )


def _fastapi() -> ASGIApp:
    app = FastAPI()
    app.add_api_route("/native", _native)
    app.mount("/legacy", _adapter("fastapi", workers=8))
    return app


class _NothingSpecial(BaseHTTPMiddleware):
    """As simple as they get; what BaseHTTPMiddleware itself does to streams and disconnects is the point."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.headers["X-Passed"] = "base-http"
        return response


class _Deadline:
    """A timeout middleware: cancels what takes too long; answers 504 where that is still possible."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Any) -> None:
            nonlocal started
            first, started = not started, True
            # Not in the midst of the start: see test_088_cancelled_while_the_start_is_sent.
            with anyio.CancelScope(shield=first):
                await send(message)

        with anyio.move_on_after(DEADLINE) as limit:
            await self.app(scope, receive, watched)
        if limit.cancelled_caught and not started:
            await PlainTextResponse("too slow", 504)(scope, receive, send)


class _Visitor:
    """Sets a context variable, and tells what it is when the request is over."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = _key(scope)
        VISITOR.set(key)
        await self.app(scope, receive, send)
        journal.note(key, "afterwards", VISITOR.get())


class _BrokenWire:
    """Its send() fails with the third message, as servers' own do; tells what reaches the server."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = 0

        async def failing(message: Any) -> None:
            nonlocal sent
            sent += 1
            if sent > 2 and _key(scope):
                raise ConnectionAbortedError("the wire is broken")
            await send(message)

        try:
            await self.app(scope, receive, failing)
        except BaseException as exc:
            journal.note(_key(scope), "raised", [type(exc).__name__, str(exc)])
            raise


def _key(scope: Scope) -> str:
    headers: dict[bytes, bytes] = dict(scope["headers"])
    return headers.get(b"x-key", b"").decode()


def _inside(name: str, *middleware: Middleware) -> ASGIApp:
    return Starlette(routes=[Mount("/legacy", _adapter(name, workers=4))], middleware=middleware)


_sites: Mapping[str, ASGIApp] = {
    "starlette": _starlette(),
    "fastapi": _fastapi(),
    "narrow": _adapter("narrow", workers=1),
    "queue": _adapter("queue", workers=1, max_queue=1),
    "impatient": _adapter("impatient", workers=1, queue_timeout=0.2),
    "reentrant": _adapter("reentrant", workers=1, queue_timeout=0.2),
    "wide": _adapter("wide", workers=64),
    "limited": _adapter("limited", max_body_size=1000, workers=2),
    "stream": _adapter("stream", body="stream", workers=2),
    "base-http": _inside("base-http", Middleware(_NothingSpecial)),
    "gzip": _inside("gzip", Middleware(GZipMiddleware, minimum_size=1)),
    "cors": _inside("cors", Middleware(CORSMiddleware, allow_origins=["https://other.test"])),
    "session": _inside("session", Middleware(SessionMiddleware, secret_key="not a secret")),
    "deadline": _Deadline(_adapter("deadline", workers=4)),
    "validated": _adapter("validated", validator(conformance_app), workers=2),
    "visitor": _Visitor(_adapter("visitor", workers=2)),
    "broken-wire": _BrokenWire(_adapter("broken-wire", workers=1)),
    **{name: _adapter(name, framework, workers=2) for name, framework in FRAMEWORKS.items()},
}


@asynccontextmanager
async def _all_adapters(app: Starlette) -> AsyncGenerator[None]:
    async with AsyncExitStack() as stack:
        for adapter in _adapters.values():
            await stack.enter_async_context(adapter)
        yield


_lifespan: ASGIApp = Starlette(lifespan=_all_adapters)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Pass the request on to the site that its Host header names."""
    if scope["type"] == "lifespan":
        await _lifespan(scope, receive, send)
        return
    host = next(value for name, value in scope["headers"] if name == b"host")
    await _sites[host.decode("latin-1").partition(".")[0]](scope, receive, send)


serve_control(_adapters)
