"""One small upload application in each of five WSGI frameworks, written as their users would.

POST /upload takes a multipart form with a text field "note" and a file "file"; POST /raw takes any body. Both tell, as
JSON, what arrived.
"""

# Most of these frameworks have no types.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import hashlib
import json
import warnings
from typing import Any, cast
from wsgiref.types import WSGIApplication

import bottle  # type: ignore[import-untyped]
import django  # type: ignore[import-untyped]
import falcon
import flask
from django.conf import settings as django_settings  # type: ignore[import-untyped]
from django.core.handlers.wsgi import WSGIHandler  # type: ignore[import-untyped]
from django.http import HttpRequest, JsonResponse  # type: ignore[import-untyped]
from django.urls import path  # type: ignore[import-untyped]

with warnings.catch_warnings():
    # WebOb imports the deprecated cgi module; that is not what these tests are about.
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyramid.config import Configurator  # type: ignore[import-untyped]
    from pyramid.request import Request  # type: ignore[import-untyped]

__all__ = ["FRAMEWORKS", "described"]


def described(content: bytes, **more: Any) -> dict[str, Any]:
    """What a client compares: the size and hash of what arrived, and whatever else is given."""
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), **more}


def _flask() -> WSGIApplication:
    app = flask.Flask("uploads")

    @app.post("/upload")
    def upload() -> dict[str, Any]:
        file = flask.request.files["file"]
        return described(file.read(), name=file.filename, note=flask.request.form["note"])

    @app.post("/raw")
    def raw() -> dict[str, Any]:
        return described(flask.request.get_data())

    assert [upload, raw]
    return app


def django_upload(request: HttpRequest) -> JsonResponse:
    file: Any = request.FILES["file"]
    return JsonResponse(described(file.read(), name=file.name, note=request.POST["note"]))


def django_raw(request: HttpRequest) -> JsonResponse:
    return JsonResponse(described(request.body))


urlpatterns = [path("upload", django_upload), path("raw", django_raw)]


def _django() -> WSGIApplication:
    django_settings.configure(
        ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="not a secret", MIDDLEWARE=[], LOGGING_CONFIG=None
    )
    django.setup()
    application: Any = WSGIHandler()
    return cast("WSGIApplication", application)


def _bottle() -> WSGIApplication:
    app: Any = bottle.Bottle()
    request: Any = bottle.request

    def upload() -> dict[str, Any]:
        file = request.files["file"]
        return described(file.file.read(), name=file.raw_filename, note=request.forms["note"])

    def raw() -> dict[str, Any]:
        return described(request.body.read())

    app.post("/upload", callback=upload)
    app.post("/raw", callback=raw)
    return cast("WSGIApplication", app)


def _pyramid() -> WSGIApplication:
    def receive(request: Request) -> dict[str, Any]:
        upload: Any = request.POST["file"]
        with upload.file, request.body_file_raw:  # WebOb leaves its temporary files to the garbage collector
            return described(upload.file.read(), name=upload.filename, note=request.POST["note"])

    def raw(request: Request) -> dict[str, Any]:
        return described(request.body)

    with Configurator() as config:
        config.add_route("upload", "/upload")
        config.add_view(receive, route_name="upload", renderer="json")
        config.add_route("raw", "/raw")
        config.add_view(raw, route_name="raw", renderer="json")
        application: WSGIApplication = config.make_wsgi_app()
    return application


class _FalconUpload:
    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        content, name, note = b"", "", ""
        for part in request.get_media():
            if part.name == "file":
                content, name = part.stream.read(), part.filename
            else:
                note = part.text
        response.media = described(content, name=name, note=note)


class _FalconRaw:
    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        response.text = json.dumps(described(request.bounded_stream.read()))


def _falcon() -> WSGIApplication:
    app = falcon.App()
    options: Any = app.req_options.media_handlers[falcon.MEDIA_MULTIPART]
    options.parse_options.max_body_part_buffer_size = 64 * 1024 * 1024
    app.add_route("/upload", _FalconUpload())
    app.add_route("/raw", _FalconRaw())
    return app


FRAMEWORKS: dict[str, WSGIApplication] = {
    "flask": _flask(),
    "django": _django(),
    "bottle": _bottle(),
    "pyramid": _pyramid(),
    "falcon": _falcon(),
}
