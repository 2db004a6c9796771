"""Starlette's and FastAPI's routes, asked with their own matchers, in their own order.

Starlette commits to the first route that matches fully: what comes after it is never asked, even if the mount that was
taken has nothing for the path. The walk here does the same, so that a request is only called native when the native
application, called whole, will find the same route. Differences, on purpose:

- A mount is entered, when the application in it has routes; where it has none for the path, the legacy side serves.
- An ``HTTPEndpoint`` class is registered for all methods; only those that it defines count.
- Where a converter raises ValueError (``int`` of 5000 digits), nothing is native: the native application would fail.

Recent versions of FastAPI keep an included router as one entry of the list; ``fastapi.routing.iter_route_contexts`` lays
it open. The order of the routes, and so the one that is taken, is the same as if they stood in the list.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, Final, Literal

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Host, Match, Mount, Route, Router, WebSocketRoute

from asgiway.migration.matching import (
    NOTHING,
    NativeMatch,
    NativeRoute,
    Scope,
    inner_apps,
    route_path,
    slash_twin,
    with_head,
)

__all__ = ["StarletteRoutes"]

_ENDPOINT_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")

_class_of: Callable[[Any], Any] = type

_Parts = list[tuple[re.Pattern[str] | None, Any]]
_Cache = dict[int, tuple[Any, Any, _Parts]]  # id of an entry -> it, its token of change, the routes inside of it


class StarletteRoutes:
    """The table of an application whose routes can be read; see NativeTable for the methods.

    Parameters:
        chain: the application's middleware from the outside in.
        app: the Starlette, FastAPI or Router at its end.
    """

    def __init__(self, chain: list[Any], app: Starlette | Router) -> None:
        self._chain = chain
        self._app = app
        self._cache: _Cache = {}

    @classmethod
    def of(cls, app: Any) -> StarletteRoutes | None:
        """The table of an application, or None if it has no routes to read."""
        chain = inner_apps(app)
        router = _routing_app(chain)
        return None if router is None else cls(chain, router)

    def match(self, scope: Scope) -> NativeMatch:
        """See NativeTable."""
        return _match_app(self._app, dict(scope), "", [], self._cache)  # FastAPI's matchers write into the scope

    def redirects(self, scope: Scope) -> bool:
        """See NativeTable."""
        answer = self.match({**scope, "path": slash_twin(scope["path"])})
        if not answer.served and not answer.methods:
            return False  # the usual case, at the price of one walk
        return _redirects(self._app, dict(scope), self._cache)

    def answers_preflight(self, scope: Scope, method: str) -> bool:
        """See NativeTable."""
        entered: list[Any] = []
        match = _match_app(self._app, {**scope, "method": method}, "", entered, self._cache)
        if not match.served and not (method == "HEAD" and "GET" in match.methods):
            return False
        return any(_has_cors(app) for app in (*self._chain, *entered))

    def routes(self) -> list[NativeRoute]:
        """See NativeTable."""
        return list(_listing(_routes_of(self._app), "", "", self._cache))

    def rejects(self, match: NativeMatch) -> list[str]:
        """See NativeTable; FastAPI's own fields validate, those of dependencies too."""
        dependant = getattr(match.leaf, "dependant", None)
        return [] if dependant is None else sorted(_rejected(dependant, match.params))

    def owns(self, route: NativeRoute, match: NativeMatch) -> bool:
        """See NativeTable."""
        if route.leaf is None or _original(route.leaf) is not _original(match.leaf):
            return False
        return route.path.startswith(match.prefix + getattr(match.leaf, "path", ""))


def _routing_app(chain: Iterable[Any]) -> Starlette | Router | None:
    for app in chain:
        if isinstance(app, (Starlette, Router)):
            return app
    return None


def _match_app(app: Starlette | Router, scope: Scope, prefix: str, entered: list[Any], cache: _Cache) -> NativeMatch:
    _enter(app, scope)
    entered.append(app)
    return _match_routes(_routes_of(app), scope, prefix, entered, cache)


def _enter(app: Starlette | Router, scope: Scope) -> None:
    # FastAPI(root_path=...) puts its own in place of the server's before it routes.
    root = getattr(app, "root_path", "")
    if root:
        scope["root_path"] = root


def _routes_of(app: Starlette | Router) -> list[BaseRoute]:
    return app.routes


def _match_routes(routes: Iterable[Any], scope: Scope, prefix: str, entered: list[Any], cache: _Cache) -> NativeMatch:
    partial: set[str] | None = None
    for route in _candidates(routes, route_path(scope), cache):
        try:
            found, child = route.matches(scope)
        except ValueError:
            return NOTHING  # the native application would get no further either
        if found is Match.NONE:
            continue
        if found is Match.FULL:
            answer = _full(route, scope, child, prefix, entered, cache)
            if answer.served or not partial:
                return answer
            return NativeMatch(served=False, methods=with_head(answer.methods | partial))
        partial = partial or set()
        partial.update(getattr(route, "methods", None) or ())
    return NOTHING if not partial else NativeMatch(served=False, methods=with_head(partial))


def _full(route: Any, scope: Scope, child: Scope, prefix: str, entered: list[Any], cache: _Cache) -> NativeMatch:
    """The answer once the framework has committed to this route."""
    original = _original(route)
    if isinstance(original, (Mount, Host)):
        chain = inner_apps(route.app)
        inner = _routing_app(chain)
        entered.extend(chain)
        if inner is not None and not _catches_all(inner):
            if isinstance(original, Mount):
                prefix += route.path
            return _match_app(inner, {**scope, **child}, prefix, entered, cache)
    else:
        methods = _endpoint_methods(route)
        if methods is not None and scope["method"] not in methods:
            return NativeMatch(served=False, methods=methods)
    return NativeMatch(served=True, leaf=route, prefix=prefix, params=child.get("path_params", {}))


def _redirects(app: Starlette | Router, scope: Scope, cache: _Cache) -> bool:
    """Whether the router that finds nothing for the path would find its other form."""
    _enter(app, scope)
    for route in _candidates(_routes_of(app), route_path(scope), cache):
        found, child = route.matches(scope)
        if found is Match.FULL:
            inner = _routing_app(inner_apps(route.app)) if isinstance(_original(route), (Mount, Host)) else None
            return inner is not None and _redirects(inner, {**scope, **child}, cache)
    router = app.router if isinstance(app, Starlette) else app
    if not router.redirect_slashes or route_path(scope) == "/":
        return False
    twin = {**scope, "path": slash_twin(scope["path"])}
    answer = _match_routes(_routes_of(app), twin, "", [], cache)
    return answer.served or bool(answer.methods)


def _endpoint_methods(route: Any) -> frozenset[str] | None:
    """The methods that an HTTPEndpoint class defines; None when the route itself has decided about the method."""
    endpoint = getattr(route, "endpoint", None)
    if getattr(route, "methods", None) or not isinstance(endpoint, type) or not issubclass(endpoint, HTTPEndpoint):
        return None
    return with_head(method for method in _ENDPOINT_METHODS if getattr(endpoint, method.lower(), None) is not None)


def _catches_all(app: Starlette | Router) -> bool:
    """Whether a mounted router has a `default` of its own for what its routes don't match."""
    router = app.router if isinstance(app, Starlette) else app
    default: Any = router.default
    return getattr(default, "__func__", None) is not Router.not_found


def _candidates(routes: Iterable[Any], path: str, cache: _Cache) -> Iterator[Any]:
    """The routes that have to be asked about a path, those of included routers in their place."""
    for route in routes:
        if _begins_with_expression(_class_of(route)):
            if route.path_regex.match(path) is not None:
                yield route
            continue
        parts = _included(route, cache)
        if parts is None:
            yield route
            continue
        for expression, part in parts:
            if expression is None or expression.match(path) is not None:
                yield part


def _included(route: Any, cache: _Cache) -> _Parts | None:
    """The routes inside of FastAPI's entry for an included router; None if it is no such entry.

    An entry hands out the same list of candidates until a route is added below it; a newer one means: look again.
    """
    routing = sys.modules.get("fastapi.routing")
    lay_open: Callable[[list[Any]], Iterator[Any]] | None = getattr(routing, "iter_route_contexts", None)
    if lay_open is None:
        return None
    token: Any = route.effective_candidates() if hasattr(route, "effective_candidates") else None
    if token is not None:
        known = cache.get(id(route))
        if known is not None and known[0] is route and known[1] is token:
            return known[2]
    contexts = list(lay_open([route]))
    if len(contexts) == 1 and contexts[0].original_route is route:
        return None
    parts: _Parts = [(getattr(context, "path_regex", None), context) for context in contexts]
    if token is not None:
        cache[id(route)] = (route, token, parts)
    return parts


def _original(route: Any) -> Any:
    """The route that was declared: FastAPI's contexts stand for it under the prefix of its router."""
    return route if isinstance(route, BaseRoute) else route.original_route


def _has_cors(app: Any) -> bool:
    if isinstance(app, CORSMiddleware):
        return True
    for entry in getattr(app, "user_middleware", ()):
        if isinstance(entry.cls, type) and issubclass(entry.cls, CORSMiddleware):
            return True
    return False


def _rejected(dependant: Any, params: Any) -> set[str]:
    names: set[str] = set()
    for parameter in dependant.path_params:
        name = parameter.alias
        if name in params and parameter.validate(params[name], {}, loc=("path", name))[1]:
            names.add(name)
    for inner in dependant.dependencies:
        names |= _rejected(inner, params)
    return names


def _listing(routes: Iterable[Any], prefix: str, host: str, cache: _Cache) -> Iterator[NativeRoute]:
    for route in routes:
        original = _original(route)
        if isinstance(original, (Mount, Host)):
            yield from _mount_listing(route, isinstance(original, Mount), prefix, host, cache)
        elif isinstance(original, (Route, WebSocketRoute)):
            kind: Literal["http", "websocket"] = "http" if isinstance(original, Route) else "websocket"
            methods = _endpoint_methods(route) or with_head(getattr(route, "methods", None) or ())
            yield NativeRoute(
                kind=kind,
                methods=methods,
                path=prefix + route.path,
                endpoint=_name_of(route.endpoint),
                host=host,
                leaf=route,
            )
        else:
            parts = _included(original, cache)
            if parts is not None:
                yield from _listing((part for _, part in parts), prefix, host, cache)
            else:
                path = prefix + str(getattr(route, "path", "/{path:path}"))
                yield NativeRoute("http", frozenset(), path, _name_of(type(route)), host, route)


def _mount_listing(route: Any, is_mount: bool, prefix: str, host: str, cache: _Cache) -> Iterator[NativeRoute]:
    if is_mount:
        prefix += route.path
    else:
        host = route.host
    inner = _routing_app(inner_apps(route.app))
    if inner is not None and not _catches_all(inner):
        yield from _listing(_routes_of(inner), prefix, host, cache)
        return
    yield NativeRoute(
        kind="mount" if is_mount else "host",
        methods=frozenset(),
        path=prefix + "/{path:path}",
        endpoint=_name_of(inner_apps(route.app)[-1]),
        host=host,
        leaf=route,
    )


def _name_of(endpoint: Any) -> str:
    """module.function, or the class of an object."""
    while hasattr(endpoint, "func"):  # functools.partial
        endpoint = endpoint.func
    named = endpoint if hasattr(endpoint, "__qualname__") else _class_of(endpoint)
    return f"{named.__module__}.{named.__qualname__}"


@cache
def _begins_with_expression(kind: Any) -> bool:
    """Whether `matches` of this class begins with ``path_regex``, so that what it refuses need not be asked.

    Asking the expression alone costs a third; a class with a `matches` of its own is asked itself.
    """
    inherited = getattr(kind, "matches", None)
    known: list[Any] = [Route.matches, Mount.matches, WebSocketRoute.matches]
    routing: Any = sys.modules.get("fastapi.routing")
    if routing is not None:
        known += [routing.APIRoute.matches, routing.APIWebSocketRoute.matches]
    return inherited in known
