"""Carts and orders: what a checkout means, without any page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from flask_shop.accounts import Customer
from flask_shop.database import Connection
from flask_shop.errors import OutOfStockError
from flask_shop.signals import order_placed
from flask_shop.state import get_shop

__all__ = ["Line", "cart_lines", "now", "place_order", "total"]


@dataclass(frozen=True, slots=True)
class Line:
    """Some pieces of one product, at today's price in cents."""

    product_id: int
    sku: str
    name: str
    quantity: int
    unit_cents: int

    @property
    def cents(self) -> int:
        """The price of the line."""
        return self.quantity * self.unit_cents


def now() -> str:
    """Return the present, as the tables hold it."""
    return datetime.now(UTC).isoformat(sep=" ", timespec="seconds")


def cart_lines(connection: Connection, cart: dict[str, int]) -> list[Line]:
    """Look up what a cart (sku -> quantity) holds today; products that are gone are left out."""
    lines: list[Line] = []
    for sku, quantity in sorted(cart.items()):
        row = connection.row("SELECT * FROM products WHERE sku = ?", sku)
        if row is not None:
            lines.append(Line(row["id"], sku, row["name"], quantity, row["price_cents"]))
    return lines


def total(lines: list[Line]) -> int:
    """Add up lines, in cents."""
    return sum(line.cents for line in lines)


def place_order(connection: Connection, customer: Customer, lines: list[Line]) -> int:
    """Take the lines out of stock and write the order, all or nothing; return its number.

    Raises :class:`OutOfStockError` when another customer was quicker.
    """
    with connection.transaction():
        placed_at = now()
        order_id = int(
            connection.value(
                "INSERT INTO orders (customer_id, placed_at, total_cents) VALUES (?, ?, ?) RETURNING id",
                customer.id,
                placed_at,
                total(lines),
            )
        )
        for line in lines:
            taken = connection.change(
                "UPDATE products SET stock = stock - ? WHERE id = ? AND stock >= ?",
                line.quantity,
                line.product_id,
                line.quantity,
            )
            if not taken:
                left = connection.value("SELECT stock FROM products WHERE id = ?", line.product_id)
                raise OutOfStockError(line.name, left)
            connection.change(
                "INSERT INTO order_lines (order_id, sku, name, quantity, unit_cents) VALUES (?, ?, ?, ?, ?)",
                order_id,
                line.sku,
                line.name,
                line.quantity,
                line.unit_cents,
            )
            connection.change(
                "INSERT INTO movements (sku, moved_at, quantity, reason) VALUES (?, ?, ?, 'sale')",
                line.sku,
                placed_at[:16],
                -line.quantity,
            )
    order_placed.send(get_shop(), actor=customer.email, order_id=order_id, total_cents=total(lines))
    return order_id
