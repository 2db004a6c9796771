"""What one running shop holds besides its configuration, and how a request reaches it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from flask import current_app, g

from flask_shop.database import Connection, Database
from flask_shop.rates import Rates

__all__ = ["Counters", "Shop", "get_connection", "get_shop"]


@dataclass(slots=True)
class Counters:
    """Requests begun, answered (the response made), torn down and closed (the response gone); equal when nothing runs."""

    begun: int = 0
    answered: int = 0
    torn_down: int = 0
    closed: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count(self, what: str) -> None:
        """Add one to ``what``; called from many threads."""
        with self._lock:
            setattr(self, what, getattr(self, what) + 1)


@dataclass(slots=True, eq=False, weakref_slot=True)  # signals hold it weakly, as their sender
class Shop:
    """The shop's database, rates and upload folder."""

    database: Database
    rates: Rates
    uploads: Path
    counters: Counters = field(default_factory=Counters)

    def close(self) -> None:
        """Close connections and stop the rates service if the shop started it."""
        self.rates.close()
        self.database.close()


def get_shop() -> Shop:
    """Return the state of the application that serves the current request."""
    shop = current_app.extensions["shop"]
    assert isinstance(shop, Shop)
    return shop


def get_connection() -> Connection:
    """Return this request's connection, opened on first use; ``hooks`` closes it."""
    connection: Connection | None = g.get("connection")
    if connection is None:
        connection = g.connection = get_shop().database.connect()
    return connection
