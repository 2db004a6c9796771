"""How a governed pool does against fixed ones: requests a second, and a native route's latency beside them.

    python -m tests.benchmarks.adapter.governor [--seconds 3] [--load sleep compute ...] [--pool governed 4 10 40 a2wsgi]

Each load runs with 40 connections against a server of its own; a further connection asks a native route all the time.
The machine has to be quiet: what else wants its cores makes the loop late too.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve()
CONNECTIONS = 40
_database = threading.BoundedSemaphore(15)


def compute(seconds: float) -> None:
    deadline = time.thread_time() + seconds
    while time.thread_time() < deadline:
        sum(range(100))


def database(seconds: float) -> None:
    with _database:
        time.sleep(seconds)


def mixed_up() -> None:
    time.sleep(0.005)
    compute(0.005)


_turn = 0


def some_slow() -> None:
    """Quick requests beside slow ones: every tenth takes 200 ms."""
    global _turn
    _turn += 1
    if _turn % 10 == 0:
        time.sleep(0.2)


LOADS: dict[str, Callable[[], object]] = {
    "sleep": lambda: time.sleep(0.1),
    "compute": lambda: compute(0.02),
    "mixed": mixed_up,
    "kdf": lambda: hashlib.pbkdf2_hmac("sha256", b"x", b"y", 20_000),
    "database": lambda: database(0.05),
    "quick+slow": some_slow,
}


def serve(pool: str, load: str, port: int) -> None:
    import uvicorn

    work = LOADS[load]

    def legacy(environ: Any, start_response: Any) -> list[bytes]:
        work()
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    wrapped: Any
    if pool == "a2wsgi":
        from a2wsgi import WSGIMiddleware as A2wsgi

        wrapped = A2wsgi(legacy)
    else:
        from asgiway import WSGIMiddleware

        wrapped = WSGIMiddleware(legacy, None if pool == "governed" else int(pool))

    async def site(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] == "/state":
            state = wrapped.snapshot()
            body = b"%d %d %d %f" % (state.permits, state.threads, state.queued, time.process_time())
            headers = [(b"content-length", b"%d" % len(body))]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return
        if scope["path"] == "/native":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"ok"})
            return
        await wrapped(scope, receive, send)

    uvicorn.run(site, host="127.0.0.1", port=port, log_level="error", access_log=False, lifespan="off", loop="uvloop")


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: bytes) -> None:
    writer.write(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    await reader.readexactly(2)


async def client(port: int, until: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    done = 0
    while time.monotonic() < until:
        await ask(reader, writer, b"/legacy")
        done += 1
    writer.close()
    return done


async def native(port: int, until: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    took: list[float] = []
    while time.monotonic() < until:
        began = time.perf_counter()
        await ask(reader, writer, b"/native")
        took.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.002)
    writer.close()
    return took


async def drive(port: int, seconds: float) -> tuple[float, list[float]]:
    until = time.monotonic() + seconds
    beside = asyncio.create_task(native(port, until))
    counts = await asyncio.gather(*(client(port, until) for _ in range(CONNECTIONS)))
    return sum(counts) / seconds, await beside


@contextlib.contextmanager
def running(pool: str, load: str) -> Generator[int]:
    """A server for the time of the block; yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = subprocess.Popen([sys.executable, str(HERE), "--serve", pool, "--load", load, "--port", str(port)])
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise SystemExit(f"{pool} did not start") from None
                time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait(20)


def measure(pool: str, load: str, seconds: float) -> tuple[float, float, float]:
    """Requests a second, and the native route's median and 99th percentile in ms."""
    with running(pool, load) as port:
        asyncio.run(drive(port, 1.0))
        rate, latencies = asyncio.run(drive(port, seconds))
        latencies.sort()
        return rate, statistics.median(latencies), latencies[int(len(latencies) * 0.99)]


class Sample(NamedTuple):
    """What the pool was at one moment."""

    seconds: float
    permits: int
    threads: int
    queued: int
    cores: float
    """CPU seconds of the server for each second since the last sample."""


async def _sample(port: int, until: float, every: float) -> list[Sample]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()
    samples: list[Sample] = []
    last: tuple[float, float] | None = None
    while time.monotonic() < until:
        writer.write(b"GET /state HTTP/1.1\r\nHost: x\r\n\r\n")
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        permits, threads, queued, cpu = (await reader.readexactly(length)).split()
        now = time.monotonic()
        cores = (float(cpu) - last[1]) / (now - last[0]) if last is not None else 0.0
        last = now, float(cpu)
        samples.append(Sample(now - began, int(permits), int(threads), int(queued), cores))
        await asyncio.sleep(every)
    writer.close()
    return samples


async def _timeline(port: int, quiet: float, busy: float) -> list[Sample]:
    until = time.monotonic() + quiet + busy
    sampling = asyncio.create_task(_sample(port, until, 0.02))
    await asyncio.sleep(quiet / 2)
    load_ends = time.monotonic() + busy
    await asyncio.gather(*(client(port, load_ends) for _ in range(CONNECTIONS)))
    return await sampling


def timeline(load: str, busy: float = 3.0) -> list[Sample]:
    """The governed pool from a cold start: a quarter of a second of nothing, the load, nothing again."""
    with running("governed", load) as port:
        return asyncio.run(_timeline(port, 0.5, busy))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--load", nargs="+", default=list(LOADS))
    parser.add_argument("--pool", nargs="+", default=["governed", "1", "4", "10", "40", "a2wsgi"])
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.load[0], options.port)
        return
    print(f"{'requests/s, native p50 / p99 ms':24}" + "".join(f"{pool:>24}" for pool in options.pool))
    for load in options.load:
        cells = [measure(pool, load, options.seconds) for pool in options.pool]
        print(f"{load:24}" + "".join(f"{rate:10.0f} {p50:6.1f} /{p99:6.1f}" for rate, p50, p99 in cells), flush=True)


if __name__ == "__main__":
    main()
