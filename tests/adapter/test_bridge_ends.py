"""How requests end: errors, clients that leave, cancellation; and what threads and contexts see. Numbers: acceptance lines."""

from __future__ import annotations

import contextlib
import contextvars
import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import anyio.from_thread
import anyio.lowlevel
import pytest

from asgiway import ClientDisconnected, WSGIMiddleware
from asgiway.errors import AppExitError, AppProtocolError, ResponseTruncatedError
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


@pytest.mark.parametrize(
    "headers", [[], content_length(3), [(b"transfer-encoding", b"chunked")]], ids=["none", "length", "chunked"]
)
async def test_087_a_receive_that_repeats_itself_is_not_asked_for_ever(headers: list[tuple[bytes, bytes]]) -> None:
    """Middleware that has read the body and gives it again is often written like that; it never suspends."""
    asked = 0

    async def receive() -> Message:
        nonlocal asked
        asked += 1
        assert asked < 100
        return {"type": "http.request", "body": b"abc"}

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        time.sleep(0.3)  # longer than the sweep that starts the watch for the client's leaving
        start_response("200 OK", [])
        return [environ["wsgi.input"].read()]

    connection = Connection()
    with anyio.fail_after(WAIT):
        await WSGIMiddleware(app)(http_scope("POST", headers=headers), receive, connection.send)
    assert connection.body == (b"abc" if headers else b"")


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
