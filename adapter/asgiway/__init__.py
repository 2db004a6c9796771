"""asgiway: run a WSGI application inside ASGI, unchanged, with every promise of PEP 3333 kept.

``WSGIMiddleware`` is the door. The rules of PEP 3333 stand in ``environ``, ``response`` and ``request_body`` (no threads,
no loop); ``pool`` has the worker threads, ``loops`` the event loops, ``exchange`` and ``receiver`` what passes between
them, and ``bridge`` one request's way through.
"""

from __future__ import annotations

from asgiway.errors import AdapterError, ClientDisconnected, SettingsError
from asgiway.middleware import WSGIMiddleware
from asgiway.readiness import drain

__all__ = ["AdapterError", "ClientDisconnected", "SettingsError", "WSGIMiddleware", "__version__", "drain"]

__version__ = "0.1.0"
