"""What a request's answer needs when two applications share its URL: an Allow header of both, and HEAD for native GET."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import anyio

__all__ = ["allowing", "asked_method", "head_from_get", "merge_allow"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


def asked_method(scope: Scope) -> str | None:
    """The method that a CORS preflight asks for; None if the request is no preflight.

    Source: Fetch, "CORS-preflight fetch": OPTIONS with Origin and Access-Control-Request-Method.
    """
    if scope["method"] != "OPTIONS":
        return None
    origin = False
    asked: str | None = None
    for name, value in scope["headers"]:
        name = name.lower()
        if name == b"origin":
            origin = True
        elif name == b"access-control-request-method":
            asked = value.decode("latin-1").strip()
    return asked if origin else None


def allowing(send: Send, methods: frozenset[str], method: str) -> Send:
    """A `send` that adds `methods` to the Allow header of a 405, and of a successful answer to OPTIONS that has one.

    Source: RFC 9110, 15.5.6: a 405 lists what the target resource supports, and the resource is the URL, whoever serves it.
    """

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            status: int = message["status"]
            headers: list[tuple[bytes, bytes]] = list(message.get("headers", ()))
            told = any(name.lower() == b"allow" for name, _ in headers)
            if status == 405 or (told and method == "OPTIONS" and 200 <= status < 300):
                message = {**message, "headers": merge_allow(headers, methods)}
        await send(message)

    return sending


def merge_allow(headers: Iterable[tuple[bytes, bytes]], methods: frozenset[str]) -> list[tuple[bytes, bytes]]:
    """The headers with one Allow field, in alphabetical order: what it had, and what is missing of `methods`."""
    rest: list[tuple[bytes, bytes]] = []
    allowed = set(methods)
    for name, value in headers:
        if name.lower() == b"allow":
            allowed.update(token.strip() for token in value.decode("latin-1").split(",") if token.strip())
        else:
            rest.append((name, value))
    if "GET" in allowed:
        allowed.add("HEAD")
    return [*rest, (b"allow", ", ".join(sorted(allowed)).encode("latin-1"))]


async def head_from_get(app: Callable[..., Awaitable[None]], scope: Scope, receive: Receive, send: Send) -> None:
    """Answer HEAD by calling the application with GET, without the content (RFC 9110, 9.3.2).

    A streamed answer is ended at its first piece, as if the client had left; one that is sent whole runs to its end,
    with what the framework does after it.
    """
    ended = False
    with anyio.CancelScope() as streaming:

        async def sending(message: Message) -> None:
            nonlocal ended
            kind = message["type"]
            if kind == "http.response.start":
                await send({**message, "trailers": False})
            elif kind in ("http.response.body", "http.response.pathsend", "http.response.zerocopysend"):
                if not ended:
                    ended = True
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
                    if message.get("more_body", False):
                        streaming.cancel()
            elif kind != "http.response.trailers":
                await send(message)

        await app({**scope, "method": "GET"}, receive, sending)
