"""``/healthz`` and ``/readyz``, for load balancers and orchestrators.

Both are answered on the event loop and need no thread, so they answer while every worker is stuck:

* ``/healthz``: 200 as long as the loop runs. A failure means "restart this process".
* ``/readyz``: 200, or 503 while a mount is saturated (one more request would be refused) or draining. A failure means
  "send requests elsewhere". The body has each mount's ``Snapshot``.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import asdict
from typing import Any

from asgiway.middleware import WSGIMiddleware
from asgiway.mounts import name_mounts
from asgiway.readiness import drain, is_leaving, resume

__all__ = ["HealthApp", "drain", "resume"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]


class HealthApp:
    """An ASGI application that answers ``/healthz`` and ``/readyz``.

    Mount it in a router, or put it in front: ``app = HealthApp(legacy, app=legacy)``.

    Parameters:
        adapters: the mounts whose state ``/readyz`` tells.
        names: what to call them, in their order. Default "mount-1", "mount-2" and so on.
        app: who gets all other requests, websockets and the lifespan; None: they get 404, for use under a router.

    Raises:
        SettingsError: no adapter, or names that do not fit.
        TypeError: an adapter is no WSGIMiddleware.
    """

    def __init__(
        self, *adapters: WSGIMiddleware, names: Sequence[str] | None = None, app: ASGIApp | None = None
    ) -> None:
        self._mounts = name_mounts(adapters, names, "HealthApp")
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI 3."""
        kind = scope["type"]
        path = _own_path(scope) if kind == "http" else ""
        if path == "/healthz":
            await _answer(scope, send, 200, {"status": "ok"})
        elif path == "/readyz":
            await _answer(scope, send, *self._readiness())
        elif self._app is not None:
            await self._app(scope, receive, send)
        elif kind == "http":
            await _send(scope, send, 404, {"status": "not found", "paths": ["/healthz", "/readyz"]})
        elif kind == "lifespan":
            await _lifespan(receive, send)
        elif kind == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})

    def _readiness(self) -> tuple[int, dict[str, Any]]:
        ready = True
        mounts: dict[str, Any] = {}
        for name, adapter in self._mounts.items():
            snapshot = adapter.snapshot()
            leaving = is_leaving(adapter) or snapshot.draining
            status = "draining" if leaving else "saturated" if snapshot.saturated else "ready"
            ready = ready and status == "ready"
            mounts[name] = {"status": status, **asdict(snapshot), "draining": leaving}
        return (200 if ready else 503), {"status": "ready" if ready else "not ready", "mounts": mounts}


def _own_path(scope: Scope) -> str:
    """The path below the place where this application is mounted (ASGI: `path` begins with `root_path`)."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "").rstrip("/")
    return path[len(root) :] if root and path.startswith(root + "/") else path


async def _answer(scope: Scope, send: Send, status: int, content: dict[str, Any]) -> None:
    if scope["method"] not in ("GET", "HEAD"):
        await _send(scope, send, 405, {"status": "method not allowed"}, (b"allow", b"GET, HEAD"))
    elif status == 503:
        await _send(scope, send, status, content, (b"retry-after", b"1"))
    else:
        await _send(scope, send, status, content)


async def _send(scope: Scope, send: Send, status: int, content: dict[str, Any], *extra: tuple[bytes, bytes]) -> None:
    body = json.dumps(content).encode() + b"\n"
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        *extra,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
