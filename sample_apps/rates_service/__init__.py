"""The exchange-rate service that the sample shops call: a real HTTP server, small enough to run anywhere.

Run it by itself with ``python -m rates_service --port 8100``, or inside another program with :class:`RatesService`.
``GET /rates`` answers all rates, ``GET /rates/SEK`` one; ``?delay=0.2`` makes it as slow as the real ones are at times.
"""

from __future__ import annotations

from rates_service.server import PUBLISHED_RATES, RatesService

__all__ = ["PUBLISHED_RATES", "RatesService"]
