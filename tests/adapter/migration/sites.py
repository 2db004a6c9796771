"""Small applications of both sides that say who they are, and a client that shows what an answer tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flask import Flask
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.adapter.support import Connection, call

FlaskRule = tuple[str, str] | tuple[str, str, Iterable[str]]


@dataclass(frozen=True)
class Answer:
    """What a client sees, in the order in which it is usually compared."""

    status: int
    text: str
    allow: frozenset[str]
    location: str
    headers: dict[bytes, bytes]

    @property
    def brief(self) -> tuple[int, str]:
        return self.status, self.text


def read(connection: Connection) -> Answer:
    allow = connection.headers.get(b"allow", b"").decode()
    return Answer(
        status=connection.status,
        text=connection.body.decode(),
        allow=frozenset(token.strip() for token in allow.split(",") if token.strip()),
        location=connection.headers.get(b"location", b"").decode(),
        headers=connection.headers,
    )


async def ask(app: Any, method: str, path: str, **changes: Any) -> Answer:
    connection = await call(app, method, path, **changes)
    assert connection.complete
    return read(connection)


def flask_site(*rules: FlaskRule, **settings: Any) -> Flask:
    """Each rule is (path, name) for GET, or (path, name, methods); it answers "legacy NAME ARGUMENTS"."""
    app = Flask("legacy", static_folder=None, **settings)
    for rule in rules:
        methods = rule[2] if len(rule) > 2 else ("GET",)
        app.add_url_rule(rule[0], rule[1], _saying(f"legacy {rule[1]}"), methods=list(methods))
    return app


def _saying(text: str) -> Callable[..., str]:
    def view(**arguments: Any) -> str:
        return " ".join([text, *map(str, arguments.values())])

    return view


def native(path: str, name: str = "", methods: Iterable[str] = ("GET",)) -> Route:
    """A Starlette route that answers "native NAME ARGUMENTS"."""

    async def endpoint(request: Request) -> PlainTextResponse:
        return PlainTextResponse(" ".join(["native", name or path, *map(str, request.path_params.values())]))

    return Route(path, endpoint, methods=list(methods))
