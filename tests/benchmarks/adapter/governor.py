"""How a governed pool does against fixed ones: requests a second, and a native route's latency beside them.

    python tests/benchmarks/adapter/governor.py [--seconds 3] [--load sleep compute ...] [--pool governed 4 10 40 a2wsgi]

Each load runs with 40 connections against a server of its own; a further connection asks a native route all the time.
The machine has to be quiet: what else wants its cores makes the loop late too.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def measure(pool: str, load: str, seconds: float) -> tuple[float, float, float]:
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
        asyncio.run(drive(port, 1.0))
        rate, latencies = asyncio.run(drive(port, seconds))
        latencies.sort()
        return rate, statistics.median(latencies), latencies[int(len(latencies) * 0.99)]
    finally:
        server.terminate()
        server.wait(20)


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
