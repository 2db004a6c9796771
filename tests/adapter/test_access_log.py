"""The access log: one line for each request whatever its end, and nothing in it that a client could forge."""

from __future__ import annotations

import json
import logging
import re
import shlex
import threading
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asgiway import SettingsError, WSGIMiddleware
from asgiway.access_log import AccessLog
from asgiway.observe import RequestEnded
from asgiway.printable import MAX_LENGTH, printable
from asgiway.request_id import RequestIdFilter, RequestIdMiddleware
from tests.adapter.support import WAIT, Connection, call, content_length, http_scope, until

Environ = dict[str, Any]


class Lines(logging.Handler):
    """The access log's records."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.logger = logging.Logger("asgiway.access", logging.INFO)
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def text(self) -> list[str]:
        return [record.getMessage() for record in self.records]

    @property
    def fields(self) -> list[dict[str, str]]:
        """The text lines, taken apart."""
        return [dict(part.split("=", 1) for part in shlex.split(line)) for line in self.text]


@pytest.fixture
def lines() -> Lines:
    return Lines()


def app(environ: Environ, start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read()
    if environ["PATH_INFO"] == "/raise":
        raise ValueError("raised")
    start_response("201 Created", [])
    return [b"<" + body + b">"]


@pytest.mark.anyio
async def test_a_line_as_text(lines: Lines) -> None:
    adapter = RequestIdMiddleware(WSGIMiddleware(app, on_event=AccessLog(logger=lines.logger)))
    await call(
        adapter,
        "POST",
        "/a/b",
        (b"abc",),
        headers=[*content_length(3), (b"x-request-id", b"id-1")],
        query_string=b"key=1",
    )
    assert re.fullmatch(
        r"method=POST path=/a/b status=201 bytes_in=3 bytes_out=5 queue_ms=\d+\.\d app_ms=\d+\.\d outcome=complete "
        r"request_id=id-1 backend=legacy",
        lines.text[0],
    )
    assert len(lines.text) == 1


@pytest.mark.anyio
async def test_a_line_as_json(lines: Lines) -> None:
    adapter = WSGIMiddleware(app, on_event=AccessLog("json", backend="shop", logger=lines.logger))
    await call(adapter, path="/a b\n")
    fields = json.loads(lines.text[0])
    assert fields == lines.records[0].access  # type: ignore[attr-defined]
    times = {fields.pop("queue_ms"), fields.pop("app_ms")}
    assert all(isinstance(time, float) for time in times)
    assert fields == {
        "method": "GET",
        "path": "/a%20b%0A",
        "status": 201,
        "bytes_in": 0,
        "bytes_out": 2,
        "outcome": "complete",
        "request_id": None,
        "backend": "shop",
    }


@pytest.mark.anyio
async def test_how_requests_end(lines: Lines) -> None:
    release = threading.Event()
    entered = threading.Event()

    def holding(environ: Environ, start_response: Any) -> Any:
        if environ["PATH_INFO"] != "/hold":
            return app(environ, start_response)
        start_response("200 OK", [])

        def stream() -> Iterator[bytes]:
            yield b"first"
            entered.set()
            assert release.wait(WAIT)
            yield b"second"

        return stream()

    adapter = WSGIMiddleware(holding, workers=1, max_queue=0, max_body_size=5, on_event=AccessLog(logger=lines.logger))
    with pytest.raises(ValueError, match="raised"):
        await call(adapter, path="/raise")
    await call(adapter, "POST", "/large", headers=content_length(6))
    await until(lambda: adapter.snapshot().busy == 0)  # the thread has put the first request down
    connection = Connection()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(adapter, http_scope(path="/hold"), connection.receive, connection.send)
        await until(entered.is_set)
        assert (await call(adapter, path="/refused")).status == 503
        connection.leave()
        await anyio.sleep(0.3)  # longer than the sweep that notices it
        release.set()
    await until(lambda: len(lines.text) == 4)
    got = [(line["path"], line["status"], line["outcome"], line.get("reason")) for line in lines.fields]
    assert got == [
        ("/raise", "-", "error", None),
        ("/large", "413", "rejected", "too large"),
        ("/refused", "503", "rejected", "max_queue"),
        ("/hold", "200", "disconnected", None),
    ]
    assert float(lines.fields[3]["app_ms"]) >= 300
    await adapter.aclose()
    assert len(lines.text) == 4  # the drain is no request


@pytest.mark.anyio
async def test_off_unless_asked_for_and_quiet_unless_logged(lines: Lines, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await call(WSGIMiddleware(app))
    assert "asgiway.access" not in {record.name for record in caplog.records}
    lines.logger.setLevel(logging.WARNING)
    await call(WSGIMiddleware(app, on_event=AccessLog(logger=lines.logger)))
    assert lines.text == []
    with caplog.at_level(logging.INFO):
        await call(WSGIMiddleware(app, on_event=AccessLog()))
    assert [record.name for record in caplog.records] == ["asgiway.access"]


@pytest.mark.anyio
async def test_the_filter_of_request_ids_agrees(lines: Lines) -> None:
    """The line is written beside the request, where the context variable may be another's: the record has its own id."""
    lines.addFilter(RequestIdFilter())
    adapter = WSGIMiddleware(app, on_event=AccessLog(logger=lines.logger))
    await call(RequestIdMiddleware(adapter), headers=[(b"x-request-id", b"id-2")])
    await call(adapter)
    assert [record.request_id for record in lines.records] == ["id-2", "-"]  # type: ignore[attr-defined]


def test_an_unknown_format() -> None:
    with pytest.raises(SettingsError, match="format='xml' is no format of the access log; use 'text' or 'json'"):
        AccessLog("xml")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


@example(method="", path="\ud800\n x=1", form="text")
@given(method=st.text(), path=st.text(st.characters(exclude_categories=())), form=st.sampled_from(["text", "json"]))
def test_no_path_and_no_method_can_forge_a_line_or_a_field(method: str, path: str, form: Any) -> None:
    lines = Lines()
    scope = http_scope(method) | {"path": path, "raw_path": b""}
    AccessLog(form, logger=lines.logger)(
        RequestEnded(
            scope=scope, status=200, outcome="timed out", queue_seconds=0, app_seconds=0, bytes_in=0, bytes_out=0
        )
    )
    (line,) = lines.text
    assert line.isascii()
    assert line.isprintable()
    if form == "text":
        assert len(re.findall(r"(?:^| )([a-z_]+)=", line)) == 10
        assert lines.fields[0]["outcome"] == "timed out"
    else:
        assert len(json.loads(line)) == 10


@given(st.text(st.characters(exclude_categories=())))
def test_printable(text: str) -> None:
    shown = printable(text)
    assert re.fullmatch(r"[!-~]*", shown)
    assert not set(shown) & set("\"'\\ ")
    assert len(shown) <= MAX_LENGTH


def test_printable_says_when_it_has_cut() -> None:
    assert printable("/shop/caf\u00e9 1") == "/shop/caf%C3%A9%201"
    assert printable("x" * 5000) == "x" * (MAX_LENGTH - 3) + "..."
