"""Flask's URL map, asked as Flask asks it: through the adapter that it binds for a request."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Final

from flask import Flask
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Rule

from asgiway.environ import split_path
from asgiway.migration.legacy_routes import LegacyRoute
from asgiway.migration.url_patterns import parse_flask

__all__ = ["FlaskRoutes"]

Scope = MutableMapping[str, Any]

_NO_METHOD: Final = "-"  # a token that no rule lists: the map answers with the methods it has


class FlaskRoutes:
    """The map of a Flask application; see LegacyMap for the methods.

    Parameters:
        app: the application.
        complete: whether only its map decides which URLs exist.
    """

    framework = "Flask"

    def __init__(self, app: Flask, complete: bool) -> None:
        self._app = app
        self.complete = complete

    @classmethod
    def of(cls, app: Any) -> FlaskRoutes | None:
        """The map of `app`: a Flask, its ``wsgi_app``, or WSGI middleware with one of the two inside of it."""
        complete = True
        while True:
            owner = getattr(app, "__self__", None)
            if isinstance(owner, Flask) and app == owner.wsgi_app:
                app = owner
            if isinstance(app, Flask):
                return cls(app, complete and _only_the_map_decides(app))
            complete = complete and type(app) is ProxyFix
            inner = getattr(app, "app", None) or getattr(app, "wsgi_app", None)
            if inner is None or inner is app:
                return None
            app = inner

    def prepare(self) -> None:
        """See LegacyMap: nothing to do."""

    def knows(self, scope: Scope) -> bool:
        """See LegacyMap."""
        # A redirect to the form with a slash depends on the method, so this is asked as well.
        return any(self._finds(scope, method) for method in (_NO_METHOD, scope["method"]))

    def serves(self, scope: Scope) -> LegacyRoute | None:
        """See LegacyMap."""
        try:
            rule = self._match(scope, scope["method"])
        except HTTPException:
            return None
        return self._route(rule)

    def routes(self) -> list[LegacyRoute]:
        """See LegacyMap."""
        return [
            self._route(rule) for rule in self._app.url_map.iter_rules() if not rule.build_only and not rule.websocket
        ]

    def _finds(self, scope: Scope, method: str) -> bool:
        try:
            self._match(scope, method)
        except NotFound:
            return False
        except HTTPException:  # a method that is not allowed, a redirect, a host that is not trusted
            return True
        return True

    def _route(self, rule: Rule) -> LegacyRoute:
        host = rule.host or ""
        if rule.subdomain:
            host = f"{rule.subdomain}.{self._app.config['SERVER_NAME'] or 'localhost'}"
        return LegacyRoute(
            methods=frozenset(rule.methods or ()),
            path=rule.rule,
            endpoint=str(rule.endpoint),
            forms=(parse_flask(rule.rule),),
            host=host,
        )

    def _match(self, scope: Scope, method: str) -> Rule:
        script, path = split_path(scope["path"], scope.get("root_path", ""), scope.get("raw_path"))
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": script,
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": scope.get("scheme", "http"),
        }
        for name, value in scope["headers"]:
            if name == b"host":
                environ["HTTP_HOST"] = value.decode("latin-1")
        adapter = self._app.create_url_adapter(self._app.request_class(environ))
        if adapter is None:
            raise RuntimeError("Flask binds its URL map for every request")
        return adapter.match(method=method, return_rule=True)[0]


def _only_the_map_decides(app: Flask) -> bool:
    wsgi_app: Any = app.wsgi_app
    behind_proxy = type(wsgi_app) is ProxyFix
    if behind_proxy:
        wsgi_app = wsgi_app.app
    if behind_proxy and (app.url_map.host_matching or app.subdomain_matching):
        return False  # the host that counts is ProxyFix's
    kind = type(app)
    return (
        getattr(wsgi_app, "__func__", None) is Flask.wsgi_app
        and kind.__call__ is Flask.__call__
        and kind.create_url_adapter is Flask.create_url_adapter
    )
