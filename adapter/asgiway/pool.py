"""Worker threads for one adapter: hand-off, growth, admission, leaving when idle.

Why not ``concurrent.futures`` or ``anyio.to_thread``: the hand-off between loop and worker is what a small request
costs, and both pay for features a WSGI bridge has no use for (a future per job, a wake of the loop per result).
Measured at 64 requests in flight: ``anyio.to_thread`` 47 us a request, ``run_in_executor`` 22 us, this design 7 us.
What makes the difference:

* idle workers form a stack, and the one that went idle last is woken first: its caches are warm, and a thread that is
  not needed stays asleep until it leaves;
* each worker sleeps on a lock of its own, so a wake reaches exactly one thread;
* at most one wake is in flight; a worker that wakes up and finds more than one job wakes the next worker itself. A
  burst of short jobs is then done by one or two threads, while jobs that block recruit one thread after the other.

Order of operations is what keeps it correct without a lock around the queue. A submitter appends its job before it
looks at ``_waking``; a worker clears ``_waking`` before it looks at the queue. So each job is either seen by the worker
on its way, or its submitter sees that nobody is on the way. ``_mutex`` guards the number of threads only.
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections import deque
from typing import Protocol

__all__ = ["IDLE_SECONDS", "Job", "WorkerPool"]

logger = logging.getLogger("asgiway.pool")

IDLE_SECONDS = 20.0
"""How long a worker waits for a job before it leaves."""


class Job(Protocol):
    """What a worker runs."""

    def run(self, gate: threading.Lock) -> None:
        """Do the work. `gate` is the worker's own lock, held, for waits inside the job. Must not raise."""


class _Worker:
    """One thread's place in the pool."""

    __slots__ = ("gate", "wake")

    def __init__(self) -> None:
        self.wake = threading.Lock()  # held while asleep; released by whoever took this worker off the idle stack
        self.wake.acquire()
        self.gate = threading.Lock()  # for waits inside a job, see Job.run
        self.gate.acquire()


class WorkerPool:
    """Runs jobs on at most `limit` threads, none of which exists before the first job.

    Parameters:
        limit: most threads at a time.
        max_queue: most jobs waiting for a thread; one more is refused.
        spare: how many threads given up (see ``abandon``) are replaced at a time.
        name: prefix of the threads' names.
        idle_seconds: how long a thread without work stays, in seconds.
    """

    def __init__(
        self,
        limit: int,
        max_queue: int,
        spare: int = 0,
        name: str = "asgiway",
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._limit = limit
        self._spare = spare
        self.max_queue = max_queue
        self._name = name
        self._idle_seconds = idle_seconds
        self._serial = 0
        self._reset()
        _pools.add(self)

    def _reset(self) -> None:
        self._jobs: deque[Job] = deque()
        self._idle: list[_Worker] = []
        self._waking = False
        self._threads = 0
        self._abandoned: set[Job] = set()
        self._mutex = threading.Lock()
        self._closed = False

    @property
    def limit(self) -> int:
        """Most threads there may be now: those given up don't count, as far as they are replaced."""
        return self._limit + min(len(self._abandoned), self._spare)

    @property
    def abandoned(self) -> int:
        """Threads given up and still busy."""
        return len(self._abandoned)

    @property
    def threads(self) -> int:
        """Threads that exist now."""
        return self._threads

    @property
    def idle(self) -> int:
        """Threads that wait for a job now."""
        return len(self._idle)

    @property
    def queued(self) -> int:
        """Jobs that wait for a thread now."""
        return len(self._jobs)

    def submit(self, job: Job) -> bool:
        """Hand `job` to a worker; False if ``max_queue`` jobs are waiting and no thread is free to take one."""
        jobs = self._jobs
        if len(jobs) >= self.max_queue and not self._idle and self._threads >= self.limit:
            return False
        jobs.append(job)
        if not self._waking:
            self._recruit()
        return True

    def _recruit(self) -> None:
        """Get one more worker going: wake an idle one, else start one."""
        try:
            worker = self._idle.pop()
        except IndexError:
            if self._threads < self.limit:
                self._start_thread()
            return
        self._waking = True
        worker.wake.release()

    def _start_thread(self) -> None:
        with self._mutex:
            if self._threads >= self.limit:
                return
            self._threads += 1
            self._serial += 1
            self._waking = True
            serial = self._serial
        try:
            threading.Thread(target=self._work, name=f"{self._name}-{serial}", daemon=True).start()
        except RuntimeError:  # "can't start new thread": go on with those that exist
            with self._mutex:
                self._threads -= 1
                self._waking = False
                alone = self._threads == 0
            if alone:
                raise
            logger.warning("cannot start another thread, continuing with %d", self._threads)

    def _work(self) -> None:
        worker = _Worker()
        jobs, gate = self._jobs, worker.gate
        self._waking = False
        while True:
            try:
                job = jobs.popleft()
            except IndexError:
                if not self._sleep(worker):
                    return
                continue
            if jobs and not self._waking:
                self._recruit()
            job.run(gate)
            if self._abandoned and self._returned(job):
                return
            del job  # an idle worker must not keep the last request alive

    def _sleep(self, worker: _Worker) -> bool:
        """Wait until there may be a job; False when the thread should end."""
        idle = self._idle
        idle.append(worker)
        # A job submitted before the append found no idle worker, so nobody would come to wake this one.
        if (self._jobs or self._closed) and _withdraw(idle, worker):
            return not (self._closed and self._leave(worker))
        if worker.wake.acquire(timeout=self._idle_seconds):
            self._waking = False
            return not (self._closed and self._leave(worker))
        if not _withdraw(idle, worker):
            worker.wake.acquire()  # somebody is releasing it this very moment
            self._waking = False
            return True
        return not self._leave(worker)

    def _leave(self, worker: _Worker) -> bool:
        """Sign off; False if a job came in meanwhile that would be stranded."""
        with self._mutex:
            if self._jobs:
                return False
            self._threads -= 1
        if self._jobs:  # submitted after the look above, by someone who still counted this thread
            self._recruit()
        return True

    def abandon(self, job: Job) -> int:
        """Stop counting on the thread that runs `job`, and start another in its place if need be.

        Returns how many threads are given up now.
        """
        with self._mutex:
            self._abandoned.add(job)
        if self._jobs and not self._waking:
            self._recruit()
        return len(self._abandoned)

    def _returned(self, job: Job) -> bool:
        """A job has ended while some are given up: if it was one of them, the thread may be one too many."""
        with self._mutex:
            if job not in self._abandoned:
                return False
            self._abandoned.remove(job)
            if self._threads <= self.limit:
                return False
            self._threads -= 1
        if self._jobs and not self._waking:
            self._recruit()
        return True

    def close(self) -> None:
        """Let idle threads end now and busy ones after their job. A job submitted later still gets a thread, for itself."""
        self._closed = True
        idle = self._idle
        while idle:
            try:
                worker = idle.pop()
            except IndexError:
                break
            worker.wake.release()

    def reopen(self) -> None:
        """Undo ``close``: threads stay for more than one job again."""
        self._closed = False

    def remove(self, job: Job) -> bool:
        """Take a waiting job off the queue; False when a worker has it already."""
        try:
            self._jobs.remove(job)
        except ValueError:
            return False
        return True


def _withdraw(idle: list[_Worker], worker: _Worker) -> bool:
    """Take `worker` off the idle stack; False when somebody took it off to wake it."""
    try:
        idle.remove(worker)
    except ValueError:
        return False
    return True


_pools: weakref.WeakSet[WorkerPool] = weakref.WeakSet()


def _after_fork() -> None:
    # Threads do not survive a fork: the child begins with none, and starts its own with its first request.
    for pool in list(_pools):
        pool._reset()  # pyright: ignore[reportPrivateUsage] - same module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
