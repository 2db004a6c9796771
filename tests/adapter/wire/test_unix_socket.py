"""Behind a reverse proxy on a unix socket: there is no port and no peer, so lines 19 to 21 of the acceptance list decide.

Also what a proxy that connects like that expects: bodies, streams and its own leaving are the same as over TCP.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

import pytest

from tests.adapter.wire.conftest import Fleet
from tests.adapter.wire_support.servers import ServerProcess


@pytest.fixture
def unix(fleet: Fleet) -> Generator[ServerProcess]:
    """Return a server on a unix socket."""
    server = fleet.get("alone:app", unix=True)
    server.log.begin()
    yield server
    server.log.check()


def environ_of(unix: ServerProcess, host: str, *headers: tuple[str, str], version: str = "1.1") -> dict[str, Any]:
    with unix.connect() as connection:
        reply = connection.ask(headers=unix.headers("environ", headers=headers), host=host, version=version)
    assert reply.status == 200, reply
    environ: dict[str, Any] = json.loads(reply.body)
    return environ


@pytest.mark.parametrize(
    ("host", "name", "port"),
    [
        ("shop.test", "shop.test", "80"),
        ("shop.test:8443", "shop.test", "8443"),
        ("[2001:db8::1]:8080", "2001:db8::1", "8080"),
    ],
    ids=["name", "name-and-port", "ipv6"],
)
def test_020_server_name_and_port_come_from_the_host(unix: ServerProcess, host: str, name: str, port: str) -> None:
    environ = environ_of(unix, host)
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == (name, port)


def test_020_without_a_usable_host(unix: ServerProcess) -> None:
    """SERVER_NAME is never empty (PEP 3333)."""
    environ = environ_of(unix, "", version="1.0")
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("localhost", "80")


def test_021_nobody_is_the_peer(unix: ServerProcess) -> None:
    """No address is made up: REMOTE_ADDR is not there."""
    environ = environ_of(unix, "shop.test")
    assert not {"REMOTE_ADDR", "REMOTE_PORT"} & environ.keys()


def test_bodies_and_streams(unix: ServerProcess, key: str) -> None:
    body = bytes(range(256)) * 1000
    assert unix.ask("echo", method="POST", body=body).body == body
    with unix.connect() as connection:
        connection.send(headers=unix.headers("events", key))
        assert connection.body_until(9) == b"data: 0\n\n"
        unix.control.release(key, "1")
        assert connection.body_until(18) == b"data: 0\n\ndata: 1\n\n"
        unix.control.release(key, "2")
        assert connection.finish().complete


def test_087_proxy_closes_its_connection(unix: ServerProcess, key: str) -> None:
    with unix.connect() as connection:
        connection.send(headers=unix.headers("endless_ticks", key))
        connection.body_until(10)
    assert unix.control.wait(key, "closed") == ["same thread"]
    unix.wait_for_pool("alone", in_flight=0)
