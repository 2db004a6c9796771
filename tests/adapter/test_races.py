"""Worker and loop against each other, with a switch between threads every few bytecodes: no request may be left waiting.

Random requests (bodies of all kinds, clients that leave, tasks that are cancelled) to a random application (reads or not,
streams, writes, declares a wrong length), on adapters with little room. What they answer is tested elsewhere; here each has to
end, and nothing may be left.
"""

from __future__ import annotations

import logging
import random
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from asgiway import WSGIMiddleware
from asgiway.errors import AppProtocolError, ResponseTruncatedError
from tests.adapter.support import WAIT, http_scope, until

pytestmark = pytest.mark.anyio

Environ = dict[str, Any]
REQUESTS = 400
CLIENTS = 30


@pytest.fixture(autouse=True)
def _many_switches() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    logging.disable()  # thousands of broken requests have much to say
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        sys.setswitchinterval(interval)


def app(environ: Environ, start_response: Any) -> Any:
    """Does what the letters of its query say."""
    query: str = environ["QUERY_STRING"]
    size = int(environ["HTTP_X_SIZE"])
    try:
        if "r" in query:
            while environ["wsgi.input"].read(size):
                pass
        if "l" in query:
            environ["wsgi.input"].readline()
        if "d" in query:
            environ["asgiway.disconnected"]()
    except OSError:
        if "x" in query:
            raise
    if "s" in query:
        time.sleep(0.001)
    write = start_response("200 OK", [("Content-Length", "3")] if "c" in query else [])
    if "w" in query:
        write(b"abc")
    if "g" in query:
        return (b"x" * (size * number % 70_000) for number in range(20))
    return [b"abc"]


class Client:
    """One request: receive() and send(), which sometimes suspend, and sometimes tell that the client has left."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._size = chance.choice([0, 5, 3000, 600_000])
        self._given = 0
        self._leaves = chance.random() < 0.3
        self._gone = anyio.Event()
        self.patience = chance.random() * 0.01 if chance.random() < 0.15 else WAIT
        headers = [(b"host", b"test"), (b"x-size", b"%d" % chance.choice([10, 1000, 100_000]))]
        if chance.random() < 0.3:
            headers.append((b"transfer-encoding", b"chunked"))
        elif self._size:
            headers.append((b"content-length", b"%d" % self._size))
        if chance.random() < 0.3:
            headers.append((b"expect", b"100-continue"))
        query = "".join(letter for letter in "rldxscwg" if chance.random() < 0.4)
        self.scope = http_scope(
            chance.choice(["GET", "POST", "HEAD"]),
            headers=headers,
            query_string=query.encode(),
            http_version=chance.choice(["1.1", "2"]),
        )

    async def _perhaps_suspend(self) -> None:
        if self._chance.random() < 0.3:
            await anyio.sleep(self._chance.random() * 0.002)

    async def receive(self) -> dict[str, Any]:
        await self._perhaps_suspend()
        if self._leaves and self._given > self._size / 2:
            return {"type": "http.disconnect"}
        if self._given < max(self._size, 1):
            piece = min(self._size - self._given, self._chance.choice([1000, 65536]))
            self._given += max(piece, 1)
            return {"type": "http.request", "body": b"y" * piece, "more_body": self._given < self._size}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await self._perhaps_suspend()
        if self._leaves and self._chance.random() < 0.1:
            self._gone.set()
        if self._leaves and self._chance.random() < 0.03:
            raise ConnectionResetError("gone")


def workers() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("asgiway-")}


@pytest.mark.parametrize(
    "settings",
    [
        {"max_queue": 5},
        {"workers": 3, "body": "stream", "high_water": 10_000, "queue_timeout": 0.05},
        {"workers": 1, "body": "spool", "high_water": 1},
    ],
    ids=["governed", "three threads", "one thread"],
)
async def test_every_request_ends(settings: dict[str, Any]) -> None:
    """Acceptance line 88, and much else at the same time."""
    adapter = WSGIMiddleware(app, **settings)
    chance = random.Random(str(settings))
    left = REQUESTS

    async def visit() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            client = Client(chance)
            with anyio.move_on_after(client.patience) as limit:
                try:
                    await adapter(client.scope, client.receive, client.send)
                except (OSError, AppProtocolError, ResponseTruncatedError):
                    pass  # the client's leaving, and what the application does wrong
            assert client.patience < WAIT or not limit.cancelled_caught, f"this one hangs: {client.scope}"

    before = workers()
    async with anyio.create_task_group() as clients:
        for _ in range(CLIENTS):
            clients.start_soon(visit)
    await until(lambda: adapter.snapshot().in_flight == 0)
    await adapter.aclose()
    await until(lambda: adapter.snapshot().threads == 0)
    await until(lambda: workers() <= before)
