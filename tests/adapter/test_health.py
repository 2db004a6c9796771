"""/healthz and /readyz: answered whatever the threads do, and true; on asyncio, uvloop and trio, and on a real server."""

from __future__ import annotations

import gc
import json
import signal
import threading
import weakref
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route

import asgiway
from asgiway import SettingsError, WSGIMiddleware, health
from asgiway.health import HealthApp
from tests.adapter.server_process import serve_module
from tests.adapter.support import WAIT, Connection, call, http_scope, until
from tests.e2e.serving import serve, wait_until

Environ = dict[str, Any]


class Holding:
    """An application whose requests last until `release` is set."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.entered = 0

    def __call__(self, environ: Environ, start_response: Any) -> list[bytes]:
        self.entered += 1
        assert self.release.wait(WAIT)
        start_response("200 OK", [])
        return [environ["SCRIPT_NAME"].encode() + b" " + environ["PATH_INFO"].encode()]


@pytest.fixture
def app() -> Iterator[Holding]:
    holding = Holding()
    yield holding
    holding.release.set()
    health.resume()


@contextmanager
def clients(address: str, count: int) -> Generator[list[int]]:
    """Requests that are under way while the block runs; the list has their status codes afterwards."""
    statuses: list[int] = []

    def one() -> None:
        statuses.append(httpx.get(address, timeout=WAIT).status_code)

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        for thread in threads:
            thread.join(WAIT)


def test_both_answer_while_all_threads_are_stuck(app: Holding) -> None:
    """Issue 3, section 4: real threads, stuck; a real server; first the queue has room, then it is full."""
    legacy = WSGIMiddleware(app, workers=2, max_queue=1)
    site = Starlette(routes=[Mount("/ops", HealthApp(legacy, names=["legacy"])), Mount("/", legacy)])
    with serve(site) as address, httpx.Client(base_url=address) as client:
        assert client.get("/ops/readyz").json() == {
            "status": "ready",
            "mounts": {
                "legacy": {
                    "status": "ready",
                    "threads": 0,
                    "idle": 0,
                    "busy": 0,
                    "abandoned": 0,
                    "limit": 2,
                    "permits": 2,
                    "queued": 0,
                    "max_queue": 1,
                    "in_flight": 0,
                    "draining": False,
                }
            },
        }
        with clients(address + "/a", 2) as statuses:
            wait_until(lambda: app.entered == 2, "both threads are stuck")
            assert client.get("/ops/healthz").json() == {"status": "ok"}
            ready = client.get("/ops/readyz")
            assert (ready.status_code, ready.json()["mounts"]["legacy"]["busy"]) == (200, 2)
            with clients(address + "/b", 1) as more:
                wait_until(lambda: legacy.snapshot().queued == 1, "the queue is full")
                assert client.get("/ops/healthz").status_code == 200
                saturated = client.get("/ops/readyz")
                assert (saturated.status_code, saturated.headers["retry-after"]) == (503, "1")
                assert saturated.json()["status"] == "not ready"
                assert saturated.json()["mounts"]["legacy"]["status"] == "saturated"
                assert client.get("/c").status_code == 503  # it was no false alarm
                app.release.set()
        assert statuses + more == [200, 200, 200]
        assert client.get("/ops/readyz").status_code == 200


DRAINED_BY_SIGNAL = """
import signal
import asgiway
from asgiway.health import HealthApp

def shop(environ, start_response):
    start_response("200 OK", [])
    return [b"served"]

legacy = asgiway.WSGIMiddleware(shop)
app = HealthApp(legacy, app=legacy)
signal.signal(signal.SIGUSR1, lambda *_: asgiway.drain())
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_drain_by_a_signal_before_the_server_is_told_to_stop(loop: str, tmp_path: Path) -> None:
    with serve_module(tmp_path, DRAINED_BY_SIGNAL, "--loop", loop) as server:
        with httpx.Client(base_url=server.address) as client:
            assert client.get("/readyz").status_code == 200
            server.signal(signal.SIGUSR1)
            wait_until(lambda: client.get("/readyz").status_code == 503, "the process says that it is leaving")
            assert client.get("/readyz").json()["mounts"]["mount-1"]["status"] == "draining"
            assert client.get("/anything").text == "served"  # requests that come meanwhile are not refused
            assert client.get("/healthz").status_code == 200
        server.process.terminate()
        assert server.process.wait(WAIT) == -signal.SIGTERM  # uvicorn has shut down and raises it again
        assert server.log == ""


@pytest.mark.anyio
async def test_drain_of_one_mount_or_all(app: Holding) -> None:
    app.release.set()
    first, second = WSGIMiddleware(app), WSGIMiddleware(app)
    both = HealthApp(first, second)

    async def statuses() -> list[str]:
        connection = await call(both, path="/readyz")
        content = json.loads(connection.body)
        assert (connection.status == 200) == (content["status"] == "ready")
        return [mount["status"] for mount in content["mounts"].values()]

    assert await statuses() == ["ready", "ready"]
    asgiway.drain(second)
    assert await statuses() == ["ready", "draining"]
    assert (await call(second)).status == 200
    health.resume(second)
    assert await statuses() == ["ready", "ready"]
    asgiway.drain()
    assert await statuses() == ["draining", "draining"]
    assert (await call(first)).status == 200
    health.resume(first)
    assert await statuses() == ["draining", "draining"]
    health.resume()
    assert await statuses() == ["ready", "ready"]
    async with second:
        assert await statuses() == ["ready", "ready"]
    assert await statuses() == ["ready", "draining"]  # the adapter's own, at shutdown


@pytest.mark.anyio
async def test_not_ready_while_shutdown_waits_for_requests(app: Holding) -> None:
    legacy = WSGIMiddleware(app)
    ops = HealthApp(legacy)
    connection = Connection()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(legacy, http_scope(), connection.receive, connection.send)
        await until(lambda: app.entered == 1)
        tasks.start_soon(legacy.aclose)
        await until(lambda: legacy.snapshot().draining)
        assert (await call(ops, path="/readyz")).status == 503
        assert (await call(ops, path="/healthz")).status == 200
        app.release.set()
    assert connection.status == 200


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "path", "root_path", "status"),
    [
        ("GET", "/healthz", "", 200),
        ("HEAD", "/healthz", "", 200),
        ("POST", "/readyz", "", 405),
        ("GET", "/ops/healthz", "/ops", 200),
        ("GET", "/ops/readyz", "/ops/", 200),
        ("GET", "/healthz", "/ops", 200),  # a proxy has taken the prefix off
        ("GET", "/healthz/", "", 404),
        ("GET", "/opshealthz", "/ops", 404),
        ("POST", "/other", "", 404),
    ],
)
async def test_paths_and_methods(method: str, path: str, root_path: str, status: int, app: Holding) -> None:
    connection = await call(HealthApp(WSGIMiddleware(app)), method, path, root_path=root_path)
    assert connection.status == status
    headers = connection.headers
    assert (headers[b"content-type"], headers[b"cache-control"]) == (b"application/json", b"no-store")
    assert headers.get(b"allow") == (b"GET, HEAD" if status == 405 else None)
    if method == "HEAD":
        assert (connection.body, int(headers[b"content-length"]) > 0) == (b"", True)
    else:
        assert int(headers[b"content-length"]) == len(connection.body)
    assert connection.received == 0


@pytest.mark.anyio
async def test_in_front_of_the_adapter_it_passes_everything_else_on(app: Holding) -> None:
    app.release.set()
    legacy = WSGIMiddleware(app)
    site = HealthApp(legacy, app=legacy)
    assert (await call(site, "POST", "/x/healthz", root_path="/x")).status == 405
    assert (await call(site, path="/x/other", root_path="/x")).body == b"/x /other"
    connection = Connection()
    lifespan = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Any:
        return next(lifespan)

    await site({"type": "lifespan"}, receive, connection.send)
    assert [message["type"] for message in connection.sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert legacy.snapshot().draining


@pytest.mark.anyio
async def test_alone_it_answers_lifespan_and_refuses_websockets(app: Holding) -> None:
    ops = HealthApp(WSGIMiddleware(app))
    lifespan = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Any:
        return next(lifespan)

    connection = Connection()
    await ops({"type": "lifespan"}, receive, connection.send)
    assert [message["type"] for message in connection.sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    connection = Connection()
    await ops({"type": "websocket", "path": "/healthz"}, connection.receive, connection.send)
    assert [message["type"] for message in connection.sent] == ["websocket.close"]


def test_as_starlette_routes(app: Holding) -> None:
    ops = HealthApp(WSGIMiddleware(app))
    with serve(Starlette(routes=[Route("/healthz", ops), Route("/readyz", ops)])) as address:
        assert httpx.get(address + "/healthz").json() == {"status": "ok"}
        assert httpx.get(address + "/readyz").json()["status"] == "ready"


def test_what_it_is_given(app: Holding) -> None:
    adapter = WSGIMiddleware(app)
    with pytest.raises(SettingsError, match="HealthApp has no adapter to look at; give it the WSGIMiddleware of each"):
        HealthApp()
    with pytest.raises(TypeError, match="HealthApp needs the WSGIMiddleware of each mount, but got <tests"):
        HealthApp(app)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    for names in (["a", "b"], [], "a", "ab"):
        with pytest.raises(SettingsError, match=r"does not fit: HealthApp has 1 adapter\(s\)"):
            HealthApp(adapter, names=names)
    with pytest.raises(SettingsError, match=r"names=\['a', 'a'\] does not fit"):
        HealthApp(adapter, WSGIMiddleware(app), names=["a", "a"])


def test_an_adapter_that_is_gone_is_forgotten(app: Holding) -> None:
    adapter = WSGIMiddleware(app)
    asgiway.drain(adapter)
    gone = weakref.ref(adapter)
    del adapter
    gc.collect()
    assert gone() is None
