"""Makes requests of an ASGI application in this process, as a server would, and may leave in the middle as a client does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

import anyio

__all__ = ["Outcome", "Request", "ask"]

MOST_CHUNKS = 10_000
MOST_BYTES = 64 * 1024 * 1024

ASGIApp = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]
]


@dataclass(frozen=True, slots=True)
class Request:
    """A request to make.

    Parameters:
        method: such as "GET".
        path: the path with its query, as in a URL; what is not allowed there is percent-encoded.
        headers: names and values; Host and Content-Length are added.
        body: the body, b"" for none.
    """

    method: str
    path: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def scope(self) -> dict[str, Any]:
        """As an HTTP scope of the ASGI specification."""
        path, _, query = self.path.partition("?")
        raw_path = quote(path, safe="/%:@!$&'()*+,;=~-._")
        headers = [("host", "localhost"), *self.headers]
        if self.body:
            headers.append(("content-length", str(len(self.body))))
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.5"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": unquote(raw_path),
            "raw_path": raw_path.encode(),
            "query_string": quote(query, safe="/%:@!$&'()*+,;=~-._?").encode(),
            "root_path": "",
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 80),
            "extensions": {},
        }


@dataclass(slots=True)
class Outcome:
    """What came of a request.

    Parameters:
        status: None when there was no answer.
        chunks: messages with a piece of the body.
        size: bytes of body.
        error: what the application raised.
        left: the client left before the end, as it was to, or since there was too much.
        late: it took longer than it was given.
    """

    status: int | None = None
    chunks: int = 0
    size: int = 0
    error: BaseException | None = None
    left: bool = False
    late: bool = False


async def ask(app: ASGIApp, request: Request, seconds: float, *, leave_after: int | None = None) -> Outcome:
    """Make one request.

    Parameters:
        app: the ASGI application.
        request: what to ask.
        seconds: how long to wait for the whole answer; then the client leaves.
        leave_after: leave after so many pieces of the body.
    """
    outcome = Outcome()
    gone = anyio.Event()
    pending = [{"type": "http.request", "body": request.body, "more_body": False}]

    async def receive() -> Any:
        if pending:
            return pending.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            outcome.status = message["status"]
        elif message["type"] == "http.response.body" and message.get("body"):
            outcome.chunks += 1
            outcome.size += len(message["body"])
            most = MOST_CHUNKS if leave_after is None else leave_after
            if outcome.chunks >= most or outcome.size > MOST_BYTES:
                outcome.left = True
                gone.set()
        if outcome.left:
            await anyio.sleep(_NOTICE)  # let the adapter hear of it before the application goes on

    async def run() -> None:
        try:
            await app(request.scope(), receive, send)
        except Exception as error:
            outcome.error = error

    async with anyio.create_task_group() as group:

        async def patience() -> None:
            await anyio.sleep(seconds)
            outcome.late = True
            gone.set()
            await anyio.sleep(_GRACE)
            group.cancel_scope.cancel()  # it neither reads nor writes: leave it alone

        group.start_soon(patience)
        await run()
        group.cancel_scope.cancel()
    return outcome


_NOTICE = 0.02
_GRACE = 2.0
"""Seconds that an application gets to notice that its client has left."""
