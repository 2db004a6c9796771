"""The old rates module, as it was: synchronous, and called from everywhere."""

from __future__ import annotations

from typing import Any, Final

import requests

__all__ = ["MOST_DIGITS", "current", "round_cents"]

MOST_DIGITS: Final = 4


def current(url: str, currency: str) -> float:
    """Return today's rate of ``currency``."""
    return float(_ask(url, currency)["rate"])


def _ask(url: str, currency: str) -> Any:
    answer = requests.get(f"{url}/rates/{currency}", timeout=2)
    answer.raise_for_status()
    return answer.json()


def round_cents(cents: int, rate: float) -> int:
    """Convert an amount; no I/O."""
    return round(cents * round(rate, MOST_DIGITS))
