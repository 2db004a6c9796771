"""Who serves a request natively: the types of the answer, routes that are listed by hand, and the choice of a matcher.

Nothing here imports a web framework; ``starlette_routes`` does, and is imported when the native application uses it.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from asgiway.errors import SettingsError
from asgiway.migration.path_syntax import compile_path

__all__ = [
    "ANY_METHOD",
    "NOTHING",
    "ListedRoutes",
    "NativeMatch",
    "NativeRoute",
    "NativeTable",
    "inner_apps",
    "native_table",
    "probe",
    "route_path",
    "slash_twin",
    "with_head",
]

Scope = MutableMapping[str, Any]

ANY_METHOD: Final = "*"
"""In a listed route: whatever the method."""

_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2: token


@dataclass(frozen=True, slots=True)
class NativeMatch:
    """What the native application has for a path and method.

    Parameters:
        served: a native route matches both.
        methods: if not: the methods that native routes serve at this path; empty when the path is not native at all.
        leaf: with `served`: the route object that serves, as the framework has it.
        prefix: with `served`: the mounts in front of it.
        params: with `served`: path parameters.
    """

    served: bool
    methods: frozenset[str] = frozenset()
    leaf: Any = None
    prefix: str = ""
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])


NOTHING: Final = NativeMatch(served=False)


@dataclass(frozen=True, slots=True)
class NativeRoute:
    """One native route, as ``asgiway routes`` shows it.

    Parameters:
        kind: "http", "websocket", "mount" (an application that owns everything under its path) or "host".
        methods: empty: all.
        path: in Starlette's syntax, with the mounts in front; of a mount it ends in "/{path:path}".
        endpoint: what to call the function behind it.
        host: pattern of a Host route around it, or "".
        leaf: the route object, as in NativeMatch.
    """

    kind: Literal["http", "websocket", "mount", "host"]
    methods: frozenset[str]
    path: str
    endpoint: str
    host: str = ""
    leaf: Any = field(default=None, compare=False, repr=False)


class NativeTable(Protocol):
    """The native application's routes, read anew with every question, so that routes added later are seen."""

    def match(self, scope: Scope) -> NativeMatch:
        """What is native for this http scope, which is not changed."""
        ...

    def redirects(self, scope: Scope) -> bool:
        """Whether the native application, left alone, would redirect to the same path with or without its last slash."""
        ...

    def answers_preflight(self, scope: Scope, method: str) -> bool:
        """Whether a CORS middleware of the native side stands in front of what serves `method` at this path."""
        ...

    def routes(self) -> list[NativeRoute]:
        """All routes in their order."""
        ...

    def rejects(self, match: NativeMatch) -> list[str]:
        """Names of path parameters whose annotations refuse the values that `match` has found (FastAPI: 422)."""
        ...

    def owns(self, route: NativeRoute, match: NativeMatch) -> bool:
        """Whether `match` was served by `route`."""
        ...


class ListedRoutes:
    """Native routes that were listed by hand, in front of those that are read from the application, if it can be read.

    Parameters:
        routes: pairs of a method (or several, or "*") and a path in Starlette's syntax.
        behind: the application's own table, or None.

    Raises:
        SettingsError: an entry is not such a pair.
    """

    def __init__(self, routes: Iterable[object], behind: NativeTable | None = None) -> None:
        self._behind = behind
        self._listed = [(route, compile_path(route.path)) for route in map(_listed, routes)]

    def match(self, scope: Scope) -> NativeMatch:
        """See NativeTable."""
        path = route_path(scope)
        method = scope["method"]
        methods: set[str] = set()
        for route, expression in self._listed:
            found = expression.fullmatch(path)
            if found is None:
                continue
            if not route.methods or method in route.methods:
                return NativeMatch(served=True, leaf=route)
            methods |= route.methods
        if self._behind is None:
            if not methods:
                return NOTHING
            answer = NOTHING
        else:
            answer = self._behind.match(scope)
            if answer.served or not methods:
                return answer
        return NativeMatch(served=False, methods=with_head(answer.methods | methods))

    def redirects(self, scope: Scope) -> bool:
        """See NativeTable: what an unknown application does about slashes is unknown."""
        return self._behind is not None and self._behind.redirects(scope)

    def answers_preflight(self, scope: Scope, method: str) -> bool:
        """See NativeTable."""
        return self._behind is not None and self._behind.answers_preflight(scope, method)

    def routes(self) -> list[NativeRoute]:
        """See NativeTable."""
        return [route for route, _ in self._listed] + ([] if self._behind is None else self._behind.routes())

    def rejects(self, match: NativeMatch) -> list[str]:
        """See NativeTable."""
        return [] if self._behind is None else self._behind.rejects(match)

    def owns(self, route: NativeRoute, match: NativeMatch) -> bool:
        """See NativeTable."""
        if isinstance(match.leaf, NativeRoute):
            return match.leaf is route
        return self._behind is not None and self._behind.owns(route, match)


def native_table(app: Callable[..., Any], listed: Sequence[object] | None) -> NativeTable:
    """The table of a native application.

    Parameters:
        app: an ASGI application; Starlette's and FastAPI's are read, also through middleware that keeps the inner
            application in ``app``.
        listed: routes listed by hand; with an application that can be read they come on top.

    Raises:
        SettingsError: neither can its routes be read nor are any listed, or a listed one is not a route.
    """
    found: NativeTable | None = None
    if "starlette.routing" in sys.modules:  # an application made of it has imported it
        from asgiway.migration.starlette_routes import StarletteRoutes

        found = StarletteRoutes.of(app)
    if listed is not None:
        return ListedRoutes(listed, found)
    if found is None:
        raise SettingsError(
            f"the routes of {app!r} cannot be read, since it is no Starlette or FastAPI application; list them: "
            'MigrationRouter(..., routes=[("GET", "/users/{id:int}"), ...])'
        )
    return found


def inner_apps(app: Any) -> list[Any]:
    """The application and those that it wraps as middleware does, from the outside in."""
    chain: list[Any] = []
    while callable(app) and not any(app is seen for seen in chain):
        chain.append(app)
        inner = getattr(app, "app", None)
        app = None if inspect.ismethod(inner) else inner  # Starlette's Router has a method of that name
    return chain


def route_path(scope: Scope) -> str:
    """The path inside the mount point (ASGI HTTP scope: `path` contains `root_path`); tolerates servers that leave it out."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root and path.startswith(root) and path[len(root) : len(root) + 1] in ("", "/"):
        return path[len(root) :]
    return path


def slash_twin(path: str) -> str:
    """The same path with its last slash added or removed, as Starlette does it."""
    return path.rstrip("/") if path.endswith("/") else path + "/"


def with_head(methods: Iterable[str]) -> frozenset[str]:
    """The methods with HEAD, if GET is among them (RFC 9110, 9.3.2)."""
    known = frozenset(methods)
    return known | {"HEAD"} if "GET" in known else known


def probe(method: str, path: str, host: str = "") -> Scope:
    """An http scope for asking what would happen to a request."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", (host or "localhost").encode("latin-1"))],
        "server": ("localhost", 80),
    }


def _listed(entry: Any) -> NativeRoute:
    try:
        given, path = entry
        methods: list[str] = [given] if isinstance(given, str) else list(given)
    except (TypeError, ValueError):
        methods, path = [], None
    if not methods or not isinstance(path, str) or not all(isinstance(each, str) for each in methods):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SettingsError(
            f'routes: {entry!r} is not a pair of a method and a path, as ("GET", "/users/{{id:int}}") is'
        )
    for method in methods:
        if not _METHOD.fullmatch(method):
            raise SettingsError(f"routes: {method!r} is not a method; the entry is {entry!r}")
    return NativeRoute(
        kind="http",
        methods=frozenset() if ANY_METHOD in methods else frozenset(method.upper() for method in methods),
        path=path,
        endpoint="(listed)",
    )
