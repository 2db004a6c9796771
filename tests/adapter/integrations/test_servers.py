"""The page of servers: each command as it stands there, with an application that streams, is left, and is asked to end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.adapter.integrations.pages import blocks, write_files
from tests.adapter.integrations.serving import PATIENCE, ServerProcess, until

pytestmark = pytest.mark.wire

PROBE = """
import os, time
from pathlib import Path
import bridge
from asgiway import WSGIMiddleware

def note(name):
    Path(name).write_text(str(os.getpid()))

def wait_for(name):
    deadline = time.monotonic() + 20
    while not Path(name).exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)

def legacy(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/":
        return bridge.flask_app(environ, start_response)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return globals()[path[1:]](environ)

def stream(environ):
    yield b"first"
    wait_for("go-on")
    yield b"second"

def endless(environ):
    try:
        while True:
            yield b"x" * 65536
    finally:
        note("left")

def slow(environ):
    note("slow")
    wait_for("finish")
    return [b"finished"]

def size(environ):
    return [str(len(environ["wsgi.input"].read())).encode()]

adapter = WSGIMiddleware(legacy)

async def app(scope, receive, send):
    async def noted(message):
        await send(message)
        if message["type"] == "lifespan.startup.complete":
            note(f"up-{os.getpid()}")
    await adapter(scope, receive, noted if scope["type"] == "lifespan" else send)
"""


def commands() -> list[list[str]]:
    return [
        line.split()
        for block in blocks("frameworks/servers")
        if block.language == "sh"
        for line in block.text.splitlines()
    ]


NAMES = ["uvicorn", "hypercorn", "granian", "gunicorn-uvicorn_worker", "gunicorn-asgi"]


def test_the_page_has_these_commands() -> None:
    assert [words[0] for words in commands()] == ["uvicorn", "hypercorn", "granian", "gunicorn", "gunicorn"]
    assert all("bridge:app" in words and "8000" in " ".join(words) for words in commands())
    assert ["uvicorn_worker.UvicornWorker" in words for words in commands()] == [False, False, False, True, False]


@pytest.fixture(scope="module", params=range(len(NAMES)), ids=NAMES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("servers")
    write_files("frameworks/servers", folder)
    (folder / "probe.py").write_text(PROBE)
    words = [word.replace("8000", "{port}").replace("bridge:app", "probe:app") for word in commands()[request.param]]
    if words[0] == "gunicorn":
        words.append("--no-control-socket")  # it lies in the home folder
    server = ServerProcess(words, folder)
    # A SIGTERM that comes while a process starts is lost on granian and on gunicorn's own worker.
    workers = int(words[words.index("--workers") + 1]) if "--workers" in words else 1
    until(lambda: len(list(folder.glob("up-*"))) == workers, "all processes have started")
    if "asgi" in words and words[0] == "gunicorn":
        until(lambda: server.log.count("ASGI server listening") == workers, "all processes listen")
    yield server
    server.kill()


def test_it_serves(server: ServerProcess) -> None:
    processes = {server.http.get("/").text for _ in range(3)}
    assert all(text.startswith("served by process ") for text in processes)
    assert server.http.post("/size", content=b"x" * 200_000).text == "200000"
    assert server.http.post("/size", content=iter([b"x" * 1000, b"y" * 1000])).text == "2000"


def test_it_streams(server: ServerProcess) -> None:
    """Acceptance line 82."""
    with server.http.stream("GET", "/stream") as answer:
        pieces = answer.iter_raw()
        assert next(pieces) == b"first"
        (server.folder / "go-on").touch()
        assert b"".join(pieces) == b"second"


def test_a_client_that_leaves_stops_the_iteration(server: ServerProcess) -> None:
    """Acceptance line 87."""
    with server.connect() as connection:
        connection.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.recv(1000)
    until((server.folder / "left").exists, "the generator is closed")


def test_sigterm_lets_a_request_finish(server: ServerProcess) -> None:
    """Acceptance line 92. The last test of its server."""

    def finish(folder: Path) -> None:
        # Where the parent process keeps the socket open there is nothing to wait for.
        deadline = time.monotonic() + 1
        while listens(server) and time.monotonic() < deadline:
            pass
        (folder / "finish").touch()

    with ThreadPoolExecutor(2) as others:
        answer = others.submit(httpx.get, f"http://127.0.0.1:{server.port}/slow", timeout=PATIENCE * 2)
        until((server.folder / "slow").exists, "the request is under way")
        finished = others.submit(finish, server.folder)
        server.stop()
        finished.result()
        assert answer.result().text == "finished"


def test_hypercorn_with_two_workers_does_not_wait(tmp_path: Path) -> None:
    """What the page warns of: a request that never ends would have been waited for, up to --graceful-timeout."""
    write_files("frameworks/servers", tmp_path)
    (tmp_path / "probe.py").write_text(PROBE)
    words = ["hypercorn", "probe:app", "--bind", "127.0.0.1:{port}", "--workers", "2", "--graceful-timeout", "30"]
    server = ServerProcess(words, tmp_path)
    try:
        with ThreadPoolExecutor(1) as others:
            answer = others.submit(httpx.get, f"http://127.0.0.1:{server.port}/slow", timeout=PATIENCE * 2)
            until((tmp_path / "slow").exists, "the request is under way")
            server.stop()
            with pytest.raises(httpx.TransportError):
                answer.result()
    finally:
        server.kill()


def listens(server: ServerProcess) -> bool:
    try:
        server.connect().close()
    except OSError:
        return False
    time.sleep(0.02)
    return True
