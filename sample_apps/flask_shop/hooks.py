"""What happens around every request: an id, the customer, the currency; headers afterwards; tidying up at the end."""

from __future__ import annotations

import re
import secrets
import time
from typing import Any, Final

from flask import Flask, Response, g, request, session

from flask_shop.accounts import identify
from flask_shop.rates import CURRENCIES
from flask_shop.state import get_shop

__all__ = ["register"]

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
CSP: Final = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'"


def _begin() -> None:
    get_shop().counters.count("begun")
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    chosen = request.cookies.get("currency", "EUR")
    g.currency = chosen if chosen in CURRENCIES else "EUR"
    if request.endpoint != "static":
        identify()


def _finish(response: Response) -> Response:
    counters = get_shop().counters
    counters.count("answered")
    if response.direct_passthrough:
        counters.count("closed")  # a file goes to the server as it is: nobody closes the response around it
    else:
        response.call_on_close(lambda: counters.count("closed"))
    response.headers["X-Request-ID"] = g.request_id
    response.headers["Server-Timing"] = f"app;dur={(time.perf_counter() - g.started) * 1000:.1f}"
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if response.mimetype == "text/html":
        response.headers.setdefault("Content-Security-Policy", CSP)
        response.headers.setdefault("Cache-Control", "no-cache")
    return response


def _tear_down(error: BaseException | None) -> None:
    # Flask tears a streamed request down twice: when the view has returned, and when its stream has ended.
    if not g.get("torn_down"):
        g.torn_down = True
        get_shop().counters.count("torn_down")


def _close_connection(error: BaseException | None) -> None:
    connection = g.pop("connection", None)
    if connection is not None:
        connection.close()


def _money(cents: int) -> str:
    """Show an amount in the visitor's currency, or in euro while its rate is not known."""
    if g.currency != "EUR":
        rate = get_shop().rates.current().rates.get(g.currency)
        if rate is not None:
            return f"{cents * rate / 100:,.2f} {g.currency}"
    return f"{cents / 100:,.2f} EUR"


def _page_context() -> dict[str, Any]:
    # Also for the page of an error in the hooks themselves, when nothing is known of the visitor yet.
    currency = g.setdefault("currency", "EUR")
    rates_missing = currency != "EUR" and not get_shop().rates.current().available
    cart: dict[str, int] = session.get("cart", {})
    return {
        "customer": g.get("customer"),
        "currency": currency,
        "currencies": CURRENCIES,
        "rates_missing": rates_missing,
        "cart_size": sum(cart.values()),
    }


def register(app: Flask) -> None:
    """Attach the hooks, the template filter and the template context to ``app``."""
    app.before_request(_begin)
    app.after_request(_finish)
    app.teardown_request(_tear_down)
    app.teardown_appcontext(_close_connection)
    app.template_filter("money")(_money)
    app.context_processor(_page_context)
