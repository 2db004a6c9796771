"""The overlay behind a real uvicorn, over real sockets: what in-process clients cannot show."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from http.client import HTTPConnection
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from flask import Flask, request, url_for
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from asgiway import MigrationRouter
from tests.adapter.support import WAIT, until_sync

pytestmark = pytest.mark.wire


@contextmanager
def serving(app: Any, **settings: Any) -> Generator[int]:
    """The port of a uvicorn that runs in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none", lifespan="on", **settings))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        until_sync(lambda: server.started or not thread.is_alive())
        assert server.started
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(WAIT)
        listener.close()
        assert not thread.is_alive()


def legacy_shop() -> Flask:
    app = Flask("shop", static_folder=None)
    app.add_url_rule("/x", "x", lambda: "legacy x")
    app.add_url_rule("/items/<name>", "item", lambda name: f"legacy {name}")
    app.add_url_rule("/here", "here", lambda: url_for("here", _external=True))
    app.add_url_rule("/up", "up", lambda: str(len(request.get_data())), methods=["POST"])
    app.add_url_rule("/up", "up_get", lambda: "form", methods=["GET"])
    return app


Response = tuple[int, bytes, dict[str, str]]


def fetch(connection: HTTPConnection, method: str, path: str, body: Any = None, **headers: str) -> Response:
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return response.status, response.read(), {name.lower(): value for name, value in response.getheaders()}


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_both_sides_on_one_connection(http: str) -> None:
    order: list[str] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        order.append("up")
        yield
        order.append("down")

    native = FastAPI(lifespan=lifespan)

    @native.get("/items/{id:int}")
    async def item(id: int) -> int:
        return id

    @native.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(iter([b"a" * 10] * 3))

    @native.put("/up")
    async def replace() -> str:
        return "replaced"

    site = MigrationRouter(legacy=legacy_shop(), native=native)
    with serving(site, http=http) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=WAIT)
        assert fetch(connection, "GET", "/items/7")[:2] == (200, b"7")
        used = connection.sock
        assert fetch(connection, "GET", "/items/abc")[:2] == (200, b"legacy abc")
        status, body, headers = fetch(connection, "HEAD", "/items/7")
        assert (status, body, headers["content-length"]) == (200, b"", "1")
        assert fetch(connection, "HEAD", "/stream")[:2] == (200, b"")
        assert fetch(connection, "GET", "/stream")[:2] == (200, b"a" * 30)
        status, _, headers = fetch(connection, "DELETE", "/up")
        assert status == 405
        assert set(headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST", "PUT"}
        chunked = iter([b"b" * 50_000] * 4)
        assert fetch(connection, "POST", "/up", chunked)[:2] == (200, b"200000")
        assert fetch(connection, "PUT", "/up", b"c" * 1000)[:2] == (200, b'"replaced"')
        assert fetch(connection, "GET", "/here")[1] == f"http://127.0.0.1:{port}/here".encode()
        assert connection.sock is used  # kept alive through all of it
        connection.close()
        assert order == ["up"]
    assert order == ["up", "down"]
    assert site.legacy._pool.threads == 0


def test_behind_a_root_path() -> None:
    async def where(request: Any) -> PlainTextResponse:
        return PlainTextResponse(str(request.url_for("where")))

    site = MigrationRouter(legacy=legacy_shop(), native=Starlette(routes=[Route("/where", where)]))
    with serving(site, root_path="/app") as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=WAIT)
        base = f"http://127.0.0.1:{port}/app"
        # uvicorn puts the root path in front of the path by itself, as behind a proxy that strips it.
        assert fetch(connection, "GET", "/where")[:2] == (200, f"{base}/where".encode())
        assert fetch(connection, "GET", "/here")[:2] == (200, f"{base}/here".encode())
        assert fetch(connection, "GET", "/where/")[2]["location"] == f"{base}/where"
        connection.close()


def test_shutdown_lets_a_legacy_request_end() -> None:
    inside, leave = threading.Event(), threading.Event()
    legacy = legacy_shop()

    def slow() -> str:
        inside.set()
        assert leave.wait(WAIT)
        return "done"

    legacy.add_url_rule("/slow", "slow", slow)
    answers: list[bytes] = []
    with serving(MigrationRouter(legacy, Starlette())) as port:

        def visit() -> None:
            connection = HTTPConnection("127.0.0.1", port, timeout=WAIT)
            answers.append(fetch(connection, "GET", "/slow")[1])
            connection.close()

        visitor = threading.Thread(target=visit)
        visitor.start()
        assert inside.wait(WAIT)
        threading.Timer(0.2, leave.set).start()
    visitor.join(WAIT)
    assert answers == [b"done"]
