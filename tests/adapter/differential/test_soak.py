"""Thirty seconds of random faults at full load on one uvicorn; afterwards nothing is left over, and it answers.

Issue 3, section 7, the soak.
"""

from __future__ import annotations

import contextlib
import json
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from tests.adapter.differential.conftest import PYTHONPATH
from tests.adapter.server_process import ServerProcess, serve_module
from tests.adapter.wire_support.control import CONTROL_VARIABLE, Control
from tests.adapter.wire_support.raw_client import RawConnection
from tests.adapter.wire_support.servers import NEVER
from tests.e2e.serving import wait_until

pytestmark = [pytest.mark.wire, pytest.mark.long]

SECONDS = 30.0
WARM_UP = 10.0
CLIENTS = 24
ERRORS = ["ValueError", "OSError", "StopIteration", "SystemExit", "KeyboardInterrupt", "GeneratorExit"]
GROWTH = 24 * 1024 * 1024
"""Bytes of memory that the process may have gained when it is at rest again; an arena or two, not a leak."""


class Visitor:
    """One client that keeps doing something wrong, and now and then something right."""

    def __init__(self, port: int, seed: int, done: Counter[str]) -> None:
        self._address = ("127.0.0.1", port)
        self._random = random.Random(seed)
        self._done = done
        self._faults: list[Callable[[], None]] = [
            self.ordinary,
            self.ordinary,
            self.gone_during_upload,
            self.gone_during_iteration,
            self.gone_in_the_queue,
            self.failure,
            self.slow_reader,
            self.wrong_body,
            self.cancelled,
        ]

    def run(self, until: float) -> None:
        while time.monotonic() < until:
            fault = self._random.choice(self._faults)
            # The server may have cut the connection before all was written.
            with contextlib.suppress(ConnectionError):
                fault()
            self._done[fault.__name__] += 1

    def connect(self, receive_buffer: int = 0) -> RawConnection:
        return RawConnection(self._address, receive_buffer)

    def leave(self, connection: RawConnection) -> None:
        self._random.choice([connection.close, connection.reset])()

    def ordinary(self) -> None:
        body = self._random.randbytes(self._random.choice([0, 10, 5000, 200_000]))
        with self.connect() as connection:
            path = self._random.choice(["/echo", "/echo-blocks", "/echo/close-fails"])
            if self._random.random() < 0.5:
                connection.send("POST", path, [("Content-Length", str(len(body)))], body)
            else:
                connection.send("POST", path, [("Transfer-Encoding", "chunked")])
                for start in range(0, len(body), 30_000):
                    connection.send_chunk(body[start : start + 30_000])
                connection.send_chunk(b"")
            reply = connection.finish()
        if reply.status != 503:  # the queue was full, or the wait too long
            assert (reply.status, reply.complete) == (200, True)
            assert reply.body == body
            self._done["answered"] += 1
        else:
            assert reply.get("retry-after")

    def gone_during_upload(self) -> None:
        connection = self.connect()
        framing = self._random.choice([("Content-Length", "1000000"), ("Transfer-Encoding", "chunked")])
        connection.send("POST", self._random.choice(["/echo", "/echo-blocks", "/ignore"]), [framing])
        with contextlib.closing(connection):
            if framing[0] == "Content-Length":
                connection.send_bytes(bytes(self._random.choice([0, 10, 100_000])))
            else:
                connection.send_chunk(bytes(self._random.choice([1, 70_000])))
            self.leave(connection)

    def gone_during_iteration(self) -> None:
        connection = self.connect()
        with contextlib.closing(connection):
            connection.send(target=self._random.choice(["/endless", "/too-long"]))
            connection.body_until(self._random.choice([0, 1, 300_000]))
            self.leave(connection)

    def gone_in_the_queue(self) -> None:
        connection = self.connect()
        with contextlib.closing(connection):
            connection.send(target="/slow")
            time.sleep(self._random.choice([0, 0.01]))
            self.leave(connection)

    def failure(self) -> None:
        error = self._random.choice(ERRORS)
        path = self._random.choice(["/fail/", "/fail-later/"])
        with self.connect() as connection:
            reply = connection.ask(target=path + error)
        if path == "/fail/":
            assert reply.status in (500, 503), reply
        else:
            assert reply.status == 503 or not reply.complete, reply

    def slow_reader(self) -> None:
        connection = self.connect(receive_buffer=4096)
        with contextlib.closing(connection):
            connection.send(target="/endless")
            for size in range(20_000, 100_000, 20_000):
                time.sleep(0.03)
                connection.body_until(size)
            self.leave(connection)

    def wrong_body(self) -> None:
        match self._random.randrange(4):
            case 0:  # longer than declared: the rest is a bad request of its own
                with self.connect() as connection:
                    connection.send("POST", "/echo", [("Content-Length", "10")], bytes(1000))
                    reply = connection.finish()
                assert reply.status in (0, 200, 400, 503), reply
            case 1:  # shorter, and then no more
                with self.connect() as connection:
                    connection.send("POST", "/echo", [("Content-Length", "1000")], b"short")
                    connection.socket.shutdown(socket.SHUT_WR)
                    connection.finish()
            case 2:  # no chunks at all
                with self.connect() as connection:
                    connection.send("POST", "/echo", [("Transfer-Encoding", "chunked")], b"zz\r\nwrong\r\n")
                    connection.finish()
            case _:  # the application's body is the short one
                with self.connect() as connection:
                    reply = connection.ask(target="/truncated")
                assert reply.status == 503 or not reply.complete

    def cancelled(self) -> None:
        deadline = ("X-Deadline", str(self._random.choice([0, 0.001, 0.01, 0.05])))
        path = self._random.choice(["/slow", "/endless", "/echo", "/hello"])
        with self.connect() as connection:
            connection.send("POST", path, [deadline, ("Content-Length", "5")], b"12345" if path == "/slow" else b"12")
            connection.body_until(2_000_000)


def visit(port: int, seconds: float, seed: int) -> Counter[str]:
    """Let all clients loose; how often each thing was done. A failed expectation of a client is raised here."""
    done: Counter[str] = Counter()
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            Visitor(port, seed + number, done).run(time.monotonic() + seconds)
        except BaseException as exc:
            failures.append(exc)

    clients = [threading.Thread(target=run, args=(number,), name=f"client-{number}") for number in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    if failures:
        raise failures[0]
    return done


def come_to_rest(server: ServerProcess, control: Control) -> None:
    def at_rest() -> bool:
        pool = control.pool("adapter")
        return pool["in_flight"] == pool["queued"] == 0 and pool["idle"] == pool["threads"]

    wait_until(at_rest, "the adapter has nothing to do")
    process = psutil.Process(server.process.pid)
    wait_until(lambda: not [c for c in process.net_connections() if c.status != psutil.CONN_LISTEN], "no connection")
    opened, closed = json.loads(httpx.get(server.address + "/counters").content)
    assert opened == closed > 0, "close() was not called for every response"
    wait_until(lambda: not [c for c in process.net_connections() if c.status != psutil.CONN_LISTEN], "no connection")


def test_nothing_is_left_after_random_faults(tmp_path: Path) -> None:
    socket_path = tmp_path / "control.sock"
    spool = tmp_path / "spool"
    spool.mkdir()
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    module = "from tests.adapter.differential.soak_app import app\n\n__all__ = ['app']\n"
    variables = {"PYTHONPATH": PYTHONPATH, CONTROL_VARIABLE: str(socket_path), "TMPDIR": str(spool)}
    with serve_module(tmp_path, module, "--no-proxy-headers", **variables) as server:
        control = Control(socket_path)
        process = psutil.Process(server.process.pid)
        port = int(server.address.rpartition(":")[2])
        visit(port, WARM_UP, seed)
        come_to_rest(server, control)
        threads, descriptors, memory = len(control.threads()), process.num_fds(), process.memory_info().rss

        done = visit(port, SECONDS, seed + CLIENTS)
        print(dict(done))
        come_to_rest(server, control)
        assert len(control.threads()) <= threads
        wait_until(lambda: process.num_fds() <= descriptors, "no file is open that was not before")
        assert list(spool.iterdir()) == []
        growth = process.memory_info().rss - memory
        print(f"{growth / 1024:.0f} KiB more memory")
        assert growth <= GROWTH
        assert done["answered"] > 0
        assert min(done[name] for name in ("failure", "cancelled", "slow_reader", "wrong_body")) > 0
        assert httpx.get(server.address + "/health").text == "hello"
        found = NEVER.search(server.log)
        assert found is None, f"{found} in {server.log[-3000:]}"
