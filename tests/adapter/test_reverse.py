"""asgiway.reverse: ASGI applications behind real WSGI servers, waitress in a thread and gunicorn in processes of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from typing import Any

import httpx
import pytest
import waitress.server  # type: ignore[import-untyped]
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from asgiway.errors import AppProtocolError
from asgiway.reverse import ASGIMiddleware, mount
from tests.adapter.integrations.pages import command, write_files
from tests.adapter.integrations.serving import PATIENCE, ServerProcess, until


class Native:
    """An ASGI application that keeps a record."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.go_on = threading.Event()
        routes = [
            Route("/echo", self.echo, methods=["GET", "POST"]),
            Route("/stream", self.stream),
            Route("/endless", self.endless),
            Route("/background", self.background),
            Route("/fails", self.fails),
            Route("/state", self.state),
        ]
        self.app = Starlette(routes=routes, lifespan=self.lifespan)

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncGenerator[dict[str, str]]:
        self.events.append("startup")
        yield {"pool": "of connections"}
        self.events.append("shutdown")

    async def echo(self, request: Request) -> Response:
        body = await request.body()
        return JSONResponse(
            {
                "method": request.method,
                "path": request.url.path,
                "root_path": request.scope["root_path"],
                "query": request.scope["query_string"].decode("ascii"),
                "size": len(body),
            }
        )

    async def stream(self, request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"first"
            while not self.go_on.is_set():
                await asyncio.sleep(0.01)
            yield b"second"

        return StreamingResponse(pieces())

    async def endless(self, request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x" * 65536
                    await asyncio.sleep(0)
            finally:
                self.events.append("endless ended")

        return StreamingResponse(pieces())

    async def background(self, request: Request) -> Response:
        async def later() -> None:
            self.events.append("background")

        return PlainTextResponse("done", background=BackgroundTask(later))

    async def fails(self, request: Request) -> Response:
        raise LookupError("on purpose")

    async def state(self, request: Request) -> Response:
        return PlainTextResponse(request.state.pool)


def legacy(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"legacy {environ['SCRIPT_NAME']}|{environ['PATH_INFO']}".encode()]


@contextlib.contextmanager
def served(app: Any) -> Generator[httpx.Client]:
    server: Any = waitress.server.create_server(
        app, host="127.0.0.1", port=0, threads=8, clear_untrusted_proxy_headers=True
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.effective_port}", timeout=PATIENCE) as client:
            yield client
    finally:
        server.trigger.pull_trigger(server.close)  # on its own thread; the client's connections are closed already
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.fixture
def native() -> Native:
    return Native()


@pytest.fixture
def client(native: Native) -> Iterator[httpx.Client]:
    middleware = ASGIMiddleware(native.app)
    with served(middleware) as client:
        yield client
    middleware.close()
    if native.events:
        assert native.events[0] == "startup"
        assert native.events[-1] == "shutdown"
        assert native.events.count("startup") == native.events.count("shutdown") == 1
    assert not [thread for thread in threading.enumerate() if thread.name == "asgiway-reverse"]


def test_a_request_and_its_body(client: httpx.Client) -> None:
    assert client.post("/echo?a=b", content=b"x" * 200_000).json() == {
        "method": "POST", "path": "/echo", "root_path": "", "query": "a=b", "size": 200_000,
    }  # fmt: skip


def test_a_path_that_is_not_utf_8(client: httpx.Client) -> None:
    request = client.build_request("GET", "/echo")
    request.extensions["target"] = b"/echo%ff"
    answer = client.send(request)
    assert (answer.status_code, answer.text) == (400, "400 Bad Request: the path is not UTF-8\n")


def test_state_of_the_lifespan(client: httpx.Client, native: Native) -> None:
    assert client.get("/state").text == "of connections"
    assert client.get("/state").text == "of connections"
    assert native.events == ["startup"]


def test_a_background_task(client: httpx.Client, native: Native) -> None:
    assert client.get("/background").text == "done"
    until(lambda: native.events == ["startup", "background"], "the task has run")


def test_an_exception_answers_500_and_is_logged(client: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    assert client.get("/fails").status_code == 500
    until(lambda: "GET /fails: the ASGI application failed after its response" in caplog.text, "it is logged")
    assert "on purpose" in caplog.text
    assert client.get("/echo").status_code == 200


def call(app: Any, path: str = "/", query: str = "") -> tuple[list[str], Any]:
    """One request without a server; its status lines and its response."""
    statuses: list[str] = []
    environ = {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": path,
        "QUERY_STRING": query, "SERVER_NAME": "x", "SERVER_PORT": "",
        "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "https", "wsgi.input": None,
    }  # fmt: skip
    return statuses, app(environ, lambda status, headers, exc_info=None: statuses.append(status))


def test_a_query_beyond_ascii(native: Native) -> None:
    middleware = ASGIMiddleware(native.app)
    _, response = call(middleware, "/echo", "a=\xff%41&b= ")
    assert json.loads(b"".join(response))["query"] == "a=%FF%41&b= "
    _, response = call(middleware, "/echo", "a=b")
    assert json.loads(b"".join(response))["query"] == "a=b"
    middleware.close()


def test_a_streamed_piece_arrives_before_the_next_is_made(native: Native) -> None:
    middleware = ASGIMiddleware(native.app)
    _, response = call(middleware, "/stream")
    pieces = iter(response)
    assert next(pieces) == b"first"
    native.go_on.set()
    assert b"".join(pieces) == b"second"
    response.close()
    middleware.close()


def test_closing_the_response_cancels_the_application(native: Native) -> None:
    middleware = ASGIMiddleware(native.app)
    _, response = call(middleware, "/endless")
    assert next(iter(response)) == b"x" * 65536
    response.close()
    until(lambda: "endless ended" in native.events, "the application is cancelled")
    middleware.close()


async def says_nothing(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        raise NotImplementedError


async def stops_in_the_middle(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})


async def cancels_itself(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        raise NotImplementedError
    raise asyncio.CancelledError


@pytest.mark.parametrize("app", [says_nothing, cancels_itself])
def test_no_response_is_500_and_not_a_thread_lost(app: Any) -> None:
    middleware = ASGIMiddleware(app)
    statuses, response = call(middleware)
    assert b"".join(response)
    assert statuses == ["500 Internal Server Error"]
    response.close()
    middleware.close()


def test_half_a_response_is_an_error_for_the_server() -> None:
    middleware = ASGIMiddleware(stops_in_the_middle)
    statuses, response = call(middleware)
    with pytest.raises(AppProtocolError, match="before its response was complete"):
        b"".join(response)
    assert statuses == ["200 OK"]
    response.close()
    middleware.close()


def test_a_failed_startup_is_told_and_tried_again() -> None:
    tried: list[int] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncGenerator[None]:
        tried.append(1)
        if len(tried) < 2:
            raise LookupError("no database yet")
        yield

    async def index(request: Request) -> Response:
        return PlainTextResponse("up")

    middleware = ASGIMiddleware(Starlette(routes=[Route("/", index)], lifespan=lifespan))
    with pytest.raises(RuntimeError, match=r"the startup of the ASGI application failed: (.|\n)*no database yet"):
        call(middleware)
    statuses, response = call(middleware)
    assert b"".join(response) == b"up"
    response.close()
    middleware.close()
    assert statuses == ["200 OK"]


def test_mount(native: Native) -> None:
    with served(mount(legacy, {"/v2": native.app, "/v2/deep": Native().app})) as client:
        assert client.get("/v2/echo").json()["root_path"] == "/v2"
        assert client.get("/v2/echo").json()["path"] == "/v2/echo"
        assert client.get("/v2/deep/echo").json()["root_path"] == "/v2/deep"
        assert client.get("/v2").status_code == 404
        assert client.get("/v22/echo").text == "legacy |/v22/echo"
        assert client.get("/").text == "legacy |/"


@pytest.mark.parametrize("prefix", ["v2", "/v2/", "/", ""])
def test_a_prefix_that_is_none(prefix: str, native: Native) -> None:
    with pytest.raises(ValueError, match="is no prefix; write it like '/api/v2'"):
        mount(legacy, {prefix: native.app})


def test_not_an_application() -> None:
    with pytest.raises(TypeError, match="needs an ASGI application"):
        ASGIMiddleware(None)  # type: ignore[arg-type]


def test_a_missing_extra_is_one_sentence() -> None:
    code = (
        "import sys; sys.modules['a2wsgi'] = None; from asgiway.reverse import ASGIMiddleware\n"
        "try: ASGIMiddleware(print)\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "asgiway.reverse needs a2wsgi: pip install 'asgiway[reverse]'\n"


def test_import_is_lazy() -> None:
    code = "import sys, asgiway, asgiway.reverse; sys.exit('a2wsgi' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], timeout=30, check=True)


GUNICORN = """
import asyncio, contextlib, os
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route
import wsgi
from asgiway.reverse import mount

def note(what):
    with open("events", "a") as file:
        print(what, file=file)

@contextlib.asynccontextmanager
async def lifespan(app):
    note(f"startup {os.getpid()}")
    yield
    note(f"shutdown {os.getpid()}")

async def size(request):
    return JSONResponse({"size": len(await request.body()), "process": os.getpid()})

async def endless(request):
    async def pieces():
        try:
            while True:
                yield b"x" * 65536
                await asyncio.sleep(0)
        finally:
            note("endless ended")
    return StreamingResponse(pieces())

native = Starlette(routes=[Route("/size", size, methods=["POST"]), Route("/endless", endless)], lifespan=lifespan)
app = mount(wsgi.app, {"/probe": native})
"""


@pytest.fixture(scope="module")
def gunicorn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], ServerProcess]]:
    """The page's files under gunicorn, started with --preload, when it is asked for."""
    folder = tmp_path_factory.mktemp("reverse")
    write_files("frameworks/reverse", folder)
    (folder / "probe.py").write_text(GUNICORN)
    words = command("frameworks/reverse", "gunicorn")
    assert words == ["gunicorn", "wsgi:app", "--threads", "8", "--bind", "127.0.0.1:8000"]
    words = [
        "gunicorn",
        "probe:app",
        "--threads",
        "8",
        "--bind",
        "127.0.0.1:{port}",
        "--preload",
        "--no-control-socket",
    ]
    running: list[ServerProcess] = []

    def start() -> ServerProcess:
        if not running:
            running.append(ServerProcess(words, folder))
        return running[0]

    yield start
    for server in running:
        server.stop()
        events = (folder / "events").read_text().splitlines()
        assert events[0].startswith("startup ")
        assert events[-1] == events[0].replace("startup", "shutdown")  # in the same process, and once
        assert sum(event.startswith("startup") for event in events) == 1


@pytest.mark.wire
def test_under_gunicorn_with_preload(gunicorn: Callable[[], ServerProcess]) -> None:
    server = gunicorn()
    assert server.http.get("/").text == "served by Flask"
    assert server.http.get("/v2/hello/ada").json() == {"hello": "ada"}
    assert server.http.post("/probe/size", content=b"x" * 100_000).json()["size"] == 100_000


@pytest.mark.wire
def test_a_chunked_upload_under_gunicorn(gunicorn: Callable[[], ServerProcess]) -> None:
    answer = gunicorn().http.post("/probe/size", content=iter([b"a" * 400_000, b"b" * 400_000]))
    assert answer.json()["size"] == 800_000


@pytest.mark.wire
def test_a_client_that_leaves_gunicorn(gunicorn: Callable[[], ServerProcess]) -> None:
    server = gunicorn()
    with server.connect() as connection:
        connection.sendall(b"GET /probe/endless HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.recv(1000)
    until(lambda: "endless ended" in (server.folder / "events").read_text(), "the application is cancelled")
