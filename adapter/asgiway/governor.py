"""Decides how many workers of a pool may run at a time, by what the process is doing.

The right number of threads depends on the handlers: for those that wait (a database, another service) it is as many as
there are requests, for those that compute in Python it is one, because each further one lengthens everybody's turn at the
GIL, the event loop's first of all. What tells the two apart is how late the loop's own timer comes: the loop needs the GIL
for that like everyone else. (The process's CPU time does not tell: work that releases the GIL uses it too.)

A tick runs on the loop every TICK seconds while requests wait for a worker, and only then. It keeps a smoothed lateness:

* late: the GIL is contended. Permits are halved, and if the tick is very late they are cut to those workers that provably
  wait (their CPU clock has stood still for BLOCKED_AFTER seconds) and one that may compute.
* on time: permits double, so that a burst of waiting handlers has its threads within some ticks; soon after a cut they
  rise one by one.
* between, which is where one computing worker leaves the loop: permits stay, unless all of them are held by blocked workers.

Growth that does not pay is taken back, see ``trial``.

One governor serves all pools of a loop: they share the GIL, so they share the measurement.
"""

from __future__ import annotations

import time
import weakref
from typing import Protocol

from asgiway.loops import LoopPort
from asgiway.trial import Trial

__all__ = ["FIRST_PERMITS", "Governor", "governor_of"]

TICK = 0.002
LATE = 0.007
VERY_LATE = 3 * LATE
ON_TIME = LATE / 2
SMOOTHING = 0.3  # weight of the newest tick
BLOCKED_AFTER = 0.03  # a worker that waits for the GIL makes no progress either, but gets its turn within that
PROGRESS = 0.0002  # CPU seconds that count as progress
FIRST_PERMITS = 4
CAREFUL = 1.0  # after a cut, in which permits rise one by one, ...
STEP_EVERY = 0.02
FORGET = 5.0  # without waiting requests, after which permits start anew


class _Pool(Protocol):
    @property
    def queued(self) -> int: ...
    @property
    def running(self) -> int: ...
    @property
    def permits(self) -> int: ...
    @property
    def limit(self) -> int: ...
    @property
    def completed(self) -> int: ...
    def set_permits(self, permits: int) -> None: ...
    def cpu_clocks(self) -> list[tuple[int, float]]: ...


class _Watched:
    """What the governor remembers of one pool."""

    __slots__ = ("_careful_until", "_last_step", "_progress", "_trial")

    def __init__(self, pool: _Pool) -> None:
        self._progress: dict[int, tuple[float, float]] = {}  # worker -> CPU seconds, when they last rose
        self._trial = Trial(pool.permits)
        self._careful_until = 0.0
        self._last_step = 0.0

    def blocked(self, pool: _Pool, now: float) -> int:
        """Workers that have used no CPU for a while; all that run, where there are no clocks to tell."""
        clocks = pool.cpu_clocks()
        if not clocks:
            return 0
        before, self._progress = self._progress, {}
        count = 0
        for worker, seconds in clocks:
            last, since = before.get(worker, (seconds, now))
            if seconds - last > PROGRESS:
                since = now
                last = seconds
            self._progress[worker] = (last, since)
            count += now - since >= BLOCKED_AFTER
        return count

    def grow(self, pool: _Pool, now: float) -> None:
        """More permits, unless fewer have been found to do as well."""
        permits = pool.permits
        if pool.running < permits:
            return
        wanted = self._trial.step(permits, pool.completed, now)
        if wanted == permits:
            if self._trial.holds(now):
                return
            if now >= self._careful_until:
                wanted = max(permits + 4, permits * 2)
            elif now - self._last_step >= STEP_EVERY:  # the GIL was contended a moment ago: feel the way up
                self._last_step = now
                wanted = permits + 1
        pool.set_permits(min(pool.limit, wanted))

    def cut(self, pool: _Pool, permits: int, now: float) -> None:
        """Fewer permits, and growth in small steps for a while."""
        self._careful_until = now + CAREFUL
        self._last_step = now
        if permits < pool.permits:
            self._trial = Trial(permits)
        pool.set_permits(min(pool.limit, permits))


class Governor:
    """Watches the pools of one loop. Everything but ``watch`` happens in its tick.

    Parameters:
        port: the loop.
    """

    def __init__(self, port: LoopPort) -> None:
        self._port = weakref.ref(port)
        self._pools: dict[_Pool, _Watched] = {}
        self._due = 0.0
        self._stopped = 0.0
        self._late = 0.0
        self.ticking: bool = False

    def watch(self, pool: _Pool) -> None:
        """A request has been handed to `pool`: look after it as long as requests wait there."""
        if pool not in self._pools:
            self._pools[pool] = _Watched(pool)
        if not self.ticking:
            self._start()

    def _start(self) -> None:
        port = self._port()
        if port is None:
            return
        now = time.perf_counter()
        if now - self._stopped > FORGET:
            self._late = 0.0
            for pool in self._pools:
                pool.set_permits(FIRST_PERMITS)
                self._pools[pool] = _Watched(pool)
        self.ticking = True
        self._due = now + TICK
        port.call_later(TICK, self._tick)

    def _tick(self) -> None:
        port = self._port()
        if port is None:
            return
        now = time.perf_counter()
        self._late += SMOOTHING * (max(0.0, now - self._due) - self._late)
        waiting = False
        for pool, watched in self._pools.items():
            if not pool.queued:
                continue
            waiting = True
            self._adjust(pool, watched, now)
        if not waiting:
            self.ticking = False
            self._stopped = now
            return
        self._due = time.perf_counter() + TICK
        port.call_later(TICK, self._tick)

    def _adjust(self, pool: _Pool, watched: _Watched, now: float) -> None:
        late = self._late
        if late < ON_TIME:
            watched.grow(pool, now)
            return
        blocked = watched.blocked(pool, now)
        if late > LATE:
            # A starved loop also ticks rarely, so what is very late is cut at once, not step by step.
            fewer = 0 if late > VERY_LATE else pool.permits // 2
            watched.cut(pool, max(fewer, blocked + 1), now)
        elif blocked >= pool.permits:
            pool.set_permits(min(pool.limit, blocked + 1))


_governors: weakref.WeakKeyDictionary[LoopPort, Governor] = weakref.WeakKeyDictionary()


def governor_of(port: LoopPort) -> Governor:
    """The governor of a loop."""
    governor = _governors.get(port)
    if governor is None:
        governor = _governors[port] = Governor(port)
    return governor
