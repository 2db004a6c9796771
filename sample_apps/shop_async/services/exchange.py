"""A service object with a client in an attribute, as frameworks of the 2010s taught us."""

from __future__ import annotations

from dataclasses import dataclass, field

import requests

__all__ = ["Bank", "ExchangeDesk", "PatientDesk"]


class ExchangeDesk:
    """Quotes amounts in foreign currencies."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = requests.Session()
        self.client.headers["User-Agent"] = "spoke-and-saddle/2"

    async def quote(self, cents: int, currency: str) -> int:
        answer = self.client.get(f"{self.url}/rates/{currency}", timeout=2)  # AW102 typed: requests.Session.get
        return round(cents * float(answer.json()["rate"]))

    async def quote_several(self, cents: int, currencies: list[str]) -> list[int]:
        rates = [self._rate(code) for code in currencies]  # AW102 via: ExchangeDesk._rate -> requests.Session.get
        return [round(cents * rate) for rate in rates]

    def _rate(self, currency: str) -> float:
        return float(self.client.get(f"{self.url}/rates/{currency}", timeout=2).json()["rate"])

    async def close(self) -> None:
        self.client.close()


class PatientDesk(ExchangeDesk):
    """Checks that the service is there first."""

    async def quote(self, cents: int, currency: str) -> int:
        self.client.head(f"{self.url}/rates", timeout=2)  # AW102 typed: requests.Session.head
        return await super().quote(cents, currency)


@dataclass
class Bank:
    """The same with a dataclass."""

    url: str
    browser: requests.Session = field(default_factory=requests.Session)

    async def is_open(self) -> bool:
        return self.browser.get(f"{self.url}/rates", timeout=2).ok  # AW102 typed: requests.Session.get
