"""CPU seconds of a server for 1000 requests, with each way to run a WSGI application; rivals in the same run, interleaved.

    python -m tests.benchmarks.adapter.on_server [--rounds 3] [--seconds 2] [--connections 64] [--rate 150] [--apart]
        [--load hello flask ...]

The server's whole process tree counts (user and system time), the client's does not. Needs gunicorn and waitress for the
rivals of these names. Read ratios of one run, not figures of two. For bodies of megabytes the kernel's part depends on how fast
the client reads, and on whether it does so on the core that has just written: with ``--apart`` it has a core of its own, and so has
the server; with a ``--rate`` that all of them reach the client reads as fast from all.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from typing import NamedTuple

from tests.benchmarks.adapter.applications import MEBIBYTE
from tests.benchmarks.adapter.client import ask_for
from tests.benchmarks.adapter.servers import WAYS, running


class Load(NamedTuple):
    """How a load is asked for, and who is compared beside WAYS."""

    title: str
    connections: int
    body: bytes
    beside: tuple[str, ...]


FILE_WAYS = ("asgiway sendfile", "pure asgi", "FileResponse", "FileResponse sendfile", "granian asgiway")
LOADS = {
    "hello": Load("13 bytes", 64, b"", ("pure asgi", "inline")),
    "flask": Load("a Flask view with JSON", 64, b"", ()),
    "chunks": Load("1000 chunks of 100 bytes", 8, b"", ("inline",)),
    "echo": Load("echo of 1 MiB", 8, bytes(MEBIBYTE), ("pure asgi", "inline")),
    "stream": Load("10 MiB in chunks of 64 KiB", 4, b"", ("pure asgi", "inline")),
    "file": Load("a file of 50 MiB", 2, b"", FILE_WAYS),
}


def measure(
    way: str, load: str, connections: int, seconds: float, rate: float | None = None, *, apart: bool = False
) -> tuple[float, float]:
    """CPU seconds of the server for 1000 requests, and requests a second."""
    body = LOADS[load].body
    with running(way, load, apart=apart) as server:
        asyncio.run(ask_for(server.port, connections, 0.5, f"/{load}", body, rate))
        before, began = server.cpu(), time.monotonic()
        done = asyncio.run(ask_for(server.port, connections, seconds, f"/{load}", body, rate))
        return (server.cpu() - before) / done * 1000, done / (time.monotonic() - began)


def compare(
    load: str,
    rounds: int,
    seconds: float,
    connections: int | None = None,
    rate: float | None = None,
    *,
    apart: bool = False,
) -> dict[str, tuple[float, float]]:
    """Way -> CPU seconds for 1000 requests and requests a second, medians of interleaved rounds."""
    ways = [*WAYS, *LOADS[load].beside]
    figures: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way in ways:
            figures[way].append(measure(way, load, connections or LOADS[load].connections, seconds, rate, apart=apart))
    return {
        way: (statistics.median(cpu for cpu, _ in values), statistics.median(rate for _, rate in values))
        for way, values in figures.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--connections", type=int)
    parser.add_argument("--rate", type=float, help="requests a second, for all the same; unlimited by default")
    parser.add_argument("--apart", action="store_true", help="a core for the server, and another one for the client")
    parser.add_argument("--load", nargs="+", default=list(LOADS), choices=list(LOADS))
    options = parser.parse_args()
    for load in options.load:
        figures = compare(load, options.rounds, options.seconds, options.connections, options.rate, apart=options.apart)
        ours = figures["asgiway"][0]
        print(f"{LOADS[load].title:40}CPU s/1000   x asgiway    requests/s", flush=True)
        for way, (cpu, rate) in figures.items():
            print(f"  {way:38}{cpu:10.3f}{cpu / ours:13.2f}{rate:14.1f}", flush=True)


if __name__ == "__main__":
    main()
