"""The adapter's settings: one frozen record, checked when it is made.

Every name, default and meaning stands in the docstring of ``Settings``; ``WSGIMiddleware`` takes the same names.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Literal, get_args

from asgiway.errors import SettingsError
from asgiway.observe import OnEvent

__all__ = ["BodyMode", "Settings"]

BodyMode = Literal["auto", "stream", "spool", "buffer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How an adapter behaves.

    Parameters:
        workers: threads at most. None (default): up to `max_workers`, of which as many run at a time as the handlers'
            behaviour calls for (see ``asgiway.governor``); on a free-threaded Python, where that does not apply and
            nothing has been tested, ``min(32, cores + 4)``. 1: one-thread mode for an application that is not thread-safe.
        max_workers: upper bound of threads when `workers` is None; also how many workers may be given up after
            `request_timeout` and still be replaced. Default 128.
        max_queue: requests that may wait for a thread; one more gets 503 with Retry-After. Default 1024.
        queue_timeout: seconds a request may wait for a thread before it gets 503. Default 30.
        request_timeout: seconds from the worker's start to the response's start, after which the client gets 504; if
            the response has started by then, the connection is cut. The handler can't be stopped: its worker is
            given up and replaced. Checked ten times a second. Default None, no limit.
        drain_timeout: seconds that shutdown waits for requests before it interrupts them. Default 30.
        body: how the request body reaches the application. "stream": as it arrives; "spool": complete, in memory and
            then on disk, with a CONTENT_LENGTH; "buffer": complete, in memory; "auto" (default): "stream" when its
            length is declared, else "spool", since Django and Bottle read no body without a CONTENT_LENGTH.
        max_body_size: bytes of request body allowed; a larger one gets 413. Default None, no limit.
        high_water: bytes of response that may wait for the client before the application is held. Default 1 MiB.
        multiprocess: the value of ``wsgi.multiprocess``. Default True.
        on_event: called on the event loop with every event of ``asgiway.observe``. Default None.
    """

    workers: int | None = None
    max_workers: int = 128
    max_queue: int = 1024
    queue_timeout: float = 30.0
    request_timeout: float | None = None
    drain_timeout: float = 30.0
    body: BodyMode = "auto"
    max_body_size: int | None = None
    high_water: int = 1024 * 1024
    multiprocess: bool = True
    on_event: OnEvent | None = None

    def __post_init__(self) -> None:
        if self.workers is not None:
            _at_least("workers", self.workers, 1)
        _at_least("max_workers", self.max_workers, 1)
        _at_least("max_queue", self.max_queue, 0)
        _at_least("queue_timeout", self.queue_timeout, 0)
        _at_least("drain_timeout", self.drain_timeout, 0)
        _at_least("high_water", self.high_water, 1)
        if self.request_timeout is not None:
            _at_least("request_timeout", self.request_timeout, 0.001)
        if self.max_body_size is not None:
            _at_least("max_body_size", self.max_body_size, 0)
        if self.body not in get_args(BodyMode):
            allowed = ", ".join(repr(mode) for mode in get_args(BodyMode))
            raise SettingsError(f"body={self.body!r} is not a way to pass the request body on; use one of {allowed}")

        if self.on_event is not None and not callable(self.on_event):
            raise SettingsError(f"on_event={self.on_event!r} can't be called; give a function that takes one event")

    @property
    def governed(self) -> bool:
        """Whether the number of threads that run follows what they do."""
        return self.workers is None and getattr(sys, "_is_gil_enabled", lambda: True)()

    @property
    def threads(self) -> int:
        """Threads at most."""
        if self.workers is not None:
            return self.workers
        return self.max_workers if self.governed else min(self.max_workers, 32, (os.cpu_count() or 1) + 4)


def _at_least(name: str, value: object, least: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= least:
        raise SettingsError(f"{name}={value!r} is not possible; give a number of at least {least}")
