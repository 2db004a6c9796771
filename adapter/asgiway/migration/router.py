"""MigrationRouter: one ASGI application made of a legacy WSGI application and the native one that takes over its URLs.

Each http request is decided here, by path and method, before anything is received or sent; then one of the two
applications gets the scope as it came.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self, cast
from wsgiref.types import WSGIApplication

from asgiway.kinds import is_asgi
from asgiway.middleware import WSGIMiddleware
from asgiway.migration.answers import allowing, asked_method, head_from_get
from asgiway.migration.legacy_routes import LegacyMap, legacy_map
from asgiway.migration.lifespan import run_lifespan
from asgiway.migration.matching import NativeTable, native_table, route_path, slash_twin

__all__ = ["Decision", "MigrationRouter"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Decision:
    """Who serves a request, and how.

    Parameters:
        side: whose application is called.
        head_from_get: the native one is called with GET, and what it answers loses its content.
        allow: methods that an Allow header of the answer has to name besides its own; empty: leave it alone.
    """

    side: Literal["native", "legacy"]
    head_from_get: bool = False
    allow: frozenset[str] = frozenset()


_NATIVE = Decision("native")
_NATIVE_HEAD = Decision("native", head_from_get=True)
_LEGACY = Decision("legacy")


class MigrationRouter(AbstractAsyncContextManager["MigrationRouter"]):
    """An ASGI application in which a native route takes over its path and method, and the legacy one keeps the rest.

    ``app = MigrationRouter(legacy=flask_app, native=fastapi_app)``. What has no native route goes to the legacy
    application at the same URL: 404s, 405s, OPTIONS, slash redirects, and values that a path converter doesn't match.
    Websockets and lifespan are native. Routes that are added later count from then on.

    Where the router is mounted in another one, which passes no lifespan on, use it as an async context manager in the
    parent's lifespan, or call ``aclose()``: this drains the legacy side.

    Parameters:
        legacy: a WSGI application, or a WSGIMiddleware that has been made already.
        native: an ASGI application; the routes of Starlette and FastAPI are read.
        routes: native routes of other ASGI applications, as pairs of a method (or several, or "*") and a path in
            Starlette's syntax, ``("GET", "/users/{id:int}")``. With an application that can be read they come on top.
            Default None.
        settings: of the adapter around `legacy`; see WSGIMiddleware.

    Raises:
        SettingsError: the routes can neither be read nor are they listed, or a listed one is no route.
        TypeError: one of the two is no application of its kind, or settings are given beside a WSGIMiddleware.
    """

    def __init__(
        self,
        legacy: WSGIApplication | WSGIMiddleware,
        native: Callable[..., Awaitable[None]],
        *,
        routes: Sequence[object] | None = None,
        **settings: Any,
    ) -> None:
        _check_native(native)
        self.native = native
        self.legacy: WSGIMiddleware = _adapter(legacy, settings)
        self.table: NativeTable = native_table(native, routes)
        self.legacy_map: LegacyMap | None = legacy_map(self.legacy.app)

    def __repr__(self) -> str:
        return f"<MigrationRouter of {self.native!r} over {self.legacy!r}>"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI 3. Scope types other than http go to the native application."""
        kind = scope["type"]
        if kind == "http":
            decision = self.decide(scope)
            if decision.allow:
                send = allowing(send, decision.allow, scope["method"])
            if decision.side == "legacy":
                await self.legacy(scope, receive, send)
            elif decision.head_from_get:
                await head_from_get(self.native, scope, receive, send)
            else:
                await self.native(scope, receive, send)
        elif kind == "lifespan":
            if self.legacy_map is not None:
                self.legacy_map.prepare()
            await run_lifespan(self.native, self.legacy, scope, receive, send)
        else:
            await self.native(scope, receive, send)

    async def __aenter__(self) -> Self:
        await self.legacy.__aenter__()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Drain the legacy side; see ``WSGIMiddleware.aclose``."""
        await self.legacy.aclose()

    def decide(self, scope: Scope) -> Decision:
        """Who serves this http scope. It is not changed."""
        match = self.table.match(scope)
        if match.served:
            return _NATIVE
        if not match.methods:
            return _NATIVE if self._redirects_natively(scope) else _LEGACY
        if scope["method"] == "HEAD" and "GET" in match.methods:
            return _NATIVE_HEAD
        asked = asked_method(scope)
        if asked is not None:
            # The side that will serve the request proper is the one to permit it, if it knows CORS at all.
            if asked in match.methods and self.table.answers_preflight(scope, asked):
                return _NATIVE
            return _LEGACY if self._legacy_has(scope) else _NATIVE
        # Both have the path, or only the native side has it: then its own 405 is the answer.
        return Decision("legacy" if self._legacy_has(scope) else "native", allow=match.methods)

    def _legacy_has(self, scope: Scope) -> bool:
        known = self.legacy_map
        return known is None or not known.complete or known.knows(scope)

    def _redirects_natively(self, scope: Scope) -> bool:
        """Whether the other form of the path is native, and the legacy side has neither."""
        known = self.legacy_map
        if known is None or not known.complete or route_path(scope) == "/":
            return False
        if not self.table.redirects(scope) or known.knows(scope):
            return False
        return not known.knows({**scope, "path": slash_twin(scope["path"]), "raw_path": None})


def _adapter(legacy: Any, settings: dict[str, Any]) -> WSGIMiddleware:
    if isinstance(legacy, WSGIMiddleware):
        if settings:
            names = ", ".join(sorted(settings))
            raise TypeError(f"legacy is a WSGIMiddleware already: give {names} to that, not to MigrationRouter")
        return legacy
    if not callable(legacy):
        raise TypeError(f"legacy has to be a WSGI application, that is a callable, but is {legacy!r}")
    if is_asgi(legacy):
        raise TypeError(f"legacy has to be a WSGI application, but {legacy!r} is an ASGI one; give what it wraps")
    return WSGIMiddleware(cast(WSGIApplication, legacy), **settings)


def _check_native(native: Any) -> None:
    if not callable(native):
        raise TypeError(f"native has to be an ASGI application, that is a callable, but is {native!r}")
    if is_asgi(native):
        return
    try:
        inspect.signature(native).bind(None, None, None)
    except TypeError:
        raise TypeError(
            f"native has to be an ASGI application (scope, receive, send), but {native!r} takes other arguments; "
            "are legacy and native in each other's place?"
        ) from None
    except ValueError:  # built in: no signature to look at
        return
