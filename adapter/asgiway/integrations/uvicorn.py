"""Files sent by the kernel under uvicorn: ``app = SendFile(WSGIMiddleware(legacy))``.

The ASGI extension ``http.response.pathsend`` lets an application name a file that the server is to send. uvicorn has none,
so every byte of a download is read into the process and written out again; gunicorn, where many come from, has os.sendfile.
This middleware offers the extension, and serves it past uvicorn on the connection's own socket.

For that it has to know what uvicorn's ``send`` belongs to: an object with the transport, which keeps count of the body's
bytes. That is no public interface, so it is looked at before it is used: where it is not as expected, the extension is not
offered, and files are read as without the middleware.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio

from asgiway.errors import SettingsError
from asgiway.kernel_send import HAS_SENDFILE, NotSendableError, send_file

__all__ = ["SendFile"]

logger: logging.Logger = logging.getLogger("asgiway")

Scope = MutableMapping[str, Any]
Message = Mapping[str, Any]
Send = Callable[[Any], Awaitable[None]]

EXTENSION = "http.response.pathsend"
END: dict[str, Any] = {"type": "http.response.body", "body": b"", "more_body": False}
_BLOCK = 256 * 1024


class SendFile:
    """ASGI middleware that offers ``http.response.pathsend`` under uvicorn. It has to be the outermost one.

    Not offered over TLS, where the kernel has no key; on systems without os.sendfile (Windows); and on other servers, where
    the middleware does nothing. ``send`` returns when the kernel has taken the whole file.

    Parameters:
        app: the ASGI application.
        threads: how many files may be read from disk at the same time; clients that read slowly need none. Default 8.

    Raises:
        SettingsError: `threads` is not a positive number.

    Source: ASGI, "Extensions", "Path Send"; sendfile(2).
    """

    def __init__(self, app: Callable[..., Awaitable[None]], *, threads: int = 8) -> None:
        if threads < 1:
            raise SettingsError(f"threads={threads!r} is not possible; give a number of at least 1")
        self.app = app
        self._threads = ThreadPoolExecutor(threads, "asgiway-sendfile")  # starts none before there is a file to send

    async def __call__(self, scope: Scope, receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        """ASGI 3; passes everything on, and the exceptions back."""
        if HAS_SENDFILE and scope["type"] == "http":
            offered: Mapping[str, Any] = scope.get("extensions") or {}
            cycle: Any = getattr(send, "__self__", None)
            count = None if EXTENSION in offered else _counter(cycle)
            if count is not None and not cycle.transport.get_extra_info("sslcontext"):
                scope = {**scope, "extensions": {**offered, EXTENSION: {}}}
                send = _Response(cycle, count, scope["method"], send, self._threads).send
        await self.app(scope, receive, send)


class _Response:
    """The response of one request.

    Parameters:
        cycle: uvicorn's object for it.
        count: tells that object that bytes of the body have gone.
        method: the request's.
        send: uvicorn's send().
        threads: who sends.
    """

    __slots__ = ("_body", "_count", "_cycle", "_method", "_send", "_start", "_threads")

    def __init__(
        self, cycle: Any, count: Callable[[Any, int], None], method: str, send: Send, threads: ThreadPoolExecutor
    ) -> None:
        self._cycle = cycle
        self._count = count
        self._method = method
        self._send = send
        self._threads = threads
        self._start: Message | None = None
        self._body = False

    def send(self, message: Message) -> Awaitable[None]:
        """ASGI's send(). No coroutine of its own: every message of every response comes through here."""
        kind = message["type"]
        if kind == EXTENSION:
            return self._send_path(message)
        if kind == "http.response.start":
            self._start = message
        elif kind == "http.response.body":
            self._body = True
        return self._send(message)

    async def _send_path(self, message: Message) -> None:
        cycle, start = self._cycle, self._start
        if start is None or self._body or cycle.response_complete:
            await self._send(message)  # out of order: uvicorn says what it expects
            return
        if cycle.disconnected:
            return
        if self._method == "HEAD" or start["status"] in (204, 304):
            await self._send(END)
            return
        path, size = message["path"], _content_length(start)
        if size is None:
            await self._read(path, None)
            return
        try:
            sent = await send_file(cycle.transport, path, size, self._threads)
        except NotSendableError:
            await self._read(path, size)
            return
        if sent and not cycle.disconnected:
            self._count(cycle, size)
            await self._send(END)
        else:
            # What uvicorn itself does when it hears of it, which may be never if it has stopped reading.
            cycle.disconnected = True
            cycle.transport.abort()

    async def _read(self, path: str, size: int | None) -> None:
        """Send the file as anybody does, up to `size` bytes if that is given."""
        async with await anyio.open_file(path, "rb") as file:
            left = size
            while block := await file.read(_BLOCK if left is None else min(_BLOCK, left)):
                left = None if left is None else left - len(block)
                await self._send({"type": "http.response.body", "body": block, "more_body": True})
        await self._send(END)


def _content_length(start: Message) -> int | None:
    """Of the response; None when there is none or chunks are announced."""
    found: int | None = None
    for name, value in start.get("headers", ()):
        lower = name.lower()
        if lower == b"transfer-encoding":
            return None
        if lower == b"content-length" and value.isdigit():
            found = int(value)
    return found


# ---------------------------------------------------------------------- what is known of uvicorn


class _Sized:
    """Stands for a body where h11 only wants to know how long it is."""

    __slots__ = ("_size",)

    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        return self._size


def _count_h11(cycle: Any, size: int) -> None:
    import h11

    # h11's own way for sendfile: what it returns is to be sent, and has been.
    cycle.conn.send_with_data_passthrough(h11.Data(data=_Sized(size)))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def _count_httptools(cycle: Any, size: int) -> None:
    cycle.expected_content_length -= size


_UVICORN = "uvicorn.protocols.http."
_COUNTED: dict[str, tuple[Callable[[Any, int], None], str]] = {
    f"{_UVICORN}h11_impl": (_count_h11, "conn.send_with_data_passthrough"),
    f"{_UVICORN}httptools_impl": (_count_httptools, "expected_content_length"),
}
"""Where uvicorn's class is defined -> how it is told that bytes of the body have gone, and what that uses."""
_USED = ("transport.abort", "transport.get_write_buffer_size", "disconnected", "response_complete")

_known: dict[type[Any], Callable[[Any, int], None] | None] = {}


def _counter(cycle: object) -> Callable[[Any, int], None] | None:
    """How to count what is sent past this object, which is what send() is a method of; None if it must not be done."""
    kind = type(cycle)
    try:
        return _known[kind]
    except KeyError:
        _known[kind] = found = _examine(cycle)
        return found


def _examine(cycle: object) -> Callable[[Any, int], None] | None:
    """Look at the first object of a class; logs a warning if it is uvicorn's, and not as it was in 0.30 to 0.54."""
    modules = [base.__module__ for base in type(cycle).__mro__ if base.__module__.startswith(_UVICORN)]
    if not modules:
        return None
    count, used = _COUNTED.get(modules[0], (None, "counter that is known"))
    lacking = [name for name in (used, *_USED) if not _has(cycle, name)]
    if lacking:
        import uvicorn

        logger.warning(
            "SendFile can't count what uvicorn %s sends (%s has no %s), so files are read as without it",
            uvicorn.__version__,
            modules[0],
            ", ".join(lacking),
        )
        return None
    return count


def _has(thing: object, names: str) -> bool:
    for name in names.split("."):
        if not hasattr(thing, name):
            return False
        thing = getattr(thing, name)
    return True
