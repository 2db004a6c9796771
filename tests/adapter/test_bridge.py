"""One request's way through the adapter and its answer's way back, on asyncio, uvloop and trio. Numbers: acceptance lines."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from typing import Any
from wsgiref.validate import validator

import anyio
import flask
import pytest
from starlette.applications import Starlette

from asgiway import WSGIMiddleware
from tests.adapter.support import (
    WAIT,
    Body,
    Connection,
    Message,
    answering,
    call,
    content_length,
    http_scope,
    reading,
    until,
)

pytestmark = pytest.mark.anyio

Environ = dict[str, Any]


# ------------------------------------------------------------------------------------------------------- requests


async def test_get_in_one_message_pair() -> None:
    connection = await call(WSGIMiddleware(answering([b"hello"], headers=[("X-A", "b")])))
    assert connection.sent == [
        {"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"b"), (b"content-length", b"5")]},
        {"type": "http.response.body", "body": b"hello", "more_body": False},
    ]


async def test_048_a_request_without_body_is_not_received() -> None:
    connection = await call(WSGIMiddleware(reading(lambda environ: environ["wsgi.input"].read())))
    assert connection.body == b""
    assert connection.received == 0


async def test_048_http_2_is_asked_for_its_body() -> None:
    app = WSGIMiddleware(reading(lambda environ: environ["wsgi.input"].read()))
    connection = await call(app, "POST", body=(b"a", b"bc"), http_version="2")
    assert connection.body == b"abc"


@pytest.mark.parametrize("mode", ["auto", "stream", "spool", "buffer"])
async def test_post_with_a_declared_length(mode: Any) -> None:
    app = WSGIMiddleware(
        reading(lambda environ: (environ["CONTENT_LENGTH"], len(environ["wsgi.input"].read()))), body=mode
    )
    pieces = [b"x" * 70_000] * 10
    connection = await call(app, "POST", body=pieces, headers=content_length(700_000))
    assert connection.body == b"('700000', 700000)"


@pytest.mark.parametrize(
    ("mode", "length"), [("auto", "'900000'"), ("spool", "'900000'"), ("buffer", "'900000'"), ("stream", "None")]
)
async def test_047_a_body_of_unknown_length(mode: Any, length: str) -> None:
    app = WSGIMiddleware(
        reading(lambda environ: (environ.get("CONTENT_LENGTH"), environ["wsgi.input"].read() == b"abc" * 300_000)),
        body=mode,
    )
    chunked = [(b"host", b"test"), (b"transfer-encoding", b"chunked")]
    connection = await call(app, "POST", body=[b"abc" * 1000] * 300, headers=chunked)
    assert connection.body == f"({length}, True)".encode()


@pytest.mark.parametrize("declared", [3, 9], ids=["shorter", "longer"])
@pytest.mark.parametrize(("mode", "length"), [("auto", "'5'"), ("spool", "'5'"), ("buffer", "'5'"), ("stream", "None")])
async def test_047_chunks_count_and_not_a_length_beside_them(declared: int, mode: Any, length: str) -> None:
    """RFC 9112, 6.3; servers that let both through frame the body by its chunks."""
    app = WSGIMiddleware(
        reading(lambda environ: (environ.get("CONTENT_LENGTH"), environ["wsgi.input"].read())), body=mode
    )
    headers = [*content_length(declared), (b"transfer-encoding", b"chunked")]
    connection = await call(app, "POST", body=[b"abc", b"de"], headers=headers)
    assert connection.body == f"({length}, b'abcde')".encode()


async def test_049_an_answer_without_reading_does_not_wait_for_the_body() -> None:
    app = WSGIMiddleware(answering([b"denied"], "401 Unauthorized"))
    connection = Connection([b"first piece"], open_end=True)
    with anyio.fail_after(WAIT):
        await app(http_scope("POST", headers=content_length(1000)), connection.receive, connection.send)
    assert (connection.status, connection.body) == (401, b"denied")


async def test_050_the_body_is_received_as_it_is_read() -> None:
    go_on = threading.Event()

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        assert go_on.wait(WAIT)
        total = 0
        while piece := environ["wsgi.input"].read(65536):
            total += len(piece)
        start_response("200 OK", [])
        return [str(total).encode()]

    connection = Connection([b"x" * 65536] * 160)
    adapter = WSGIMiddleware(app)
    with anyio.fail_after(WAIT):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(
                adapter, http_scope("POST", headers=content_length(160 * 65536)), connection.receive, connection.send
            )
            await until(lambda: connection.received > 0)
            await anyio.sleep(0.05)
            assert connection.received <= 5  # READ_AHEAD and no more, although the client has it all ready
            go_on.set()
    assert connection.body == str(160 * 65536).encode()


@pytest.mark.parametrize("mode", ["auto", "spool", "buffer"])
async def test_051_a_declared_body_that_is_too_large_is_refused_unread(mode: Any) -> None:
    called: list[bool] = []
    app = WSGIMiddleware(reading(lambda environ: called.append(True)), max_body_size=10, body=mode)
    connection = await call(app, "POST", body=(b"x" * 11,), headers=content_length(11))
    assert (connection.status, connection.received, called) == (413, 0, [])
    assert connection.headers[b"connection"] == b"close"


@pytest.mark.parametrize("mode", ["auto", "stream", "spool", "buffer"])
async def test_051_an_undeclared_body_that_is_too_large(mode: Any) -> None:
    app = WSGIMiddleware(reading(lambda environ: environ["wsgi.input"].read()), max_body_size=10, body=mode)
    chunked = [(b"transfer-encoding", b"chunked")]
    connection = await call(app, "POST", body=(b"x" * 6, b"y" * 6), headers=chunked)
    assert connection.status == 413
    assert int(connection.headers[b"content-length"]) == len(connection.body)


async def test_053_expect_100_continue_is_not_received_before_the_application_reads() -> None:
    received: list[int] = []
    connection = Connection([b"abc"])

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        time.sleep(0.3)  # longer than the sweep that starts the watch for the client's leaving
        received.append(connection.received)
        body = environ["wsgi.input"].read()
        start_response("200 OK", [])
        return [body]

    headers = [*content_length(3), (b"expect", b"100-continue")]
    with anyio.fail_after(WAIT):
        await WSGIMiddleware(app)(http_scope("POST", headers=headers), connection.receive, connection.send)
    assert received == [0]
    assert connection.body == b"abc"


async def test_053_expect_is_never_answered_when_the_application_does_not_read() -> None:
    headers = [*content_length(3), (b"expect", b"100-continue")]
    connection = await call(WSGIMiddleware(answering([b"no"], "417 No")), "POST", body=(b"abc",), headers=headers)
    assert (connection.status, connection.received) == (417, 0)


async def test_053_a_worker_that_reads_before_the_loop_goes_on_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker may get so far while submit() is still under way on the loop."""
    adapter = WSGIMiddleware(reading(lambda environ: environ["wsgi.input"].read()))
    pool = adapter._pool  # pyright: ignore[reportPrivateUsage]
    hand_over = pool.submit

    def submit(job: Any, *, beyond: bool = False) -> bool:
        taken = hand_over(job, beyond=beyond)
        deadline = time.monotonic() + WAIT
        while not job.waiting:  # the worker waits for the body
            assert time.monotonic() < deadline
        return taken

    monkeypatch.setattr(pool, "submit", submit)
    headers = [*content_length(3), (b"expect", b"100-continue")]
    assert (await call(adapter, "POST", body=(b"abc",), headers=headers)).body == b"abc"


async def test_054_reading_from_a_thread_of_the_applications_own() -> None:
    def read(environ: Environ) -> bytes:
        got: list[bytes] = []
        thread = threading.Thread(target=lambda: got.append(environ["wsgi.input"].read()))
        thread.start()
        thread.join(WAIT)
        return got[0]

    connection = await call(WSGIMiddleware(reading(read)), "POST", body=(b"a", b"b", b"c"), headers=content_length(3))
    assert connection.body == b"abc"


async def test_055_receive_and_send_may_return_any_awaitable() -> None:
    class Awaitable_:
        def __init__(self, coroutine: Any) -> None:
            self.coroutine = coroutine

        def __await__(self) -> Any:
            return self.coroutine.__await__()

    connection = Connection([b"ab", b"c"])
    with anyio.fail_after(WAIT):
        await WSGIMiddleware(reading(lambda environ: environ["wsgi.input"].read()))(
            http_scope("POST", headers=content_length(3)),
            lambda: Awaitable_(connection.receive()),
            lambda message: Awaitable_(connection.send(message)),
        )
    assert connection.body == b"abc"


async def test_027_contradicting_lengths_are_refused() -> None:
    headers = [(b"content-length", b"1"), (b"content-length", b"2")]
    connection = await call(WSGIMiddleware(answering([b"never"])), "POST", headers=headers)
    assert (connection.status, connection.received) == (400, 0)


@pytest.mark.parametrize(
    ("mode", "status", "seen"), [("drop", 200, b"None"), ("refuse", 400, None), ("allow", 200, b"'1'")]
)
async def test_028_what_becomes_of_underscores_is_a_setting(
    mode: Any, status: int, seen: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    app = WSGIMiddleware(reading(lambda environ: environ.get("HTTP_X_USER")), underscore_headers=mode)
    connection = await call(app, path="/u", headers=[(b"x_user", b"1")])
    assert connection.status == status
    assert seen is None or connection.body == seen
    told = [record.getMessage() for record in caplog.records if record.name == "asgiway"]
    assert len(told) == (0 if mode == "allow" else 1)
    assert mode != "refuse" or told[0].startswith("GET /u: 400: header field 'x_user' has an underscore in its name; ")


# ------------------------------------------------------------------------------------------------------ responses


async def test_033_conforming_applications_pass_the_validator() -> None:
    def app(environ: Environ, start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.errors"].write("")
        environ["wsgi.errors"].flush()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [body]

    adapter = WSGIMiddleware(validator(app))
    assert (await call(adapter)).status == 200
    assert (await call(adapter, "POST", body=(b"ab", b"c"), headers=content_length(3))).body == b"abc"
    assert (await call(adapter, "HEAD")).status == 200


async def test_035_wsgi_errors_is_the_standard_error_text_stream(capsys: pytest.CaptureFixture[str]) -> None:
    def read(environ: Environ) -> str:
        errors = environ["wsgi.errors"]
        errors.write("one\n")
        errors.writelines(["two\n", "three\n"])
        errors.flush()
        with pytest.raises(TypeError):
            errors.write(b"bytes")
        return "ok"

    assert (await call(WSGIMiddleware(reading(read)))).body == b"'ok'"
    assert capsys.readouterr().err == "one\ntwo\nthree\n"


async def test_036_multithread_and_multiprocess_tell_the_truth() -> None:
    def read(environ: Environ) -> Any:
        return environ["wsgi.multithread"], environ["wsgi.multiprocess"], environ["wsgi.run_once"]

    assert (await call(WSGIMiddleware(reading(read)))).body == b"(True, True, False)"
    assert (await call(WSGIMiddleware(reading(read), workers=1, multiprocess=False))).body == b"(False, False, False)"


async def test_064_write_and_iterable() -> None:
    def app(environ: Environ, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", [])
        write(b"a")
        write(b"b")
        return [b"c"]

    assert (await call(WSGIMiddleware(app))).body == b"abc"


async def test_076_head() -> None:
    body = Body([b"abc", b"def"])
    connection = await call(WSGIMiddleware(answering(body, headers=[("Content-Length", "6")])), "HEAD")
    assert (connection.headers, connection.body, body.closed) == ({b"content-length": b"6"}, b"", 1)


async def test_080_many_small_chunks_arrive_joined_and_complete() -> None:
    connection = await call(WSGIMiddleware(answering(b"x" for _ in range(200_000))))
    assert connection.body == b"x" * 200_000
    assert connection.complete
    assert len(connection.sent) < 100_000


async def test_080_a_slow_client_holds_the_application() -> None:
    produced = 0

    def chunks() -> Iterator[bytes]:
        nonlocal produced
        for _ in range(1000):
            produced += 1
            yield b"x" * 1000

    read_on = anyio.Event()

    async def on_send(message: Message) -> None:
        if message["type"] == "http.response.body":
            await read_on.wait()

    connection = Connection(on_send=on_send)
    adapter = WSGIMiddleware(answering(chunks()), high_water=10_000)
    with anyio.fail_after(WAIT):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(adapter, http_scope(), connection.receive, connection.send)
            await until(lambda: produced > 0)
            await anyio.sleep(0.1)
            # What the blocked send() holds is not counted as consumed: 10 chunks in all, and the one that hit the mark.
            assert produced <= 12
            read_on.set()
    assert len(connection.body) == 1_000_000


async def test_082_a_chunk_does_not_wait_for_the_next_one() -> None:
    release = threading.Event()

    def chunks() -> Iterator[bytes]:
        yield b"first"
        assert release.wait(WAIT)
        yield b"second"

    connection = Connection()
    with anyio.fail_after(WAIT):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(WSGIMiddleware(answering(chunks())), http_scope(), connection.receive, connection.send)
            await until(lambda: len(connection.sent) == 2)
            assert connection.sent[1] == {"type": "http.response.body", "body": b"first", "more_body": True}
            release.set()
    assert connection.body == b"firstsecond"
    assert connection.complete


async def test_081_file_wrapper_sends_the_rest_of_the_file_and_closes_it() -> None:
    file = io.BytesIO(b"0123456789" * 100_000)
    file.seek(5)

    def app(environ: Environ, start_response: Any) -> Any:
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](file, 100)

    connection = await call(WSGIMiddleware(app))
    assert connection.body == (b"0123456789" * 100_000)[5:]
    assert file.closed


async def test_messages_tell_two_applications_of_one_framework_apart(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("shop", "admin"):
        app = flask.Flask(name)
        adapter = WSGIMiddleware(app)
        assert repr(adapter) == f"<WSGIMiddleware for WSGI application flask.app.Flask '{name}'>"
        await call(adapter, headers=[(b"x_user", b"1")])
        assert f"WSGI application flask.app.Flask '{name}'" in caplog.records[-1].getMessage()
    assert "WSGI application tests.adapter.support.answering.<locals>.app>" in repr(WSGIMiddleware(answering([b"x"])))


async def test_what_is_no_wsgi_application_is_refused_where_it_is_given() -> None:
    async def asgi(scope: Any, receive: Any, send: Any) -> None: ...

    wrong: Any
    for wrong in (asgi, Starlette(), WSGIMiddleware(answering([b"x"]))):
        with pytest.raises(TypeError, match="is an ASGI one; mount or serve it as it is"):
            WSGIMiddleware(wrong)
    for wrong in (None, "shop:app"):
        with pytest.raises(TypeError, match="that is a callable, but got"):
            WSGIMiddleware(wrong)
