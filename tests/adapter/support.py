"""An ASGI server in a few lines, for tests that need to control every message; real servers are in tests/adapter/wire."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any

import anyio

Message = dict[str, Any]
WAIT = 20.0
"""Seconds after which a test that waits has failed."""


def http_scope(method: str = "GET", path: str = "/", **changes: Any) -> dict[str, Any]:
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"test")],
        "client": ("127.0.0.1", 1234),
        "server": ("127.0.0.1", 8000),
        "extensions": {},
    }
    return scope | changes


class Connection:
    """One request's receive() and send().

    Parameters:
        body: pieces of the request body; the last one ends it, unless `open_end`.
        on_send: awaited with each message that is sent, before it counts as sent.
    """

    def __init__(
        self,
        body: Sequence[bytes] = (b"",),
        *,
        open_end: bool = False,
        on_send: Callable[[Message], Awaitable[None]] | None = None,
    ) -> None:
        self._body = list(body)
        self._open_end = open_end
        self._on_send = on_send
        self._gone = anyio.Event()
        self.received = 0
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        self.received += 1
        if self._body:
            piece = self._body.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(self._body) or self._open_end}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if self._on_send is not None:
            await self._on_send(message)
        self.sent.append(message)

    def leave(self) -> None:
        """The client goes away."""
        self._gone.set()

    @property
    def status(self) -> int:
        status: int = self.sent[0]["status"]
        return status

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    @property
    def complete(self) -> bool:
        return bool(self.sent) and self.sent[-1].get("more_body", False) is False and len(self.sent) > 1


async def call(
    app: Any, method: str = "GET", path: str = "/", body: Sequence[bytes] = (b"",), **changes: Any
) -> Connection:
    """One whole request with a client that reads everything."""
    connection = Connection(body)
    with anyio.fail_after(WAIT):
        await app(http_scope(method, path, **changes), connection.receive, connection.send)
    return connection


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another thread is about to do."""
    with anyio.fail_after(WAIT):
        while not condition():
            await anyio.sleep(0.005)


def until_sync(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


class Body:
    """A response iterable that keeps a record of what is done to it."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.closed = 0
        self.threads: set[int] = set()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self.threads.add(threading.get_ident())
        return next(self._chunks)

    def close(self) -> None:
        self.threads.add(threading.get_ident())
        self.closed += 1


def content_length(size: int) -> list[tuple[bytes, bytes]]:
    return [(b"host", b"test"), (b"content-length", b"%d" % size)]


def answering(body: Any, status: str = "200 OK", headers: list[tuple[str, str]] | None = None) -> Any:
    """An application that always gives this answer."""

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response(status, list(headers or []))
        return body

    return app


def reading(read: Callable[[Any], Any]) -> Any:
    """An application that answers with the repr of what it has read."""

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        got = read(environ)
        start_response("200 OK", [])
        return [got if isinstance(got, bytes) else repr(got).encode()]

    return app
