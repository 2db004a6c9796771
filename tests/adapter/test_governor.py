"""The governed pool: permits, growth for handlers that wait, restraint for those that compute."""

from __future__ import annotations

import asyncio
import random
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

import asgiway.pool
from asgiway import WSGIMiddleware
from asgiway.governor import LATE, TICK, Governor, governor_of
from asgiway.loops import current_port
from asgiway.pool import WorkerPool
from tests.adapter.support import WAIT, call, until, until_sync
from tests.adapter.test_pool import Task


class Blocking:
    """Jobs that wait until the test lets them go on, and count how many do so at a time."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self._lock = threading.Lock()
        self.now = 0
        self.most = 0
        self.done = 0

    def __call__(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        assert self.release.wait(WAIT)
        with self._lock:
            self.now -= 1
            self.done += 1


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    made = WorkerPool(32, 10_000, permits=2)
    yield made
    made.close()
    until_sync(lambda: made.threads == 0)


def test_permits_bound_how_many_run_at_a_time(pool: WorkerPool) -> None:
    jobs = Blocking()
    for _ in range(20):
        pool.submit(Task(jobs))
    until_sync(lambda: jobs.now == 2)
    time.sleep(0.05)
    assert (jobs.now, pool.threads, pool.queued) == (2, 2, 18)
    pool.set_permits(7)
    until_sync(lambda: jobs.now == 7)
    time.sleep(0.05)
    assert (jobs.now, pool.running) == (7, 7)
    jobs.release.set()
    until_sync(lambda: jobs.done == 20)
    assert pool.completed >= 19  # the last one may not have been counted yet


def test_fewer_permits_hold_after_the_jobs_under_way(pool: WorkerPool) -> None:
    jobs = Blocking()
    pool.set_permits(8)
    for _ in range(8):
        pool.submit(Task(jobs))
    until_sync(lambda: jobs.now == 8)
    pool.set_permits(1)
    later = Blocking()
    for _ in range(5):
        pool.submit(Task(later))
    jobs.release.set()
    until_sync(lambda: later.now == 1)
    time.sleep(0.05)
    assert (later.most, pool.running) == (1, 1)
    later.release.set()
    until_sync(lambda: later.done == 5)
    assert later.most == 1


def test_no_job_is_stranded_whatever_the_permits_do() -> None:
    pool = WorkerPool(8, 10**9, permits=1, idle_seconds=0.002)
    done: list[int] = []
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for number in range(3000):
            pool.submit(Task(lambda value=number: done.append(value)))  # type: ignore[misc]
            if number % 5 == 0:
                pool.set_permits(random.randint(1, 8))
            if number % 11 == 0:
                time.sleep(0.0005)
        pool.set_permits(1)
        until_sync(lambda: len(done) == 3000)
        assert len(set(done)) == 3000
        until_sync(lambda: pool.threads == 0)
    finally:
        sys.setswitchinterval(interval)
        pool.close()


def test_an_abandoned_worker_needs_no_permit(pool: WorkerPool) -> None:
    stuck, other = Blocking(), Blocking()
    first = [Task(stuck), Task(stuck)]
    for task in first:
        pool.submit(task)
    until_sync(lambda: stuck.now == 2)
    pool.submit(Task(other))
    time.sleep(0.02)
    assert other.now == 0
    pool.abandon(first[0])
    until_sync(lambda: other.now == 1)
    stuck.release.set()
    other.release.set()
    until_sync(lambda: pool.abandoned == 0)


@pytest.mark.anyio
async def test_handlers_that_wait_get_a_thread_each() -> None:
    barrier = threading.Barrier(60)

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        barrier.wait(WAIT)  # passes only when all sixty run at once
        start_response("200 OK", [])
        return [b"x"]

    adapter = WSGIMiddleware(app)
    assert adapter.settings.threads == 128
    answers: list[bytes] = []

    async def client() -> None:
        answers.append((await call(adapter)).body)

    async with anyio.create_task_group() as tasks:
        for _ in range(60):
            tasks.start_soon(client)
    assert answers == [b"x"] * 60
    governor = governor_of(current_port())
    await until(lambda: not governor.ticking)  # only while requests wait
    await adapter.aclose()


def spin(stop: threading.Event) -> None:
    while not stop.is_set():
        sum(range(50))


def test_a_late_loop_cuts_permits_to_those_that_provably_wait_and_one(pool: WorkerPool) -> None:
    """Decided with real threads and their real CPU clocks: three wait, five compute."""
    waiting, stop = Blocking(), threading.Event()
    pool.set_permits(8)
    for _ in range(3):
        pool.submit(Task(waiting))
    for _ in range(5):
        pool.submit(Task(lambda: spin(stop)))
    until_sync(lambda: pool.running == 8 and waiting.now == 3)
    pool.submit(Task(lambda: None))

    async def main() -> None:
        governor = Governor(current_port())
        governor.watch(pool)
        governor._late = 10 * LATE
        while pool.permits != 4:
            governor._late = 10 * LATE  # the machine may give this process more cores than the GIL needs
            await asyncio.sleep(TICK)

    try:
        asyncio.run(asyncio.wait_for(main(), WAIT))
    finally:
        stop.set()
        waiting.release.set()


def test_without_thread_clocks_a_late_loop_leaves_one(pool: WorkerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgiway.pool, "HAS_THREAD_CLOCKS", False)
    jobs = Blocking()
    pool.set_permits(4)
    for _ in range(5):
        pool.submit(Task(jobs))
    until_sync(lambda: jobs.now == 4)
    assert pool.cpu_clocks() == []

    async def main() -> None:
        governor = Governor(current_port())
        governor.watch(pool)
        while pool.permits != 1:
            governor._late = 10 * LATE
            await asyncio.sleep(TICK)

    asyncio.run(asyncio.wait_for(main(), WAIT))
    jobs.release.set()


def test_growth_that_brings_nothing_is_taken_back() -> None:
    """A database behind three connections: more than that many threads only wait in line for it."""
    connections = threading.BoundedSemaphore(3)

    def query() -> None:
        with connections:
            time.sleep(0.01)

    pool = WorkerPool(64, 10**6, permits=2)
    most, last = 0, 0

    async def main() -> None:
        nonlocal most, last
        governor = governor_of(current_port())
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            while pool.queued < 30:
                pool.submit(Task(query))
            governor.watch(pool)
            governor._late = 0.0  # this test is about completions, not about this machine's load
            await asyncio.sleep(0.005)
            last = pool.permits
            most = max(most, last)
            if last < most // 4:
                return

    asyncio.run(main())
    pool.close()
    assert most > last >= 2
    until_sync(lambda: pool.threads == 0)


def test_the_pool_is_governed_unless_a_number_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        return []

    assert (WSGIMiddleware(app).settings.governed, WSGIMiddleware(app).settings.threads) == (True, 128)
    assert WSGIMiddleware(app, max_workers=7).settings.threads == 7
    assert (WSGIMiddleware(app, 5).settings.governed, WSGIMiddleware(app, 5).settings.threads) == (False, 5)
    # A free-threaded Python has no GIL to contend for.
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    assert (WSGIMiddleware(app).settings.governed, WSGIMiddleware(app).settings.threads <= 32) == (False, True)
    assert WSGIMiddleware(app)._pool.permits == WSGIMiddleware(app).settings.threads
