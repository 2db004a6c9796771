"""The JSON API: products for everyone, changes for administrators, orders for customers (session or HTTP Basic)."""

from __future__ import annotations

import re
from typing import Any, cast

from flask import Blueprint, abort, current_app, g, jsonify, make_response, request, url_for
from flask.typing import ResponseReturnValue

from flask_shop.accounts import admin_required, current_customer, sign_in_required
from flask_shop.database import DuplicateError, Row
from flask_shop.errors import ValidationError
from flask_shop.orders import Line, place_order, total
from flask_shop.products import CATEGORIES
from flask_shop.signals import product_changed
from flask_shop.state import get_connection, get_shop
from flask_shop.views.catalog import find_product

__all__ = ["pages"]

pages = Blueprint("api", __name__, url_prefix="/api")

SKU = re.compile(r"[A-Z]{3}-\d{4}")
MOST_PER_PAGE = 100
TEXTS = ("name", "description")
NUMBERS = ("price_cents", "stock", "weight_grams")


@pages.get("/products")
def list_products() -> ResponseReturnValue:
    per_page = min(MOST_PER_PAGE, max(1, request.args.get("per_page", 20, type=int)))
    page = max(1, request.args.get("page", 1, type=int))
    connection = get_connection()
    count = connection.value("SELECT count(*) FROM products")
    found = connection.rows("SELECT * FROM products ORDER BY sku LIMIT ? OFFSET ?", per_page, (page - 1) * per_page)
    response = jsonify(count=count, page=page, products=found)
    if page * per_page < count:
        following = url_for(".list_products", page=page + 1, per_page=per_page)
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


@pages.get("/products/<sku>")
def get_product(sku: str) -> ResponseReturnValue:
    product = find_product(sku)
    response = make_response(jsonify(product))
    response.set_etag(f"{sku}-{product['version']}-{product['stock']}")
    return response.make_conditional(request)


@pages.post("/products")
@admin_required
def create_product() -> ResponseReturnValue:
    given = _read_product(partial=False)
    columns = ("sku", "category", *TEXTS, *NUMBERS)
    try:
        get_connection().change(
            f"INSERT INTO products ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
            *(given[name] for name in columns),
        )
    except DuplicateError:
        return jsonify(error="Conflict", message=f"{given['sku']} is sold already."), 409
    _announce(given["sku"], "created")
    response = make_response(jsonify(find_product(given["sku"])), 201)
    response.headers["Location"] = url_for(".get_product", sku=given["sku"])
    return response


@pages.put("/products/<sku>")
@admin_required
def update_product(sku: str) -> ResponseReturnValue:
    """Change the fields that are given; ``version`` is the one that was read, if lost updates matter to the client."""
    product = find_product(sku)
    given = _read_product(partial=True)
    version = given.pop("version", product["version"])
    if given.pop("sku", sku) != sku:
        raise ValidationError({"sku": "a product keeps its number"})
    if given:
        assignments = ", ".join(f"{name} = ?" for name in given)
        changed = get_connection().change(
            f"UPDATE products SET {assignments}, version = version + 1 WHERE sku = ? AND version = ?",
            *given.values(),
            sku,
            version,
        )
        if not changed:
            return jsonify(error="Conflict", message="Somebody else changed this product; read it again."), 409
        _announce(sku, "changed")
    return jsonify(find_product(sku))


@pages.delete("/products/<sku>")
@admin_required
def delete_product(sku: str) -> ResponseReturnValue:
    find_product(sku)
    get_connection().change("DELETE FROM products WHERE sku = ?", sku)
    _announce(sku, "deleted")
    return "", 204


@pages.get("/orders")
@sign_in_required
def list_orders() -> ResponseReturnValue:
    orders = get_connection().rows("SELECT * FROM orders WHERE customer_id = ? ORDER BY id", current_customer().id)
    return jsonify(orders=orders)


@pages.post("/orders")
@sign_in_required
def create_order() -> ResponseReturnValue:
    """Order at once, without a cart: ``{"lines": [{"sku": "DRV-1011", "quantity": 2}]}``."""
    content = _read_object()
    lines: list[Line] = []
    problems: dict[str, str] = {}
    entries = _as_list(content.get("lines"))
    if not entries:
        raise ValidationError({"lines": "give at least one"})
    for number, entry in enumerate(entries):
        fields: dict[str, Any] = cast(dict[str, Any], entry) if isinstance(entry, dict) else {}
        sku, quantity = fields.get("sku"), fields.get("quantity", 1)
        row = get_connection().row("SELECT * FROM products WHERE sku = ?", sku) if isinstance(sku, str) else None
        if row is None:
            problems[f"lines.{number}.sku"] = "no such product"
        elif type(quantity) is not int or quantity < 1:
            problems[f"lines.{number}.quantity"] = "a whole number from 1"
        else:
            lines.append(Line(row["id"], row["sku"], row["name"], quantity, row["price_cents"]))
    if problems:
        raise ValidationError(problems)
    order_id = place_order(get_connection(), current_customer(), sorted(lines, key=lambda line: line.sku))
    return jsonify(id=order_id, total_cents=total(lines)), 201


@pages.get("/stats")
def stats() -> ResponseReturnValue:
    connection = get_connection()
    counters = get_shop().counters
    return jsonify(
        products=connection.value("SELECT count(*) FROM products"),
        movements=connection.value("SELECT count(*) FROM movements"),
        orders=connection.value("SELECT count(*) FROM orders"),
        database=connection.dialect.name,
        requests={
            "begun": counters.begun,
            "answered": counters.answered,
            "torn_down": counters.torn_down,
            "closed": counters.closed,
        },
    )


def _announce(sku: str, what: str) -> None:
    product_changed.send(get_shop(), actor=g.customer.email, sku=sku, what=what)
    current_app.logger.info("product %s %s by %s", sku, what, g.customer.email)


def _read_object() -> dict[str, Any]:
    content: Any = request.get_json()  # 415 or 400 when it is not JSON
    if not isinstance(content, dict):
        abort(400, "a JSON object is expected")
    return cast(dict[str, Any], content)


def _as_list(value: object) -> list[object]:
    return cast(list[object], value) if isinstance(value, list) else []


def _read_product(*, partial: bool) -> Row:
    """Read a product from the body and check every field; with ``partial`` any of them may be left out."""
    content = _read_object()
    known = {"sku", "category", "version", *TEXTS, *NUMBERS}
    problems = dict.fromkeys(content.keys() - known, "unknown field")
    if not partial:
        problems |= dict.fromkeys(known - content.keys() - {"version"}, "required")
    for name, value in content.items():
        if name in TEXTS and not (isinstance(value, str) and value.strip()):
            problems[name] = "a text that is not empty"
        elif name in (*NUMBERS, "version") and not (type(value) is int and 0 <= value < 2**31):
            problems[name] = "a whole number from 0"
        elif name == "price_cents" and value == 0:
            problems[name] = "nothing is free"
        elif name == "sku" and not (isinstance(value, str) and SKU.fullmatch(value)):
            problems[name] = "three capital letters, a hyphen, four digits"
        elif name == "category" and value not in CATEGORIES:
            problems[name] = f"one of {', '.join(CATEGORIES)}"
    if problems:
        raise ValidationError(dict(sorted(problems.items())))
    return content
