"""Whether this process should get new requests: ``asgiway.drain()`` says no before the server is told to stop.

A load balancer that asks ``/readyz`` needs a few seconds to notice; until then requests still come, and are served. So
``drain()`` refuses nothing, which is what tells it from the adapter's own drain at shutdown (``WSGIMiddleware.aclose``).
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asgiway.middleware import WSGIMiddleware

__all__ = ["drain", "is_leaving", "resume"]

_all_leaving = False
_leaving: weakref.WeakSet[WSGIMiddleware] = weakref.WeakSet()


def drain(*adapters: WSGIMiddleware) -> None:
    """Have ``/readyz`` answer 503 from now on, while requests are still served.

    Takes no lock and writes no log, so that a signal handler may call it.

    Parameters:
        adapters: those that are to be left alone; none: all of this process.
    """
    global _all_leaving
    if adapters:
        _leaving.update(adapters)
    else:
        _all_leaving = True


def resume(*adapters: WSGIMiddleware) -> None:
    """Undo ``drain()``: of these adapters, or of all.

    After a ``drain()`` of all, only a ``resume()`` of all has an effect.
    """
    global _all_leaving
    if adapters:
        _leaving.difference_update(adapters)
    else:
        _all_leaving = False
        _leaving.clear()


def is_leaving(adapter: WSGIMiddleware) -> bool:
    """Whether ``drain()`` was called for this adapter."""
    return _all_leaving or adapter in _leaving
