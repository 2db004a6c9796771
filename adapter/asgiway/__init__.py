"""asgiway: run a WSGI application inside ASGI, unchanged, with every promise of PEP 3333 kept.

``WSGIMiddleware`` is the door. The rules of PEP 3333 stand in ``environ``, ``response`` and ``request_body`` (no threads,
no loop); ``pool`` has the worker threads, ``loops`` the event loops, ``exchange`` and ``receiver`` what passes between
them, and ``bridge`` one request's way through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiway.errors import AdapterError, ClientDisconnected, SettingsError
from asgiway.middleware import WSGIMiddleware
from asgiway.readiness import drain

if TYPE_CHECKING:
    from asgiway.migration import MigrationRouter

__all__ = [
    "AdapterError",
    "ClientDisconnected",
    "MigrationRouter",
    "SettingsError",
    "WSGIMiddleware",
    "__version__",
    "drain",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "MigrationRouter":  # who only runs a WSGI application does not pay for the router's import
        from asgiway.migration import MigrationRouter

        return MigrationRouter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
