"""Default configuration; ``create_app(config)`` and the environment override it, in this order of strength."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

__all__ = ["defaults", "load_secret_key"]


def defaults() -> dict[str, Any]:
    """Return the settings that every installation starts from.

    ``DATABASE_URL`` (PostgreSQL) and ``RATES_URL`` come from the environment when they are set there. Without the
    first the data lives in a SQLite file in the instance folder; without the second the shop starts a rates
    service of its own.
    """
    return {
        "DATABASE_URL": os.environ.get("DATABASE_URL"),
        "DATABASE_POOL_SIZE": 15,  # PostgreSQL connections; more requests than that wait for one
        "RATES_URL": os.environ.get("RATES_URL"),
        "RATES_TIMEOUT": 2.0,  # seconds
        "RATES_MAX_AGE": 60.0,  # seconds
        "MAX_CONTENT_LENGTH": 32 * 1024 * 1024,
        "SESSION_COOKIE_NAME": "shop_session",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PAGE_SIZE": 12,
    }


def load_secret_key(instance: Path) -> str:
    """Return the key that signs sessions, made on first start and kept in ``instance``."""
    path = instance / "secret_key"
    fresh = instance / f"secret_key.{secrets.token_hex(8)}"
    if not path.exists():
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        try:
            # Unlike a rename a link never replaces: of several processes that start at once, the first one wins.
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text(encoding="ascii")
