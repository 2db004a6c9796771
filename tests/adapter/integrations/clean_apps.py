"""Small applications of five frameworks that keep to PEP 3333; `asgiway conformance` must find nothing in them.

Each serves /page (a page), /stream (a body in pieces), /file (a file), /moved (a redirect), /empty (204), and takes a body
at /echo.
"""

# Most of these frameworks have no types.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import Any, cast
from wsgiref.types import WSGIApplication

__all__ = ["make_bottle", "make_django", "make_falcon", "make_flask", "make_pyramid"]

PAGE: Any = "<h1>page</h1>"


def pieces() -> Iterator[bytes]:
    yield b"one "
    yield b"two "
    yield b"three"


def make_flask() -> WSGIApplication:
    import flask

    app = flask.Flask(__name__)
    app.add_url_rule("/page", view_func=lambda: PAGE, endpoint="page")
    app.add_url_rule("/stream", view_func=lambda: pieces(), endpoint="stream")
    app.add_url_rule("/file", view_func=lambda: flask.send_file(__file__), endpoint="file")
    app.add_url_rule("/moved", view_func=lambda: flask.redirect("/page"), endpoint="moved")
    app.add_url_rule("/empty", view_func=lambda: ("", 204), endpoint="empty")
    app.add_url_rule("/echo", view_func=lambda: flask.request.get_data(), endpoint="echo", methods=["POST"])
    return app


def make_django() -> WSGIApplication:
    import django  # type: ignore[import-untyped]
    from django.conf import settings  # type: ignore[import-untyped]
    from django.core.handlers.wsgi import WSGIHandler  # type: ignore[import-untyped]
    from django.http import FileResponse, HttpResponse, HttpResponseRedirect, StreamingHttpResponse  # type: ignore[import-untyped]
    from django.urls import path  # type: ignore[import-untyped]

    views: dict[str, Any] = {
        "page": lambda request: HttpResponse(PAGE),
        "stream": lambda request: StreamingHttpResponse(pieces()),
        "file": lambda request: FileResponse(io.BytesIO(b"content"), filename="file.txt"),
        "moved": lambda request: HttpResponseRedirect("/page"),
        "empty": lambda request: HttpResponse(status=204),
        "echo": lambda request: HttpResponse(request.body),
    }

    urls = type("Urls", (), {"urlpatterns": [path(name, view) for name, view in views.items()]})
    settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=urls, SECRET_KEY="not a secret", LOGGING_CONFIG=None)
    django.setup()
    application: Any = WSGIHandler()
    return cast("WSGIApplication", application)


def make_bottle() -> WSGIApplication:
    import bottle  # type: ignore[import-untyped]

    app: Any = bottle.Bottle()
    current: Any = bottle.request
    app.route("/page", callback=lambda: PAGE)
    app.route("/stream", callback=lambda: pieces())
    app.route("/file", callback=lambda: bottle.static_file("clean_apps.py", root=__file__.rpartition("/")[0]))
    app.route("/moved", callback=lambda: bottle.redirect("/page"))
    app.route("/empty", callback=lambda: bottle.HTTPResponse(status=204))
    app.route("/echo", method="POST", callback=lambda: current.body.read())
    application: WSGIApplication = app
    return application


class _Falcon:
    def on_get_page(self, request: Any, response: Any) -> None:
        response.text = PAGE

    def on_get_stream(self, request: Any, response: Any) -> None:
        response.stream = pieces()

    def on_get_file(self, request: Any, response: Any) -> None:
        response.stream = io.BytesIO(b"content")

    def on_get_moved(self, request: Any, response: Any) -> None:
        response.status, response.location = 302, "/page"

    def on_get_empty(self, request: Any, response: Any) -> None:
        response.status = 204

    def on_post_echo(self, request: Any, response: Any) -> None:
        response.data = request.bounded_stream.read()


def make_falcon() -> WSGIApplication:
    import falcon

    app: Any = falcon.App()
    for name in ("page", "stream", "file", "moved", "empty", "echo"):
        app.add_route(f"/{name}", _Falcon(), suffix=name)
    application: WSGIApplication = app
    return application


def make_pyramid() -> WSGIApplication:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # WebOb and its dependencies import what is deprecated
        from pyramid.config import Configurator  # type: ignore[import-untyped]
        from pyramid.httpexceptions import HTTPFound, HTTPNoContent  # type: ignore[import-untyped]
        from pyramid.response import FileResponse, Response  # type: ignore[import-untyped]

    views: dict[str, Any] = {
        "page": lambda request: Response(PAGE),
        "stream": lambda request: Response(app_iter=pieces()),
        "file": lambda request: FileResponse(__file__, request),
        "moved": lambda request: HTTPFound("/page"),
        "empty": lambda request: HTTPNoContent(),
        "echo": lambda request: Response(request.body),
    }
    with Configurator() as config:
        for name, view in views.items():
            config.add_route(name, f"/{name}")
            config.add_view(view, route_name=name)
        application: WSGIApplication = config.make_wsgi_app()
    return application
