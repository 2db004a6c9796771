"""Which URLs the legacy application has, asked of its own URL map: Flask's and Django's, as far as it is the whole truth.

The map decides only where the native side has something to say about a path and no route for the request (a 405, a
slash redirect of its own). An application whose map is unknown, or stands behind middleware that may answer by itself,
is taken to have every URL. Frameworks are recognised by the modules that are loaded; none is imported from here.
"""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from asgiway.migration.url_patterns import Pattern

__all__ = ["LegacyMap", "LegacyRoute", "legacy_map"]

Scope = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True)
class LegacyRoute:
    """One route of the legacy application.

    Parameters:
        methods: empty: whatever the view makes of them.
        path: as the framework writes it.
        endpoint: what the framework calls it.
        forms: the path for comparisons; more than one where a part of it is optional.
        host: host or subdomain that it is bound to, or "".
    """

    methods: frozenset[str]
    path: str
    endpoint: str
    forms: tuple[Pattern, ...] = field(compare=False, repr=False)
    host: str = ""


class LegacyMap(Protocol):
    """The URL map of a legacy application, read anew with every question."""

    framework: str
    """What to call its kind."""

    complete: bool
    """Whether nothing but the map decides if a URL exists."""

    def prepare(self) -> None:
        """Do now what the first question would have to do (Django: import the URLconf)."""
        ...

    def knows(self, scope: Scope) -> bool:
        """Whether the application has the URL with any method, or redirects from it."""
        ...

    def serves(self, scope: Scope) -> LegacyRoute | None:
        """The route that would serve this request."""
        ...

    def routes(self) -> list[LegacyRoute]:
        """All routes in their order."""
        ...


def legacy_map(app: Any) -> LegacyMap | None:
    """The map of a WSGI application, or None if its framework is not known."""
    if "flask" in sys.modules:
        from asgiway.migration.flask_routes import FlaskRoutes

        flask = FlaskRoutes.of(app)
        if flask is not None:
            return flask
    if "django.core.handlers.wsgi" in sys.modules:
        from asgiway.migration.django_routes import DjangoRoutes

        return DjangoRoutes.of(app)
    return None
