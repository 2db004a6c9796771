"""The search for the fewest permits that complete as much, against made-up pools in made-up time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiway.trial import HOLD_MOST, WINDOW_MOST, Trial

TICK = 0.002


class Pool:
    """A pool that completes `rate(permits)` jobs a second, always has jobs waiting, and grows as a governor grows it."""

    def __init__(self, rate: Callable[[int], float], permits: int = 4, limit: int = 128) -> None:
        self.rate = rate
        self.permits = permits
        self.limit = limit
        self.trial = Trial(permits)
        self.now = 100.0
        self.done = 0.0
        self.seen: list[int] = []

    def run(self, seconds: float) -> None:
        ends = self.now + seconds
        while self.now < ends:
            self.now += TICK
            self.done += self.rate(self.permits) * TICK
            wanted = self.trial.step(self.permits, int(self.done), self.now)
            if wanted == self.permits and not self.trial.holds(self.now):
                wanted = 2 * self.permits
            self.permits = min(self.limit, wanted)
            self.seen.append(self.permits)


def behind(connections: int) -> Callable[[int], float]:
    """Handlers that take 50 ms on one of that many connections."""
    return lambda permits: min(permits, connections) / 0.05


def test_a_burst_has_all_its_threads_before_anything_is_judged() -> None:
    pool = Pool(behind(10**6))
    pool.run(6 * TICK)
    assert pool.permits == 128


def test_permits_come_down_to_what_the_database_serves() -> None:
    pool = Pool(behind(15))
    pool.run(3 * WINDOW_MOST)
    assert pool.permits == 16


def test_a_database_that_becomes_quicker_is_noticed() -> None:
    pool = Pool(behind(15))
    pool.run(3 * WINDOW_MOST)
    assert pool.permits == 16
    pool.rate = behind(100)
    pool.run(2 * HOLD_MOST)
    assert pool.permits == 128


def test_handlers_that_only_wait_keep_their_threads() -> None:
    pool = Pool(behind(10**6))
    pool.run(60.0)
    at_the_limit = sum(permits == 128 for permits in pool.seen) / len(pool.seen)
    assert at_the_limit > 0.95  # the rest is what finding out costs


def test_from_few_completions_nothing_is_concluded() -> None:
    """Long polls: ten seconds each, so that a window sees hardly any end."""
    pool = Pool(lambda permits: permits / 10)
    pool.run(20.0)
    assert min(pool.seen[10:]) == 128


def test_what_was_found_is_forgotten_when_nothing_waits_for_a_while() -> None:
    pool = Pool(behind(15))
    pool.run(3 * WINDOW_MOST)
    assert pool.trial.holds(pool.now)
    pool.now += 1.0
    pool.run(8 * TICK)
    assert pool.permits == 128


@pytest.mark.parametrize("permits", [1, 4, 100])
def test_fewer_than_accepted_are_never_tried(permits: int) -> None:
    pool = Pool(lambda _: 1000.0, permits=permits)
    pool.run(30.0)
    assert min(pool.seen) >= permits


@given(connections=st.integers(1, 300))
def test_what_is_found_completes_nearly_as_much_as_the_most_threads_would(connections: int) -> None:
    rate = behind(connections)
    pool = Pool(rate)
    while pool.trial._hold_until == 0.0:
        pool.run(TICK)
        assert pool.now < 100.0 + HOLD_MOST
    assert rate(pool.permits) * 1.3 >= rate(128)
