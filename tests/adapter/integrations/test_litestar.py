"""The Litestar page, and why Litestar's own mount is not enough."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.handlers import asgi

from asgiway import WSGIMiddleware
from asgiway.integrations.litestar import mount
from tests.adapter.integrations.conftest import Recipe
from tests.adapter.integrations.serving import serve


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"root": environ["SCRIPT_NAME"], "path": environ["PATH_INFO"]}).encode()]


def test_the_recipe(recipe: Callable[[str], Recipe]) -> None:
    bridge = recipe("litestar").load("bridge")
    with serve(bridge.app) as client:
        assert client.get("/native").json() == {"served by": "Litestar"}
        deep = client.get("/old/deep/x")
        assert deep.json() == {"served by": "Flask at /old", "url": "/old/deep/x"}
        assert client.get("/elsewhere").status_code == 404
        assert bridge.legacy.snapshot().threads == 1
    assert bridge.legacy.snapshot().threads == 0  # drained by the lifespan


def test_litestars_own_mount(recipe: Callable[[str], Recipe]) -> None:
    """What the page says of it; when this fails, Litestar has changed, and the page and the module are to be looked at."""
    flask_app = recipe("litestar").load("legacy").app
    legacy = WSGIMiddleware(flask_app)

    async def handler(scope: Any, receive: Any, send: Any) -> None:
        await legacy(scope, receive, send)

    handler.__annotations__.update(scope=Any, receive=Any, send=Any)
    with serve(Litestar([asgi("/old", is_mount=True, copy_scope=True)(handler)], logging_config=None)) as client:
        assert client.get("/old/deep/x").status_code == 404


PATHS = [
    ("/old", ""), ("/old/", "/"), ("/old/a", "/a"), ("/old/a/", "/a/"), ("/old/a%20b/c", "/a b/c"),
    ("/old/%e4%b8%ad", "/\u00e4\u00b8\u00ad"), ("/old/%ff", "/\u00ff"), ("/old//a", "//a"), ("/old/old/a", "/old/a"),
]  # fmt: skip


@pytest.mark.parametrize("root_path", ["", "/api"])
def test_the_path_arrives_as_it_was_sent(root_path: str) -> None:
    app = Litestar([mount("/old", WSGIMiddleware(echo))], logging_config=None)
    with serve(app, root_path=root_path) as client:
        for sent, path in PATHS:
            assert client.get(sent).json() == {"root": f"{root_path}/old", "path": path}, sent
        assert client.get("/older").status_code == 404


def test_at_the_root() -> None:
    with serve(Litestar([mount("/", WSGIMiddleware(echo))], logging_config=None)) as client:
        assert client.get("/a/b/").json() == {"root": "", "path": "/a/b/"}
        assert client.get("/").json() == {"root": "", "path": "/"}


def test_a_path_that_middleware_has_rewritten_counts() -> None:
    app = Litestar([mount("/old", WSGIMiddleware(echo))], logging_config=None)

    async def rewriting(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope["path"] = "/old/public"
        await app(scope, receive, send)

    with serve(rewriting) as client:
        assert client.get("/old/secret").json() == {"root": "/old", "path": "/public"}


def test_without_raw_path() -> None:
    app = Litestar([mount("/old", WSGIMiddleware(echo))], logging_config=None)

    async def bare(scope: Any, receive: Any, send: Any) -> None:
        scope.pop("raw_path", None)
        await app(scope, receive, send)

    with serve(bare) as client:
        answer: httpx.Response = client.get("/old/a")
        assert answer.json() == {"root": "/old", "path": "/a"}
