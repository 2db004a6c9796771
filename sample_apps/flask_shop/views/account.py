"""Signing in and out, registering, and a customer's orders."""

from __future__ import annotations

import re

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from flask_shop.accounts import Customer, check_password, current_customer, register, sign_in_required
from flask_shop.database import DuplicateError
from flask_shop.schema import DEMO_ACCOUNTS
from flask_shop.state import get_connection
from flask_shop.views.addresses import safe_next

__all__ = ["pages"]

pages = Blueprint("account", __name__, url_prefix="/account")

SHORTEST_PASSWORD = 10
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def _begin_session(customer: Customer) -> None:
    # A new session: nothing that an attacker may have planted in the old one survives, except the cart.
    cart = session.get("cart")
    session.clear()
    session["customer_id"] = customer.id
    if cart:
        session["cart"] = cart


@pages.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    target = request.values.get("next", "")
    if request.method == "POST":
        customer = check_password(request.form.get("email", ""), request.form.get("password", ""))
        if customer is not None:
            _begin_session(customer)
            flash(f"Welcome back, {customer.name}.", "success")
            return redirect(safe_next(target, url_for("catalog.front_page")), code=303)
        flash("That address and password do not belong together.", "error")
        return render_template("sign_in.html", next=target, accounts=DEMO_ACCOUNTS), 401
    return render_template("sign_in.html", next=target, accounts=DEMO_ACCOUNTS)


@pages.route("/register", methods=["GET", "POST"])
def join() -> ResponseReturnValue:
    if request.method == "GET":
        return render_template("register.html", email="", name="")
    email, name = request.form.get("email", ""), request.form.get("name", "")
    password = request.form.get("password", "")
    problem = None
    if not ADDRESS.fullmatch(email.strip()):
        problem = "Please give an e-mail address."
    elif not name.strip():
        problem = "Please tell us your name."
    elif len(password) < SHORTEST_PASSWORD:
        problem = f"A password has at least {SHORTEST_PASSWORD} characters."
    else:
        try:
            _begin_session(register(email, name, password))
        except DuplicateError:
            problem = "That address is registered already."
    if problem:
        flash(problem, "error")
        return render_template("register.html", email=email, name=name), 422
    flash(f"Welcome, {name.strip()}.", "success")
    return redirect(url_for("catalog.front_page"), code=303)


@pages.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    session.clear()
    flash("You are signed out.", "success")
    return redirect(url_for("catalog.front_page"), code=303)


@pages.get("/")
@sign_in_required
def overview() -> ResponseReturnValue:
    orders = get_connection().rows(
        "SELECT * FROM orders WHERE customer_id = ? ORDER BY id DESC LIMIT 50", current_customer().id
    )
    return render_template("account.html", orders=orders)


@pages.get("/orders/<int:order_id>")
@sign_in_required
def order_page(order_id: int) -> ResponseReturnValue:
    connection = get_connection()
    order = connection.row("SELECT * FROM orders WHERE id = ? AND customer_id = ?", order_id, current_customer().id)
    if order is None:
        abort(404)
    lines = connection.rows("SELECT * FROM order_lines WHERE order_id = ? ORDER BY id", order_id)
    return render_template("order.html", order=order, lines=lines)
