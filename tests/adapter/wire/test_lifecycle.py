"""Order of events, failures, and threads at work together, on real servers: lines 82 to 86, 90, 91 and 95."""

from __future__ import annotations

import threading

import pytest

from tests.adapter.wire_support.raw_client import Reply
from tests.adapter.wire_support.servers import ServerProcess


@pytest.mark.parametrize(
    ("host", "target"),
    [("alone", "/"), ("starlette", "/legacy/"), ("fastapi", "/legacy/")],
    ids=["alone", "starlette", "fastapi"],
)
def test_082_events_arrive_one_by_one(
    server: ServerProcess, sites: ServerProcess, key: str, host: str, target: str
) -> None:
    """The application waits, after each event, for a second request that the client sends when it has seen the event."""
    server = server if host == "alone" else sites
    expected = b""
    with server.connect() as connection:
        connection.send(target=target, headers=server.headers("events", key), host=f"{host}.test")
        for number in range(3):
            if number:
                assert server.ask("release", f"{target}?{number}", key=key, host=f"{host}.test").body == b"released"
            expected += b"data: %d\n\n" % number
            assert connection.body_until(len(expected)) == expected
        assert connection.finish().complete
    assert server.control.wait(key, "closed") == ["same thread"]


@pytest.mark.parametrize(
    ("program", "target", "method"),
    [
        pytest.param("hold_while_streaming", "/", "GET", id="normal"),
        pytest.param("hold_while_streaming", "/", "HEAD", id="head"),
        pytest.param("too_long", "/", "GET", id="content-length"),
        pytest.param("fails_in_the_middle", "/?Boom", "GET", id="error"),
    ],
)
def test_084_close_is_called_once(server: ServerProcess, key: str, program: str, target: str, method: str) -> None:
    server.control.release(key)
    server.ask(program, target, key=key, method=method)
    assert server.control.wait(key, "closed") == ["same thread"]
    server.wait_for_pool("alone", in_flight=0)
    assert server.control.values(key, "closed") == ["same thread"]
    if program == "fails_in_the_middle":
        server.log.wait_for(f"Boom: in the middle, {key}")


def test_085_close_fails(server: ServerProcess, key: str) -> None:
    """The response is whole, the connection lives, and the log has the traceback."""
    with server.connect() as connection:
        reply = connection.ask(headers=server.headers("fails_in_close", key))
        assert (reply.complete, reply.body) == (True, b"whole body")
        assert connection.ask().body == b"hello"
    log = server.log.wait_for(f"Boom: in close, {key}")
    assert r"close() of the response failed for GET /" in log


@pytest.mark.parametrize("program", ["fails_at_once", "fails_when_iterated"])
def test_086_failure_before_the_start(server: ServerProcess, key: str, program: str) -> None:
    reply = server.ask(program, "/?Boom", key=key)
    assert (reply.status, reply.complete) == (500, True)
    assert b"Boom" not in reply.body
    server.log.wait_for(f"Boom: .*, {key}")
    if program == "fails_when_iterated":
        assert server.control.values(key, "closed") == [None]
    assert server.ask().body == b"hello"


@pytest.mark.parametrize("target", ["/?Boom", "/sized?Boom"], ids=["chunked", "sized"])
def test_086_failure_after_the_start(server: ServerProcess, key: str, target: str) -> None:
    """The client must be able to tell that this is not the whole response."""
    with server.connect() as connection:
        connection.send(target=target, headers=server.headers("fails_in_the_middle", key))
        reply = connection.finish()
        assert connection.closed_by_peer()
    assert (reply.status, reply.body, reply.complete) == (200, b"part", False)
    server.log.wait_for(f"Boom: in the middle, {key}")
    assert server.ask().body == b"hello"


@pytest.mark.parametrize("host", ["starlette", "fastapi"])
def test_086_failure_in_a_mount(sites: ServerProcess, key: str, host: str) -> None:
    reply = sites.ask("fails_at_once", "/legacy/?Boom", key=key, host=f"{host}.test")
    assert (reply.status, reply.complete) == (500, True)
    reply = sites.ask("fails_in_the_middle", "/legacy/?Boom", key=key, host=f"{host}.test")
    assert (reply.status, reply.complete) == (200, False)
    sites.log.wait_for(f"Boom: in the middle, {key}")
    assert sites.ask(target="/native", host=f"{host}.test").body == b"native"


@pytest.mark.parametrize("error", ["StopIteration", "GeneratorExit", "KeyboardInterrupt", "SystemExit"])
@pytest.mark.parametrize("program", ["fails_at_once", "fails_when_iterated"])
def test_090_errors_that_end_other_servers(sites: ServerProcess, key: str, program: str, error: str) -> None:
    """500, and both the server and the only thread live on."""
    reply = sites.ask(program, f"/?{error}", key=key, host="narrow.test")
    assert reply.status == 500
    sites.log.wait_for(f"AppExitError: .* raised {error}")
    assert sites.ask(host="narrow.test").body == b"hello"


def test_091_one_more_than_threads_waits(sites: ServerProcess, key: str) -> None:
    host = "narrow.test"
    with sites.connect() as first, sites.connect() as second:
        first.send(headers=sites.headers("hold", key), host=host)
        sites.control.wait(key, "entered")
        second.send(headers=sites.headers("lazy"), host=host)
        sites.wait_for_pool("narrow", queued=1)
        sites.control.release(key)
        assert first.finish().body == b"held"
        assert second.finish().body == b"lazily started"


def test_091_queue_limit(sites: ServerProcess, key: str) -> None:
    """503 with Retry-After, one line in the log for the whole episode."""
    host = "queue.test"
    with sites.connect() as first, sites.connect() as second:
        first.send(headers=sites.headers("hold", key), host=host)
        sites.control.wait(key, "entered")
        second.send(headers=sites.headers("lazy"), host=host)
        sites.wait_for_pool("queue", queued=1)
        for _ in range(3):
            reply = sites.ask("environ", host=host)
            assert (reply.status, reply.complete) == (503, True)
            assert reply.get("content-length") == str(len(reply.body))
            assert int(reply.get("retry-after") or 0) > 0
        sites.control.release(key)
        assert first.finish().body == b"held"
        assert second.finish().body == b"lazily started"
    log = sites.log.wait_for("503: max_queue reached; threads 1 busy of 1, 1 waiting")
    assert log.count("503") == 1, log


def test_091_waiting_request_whose_client_left_is_not_run(sites: ServerProcess, key: str) -> None:
    host = "narrow.test"
    with sites.connect() as first:
        first.send(headers=sites.headers("hold", key), host=host)
        sites.control.wait(key, "entered")
        with sites.connect() as second:
            second.send(headers=sites.headers("hold", key), host=host)
            sites.wait_for_pool("narrow", queued=1)
        sites.wait_for_pool("narrow", queued=0)
        sites.control.release(key)
        assert first.finish().body == b"held"
    sites.wait_for_pool("narrow", in_flight=0)
    assert len(sites.control.values(key, "entered")) == 1


def test_091_queue_timeout(sites: ServerProcess, key: str) -> None:
    host = "impatient.test"
    with sites.connect() as first:
        first.send(headers=sites.headers("hold", key), host=host)
        sites.control.wait(key, "entered")
        reply = sites.ask("environ", host=host)
        assert reply.status == 503
        assert int(reply.get("retry-after") or 0) > 0
        sites.control.release(key)
        assert first.finish().body == b"held"
    sites.log.wait_for("503: no thread became free within 0.2 s")
    assert sites.ask(host=host).body == b"hello"


def test_094_sixty_four_requests_at_once(sites: ServerProcess, key: str) -> None:
    """Each answers when all 64 are running, so there are 64 threads; every client gets its own answer."""
    replies: dict[int, Reply] = {}

    def visit(number: int) -> None:
        body = b"%d" % (number * 1_000_003)
        headers = (("X-Number", str(number)),)
        replies[number] = sites.ask(
            "meet", "/?64", key=key, method="POST", headers=headers, body=body, host="wide.test"
        )

    clients = [threading.Thread(target=visit, args=(number,)) for number in range(64)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert {number: reply.body for number, reply in replies.items()} == {
        number: b"%d:%d" % (number, number * 1_000_003) for number in range(64)
    }
    assert len(set(sites.control.values(key, "met"))) == 64


@pytest.mark.parametrize(
    ("host", "target"), [("alone", "/ws"), ("starlette", "/legacy/ws")], ids=["alone", "starlette"]
)
def test_095_websocket_is_refused(server: ServerProcess, sites: ServerProcess, host: str, target: str) -> None:
    server = server if host == "alone" else sites
    server.log.allow_noise()  # uvicorn warns of the refused connection
    headers = (
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    )
    reply = server.ask(target=target, headers=headers, host=f"{host}.test")
    assert reply.status in (403, 404)
    assert server.ask(target=target, host=f"{host}.test").body == b"hello"


def test_097_no_thread_before_the_first_request(sites: ServerProcess) -> None:
    """The pool grows with the first request and belongs to the process that serves (97: workers are forked or spawned)."""
    before = sites.control.pool("stream")["threads"]
    assert sites.ask(host="stream.test").body == b"hello"
    after = sites.control.pool("stream")["threads"]
    assert (before, after) in ((0, 1), (1, 1), (2, 2))
