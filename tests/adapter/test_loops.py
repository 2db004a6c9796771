"""loops: waking a loop from threads, with and without eventfd, and on loops that come and go."""

from __future__ import annotations

import asyncio
import gc
import os
import threading

import pytest

import asgiway.loops
from asgiway import WSGIMiddleware
from asgiway.loops import AsyncioPort, current_port
from tests.adapter.support import WAIT, call, until


class Signal:
    def __init__(self) -> None:
        self.threads: list[int] = []

    def ready(self) -> None:
        self.threads.append(threading.get_ident())


@pytest.mark.anyio
async def test_a_post_is_delivered_on_the_loop() -> None:
    port = current_port()
    assert current_port() is port
    signals = [Signal() for _ in range(100)]

    def post() -> None:
        for signal in signals:
            port.post(signal)

    threads = [threading.Thread(target=post) for _ in range(5)]
    for thread in threads:
        thread.start()
    await until(lambda: all(len(signal.threads) == 5 for signal in signals))
    assert {ident for signal in signals for ident in signal.threads} == {threading.get_ident()}
    for thread in threads:
        thread.join()


def test_without_eventfd_everything_works_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgiway.loops, "HAS_EVENTFD", False)

    def app(environ: object, start_response: object) -> list[bytes]:
        start_response("200 OK", [])  # type: ignore[operator]
        return [b"x"]

    async def main() -> None:
        adapter = WSGIMiddleware(app)
        port = current_port()
        assert isinstance(port, AsyncioPort)
        assert not port.has_descriptor
        async with adapter:
            answers = await asyncio.gather(*(call(adapter) for _ in range(50)))
        assert {answer.body for answer in answers} == {b"x"}

    asyncio.run(main())


@pytest.mark.skipif(not asgiway.loops.HAS_EVENTFD, reason="needs eventfd")
def test_descriptors_of_ended_loops_are_closed() -> None:
    def descriptors() -> int:
        gc.collect()
        return len(os.listdir("/proc/self/fd"))

    async def main() -> None:
        assert current_port()

    asyncio.run(main())
    before = descriptors()
    for _ in range(20):
        asyncio.run(main())
    assert descriptors() <= before


def test_outside_of_a_loop_there_is_a_clear_error() -> None:
    with pytest.raises(RuntimeError, match="needs a running event loop"):
        current_port()


def test_one_adapter_serves_loops_in_several_threads() -> None:
    """As test clients do it: each with a loop of its own."""

    def app(environ: object, start_response: object) -> list[bytes]:
        start_response("200 OK", [])  # type: ignore[operator]
        return [b"x"]

    adapter = WSGIMiddleware(app)
    bodies: list[bytes] = []

    async def main() -> None:
        for _ in range(20):
            bodies.append((await call(adapter)).body)

    threads = [threading.Thread(target=lambda: asyncio.run(main())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert bodies == [b"x"] * 80
