"""Signals of the shop and who listens: the audit log is written by a subscriber, not by the checkout."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from blinker import Namespace
from flask import Flask

from flask_shop.state import Shop, get_connection

__all__ = ["order_placed", "product_changed", "register"]

_signals = Namespace()
order_placed = _signals.signal("order-placed")
product_changed = _signals.signal("product-changed")


def _record(actor: str, event: str, detail: str) -> None:
    get_connection().change(
        "INSERT INTO audit (happened_at, actor, event, detail) VALUES (?, ?, ?, ?)",
        datetime.now(UTC).isoformat(sep=" ", timespec="seconds"),
        actor,
        event,
        detail,
    )


def _on_order(sender: Shop, *, actor: str, order_id: int, total_cents: int, **extra: Any) -> None:
    _record(actor, "order placed", f"order {order_id}, {total_cents / 100:.2f} EUR")


def _on_product(sender: Shop, *, actor: str, sku: str, what: str, **extra: Any) -> None:
    _record(actor, f"product {what}", sku)


def register(app: Flask) -> None:
    """Connect the subscribers for the signals that this application's shop sends."""
    shop = app.extensions["shop"]
    order_placed.connect(_on_order, sender=shop)
    product_changed.connect(_on_product, sender=shop)
