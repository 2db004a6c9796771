"""The way into a server's process beside the server: JSON lines over a unix socket, answered by threads of its own.

It works while the server, its loop or the adapter's threads are stuck, which is when a test needs it most. The server's
side is started by ``serve_control``, the test's side is ``Control``.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import socketserver
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from asgiway import WSGIMiddleware
from tests.adapter.wire_support.journal import PATIENCE, journal

__all__ = ["CONTROL_VARIABLE", "Control", "serve_control"]

CONTROL_VARIABLE = "WIRE_TEST_CONTROL"
"""Environment variable with the path of the socket."""


def _pool_state(adapter: WSGIMiddleware) -> dict[str, int]:
    # The one place that looks inside an adapter: tests wait for "one request is queued" instead of sleeping.
    pool = adapter._pool  # pyright: ignore[reportPrivateUsage]
    return {
        "threads": pool.threads,
        "idle": pool.idle,
        "queued": pool.queued,
        "in_flight": len(adapter._bridge.in_flight),  # pyright: ignore[reportPrivateUsage]
    }


def serve_control(adapters: Mapping[str, WSGIMiddleware]) -> None:
    """Answer commands about this process until it ends, if the environment names a socket to do it on."""
    path = os.environ.get(CONTROL_VARIABLE)
    if path is None:
        return

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for line in self.rfile:
                command = json.loads(line)
                try:
                    answer = {"result": self.answer(command.pop("do"), command)}
                except Exception as exc:
                    answer = {"error": f"{type(exc).__name__}: {exc}"}
                self.wfile.write(json.dumps(answer).encode() + b"\n")

        def answer(self, do: str, arguments: dict[str, Any]) -> Any:
            match do:
                case "values":
                    return journal.values(**arguments)
                case "wait":
                    return journal.wait(**arguments)
                case "release":
                    return journal.release(**arguments)
                case "pools":
                    return {name: _pool_state(adapter) for name, adapter in adapters.items()}
                case "threads":
                    return [thread.name for thread in threading.enumerate()]
                case "pid":
                    return os.getpid()
                case _:
                    raise ValueError(f"unknown command {do!r}")

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    Path(path).unlink(missing_ok=True)
    # A name of its own first: a test that sees the socket may use it.
    server = Server(path + ".new", Handler)
    Path(path + ".new").rename(path)
    threading.Thread(target=server.serve_forever, name="control", daemon=True).start()


class Control:
    """The test's side; one connection for each command, so that a waiting one holds up no other."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _ask(self, do: str, **arguments: Any) -> Any:
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
            connection.settimeout(PATIENCE + 10)
            connection.connect(str(self._path))
            connection.sendall(json.dumps({"do": do, **arguments}).encode() + b"\n")
            with connection.makefile("rb") as lines:
                line = lines.readline()
        if not line:
            raise EOFError("the server's process has ended")
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def values(self, key: str, event: str) -> list[Any]:
        """See Journal.values."""
        return cast("list[Any]", self._ask("values", key=key, event=event))

    def wait(self, key: str, event: str, count: int = 1) -> list[Any]:
        """See Journal.wait."""
        return cast("list[Any]", self._ask("wait", key=key, event=event, count=count))

    def release(self, key: str, gate: str = "go") -> None:
        """See Journal.release. A process that only waited for this may end before it can answer."""
        with contextlib.suppress(EOFError):
            self._ask("release", key=key, gate=gate)

    def pool(self, name: str) -> dict[str, int]:
        """Threads, idle ones, queued jobs and requests in flight of one adapter."""
        return cast("dict[str, int]", self._ask("pools")[name])

    def pools(self) -> dict[str, dict[str, int]]:
        """The same of all adapters of the process."""
        return cast("dict[str, dict[str, int]]", self._ask("pools"))

    def threads(self) -> list[str]:
        """Names of the threads alive."""
        return cast("list[str]", self._ask("threads"))

    def pid(self) -> int:
        """The process that runs the application: a child of the server's in hypercorn and granian."""
        return cast("int", self._ask("pid"))
