"""Clients that leave and requests that are cancelled: lines 87 and 88 of the acceptance list.

Most of these run on an adapter with a single thread: if that does not come back, no other request is answered.
"""

from __future__ import annotations

import threading

import pytest

from tests.adapter.wire_support.raw_client import RawConnection
from tests.adapter.wire_support.servers import ServerProcess

HOST = "narrow.test"


def assert_thread_is_back(sites: ServerProcess, site: str = "narrow") -> None:
    sites.wait_for_pool(site, in_flight=0)
    assert sites.ask(host=f"{site}.test").body == b"hello"


def leave(connection: RawConnection, how: str) -> None:
    if how == "reset":
        connection.reset()
    else:
        connection.close()


@pytest.mark.parametrize("how", ["close", "reset"])
def test_087_client_leaves_while_the_application_iterates(sites: ServerProcess, key: str, how: str) -> None:
    with sites.connect() as connection:
        connection.send(headers=sites.headers("endless_ticks", key), host=HOST)
        connection.body_until(10)
        leave(connection, how)
    assert sites.control.wait(key, "closed") == ["same thread"]
    # The iteration was ended from outside, not by running out.
    assert sites.control.wait(key, "generator ended") == ["GeneratorExit"]
    assert_thread_is_back(sites)
    assert len(sites.control.values(key, "closed")) == 1


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("program", ["endless", "endless_writes"])
def test_087_client_leaves_while_the_application_is_blocked_in_send(
    sites: ServerProcess, key: str, program: str, how: str
) -> None:
    with sites.connect(receive_buffer=64 * 1024) as connection:
        connection.send(headers=sites.headers(program, key), host=HOST)
        sites.settled(key, "yielded")
        leave(connection, how)
    if program == "endless":
        assert sites.control.wait(key, "closed") == ["same thread"]
    else:
        assert sites.control.wait(key, "error") == [["ClientDisconnected", True]]
    assert_thread_is_back(sites)


def test_087_client_leaves_while_the_application_computes(sites: ServerProcess, key: str) -> None:
    """environ["asgiway.disconnected"]() tells it."""
    with sites.connect() as connection:
        connection.send(headers=sites.headers("asks_for_the_client", key), host=HOST)
        assert sites.control.wait(key, "asked") == [False]
    assert sites.control.wait(key, "left") == [True]
    assert sites.control.wait(key, "closed") == ["same thread"]
    assert_thread_is_back(sites)


def test_087_client_leaves_while_the_application_computes_with_the_body_unread(sites: ServerProcess, key: str) -> None:
    body = bytes(1000)
    with sites.connect() as connection:
        headers = sites.headers("asks_for_the_client", key, body=body)
        connection.send("POST", headers=headers, body=body, host=HOST)
        assert sites.control.wait(key, "asked") == [False]
    assert sites.control.wait(key, "left") == [True]
    assert_thread_is_back(sites)


def test_087_client_leaves_before_a_long_computation_ends(sites: ServerProcess, key: str) -> None:
    """Nothing can interrupt it; its response goes nowhere, close() is called, and nobody complains."""
    with sites.connect() as connection:
        connection.send(headers=sites.headers("hold", key), host=HOST)
        sites.control.wait(key, "entered")
    sites.control.release(key)
    assert sites.control.wait(key, "closed") == ["same thread"]
    assert_thread_is_back(sites)


@pytest.mark.parametrize("site", ["starlette", "fastapi"])
def test_087_client_leaves_a_mounted_application(sites: ServerProcess, key: str, site: str) -> None:
    with sites.connect() as connection:
        connection.send(target="/legacy/", headers=sites.headers("endless_ticks", key), host=f"{site}.test")
        connection.body_until(10)
    assert sites.control.wait(key, "closed") == ["same thread"]
    sites.wait_for_pool(site, in_flight=0)


def test_087_fifty_clients_leave_at_once(server: ServerProcess, key: str) -> None:
    """More than there are threads: some leave while they stream, the others while they wait."""
    connections = [server.connect() for _ in range(50)]
    for connection in connections:
        connection.send(headers=server.headers("endless_ticks", key))
    server.wait_for_pool("alone", queued=50 - 16)
    for connection in connections:
        connection.close()
    server.wait_for_pool("alone", in_flight=0, queued=0)
    closed = server.control.values(key, "closed")
    assert closed == ["same thread"] * len(closed)
    assert len(closed) >= 16
    assert server.ask().body == b"hello"


def test_088_cancelled_a_hundred_times(sites: ServerProcess, key: str) -> None:
    """A timeout middleware cancels requests that are blocked in send, stream, or wait for one of the four threads."""
    host = "deadline.test"
    # What becomes of a connection that was cut in its middle differs between servers, and so do their complaints.
    sites.log.allow_noise()
    programs = ["endless", "endless_ticks", "endless_writes", "read_until_error"]

    def visit(number: int) -> None:
        program = programs[number % len(programs)]
        upload = program == "read_until_error"
        headers = sites.headers(program, f"{key}-{number}", (("Content-Length", "1000"),) if upload else ())
        with sites.connect(receive_buffer=64 * 1024) as connection:
            connection.send("POST" if upload else "GET", headers=headers, host=host)
            connection.head()
            # Only the server ends these: the client stays until the cancelled response is cut off.
            connection.finish()
            assert not connection.reply.complete or connection.reply.status in (500, 504)

    failures: list[BaseException] = []

    def visits(numbers: range) -> None:
        try:
            for number in numbers:
                visit(number)
        except BaseException as exc:
            failures.append(exc)

    clients = [threading.Thread(target=visits, args=(range(start, 100, 20),)) for start in range(20)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert failures == []
    sites.wait_for_pool("deadline", in_flight=0, queued=0)
    pool = sites.control.pool("deadline")
    assert pool["idle"] == pool["threads"] <= 4
    assert sites.ask(host=host).body == b"hello"
    for number in range(100):
        closed = sites.control.values(f"{key}-{number}", "closed")
        yielded = sites.control.values(f"{key}-{number}", "yielded")
        assert len(closed) <= 1
        assert closed or not yielded or programs[number % len(programs)] == "endless_writes"
