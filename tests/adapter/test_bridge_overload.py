"""More requests than threads, and shutdown; on asyncio, uvloop and trio. Numbers: acceptance lines."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from typing import Any

import anyio
import anyio.to_thread
import pytest

from asgiway import WSGIMiddleware
from asgiway.errors import UnsupportedScopeError
from tests.adapter.support import (
    WAIT,
    Body,
    Connection,
    Message,
    answering,
    call,
    content_length,
    http_scope,
    until,
)

pytestmark = pytest.mark.anyio

Environ = dict[str, Any]


async def test_091_the_queue_is_bounded_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        assert release.wait(WAIT)
        start_response("200 OK", [])
        return [b"done"]

    adapter = WSGIMiddleware(app, workers=1, max_queue=2)
    connections: list[Connection] = []

    async def client() -> None:
        connections.append(await call(adapter))

    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(client)
        await until(lambda: len(connections) == 3)
        assert [connection.status for connection in connections] == [503] * 3
        assert connections[0].headers[b"retry-after"] == b"1"
        assert int(connections[0].headers[b"content-length"]) == len(connections[0].body)
        release.set()
    assert [connection.status for connection in connections[3:]] == [200] * 3
    episodes = [record for record in caplog.records if "max_queue reached" in record.getMessage()]
    assert len(episodes) == 1
    assert "GET /" in episodes[0].getMessage()
    assert "1 busy of 1, 2 waiting" in episodes[0].getMessage()  # line 99


@pytest.mark.parametrize("settings", [{"max_queue": 2}, {"queue_timeout": 0.02}], ids=["max_queue", "queue_timeout"])
async def test_091_an_episode_is_one_line_of_the_log_however_long_it_lasts(
    settings: dict[str, Any], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where some are admitted in between, as in every overload that lasts."""

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        time.sleep(0.01)
        start_response("200 OK", [])
        return [b"done"]

    def lines() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.name == "asgiway"]

    adapter = WSGIMiddleware(app, workers=1, **settings)
    statuses: list[int] = []

    async def client() -> None:
        for _ in range(4):
            statuses.append((await call(adapter)).status)
            await anyio.sleep(0.001)

    async def overload() -> None:
        statuses.clear()
        async with anyio.create_task_group() as tasks:
            for _ in range(15):
                tasks.start_soon(client)
        assert statuses.count(200) > 1
        assert statuses.count(503) > 1

    monkeypatch.setattr("asgiway.bridge.EPISODE_SECONDS", 60.0)
    await overload()
    assert len(lines()) == 1
    monkeypatch.setattr("asgiway.bridge.EPISODE_SECONDS", 0.3)
    await anyio.sleep(0.31)
    await overload()
    assert len(lines()) >= 2


async def test_091_a_worker_that_has_answered_is_free_for_the_next_request() -> None:
    adapter = WSGIMiddleware(answering([b"x"]), workers=1, max_queue=0)
    for _ in range(300):
        assert (await call(adapter)).status == 200


async def test_099_a_path_cannot_forge_lines_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    app = WSGIMiddleware(answering([b"x"]), max_body_size=1)
    await call(app, "POST", "/x\nERROR forged", headers=content_length(2))
    assert "POST /x%0AERROR%20forged: 413" in caplog.text


@pytest.mark.parametrize("status", [413, 400, 431, 503])
async def test_099_what_the_adapter_refuses_is_framed_and_logged(status: int, caplog: pytest.LogCaptureFixture) -> None:
    """Content-Length, whether the connection can go on, and a line with the route and how busy the pool is."""
    adapter = WSGIMiddleware(answering([b"x"]), max_body_size=1)
    headers = {
        413: content_length(2),
        400: [*content_length(1), (b"content-length", b"2")],
        431: [(b"a", b"b")] * 101,
        503: [],
    }[status]
    if status == 503:
        await adapter.aclose()
    caplog.clear()
    for _ in range(2):
        connection = await call(adapter, "POST", "/the/route", headers=headers)
        assert connection.status == status
        assert int(connection.headers[b"content-length"]) == len(connection.body) > 0
        assert connection.body.startswith(b"%d " % status)
        assert connection.headers.get(b"connection") == (None if status == 503 else b"close")
        assert connection.headers.get(b"retry-after") == (b"1" if status == 503 else None)
    refusals = [record.getMessage() for record in caplog.records if record.name == "asgiway"]
    assert len(refusals) == (1 if status == 503 else 2)  # shutdown is one episode
    for line in refusals:
        assert line.startswith(f"POST /the/route: {status}: ")
        assert line.endswith("; threads 0 busy of 128, 0 waiting, 0 in flight")
    over_http_2 = await call(adapter, "POST", headers=headers, http_version="2")
    assert b"connection" not in over_http_2.headers  # RFC 9113, 8.2.2


async def test_091_waiting_too_long_is_answered_503() -> None:
    release = threading.Event()
    calls: list[str] = []

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        calls.append(environ["PATH_INFO"])
        assert release.wait(WAIT)
        start_response("200 OK", [])
        return [b"done"]

    adapter = WSGIMiddleware(app, workers=1, queue_timeout=0.2)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call, adapter, "GET", "/first")
        await until(lambda: calls == ["/first"])
        waited = await call(adapter, path="/second")
        assert (waited.status, waited.headers[b"retry-after"]) == (503, b"1")
        release.set()
    assert calls == ["/first"]


async def test_091_a_waiting_request_whose_client_has_left_never_runs() -> None:
    release = threading.Event()
    calls: list[str] = []

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        calls.append(environ["PATH_INFO"])
        assert release.wait(WAIT)
        start_response("200 OK", [])
        return [b"done"]

    adapter = WSGIMiddleware(app, workers=1)
    connection = Connection()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call, adapter, "GET", "/first")
        await until(lambda: calls == ["/first"])
        async with anyio.create_task_group() as inner:
            inner.start_soon(adapter, http_scope(path="/second"), connection.receive, connection.send)
            await anyio.sleep(0.05)
            connection.leave()
        # the request ended although the only thread is still busy
        release.set()
    assert calls == ["/first"]
    assert connection.sent == []


async def test_092_drain_waits_for_requests_and_refuses_new_ones() -> None:
    release = threading.Event()

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        assert release.wait(WAIT)
        start_response("200 OK", [])
        return [b"done"]

    answers: list[Connection] = []

    async def client(adapter: Any) -> None:
        answers.append(await call(adapter))

    async with anyio.create_task_group() as tasks:
        async with WSGIMiddleware(app) as adapter:
            tasks.start_soon(client, adapter)
            await until(lambda: adapter._pool.threads == 1)  # pyright: ignore[reportPrivateUsage]

            async def refused() -> None:
                await anyio.sleep(0.1)
                connection = await call(adapter)
                assert (connection.status, connection.headers[b"retry-after"]) == (503, b"1")
                release.set()

            tasks.start_soon(refused)
        assert adapter._pool.threads == 0  # pyright: ignore[reportPrivateUsage]
        assert [connection.body for connection in answers] == [b"done"]


async def test_092_drain_timeout_interrupts_and_logs_what_cannot_be(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()
    body = Body(b"x" for _ in range(10**9))

    def app(environ: Environ, start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/stuck":
            assert release.wait(WAIT)
        start_response("200 OK", [])
        return body

    adapter = WSGIMiddleware(app, drain_timeout=0.1)
    streaming, stuck = Connection(), Connection()
    errors: list[BaseException] = []

    async def request(path: str, connection: Connection) -> None:
        try:
            await adapter(http_scope(path=path), connection.receive, connection.send)
        except Exception as exc:
            errors.append(exc)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(request, "/stream", streaming)
        tasks.start_soon(request, "/stuck", stuck)
        await until(lambda: len(streaming.sent) > 2)
        await adapter.aclose()
        assert body.closed == 1
        assert not streaming.complete
        assert "shutdown leaves a request running: GET /stuck" in caplog.text
        release.set()
    assert [str(error) for error in errors] == ["interrupted by shutdown after drain_timeout (0.1 s)"]
    assert stuck.status == 503


async def test_092_and_095_lifespan_drains() -> None:
    events: list[str] = []
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    adapter = WSGIMiddleware(answering([b"x"]))

    async def receive() -> Any:
        message = next(messages)
        if message["type"] == "lifespan.shutdown":
            assert (await call(adapter)).body == b"x"
        return message

    async def send(message: Message) -> None:
        events.append(message["type"])

    await adapter({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)
    assert events == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert (await call(adapter)).status == 503


async def test_095_websockets_are_refused_and_unknown_scopes_are_errors() -> None:
    adapter = WSGIMiddleware(answering([b"x"]))
    sent: list[Message] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await adapter({"type": "websocket", "path": "/"}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1000}]
    sent.clear()
    await adapter({"type": "websocket", "path": "/", "extensions": {"websocket.http.response": {}}}, receive, send)
    assert (sent[0]["type"], sent[0]["status"]) == ("websocket.http.response.start", 404)
    with pytest.raises(UnsupportedScopeError, match="'ftp'"):
        await adapter({"type": "ftp"}, receive, send)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
async def test_097_a_child_forked_amid_requests_has_none_of_them() -> None:
    """A handler that uses multiprocessing, for one. The child can serve, and its shutdown waits for nobody."""
    release = threading.Event()
    entered: list[str] = []

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/hold":
            entered.append("/hold")
            assert release.wait(WAIT)
        start_response("200 OK", [])
        return [b"done"]

    adapter = WSGIMiddleware(app)

    async def serve_and_drain() -> None:
        assert (await call(adapter)).body == b"done"
        await adapter.aclose()

    child, status = 0, -1
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call, adapter, "GET", "/hold")
        await until(lambda: bool(entered))

        def fork() -> None:
            """In a thread of its own, where no loop runs in the child either."""
            nonlocal child
            child = os.fork()
            if child == 0:  # nothing of pytest may run in here
                code = 1
                try:
                    signal.alarm(int(WAIT))
                    left = adapter.snapshot().in_flight
                    began = time.monotonic()
                    asyncio.run(serve_and_drain())
                    code = 2 if left else 3 if time.monotonic() - began > 5 else 0  # drain_timeout is 30 s
                finally:
                    os._exit(code)

        forking = threading.Thread(target=fork)
        forking.start()
        await anyio.to_thread.run_sync(forking.join)
        _, status = await anyio.to_thread.run_sync(os.waitpid, child, 0)
        release.set()
    assert os.waitstatus_to_exitcode(status) == 0
    await adapter.aclose()
