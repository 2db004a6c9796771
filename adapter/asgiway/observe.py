"""What an adapter tells about itself: events as they happen, and a snapshot on demand.

``on_event=`` takes a callable that receives every event. It is called on the event loop, so it must be quick and must not
block; what it raises is logged and goes no further. Durations are seconds of a monotonic clock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = [
    "DrainEnded",
    "DrainStarted",
    "Event",
    "OnEvent",
    "Outcome",
    "Rejection",
    "RequestEnded",
    "RequestRejected",
    "RequestTimedOut",
    "Running",
    "Snapshot",
]

Outcome = Literal["complete", "error", "truncated", "disconnected", "cancelled", "timed out", "interrupted"]
"""How a request ended: answered in full; the application raised before, or after, its response had started; the client
left; the request's task was cancelled or its connection lost; ``request_timeout`` passed; shutdown interrupted it."""

Rejection = Literal["max_queue", "queue_timeout", "draining", "bad request", "too large"]
"""Why a request was answered without the application: the setting whose limit it met, or what was wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEnded:
    """A request that was admitted has ended, its ``close()`` included.

    Parameters:
        scope: the request's ASGI scope.
        status: the status that was sent, None when none was.
        outcome: see Outcome.
        queue_seconds: from admission to the worker's start.
        app_seconds: from there to the worker's end; 0 for a request that no worker had before it ended.
        bytes_in: bytes of request body received.
        bytes_out: bytes of response body passed to the server.
    """

    scope: Mapping[str, Any]
    status: int | None
    outcome: Outcome
    queue_seconds: float
    app_seconds: float
    bytes_in: int
    bytes_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRejected:
    """A request was answered without the application.

    Parameters:
        scope: the request's ASGI scope.
        status: 400, 413, 431 or 503.
        reason: which limit it was.
        queue_seconds: how long it had waited.
    """

    scope: Mapping[str, Any]
    status: int
    reason: Rejection
    queue_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTimedOut:
    """``request_timeout`` has passed; the worker is given up, and replaced as long as there are not too many of them.

    Parameters:
        scope: the request's ASGI scope.
        thread: the worker's name.
        stack: where it was, as text.
        abandoned: workers given up and still busy, this one included.
    """

    scope: Mapping[str, Any]
    thread: str
    stack: str
    abandoned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainStarted:
    """No more requests are admitted; `in_flight` are under way."""

    in_flight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainEnded:
    """Draining took `seconds`; `left` requests could not be ended."""

    seconds: float
    left: int


Event = RequestEnded | RequestRejected | RequestTimedOut | DrainStarted | DrainEnded
OnEvent = Callable[[Event], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A request that a worker is at; see ``WSGIMiddleware.running``.

    Parameters:
        scope: the request's ASGI scope.
        thread: the worker.
        seconds: since the worker took it.
        abandoned: it was given up after ``request_timeout``.
    """

    scope: Mapping[str, Any]
    thread: threading.Thread
    seconds: float
    abandoned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """How busy an adapter is now; see ``WSGIMiddleware.snapshot``.

    Parameters:
        threads: threads that exist: the `idle` ones wait for a request, the `busy` ones work on one, the `abandoned`
            ones work on one that was given up. The three are disjoint.
        limit: most threads there may be now.
        permits: how many of them may work at a time now, at most `limit`; of a governed pool the governor's last word.
        queued: requests that wait for a thread, at most `max_queue`.
        in_flight: requests admitted and not ended, queued ones included.
        draining: shutdown has begun.
    """

    threads: int
    idle: int
    busy: int
    abandoned: int
    limit: int
    permits: int
    queued: int
    max_queue: int
    in_flight: int
    draining: bool

    @property
    def saturated(self) -> bool:
        """One more request would be refused."""
        return self.queued >= self.max_queue and self.busy >= self.permits
