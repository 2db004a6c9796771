"""What start_response(), write() and the returned iterable become on the wire: lines 56 to 80 of the acceptance list."""

from __future__ import annotations

import json

import pytest

from tests.adapter.wire_support.raw_client import Reply
from tests.adapter.wire_support.servers import ServerProcess


def whole(reply: Reply) -> tuple[int, bytes]:
    """Status and body of a response that has ended as it should."""
    assert reply.complete, reply
    return reply.status, reply.body


def test_056_empty_chunks_send_nothing(server: ServerProcess) -> None:
    reply = server.ask("exc_info_before_any_chunk")
    assert whole(reply) == (503, b"replaced")
    assert reply.all("x-first") == []
    assert reply.get("x-second") == "2"


def test_057_content_length_zero(server: ServerProcess, key: str) -> None:
    reply = server.ask("content_length_zero", key=key)
    assert whole(reply) == (200, b"")
    assert reply.get("content-length") == "0"
    assert server.control.wait(key, "closed") == ["same thread"]


def test_058_start_response_twice(server: ServerProcess) -> None:
    assert whole(server.ask("start_twice")) == (200, b"AppProtocolError is an AssertionError")


def test_059_exc_info_replaces_headers(server: ServerProcess) -> None:
    """Line 61 too: the application has handled its error, so the log stays empty (the fixture looks)."""
    reply = server.ask("exc_info_replaces")
    assert whole(reply) == (500, b"an error page")
    assert (reply.all("x-old"), reply.get("content-type"), reply.get("x-new")) == ([], "text/plain", "new")


def test_060_exc_info_after_send(server: ServerProcess, key: str) -> None:
    assert whole(server.ask("exc_info_after_send", key=key)) == (200, b"sent and done")
    assert server.control.values(key, "raised again") == [[True, True]]


@pytest.mark.parametrize("program", ["never_started", "never_started_empty"])
def test_062_start_response_never_called(server: ServerProcess, program: str) -> None:
    assert server.ask(program).status == 500
    server.log.wait_for(r"AppProtocolError: .*conformance_app .*without calling start_response")


def test_063_start_response_in_a_generator(server: ServerProcess) -> None:
    reply = server.ask("lazy")
    assert whole(reply) == (201, b"lazily started")
    assert reply.get("x-lazy") == "yes"


def test_064_write(server: ServerProcess) -> None:
    assert whole(server.ask("write_then_return")) == (200, b"abc")


def test_065_write_in_another_thread(server: ServerProcess) -> None:
    assert whole(server.ask("write_in_another_thread")) == (200, b"abc")


def test_065_write_while_the_body_is_iterated(server: ServerProcess) -> None:
    assert whole(server.ask("write_while_iterated")) == (200, b"AppProtocolError")


@pytest.mark.parametrize(("query", "status"), [("bare", 200), ("space", 200), ("words", 404)])
def test_066_status_without_the_usual_reason(server: ServerProcess, query: str, status: int) -> None:
    assert whole(server.ask("status_as_asked", f"/?{query}")) == (status, b"status")


def test_066_status_above_599(server: ServerProcess) -> None:
    """RFC 9110, 15, knows no such class; other WSGI servers pass them on, and some sites use them."""
    assert whole(server.ask("status_as_asked", "/?beyond")) == (600, b"status")


@pytest.mark.parametrize(
    ("query", "error"),
    [("bad", "AppValueError: .*three-digit code: 'abc'"), ("int", "AppTypeError: .*status as a str .*got 200")],
)
def test_066_bad_status(server: ServerProcess, query: str, error: str) -> None:
    assert server.ask("status_as_asked", f"/?{query}").status == 500
    server.log.wait_for(error)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        pytest.param("int", "AppTypeError: .*'X-Number' must be a str, got 5", id="067-int"),
        pytest.param("bytes", "AppTypeError: .*must be str, got b'X-Bytes'", id="067-bytes"),
        pytest.param("crlf", "AppValueError: .*'X-Split' contains a line break", id="067-line-break"),
        pytest.param("nul", "AppValueError: .*'X-Nul' contains a line break or NUL", id="067-nul"),
        pytest.param("wide", "AppValueError: .*'X-Wide' does not fit latin-1", id="068-wide"),
    ],
)
def test_bad_header(server: ServerProcess, query: str, error: str) -> None:
    reply = server.ask("header_as_asked", f"/?{query}")
    assert reply.status == 500
    assert reply.all("set-cookie") == []
    server.log.wait_for(error)


def test_068_latin1_header(server: ServerProcess) -> None:
    assert server.ask("header_as_asked", "/?latin1").get("x-latin") == "caf\xe9"


def test_069_hop_by_hop_headers(server: ServerProcess) -> None:
    with server.connect() as connection:
        reply = connection.ask(headers=server.headers("hop_by_hop"))
        assert whole(reply) == (200, b"stays")
        assert (reply.all("keep-alive"), reply.all("transfer-encoding")) == ([], [])
        # The application's "Connection: close" did not reach the server.
        assert whole(connection.ask()) == (200, b"hello")
    for name in ("Connection", "Keep-Alive", "Transfer-Encoding"):
        server.log.wait_for(f"hop-by-hop header '{name}'")


def test_070_header_names_and_cookies(server: ServerProcess) -> None:
    reply = server.ask("cookies_and_case")
    assert reply.all("set-cookie") == ["a=1", "b=2; Path=/"]
    assert reply.get("x-mixed") == "v"


def test_071_headers_are_copied(server: ServerProcess) -> None:
    reply = server.ask("headers_changed_later")
    assert (reply.get("x-kept"), reply.all("x-added")) == ("before", [])


@pytest.mark.parametrize("kind", ["list", "tuple", "two"])
def test_072_content_length_is_added(server: ServerProcess, kind: str) -> None:
    reply = server.ask("returns", f"/{kind}")
    assert whole(reply) == (200, b"one piece")
    assert (reply.get("content-length"), reply.all("transfer-encoding")) == ("9", [])


@pytest.mark.parametrize(("method", "query"), [("HEAD", ""), ("GET", "204"), ("GET", "304")])
def test_072_content_length_is_not_made_up(server: ServerProcess, method: str, query: str) -> None:
    reply = server.ask("returns", f"/list?{query}", method=method)
    assert whole(reply) == (int(query or 200), b"")
    assert reply.all("content-length") == []


def test_072_generator(server: ServerProcess) -> None:
    """A server that gets all of it in one message may still know its length."""
    reply = server.ask("returns", "/generator")
    assert whole(reply) == (200, b"one piece")
    assert (reply.all("content-length"), reply.all("transfer-encoding")) in (([], ["chunked"]), (["9"], []))


def test_073_body_shorter_than_content_length(server: ServerProcess, key: str) -> None:
    with server.connect() as connection:
        connection.send(headers=server.headers("too_short", key))
        reply = connection.finish()
        assert connection.closed_by_peer()
    assert (reply.status, reply.body, reply.complete) == (200, b"only6!", False)
    assert server.control.wait(key, "closed") == ["same thread"]
    server.log.wait_for("declared Content-Length, but its body ended 4 bytes too early")


def test_074_body_longer_than_content_length(server: ServerProcess, key: str) -> None:
    with server.connect() as connection:
        reply = connection.ask(headers=server.headers("too_long", key))
        assert whole(reply) == (200, b"1234567890")
        assert whole(connection.ask()) == (200, b"hello")
    assert server.control.wait(key, "closed") == ["same thread"]
    assert server.control.values(key, "yielded") == [6, 6]


@pytest.mark.parametrize("status", [204, 304])
def test_075_status_without_a_body(server: ServerProcess, key: str, status: int) -> None:
    with server.connect() as connection:
        reply = connection.ask(target=f"/?{status}", headers=server.headers("body_not_allowed", key))
        assert whole(reply) == (status, b"")
        assert reply.get("x-kept") == "yes"
        assert reply.all("transfer-encoding") == []
        # With 304 it may tell of the 200 that it stands for (RFC 9110, 8.6); with 204 it must not be there.
        assert reply.all("content-length") in ([], [] if status == 204 else ["4"])
        assert whole(connection.ask()) == (200, b"hello")
    assert server.control.wait(key, "closed") == ["same thread"]


def test_076_head(server: ServerProcess, key: str) -> None:
    with server.connect() as connection:
        reply = connection.ask("HEAD", headers=server.headers("with_content_length", key))
        assert whole(reply) == (200, b"")
        assert reply.get("content-length") == "8"
        assert whole(connection.ask()) == (200, b"hello")
    assert server.control.wait(key, "closed") == ["same thread"]


@pytest.mark.parametrize("status", [200, 204, 304])
@pytest.mark.parametrize("kind", ["empty-list", "empty-tuple", "empty-iterator"])
def test_077_nothing_returned(server: ServerProcess, kind: str, status: int) -> None:
    with server.connect() as connection:
        reply = connection.ask(target=f"/{kind}?{status}", headers=server.headers("returns"))
        assert whole(reply) == (status, b"")
        assert whole(connection.ask()) == (200, b"hello")


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("str", "AppTypeError: .*is str, not bytes; encode it first"),
        ("bytes", r"AppTypeError: .*returned bytes, .*return \[body\]"),
        ("none", "AppTypeError: .*returned None"),
    ],
)
def test_078_body_of_the_wrong_type(server: ServerProcess, kind: str, error: str) -> None:
    assert server.ask("returns", f"/{kind}").status == 500
    server.log.wait_for(error)


@pytest.mark.parametrize("kind", ["bytearray", "memoryview"])
def test_079_other_kinds_of_bytes(server: ServerProcess, kind: str) -> None:
    assert whole(server.ask("returns", f"/{kind}")) == (200, b"one piece")


@pytest.mark.parametrize("count", [20_000, pytest.param(200_000, marks=pytest.mark.long)])
def test_080_one_byte_chunks(server: ServerProcess, count: int) -> None:
    assert whole(server.ask("one_byte_chunks", f"/?{count}")) == (200, b"x" * count)


def test_080_slow_client_holds_the_application(server: ServerProcess, key: str) -> None:
    """The application may be ahead by the adapter's 1 MiB and what server and kernel buffer, not more."""
    with server.connect(receive_buffer=64 * 1024) as connection:
        connection.send(headers=server.headers("endless", key))
        connection.head()
        produced = server.settled(key, "yielded")
        assert produced * 64 * 1024 < 16 * 1024 * 1024
        connection.body_until(24 * 1024 * 1024)  # and goes on when the client does
    assert server.control.wait(key, "closed") == ["same thread"]


def test_081_file_wrapper(server: ServerProcess, key: str) -> None:
    assert whole(server.ask("file", key=key)) == (200, b"0123456789" * 59_999)
    assert server.control.wait(key, "closed") == [None]


def test_responses_on_one_connection_in_order(server: ServerProcess) -> None:
    """Pipelined requests are answered one after the other, each with its own answer."""
    with server.connect() as connection:
        head = b"POST / HTTP/1.1\r\nHost: wire.test\r\nX-Program: echo\r\nContent-Length: 2\r\n\r\n"
        connection.send("POST", headers=server.headers("echo", body=b"00"), body=b"00")
        connection.send_bytes(b"".join(head + b"%02d" % number for number in range(1, 4)))
        bodies = [connection.finish().body]
        for _ in range(3):
            connection.expect_another("POST")
            bodies.append(connection.finish().body)
    assert bodies == [b"00", b"01", b"02", b"03"]


@pytest.mark.parametrize("host", ["starlette", "fastapi"])
def test_mounted_responses(sites: ServerProcess, host: str) -> None:
    reply = sites.ask("too_long", "/legacy/", host=f"{host}.test", key="mounted")
    assert whole(reply) == (200, b"1234567890")
    assert whole(sites.ask("lazy", "/legacy/x", host=f"{host}.test")) == (201, b"lazily started")
    assert whole(sites.ask("with_content_length", "/legacy/", host=f"{host}.test", method="HEAD")) == (200, b"")
    environ = json.loads(sites.ask("environ", "/legacy/", host=f"{host}.test").body)
    assert environ["SCRIPT_NAME"] == "/legacy"
