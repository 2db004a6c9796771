"""Shipping: between the routers and the label printer."""

from __future__ import annotations

from pathlib import Path

from shop_async.services import labels

__all__ = ["book_parcel", "cost"]


def book_parcel(folder: Path, sku: str, recipient: str) -> str:
    """Book a parcel and print its label; return the label's name."""
    return labels.print_label(folder, f"{sku} to {recipient}\n")


def cost(grams: int) -> int:
    """Return the postage in cents; no I/O."""
    return 490 if grams <= 2000 else 890
