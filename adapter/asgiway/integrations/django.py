"""Database connections of native async routes that use Django's ORM.

Django closes stale connections when it sends ``request_started`` and ``request_finished``. Behind the adapter it does, for
each request of the legacy side. A native route is no request of Django's: nothing closes what it opened, and when the
database ends such a connection (a restart, an idle timeout), every later route that gets it fails, until the process ends.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, ParamSpec, TypeVar

import anyio
from asgiref.sync import SyncToAsync, ThreadSensitiveContext, sync_to_async
from django.db import close_old_connections, connections  # type: ignore[import-untyped]

__all__ = ["DatabaseConnections", "closing_connections"]

P = ParamSpec("P")
R = TypeVar("R")

_close_all: Callable[[], None] = connections.close_all
_close_old: Callable[..., None] = close_old_connections  # pyright: ignore[reportUnknownVariableType] - Django has no types


class DatabaseConnections:
    """ASGI middleware that ends each request's use of the database, as Django's own ASGI handler does.

    The request gets a thread of its own for Django's synchronous code (the async ORM runs there), and at its end the
    connections that were opened on that thread are closed, or given back to Django's connection pool. Without it all
    native requests share one such thread, one after the other, and its connection for ever. A request that does not use
    the ORM costs next to nothing. Requests of the legacy side may pass through it; they have their own threads.

    Parameters:
        app: the ASGI application with the native routes.

    asyncio only, as Django's async ORM is. Source: Django's documentation, "Databases", "Connection management".
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """ASGI 3; passes everything on, and the exceptions back."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        async with ThreadSensitiveContext():
            try:
                await self._app(scope, receive, send)
            finally:
                # No executor: no synchronous code has run, so there is nothing to close, and no thread to start for it.
                if SyncToAsync.thread_sensitive_context.get() in SyncToAsync.context_to_thread_executor:
                    with anyio.CancelScope(shield=True):  # a cancelled request has a connection, too
                        await sync_to_async(_close_all)()


def closing_connections(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a synchronous route that runs in a thread pool, such as FastAPI's ``def`` routes.

    Stale connections of the thread are closed before and after it, as around a request of Django's; the thread is the
    pool's, so ``DatabaseConnections`` can't reach it. CONN_MAX_AGE holds.

    Parameters:
        function: the route; its signature stays.
    """

    @functools.wraps(function)
    def route(*args: P.args, **kwargs: P.kwargs) -> R:
        _close_old()
        try:
            return function(*args, **kwargs)
        finally:
            _close_old()

    return route
