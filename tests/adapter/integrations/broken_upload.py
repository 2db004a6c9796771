"""Prints what Flask and Django make of a client that leaves in the midst of its upload. Django's settings are a process's own.

For each: the exception that the view sees, and what the application answers to the adapter; nobody is left to get that.
"""

# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import django  # type: ignore[import-untyped]
import flask
from django.conf import settings  # type: ignore[import-untyped]
from django.core.handlers.wsgi import WSGIHandler  # type: ignore[import-untyped]
from django.http import HttpRequest, HttpResponse  # type: ignore[import-untyped]
from django.urls import path  # type: ignore[import-untyped]

from asgiway import WSGIMiddleware
from tests.adapter.support import Connection, content_length, http_scope

seen: list[str] = []


def flask_app(**config: Any) -> flask.Flask:
    app = flask.Flask("uploads")
    app.config.update(config)

    @app.post("/")
    def upload() -> str:
        try:
            flask.request.get_data()
        except BaseException as exc:
            seen.append(type(exc).__name__)
            raise
        return "complete"

    assert [upload]
    return app


def django_view(request: HttpRequest) -> HttpResponse:
    try:
        request.body  # noqa: B018 - reads it
    except BaseException as exc:
        seen.append(type(exc).__name__)
        raise
    return HttpResponse(b"complete")


urlpatterns = [path("", django_view)]


def django_app() -> Any:
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x")
    django.setup()
    return WSGIHandler()


async def leave(app: Any) -> list[Any]:
    def noted(environ: Any, start_response: Any) -> Any:
        def start(status: str, *rest: Any) -> Any:
            seen.append(status[:3])
            return start_response(status, *rest)

        return app(environ, start)

    seen.clear()
    connection = Connection([b"ab"], open_end=True)
    connection.leave()
    await WSGIMiddleware(noted)(http_scope("POST", headers=content_length(5)), connection.receive, connection.send)
    return [*seen, connection.sent]


def main() -> None:
    logging.disable()
    apps = {
        "flask": flask_app(),
        "flask with MAX_CONTENT_LENGTH": flask_app(MAX_CONTENT_LENGTH=1000),
        "django": django_app(),
    }
    print(json.dumps({name: asyncio.run(leave(app)) for name, app in apps.items()}))


if __name__ == "__main__":
    main()
