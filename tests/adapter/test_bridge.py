"""One request's way through the adapter, on asyncio, uvloop and trio. Numbers: acceptance lines."""

from __future__ import annotations

import contextlib
import contextvars
import gc
import io
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.validate import validator

import anyio
import anyio.from_thread
import anyio.lowlevel
import pytest

from asgiway import ClientDisconnected, WSGIMiddleware
from asgiway.errors import AppExitError, AppProtocolError, ResponseTruncatedError, UnsupportedScopeError
from tests.adapter.support import WAIT, Body, Connection, Message, call, content_length, http_scope, until

pytestmark = pytest.mark.anyio

Environ = dict[str, Any]
Iterable_ = Iterable[bytes]


def answering(body: Any, status: str = "200 OK", headers: list[tuple[str, str]] | None = None) -> Any:
    """An application that always gives this answer."""

    def app(environ: Environ, start_response: Any) -> Any:
        start_response(status, list(headers or []))
        return body

    return app


def reading(read: Callable[[Any], Any]) -> Any:
    """An application that answers with the repr of what it has read."""

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        got = read(environ)
        start_response("200 OK", [])
        return [got if isinstance(got, bytes) else repr(got).encode()]

    return app


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
        while not job._waiting:  # the worker waits for the body
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


# ----------------------------------------------------------------------------------------------------- errors, ends


@pytest.mark.parametrize("error", [ValueError("x"), OSError("x"), MemoryError()], ids=repr)
async def test_086_an_error_before_the_start_reaches_the_server(error: Exception) -> None:
    def app(environ: Environ, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        raise error

    connection = Connection()
    with pytest.raises(type(error)) as caught:
        await WSGIMiddleware(app)(http_scope(), connection.receive, connection.send)
    assert caught.value is error
    assert connection.sent == []


async def test_086_an_error_after_the_start_cuts_the_response(caplog: pytest.LogCaptureFixture) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"part"
        raise ValueError("broken")

    connection = Connection()
    with pytest.raises(ValueError, match="broken"):
        await WSGIMiddleware(answering(chunks()))(http_scope(path="/cut"), connection.receive, connection.send)
    assert connection.body == b"part"
    assert not connection.complete
    assert "GET /cut: the response was cut off: broken" in caplog.text


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), StopIteration()], ids=repr)
async def test_090_what_would_end_the_loop_does_not(error: BaseException) -> None:
    def app(environ: Environ, start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/fine":
            start_response("200 OK", [])
            return [b"fine"]
        raise error

    adapter = WSGIMiddleware(app, workers=1)
    connection = Connection()
    with pytest.raises(AppExitError, match=type(error).__name__) as caught:
        await adapter(http_scope(), connection.receive, connection.send)
    assert caught.value.__cause__ is error
    assert (await call(adapter, path="/fine")).body == b"fine"


async def test_061_an_error_that_the_application_has_handled_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    import sys

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        try:
            raise ValueError("handled")
        except ValueError:
            start_response("500 Sorry", [], sys.exc_info())
        return [b"sorry"]

    connection = await call(WSGIMiddleware(app))
    assert (connection.status, connection.body, caplog.records) == (500, b"sorry", [])


async def test_062_an_application_that_never_starts_is_named() -> None:
    def forgetful(environ: Environ, start_response: Any) -> list[bytes]:
        return []

    connection = Connection()
    with pytest.raises(AppProtocolError, match=r"forgetful ended without calling start_response\(\)"):
        await WSGIMiddleware(forgetful)(http_scope(), connection.receive, connection.send)
    assert connection.sent == []


async def test_069_stripped_headers_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    await call(WSGIMiddleware(answering([b"x"], headers=[("Connection", "close")])))
    assert "hop-by-hop header 'Connection'" in caplog.text


async def test_073_a_body_that_falls_short_is_not_ended_cleanly() -> None:
    connection = Connection()
    with pytest.raises(ResponseTruncatedError):
        await WSGIMiddleware(answering(iter([b"ab"]), headers=[("Content-Length", "5")]))(
            http_scope(), connection.receive, connection.send
        )
    assert connection.body == b"ab"
    assert not connection.complete


class Broken(Body):
    def __iter__(self) -> Iterator[bytes]:
        raise ValueError("no iteration")


def failing() -> Iterator[bytes]:
    yield b"a"
    raise ValueError("broken")


@pytest.mark.parametrize(
    ("make", "headers", "method", "closed", "error"),
    [
        pytest.param(lambda: Body([b"a", b"b"]), [], "GET", 1, None, id="normal"),
        pytest.param(lambda: Body(failing()), [], "GET", 1, ValueError, id="iteration error"),
        pytest.param(lambda: Broken([]), [], "GET", 1, ValueError, id="__iter__ error"),
        pytest.param(lambda: Body([b"a", b"b"]), [("Content-Length", "1")], "GET", 1, None, id="length reached"),
        pytest.param(lambda: Body([b"a", b"b"]), [], "HEAD", 1, None, id="HEAD"),
        pytest.param(lambda: Body(["text"]), [], "GET", 1, TypeError, id="bad chunk"),  # type: ignore[list-item]
        pytest.param(lambda: Body([]), [("Bad\n", "x")], "GET", 0, ValueError, id="nothing returned"),
    ],
)
async def test_084_close_is_called_once_on_the_applications_thread(
    make: Callable[[], Body],
    headers: list[tuple[str, str]],
    method: str,
    closed: int,
    error: type[Exception] | None,
) -> None:
    body = make()

    def app(environ: Environ, start_response: Any) -> Body:
        body.threads.add(threading.get_ident())
        start_response("200 OK", headers)
        return body

    connection = Connection()
    expectation = contextlib.nullcontext() if error is None else pytest.raises(error)
    with expectation:
        await WSGIMiddleware(app)(http_scope(method), connection.receive, connection.send)
    assert body.closed == closed
    assert len(body.threads) == 1
    assert threading.get_ident() not in body.threads


async def test_084_a_slow_close_holds_back_the_end_of_the_request_but_not_the_response() -> None:
    release = threading.Event()

    class Slow(Body):
        def close(self) -> None:
            assert release.wait(WAIT)
            super().close()

    body = Slow([b"x"])
    connection = Connection()
    with anyio.fail_after(WAIT):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(WSGIMiddleware(answering(body)), http_scope(), connection.receive, connection.send)
            await until(lambda: connection.complete)
            assert body.closed == 0
            release.set()
    assert body.closed == 1
    assert [message.get("more_body") for message in connection.sent[1:]] in ([False], [True, False])


async def test_085_an_error_in_close_is_logged_and_harms_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Bad(Body):
        def close(self) -> None:
            raise SystemExit("close")

    adapter = WSGIMiddleware(answering(Bad([b"x"])), workers=1)
    connection = await call(adapter, path="/bad-close")
    assert (connection.body, connection.complete) == (b"x", True)
    assert "close() of the response failed for GET /bad-close" in caplog.text
    assert (await call(adapter)).status == 200


async def test_087_a_client_that_leaves_ends_the_iteration() -> None:
    body: Body | None = None
    seen: list[bool] = []

    def app(environ: Environ, start_response: Any) -> Body:
        nonlocal body

        def endless() -> Iterator[bytes]:
            while True:
                yield b"tick"
                seen.append(environ["asgiway.disconnected"]())
                time.sleep(0.01)

        start_response("200 OK", [])
        body = Body(endless())
        return body

    adapter = WSGIMiddleware(app)
    connection = Connection()
    with anyio.fail_after(WAIT):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(adapter, http_scope(), connection.receive, connection.send)
            await until(lambda: len(connection.sent) > 3)
            connection.leave()
    assert body is not None
    assert body.closed == 1
    assert seen[0] is False
    assert not connection.complete


async def test_087_a_handler_can_ask_whether_the_client_has_left() -> None:
    asked = 0

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        nonlocal asked
        deadline = time.monotonic() + WAIT
        while not environ["asgiway.disconnected"]() and time.monotonic() < deadline:
            asked += 1
            time.sleep(0.01)
        start_response("200 OK", [])
        return [b"nobody reads this"]

    connection = Connection()
    with anyio.fail_after(WAIT):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(WSGIMiddleware(app), http_scope(), connection.receive, connection.send)
            await until(lambda: asked > 2)
            connection.leave()
    assert connection.sent == []


async def test_087_a_client_that_leaves_wakes_a_worker_that_waits_for_it_to_read() -> None:
    body = Body(b"x" * 1000 for _ in range(1000))
    adapter = WSGIMiddleware(answering(body), high_water=5000, workers=1)

    async def on_send(message: Message) -> None:
        if message["type"] == "http.response.body":
            with anyio.move_on_after(WAIT):
                await connection._gone.wait()  # pyright: ignore[reportPrivateUsage]

    connection = Connection(on_send=on_send)
    with anyio.fail_after(WAIT):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(adapter, http_scope(), connection.receive, connection.send)
            await anyio.sleep(0.3)
            connection.leave()
    assert body.closed == 1


async def test_046_a_client_that_leaves_during_its_upload_gets_no_answer_and_the_app_an_oserror() -> None:
    errors: list[Exception] = []

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        try:
            environ["wsgi.input"].read()
        except OSError as exc:
            errors.append(exc)
            raise
        raise AssertionError("a broken-off body looked complete")

    connection = Connection([b"ab"], open_end=True)
    with anyio.fail_after(WAIT):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(
                WSGIMiddleware(app), http_scope("POST", headers=content_length(5)), connection.receive, connection.send
            )
            await until(lambda: connection.received == 2)
            connection.leave()
    assert isinstance(errors[0], ClientDisconnected)
    assert connection.sent == []


@pytest.mark.parametrize("chunk", [b"x", b"x" * 1000], ids=["streaming", "held by backpressure"])
async def test_088_a_cancelled_request_frees_its_thread(chunk: bytes) -> None:
    bodies: list[Body] = []

    def app(environ: Environ, start_response: Any) -> Any:
        start_response("200 OK", [])
        if environ["PATH_INFO"] == "/health":
            return [b"ok"]

        def endless() -> Iterator[bytes]:
            while True:
                yield chunk

        body = Body(endless())
        bodies.append(body)
        return body

    async def never(message: Message) -> None:
        await anyio.sleep_forever()

    adapter = WSGIMiddleware(app, workers=2, high_water=3000)
    for _ in range(100):
        connection = Connection(on_send=never)
        with anyio.fail_after(WAIT):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(adapter, http_scope(), connection.receive, connection.send)
                count = len(bodies)
                await until(lambda count=count: len(bodies) > count)  # type: ignore[misc]
                tasks.cancel_scope.cancel()
    await until(lambda: all(body.closed == 1 for body in bodies))
    assert len(bodies) == 100
    await until(lambda: len(adapter._bridge.in_flight) == 0)  # pyright: ignore[reportPrivateUsage]
    assert (await call(adapter, path="/health")).body == b"ok"
    await adapter.aclose()


async def test_089_an_error_of_send_keeps_its_type_and_frees_the_thread() -> None:
    body = Body(b"x" for _ in range(100_000_000))

    async def on_send(message: Message) -> None:
        if message["type"] == "http.response.body":
            raise OSError("connection lost")

    connection = Connection(on_send=on_send)
    with pytest.raises(OSError, match="connection lost"), anyio.fail_after(WAIT):
        await WSGIMiddleware(answering(body))(http_scope(), connection.receive, connection.send)
    await until(lambda: body.closed == 1)


async def test_an_error_of_receive_reaches_the_server() -> None:
    async def receive() -> Any:
        raise RuntimeError("receive failed")

    connection = Connection()
    with pytest.raises(RuntimeError, match="receive failed"), anyio.fail_after(WAIT):
        await WSGIMiddleware(reading(lambda environ: environ["wsgi.input"].read()))(
            http_scope("POST", headers=content_length(5)), receive, connection.send
        )


# --------------------------------------------------------------------------------------------- threads and contexts

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


async def test_093_context_variables_reach_application_iteration_and_close() -> None:
    seen: list[str] = []

    class Watched(Body):
        def close(self) -> None:
            seen.append(variable.get())

    def app(environ: Environ, start_response: Any) -> Body:
        seen.append(variable.get())
        variable.set("changed")
        start_response("200 OK", [])

        def chunks() -> Iterator[bytes]:
            seen.append(variable.get())
            yield b"x"

        return Watched(chunks())

    variable.set("request")
    await call(WSGIMiddleware(app))
    assert seen == ["request", "changed", "changed"]
    assert variable.get() == "request"


async def test_094_one_request_one_thread() -> None:
    local = threading.local()

    def app(environ: Environ, start_response: Any) -> Iterator[bytes]:
        local.name = environ["PATH_INFO"]
        start_response("200 OK", [])
        for _ in range(20):
            time.sleep(0.001)
            yield local.name.encode()

    adapter = WSGIMiddleware(app, workers=4)
    results: dict[str, bytes] = {}

    async def client(path: str) -> None:
        results[path] = (await call(adapter, path=path)).body

    async with anyio.create_task_group() as tasks:
        for number in range(12):
            tasks.start_soon(client, f"/{number}")
    assert results == {f"/{number}": f"/{number}".encode() * 20 for number in range(12)}


async def test_64_requests_at_once() -> None:
    barrier = threading.Barrier(64)

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        barrier.wait(WAIT)
        start_response("200 OK", [])
        return [environ["PATH_INFO"].encode()]

    adapter = WSGIMiddleware(app, workers=64)
    answers: set[bytes] = set()

    async def client(path: str) -> None:
        answers.add((await call(adapter, path=path)).body)

    async with anyio.create_task_group() as tasks:
        for number in range(64):
            tasks.start_soon(client, f"/{number}")
    assert len(answers) == 64
    await adapter.aclose()


async def test_096_calling_back_into_the_loop() -> None:
    async def on_the_loop(value: int) -> int:
        await anyio.lowlevel.checkpoint()
        return value + 1

    def read(environ: Environ) -> int:
        return anyio.from_thread.run(on_the_loop, 41, token=environ["asgiway.loop_token"])

    assert (await call(WSGIMiddleware(reading(read)))).body == b"42"


async def test_098_a_request_leaves_nothing_behind() -> None:
    kept: list[weakref.ref[Any]] = []

    class Reader:
        """Holds the request's input, as an application does."""

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        reader = Reader()
        environ["reader"] = reader
        kept.append(weakref.ref(reader))
        environ["wsgi.input"].read()
        start_response("200 OK", [])
        return [b"x"]

    adapter = WSGIMiddleware(app, workers=1)
    gc.collect()
    gc.disable()
    try:
        await call(adapter, "POST", body=(b"abc",), headers=content_length(3))
        await call(adapter)
        await until(lambda: all(reference() is None for reference in kept))
    finally:
        gc.enable()
    assert len(kept) == 2


# ------------------------------------------------------------------------------------------ overload and shutdown


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
