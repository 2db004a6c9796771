"""One file, served by five frameworks in their own ways; prints for each which messages the server gets of it.

A program, because Django's settings can be made only once in a process: ``python -m ... FILE``.
"""

# Most of these frameworks have no types.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import asyncio
import json
import sys
import warnings
from pathlib import Path
from typing import Any

from asgiway import WSGIMiddleware
from tests.adapter.support import call


def applications(path: Path) -> dict[str, Any]:
    import bottle  # type: ignore[import-untyped]
    import django  # type: ignore[import-untyped]
    import falcon
    import flask
    from django.conf import settings  # type: ignore[import-untyped]
    from django.core.handlers.wsgi import WSGIHandler  # type: ignore[import-untyped]
    from django.http import FileResponse  # type: ignore[import-untyped]
    from django.urls import path as django_path  # type: ignore[import-untyped]
    from pyramid.config import Configurator  # type: ignore[import-untyped]
    from pyramid.response import FileResponse as PyramidFile  # type: ignore[import-untyped]

    in_flask = flask.Flask(__name__)
    in_flask.add_url_rule("/", view_func=lambda: flask.send_file(path))

    in_bottle: Any = bottle.Bottle()
    in_bottle.route("/", callback=lambda: bottle.static_file(path.name, root=str(path.parent)))

    class Resource:
        def on_get(self, request: Any, response: Any) -> None:
            response.stream = path.open("rb")

    in_falcon: Any = falcon.App()
    in_falcon.add_route("/", Resource())

    with Configurator() as config:
        config.add_route("file", "/")
        config.add_view(lambda request: PyramidFile(str(path), request), route_name="file")
        in_pyramid: Any = config.make_wsgi_app()

    urls = type("Urls", (), {"urlpatterns": [django_path("", lambda request: FileResponse(path.open("rb")))]})
    settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=urls, SECRET_KEY="not a secret", LOGGING_CONFIG=None)
    django.setup()
    in_django: Any = WSGIHandler()

    return {"flask": in_flask, "bottle": in_bottle, "falcon": in_falcon, "pyramid": in_pyramid, "django": in_django}


async def main(path: Path) -> None:
    found: dict[str, list[str]] = {}
    for name, app in applications(path).items():
        connection = await call(WSGIMiddleware(app), extensions={"http.response.pathsend": {}})
        found[name] = [message["type"] for message in connection.sent]
    print(json.dumps(found))


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # WebOb and its dependencies import what is deprecated
    asyncio.run(main(Path(sys.argv[1])))
