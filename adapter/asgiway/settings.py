"""The adapter's settings: one frozen record, checked when it is made.

Every name, default and meaning stands in the docstring of ``Settings``; ``WSGIMiddleware`` takes the same names.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal, get_args

from asgiway.errors import SettingsError

__all__ = ["BodyMode", "Settings"]

BodyMode = Literal["auto", "stream", "spool", "buffer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How an adapter behaves.

    Parameters:
        workers: threads at most; None: as many as `max_workers` allows, but no more than ``min(32, cores + 4)``;
            1: one-thread mode for an application that is not thread-safe.
        max_workers: upper bound of threads when `workers` is None. Default 128.
        max_queue: requests that may wait for a thread; one more gets 503 with Retry-After. Default 1024.
        queue_timeout: seconds a request may wait for a thread before it gets 503. Default 30.
        drain_timeout: seconds that shutdown waits for requests before it interrupts them. Default 30.
        body: how the request body reaches the application. "stream": as it arrives; "spool": complete, in memory and
            then on disk, with a CONTENT_LENGTH; "buffer": complete, in memory; "auto" (default): "stream" when its
            length is declared, else "spool", since Django and Bottle read no body without a CONTENT_LENGTH.
        max_body_size: bytes of request body allowed; a larger one gets 413. Default None, no limit.
        high_water: bytes of response that may wait for the client before the application is held. Default 1 MiB.
        multiprocess: the value of ``wsgi.multiprocess``. Default True.
    """

    workers: int | None = None
    max_workers: int = 128
    max_queue: int = 1024
    queue_timeout: float = 30.0
    drain_timeout: float = 30.0
    body: BodyMode = "auto"
    max_body_size: int | None = None
    high_water: int = 1024 * 1024
    multiprocess: bool = True

    def __post_init__(self) -> None:
        if self.workers is not None:
            _at_least("workers", self.workers, 1)
        _at_least("max_workers", self.max_workers, 1)
        _at_least("max_queue", self.max_queue, 0)
        _at_least("queue_timeout", self.queue_timeout, 0)
        _at_least("drain_timeout", self.drain_timeout, 0)
        _at_least("high_water", self.high_water, 1)
        if self.max_body_size is not None:
            _at_least("max_body_size", self.max_body_size, 0)
        if self.body not in get_args(BodyMode):
            allowed = ", ".join(repr(mode) for mode in get_args(BodyMode))
            raise SettingsError(f"body={self.body!r} is not a way to pass the request body on; use one of {allowed}")

    @property
    def threads(self) -> int:
        """Threads at most."""
        if self.workers is not None:
            return self.workers
        return min(self.max_workers, 32, (os.cpu_count() or 1) + 4)


def _at_least(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= least:
        raise SettingsError(f"{name}={value!r} is not possible; give a number of at least {least}")
