"""pool: hand-off, growth, admission, leaving when idle, fork. Real threads throughout."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

import pytest

from asgiway.pool import WorkerPool
from tests.adapter.support import WAIT, until_sync


class Task:
    """A job that calls a function."""

    def __init__(self, function: Callable[[], object]) -> None:
        self.function = function

    def run(self, gate: threading.Lock, thread: threading.Thread) -> None:
        assert gate.locked()
        self.function()


def make(limit: int = 4, max_queue: int = 1000, idle_seconds: float = 20.0) -> WorkerPool:
    return WorkerPool(limit, max_queue, idle_seconds=idle_seconds)


def test_097_no_thread_before_the_first_job() -> None:
    pool = make()
    assert pool.threads == 0
    pool.submit(Task(lambda: None))
    until_sync(lambda: pool.threads == 1 and pool.idle == 1)
    pool.close()
    until_sync(lambda: pool.threads == 0)


def test_every_job_runs_once_whatever_the_race() -> None:
    """Submitters and workers race for the end of idleness: a lost wake would leave a job in the queue for ever."""
    pool = make(limit=3, max_queue=10**9, idle_seconds=0.001)
    done: list[int] = []
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:

        def submit(base: int) -> None:
            for number in range(2000):
                pool.submit(Task(lambda value=base + number: done.append(value)))  # type: ignore[misc]
                if number % 7 == 0:
                    time.sleep(0.0005)  # let workers go idle, and leave, in between

        submitters = [threading.Thread(target=submit, args=(base * 10_000,)) for base in range(3)]
        for submitter in submitters:
            submitter.start()
        for submitter in submitters:
            submitter.join()
        until_sync(lambda: len(done) == 6000)
        assert len(set(done)) == 6000
        until_sync(lambda: pool.threads == 0)
    finally:
        sys.setswitchinterval(interval)


def test_jobs_that_block_recruit_threads_up_to_the_limit() -> None:
    pool = make(limit=8)
    barrier = threading.Barrier(9)
    for _ in range(8):
        pool.submit(Task(lambda: barrier.wait(WAIT)))
    barrier.wait(WAIT)
    until_sync(lambda: pool.idle == 8)
    assert pool.threads == 8
    pool.close()


def test_a_burst_of_short_jobs_does_not_wake_every_thread() -> None:
    pool = make(limit=16)
    barrier = threading.Barrier(17)
    for _ in range(16):
        pool.submit(Task(lambda: barrier.wait(WAIT)))
    barrier.wait(WAIT)
    until_sync(lambda: pool.idle == 16)
    used: set[int] = set()
    done = 0

    def job() -> None:
        nonlocal done
        used.add(threading.get_ident())
        done += 1

    # One after the other, each when the last is done: the thread that went idle last is woken again.
    for number in range(50):
        pool.submit(Task(job))
        until_sync(lambda number=number: done == number + 1 and pool.idle == 16)  # type: ignore[misc]
    assert len(used) == 1
    pool.close()


def test_091_a_full_queue_refuses() -> None:
    pool = make(limit=1, max_queue=2)
    release = threading.Event()
    started = threading.Event()

    def block() -> None:
        started.set()
        assert release.wait(WAIT)

    assert pool.submit(Task(block))
    assert started.wait(WAIT)
    waiting = [Task(lambda: None) for _ in range(3)]
    assert [pool.submit(task) for task in waiting] == [True, True, False]
    assert pool.queued == 2
    assert pool.remove(waiting[0])
    assert not pool.remove(waiting[0])
    assert pool.submit(waiting[2])
    release.set()
    until_sync(lambda: pool.queued == 0)
    pool.close()


def test_a_queue_of_none_still_serves_as_many_as_there_are_threads() -> None:
    pool = make(limit=2, max_queue=0)
    barrier = threading.Barrier(3)
    assert pool.submit(Task(lambda: barrier.wait(WAIT)))
    until_sync(lambda: pool.queued == 0)
    assert pool.submit(Task(lambda: barrier.wait(WAIT)))
    until_sync(lambda: pool.queued == 0)
    assert not pool.submit(Task(lambda: None))
    barrier.wait(WAIT)
    pool.close()


def test_idle_threads_leave_and_come_back() -> None:
    pool = make(idle_seconds=0.05)
    ran: list[str] = []
    for _ in range(3):
        pool.submit(Task(lambda: ran.append(threading.current_thread().name)))
        until_sync(lambda: pool.threads == 0 and pool.idle == 0)
    assert len(ran) == len(set(ran)) == 3
    assert all(name.startswith("asgiway-") for name in ran)


def test_a_closed_pool_still_runs_what_it_has() -> None:
    pool = make(limit=1)
    release = threading.Event()
    done: list[int] = []

    def first() -> None:
        assert release.wait(WAIT)
        done.append(1)

    pool.submit(Task(first))
    pool.submit(Task(lambda: done.append(2)))
    pool.close()
    release.set()
    until_sync(lambda: pool.threads == 0)
    assert done == [1, 2]
    pool.submit(Task(lambda: done.append(3)))
    until_sync(lambda: done == [1, 2, 3] and pool.threads == 0)


def test_threads_are_daemons() -> None:
    pool = make()
    flags: list[bool] = []
    pool.submit(Task(lambda: flags.append(threading.current_thread().daemon)))
    until_sync(lambda: bool(flags))
    assert flags == [True]
    pool.close()


def test_no_two_threads_of_a_process_have_the_same_name() -> None:
    """Logs and dumps name them, and there may be a pool for each of several mounts."""
    names: set[str] = set()
    pools = [make() for _ in range(3)]
    for pool in pools:
        pool.submit(Task(lambda: names.add(threading.current_thread().name)))
    until_sync(lambda: all(pool.idle == 1 for pool in pools))
    assert len(names) == 3
    for pool in pools:
        pool.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_097_a_forked_child_starts_threads_of_its_own() -> None:
    pool = make()
    pool.submit(Task(lambda: None))
    until_sync(lambda: pool.idle == 1)
    child = os.fork()
    if child == 0:  # nothing of pytest may run in here
        code = 1
        try:
            done = threading.Event()
            pool.submit(Task(done.set))
            code = 0 if done.wait(WAIT) and pool.threads == 1 else 2
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert pool.idle == 1
    pool.close()
