"""Which calls have an asynchronous twin with the same arguments on the same object. The catalogue names it; here stands whose are exact.

Imports no libcst, so that a run without fixes can tell what they could do.
"""

from __future__ import annotations

from collections.abc import Mapping

from asgiway_lint.catalogue import load

__all__ = ["LIBRARIES", "twin_of"]

# Library -> what its twins need besides it, and why using them is then no safe fix.
# Twilio's `create_async` is missing on purpose: it works with another client only.
LIBRARIES: Mapping[str, tuple[str, str]] = {
    "django": ("", ""),
    "stripe": ("httpx", "stripe's `*_async` methods send through httpx, which has to be installed"),
}


def twin_of(symbol: str) -> str:
    """Return the name of the exact twin of a call, by its qualified name; empty if it has none."""
    if symbol.partition(".")[0] not in LIBRARIES:
        return ""
    entry = load().find(symbol)
    if entry is None:
        return ""
    name = symbol.rpartition(".")[2]
    twin = entry.use.rpartition(".")[2]
    return twin if twin in (f"a{name}", f"{name}_async") and twin.isidentifier() else ""
