"""The two servers of the comparison, each a process of its own, with the same application."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.adapter.differential.exchange import Server
from tests.adapter.server_process import serve_module
from tests.e2e.serving import PATIENCE, free_port

ROOT = Path(__file__).parents[3]
APP = "tests.adapter.differential.programs"
MODULE = (
    f"from asgiway import WSGIMiddleware\nfrom {APP} import app as legacy\n\napp = WSGIMiddleware(legacy, workers=2)\n"
)
# Whether forwarded headers are believed is the server's business, and waitress does not believe them.
OPTIONS = ("--http", "h11", "--loop", "asyncio", "--no-proxy-headers")
PYTHONPATH = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))


@contextlib.contextmanager
def _waitress(folder: Path) -> Generator[int]:
    port = free_port()
    command = [sys.executable, "-m", "waitress", f"--listen=127.0.0.1:{port}", "--threads=2", f"{APP}:app"]
    with (folder / "waitress.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            assert process.poll() is None, (folder / "waitress.log").read_text()
            assert time.monotonic() < deadline, "waitress does not listen"
            try:
                socket.create_connection(("127.0.0.1", port), PATIENCE).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Server, Server]]:
    """Return waitress, and uvicorn with the adapter."""
    folder = tmp_path_factory.mktemp("differential")
    with (
        _waitress(folder) as reference,
        serve_module(folder, MODULE, *OPTIONS, PYTHONPATH=PYTHONPATH) as ours,
    ):
        pair = Server("waitress", reference), Server("asgiway", int(ours.address.rpartition(":")[2]))
        yield pair
        for server in pair:
            server.hang_up()
