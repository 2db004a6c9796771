"""A change of the import is all that it takes to come from a2wsgi's, uvicorn's or Starlette's WSGIMiddleware."""

from __future__ import annotations

import importlib
import inspect
import json
import warnings
from collections.abc import Callable
from typing import Any

import a2wsgi
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

import asgiway

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # both have deprecated theirs
    from starlette.middleware.wsgi import WSGIMiddleware as Starlettes

    Uvicorns: Any = importlib.import_module("uvicorn.middleware.wsgi").WSGIMiddleware  # re-exports a2wsgi's

Environ = dict[str, Any]


def legacy(environ: Environ, start_response: Any) -> list[bytes]:
    """What an application written for one of the others may look at."""
    scope = environ.get("asgi.scope") or {}
    seen = {
        name: environ.get(name)
        for name in ("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH")
    }
    seen |= {
        "host": environ["HTTP_HOST"],
        "scheme": environ["wsgi.url_scheme"],
        "body": len(environ["wsgi.input"].read()),
    }
    seen["scope"] = [scope.get("type"), scope.get("path"), scope.get("method")]
    start_response("201 Created", [("Content-Type", "application/json"), ("X-Kept", "yes")])
    return [json.dumps(seen).encode()]


def answer(adapter: Any) -> tuple[int, str | None, dict[str, Any]]:
    with TestClient(Starlette(routes=[Mount("/old", adapter)])) as client:
        got = client.post("/old/a%20b?x=1", content=b"some body", headers={"Content-Type": "text/x"})
        seen: dict[str, Any] = got.json()
        return got.status_code, got.headers.get("x-kept"), seen


CONSTRUCTIONS: list[Callable[[Any], Any]] = [
    lambda made: made(legacy),
    lambda made: made(legacy, 4),
    lambda made: made(legacy, 4, 20),
    lambda made: made(legacy, workers=4),
    lambda made: made(app=legacy, workers=4, send_queue_size=20),
]


@pytest.mark.parametrize("construct", CONSTRUCTIONS)
@pytest.mark.parametrize("other", [a2wsgi.WSGIMiddleware, Uvicorns], ids=["a2wsgi", "uvicorn"])
def test_in_place_of_a2wsgis(other: Any, construct: Callable[[Any], Any]) -> None:
    """uvicorn's is a2wsgi's where that is installed."""
    theirs, ours = construct(other), construct(asgiway.WSGIMiddleware)
    assert answer(ours) == answer(theirs)
    assert answer(ours)[2]["scope"] == ["http", "/old/a b", "POST"]
    assert ours.app is theirs.app is legacy


def test_in_place_of_starlettes() -> None:
    theirs, ours = answer(Starlettes(legacy)), answer(asgiway.WSGIMiddleware(legacy))
    assert theirs[2].pop("scope") == [None, None, None]
    assert ours[2].pop("scope") == ["http", "/old/a b", "POST"]
    assert ours == theirs


@pytest.mark.parametrize("other", [a2wsgi.WSGIMiddleware, Uvicorns, Starlettes])
def test_their_parameters_are_the_first_of_ours(other: Any) -> None:
    theirs = inspect.signature(other).parameters.values()
    ours = inspect.signature(asgiway.WSGIMiddleware).parameters.values()
    first = [(parameter.name, parameter.kind) for parameter in ours][: len(theirs)]
    assert [(parameter.name, parameter.kind) for parameter in theirs] == first
