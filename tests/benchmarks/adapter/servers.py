"""A server process for each way to run a WSGI application, and what it uses: CPU seconds, resident memory.

Run as ``python -m tests.benchmarks.adapter.servers WAY LOAD PORT`` it is that process.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.adapter.applications import Inline, application, file_response, pure

ROOT = Path(__file__).resolve().parents[3]

WAYS = ["asgiway", "a2wsgi", "starlette", "gunicorn", "waitress"]
"""The ways that take part in every comparison. Others: "inline", "pure asgi", "granian asgiway", "granian wsgi";
"FileResponse" is Starlette's; "... sendfile" has asgiway's SendFile around it."""


def asgi_application(way: str, load: str) -> Any:
    if way.endswith(" sendfile"):
        from asgiway.integrations.uvicorn import SendFile

        return SendFile(asgi_application(way.removesuffix(" sendfile"), load))
    if way == "pure asgi":
        return pure
    if way == "FileResponse":
        return file_response
    if way == "inline":
        return Inline(application(load))
    if way == "asgiway":
        from asgiway import WSGIMiddleware

        return WSGIMiddleware(application(load))
    if way == "a2wsgi":
        from a2wsgi import WSGIMiddleware as A2wsgi

        return A2wsgi(application(load))
    if way == "starlette":
        import warnings

        warnings.simplefilter("ignore")
        from starlette.middleware.wsgi import WSGIMiddleware as Starlette

        return Starlette(application(load))
    raise SystemExit(f"no way called {way!r}")


def __getattr__(name: str) -> Any:
    """``asgi_<load>`` and ``wsgi_<load>``, for servers that want the name of an application: granian and gunicorn."""
    kind, _, load = name.partition("_")
    if kind == "wsgi":
        return application(load)
    if kind == "asgi":
        return asgi_application("asgiway", load)
    raise AttributeError(name)


def serve(way: str, load: str, port: int) -> None:
    """In the server's own process."""
    if way == "waitress":
        import logging

        import waitress  # type: ignore[import-untyped]

        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        waitress.serve(application(load), host="127.0.0.1", port=port, threads=10, connection_limit=1000, _quiet=True)
        return
    import uvicorn

    app = asgi_application(way, load)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False, lifespan="off", loop="uvloop")


def _command(way: str, load: str, port: int) -> list[str]:
    module = "tests.benchmarks.adapter.servers"
    if way == "gunicorn":
        bind = ["--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "10", "--log-level", "error"]
        return [sys.executable, "-m", "gunicorn", *bind, f"{module}:wsgi_{load}"]
    if way.startswith("granian"):
        interface = "wsgi" if way == "granian wsgi" else "asgi"
        kind = "wsgi" if interface == "wsgi" else "asgi"
        options = ["--interface", interface, "--host", "127.0.0.1", "--port", str(port), "--log-level", "error"]
        return [sys.executable, "-m", "granian", *options, f"{module}:{kind}_{load}"]
    return [sys.executable, "-m", module, way, load, str(port)]


@dataclass(frozen=True)
class Server:
    """A running server."""

    way: str
    port: int
    process: psutil.Process

    def _tree(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]

    def cpu(self) -> float:
        """CPU seconds of the whole process tree so far, user and system."""
        total = 0.0
        for one in self._tree():
            times = one.cpu_times()
            total += times.user + times.system
        return total

    def rss(self) -> int:
        """Resident bytes of the whole process tree now."""
        return sum(one.memory_info().rss for one in self._tree())


class PeakMemory:
    """Samples a server's resident memory while a block runs; `growth` is the most above that at its begin, in bytes."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._before = server.rss()
        self._peak = self._before
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def _sample(self) -> None:
        while not self._done.wait(0.02):
            self._peak = max(self._peak, self._server.rss())

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def growth(self) -> int:
        return self._peak - self._before


@contextlib.contextmanager
def running(way: str, load: str, *, apart: bool = False) -> Generator[Server]:
    """A server that answers, for the time of the block.

    Parameters:
        way: one of WAYS, or of those named there.
        load: what it is to answer.
        apart: it has one core, and whoever called this another one, as where client and server are two machines. Else the
            system puts both on one where it can, and what the one writes the other finds in the cache.

    Raises:
        SystemExit: it did not start within 20 s, or there is one core only for two.
    """
    cores = sorted(os.sched_getaffinity(0))
    if apart and len(cores) < 2:
        raise SystemExit("client and server need a core each, and there is one only")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    if apart:
        os.sched_setaffinity(0, cores[-1:])  # a child inherits it
    server = subprocess.Popen(_command(way, load, port), cwd=ROOT)
    try:
        if apart:
            os.sched_setaffinity(0, cores[:1])
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > deadline or server.poll() is not None:
                    raise SystemExit(f"{way} did not start") from None
                time.sleep(0.05)
        yield Server(way, port, psutil.Process(server.pid))
    finally:
        os.sched_setaffinity(0, cores)
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))
