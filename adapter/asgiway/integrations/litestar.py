"""A legacy application under a path of a Litestar application.

Litestar's own mounts take the mount point from the path, tell nobody of it, and put a slash at the path's end: the legacy
application would answer 404 to every URL that doesn't end in one, and build URLs without the mount point.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote

from litestar.exceptions import NotFoundException
from litestar.handlers import ASGIRouteHandler, asgi
from litestar.types import Receive, Scope, Send
from litestar.utils import normalize_path

__all__ = ["mount"]


def mount(path: str, app: Callable[..., Awaitable[None]]) -> ASGIRouteHandler:
    """Make a route handler that passes everything under `path` on to `app`, with the path as the client sent it.

    Parameters:
        path: the mount point, such as "/old", or "/" for all that Litestar has no route for.
        app: the ASGI application, such as a WSGIMiddleware. Give it to Litestar's `lifespan` too, to have it drained.
    """
    prefix = "" if path == "/" else normalize_path(path)

    async def legacy(scope: Scope, receive: Receive, send: Send) -> None:
        whole: dict[str, Any] = dict(scope)
        outer: str = whole.get("root_path", "")
        inner = _original(whole, outer, prefix)
        whole |= {"path": outer + prefix + inner, "root_path": outer + prefix}
        await app(whole, receive, send)

    return asgi(path, is_mount=True, copy_scope=True)(legacy)


def _original(scope: Mapping[str, Any], outer: str, prefix: str) -> str:
    """The path under the mount point before Litestar normalised it; what it made of it if middleware has rewritten it.

    Raises:
        NotFoundException: the path only begins with the same letters: Litestar takes /older for a part of /old.
    """
    normalised: str = scope["path"].strip("/")
    raw: bytes | None = scope.get("raw_path")
    if raw:
        sent = unquote(raw.partition(b"?")[0].decode("latin-1"), errors="replace")
        if outer:
            sent = sent.split(outer, maxsplit=1)[-1]
        if sent.startswith(prefix) and normalize_path(sent)[len(prefix) :].strip("/") == normalised:
            inner = sent[len(prefix) :]
            if inner and not inner.startswith("/"):
                raise NotFoundException
            return inner
    return "/" + normalised
