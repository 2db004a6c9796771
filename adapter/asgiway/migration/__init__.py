"""From a legacy WSGI application to native ASGI routes, one (path, method) at a time, under unchanged URLs.

``router`` is the ASGI application; it asks ``matching`` (who serves this request natively?) and ``legacy_routes`` (does the
legacy application have this URL at all?), and decides before any byte of a body has moved. ``answers`` rewrites what
concerns both sides (Allow, HEAD), ``lifespan`` starts and ends them together. ``command``, ``report`` and ``conflicts``
are ``asgiway routes``. Whether a route is native is one question in one place (``MigrationRouter.decide``), so that other
states of a route can stand beside it.
"""

from __future__ import annotations

from asgiway.migration.router import MigrationRouter

__all__ = ["MigrationRouter"]
