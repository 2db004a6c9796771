"""The servers of the comparison, each a process of its own, with the same application."""

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
PARSERS = {
    "h11": ("--http", "h11", "--loop", "asyncio"),
    "httptools": ("--http", "httptools", "--loop", "uvloop"),
}
# Whether forwarded headers are believed is the server's business, and the others do not believe them.
OPTIONS = ("--no-proxy-headers",)
REFERENCES = {
    "waitress": ("waitress", "--listen=127.0.0.1:{port}", "--threads=2", f"{APP}:app"),
    "gunicorn": (
        "gunicorn",
        "--bind=127.0.0.1:{port}",
        "--worker-class=gthread",
        "--threads=2",
        "--keep-alive=1",
        f"{APP}:app",
    ),
}
PYTHONPATH = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))


@contextlib.contextmanager
def _running(reference: str, folder: Path) -> Generator[Server]:
    port = free_port()
    command = [sys.executable, "-m", *(word.format(port=port) for word in REFERENCES[reference])]
    log_path = folder / f"{reference}.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            assert process.poll() is None, log_path.read_text()
            assert time.monotonic() < deadline, f"{reference} does not listen"
            try:
                socket.create_connection(("127.0.0.1", port), PATIENCE).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        server = Server(reference, port)
        yield server
        server.hang_up()
    finally:
        process.terminate()
        process.wait(PATIENCE)


@contextlib.contextmanager
def _adapter(parser: str, folder: Path) -> Generator[Server]:
    folder = folder / parser
    folder.mkdir()
    with serve_module(folder, MODULE, *PARSERS[parser], *OPTIONS, PYTHONPATH=PYTHONPATH) as process:
        server = Server(parser, int(process.address.rpartition(":")[2]))
        yield server
        server.hang_up()


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Generator[dict[str, Server]]:
    """Return all servers by name: the references, and uvicorn with the adapter by the name of its parser."""
    folder = tmp_path_factory.mktemp("differential")
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(_running(reference, folder)) for reference in REFERENCES]
        running += [stack.enter_context(_adapter(parser, folder)) for parser in PARSERS]
        yield {server.name: server for server in running}
