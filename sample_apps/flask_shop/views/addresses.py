"""Where a form may send its visitor next."""

from __future__ import annotations

from urllib.parse import urlsplit

__all__ = ["safe_next"]


def safe_next(given: str | None, otherwise: str) -> str:
    """Return ``given`` if it is a path on this site, else ``otherwise``, so that no link of ours leads elsewhere."""
    if not given or not given.startswith("/") or given.startswith(("//", "/\\")) or any(c < " " for c in given):
        return otherwise
    parts = urlsplit(given)
    return given if not parts.scheme and not parts.netloc else otherwise
