"""The adapter's settings: one frozen record, checked when it is made.

Every name, default and meaning stands in the docstring of ``Settings``; ``WSGIMiddleware`` takes the same names.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any, Literal, get_args

from asgiway.errors import SettingsError
from asgiway.observe import OnEvent

__all__ = ["BodyMode", "Settings", "UnderscoreMode"]

BodyMode = Literal["auto", "stream", "spool", "buffer"]
UnderscoreMode = Literal["drop", "refuse", "allow"]


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
        underscore_headers: what becomes of a request header with an underscore in its name. CGI's names can't tell
            ``x_forwarded_user`` from ``X-Forwarded-User``, and a proxy that removes the latter lets the former pass.
            "drop" (default): the application does not see it, and the log tells of its name once; "refuse": the request
            gets 400; "allow": it reaches the application, joined with the field that it looks like.
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
    underscore_headers: UnderscoreMode = "drop"
    multiprocess: bool = True
    on_event: OnEvent | None = None

    def __post_init__(self) -> None:
        if self.workers is not None:
            _whole("workers", self.workers, 1)
        _whole("max_workers", self.max_workers, 1)
        _whole("max_queue", self.max_queue, 0)
        _at_least("queue_timeout", self.queue_timeout, 0)
        _at_least("drain_timeout", self.drain_timeout, 0)
        _whole("high_water", self.high_water, 1)
        if self.request_timeout is not None:
            _at_least("request_timeout", self.request_timeout, 0.001)
        if self.max_body_size is not None:
            _whole("max_body_size", self.max_body_size, 0)
        if self.body not in get_args(BodyMode):
            raise SettingsError(f"body={self.body!r} is not a way to pass the request body on; use {_any_of(BodyMode)}")
        if self.underscore_headers not in get_args(UnderscoreMode):
            raise SettingsError(
                f"underscore_headers={self.underscore_headers!r} is nothing that can be done with such headers; "
                f"use {_any_of(UnderscoreMode)}"
            )
        if not isinstance(self.multiprocess, bool):  # pyright: ignore[reportUnnecessaryIsInstance] - "false" is true
            raise SettingsError(f"multiprocess={self.multiprocess!r} is not possible; use True or False")
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


def _whole(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SettingsError(f"{name}={value!r} is not possible; give a whole number of at least {least}")


def _any_of(modes: Any) -> str:
    return "one of " + ", ".join(repr(mode) for mode in get_args(modes))
