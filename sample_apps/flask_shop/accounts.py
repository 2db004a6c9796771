"""Who is asking: session sign-in for people, HTTP Basic for programs, and the decorators that insist on either."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec

from flask import abort, flash, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.security import check_password_hash, generate_password_hash

from flask_shop.database import Row
from flask_shop.state import get_connection

__all__ = [
    "Customer",
    "admin_required",
    "check_password",
    "current_customer",
    "identify",
    "register",
    "sign_in_required",
]

P = ParamSpec("P")

# Compared when the address is unknown, so that the time an answer takes does not tell which addresses exist.
_NOBODY = generate_password_hash("no such customer")


@dataclass(frozen=True, slots=True)
class Customer:
    """A signed-in customer."""

    id: int
    email: str
    name: str
    is_admin: bool


def _customer(row: Row) -> Customer:
    return Customer(id=row["id"], email=row["email"], name=row["name"], is_admin=bool(row["is_admin"]))


def check_password(email: str, password: str) -> Customer | None:
    """Return the customer with that address and password, or None."""
    row = get_connection().row("SELECT * FROM customers WHERE email = ?", email.strip().lower())
    if not check_password_hash(row["password_hash"] if row else _NOBODY, password) or row is None:
        return None
    return _customer(row)


def register(email: str, name: str, password: str) -> Customer:
    """Create a customer; raises :class:`flask_shop.database.DuplicateError` when the address is taken."""
    email = email.strip().lower()
    new_id = get_connection().value(
        "INSERT INTO customers (email, name, password_hash) VALUES (?, ?, ?) RETURNING id",
        email,
        name.strip(),
        generate_password_hash(password),
    )
    return Customer(id=new_id, email=email, name=name.strip(), is_admin=False)


def identify() -> None:
    """Find out who sent the current request; the result is ``g.customer``."""
    g.customer = None
    if request.authorization is not None and request.authorization.type == "basic":
        given = request.authorization
        g.customer = check_password(given.username or "", given.password or "")
    elif "customer_id" in session:
        row = get_connection().row("SELECT * FROM customers WHERE id = ?", session["customer_id"])
        g.customer = _customer(row) if row else None
        if row is None:
            session.pop("customer_id")


def current_customer() -> Customer:
    """Return the signed-in customer; 401 when there is none."""
    customer: Customer | None = g.customer
    if customer is None:
        abort(401)
    return customer


def sign_in_required(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Send visitors who are not signed in to the sign-in page, and back afterwards."""

    @functools.wraps(view)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if g.customer is None:
            if request.blueprint == "api" or request.authorization is not None:
                abort(401)
            flash("Please sign in first.", "notice")
            return redirect(url_for("account.sign_in", next=request.full_path.rstrip("?")))
        return view(*args, **kwargs)

    return wrapper


def admin_required(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Let only administrators in: 403 for everyone else who is signed in."""

    @functools.wraps(view)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if not current_customer().is_admin:
            abort(403)
        return view(*args, **kwargs)

    return sign_in_required(wrapper)
