"""Takes back growth of a pool that does not pay: finds the fewest permits that complete as much. Plain arithmetic.

Handlers that wait for something limited, such as a database behind 15 connections, get no further with more threads: those
beyond only wait in line. Growth itself does not wait for a verdict, because a burst of handlers that sleep needs its threads
at once. So it is judged afterwards: completions are counted at the new level, then at half of it, and as long as half does
nearly as well, it stays and is halved again. What was found holds for a while, for longer each time it is found again.
"""

from __future__ import annotations

__all__ = ["Trial"]

WINDOW = 0.25  # seconds that a level is watched at least, ...
WINDOW_MOST = 1.0  # ... and at most, unless ENOUGH have been completed before
ENOUGH = 100
FEW = 20  # completions: from fewer nothing can be told
GAIN = 1.1  # what a level must complete more than half of it, to be worth it
HOLD = 4.0
HOLD_MOST = 30.0
GAP = 0.1  # seconds without waiting requests, after which what was found counts no more


class Trial:
    """One pool's search.

    Parameters:
        accepted: permits to begin with; fewer are never tried.
    """

    __slots__ = ("_began", "_completed", "_first", "_hold", "_hold_until", "_last", "_upper", "_upper_rate", "accepted")

    def __init__(self, accepted: int) -> None:
        self._first = accepted
        self.accepted: int = accepted
        """Permits that are known to be worth it."""
        self._began: float | None = None  # of the window that is being counted
        self._completed = 0
        self._upper: int | None = None  # while the level below is counted
        self._upper_rate = 0.0
        self._hold = HOLD
        self._hold_until = 0.0
        self._last = 0.0

    def holds(self, now: float) -> bool:
        """Permits are not to grow now: a lower level is on trial, or has been found to do as well."""
        return self._upper is not None or now < self._hold_until

    def step(self, permits: int, completed: int, now: float) -> int:
        """How many permits there should be; to be called at short intervals while requests wait and all permits are used.

        Parameters:
            permits: how many there are.
            completed: jobs done so far.
            now: seconds.
        """
        if now - self._last > GAP:
            self._began = self._upper = None
            self._hold, self._hold_until, self.accepted = HOLD, 0.0, self._first
        self._last = now
        if 0.0 < self._hold_until <= now:  # what the handlers wait for may have changed: look again
            self.accepted, self._hold_until = self._first, 0.0
        if self._upper is None and (permits < 2 * self.accepted or now < self._hold_until):
            self._began = None
            return permits
        if self._began is None:
            self._began, self._completed = now, completed
            return permits
        elapsed, done = now - self._began, completed - self._completed
        if elapsed < WINDOW or (done < ENOUGH and elapsed < WINDOW_MOST):
            return permits
        self._began = None
        upper, rate = self._upper, done / elapsed
        if done < FEW:
            return self._settle(permits if upper is None else upper, now)
        if upper is not None and rate * GAIN < self._upper_rate:
            return self._settle(upper, now)
        if permits <= self.accepted:
            return self._settle(permits, now)
        self._upper, self._upper_rate = permits, rate
        return max(self.accepted, permits // 2)

    def _settle(self, permits: int, now: float) -> int:
        self.accepted = permits
        self._upper = None
        self._hold_until = now + self._hold
        self._hold = min(2 * self._hold, HOLD_MOST)
        return permits
