"""The shop window: front page, categories, search, product pages, and the choice of currency."""

from __future__ import annotations

from typing import Any, cast

from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from flask_shop.database import Row
from flask_shop.products import CATEGORIES
from flask_shop.rates import CURRENCIES
from flask_shop.state import get_connection, get_shop
from flask_shop.views.addresses import safe_next

__all__ = ["pages"]

pages = Blueprint("catalog", __name__)

RECENT = "recently_viewed"


@pages.get("/")
def front_page() -> ResponseReturnValue:
    connection = get_connection()
    newest = connection.rows("SELECT * FROM products WHERE stock > 0 ORDER BY id DESC LIMIT 6")
    scarce = connection.rows("SELECT * FROM products WHERE stock BETWEEN 1 AND 12 ORDER BY stock, id LIMIT 4")
    skus = [sku for sku in request.cookies.get(RECENT, "").split(".") if sku][:4]
    recent = [row for sku in skus if (row := connection.row("SELECT * FROM products WHERE sku = ?", sku))]
    return render_template("front_page.html", newest=newest, scarce=scarce, recent=recent, categories=CATEGORIES)


@pages.get("/products/")
def product_list() -> ResponseReturnValue:
    category = request.args.get("category", "")
    words = request.args.get("q", "").strip()
    page = max(1, request.args.get("page", 1, type=int))
    if category and category not in CATEGORIES:
        abort(404)
    where, parameters = _conditions(category, words)
    size = cast(int, current_app.config["PAGE_SIZE"])
    connection = get_connection()
    count = connection.value(f"SELECT count(*) FROM products {where}", *parameters)
    found = connection.rows(
        f"SELECT * FROM products {where} ORDER BY sku LIMIT ? OFFSET ?", *parameters, size, (page - 1) * size
    )
    if page > 1 and not found:
        abort(404)
    return render_template(
        "product_list.html",
        products=found,
        count=count,
        page=page,
        pages=-(-count // size),
        category=category,
        words=words,
        categories=CATEGORIES,
    )


def _conditions(category: str, words: str) -> tuple[str, list[Any]]:
    clauses: list[str] = []
    parameters: list[Any] = []
    if category:
        clauses.append("category = ?")
        parameters.append(category)
    for word in words.lower().split():
        clauses.append("(lower(name) LIKE ? OR lower(description) LIKE ? OR lower(sku) LIKE ?)")
        parameters.extend([f"%{word}%"] * 3)
    return ("WHERE " + " AND ".join(clauses) if clauses else ""), parameters


def find_product(sku: str) -> Row:
    """Return the product, or answer 404."""
    row = get_connection().row("SELECT * FROM products WHERE sku = ?", sku)
    if row is None:
        abort(404)
    return row


@pages.get("/products/<sku>")
def product_page(sku: str) -> ResponseReturnValue:
    if sku != sku.upper():
        return redirect(url_for(".product_page", sku=sku.upper()), code=308)
    product = find_product(sku)
    response = make_response(render_template("product_page.html", product=product, categories=CATEGORIES))
    seen = [sku, *(other for other in request.cookies.get(RECENT, "").split(".") if other and other != sku)][:6]
    response.set_cookie(RECENT, ".".join(seen), max_age=30 * 24 * 3600, httponly=True, samesite="Lax")
    return response


@pages.get("/shop.php")
def old_address() -> ResponseReturnValue:
    """Keep the links of 2009 alive: ``/shop.php?item=DRV-1011``."""
    return redirect(url_for(".product_page", sku=request.args.get("item", "").upper() or abort(404)), code=301)


@pages.post("/currency")
def choose_currency() -> ResponseReturnValue:
    chosen = request.form.get("currency", "")
    response = redirect(safe_next(request.form.get("next"), url_for(".front_page")), code=303)
    if chosen in CURRENCIES:
        response.set_cookie("currency", chosen, max_age=365 * 24 * 3600, samesite="Lax")
    else:
        flash("We do not quote prices in that currency.", "error")
    return response


@pages.get("/rates")
def rates() -> ResponseReturnValue:
    quotation = get_shop().rates.current()
    return jsonify(base="EUR", date=quotation.date, rates=dict(quotation.rates), available=quotation.available)
