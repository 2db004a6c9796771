"""For administrators: the state of the stock, the audit log, and a test of the error reporting."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from flask_shop.accounts import admin_required
from flask_shop.state import get_connection, get_shop

__all__ = ["pages"]

pages = Blueprint("admin", __name__, url_prefix="/admin")


@pages.get("/")
@admin_required
def overview() -> ResponseReturnValue:
    connection = get_connection()
    return render_template(
        "admin.html",
        audit=connection.rows("SELECT * FROM audit ORDER BY id DESC LIMIT 30"),
        reorder=connection.rows("SELECT * FROM products WHERE stock < 15 ORDER BY stock, sku"),
        totals=connection.row(
            "SELECT count(*) AS orders, coalesce(sum(total_cents), 0) AS cents, "
            "coalesce(max(placed_at), '') AS latest FROM orders"
        ),
        counters=get_shop().counters,
        database=connection.dialect.name,
    )


@pages.get("/test-alert")
@admin_required
def test_alert() -> ResponseReturnValue:
    """Fail on purpose, to see that errors are logged and answered as they should be."""
    raise RuntimeError("test alert: an administrator asked for this error")
