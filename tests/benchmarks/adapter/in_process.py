"""Cost of one request through an adapter, without sockets: CPU microseconds, peers in the same run, interleaved.

    python -m tests.benchmarks.adapter.in_process [--rounds 5] [--requests 4000]

CPU time of the whole process (all threads) is compared, not wall time: machines are shared. The process is pinned to one
core: where loop and worker land on two, the caches' traffic between them counts for all adapters, and swings. Read
ratios, not figures.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import asgiref.wsgi
import uvloop
from a2wsgi import WSGIMiddleware as A2wsgi
from starlette.middleware.wsgi import WSGIMiddleware as StarletteBridge

from asgiway import WSGIMiddleware
from tests.benchmarks.adapter.applications import Inline, chunks, hello

Scope = dict[str, Any]
ASGI = Callable[..., Awaitable[None]]

HEADERS = [
    (b"host", b"127.0.0.1:8000"),
    (b"user-agent", b"bench/1"),
    (b"accept", b"*/*"),
    (b"accept-encoding", b"gzip, deflate"),
    (b"connection", b"keep-alive"),
    (b"cookie", b"session=abcdefghijklmnopqrstuvwxyz"),
]


def make_scope() -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/hello",
        "raw_path": b"/hello",
        "query_string": b"a=1",
        "root_path": "",
        "headers": list(HEADERS),
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }


def hello_generator(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "13")])
    yield b"Hello, world!"


async def one_request(app: ASGI) -> None:
    never: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    first = True

    async def receive() -> Any:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": b"", "more_body": False}
        return await never

    async def send(message: Any) -> None:
        pass

    await app(make_scope(), receive, send)


async def drive(app: ASGI, requests: int, in_flight: int) -> float:
    async def client(count: int) -> None:
        for _ in range(count):
            await one_request(app)

    await asyncio.gather(*(client(20) for _ in range(in_flight)))  # warm up: threads, tables
    share = max(1, requests // in_flight)
    gc.collect()
    before = time.process_time()
    await asyncio.gather(*(client(share) for _ in range(in_flight)))
    return (time.process_time() - before) / (share * in_flight) * 1e6


def measure(rounds: int, requests: int, threads: int) -> dict[str, dict[str, float]]:
    """CPU microseconds a request: case -> peer -> median of interleaved rounds."""
    peers: dict[str, Callable[[Any], ASGI]] = {
        "inline": Inline,
        "asgiway": lambda app: WSGIMiddleware(app, threads),
        "a2wsgi": lambda app: A2wsgi(app, workers=threads),
        "asgiref": asgiref.wsgi.WsgiToAsgi,
        "starlette": StarletteBridge,
    }
    cases = [("hello", hello, 1, 1), ("hello", hello, 64, 1), ("generator", hello_generator, 64, 1)]
    cases.append(("1000 chunks", chunks, 16, 40))
    results: dict[str, dict[str, float]] = {}
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set[int]()
    if cores:
        os.sched_setaffinity(0, {max(cores)})
    for name, app, in_flight, divisor in cases:
        figures: dict[str, list[float]] = {peer: [] for peer in peers}
        for _ in range(rounds):
            for peer, make in peers.items():
                slow = 1 if peer in ("inline", "asgiway") else 4
                figures[peer].append(uvloop.run(drive(make(app), requests // divisor // slow, in_flight)))
        results[f"{name}, {in_flight} in flight"] = {peer: statistics.median(figures[peer]) for peer in peers}
    if cores:
        os.sched_setaffinity(0, cores)
    return results


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--threads", type=int, default=10)
    options = parser.parse_args()
    results = measure(options.rounds, options.requests, options.threads)
    print(f"{'CPU us per request':28}" + "".join(f"{peer:>12}" for peer in next(iter(results.values()))))
    for case, figures in results.items():
        print(f"{case:28}" + "".join(f"{figure:12.1f}" for figure in figures.values()))


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    main()
