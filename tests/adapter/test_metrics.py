"""Prometheus metrics: what a scrape of a real server under load says agrees with what happened to its clients."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter as Tally
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client import Counter as PrometheusCounter
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.routing import Mount

from asgiway import SettingsError, WSGIMiddleware
from asgiway.metrics import Metrics
from asgiway.observe import Event
from tests.adapter.server_process import serve_module
from tests.adapter.support import WAIT, Connection, call, content_length, http_scope, until
from tests.e2e.serving import serve, wait_until

Environ = dict[str, Any]
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def parse(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


class Shop:
    def __init__(self) -> None:
        self.release = threading.Event()
        self.holds = 0

    def __call__(self, environ: Environ, start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        body = environ["wsgi.input"].read()
        if path == "/hold":
            self.holds += 1
            assert self.release.wait(WAIT)
        if path == "/raise":
            raise ValueError("raised")
        start_response("404 Not Found" if path == "/missing" else "200 OK", [])
        return [b"<" + body + b">"]


@contextmanager
def held(client: httpx.Client, count: int, statuses: list[int]) -> Generator[None]:
    """`count` requests that are under way while the block runs."""
    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(client.get, "/hold", timeout=WAIT) for _ in range(count)]
        yield
        statuses.extend(future.result().status_code for future in futures)


def test_a_scrape_of_a_server_under_load() -> None:
    shop = Shop()
    legacy = WSGIMiddleware(shop, workers=2, max_queue=3, max_body_size=100)
    quiet = WSGIMiddleware(shop, workers=1)
    metrics = Metrics(legacy, quiet, names=["legacy", "quiet"])
    site = Starlette(routes=[Mount("/metrics", metrics.app()), Mount("/quiet", quiet), Mount("/", legacy)])
    with serve(site) as address, httpx.Client(base_url=address) as client:

        def scrape() -> Samples:
            answer = client.get("/metrics/")
            assert answer.headers["content-type"].startswith("text/plain; version=")
            return parse(answer.text)

        before = scrape()
        assert value(before, "asgiway_threads", mount="legacy", state="busy") == 0
        assert value(before, "asgiway_queue_wait_seconds_count", mount="quiet") == 0

        with ThreadPoolExecutor(8) as pool:  # the load
            paths = ["/", "/missing", "/page"] * 40
            answers = list(pool.map(lambda path: client.post(path, content=b"abc"), paths))
        load = Tally(answer.status_code for answer in answers)  # more than 5 at a time are refused

        statuses: list[int] = []
        with held(client, 5, statuses):
            wait_until(lambda: (shop.holds, legacy.snapshot().queued) == (2, 3), "two work and three wait")
            refused = client.get("/")
            under_way = scrape()
            shop.release.set()
        too_large = client.post("/", content=b"x" * 101)
        client.request("PROPFIND", "/")
        wait_until(lambda: legacy.snapshot().in_flight == 0, "all have ended")
        after = scrape()

    assert (refused.status_code, too_large.status_code, statuses) == (503, 413, [200] * 5)
    for name, expected in {
        "asgiway_threads_limit": 2,
        "asgiway_queue_depth": 3,
        "asgiway_queue_limit": 3,
        "asgiway_requests_in_flight": 5,
        "asgiway_draining": 0,
    }.items():
        assert value(under_way, name, mount="legacy") == expected, name
    assert [value(under_way, "asgiway_threads", mount="legacy", state=s) for s in ("busy", "idle", "abandoned")] == [
        2,
        0,
        0,
    ]
    assert value(under_way, "asgiway_threads", mount="quiet", state="busy") == 0

    def requests(method: str, status: str) -> float:
        return value(after, "asgiway_requests_total", mount="legacy", method=method, status=status, outcome="complete")

    assert requests("POST", "200") == load[200]
    assert requests("POST", "404") == load[404]
    assert requests("GET", "200") == 5
    assert requests("OTHER", "200") == 1
    rejected = {
        reason: value(after, "asgiway_requests_rejected_total", mount="legacy", reason=reason)
        for reason in ("max_queue", "too large")
    }
    assert rejected == {"max_queue": load[503] + 1, "too large": 1}
    ran = load[200] + load[404] + 5 + 1
    for name in ("asgiway_queue_wait_seconds_count", "asgiway_request_duration_seconds_count"):
        assert value(after, name, mount="legacy") == ran
    assert value(after, "asgiway_request_duration_seconds_bucket", mount="legacy", le="60.0") == ran
    assert value(after, "asgiway_request_body_bytes_total", mount="legacy") == 3 * (load[200] + load[404])
    assert value(after, "asgiway_response_body_bytes_total", mount="legacy") == 5 * (load[200] + load[404]) + 2 * 6
    assert value(after, "asgiway_threads", mount="legacy", state="busy") == 0
    # The three that waited did so at least as long as the scrape took to see them.
    assert value(after, "asgiway_queue_wait_seconds_sum", mount="legacy") > 0


@pytest.mark.anyio
async def test_requests_that_end_otherwise() -> None:
    shop, events = Shop(), list[Event]()
    adapter = WSGIMiddleware(shop, workers=1, max_queue=5, queue_timeout=0.2, on_event=events.append)
    slow = WSGIMiddleware(shop, request_timeout=0.1)
    metrics = Metrics(adapter, slow)

    def count(name: str, **labels: str) -> float:
        return metrics.registry.get_sample_value(name, labels) or 0.0

    with pytest.raises(ValueError, match="raised"):
        await call(adapter, path="/raise")
    assert count("asgiway_requests_total", mount="mount-1", method="GET", status="none", outcome="error") == 1

    connection = Connection()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(adapter, http_scope(path="/hold"), connection.receive, connection.send)
        await until(lambda: shop.holds == 1)
        assert (await call(adapter)).status == 503  # no thread within queue_timeout
        connection.leave()
        await anyio.sleep(0.3)
        shop.release.set()
    gone = {"mount": "mount-1", "method": "GET", "status": "none", "outcome": "disconnected"}
    await until(lambda: count("asgiway_requests_total", **gone) == 1)
    assert count("asgiway_requests_rejected_total", mount="mount-1", reason="queue_timeout") == 1
    assert count("asgiway_queue_wait_seconds_count", mount="mount-1") == 3
    assert count("asgiway_queue_wait_seconds_sum", mount="mount-1") >= 0.2
    assert count("asgiway_request_duration_seconds_count", mount="mount-1") == 2

    shop.release.clear()
    assert (await call(slow, path="/hold")).status == 504
    # Counted at once, although its thread is still at it, and shown as what it is.
    assert count("asgiway_requests_timed_out_total", mount="mount-2") == 1
    assert count("asgiway_threads", mount="mount-2", state="abandoned") == 1
    assert count("asgiway_request_duration_seconds_count", mount="mount-2") == 0
    shop.release.set()
    late = {"mount": "mount-2", "method": "GET", "status": "504", "outcome": "timed out"}
    await until(lambda: count("asgiway_requests_total", **late) == 1)
    await adapter.aclose()
    assert count("asgiway_draining", mount="mount-1") == 1
    assert events  # who was there before is still told


@pytest.mark.anyio
async def test_bytes_of_a_body_that_is_streamed() -> None:
    metrics = Metrics(adapter := WSGIMiddleware(Shop()))
    await call(adapter, "POST", body=[b"x" * 1000] * 3, headers=content_length(3000))
    sample = metrics.registry.get_sample_value
    assert sample("asgiway_request_body_bytes_total", {"mount": "mount-1"}) == 3000
    assert sample("asgiway_response_body_bytes_total", {"mount": "mount-1"}) == 3002


MANY_PROCESSES = """
import os
from starlette.applications import Starlette
from starlette.routing import Mount
from asgiway import WSGIMiddleware
from asgiway.metrics import Metrics

def shop(environ, start_response):
    start_response("200 OK", [])
    return [str(os.getpid()).encode()]

legacy = WSGIMiddleware(shop)
app = Starlette(routes=[Mount("/metrics", Metrics(legacy).app()), Mount("/", legacy)])
"""


def test_several_processes_are_summed_up(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    directory = str(tmp_path / "metrics")
    with serve_module(
        tmp_path, MANY_PROCESSES, "--workers", "2", ready="/metrics/", PROMETHEUS_MULTIPROC_DIR=directory
    ) as server:
        pids: Tally[str] = Tally()
        with httpx.Client(base_url=server.address, headers={"connection": "close"}) as client:

            def both_have_answered() -> bool:
                pids.update(client.get("/").text for _ in range(10))
                return len(pids) == 2

            wait_until(both_have_answered, "both processes have answered")
            labels = {"mount": "mount-1", "method": "GET", "status": "200", "outcome": "complete"}
            samples: Samples = {}

            def all_are_counted() -> bool:
                # An answer is on its way before it is counted, and the one who answers here may be quicker.
                samples.update(parse(client.get("/metrics/").text))
                return value(samples, "asgiway_requests_total", **labels) >= pids.total()

            wait_until(all_are_counted, "the last request is counted")
        assert value(samples, "asgiway_requests_total", **labels) == pids.total()
        assert value(samples, "asgiway_request_duration_seconds_count", mount="mount-1") == pids.total()
        assert value(samples, "asgiway_threads_limit", mount="mount-1") >= 1  # of the one that answers


def test_the_registry_is_the_users_if_he_gives_one() -> None:
    registry = CollectorRegistry()
    own = PrometheusCounter("shop_orders", "Orders.", registry=registry)
    own.inc()
    first = Metrics(WSGIMiddleware(Shop()), registry=registry)
    assert first.registry is registry
    names = {family.name for family in registry.collect()}
    assert {"shop_orders", "asgiway_requests", "asgiway_threads"} <= names
    with pytest.raises(SettingsError, match=r"has asgiway's metrics already .*make one Metrics with all adapters"):
        Metrics(WSGIMiddleware(Shop()), registry=registry)
    Metrics(WSGIMiddleware(Shop()))  # in a registry of its own


def test_what_it_is_given() -> None:
    with pytest.raises(SettingsError, match="Metrics has no adapter to look at"):
        Metrics()
    with pytest.raises(TypeError, match="Metrics needs the WSGIMiddleware of each mount"):
        Metrics(Shop())  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_without_the_extra_a_sentence_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['prometheus_client'] = None; import asgiway, asgiway.health; import asgiway.metrics"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.endswith(
        "ModuleNotFoundError: asgiway.metrics needs prometheus_client; install it with: pip install 'asgiway[metrics]'\n"
    )


def test_labels_do_not_grow_with_what_clients_send() -> None:
    async def main() -> None:
        for number in range(50):
            await call(adapter, f"M{number}", f"/{number}")

    metrics = Metrics(adapter := WSGIMiddleware(Shop()))
    anyio.run(main)
    samples: Iterator[Any] = (sample for family in metrics.registry.collect() for sample in family.samples)
    requests = [sample for sample in samples if sample.name == "asgiway_requests_total"]
    assert [(sample.labels["method"], sample.value) for sample in requests] == [("OTHER", 50)]
