"""Errors the shop raises, and how any error is answered: a page for people, JSON below /api."""

from __future__ import annotations

from flask import Flask, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

__all__ = ["OutOfStockError", "ValidationError", "register"]

EXPLANATIONS = {
    401: "You have to sign in for that.",
    403: "Your account may not do that.",
    404: "There is no such page. It may have been sold out and taken down.",
    405: "That page does not take such requests.",
    413: "That file is larger than the 32 MiB we accept.",
    500: "Something broke on our side. It has been logged and we will look at it.",
}


class OutOfStockError(Exception):
    """Fewer pieces are left than were asked for."""

    def __init__(self, name: str, left: int) -> None:
        super().__init__(f"Only {left} left of {name}.")
        self.name = name
        self.left = left


class ValidationError(Exception):
    """Some fields of the input are wrong: field name -> what is wrong with it."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in fields.items()))
        self.fields = fields


def _wants_json() -> bool:
    return request.path.startswith("/api/")


def _http_error(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if code < 400:
        return error.get_response()
    headers = {
        key: value for key, value in error.get_headers() if key.lower() not in ("content-type", "content-length")
    }
    explanation = EXPLANATIONS.get(code, error.description or "")
    if code == 401 and _wants_json():
        headers["WWW-Authenticate"] = 'Basic realm="Spoke & Saddle"'
    if _wants_json():
        content = {"error": error.name, "message": explanation, "request_id": g.get("request_id", "")}
        return jsonify(content), code, headers
    page = render_template("error.html", code=code, name=error.name, explanation=explanation)
    return page, code, headers


def _out_of_stock(error: OutOfStockError) -> ResponseReturnValue:
    if _wants_json():
        return jsonify(error="Out of stock", message=str(error), left=error.left), 409
    return render_template("error.html", code=409, name="Out of stock", explanation=str(error)), 409


def _invalid(error: ValidationError) -> ResponseReturnValue:
    if _wants_json():
        return jsonify(error="Invalid input", fields=error.fields), 422
    return render_template("error.html", code=422, name="Invalid input", explanation=str(error)), 422


def register(app: Flask) -> None:
    """Attach the error handlers to ``app``."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OutOfStockError, _out_of_stock)
    app.register_error_handler(ValidationError, _invalid)
