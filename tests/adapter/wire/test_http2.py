"""The same application over HTTP/2, where nothing says how long a body is and a client takes back a request, not a connection.

Lines 18, 26, 46 to 48, 73, 75, 76, 82, 83 and 87 of the acceptance list, on the servers that speak HTTP/2.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from typing import Any

import pytest

from tests.adapter.wire_support.http2_client import Http2Connection, Stream
from tests.adapter.wire_support.servers import ServerProcess

SERVERS = ("hypercorn-asyncio", "hypercorn-trio", "granian")
MIB = 1024 * 1024
BLOCK = 64 * 1024


@pytest.fixture
def http2(server: ServerProcess) -> Generator[Http2Connection]:
    with Http2Connection(("127.0.0.1", server.port)) as connection:
        yield connection


def whole(stream: Stream) -> tuple[int, bytes]:
    """Status and body of a response that has ended as it should."""
    assert stream.complete, stream
    assert stream.reset is None, stream
    return stream.status, stream.body


def environ_of(server: ServerProcess, http2: Http2Connection, *headers: tuple[str, str], **request: Any) -> Any:
    status, body = whole(http2.ask(headers=server.headers("environ", headers=headers), **request))
    assert status == 200
    return json.loads(body)


def test_018_server_protocol_is_http_2(server: ServerProcess, http2: Http2Connection) -> None:
    environ = environ_of(server, http2, target="/a%2Fb%ff?c=%ff", host="h2.test:8000")
    assert environ["SERVER_PROTOCOL"] == "HTTP/2"
    assert (environ["REQUEST_METHOD"], environ["wsgi.url_scheme"]) == ("GET", "http")
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/a/b\xff", "c=%ff")
    assert environ["REQUEST_URI"] == environ["RAW_URI"] == "/a%2Fb%ff?c=%ff"
    assert environ["HTTP_HOST"] == "h2.test:8000"
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("127.0.0.1", str(server.port))
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert [key for key in environ if ":" in key] == []


def test_026_cookies_in_several_fields(server: ServerProcess, http2: Http2Connection) -> None:
    """HTTP/2 clients send every cookie in a field of its own (RFC 9113, 8.2.3)."""
    assert environ_of(server, http2, *(("cookie", f"{name}=1") for name in "abc"))["HTTP_COOKIE"] == "a=1; b=1; c=1"


def test_028_underscore_headers(server: ServerProcess, http2: Http2Connection, key: str) -> None:
    name = f"x_forwarded_user_{key}"
    environ = environ_of(server, http2, (name, "admin"), ("x-forwarded-user", "nobody"))
    assert [value for field, value in environ.items() if "FORWARDED_USER" in field] == ["nobody"]
    server.log.wait_for(name)


def test_large_request_header(server: ServerProcess, http2: Http2Connection) -> None:
    """More than one frame: HEADERS and CONTINUATION."""
    value = "v" * 12_000
    environ = environ_of(server, http2, ("x-large", value), ("x-larger", value))
    assert (environ["HTTP_X_LARGE"], environ["HTTP_X_LARGER"]) == (value, value)


def test_large_response_header(server: ServerProcess, http2: Http2Connection) -> None:
    stream = http2.ask(headers=server.headers("large_header"))
    assert whole(stream) == (200, b"large")
    assert stream.get("x-large") == "v" * 30_000


@pytest.mark.parametrize(
    ("program", "target"), [("lazy", "/"), ("write_then_return", "/"), ("hop_by_hop", "/"), ("returns", "/generator")]
)
def test_069_no_header_of_http_1_leaves(
    server: ServerProcess, http2: Http2Connection, program: str, target: str
) -> None:
    """A response without a length has no transfer coding, and what the application says about its connection is dropped."""
    stream = http2.ask(target=target, headers=server.headers(program))
    assert whole(stream)[1] in (b"lazily started", b"abc", b"stays", b"one piece")
    names = {name for name, _ in stream.headers}
    assert not names & {"transfer-encoding", "connection", "keep-alive", "upgrade"}
    assert all(name == name.lower() for name in names)
    if program == "hop_by_hop":
        server.log.wait_for("hop-by-hop header 'Connection'")


def test_048_no_body(server: ServerProcess, http2: Http2Connection) -> None:
    assert json.loads(http2.ask("POST", headers=server.headers("read_nothing_there")).body) == ["", "", 0]


@pytest.mark.parametrize("size", [10, 300_000], ids=["small", "windows"])
def test_047_body_of_unknown_length(server: ServerProcess, http2: Http2Connection, size: int) -> None:
    """HTTP/2 needs no Content-Length: the application gets one all the same."""
    body = bytes(range(256)) * (size // 256) + b"z" * (size % 256)
    stream = http2.ask("POST", headers=server.headers("echo"), body=body)
    assert whole(stream) == (200, body)
    assert stream.get("x-content-length") == str(size)


def test_047_trailers_after_the_body(server: ServerProcess, http2: Http2Connection) -> None:
    """They are no part of it, and nothing becomes of them in the environ."""
    stream = http2.send("POST", headers=server.headers("echo"), open_end=True)
    http2.send_body(stream, b"body", open_end=True)
    http2.send_trailers(stream, [("x-checksum", "1")])
    assert whole(http2.finish(stream)) == (200, b"body")
    assert whole(http2.ask()) == (200, b"hello")


def test_047_a_declared_body_is_streamed(server: ServerProcess, http2: Http2Connection, key: str) -> None:
    stream = http2.send(
        "POST", headers=server.headers("read_until_error", key, [("content-length", "11")]), open_end=True
    )
    http2.send_body(stream, b"first", open_end=True)
    assert server.control.wait(key, "read") == [5]
    http2.send_body(stream, b"second")
    assert whole(http2.finish(stream)) == (200, b"complete")


def test_072_content_length_is_added(server: ServerProcess, http2: Http2Connection) -> None:
    stream = http2.ask(target="/list", headers=server.headers("returns"))
    assert whole(stream) == (200, b"one piece")
    assert stream.get("content-length") == "9"


def is_reset(http2: Http2Connection, stream: Stream) -> bool:
    """Whether the server resets the stream, rather than ending it or leaving it open, while it serves others."""
    for _ in range(20):
        assert whole(http2.ask()) == (200, b"hello")
        if stream.over:
            break
        time.sleep(0.02)
    return stream.reset is not None and not stream.complete


def test_073_short_body_resets_the_stream(server: ServerProcess, http2: Http2Connection, key: str) -> None:
    """Its client can tell that this is not the whole response, and its neighbours do not suffer."""
    stream = http2.send(headers=server.headers("too_short", key))
    assert http2.body_until(stream, 6) == b"only6!"
    server.log.wait_for("declared Content-Length, but its body ended 4 bytes too early")
    assert is_reset(http2, stream)


@pytest.mark.parametrize("status", [204, 304])
def test_075_status_without_a_body(server: ServerProcess, http2: Http2Connection, key: str, status: int) -> None:
    stream = http2.ask(target=f"/?{status}", headers=server.headers("body_not_allowed", key))
    assert whole(stream) == (status, b"")
    assert server.control.wait(key, "closed") == ["same thread"]


def test_076_head(server: ServerProcess, http2: Http2Connection, key: str) -> None:
    stream = http2.ask("HEAD", headers=server.headers("with_content_length", key))
    assert whole(stream) == (200, b"")
    assert stream.get("content-length") == "8"
    assert server.control.wait(key, "closed") == ["same thread"]


def test_082_events_arrive_one_by_one(server: ServerProcess, http2: Http2Connection, key: str) -> None:
    """Each event is released by another stream of the same connection, once the client has seen the one before."""
    stream = http2.send(headers=server.headers("events", key))
    expected = b""
    for number in range(3):
        if number:
            assert whole(http2.ask(target=f"/?{number}", headers=server.headers("release", key))) == (200, b"released")
        expected += b"data: %d\n\n" % number
        assert http2.body_until(stream, len(expected)) == expected
    assert whole(http2.finish(stream)) == (200, expected)


def test_083_early_hints(server: ServerProcess, http2: Http2Connection) -> None:
    stream = http2.ask(headers=server.headers("early_hints"))
    assert whole(stream) == (200, b"hinted")
    assert stream.interim == [103]
    assert [field for field in stream.hints[0] if field[0] in ("link", "x-other")] == [
        ("link", "</style.css>; rel=preload")
    ]


def test_086_failure_resets_the_stream(server: ServerProcess, http2: Http2Connection, key: str) -> None:
    stream = http2.send(target="/?Boom", headers=server.headers("fails_in_the_middle", key))
    assert http2.body_until(stream, 4) == b"part"
    server.log.wait_for(f"Boom: in the middle, {key}")
    assert is_reset(http2, stream)


def test_087_stream_is_reset_while_the_application_iterates(
    server: ServerProcess, http2: Http2Connection, key: str
) -> None:
    """The iteration ends and close() is called, while the connection and its other streams go on."""
    other = http2.send(headers=server.headers("hold_while_streaming", f"{key}-other"))
    stream = http2.send(headers=server.headers("endless_ticks", key))
    http2.body_until(stream, 10)
    http2.reset(stream)
    assert server.control.wait(key, "closed") == ["same thread"]
    assert server.control.wait(key, "generator ended") == ["GeneratorExit"]
    assert len(server.control.values(key, "closed")) == 1
    server.control.release(f"{key}-other")
    assert whole(http2.finish(other)) == (200, b"first last")
    assert whole(http2.ask()) == (200, b"hello")
    server.wait_for_pool("alone", in_flight=0)


def test_080_client_that_does_not_read_a_stream(server: ServerProcess, key: str) -> None:
    """Nothing is given back to the window: the server may send 64 KiB, the adapter keeps 1 MiB, then the worker waits."""
    with Http2Connection(("127.0.0.1", server.port), reading=False) as http2:
        stream = http2.send(headers=server.headers("endless", key))
        assert http2.wait(lambda: stream.status > 0)
        try:
            assert server.settled(key, "yielded", limit=256) * BLOCK < 16 * MIB
        finally:
            http2.reset(stream)
            assert server.control.wait(key, "closed") == ["same thread"]


def test_087_stream_is_reset_while_the_application_sends(server: ServerProcess, key: str) -> None:
    with Http2Connection(("127.0.0.1", server.port), reading=False) as http2:
        stream = http2.send(headers=server.headers("endless", key))
        assert http2.wait(lambda: stream.status > 0)
        server.control.wait(key, "yielded", 10)
        http2.reset(stream)
        assert server.control.wait(key, "closed") == ["same thread"]
        assert whole(http2.ask(method="HEAD")) == (200, b"")
    server.wait_for_pool("alone", in_flight=0)


def test_087_stream_is_reset_while_the_application_computes(
    server: ServerProcess, http2: Http2Connection, key: str
) -> None:
    stream = http2.send(headers=server.headers("asks_for_the_client", key))
    assert server.control.wait(key, "asked") == [False]
    http2.reset(stream)
    assert server.control.wait(key, "left") == [True]
    server.wait_for_pool("alone", in_flight=0)
    assert whole(http2.ask()) == (200, b"hello")


def test_046_stream_is_reset_during_the_upload(server: ServerProcess, http2: Http2Connection, key: str) -> None:
    headers = server.headers("read_until_error", key, [("content-length", "1000")])
    stream = http2.send("POST", headers=headers, open_end=True)
    http2.send_body(stream, b"only this", open_end=True)
    assert server.control.wait(key, "read") == [9]
    http2.reset(stream)
    assert server.control.wait(key, "error") == [["ClientDisconnected", True]]
    assert server.control.values(key, "end of file") == []
    server.wait_for_pool("alone", in_flight=0)
    assert whole(http2.ask()) == (200, b"hello")


def test_094_eight_streams_of_one_connection_at_once(server: ServerProcess, http2: Http2Connection, key: str) -> None:
    """Each answers when all eight are running, so they have threads of their own."""
    streams = [
        http2.send("POST", "/?8", server.headers("meet", key, [("x-number", str(number))]), b"%d" % number)
        for number in range(8)
    ]
    assert [whole(http2.finish(stream)) for stream in streams] == [
        (200, b"%d:%d" % (number, number)) for number in range(8)
    ]
    assert len(set(server.control.values(key, "met"))) == 8
