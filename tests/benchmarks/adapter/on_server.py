"""CPU seconds of a server for 1000 requests, with each way to run a WSGI application; rivals in the same run, interleaved.

    python tests/benchmarks/adapter/on_server.py [--rounds 3] [--seconds 2] [--connections 64] [--load hello flask chunks]

The server's whole process tree counts (user and system time), the client's does not. Needs gunicorn and waitress for the
rivals of these names. Read ratios of one run, not figures of two.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil

HERE = Path(__file__).resolve()


# ----------------------------------------------------------------------------------------------------- applications


def hello(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "13")])
    return [b"Hello, world!"]


def chunks(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    for _ in range(1000):
        yield b"x" * 100


def flask() -> Any:
    from flask import Flask, jsonify

    app = Flask(__name__)

    @app.get("/")
    def index() -> Any:
        return jsonify(items=[{"id": number, "name": f"item {number}"} for number in range(10)])

    return app


def application(name: str) -> Any:
    return {"hello": hello, "chunks": chunks}.get(name) or flask()


async def pure(scope: Any, receive: Any, send: Any) -> None:
    """The ceiling: no WSGI at all."""
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"13")]})
    await send({"type": "http.response.body", "body": b"Hello, world!"})


def serve(way: str, load: str, port: int) -> None:
    """In the server's own process."""
    if way == "waitress":
        import logging

        import waitress  # type: ignore[import-untyped]

        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        waitress.serve(application(load), host="127.0.0.1", port=port, threads=10, _quiet=True)
        return
    import uvicorn

    app: Any
    if way == "pure asgi":
        app = pure
    elif way == "asgiway":
        from asgiway import WSGIMiddleware

        app = WSGIMiddleware(application(load))
    elif way == "a2wsgi":
        from a2wsgi import WSGIMiddleware as A2wsgi

        app = A2wsgi(application(load))
    elif way == "starlette":
        import warnings

        warnings.simplefilter("ignore")
        from starlette.middleware.wsgi import WSGIMiddleware as Starlette

        app = Starlette(application(load))
    else:
        raise SystemExit(f"no way called {way!r}")
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False, lifespan="off", loop="uvloop")


def command(way: str, load: str, port: int) -> list[str]:
    if way == "gunicorn":
        factory = f"on_server:application({load!r})"
        bind = ["--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "10", "--log-level", "error"]
        return [sys.executable, "-m", "gunicorn", *bind, "--chdir", str(HERE.parent), factory]
    return [sys.executable, str(HERE), "--serve", way, "--load", load, "--port", str(port)]


# ----------------------------------------------------------------------------------------------------------- client


async def client(port: int, until: float) -> int:
    """One connection with keep-alive; reads each answer to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    done = 0
    try:
        while time.monotonic() < until:
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert head.startswith(b"http/1.1 200"), head
            if b"content-length:" in head:
                length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
            else:
                while (size := int(await reader.readuntil(b"\r\n"), 16)) > 0:
                    await reader.readexactly(size + 2)
                await reader.readexactly(2)
            done += 1
            if b"connection: close" in head:
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
    finally:
        writer.close()
    return done


async def load_for(port: int, connections: int, seconds: float) -> int:
    until = time.monotonic() + seconds
    return sum(await asyncio.gather(*(client(port, until) for _ in range(connections))))


def cpu_of(process: psutil.Process) -> float:
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        times = one.cpu_times()
        total += times.user + times.system
    return total


def measure(way: str, load: str, connections: int, seconds: float) -> tuple[float, float]:
    """CPU seconds of the server for 1000 requests, and requests a second."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = subprocess.Popen(command(way, load, port))
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > deadline or server.poll() is not None:
                    raise SystemExit(f"{way} did not start") from None
                time.sleep(0.05)
        process = psutil.Process(server.pid)
        asyncio.run(load_for(port, connections, 0.5))
        before, began = cpu_of(process), time.monotonic()
        done = asyncio.run(load_for(port, connections, seconds))
        return (cpu_of(process) - before) / done * 1000, done / (time.monotonic() - began)
    finally:
        server.terminate()
        server.wait(20)


WAYS = ["asgiway", "a2wsgi", "starlette", "gunicorn", "waitress"]


def compare(
    load: str, ways: list[str], rounds: int, connections: int, seconds: float
) -> dict[str, tuple[float, float]]:
    """Way -> CPU seconds for 1000 requests and requests a second, medians of interleaved rounds."""
    if load == "hello":
        ways = [*ways, "pure asgi"]
    figures: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way in ways:
            figures[way].append(measure(way, load, connections, seconds))
    return {
        way: (statistics.median(cpu for cpu, _ in values), statistics.median(rate for _, rate in values))
        for way, values in figures.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--load", nargs="+", default=["hello", "flask", "chunks"])
    parser.add_argument("--ways", nargs="+", default=WAYS)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.load[0], options.port)
        return
    for load in options.load:
        connections = 8 if load == "chunks" else options.connections
        figures = compare(load, options.ways, options.rounds, connections, options.seconds)
        ours = figures["asgiway"][0]
        print(f"{load}, {connections} connections{'':12}CPU s/1000   x asgiway    requests/s")
        for way, (cpu, rate) in figures.items():
            print(f"  {way:32}{cpu:10.3f}{cpu / ours:13.2f}{rate:14.0f}")


if __name__ == "__main__":
    main()
