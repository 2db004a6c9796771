"""Serves an ASGI application by uvicorn in a thread of this process, or by any server in a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import httpx
import uvicorn

__all__ = ["PATIENCE", "ServerProcess", "free_port", "serve", "until"]

PATIENCE = 10.0
"""Seconds after which a test that waits has failed."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Any, what: str = "") -> None:
    """Wait until `condition()` holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.01)


@contextlib.contextmanager
def serve(app: Any, **options: Any) -> Generator[httpx.Client]:
    """Serve with uvicorn in a thread; `options` are uvicorn's. Gives a client whose base URL is the server."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", lifespan=options.pop("lifespan", "on"), ws="wsproto", **options)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    until(lambda: server.started or not thread.is_alive(), "uvicorn starts")
    assert server.started
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=PATIENCE) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        listener.close()
        assert not thread.is_alive(), "uvicorn does not end"


class ServerProcess:
    """A server in a process of its own.

    Parameters:
        command: what to run; the first word is a module for ``python -m``; "{port}" stands for the port.
        folder: the working directory; also where its log goes.
        environment: in addition to this process's.
    """

    def __init__(self, command: Sequence[str], folder: Path, environment: dict[str, str] | None = None) -> None:
        self.port = free_port()
        self.folder = folder
        self._log = folder / f"server-{self.port}.log"
        words = [word.replace("{port}", str(self.port)) for word in command]
        path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=PATIENCE)
        try:
            until(self._listens, f"{words[0]} listens")
        except BaseException:
            self.kill()
            raise

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text("utf-8", "replace")

    def _listens(self) -> bool:
        assert self._process.poll() is None, f"the server has ended:\n{self.log}"
        try:
            # A whole request: some servers listen before they have loaded the application.
            return self.http.get("/").status_code > 0
        except httpx.TransportError:
            return False

    def connect(self) -> socket.socket:
        """A connection for raw requests."""
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)

    def stop(self, *, errors_in_log: bool = False) -> None:
        """End it as an init system does, and expect that it ends well, and has logged no errors unless there may be."""
        self.http.close()
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not end after SIGTERM:\n{self.log}") from None
        assert code in (0, -signal.SIGTERM, 128 + signal.SIGTERM), f"exit code {code}:\n{self.log}"
        assert errors_in_log or "Traceback" not in self.log, self.log

    def kill(self) -> None:
        """End it and its workers by force. It leads a process group that nothing else belongs to."""
        self.http.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
