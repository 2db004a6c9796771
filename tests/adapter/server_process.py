"""A uvicorn process that serves a module written for one test, for what needs a process: signals, several workers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.e2e.serving import PATIENCE, free_port

__all__ = ["ServerProcess", "serve_module"]


class ServerProcess:
    """A running server; `address` has no slash at its end, `log` is what it has written to stdout and stderr."""

    def __init__(self, process: subprocess.Popen[bytes], address: str, log_file: Path) -> None:
        self.process = process
        self.address = address
        self._log_file = log_file

    @property
    def log(self) -> str:
        return self._log_file.read_text()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait_for_log(self, text: str, times: int = 1) -> str:
        """The log as soon as it has `text` in it."""
        deadline = time.monotonic() + PATIENCE
        while self.log.count(text) < times:
            assert time.monotonic() < deadline, f"{text!r} is not in the log:\n{self.log}"
            assert self.process.poll() is None, self.log
            time.sleep(0.02)
        return self.log


@contextmanager
def serve_module(
    folder: Path, source: str, *options: str, ready: str = "/", **environ: str
) -> Generator[ServerProcess]:
    """Serve ``app`` of the module `source`, in a folder of its own; `ready` is a path that answers when it is up."""
    (folder / "served.py").write_text(source)
    port = free_port()
    log_file = folder / "server.log"
    command = [sys.executable, "-W", "error", "-m", "uvicorn", "--app-dir", str(folder), "--host", "127.0.0.1"]
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--log-level", "warning", *options, "served:app"],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | environ,
        )
    try:
        server = ServerProcess(process, f"http://127.0.0.1:{port}", log_file)
        _wait_until_up(server, ready)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def _wait_until_up(server: ServerProcess, path: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        assert server.process.poll() is None, server.log
        assert time.monotonic() < deadline, server.log
        try:
            httpx.get(server.address + path)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
