"""The pages of what stands beside a legacy application: middleware, websockets and streams, pools of their own, proxies."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import flask
import httpx
import pytest
import wsproto
import wsproto.events
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.routing import Mount
from werkzeug.middleware.proxy_fix import ProxyFix

from asgiway import WSGIMiddleware
from tests.adapter.integrations.conftest import Recipe
from tests.adapter.integrations.pages import command
from tests.adapter.integrations.serving import PATIENCE, serve, until

pytestmark = pytest.mark.wire
Make = Callable[[str], Recipe]


# ---------------------------------------------------------------------------------------------------------- middleware
def test_middleware(recipe: Make) -> None:
    with serve(recipe("middleware").load("bridge").app) as client:
        assert client.get("/").json()["visits"] == 1
        assert client.get("/login").text == "welcome"
        answer = client.get("/", headers={"Origin": "https://app.example"})
        assert answer.json()["visits"] == 2
        assert answer.json()["native"] == "ada"
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        assert set(client.cookies) == {"session", "native_session"}


def counting_flask() -> flask.Flask:
    app = flask.Flask("counting")
    app.secret_key = "x"

    @app.get("/")
    def index() -> Any:
        flask.session["visits"] = flask.session.get("visits", 0) + 1
        native = flask.request.environ["asgi.scope"].get("session")
        if native is not None:
            native["seen"] = native.get("seen", 0) + 1
        return {"visits": flask.session["visits"], "seen": (native or {}).get("seen")}

    assert [index]
    return app


def test_two_sessions_of_one_name_destroy_each_other() -> None:
    routes = [Mount("/", WSGIMiddleware(counting_flask()))]
    same = Starlette(routes=routes, middleware=[Middleware(SessionMiddleware, secret_key="x")])
    with serve(same) as client:
        seen = [client.get("/").json() for _ in range(3)]
        assert [one["visits"] for one in seen] != [1, 2, 3] or [one["seen"] for one in seen] != [1, 2, 3]
    routes = [Mount("/", WSGIMiddleware(counting_flask()))]
    apart = Middleware(SessionMiddleware, secret_key="x", session_cookie="native_session")
    with serve(Starlette(routes=routes, middleware=[apart])) as client:
        assert [client.get("/").json() for _ in range(2)] == [{"visits": 1, "seen": 1}, {"visits": 2, "seen": 2}]


def test_cors_is_answered_in_one_place() -> None:
    asked: list[str] = []

    def legacy(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        asked.append(environ["REQUEST_METHOD"])
        start_response("200 OK", [("Content-Type", "text/plain"), ("Access-Control-Allow-Origin", "*")])
        return [b"x"]

    cors = Middleware(CORSMiddleware, allow_origins=["https://app.example"], allow_methods=["PUT"])
    with serve(Starlette(routes=[Mount("/", WSGIMiddleware(legacy))], middleware=[cors])) as client:
        origin = {"Origin": "https://app.example"}
        preflight = client.options("/", headers={**origin, "Access-Control-Request-Method": "PUT"})
        assert preflight.status_code == 200
        assert asked == []
        assert client.get("/", headers=origin).headers.get_list("access-control-allow-origin") == [
            "https://app.example"
        ]


def test_gzip_and_event_streams() -> None:
    go_on = threading.Event()

    def legacy(environ: dict[str, Any], start_response: Any) -> Any:
        kind = environ["QUERY_STRING"]
        start_response("200 OK", [("Content-Type", kind), *([("Content-Encoding", "br")] if kind == "a/b" else [])])
        if kind in ("text/plain", "a/b"):
            return [b"x" * 2000]

        def events() -> Iterator[bytes]:
            yield b"data: 1\n\n"
            assert go_on.wait(PATIENCE)
            yield b"data: 2\n\n"

        return events()

    app = Starlette(routes=[Mount("/", WSGIMiddleware(legacy))], middleware=[Middleware(GZipMiddleware)])
    with serve(app) as client:
        assert client.get("/?text/plain").headers["content-encoding"] == "gzip"
        with client.stream("GET", "/?a/b") as answer:
            assert answer.headers["content-encoding"] == "br"
            assert len(b"".join(answer.iter_raw())) == 2000
        for kind in ("text/event-stream", "text/csv"):
            go_on.clear()
            with client.stream("GET", f"/?{kind}") as answer:
                assert answer.headers.get("content-encoding") == (None if kind == "text/event-stream" else "gzip")
                pieces = answer.iter_bytes()
                assert next(pieces) == b"data: 1\n\n"
                go_on.set()
                assert b"".join(pieces) == b"data: 2\n\n"


REQUEST_USER: ContextVar[str] = ContextVar("REQUEST_USER")


def test_base_http_middleware_and_context_variables() -> None:
    async def dispatch(request: Any, call_next: Any) -> Any:
        REQUEST_USER.set("ada")
        return await call_next(request)

    closed = threading.Event()

    def legacy(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        try:
            yield REQUEST_USER.get().encode()
            while environ["PATH_INFO"] == "/endless":
                yield b"x" * 65536
        finally:
            closed.set()

    base = Middleware(BaseHTTPMiddleware, dispatch=dispatch)
    with serve(Starlette(routes=[Mount("/", WSGIMiddleware(legacy))], middleware=[base])) as client:
        assert client.get("/").text == "ada"
        closed.clear()
        with client.stream("GET", "/endless") as answer:
            assert next(answer.iter_raw()).startswith(b"ada")
        assert closed.wait(PATIENCE)


# --------------------------------------------------------------------------------------------------- websockets and SSE
def websocket(client: httpx.Client, target: str) -> tuple[socket.socket, wsproto.WSConnection, Any]:
    """Open a websocket; the connection, its protocol, and the answer to the handshake."""
    connection = socket.create_connection((client.base_url.host, client.base_url.port), PATIENCE)
    protocol = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
    connection.sendall(protocol.send(wsproto.events.Request(host="test", target=target)))
    return connection, protocol, event(connection, protocol)


def event(connection: socket.socket, protocol: wsproto.WSConnection) -> Any:
    for found in protocol.events():
        return found
    while True:
        protocol.receive_data(connection.recv(4096) or None)
        for found in protocol.events():
            return found


def test_websockets_and_event_streams(recipe: Make) -> None:
    with serve(recipe("websockets-and-sse").load("bridge").app) as client:
        connection, protocol, answer = websocket(client, "/ws")
        with connection:
            assert isinstance(answer, wsproto.events.AcceptConnection)
            connection.sendall(protocol.send(wsproto.events.TextMessage(data="hello")))
            message = event(connection, protocol)
            assert message.data == "you said hello"
            connection.sendall(protocol.send(wsproto.events.CloseConnection(code=1000)))
            assert isinstance(event(connection, protocol), wsproto.events.CloseConnection)
        connection, _, answer = websocket(client, "/elsewhere")
        with connection:
            assert isinstance(answer, wsproto.events.RejectConnection)
            assert answer.status_code in (403, 404)
        assert client.get("/").text == "served by Flask"
        events = client.get("/events")
        assert events.headers["content-type"].startswith("text/event-stream")
        assert events.text == "data: 0\n\ndata: 1\n\ndata: 2\n\n"


def test_calling_from_a_legacy_handler_into_the_loop() -> None:
    """Acceptance line 96, as the page tells it."""
    import anyio.from_thread

    published: list[tuple[str, int]] = []

    async def publish(message: str) -> str:
        published.append((message, threading.get_ident()))
        return "published"

    def legacy(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        answer = anyio.from_thread.run(publish, "news", token=environ["asgiway.loop_token"])
        published.append(("handler", threading.get_ident()))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [answer.encode()]

    with serve(WSGIMiddleware(legacy)) as client:
        assert client.get("/").text == "published"
    assert [what for what, _ in published] == ["news", "handler"]
    assert published[0][1] != published[1][1]


# ----------------------------------------------------------------------------------------------------------- bulkheads
def test_polls_in_a_pool_of_their_own_starve_nobody(recipe: Make) -> None:
    made = recipe("bulkheads")
    bridge, news = made.load("bridge"), made.load("legacy").news
    with serve(bridge.app) as client, ThreadPoolExecutor(40) as others:
        polls = [others.submit(httpx.get, f"{client.base_url}/poll/news", timeout=PATIENCE) for _ in range(40)]
        until(lambda: bridge.polls.snapshot().busy == 40, "forty polls wait")
        assert bridge.legacy.snapshot().busy == 0
        for _ in range(10):
            assert client.get("/").text == "quick"
        for number in range(40):
            news.put(f"news {number}")
        assert {poll.result().text for poll in polls} == {f"news {number}" for number in range(40)}


def test_polls_in_the_one_pool_starve_the_rest(recipe: Make) -> None:
    legacy = recipe("bulkheads").load("legacy")
    adapter = WSGIMiddleware(legacy.app, workers=4)
    with serve(adapter) as client, ThreadPoolExecutor(5) as others:
        polls = [others.submit(httpx.get, f"{client.base_url}/poll/news", timeout=PATIENCE) for _ in range(4)]
        until(lambda: adapter.snapshot().busy == 4, "four polls wait")
        quick = others.submit(httpx.get, f"{client.base_url}/", timeout=PATIENCE)
        until(lambda: adapter.snapshot().queued == 1, "the quick one waits for them")
        assert not quick.done()
        for number in range(4):
            legacy.news.put(f"news {number}")
        assert quick.result().text == "quick"
        assert len({poll.result().text for poll in polls}) == 4


# ---------------------------------------------------------------------------------------------------- forwarded headers
FORGED = {"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https", "Host": "shop.example"}


def options(page: str, app: str) -> dict[str, Any]:
    """The options of the page's uvicorn command, as uvicorn.Config takes them."""
    for line in (Path(__file__).parents[3] / "adapter" / "docs" / "frameworks" / f"{page}.md").read_text().splitlines():
        words = line.split()
        if words[:2] == ["uvicorn", app]:
            found: dict[str, Any] = {"proxy_headers": "--no-proxy-headers" not in words}
            if "--forwarded-allow-ips" in words:
                found["forwarded_allow_ips"] = words[words.index("--forwarded-allow-ips") + 1]
            return found
    raise LookupError(app)


def test_the_servers_way(recipe: Make) -> None:
    bridge = recipe("forwarded-headers").load("bridge")
    chosen = options("forwarded-headers", "bridge:app")
    assert chosen == {"proxy_headers": True, "forwarded_allow_ips": "10.0.0.5"}
    with serve(bridge.app, **chosen) as client:  # this client isn't the proxy
        answer = client.get("/", headers=FORGED).json()
        assert (answer["client"], answer["scheme"]) == ("127.0.0.1", "http")
    with serve(WSGIMiddleware(bridge.flask_app), proxy_headers=True, forwarded_allow_ips="127.0.0.1") as client:
        assert client.get("/", headers=FORGED).json() == {
            "client": "1.2.3.4", "scheme": "https", "host": "shop.example", "url": "/",
        }  # fmt: skip


def test_proxy_fix(recipe: Make) -> None:
    fixed = recipe("forwarded-headers").load("fixed")
    chosen = options("forwarded-headers", "fixed:app")
    assert chosen == {"proxy_headers": False}
    with serve(fixed.app, **chosen) as client:
        answer = client.get("/", headers={**FORGED, "X-Forwarded-Host": "public.example"}).json()
        assert (answer["client"], answer["scheme"], answer["host"]) == ("1.2.3.4", "https", "public.example")


def test_both_let_the_client_choose_its_address(recipe: Make) -> None:
    """The server knows better, ProxyFix believes."""
    fixed = recipe("forwarded-headers").load("fixed")
    with serve(fixed.app, proxy_headers=True, forwarded_allow_ips="10.0.0.5") as client:
        assert client.get("/", headers=FORGED).json()["client"] == "1.2.3.4"


def test_a_forwarded_prefix_replaces_the_mount_point(recipe: Make) -> None:
    flask_app = recipe("forwarded-headers").load("bridge").flask_app
    headers = {"X-Forwarded-Prefix": "/shop"}
    with serve(Starlette(routes=[Mount("/old", WSGIMiddleware(ProxyFix(flask_app, x_prefix=1)))])) as client:
        assert client.get("/old/").json()["url"] == "/old/"
        assert client.get("/old/", headers=headers).json()["url"] == "/shop/"


def test_trusting_everybody_takes_what_the_client_has_sent(recipe: Make) -> None:
    bridge = recipe("forwarded-headers").load("bridge")
    with serve(bridge.app, proxy_headers=True, forwarded_allow_ips="*") as client:
        headers = {"X-Forwarded-For": "6.6.6.6, 203.0.113.9"}  # the proxy has added the second
        assert client.get("/", headers=headers).json()["client"] == "6.6.6.6"
    with serve(WSGIMiddleware(bridge.flask_app), proxy_headers=True, forwarded_allow_ips="127.0.0.1") as client:
        assert client.get("/", headers=headers).json()["client"] == "203.0.113.9"


def test_what_other_servers_have(recipe: Make) -> None:
    """The two that the page names, around the whole application."""
    from granian.utils.proxies import wrap_asgi_with_proxy_headers
    from hypercorn.middleware import ProxyFixMiddleware

    flask_app = recipe("forwarded-headers").load("bridge").flask_app
    hypercorns: Any = ProxyFixMiddleware(WSGIMiddleware(flask_app), mode="legacy", trusted_hops=1)  # type: ignore[arg-type]
    with serve(hypercorns, proxy_headers=False) as client:
        answer = client.get("/", headers=FORGED).json()
        assert (answer["client"], answer["scheme"]) == ("1.2.3.4", "https")
    granians: Any = wrap_asgi_with_proxy_headers(WSGIMiddleware(flask_app), trusted_hosts="127.0.0.1")
    with serve(granians, proxy_headers=False, interface="asgi3") as client:
        answer = client.get("/", headers=FORGED).json()
        assert (answer["client"], answer["scheme"]) == ("1.2.3.4", "https")


def test_the_page_has_both_commands() -> None:
    assert command("frameworks/forwarded-headers", "uvicorn")[1] == "bridge:app"
    assert json.dumps(options("forwarded-headers", "fixed:app")) == '{"proxy_headers": false}'
