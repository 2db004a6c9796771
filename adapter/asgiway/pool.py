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

import contextlib
import itertools
import logging
import os
import threading
import time
import weakref
from collections import deque
from typing import Protocol

__all__ = ["IDLE_SECONDS", "Job", "WorkerPool"]

logger: logging.Logger = logging.getLogger("asgiway.pool")

HAS_THREAD_CLOCKS = hasattr(time, "pthread_getcpuclockid")
"""Switched off by tests that check the way without them."""

IDLE_SECONDS = 20.0
"""How long a worker waits for a job before it leaves."""


_UNLIMITED = 1 << 30
_serials = itertools.count(1)  # of all pools: logs and dumps tell threads by their names


class Job(Protocol):
    """What a worker runs."""

    def run(self, gate: threading.Lock, thread: threading.Thread) -> None:
        """Do the work. `gate` is the worker's own lock, held, for waits inside the job; `thread` its thread. Must not raise."""


class _Worker:
    """One thread's place in the pool. Made on that thread."""

    __slots__ = ("clock", "completed", "gate", "wake")

    def __init__(self) -> None:
        # The clock of this thread's CPU time. Taken by the thread itself: asking for that of a thread that has ended is
        # undefined behaviour, while reading a clock whose thread has ended is an OSError.
        self.clock = time.pthread_getcpuclockid(threading.get_ident()) if HAS_THREAD_CLOCKS else -1
        self.wake = threading.Lock()  # held while asleep; released by whoever took this worker off the idle stack
        self.wake.acquire()
        self.gate = threading.Lock()  # for waits inside a job, see Job.run
        self.gate.acquire()
        self.completed = 0


class WorkerPool:
    """Runs jobs on at most `limit` threads, none of which exists before the first job.

    Parameters:
        limit: most threads at a time.
        permits: how many of them may run jobs at a time, to begin with; None for all. See ``set_permits``.
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
        permits: int | None = None,
    ) -> None:
        self._limit = limit
        self._first_permits = permits
        self._spare = spare
        self.max_queue = max_queue
        self._name = name
        self._idle_seconds = idle_seconds
        self._reset()
        _pools.add(self)

    def _reset(self) -> None:
        self._jobs: deque[Job] = deque()
        self._idle: list[_Worker] = []
        self._waking = False
        self._threads = 0
        self._abandoned: set[Job] = set()
        self._workers: set[_Worker] = set()
        self._completed = 0  # by workers that have left
        self._permits = _UNLIMITED if self._first_permits is None else self._first_permits
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

    @property
    def running(self) -> int:
        """Threads that are not waiting for a job, as far as they have not been given up."""
        return self._threads - len(self._idle) - len(self._abandoned)

    @property
    def permits(self) -> int:
        """How many threads may run jobs at a time."""
        return min(self._permits, self.limit)

    def set_permits(self, permits: int) -> None:
        """Let that many threads run jobs at a time, at least one. A running one that is too many stops after its job."""
        self._permits = max(1, permits)
        if self._jobs and not self._waking:
            self._recruit()

    @property
    def completed(self) -> int:
        """Jobs done so far."""
        return self._completed + sum(worker.completed for worker in self._workers.copy())

    def cpu_clocks(self) -> list[tuple[int, float]]:
        """An identity and the CPU seconds of each thread that is not waiting for a job; [] where there are no such clocks."""
        if not HAS_THREAD_CLOCKS:
            return []
        found: list[tuple[int, float]] = []
        for worker in self._workers.difference(self._idle):
            with contextlib.suppress(OSError):  # it has ended this moment
                found.append((id(worker), time.clock_gettime(worker.clock)))
        return found

    def submit(self, job: Job, *, beyond: bool = False) -> bool:
        """Hand `job` to a worker; False if ``max_queue`` jobs are waiting and no thread is free, unless `beyond`.

        Raises:
            RuntimeError: there is no thread, and the system refuses to start one.
        """
        jobs = self._jobs
        if len(jobs) >= self.max_queue and self.running >= self.permits and not beyond:
            return False
        jobs.append(job)
        if not self._waking:
            try:
                self._recruit()
            except RuntimeError:
                self.remove(job)
                raise
        return True

    def _recruit(self) -> None:
        """Get one more worker going, if one more may run: wake an idle one, else start one."""
        if self.running >= self._permits:
            return
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
            self._waking = True
        try:
            threading.Thread(target=self._work, name=f"{self._name}-{next(_serials)}", daemon=True).start()
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
        with self._mutex:
            self._workers.add(worker)
        try:
            self._serve(worker)
        finally:
            with self._mutex:
                self._workers.discard(worker)
                self._completed += worker.completed

    def _serve(self, worker: _Worker) -> None:
        jobs, gate, thread = self._jobs, worker.gate, threading.current_thread()
        self._waking = False
        while True:
            # The first comparison alone decides in most pools; the second calls a property.
            if self._threads > self._permits and self.running > self._permits and self._step_aside(worker):
                if not self._sleep(worker):
                    return
                continue
            try:
                job = jobs.popleft()
            except IndexError:
                self._idle.append(worker)
                if not self._sleep(worker):
                    return
                continue
            if jobs and not self._waking:
                self._recruit()
            job.run(gate, thread)
            worker.completed += 1
            if self._abandoned and self._returned(job):
                return
            del job  # an idle worker must not keep the last request alive

    def _step_aside(self, worker: _Worker) -> bool:
        """Go idle if too many run: under the mutex, or two might do so for one that is too many, and nobody be left."""
        with self._mutex:
            if self.running <= self._permits:
                return False
            self._idle.append(worker)
            return True

    def _sleep(self, worker: _Worker) -> bool:
        """Wait until there may be a job; the worker is on the idle stack. False when the thread should end."""
        idle = self._idle
        # A job submitted before this worker was on the stack did not find it, so nobody would come to wake it.
        if ((self._jobs and self.running < self._permits) or self._closed) and _withdraw(idle, worker):
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
        self._permits = _UNLIMITED  # or those beyond the permits would stay for the others
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
        if self._first_permits is not None:
            self._permits = self._first_permits

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
