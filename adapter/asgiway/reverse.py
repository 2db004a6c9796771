"""ASGI routes inside a WSGI server, for a team that can't change its server first. Extra: ``asgiway[reverse]``.

``a2wsgi`` passes the messages between the WSGI server's thread and an event loop; this module is what a2wsgi leaves to its
users: a loop that survives gunicorn's fork, the application's lifespan, an end to what a client has left, bodies without
Content-Length, requests that a2wsgi can't read, and an answer where it would wait for ever.

It is a bridgehead, not a home: a request holds a thread (or a whole process of gunicorn's sync workers) for as long as
it takes, and there are no websockets.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import importlib
import logging
import os
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any, Self, cast
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIApplication

from asgiway.errors import AppProtocolError

__all__ = ["ASGIMiddleware", "mount"]

logger: logging.Logger = logging.getLogger("asgiway")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]

_EXCHANGE = "asgiway.reverse.exchange"
_SPOOL_MEMORY = 512 * 1024
_SHUTDOWN_SECONDS = 10.0
_ASCII = "".join(map(chr, range(0x20, 0x7F)))


class ASGIMiddleware:
    """Runs an ASGI application as a WSGI application: ``app = ASGIMiddleware(fastapi_app)``.

    The event loop runs in a thread of its own, one in each process, which starts with the first request: so ``gunicorn
    --preload`` is safe. The application's lifespan starts there and then, and ends with the process.

    Parameters:
        app: the ASGI application.
        wait_time: seconds that a finished response waits for what the application does after it (background tasks)
            before that is cancelled. Default None, no limit.
        startup_timeout: seconds the lifespan's startup may take. Default 30.

    Raises:
        ImportError: a2wsgi is not installed.
    """

    def __init__(self, app: ASGIApp, *, wait_time: float | None = None, startup_timeout: float = 30.0) -> None:
        try:
            self._a2wsgi: Any = importlib.import_module("a2wsgi")
        except ImportError as error:
            raise ImportError("asgiway.reverse needs a2wsgi: pip install 'asgiway[reverse]'", name="a2wsgi") from error
        if not callable(app):
            raise TypeError(f"ASGIMiddleware needs an ASGI application, that is a callable, but got {app!r}")
        self._app = app
        self._wait_time = wait_time
        self._startup_timeout = startup_timeout
        self._home: _Home | None = None
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """PEP 3333. Raises what the application raised, once its response has begun, so that the server cuts it off."""
        home = self._home
        if home is None or home.process != os.getpid():
            home = self._open()
        environ = environ.copy()
        if not _make_readable(environ):
            body = b"400 Bad Request: the path is not UTF-8\n"
            headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
            start_response("400 Bad Request", headers)
            return [body]
        spooled = _spool(environ)
        exchange = environ[_EXCHANGE] = _Exchange()

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            exchange.started = True
            return start_response(status, headers, exc_info)

        return _Response(home.middleware(environ, start), exchange, home.loop, spooled)

    def _open(self) -> _Home:
        with self._lock:
            home = self._home
            if home is None or home.process != os.getpid():
                home = _Home(self._a2wsgi, self._app, self._wait_time, self._startup_timeout)
                self._home = home
            return home

    def close(self) -> None:
        """End the application's lifespan and the loop's thread in this process; the next request would start new ones."""
        with self._lock:
            home, self._home = self._home, None
            if home is not None and home.process == os.getpid():
                home.close()


def mount(legacy: WSGIApplication, natives: Mapping[str, ASGIApp]) -> WSGIApplication:
    """Serve ASGI applications under prefixes, and a WSGI application everywhere else.

    Parameters:
        legacy: the WSGI application.
        natives: ASGI applications by prefix, such as ``{"/api/v2": fastapi_app}``; the longest prefix wins. The prefix
            goes from PATH_INFO to SCRIPT_NAME (``root_path``), as in other mounts.

    Raises:
        ValueError: a prefix doesn't begin with a slash, or ends in one.
        ImportError: a2wsgi is not installed.
    """
    for prefix in natives:
        if not prefix.startswith("/") or prefix.endswith("/"):
            raise ValueError(f"{prefix!r} is no prefix; write it like '/api/v2'")
    mounted = {prefix: ASGIMiddleware(natives[prefix]) for prefix in sorted(natives, key=len, reverse=True)}

    def dispatch(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        for prefix, app in mounted.items():
            if path == prefix or path.startswith(prefix + "/"):
                inner = {**environ, "SCRIPT_NAME": environ.get("SCRIPT_NAME", "") + prefix}
                inner["PATH_INFO"] = path[len(prefix) :]
                return app(inner, start_response)
        return legacy(environ, start_response)

    return dispatch


def _make_readable(environ: dict[str, Any]) -> bool:
    """Bring into shape what a2wsgi would stumble over; False when the path can't be expressed in ASGI."""
    try:
        for key in ("SCRIPT_NAME", "PATH_INFO"):
            environ.get(key, "").encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return False
    query: str = environ.get("QUERY_STRING", "")
    if not query.isascii():
        environ["QUERY_STRING"] = quote(query.encode("latin-1"), safe=_ASCII)
    if not str(environ.get("SERVER_PORT", "")).isdigit():  # a unix socket
        environ["SERVER_PORT"] = "443" if environ.get("wsgi.url_scheme") == "https" else "80"
    return True


def _spool(environ: dict[str, Any]) -> tempfile.SpooledTemporaryFile[bytes] | None:
    """Take in a body of unknown length, which a2wsgi would not see."""
    if environ.get("CONTENT_LENGTH") or not environ.get("wsgi.input_terminated"):
        return None
    spooled: tempfile.SpooledTemporaryFile[bytes] = tempfile.SpooledTemporaryFile(_SPOOL_MEMORY)  # noqa: SIM115
    size = 0
    while block := environ["wsgi.input"].read(64 * 1024):
        size += spooled.write(block)
    spooled.seek(0)
    environ["wsgi.input"] = spooled
    environ["CONTENT_LENGTH"] = str(size)
    return spooled


class _Exchange:
    """What the two sides know of one request."""

    def __init__(self) -> None:
        self.task: asyncio.Task[Any] | None = None
        self.left = False
        self.started = False
        """start_response() was called."""
        self.body_sent = False
        self.error: Exception | None = None
        """What the application has failed with, if its response was not complete by then."""

    def leave(self) -> None:
        """On the loop: nobody waits for the response any more."""
        self.left = True
        if self.task is not None:
            self.task.cancel()


class _Response:
    """a2wsgi's response, with the close() that it lacks."""

    def __init__(
        self,
        inner: Iterator[bytes],
        exchange: _Exchange,
        loop: asyncio.AbstractEventLoop,
        spooled: tempfile.SpooledTemporaryFile[bytes] | None,
    ) -> None:
        self._inner = inner
        self._exchange = exchange
        self._loop = loop
        self._spooled = spooled

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._inner)
        except StopIteration:
            # When the application fails at once after a message, a2wsgi may see its end before its error.
            exchange = self._exchange
            if exchange.error is not None and (exchange.body_sent or not exchange.started):
                raise exchange.error from None
            raise

    def close(self) -> None:
        """PEP 3333: called however the request has ended."""
        try:
            cast("Any", self._inner).close()
        finally:
            with contextlib.suppress(RuntimeError):  # the loop has ended with the process
                self._loop.call_soon_threadsafe(self._exchange.leave)
            if self._spooled is not None:
                self._spooled.close()


class _Home:
    """The event loop of one process, its thread, and the application's lifespan in it."""

    def __init__(self, a2wsgi: Any, app: ASGIApp, wait_time: float | None, startup_timeout: float) -> None:
        self.process = os.getpid()
        self.state: dict[str, Any] = {}
        self._app = app
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="asgiway-reverse", daemon=True)
        self._thread.start()
        self.middleware: Callable[[dict[str, Any], StartResponse], Iterator[bytes]] = a2wsgi.ASGIMiddleware(
            self._serve, wait_time=wait_time, loop=self.loop
        )
        self._lifespan = _Lifespan(app, self.state)
        try:
            asyncio.run_coroutine_threadsafe(self._lifespan.start(), self.loop).result(startup_timeout)
        except BaseException:
            self._stop()
            raise
        atexit.register(self.close)

    def _run(self) -> None:
        try:
            self.loop.run_forever()
        finally:
            self.loop.close()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application, in a way that a2wsgi always gets a last word: it would wait for one for ever."""
        exchange: _Exchange = scope["wsgi_environ"][_EXCHANGE]
        exchange.task = asyncio.current_task()
        if exchange.left:
            return
        scope["state"] = self.state.copy()
        begun = ended = False

        async def checked(message: Any) -> None:
            nonlocal begun, ended
            if message["type"] == "http.response.start":
                begun = True
                message = {"headers": [], **message}
            elif message["type"] == "http.response.body":
                ended = not message.get("more_body", False)
                exchange.body_sent = True
            await send(message)

        error: Exception | None = None
        try:
            await self._app(scope, receive, checked)
        except asyncio.CancelledError:
            if exchange.left:
                raise
            error = AppProtocolError("the ASGI application was cancelled before its response was complete")
        except Exception as raised:
            error = raised
        if error is not None and ended:
            logger.error(
                "%s %s: the ASGI application failed after its response", scope["method"], scope["path"], exc_info=error
            )
        elif not begun:
            error = error or AppProtocolError("the ASGI application ended without a response")
        elif not ended:
            error = error or AppProtocolError("the ASGI application ended before its response was complete")
        if error is not None and not ended:
            exchange.error = error
            raise error

    def close(self) -> None:
        """End the lifespan and the thread."""
        atexit.unregister(self.close)
        if self.process != os.getpid() or not self._thread.is_alive():  # inherited by a fork
            return
        try:
            asyncio.run_coroutine_threadsafe(self._lifespan.stop(), self.loop).result(_SHUTDOWN_SECONDS)
        except concurrent.futures.TimeoutError:
            logger.warning("the ASGI application's shutdown takes longer than %g s; it is left", _SHUTDOWN_SECONDS)
        except Exception:
            logger.exception("the ASGI application's shutdown failed")
        self._stop()

    def _stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(_SHUTDOWN_SECONDS)


class _Lifespan:
    """The application's lifespan: startup with the first request, shutdown at the process's end.

    Parameters:
        app: the ASGI application; one without lifespan is served all the same.
        state: what it puts there, each request gets a copy of.
    """

    def __init__(self, app: ASGIApp, state: dict[str, Any]) -> None:
        self._app = app
        self._state = state
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._supported = True

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self._state}
        try:
            await self._app(scope, self._to_app.get, self._from_app.put)
        except Exception:
            logger.debug("the ASGI application has no lifespan", exc_info=True)
        finally:
            self._from_app.put_nowait(None)  # no more messages

    async def start(self) -> None:
        """Raises RuntimeError when the application says that its startup has failed."""
        self._task = asyncio.create_task(self._run())
        message = await self._ask("lifespan.startup")
        if message is None:
            self._supported = False
        elif message["type"] == "lifespan.startup.failed":
            raise RuntimeError(f"the startup of the ASGI application failed: {message.get('message', '')}")

    async def stop(self) -> None:
        """Raises RuntimeError when the application says that its shutdown has failed."""
        if not self._supported:
            return
        message = await self._ask("lifespan.shutdown")
        if message is not None and message["type"] == "lifespan.shutdown.failed":
            raise RuntimeError(f"the shutdown of the ASGI application failed: {message.get('message', '')}")
        if self._task is not None:
            await self._task

    async def _ask(self, kind: str) -> dict[str, Any] | None:
        await self._to_app.put({"type": kind})
        return await self._from_app.get()
