"""Deadlines, events and snapshots, early hints and files sent by name; on asyncio, uvloop and trio."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from asgiway import SettingsError, WSGIMiddleware
from asgiway.errors import RequestTimeoutError
from asgiway.observe import DrainEnded, DrainStarted, Event, RequestEnded, RequestRejected, RequestTimedOut
from tests.adapter.support import WAIT, Body, Connection, Message, call, content_length, http_scope, until

pytestmark = pytest.mark.anyio

Environ = dict[str, Any]


class Gate:
    """An application whose requests to /wait and /stream go on when the test says so."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.entered = 0

    def __call__(self, environ: Environ, start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        if path == "/wait":
            self.entered += 1
            assert self.release.wait(WAIT)
        start_response("200 OK", [])
        if path == "/stream":
            return self.stream()
        if path == "/raise":
            raise ValueError("raised")
        return [environ["wsgi.input"].read() or b"body"]

    def stream(self) -> Iterator[bytes]:
        yield b"first"
        self.entered += 1
        assert self.release.wait(WAIT)
        yield b"second"


# -------------------------------------------------------------------------------------------------- request_timeout


async def test_request_timeout_answers_504_shows_the_stack_and_replaces_the_worker(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app, events = Gate(), list[Event]()
    adapter = WSGIMiddleware(app, workers=1, request_timeout=0.2, on_event=events.append)
    connection = await call(adapter, path="/wait")
    assert (connection.status, connection.complete) == (504, True)
    assert "GET /wait: no answer within request_timeout (0.2 s)" in caplog.text
    assert "assert self.release.wait(WAIT)" in caplog.text
    assert adapter.snapshot().abandoned == 1
    # The only worker is stuck, and yet:
    assert (await call(adapter)).body == b"body"
    assert (adapter.snapshot().threads, adapter.snapshot().limit) == (2, 2)
    app.release.set()
    await until(lambda: adapter.snapshot().abandoned == 0)
    await until(lambda: adapter.snapshot().threads == 1)
    await until(lambda: sum(isinstance(event, RequestEnded) for event in events) == 2)
    timed_out = [event for event in events if isinstance(event, RequestTimedOut)]
    assert len(timed_out) == 1
    assert timed_out[0].abandoned == 1
    assert "self.release.wait" in timed_out[0].stack
    ended = [event for event in events if isinstance(event, RequestEnded) and event.scope["path"] == "/wait"]
    assert [(event.outcome, event.status) for event in ended] == [("timed out", 504)]
    assert ended[0].app_seconds >= 0.2
    await adapter.aclose()


async def test_request_timeout_after_the_start_cuts_the_connection() -> None:
    app = Gate()
    adapter = WSGIMiddleware(app, request_timeout=0.2)
    connection = Connection()
    with pytest.raises(RequestTimeoutError), anyio.fail_after(WAIT):
        await adapter(http_scope(path="/stream"), connection.receive, connection.send)
    assert connection.body == b"first"
    assert not connection.complete
    app.release.set()
    await until(lambda: adapter.snapshot().in_flight == 0)


async def test_no_more_workers_are_replaced_than_allowed() -> None:
    app = Gate()
    adapter = WSGIMiddleware(app, workers=1, max_workers=1, max_queue=1, request_timeout=0.15, queue_timeout=0.3)
    assert (await call(adapter, path="/wait")).status == 504
    assert (await call(adapter, path="/wait")).status == 504  # on the one replacement
    assert adapter.snapshot().abandoned == 2
    assert adapter.snapshot().threads == 2
    refused = await call(adapter)  # waits for a thread in vain
    assert (refused.status, b"retry-after" in refused.headers) == (503, True)
    app.release.set()
    await until(lambda: adapter.snapshot().abandoned == 0)
    assert (await call(adapter)).status == 200
    await adapter.aclose()


# ------------------------------------------------------------------------------------------------ events, snapshots


async def test_a_request_is_reported_with_its_times_and_bytes() -> None:
    events: list[Event] = []
    adapter = WSGIMiddleware(Gate(), on_event=events.append)
    await call(adapter, "POST", "/echo", body=(b"abc", b"de"), headers=content_length(5))
    await until(lambda: len(events) == 1)
    (event,) = events
    assert isinstance(event, RequestEnded)
    assert (event.scope["path"], event.status, event.outcome) == ("/echo", 200, "complete")
    assert (event.bytes_in, event.bytes_out) == (5, 5)
    assert 0 <= event.queue_seconds < WAIT
    assert 0 <= event.app_seconds < WAIT


async def test_a_body_taken_in_beforehand_counts_too() -> None:
    events: list[Event] = []
    adapter = WSGIMiddleware(Gate(), on_event=events.append)
    await call(adapter, "POST", body=(b"abc", b"de"), headers=[(b"transfer-encoding", b"chunked")])
    (event,) = events
    assert isinstance(event, RequestEnded)
    assert event.bytes_in == 5


async def test_a_client_that_leaves_while_its_body_is_taken_in_counts_too() -> None:
    """The application never runs, and yet it was a request."""
    events: list[Event] = []
    adapter = WSGIMiddleware(Gate(), on_event=events.append)
    connection = Connection([b"abc", b"de"], open_end=True)
    connection.leave()
    with anyio.fail_after(WAIT):
        await adapter(
            http_scope("POST", headers=[(b"transfer-encoding", b"chunked")]), connection.receive, connection.send
        )
    (event,) = events
    assert isinstance(event, RequestEnded)
    assert (event.outcome, event.status, event.bytes_in, event.bytes_out) == ("disconnected", None, 5, 0)
    assert event.app_seconds == 0
    assert connection.sent == []


async def test_every_way_to_end_has_its_word() -> None:
    events: list[Event] = []
    app = Gate()
    adapter = WSGIMiddleware(app, on_event=events.append)

    with pytest.raises(ValueError, match="raised"):
        await call(adapter, path="/raise")

    connection = Connection()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(adapter, http_scope(path="/stream"), connection.receive, connection.send)
        await until(lambda: app.entered == 1)
        connection.leave()
        await anyio.sleep(0.2)
        app.release.set()

    app.release.clear()
    connection = Connection()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(adapter, http_scope(path="/wait"), connection.receive, connection.send)
        await until(lambda: app.entered == 2)
        tasks.cancel_scope.cancel()
    app.release.set()

    await until(lambda: len(events) == 3)
    assert [event.outcome for event in events if isinstance(event, RequestEnded)] == [
        "error",
        "disconnected",
        "cancelled",
    ]


async def test_rejections_are_reported_with_their_reason() -> None:
    events: list[Event] = []
    app = Gate()
    adapter = WSGIMiddleware(app, workers=1, max_queue=1, queue_timeout=0.2, max_body_size=3, on_event=events.append)
    await call(adapter, "POST", headers=content_length(4))
    await call(adapter, "POST", headers=[(b"content-length", b"1"), (b"content-length", b"2")])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call, adapter, "GET", "/wait")
        await until(lambda: app.entered == 1)
        tasks.start_soon(call, adapter, "GET", "/waits-too-long")
        await until(lambda: adapter.snapshot().saturated)
        await call(adapter)
        await until(lambda: adapter.snapshot().queued == 0)
        app.release.set()
    await adapter.aclose()
    await call(adapter)
    await until(lambda: any(isinstance(event, RequestEnded) for event in events))
    rejected = [(event.reason, event.status) for event in events if isinstance(event, RequestRejected)]
    assert rejected == [
        ("too large", 413),
        ("bad request", 400),
        ("max_queue", 503),
        ("queue_timeout", 503),
        ("draining", 503),
    ]
    waited = [event.queue_seconds for event in events if isinstance(event, RequestRejected)]
    assert waited[3] >= 0.2
    assert [type(event) for event in events if isinstance(event, (DrainStarted, DrainEnded))] == [
        DrainStarted,
        DrainEnded,
    ]
    ended = [event.scope["path"] for event in events if isinstance(event, RequestEnded)]
    assert ended == ["/wait"]


async def test_several_may_listen() -> None:
    first: list[Event] = []
    second: list[Event] = []
    adapter = WSGIMiddleware(Gate(), on_event=first.append)
    adapter.subscribe(second.append)
    await call(adapter)
    assert first == second
    assert len(first) == 1


async def test_middleware_in_front_can_add_to_the_environ() -> None:
    def app(environ: Environ, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["shop.tenant"].encode()]

    extra: dict[str, Any] = {"asgiway.environ": {"shop.tenant": "north"}}
    connection = await call(WSGIMiddleware(app), **extra)
    assert connection.body == b"north"


async def test_an_observer_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def fail(event: Event) -> None:
        raise ValueError("observer")

    assert (await call(WSGIMiddleware(Gate(), on_event=fail))).body == b"body"
    assert "on_event failed for RequestEnded" in caplog.text


async def test_a_snapshot_tells_how_busy_it_is() -> None:
    app = Gate()
    adapter = WSGIMiddleware(app, workers=2, max_queue=3)
    assert adapter.snapshot().threads == 0
    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(call, adapter, "GET", "/wait")
        await until(lambda: app.entered == 2)
        now = adapter.snapshot()
        assert (now.threads, now.busy, now.limit, now.queued, now.max_queue, now.in_flight) == (2, 2, 2, 2, 3, 4)
        assert (now.idle, now.saturated, now.draining) == (0, False, False)
        running = adapter.running()
        assert [entry.scope["path"] for entry in running] == ["/wait", "/wait"]
        assert running[0].seconds >= running[1].seconds >= 0
        assert {entry.thread.name[:8] for entry in running} == {"asgiway-"}
        tasks.start_soon(call, adapter, "GET", "/wait")
        await until(lambda: adapter.snapshot().saturated)
        app.release.set()
    await adapter.aclose()
    assert adapter.snapshot().draining


@pytest.mark.parametrize(
    "settings",
    [
        {"workers": 0},
        {"workers": True},
        {"max_workers": 0},
        {"max_queue": -1},
        {"queue_timeout": -1},
        {"request_timeout": 0},
        {"drain_timeout": float("nan")},
        {"body": "disk"},
        {"max_body_size": -1},
        {"high_water": 0},
        {"on_event": 3},
        {"workers": "4"},
        {"workers": 2.5},
        {"max_queue": float("inf")},
        {"max_body_size": 1e6},
        {"high_water": 0.5},
        {"multiprocess": "false"},
        {"underscore_headers": "keep"},
    ],
    ids=repr,
)
async def test_impossible_settings_are_refused_by_name(settings: dict[str, Any]) -> None:
    (name,) = settings
    with pytest.raises(SettingsError, match=f"^{name}="):
        WSGIMiddleware(Gate(), **settings)


# -------------------------------------------------------------------------------------------- early hints, pathsend


async def test_083_early_hints_are_sent_where_the_server_can() -> None:
    def app(environ: Environ, start_response: Any) -> list[bytes]:
        environ["wsgi.early_hints"]([("Link", "</style.css>; rel=preload"), ("X-Other", "1")])
        environ["wsgi.early_hints"]([("X-Other", "1")])
        time.sleep(0.05)
        start_response("200 OK", [])
        return [b"x"]

    connection = await call(WSGIMiddleware(app), extensions={"http.response.early_hint": {}})
    assert connection.sent[0] == {"type": "http.response.early_hint", "links": [b"</style.css>; rel=preload"]}
    assert [message["type"] for message in connection.sent[1:]] == ["http.response.start", "http.response.body"]
    assert (await call(WSGIMiddleware(app))).body == b"x"


class Served:
    """Serves one file through wsgi.file_wrapper."""

    def __init__(self, opened: Any, headers: list[tuple[str, str]] | None = None) -> None:
        self.opened = opened
        self.headers = headers or []

    def __call__(self, environ: Environ, start_response: Any) -> Any:
        start_response("200 OK", self.headers)
        return environ["wsgi.file_wrapper"](self.opened)


PATHSEND: dict[str, Any] = {"http.response.pathsend": {}}
CONTENT = b"0123456789" * 30_000  # small files are read in any case


async def test_081_a_plain_file_is_sent_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    opened = path.open("rb")
    closed: list[bool] = []

    async def on_send(message: Message) -> None:
        if message["type"] == "http.response.pathsend":
            await anyio.sleep(0.05)
            closed.append(opened.closed)

    connection = Connection(on_send=on_send)
    ended: list[Event] = []
    with anyio.fail_after(WAIT):
        await WSGIMiddleware(Served(opened), on_event=ended.append)(
            http_scope(extensions=PATHSEND), connection.receive, connection.send
        )
    assert [event.bytes_out for event in ended if isinstance(event, RequestEnded)] == [300_000]
    assert connection.headers == {b"content-length": b"300000"}
    assert connection.sent[1:] == [{"type": "http.response.pathsend", "path": str(path)}]
    assert closed == [False]
    assert opened.closed


@pytest.mark.parametrize(
    "case", ["no extension", "offset", "length", "deleted", "temporary", "replaced", "relative", "head"]
)
async def test_081_anything_else_is_read(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    headers: list[tuple[str, str]] = []
    expected = CONTENT
    opened: Any = path.open("rb")
    if case == "offset":
        opened.seek(4)
        expected = CONTENT[4:]
    elif case == "length":
        headers, expected = [("Content-Length", "5")], b"01234"
    elif case == "deleted":
        path.unlink()
    elif case == "replaced":
        path.unlink()
        path.write_bytes(CONTENT[::-1])
    elif case == "temporary":
        opened.close()
        opened = tempfile.NamedTemporaryFile()  # noqa: SIM115 - closed by the adapter
        opened.write(expected)
        opened.seek(0)
    elif case == "relative":
        opened.close()
        monkeypatch.chdir(tmp_path)
        opened = open("file", "rb")  # noqa: SIM115 - closed by the adapter
    elif case == "head":
        expected = b""
    extensions = {} if case == "no extension" else PATHSEND
    connection = await call(
        WSGIMiddleware(Served(opened, headers)), "HEAD" if case == "head" else "GET", extensions=extensions
    )
    assert connection.body == expected
    assert [message["type"] for message in connection.sent][:1] == ["http.response.start"]
    assert "http.response.pathsend" not in [message["type"] for message in connection.sent]
    assert opened.closed


async def test_081_a_client_that_leaves_while_the_server_sends_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    opened = path.open("rb")

    async def on_send(message: Message) -> None:
        if message["type"] == "http.response.pathsend":
            raise OSError("gone")

    connection = Connection(on_send=on_send)
    adapter = WSGIMiddleware(Served(opened), workers=1)
    with pytest.raises(OSError, match="gone"), anyio.fail_after(WAIT):
        await adapter(http_scope(extensions=PATHSEND), connection.receive, connection.send)
    await until(lambda: opened.closed)
    assert os.path.exists(path)
    await until(lambda: adapter.snapshot().busy == 0)


async def test_a_worker_that_was_given_up_still_closes_its_response() -> None:
    body = Body(iter([b"x"]))
    release = threading.Event()

    def app(environ: Environ, start_response: Any) -> Body:
        assert release.wait(WAIT)
        start_response("200 OK", [])
        return body

    adapter = WSGIMiddleware(app, request_timeout=0.1)
    assert (await call(adapter)).status == 504
    release.set()
    await until(lambda: body.closed == 1)
