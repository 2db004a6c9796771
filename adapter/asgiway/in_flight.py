"""The requests under way, and what must be done about them as time passes.

One timer for each loop serves all its requests, and runs only while there are some: a timer for each request would cost
more than the hand-off. It starts the watch for the client's leaving once a request has lasted SWEEP_SECONDS, and gives
up those that have waited too long for a thread.
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable, Iterator

from asgiway.errors import QueueTimeoutError
from asgiway.exchange import Exchange
from asgiway.loops import LoopPort
from asgiway.pool import WorkerPool

__all__ = ["SWEEP_SECONDS", "InFlight", "OnLoop"]

SWEEP_SECONDS = 0.1


class OnLoop:
    """The requests of one loop; everything here happens on that loop."""

    __slots__ = ("exchanges", "sweeping")

    def __init__(self) -> None:
        self.exchanges: set[Exchange] = set()
        self.sweeping: bool = False


class _Abort:
    """Carries an abort to the loop that serves the request."""

    __slots__ = ("_error", "_exchange")

    def __init__(self, exchange: Exchange, error: Exception) -> None:
        self._exchange = exchange
        self._error = error

    def ready(self) -> None:
        self._exchange.abort(self._error)


class InFlight:
    """Knows every request that has been admitted and whose worker has not ended.

    Parameters:
        queue_timeout: seconds a request may wait for a thread.
        request_timeout: seconds a worker may take until it is given up, None for no limit.
        pool: where it waits.
        on_timeout: called with a request whose worker has taken too long.
    """

    def __init__(
        self,
        queue_timeout: float,
        request_timeout: float | None,
        pool: WorkerPool,
        on_timeout: Callable[[Exchange], None],
    ) -> None:
        self._queue_timeout = queue_timeout
        self._request_timeout = request_timeout
        self._on_timeout = on_timeout
        self._pool = pool
        self._loops: weakref.WeakKeyDictionary[LoopPort, OnLoop] = weakref.WeakKeyDictionary()
        _all.add(self)

    def forget(self) -> None:
        """In a forked child: the requests of the parent's loops are the parent's."""
        self._loops.clear()

    def on(self, port: LoopPort) -> OnLoop:
        """The books of one loop."""
        here = self._loops.get(port)
        if here is None:
            here = self._loops[port] = OnLoop()
        return here

    def start_sweep(self, port: LoopPort, here: OnLoop) -> None:
        """Look after the requests in `here` (what ``on(port)`` returned) from now on, until there are none."""
        here.sweeping = True
        port.call_later(SWEEP_SECONDS, lambda: self._sweep(port, here))

    def detach(self, exchange: Exchange, here: OnLoop, on_end: Callable[[Exchange], None]) -> None:
        """The request's task goes while its worker still works: keep it in the books until that ends, then `on_end`."""

        def leave(ended: Exchange) -> None:
            here.exchanges.discard(ended)
            on_end(ended)

        exchange.detach(leave)

    def _sweep(self, port: LoopPort, here: OnLoop) -> None:
        now = time.monotonic()
        for exchange in list(here.exchanges):
            age = now - exchange.born
            if age < SWEEP_SECONDS:
                continue
            started = exchange.started
            if started is None and age > self._queue_timeout:
                exchange.abort_if_waiting(QueueTimeoutError(f"no thread became free within {self._queue_timeout:g} s"))
            elif started is not None and self._request_timeout is not None and now - started > self._request_timeout:
                self._on_timeout(exchange)
            exchange.watch()
        if here.exchanges:
            port.call_later(SWEEP_SECONDS, lambda: self._sweep(port, here))
        else:
            here.sweeping = False

    def abort_all(self, error: Exception) -> None:
        """From any thread: end all requests."""
        for port, here in list(self._loops.items()):
            for exchange in list(here.exchanges):
                port.post(_Abort(exchange, error))

    def __iter__(self) -> Iterator[Exchange]:
        for here in list(self._loops.values()):
            yield from list(here.exchanges)

    def __len__(self) -> int:
        return sum(len(here.exchanges) for here in list(self._loops.values()))

    def describe(self) -> str:
        """For log lines: how busy the pool is."""
        pool = self._pool
        return f"threads {pool.threads - pool.idle} busy of {pool.limit}, {pool.queued} waiting, {len(self)} in flight"


_all: weakref.WeakSet[InFlight] = weakref.WeakSet()


def _after_fork() -> None:
    for in_flight in list(_all):
        in_flight.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
