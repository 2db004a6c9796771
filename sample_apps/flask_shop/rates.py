"""Exchange rates: fetched over HTTP, kept for a minute, and honest about it when the service is down."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests

from rates_service import RatesService

__all__ = ["CURRENCIES", "Quotation", "Rates"]

log = logging.getLogger(__name__)

CURRENCIES: Final = ("EUR", "CHF", "DKK", "GBP", "NOK", "SEK", "USD")
RETRY_AFTER: Final = 5.0  # seconds that a failed service is left alone


@dataclass(frozen=True, slots=True)
class Quotation:
    """Rates of one day, against the euro; ``available`` is False when they could not be fetched."""

    date: str
    rates: Mapping[str, float]
    available: bool = True


NO_RATES: Final = Quotation(date="", rates={"EUR": 1.0}, available=False)


class Rates:
    """A client of the rates service at ``url``; with no URL it starts one of its own on first use.

    ``timeout`` and ``max_age`` are seconds. Safe to use from many threads: one fetches, the others wait for it.
    """

    def __init__(self, url: str | None, timeout: float = 2.0, max_age: float = 60.0) -> None:
        self._url = url
        self._timeout = timeout
        self._max_age = max_age
        self._lock = threading.Lock()
        self._service: RatesService | None = None
        self._latest: Quotation | None = None
        self._good_until = 0.0

    def current(self) -> Quotation:
        """Return today's rates; the last known ones, or euro only, while the service does not answer."""
        with self._lock:
            if self._latest is None or time.monotonic() >= self._good_until:
                self._latest = self._fetch()
            return self._latest

    def _fetch(self) -> Quotation:
        try:
            answer = requests.get(f"{self._address()}/rates", timeout=self._timeout)
            answer.raise_for_status()
            content: Any = answer.json()
            quotation = Quotation(content["date"], {code: float(content["rates"][code]) for code in CURRENCIES})
        except (requests.RequestException, OSError, KeyError, TypeError, ValueError) as error:
            log.warning("exchange rates are unavailable: %s", error)
            self._good_until = time.monotonic() + RETRY_AFTER
            known = self._latest or NO_RATES
            return Quotation(known.date, known.rates, available=False)
        self._good_until = time.monotonic() + self._max_age
        return quotation

    def _address(self) -> str:
        if self._url is not None:
            return self._url.rstrip("/")
        if self._service is None:
            self._service = RatesService().start()
        return self._service.url

    def close(self) -> None:
        """Stop the service, if it is this shop's own."""
        with self._lock:
            if self._service is not None:
                self._service.stop()
                self._service = None
