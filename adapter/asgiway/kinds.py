"""Tells an ASGI application from a WSGI one, where somebody has given the wrong one."""

from __future__ import annotations

import inspect

__all__ = ["is_asgi"]


def is_asgi(app: object) -> bool:
    """Whether calling `app` makes a coroutine, as ASGI 3 has it and WSGI has not; an ASGI application may hide that."""
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(getattr(app, "__call__", None))  # noqa: B004
