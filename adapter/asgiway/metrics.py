"""Prometheus metrics of a process's adapters; needs the extra ``metrics`` (prometheus_client).

Counters and histograms follow the adapters' events, gauges are read from their snapshots when somebody asks, so an idle
adapter costs nothing. No label has a value that a client can choose freely: methods that RFC 9110 and RFC 5789 do not know
are counted as "OTHER".
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from asgiway.errors import SettingsError
from asgiway.middleware import WSGIMiddleware
from asgiway.mounts import name_mounts
from asgiway.observe import Event, RequestEnded, RequestRejected, RequestTimedOut, Snapshot

try:
    from prometheus_client import (
        CollectorRegistry,
        Counter,
        Histogram,
        make_asgi_app,  # pyright: ignore[reportUnknownVariableType]
    )
    from prometheus_client.core import GaugeMetricFamily
    from prometheus_client.multiprocess import MultiProcessCollector
    from prometheus_client.registry import Collector
except ModuleNotFoundError as _missing:  # pragma: no cover - tested in a process of its own
    raise ModuleNotFoundError(
        "asgiway.metrics needs prometheus_client; install it with: pip install 'asgiway[metrics]'", name=_missing.name
    ) from _missing

__all__ = ["Gauges", "Metrics"]

ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})

QUEUE_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds in seconds; the request ones are those of OpenTelemetry's HTTP conventions, thinned out and longer."""

# Gauges: name, help, extra label with a value for each row, how each row is read.
_Read = Callable[[Snapshot], float]
_GAUGES: tuple[tuple[str, str, Mapping[str, _Read]], ...] = (
    (
        "asgiway_threads",
        "Worker threads by what they are at.",
        {
            "idle": lambda snapshot: snapshot.idle,
            "busy": lambda snapshot: snapshot.busy,
            "abandoned": lambda snapshot: snapshot.abandoned,
        },
    ),
    ("asgiway_threads_limit", "Most worker threads there may be now.", {"": lambda snapshot: snapshot.limit}),
    ("asgiway_queue_depth", "Requests that wait for a thread.", {"": lambda snapshot: snapshot.queued}),
    ("asgiway_queue_limit", "Requests that may wait for a thread.", {"": lambda snapshot: snapshot.max_queue}),
    (
        "asgiway_requests_in_flight",
        "Requests admitted and not ended, waiting ones included.",
        {"": lambda snapshot: snapshot.in_flight},
    ),
    ("asgiway_draining", "1 when shutdown has begun.", {"": lambda snapshot: snapshot.draining}),
)


class Gauges(Collector):
    """Reads the gauges from snapshots at each collection.

    Registered by ``Metrics``; register ``Metrics.gauges`` with another registry too to show them there.

    Parameters:
        mounts: the adapters by their names.
    """

    def __init__(self, mounts: Mapping[str, WSGIMiddleware]) -> None:
        self._mounts = dict(mounts)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One family for each gauge."""
        snapshots = {name: adapter.snapshot() for name, adapter in self._mounts.items()}
        for name, text, rows in _GAUGES:
            stated = len(rows) > 1
            family = GaugeMetricFamily(name, text, labels=["mount", "state"] if stated else ["mount"])
            for mount, snapshot in snapshots.items():
                for state, read in rows.items():
                    family.add_metric([mount, state] if stated else [mount], float(read(snapshot)))
            yield family


class Metrics:
    """Counts what the adapters do: ``metrics = Metrics(legacy)``, then ``Mount("/metrics", metrics.app())``.

    Parameters:
        adapters: the mounts; each is subscribed to, for good.
        names: the values of the label ``mount``, in their order. Default "mount-1", "mount-2" and so on.
        registry: where the metrics are registered; None: a registry of its own, ``Metrics.registry``.

    Raises:
        SettingsError: no adapter, names that do not fit, or a registry that has metrics of these names already.
        TypeError: an adapter is no WSGIMiddleware.
    """

    def __init__(
        self,
        *adapters: WSGIMiddleware,
        names: Sequence[str] | None = None,
        registry: CollectorRegistry | None = None,
    ) -> None:
        mounts = name_mounts(adapters, names, "Metrics")
        self.registry: CollectorRegistry = CollectorRegistry() if registry is None else registry
        self.gauges: Gauges = Gauges(mounts)
        try:
            families = _Families(self.registry)
            self.registry.register(self.gauges)
        except ValueError as exc:
            raise SettingsError(
                f"the registry has asgiway's metrics already ({exc}); make one Metrics with all adapters of the process"
            ) from None
        for name, adapter in mounts.items():
            adapter.subscribe(_Mount(families, name))

    def app(self) -> ASGIApp:
        """An ASGI application that answers with the metrics, for a router to mount at ``/metrics``.

        With ``PROMETHEUS_MULTIPROC_DIR`` set, counters and histograms are the sums over all processes; gauges are those
        of the process that answers.
        """
        registry = self.registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
            registry.register(self.gauges)
        app: ASGIApp = make_asgi_app(registry)  # pyright: ignore[reportUnknownVariableType]
        return app


class _Families:
    """The counters and histograms of a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "asgiway_requests",
            "Requests that reached a thread and have ended.",
            ["mount", "method", "status", "outcome"],
            registry=registry,
        )
        self.rejected = Counter(
            "asgiway_requests_rejected",
            "Requests answered without the application, by the limit they met.",
            ["mount", "reason"],
            registry=registry,
        )
        self.timed_out = Counter(
            "asgiway_requests_timed_out",
            "Requests whose thread was given up after request_timeout; counted when that happens.",
            ["mount"],
            registry=registry,
        )
        self.request_bytes = Counter(
            "asgiway_request_body_bytes", "Bytes of request bodies received.", ["mount"], registry=registry
        )
        self.response_bytes = Counter(
            "asgiway_response_body_bytes", "Bytes of response bodies sent.", ["mount"], registry=registry
        )
        self.queue_wait = Histogram(
            "asgiway_queue_wait_seconds",
            "Waiting for a thread; includes requests that waited in vain.",
            ["mount"],
            buckets=QUEUE_BUCKETS,
            registry=registry,
        )
        self.request_duration = Histogram(
            "asgiway_request_duration_seconds",
            "From admission to the end of close().",
            ["mount"],
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )


class _Mount:
    """Counts the events of one adapter. Keeps the children it has found: labels() costs more than counting."""

    def __init__(self, families: _Families, name: str) -> None:
        self._name = name
        self._families = families
        self._requests: dict[tuple[str, int | None, str], Counter] = {}
        self._timed_out = families.timed_out.labels(name)
        self._request_bytes = families.request_bytes.labels(name)
        self._response_bytes = families.response_bytes.labels(name)
        self._queue_wait = families.queue_wait.labels(name)
        self._request_duration = families.request_duration.labels(name)

    def __call__(self, event: Event) -> None:
        if isinstance(event, RequestEnded):
            self._ended(event)
        elif isinstance(event, RequestRejected):
            self._families.rejected.labels(self._name, event.reason).inc()
            if event.reason == "queue_timeout":
                self._queue_wait.observe(event.queue_seconds)
        elif isinstance(event, RequestTimedOut):
            self._timed_out.inc()

    def _ended(self, event: RequestEnded) -> None:
        method: str = event.scope["method"]
        key = (method if method in METHODS else "OTHER", event.status, event.outcome)
        child = self._requests.get(key)
        if child is None:
            status = "none" if event.status is None else str(event.status)
            child = self._requests[key] = self._families.requests.labels(self._name, key[0], status, event.outcome)
        child.inc()
        self._queue_wait.observe(event.queue_seconds)
        self._request_duration.observe(event.queue_seconds + event.app_seconds)
        if event.bytes_in:
            self._request_bytes.inc(event.bytes_in)
        if event.bytes_out:
            self._response_bytes.inc(event.bytes_out)
