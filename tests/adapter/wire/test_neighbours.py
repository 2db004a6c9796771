"""What surrounds the application: files, the request's context, the loop, a send() that fails. Lines 81, 89, 93, 96 and 98."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.adapter.wire.conftest import Fleet
from tests.adapter.wire_support.programs_neighbours import LARGE_FILE
from tests.adapter.wire_support.servers import ServerProcess


def test_081_file_with_a_name(server: ServerProcess, key: str) -> None:
    """granian offers http.response.pathsend and sends it by itself: the application's file is not read."""
    reply = server.ask("file_by_name", key=key)
    assert (reply.status, reply.complete) == (200, True)
    assert reply.body == Path(LARGE_FILE).read_bytes()
    assert server.control.wait(key, "closed") == [None]
    assert bool(server.control.values(key, "read")) is (server.kind.name != "granian")


def test_081_client_leaves_while_a_file_is_sent(server: ServerProcess, key: str) -> None:
    with server.connect(receive_buffer=4096) as connection:
        connection.send(headers=server.headers("file_by_name", key))
        connection.body_until(1000)
    assert server.control.wait(key, "closed") == [None]
    server.wait_for_pool("alone", in_flight=0)
    assert server.ask().body == b"hello"


def test_081_head_of_a_file(server: ServerProcess, key: str) -> None:
    with server.connect() as connection:
        assert connection.ask("HEAD", headers=server.headers("file_by_name", key)).body == b""
        assert connection.ask().body == b"hello"
    assert server.control.wait(key, "closed") == [None]


def test_083_early_hints_over_http_1(server: ServerProcess) -> None:
    """No server here offers them with HTTP/1.1, so the application's call does nothing; see test_http2 for the others."""
    reply = server.ask("early_hints")
    assert (reply.status, reply.body, reply.interim) == (200, b"hinted", [])


def test_089_send_fails(sites: ServerProcess, key: str) -> None:
    """The only thread comes back, close() is called, and the error reaches the server as it was raised."""
    sites.log.allow_noise()  # every server says something else about it
    reply = sites.ask("endless", key=key, host="broken-wire.test")
    assert not reply.complete
    assert sites.control.wait(key, "closed") == ["same thread"]
    assert sites.control.wait(key, "raised") == [["ConnectionAbortedError", "the wire is broken"]]
    sites.wait_for_pool("broken-wire", in_flight=0)
    assert sites.ask(host="broken-wire.test").body == b"hello"


def test_093_context_variables(sites: ServerProcess, key: str) -> None:
    """What middleware has set is there in the call, the iteration and close(); what the application sets stays its own."""
    assert sites.ask("context_variable", key=key, host="visitor.test").body == b"xx"
    assert sites.control.wait(key, "afterwards") == [key]
    assert sites.control.values(key, "call") == [key]
    assert sites.control.values(key, "iteration") == ["set by the application"] * 2
    assert sites.control.values(key, "close") == ["set by the application"]


def test_096_call_into_the_loop(server: ServerProcess) -> None:
    library = "trio" if server.kind.name == "hypercorn-trio" else "asyncio"
    assert json.loads(server.ask("calls_the_loop").body)[0] == library


def test_096_async_to_sync(server: ServerProcess) -> None:
    assert server.ask("calls_async_to_sync").body == b"from a loop of its own"


def test_096_call_of_itself_with_all_threads_taken(sites: ServerProcess) -> None:
    """No deadlock: the inner request gives up after queue_timeout, and the outer one can say so."""
    assert sites.ask("calls_itself", host="reentrant.test").body == b"503"
    sites.log.wait_for("503: no thread became free within 0.2 s")
    assert sites.ask("calls_itself", host="wide.test").body == b"200"


def test_098_debug_mode_of_asyncio(fleet: Fleet, key: str) -> None:
    """Nothing touches the loop from a worker's thread: asyncio and uvloop check that in debug mode, and complain."""
    server = fleet.get("alone:app", "/api")
    server.log.begin()
    server.log.allow_noise()  # a slow callback is reported, too, and a busy machine makes every callback slow
    prefix = "" if fleet.kind.module == "uvicorn" else "/api"
    found = json.loads(server.ask("calls_the_loop", f"{prefix}/").body)
    assert found == (["trio", None] if fleet.kind.name == "hypercorn-trio" else ["asyncio", True])
    assert server.ask("write_in_another_thread", f"{prefix}/").body == b"abc"
    assert server.ask("echo", f"{prefix}/", method="POST", body=b"body").body == b"body"
    assert server.ask("one_byte_chunks", f"{prefix}/?500").body == b"x" * 500
    with server.connect() as connection:
        connection.send(target=f"{prefix}/", headers=server.headers("endless_ticks", key))
        connection.body_until(10)
    assert server.control.wait(key, "closed") == ["same thread"]
    with server.connect() as connection:
        headers = server.headers("read_until_error", key, (("Content-Length", "10"),))
        connection.send("POST", f"{prefix}/", headers, b"part")
        server.control.wait(key, "read")
    assert server.control.wait(key, "error") == [["ClientDisconnected", True]]
    server.wait_for_pool("alone", in_flight=0)
    server.log.check()
    assert not re.search(r"Non-thread-safe|RuntimeError", server.log.text())
