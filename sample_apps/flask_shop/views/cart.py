"""The cart, kept in the session, and the checkout."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from flask_shop.accounts import current_customer, sign_in_required
from flask_shop.errors import OutOfStockError
from flask_shop.orders import cart_lines, place_order, total
from flask_shop.state import get_connection
from flask_shop.views.catalog import find_product

__all__ = ["pages"]

pages = Blueprint("cart", __name__, url_prefix="/cart")

MOST_PIECES = 99


@pages.get("/")
def show() -> ResponseReturnValue:
    cart: dict[str, int] = session.get("cart", {})
    lines = cart_lines(get_connection(), cart)
    return render_template("cart.html", lines=lines, total=total(lines))


@pages.post("/")
def change() -> ResponseReturnValue:
    """Put pieces of one product into the cart, or take it out with quantity 0."""
    product = find_product(request.form.get("sku", ""))
    quantity = request.form.get("quantity", -1, type=int)
    cart: dict[str, int] = dict(session.get("cart", {}))
    if not 0 <= quantity <= MOST_PIECES:
        flash(f"Between 0 and {MOST_PIECES} pieces, please.", "error")
    elif quantity > product["stock"]:
        flash(str(OutOfStockError(product["name"], product["stock"])), "error")
    elif quantity == 0:
        cart.pop(product["sku"], None)
        flash(f"{product['name']} is out of your cart.", "success")
    else:
        cart[product["sku"]] = quantity
        flash(f"In your cart: {quantity} of {product['name']}.", "success")
    session["cart"] = cart
    return redirect(url_for(".show"), code=303)


@pages.post("/checkout")
@sign_in_required
def checkout() -> ResponseReturnValue:
    connection = get_connection()
    lines = cart_lines(connection, session.get("cart", {}))
    if not lines:
        flash("Your cart is empty.", "error")
        return redirect(url_for(".show"), code=303)
    order_id = place_order(connection, current_customer(), lines)
    session.pop("cart", None)
    flash(f"Thank you, {g.customer.name}. Your order is on its way to the workshop.", "success")
    return redirect(url_for("account.order_page", order_id=order_id), code=303)
