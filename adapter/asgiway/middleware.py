"""WSGIMiddleware: the ASGI application that stands for a WSGI application.

It answers the three scope types, and knows how to drain: at lifespan shutdown when it stands alone, by ``aclose()`` or
``async with`` when it is mounted in a router, which passes no lifespan on.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import anyio

from asgiway.bridge import Bridge
from asgiway.environ import EnvironBuilder
from asgiway.environment import fills_settings
from asgiway.errors import DrainingError, UnsupportedScopeError
from asgiway.file_response import FileWrapper
from asgiway.governor import FIRST_PERMITS
from asgiway.kinds import is_asgi
from asgiway.observe import DrainEnded, DrainStarted, OnEvent, Running, Snapshot
from asgiway.pool import WorkerPool
from asgiway.settings import BodyMode, Settings, UnderscoreMode

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["WSGIMiddleware"]

logger: logging.Logger = logging.getLogger("asgiway")

_DRAIN_POLL_SECONDS = 0.02
_INTERRUPT_SECONDS = 1.0  # what an interrupted request gets for its close()


class WSGIMiddleware:
    """Runs a WSGI application as an ASGI application: ``app = WSGIMiddleware(flask_app)``.

    Takes the place of ``a2wsgi.WSGIMiddleware`` and of Starlette's; mount it, or give it to a server as it is.

    Parameters:
        app: the WSGI application (PEP 3333).
        workers: threads at most; None lets the adapter choose, by what the handlers do; 1 is for an application that is
            not thread-safe.
        send_queue_size: taken for a2wsgi's users and without effect; backpressure counts bytes, see `high_water`.
        max_workers, max_queue, queue_timeout, request_timeout, drain_timeout, body, max_body_size, high_water,
            underscore_headers, multiprocess, on_event: see ``asgiway.settings.Settings``.

    What is not passed is taken from ``ASGIWAY_<NAME>`` variables, see ``asgiway.environment``.

    Raises:
        SettingsError: a setting has an impossible value, here or in the environment, or two contradict each other.
        TypeError: `app` is not callable, or an ASGI application.
    """

    @fills_settings
    def __init__(
        self,
        app: WSGIApplication,
        workers: int | None = None,
        send_queue_size: int = 10,
        *,
        max_workers: int = 128,
        max_queue: int = 1024,
        queue_timeout: float = 30.0,
        request_timeout: float | None = None,
        drain_timeout: float = 30.0,
        body: BodyMode = "auto",
        max_body_size: int | None = None,
        high_water: int = 1024 * 1024,
        underscore_headers: UnderscoreMode = "drop",
        multiprocess: bool = True,
        on_event: OnEvent | None = None,
    ) -> None:
        if not callable(app):
            raise TypeError(f"WSGIMiddleware needs a WSGI application, that is a callable, but got {app!r}")
        if is_asgi(app):
            raise TypeError(
                f"WSGIMiddleware needs a WSGI application, but {app!r} is an ASGI one; mount or serve it as it is"
            )
        self.app = app
        self.settings: Settings = Settings(
            workers=workers,
            max_workers=max_workers,
            max_queue=max_queue,
            queue_timeout=queue_timeout,
            request_timeout=request_timeout,
            drain_timeout=drain_timeout,
            body=body,
            max_body_size=max_body_size,
            high_water=high_water,
            underscore_headers=underscore_headers,
            multiprocess=multiprocess,
            on_event=on_event,
        )
        self._name = _name_of(app)
        self._pool = WorkerPool(
            self.settings.threads,
            max_queue,
            spare=max_workers,
            permits=FIRST_PERMITS if self.settings.governed else None,
        )
        environs = EnvironBuilder(
            {
                "wsgi.errors": _ErrorStream(),
                "wsgi.multithread": self.settings.threads > 1,
                "wsgi.multiprocess": multiprocess,
                "wsgi.file_wrapper": FileWrapper,
                "wsgi.early_hints": _no_early_hints,
            },
            self._note_dropped,
            underscore_headers,
        )
        self._bridge = Bridge(app, self._name, self.settings, self._pool, environs)

    def __repr__(self) -> str:
        return f"<WSGIMiddleware for {self._name}>"

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """ASGI 3. Raises UnsupportedScopeError for a scope type other than http, websocket and lifespan."""
        kind = scope["type"]
        if kind == "http":
            await self._bridge.serve(scope, receive, send)
        elif kind == "lifespan":
            await self._lifespan(receive, send)
        elif kind == "websocket":
            await _refuse_websocket(scope, receive, send)
        else:
            raise UnsupportedScopeError(f"asgiway serves http, websocket and lifespan scopes, not {kind!r}")

    async def __aenter__(self) -> Self:
        self._pool.reopen()
        self._bridge.draining = False
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Drain: admit no more requests (503), wait up to ``drain_timeout`` for those under way, interrupt the rest.

        What could not be ended even so (a handler that neither reads nor writes) is logged with its thread's name; the
        threads are daemons, so the process can still end.
        """
        began = time.monotonic()
        in_flight = self._bridge.in_flight
        self._bridge.draining = True
        self._bridge.report(DrainStarted(in_flight=len(in_flight)))
        await _until(lambda: not in_flight, self.settings.drain_timeout)
        if in_flight:
            in_flight.abort_all(
                DrainingError(f"interrupted by shutdown after drain_timeout ({self.settings.drain_timeout:g} s)")
            )
            await _until(lambda: not in_flight, _INTERRUPT_SECONDS)
            now = time.monotonic()
            for exchange in in_flight:
                thread = exchange.thread
                logger.warning(
                    "shutdown leaves a request running: %s for %.1f s in thread %s",
                    exchange.label,
                    now - exchange.born,
                    thread.name if thread is not None else "(none)",
                )
        self._pool.close()
        if not in_flight:
            await _until(lambda: self._pool.threads == 0, _INTERRUPT_SECONDS)
        self._bridge.report(DrainEnded(seconds=time.monotonic() - began, left=len(in_flight)))

    def subscribe(self, on_event: OnEvent) -> None:
        """Have `on_event` called with every event too; see ``asgiway.observe``."""
        self._bridge.receivers += (on_event,)

    def snapshot(self) -> Snapshot:
        """How busy the adapter is now. From any thread."""
        pool = self._pool
        threads, idle, abandoned = pool.threads, pool.idle, pool.abandoned
        return Snapshot(
            threads=threads,
            idle=idle,
            busy=max(0, threads - idle - abandoned),
            abandoned=abandoned,
            limit=pool.limit,
            permits=pool.permits,
            queued=pool.queued,
            max_queue=pool.max_queue,
            in_flight=len(self._bridge.in_flight),
            draining=self._bridge.draining,
        )

    def running(self) -> list[Running]:
        """What the workers are at, the longest first. From any thread, and from a signal handler: takes no lock."""
        now = time.monotonic()
        found: list[Running] = []
        for exchange in self._bridge.in_flight:
            thread, started = exchange.thread, exchange.started
            if thread is not None and started is not None:
                found.append(
                    Running(scope=exchange.scope, thread=thread, seconds=now - started, abandoned=exchange.given_up)
                )
        return sorted(found, key=lambda running: -running.seconds)

    async def _lifespan(self, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.__aenter__()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.aclose()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _note_dropped(self, header: str) -> None:
        logger.warning(
            "request header %r is not passed to %s: with an underscore it could stand in for a header that a proxy "
            "checks (logged once)",
            header,
            self._name,
        )


def _no_early_hints(headers: list[tuple[str, str]]) -> None:
    """wsgi.early_hints where the server can't send them: they are hints."""


class _ErrorStream:
    """wsgi.errors: the process's standard error as it is when something is written (PEP 3333: a text stream)."""

    def write(self, text: str) -> int:
        stream = sys.stderr
        return len(text) if stream is None else stream.write(text)  # pyright: ignore[reportUnnecessaryComparison]

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        stream = sys.stderr
        if stream is not None:  # pyright: ignore[reportUnnecessaryComparison] - None under pythonw
            stream.flush()


async def _refuse_websocket(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[Any]],
    send: Callable[[Any], Awaitable[None]],
) -> None:
    """A WSGI application has no websockets: 404 where the server can say so, else close (403)."""
    await receive()  # websocket.connect
    if "websocket.http.response" in (scope.get("extensions") or {}):
        await send(
            {
                "type": "websocket.http.response.start",
                "status": 404,
                "headers": [(b"content-length", b"0")],
            }
        )
        await send({"type": "websocket.http.response.body", "body": b""})
    else:
        await send({"type": "websocket.close", "code": 1000})


async def _until(done: Callable[[], bool], seconds: float) -> None:
    # Polling: the end of a request may come from another loop or thread, and shutdown is in no hurry.
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:  # noqa: ASYNC110
        await anyio.sleep(_DRAIN_POLL_SECONDS)


def _name_of(app: object) -> str:
    """What to call the application in messages: where its class or function is, and its own name, if it has one."""
    for source in (app, type(app)):
        name = getattr(source, "__qualname__", None)
        if isinstance(name, str):
            module = getattr(source, "__module__", None)
            where = f"{module}.{name}" if isinstance(module, str) else name
            own = getattr(app, "name", None)  # Flask's: the module that it was made in
            return f"WSGI application {where} {own!r}" if isinstance(own, str) else f"WSGI application {where}"
    return "the WSGI application"
