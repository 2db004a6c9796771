"""How request bodies reach the application over real sockets: lines 43 to 54 of the acceptance list."""

from __future__ import annotations

import hashlib
import json
import threading
from typing import Any

import pytest

from tests.adapter.wire_support.raw_client import RawConnection
from tests.adapter.wire_support.servers import ServerProcess

MIB = 1024 * 1024
CHUNKED = (("Transfer-Encoding", "chunked"),)


def of_length(size: int) -> tuple[tuple[str, str], ...]:
    return (("Content-Length", str(size)),)


def test_043_read_past_the_end(server: ServerProcess) -> None:
    reply = server.ask("read_past_the_end", method="POST", body=b"whole body")
    assert json.loads(reply.body) == ["whole body", "", "", ""]


def test_043_read_past_the_end_while_the_connection_stays_open(server: ServerProcess) -> None:
    with server.connect() as connection:
        for _ in range(3):
            headers = server.headers("read_past_the_end", body=b"abc")
            assert json.loads(connection.ask("POST", headers=headers, body=b"abc").body) == ["abc", "", "", ""]


def test_044_more_than_content_length(server: ServerProcess) -> None:
    server.log.allow_noise()  # what follows the body is a broken request
    with server.connect() as connection:
        headers = server.headers("echo", headers=(("Content-Length", "5"), ("Connection", "close")))
        reply = connection.ask("POST", headers=headers, body=b"12345 and more than that")
    assert reply.status == 200
    assert reply.body == b"12345"


def test_045_lines_and_text_wrapper(server: ServerProcess) -> None:
    body = b"one\ntwo\nthree\nfour\nfive"
    reply = server.ask("read_by_lines", method="POST", body=body)
    assert json.loads(reply.body) == ["on", "e\n", "two", "\n", "three\n", "four\n", "five"]
    text = "Zeile eins äöü\nzwei\n"
    reply = server.ask("read_as_text", method="POST", body=text.encode())
    assert json.loads(reply.body) == text


@pytest.mark.parametrize("leave", ["close", "reset", "half-close"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_046_client_leaves_during_upload(sites: ServerProcess, key: str, framing: str, leave: str) -> None:
    """The application gets an OSError, no end of file, and its thread comes back."""
    host = "stream.test"
    with sites.connect() as connection:
        headers = CHUNKED if framing == "chunked" else of_length(1000)
        connection.send("POST", headers=sites.headers("read_until_error", key, headers), host=host)
        if framing == "chunked":
            connection.send_chunk(b"only this")
        else:
            connection.send_bytes(b"only this")
        assert sites.control.wait(key, "read") == [9]
        if leave == "close":
            connection.close()
        elif leave == "reset":
            connection.reset()
        else:
            connection.socket.shutdown(1)
        assert sites.control.wait(key, "error") == [["ClientDisconnected", True]]
        if leave == "half-close":
            assert not connection.finish().body.startswith(b"complete")
    sites.wait_for_pool("stream", in_flight=0)
    assert sites.control.values(key, "end of file") == []
    assert sites.ask(host=host).body == b"hello"


def test_046_client_leaves_during_upload_to_an_application_that_answers_all_the_same(
    server: ServerProcess, key: str
) -> None:
    with server.connect() as connection:
        connection.send("POST", headers=server.headers("swallow_read_error", key, of_length(1000)), body=b"part")
        server.control.wait(key, "entered")
    assert server.control.wait(key, "error") == [["ClientDisconnected", True]]
    server.wait_for_pool("alone", in_flight=0)


def test_046_client_leaves_during_a_chunked_upload_that_is_spooled(server: ServerProcess, key: str) -> None:
    """With body="auto" a small chunked body is taken in first: the application does not even run."""
    with server.connect() as connection:
        connection.send("POST", headers=server.headers("echo", key, CHUNKED))
        connection.send_chunk(b"only this")
    with server.connect() as connection:
        connection.send("POST", headers=server.headers("read_until_error", key, CHUNKED))
        connection.send_chunk(bytes(MIB))
    server.wait_for_pool("alone", in_flight=0)
    assert server.control.values(key, "end of file") == []
    assert server.ask().body == b"hello"


@pytest.mark.parametrize("size", [0, 10, 3 * MIB], ids=["empty", "small", "spooled"])
def test_047_chunked(server: ServerProcess, size: int) -> None:
    body = hashlib.sha256(b"%d" % size).digest() * (size // 32) + b"z" * (size % 32)
    with server.connect() as connection:
        connection.send("POST", headers=server.headers("digest", headers=CHUNKED))
        for start in range(0, size, 100_000):
            connection.send_chunk(body[start : start + 100_000])
        connection.send_chunk(b"")
        answer = json.loads(connection.finish().body)
    assert (answer["size"], answer["sha256"]) == (size, hashlib.sha256(body).hexdigest())


def test_047_chunked_sets_content_length(server: ServerProcess) -> None:
    with server.connect() as connection:
        connection.send("POST", headers=server.headers("echo", headers=CHUNKED))
        connection.send_chunk(b"abc")
        connection.send_chunk(b"defg")
        connection.send_chunk(b"")
        reply = connection.finish()
    assert (reply.body, reply.get("x-content-length")) == (b"abcdefg", "7")


def test_047_chunked_streams_when_asked_to(sites: ServerProcess, key: str) -> None:
    """body="stream": the application sees the first piece before the client has the second one."""
    with sites.connect() as connection:
        connection.send("POST", headers=sites.headers("read_until_error", key, CHUNKED), host="stream.test")
        connection.send_chunk(b"first")
        assert sites.control.wait(key, "read") == [5]
        connection.send_chunk(b"second")
        assert sites.control.wait(key, "read", 2) == [5, 6]
        connection.send_chunk(b"")
        assert connection.finish().body == b"complete"


FRAMEWORKS = ["flask", "django", "bottle", "pyramid", "falcon"]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_047_frameworks_see_a_chunked_body(sites: ServerProcess, framework: str) -> None:
    body = b'{"some": "json"}' * 10
    reply = sites.http.post(
        "/raw", content=iter([body[:30], body[30:]]), headers={"Host": f"{framework}.test", "Content-Type": "text/x"}
    )
    assert (reply.status_code, reply.json()) == (200, {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()})


def test_048_no_body(server: ServerProcess) -> None:
    """read() returns at once though the client could still send something."""
    for method in ("GET", "POST", "DELETE"):
        with server.connect() as connection:
            reply = connection.ask(method, headers=server.headers("read_nothing_there"))
        assert json.loads(reply.body) == ["", "", 0]


def test_049_answer_without_reading(server: ServerProcess) -> None:
    """The answer comes although most of the body has not been sent."""
    server.log.allow_noise()  # hypercorn's trio worker may trip over the end of a connection with an unfinished upload
    with server.connect() as connection:
        headers = server.headers("ignore_body", headers=of_length(10 * MIB))
        connection.send("POST", headers=headers, body=bytes(64 * 1024))
        reply = connection.finish()
    assert (reply.status, reply.body) == (200, b"not interested")
    assert server.ask().body == b"hello"


def test_049_connection_survives_an_unread_body(server: ServerProcess) -> None:
    with server.connect() as connection:
        headers = server.headers("ignore_body", headers=of_length(20_000))
        reply = connection.ask("POST", headers=headers, body=bytes(20_000))
        assert reply.body == b"not interested"
        if reply.get("connection") != "close":
            assert connection.ask().body == b"hello"


def upload(server: ServerProcess, key: str, size: int) -> dict[str, Any]:
    """POST that many bytes in blocks of 64 KiB; what the application saw, with the hash it should have seen."""
    block = bytes(range(256)) * 256
    hashed = hashlib.sha256()
    with server.connect() as connection:
        connection.send("POST", headers=server.headers("digest", key, of_length(size)))
        for _ in range(size // len(block)):
            hashed.update(block)
            connection.send_bytes(block)
        answer: dict[str, Any] = json.loads(connection.finish().body)
    assert answer["size"] == size
    assert answer["sha256"] == hashed.hexdigest()
    return answer


def test_050_upload_of_64_mib_in_bounded_memory(server: ServerProcess, key: str) -> None:
    assert upload(server, key, 64 * MIB)["growth"] <= 32 * MIB


@pytest.mark.long
def test_050_upload_of_1_gib_in_bounded_memory(server: ServerProcess, key: str) -> None:
    assert upload(server, key, 1024 * MIB)["growth"] <= 32 * MIB


def test_050_upload_waits_for_the_application(server: ServerProcess, key: str) -> None:
    """While the application does not read, the client is held back instead of being stored."""
    body = bytes(32 * MIB)
    headers = server.headers("digest", key, (("X-Hold", "1"), *of_length(len(body))))
    with server.connect() as connection:
        connection.send("POST", headers=headers)
        server.control.wait(key, "entered")
        sent = connection.send_until_blocked(body, 0.25)
        server.control.release(key)
        assert sent < len(body) - MIB, "all of it was taken in before the application read anything"
        connection.send_bytes(body[sent:])
        answer = json.loads(connection.finish().body)
    assert answer["sha256"] == hashlib.sha256(body).hexdigest()
    assert answer["growth"] <= 32 * MIB


def test_051_declared_too_large(sites: ServerProcess, key: str) -> None:
    with sites.connect() as connection:
        connection.send("POST", headers=sites.headers("read_until_error", key, of_length(1001)), host="limited.test")
        reply = connection.finish()
        assert connection.closed_by_peer()
    assert reply.status == 413
    assert reply.get("content-length") == str(len(reply.body))
    assert reply.get("connection") == "close"
    assert sites.control.values(key, "entered") == []
    sites.log.wait_for("POST /: 413: .* larger")
    assert sites.ask("echo", method="POST", body=bytes(1000), host="limited.test").status == 200


def test_051_chunked_too_large(sites: ServerProcess, key: str) -> None:
    with sites.connect() as connection:
        connection.send("POST", headers=sites.headers("read_until_error", key, CHUNKED), host="limited.test")
        for _ in range(2):
            connection.send_chunk(bytes(600))
        reply = connection.finish()
    assert reply.status == 413
    assert sites.control.values(key, "entered") == []
    sites.log.wait_for("POST /: 413: .* larger")


CONTENT = bytes(range(256)) * 2000 + b"\r\n--not-the-boundary\r\n\r\n" + b"\0" * 1000


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_052_multipart_upload(sites: ServerProcess, framework: str) -> None:
    reply = sites.http.post(
        "/upload",
        data={"note": "Grüße\nzweite Zeile"},
        files={"file": ("näme.bin", CONTENT, "application/octet-stream")},
        headers={"Host": f"{framework}.test"},
    )
    assert reply.status_code == 200, reply.text
    answer = reply.json()
    assert (answer["size"], answer["sha256"]) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert answer["note"].replace("\r\n", "\n") == "Grüße\nzweite Zeile"
    assert "bin" in answer["name"]


def test_053_continue_only_when_the_application_reads(server: ServerProcess, key: str) -> None:
    with server.connect() as connection:
        headers = server.headers("hold_then_read", key, (("Expect", "100-continue"), *of_length(4)))
        connection.send("POST", headers=headers)
        server.control.wait(key, "entered")
        # Longer than it takes the adapter to start looking after a request that lasts.
        silent = connection.silent_for(0.3)
        server.control.release(key)
        assert silent, "asked for the body before the application did"
        assert connection.interim() == 100
        connection.send_bytes(b"body")
        reply = connection.finish()
    assert (reply.status, reply.body) == (200, b"body")


def test_053_no_continue_when_the_application_does_not_read(server: ServerProcess, key: str) -> None:
    with server.connect() as connection:
        headers = server.headers("hold_then_ignore_body", key, (("Expect", "100-continue"), *of_length(4)))
        connection.send("POST", headers=headers)
        server.control.wait(key, "entered")
        server.control.release(key)
        reply = connection.finish()
    assert (reply.status, reply.body, reply.interim) == (200, b"not interested", [])


def test_053_refused_without_continue(sites: ServerProcess) -> None:
    """A body that is declared too large is not asked for."""
    with sites.connect() as connection:
        headers = sites.headers("echo", headers=(("Expect", "100-continue"), *of_length(1001)))
        reply = connection.ask("POST", headers=headers, host="limited.test")
    assert (reply.status, reply.interim) == (413, [])
    sites.log.wait_for("POST /: 413: .* larger")


def test_054_read_in_another_thread(server: ServerProcess) -> None:
    with server.connect() as connection:
        connection.send("POST", headers=server.headers("read_in_another_thread", headers=of_length(11)), body=b"first ")
        connection.send_bytes(b"later")
        assert connection.finish().body == b"first later"


def test_047_many_bodies_at_once_stay_apart(server: ServerProcess) -> None:
    """Forty uploads at once, pieces interleaved, more than there are threads."""
    connections = [server.connect() for _ in range(40)]
    try:
        for number, connection in enumerate(connections):
            connection.send(
                "POST", headers=server.headers("echo", headers=of_length(3000)), body=b"%03d" % number * 300
            )
        for number, connection in enumerate(connections):
            connection.send_bytes(b"%03d" % number * 700)
        replies: dict[int, bytes] = {}

        def finish(number: int, connection: RawConnection) -> None:
            replies[number] = connection.finish().body

        threads = [threading.Thread(target=finish, args=pair) for pair in enumerate(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        for connection in connections:
            connection.close()
    assert replies == {number: b"%03d" % number * 1000 for number in range(40)}
