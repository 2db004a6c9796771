"""The tables, and what is in them on the first day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from werkzeug.security import generate_password_hash

from flask_shop.database import Connection, Database
from flask_shop.products import PRODUCTS

__all__ = ["DEMO_ACCOUNTS", "FIRST_MOVEMENTS", "prepare"]

FIRST_MOVEMENTS: Final = 100_000
LEDGER_STARTS: Final = datetime(2025, 1, 2, 8, 0)

# (email, name, password, is administrator); printed on the sign-in page, because this is a demonstration.
DEMO_ACCOUNTS: Final = (
    ("ines@spokeandsaddle.example", "Inês Duarte", "cobbled-lanes", 0),
    ("anselm@spokeandsaddle.example", "Anselm Roth", "true-the-wheel", 1),
)

TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS products (
        id {identity}, sku TEXT NOT NULL UNIQUE, category TEXT NOT NULL, name TEXT NOT NULL,
        description TEXT NOT NULL, price_cents INTEGER NOT NULL CHECK (price_cents > 0),
        stock INTEGER NOT NULL CHECK (stock >= 0), weight_grams INTEGER NOT NULL, version INTEGER NOT NULL DEFAULT 1)""",
    """CREATE TABLE IF NOT EXISTS customers (
        id {identity}, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, password_hash TEXT NOT NULL,
        is_admin INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE IF NOT EXISTS orders (
        id {identity}, customer_id INTEGER NOT NULL REFERENCES customers (id), placed_at TEXT NOT NULL,
        total_cents INTEGER NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS order_lines (
        id {identity}, order_id INTEGER NOT NULL REFERENCES orders (id), sku TEXT NOT NULL, name TEXT NOT NULL,
        quantity INTEGER NOT NULL, unit_cents INTEGER NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS movements (
        id {identity}, sku TEXT NOT NULL, moved_at TEXT NOT NULL, quantity INTEGER NOT NULL, reason TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS documents (
        id {identity}, customer_id INTEGER NOT NULL REFERENCES customers (id), name TEXT NOT NULL,
        stored_as TEXT NOT NULL UNIQUE, media_type TEXT NOT NULL, size_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
        uploaded_at TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS audit (
        id {identity}, happened_at TEXT NOT NULL, actor TEXT NOT NULL, event TEXT NOT NULL, detail TEXT NOT NULL)""",
)


def prepare(database: Database) -> None:
    """Create the tables and fill them, once.

    Several threads or processes may start at once: each takes the write lock (SQLite) or an advisory lock
    (PostgreSQL) first, and all but the first find the data there.
    """
    connection = database.connect()
    try:
        with connection.transaction():
            if connection.dialect.lock_schema:
                connection.rows(connection.dialect.lock_schema)
            for table in TABLES:
                connection.change(table.format(identity=connection.dialect.identity))
            if connection.value("SELECT count(*) FROM products") == 0:
                _fill(connection)
    finally:
        connection.close()


def _fill(connection: Connection) -> None:
    connection.insert_many(
        "products",
        ("sku", "category", "name", "description", "price_cents", "stock", "weight_grams"),
        [(p.sku, p.category, p.name, p.description, p.price, p.stock, p.weight) for p in PRODUCTS],
    )
    connection.insert_many(
        "customers",
        ("email", "name", "password_hash", "is_admin"),
        [(email, name, generate_password_hash(password), admin) for email, name, password, admin in DEMO_ACCOUNTS],
    )
    connection.insert_many("movements", ("sku", "moved_at", "quantity", "reason"), _ledger())


def _ledger() -> Iterator[tuple[str, str, int, str]]:
    """Two years of stock movements, the same on every machine: sales, with deliveries, returns and counts between."""
    for number in range(FIRST_MOVEMENTS):
        product = PRODUCTS[(number * 7 + number // 97) % len(PRODUCTS)]
        moved_at = (LEDGER_STARTS + timedelta(minutes=number * 9)).isoformat(sep=" ", timespec="minutes")
        if number % 12 == 0:
            yield product.sku, moved_at, 12 + number % 36, "delivery"
        elif number % 41 == 0:
            yield product.sku, moved_at, 1, "return"
        elif number % 997 == 0:
            yield product.sku, moved_at, -(number % 3), "stocktake"
        else:
            yield product.sku, moved_at, -(1 + number % 3), "sale"
