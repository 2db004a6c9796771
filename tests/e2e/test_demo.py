"""``asgiway demo`` as a user runs it: a process of its own, in a folder like a clone, ended by real signals."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import venv
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import anyio
import asgiref
import httpx
import idna
import pytest
import typing_extensions

from tests.e2e.serving import wait_until
from tests.e2e.shop_clients import CUSTOMER, basic

pytestmark = pytest.mark.wire

ROOT = Path(__file__).parents[2]
SECONDS = 120  # for a run as a whole; a safety net
CHECKS = ["shop", "errors", "sign-in", "json", "export", "files", "native", "load", "lint"]
COMMAND = (sys.executable, "-m", "asgiway.cli", "demo")


def environment(**extra: str) -> dict[str, str]:
    """Return this environment without what would lead the demo elsewhere."""
    kept = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "RATES_URL", "SHOP_FOLDER")}
    return kept | {"PYTHONUNBUFFERED": "1"} | extra


def run(folder: Path, *arguments: str, command: tuple[str, ...] = COMMAND) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a folder with sample_apps in it, as a clone has them."""
    folder = tmp_path / "clone"
    shutil.copytree(ROOT / "sample_apps", folder / "sample_apps", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


class Demo:
    """A demonstration that is running: its address, and what it has printed so far."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "--port", "0"],
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        wait_until(lambda: "still running" in self.output or self.process.poll() is not None, "the tour is printed")
        found = re.search(r"http://127\.0\.0\.1:(\d+)/ ", self.output)
        assert found, self.output
        self.port = int(found[1])
        self.address = f"http://127.0.0.1:{self.port}"

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.output += line

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        """Wait for the end and return the exit code."""
        code = self.process.wait(SECONDS)
        self._reader.join()
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout
        self.process.stdout.close()


@contextmanager
def running(folder: Path) -> Generator[Demo]:
    demo = Demo(folder)
    try:
        yield demo
    finally:
        demo.close()


# --- --once


def test_once_checks_every_answer_and_can_be_repeated(clone: Path) -> None:
    for _ in range(2):
        done = run(clone, "--once")
        assert done.returncode == 0, done.stdout + done.stderr
        lines = done.stdout.splitlines()
        assert [line.split()[:2] for line in lines[:-1]] == [["ok", name] for name in CHECKS]
        assert lines[-1] == f"{len(CHECKS)} of {len(CHECKS)} checks passed."
        assert done.stderr == ""
    assert {path.name for path in clone.iterdir()} == {"sample_apps", ".asgiway-demo"}
    assert list((clone / ".asgiway-demo" / "uploads").iterdir()) == []


def test_once_fails_when_an_answer_is_wrong(clone: Path) -> None:
    page = clone / "sample_apps" / "flask_shop" / "templates" / "front_page.html"
    page.write_text(page.read_text().replace("Parts that outlast the winter.", "Coming soon"))
    router = clone / "sample_apps" / "shop_async" / "routers" / "rates.py"
    router.write_text(router.read_text().replace("pause(0.01)  #", "await asyncio.sleep(0.01)  #"))
    done = run(clone, "--once")
    assert done.returncode == 1
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert [line.split()[1] for line in failed] == ["shop", "lint"]
    assert "the front page is not the shop's" in failed[0]
    assert "missed routers/rates.py" in failed[1]
    assert done.stdout.splitlines()[-1] == f"{len(CHECKS) - 2} of {len(CHECKS)} checks passed."


# --- serving


def upload_head(length: int) -> bytes:
    """Return the head of an upload by a customer, for a body of that length."""
    signed_in = basic(CUSTOMER)["Authorization"]
    return (
        f"PUT /api/files/raw.bin HTTP/1.1\r\nHost: shop\r\nContent-Length: {length}\r\nAuthorization: {signed_in}\r\n\r\n"
    ).encode()


def whole_answer(connection: socket.socket) -> bytes:
    """Head and body of an answer with a Content-Length; they need not come in one piece."""
    answer = b""
    while piece := connection.recv(65536):
        answer += piece
        head, end, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)^content-length: (\d+)", head, re.MULTILINE)
        if end and length is not None and len(body) >= int(length[1]):
            break
    return answer


def test_it_shows_what_to_try_lints_and_drains_on_ctrl_c(clone: Path) -> None:
    """A download and an upload are under way when Ctrl-C comes: both are finished, then the process ends with 0."""
    with running(clone) as demo, httpx.Client(base_url=demo.address, trust_env=False, timeout=60) as client:
        assert f"curl '{demo.address}/api/products?per_page=2'" in demo.output
        assert "requests.get" in demo.output
        assert re.search(r"^Found \d+ errors", demo.output, re.MULTILINE)
        assert client.get("/native/rates").json()["base"] == "EUR"

        with socket.create_connection(("127.0.0.1", demo.port), timeout=60) as upload:
            upload.sendall(upload_head(200_000) + bytes(100_000))
            with client.stream("GET", "/export/movements.csv") as export:
                pieces = export.iter_raw(1024)
                content = next(pieces)
                demo.send(signal.SIGINT)
                wait_until(lambda: "Draining" in demo.output, "the signal was noticed")
                upload.sendall(bytes(100_000))
                answer = whole_answer(upload)
                content += b"".join(pieces)
        assert answer.startswith(b"HTTP/1.1 201 ")
        assert b'"size_bytes":200000' in answer
        assert content.count(b"\n") == 100_001
        assert demo.ended() == 0
        assert demo.output.endswith("Drained and ended.\n")
        assert "Traceback" not in demo.output
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", demo.port), timeout=5)


def test_sigterm_ends_it_in_the_same_way(clone: Path) -> None:
    with running(clone) as demo:
        demo.send(signal.SIGTERM)
        assert demo.ended() == 0
        assert demo.output.endswith("Drained and ended.\n")
        assert "Traceback" not in demo.output


def test_a_second_ctrl_c_ends_at_once(clone: Path) -> None:
    with running(clone) as demo, socket.create_connection(("127.0.0.1", demo.port), timeout=60) as upload:
        upload.sendall(upload_head(9) + b"1")
        upload.settimeout(0.5)
        with pytest.raises(TimeoutError):
            upload.recv(1)  # the application waits for the rest, so this request cannot be drained
        demo.send(signal.SIGINT)
        wait_until(lambda: "Draining" in demo.output, "the first signal was noticed")
        demo.send(signal.SIGINT)
        assert demo.ended() == 0
        assert demo.output.endswith("Ended; requests under way were cut off.\n")
        assert "Traceback" not in demo.output


@pytest.mark.parametrize(("arguments", "code"), [(["--port", "0"], 0), (["--once"], 130)])
def test_a_signal_during_the_start_ends_it_without_a_traceback(clone: Path, arguments: list[str], code: int) -> None:
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=clone, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_until((clone / ".asgiway-demo").exists, "the demo has begun to prepare its data")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == code, output + errors
    assert "Traceback" not in errors
    assert "checks passed" not in output


# --- what has to be put right first: one sentence, exit code 2


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("asgiway demo: ")
    assert done.stderr.count("\n") == 1, f"one sentence: {done.stderr}"
    return done.stderr


def test_a_taken_port_is_named(clone: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = complaint(run(clone, "--port", str(port)))
    assert f"port {port} on 127.0.0.1 is taken" in text
    assert "--port" in text


def test_an_address_of_another_machine_is_refused(clone: Path) -> None:
    assert "cannot listen on 192.0.2.1 port 0" in complaint(run(clone, "--host", "192.0.2.1", "--port", "0"))


def test_a_folder_that_cannot_be_written_is_named(clone: Path) -> None:
    """A file of that name stands in the way: permissions do not stop root, who may run the tests."""
    (clone / ".asgiway-demo").write_text("in the way")
    assert f"cannot write to {clone / '.asgiway-demo'}" in complaint(run(clone, "--once"))


def test_data_that_is_broken_is_named(clone: Path) -> None:
    (clone / ".asgiway-demo").mkdir()
    (clone / ".asgiway-demo" / "shop.sqlite").write_bytes(b"this is no database" * 1000)
    text = complaint(run(clone, "--once"))
    assert "file is not a database" in text
    assert "remove that folder" in text


def test_a_folder_without_sample_apps_says_where_to_get_them(tmp_path: Path) -> None:
    text = complaint(run(tmp_path))
    assert f"no sample_apps/bridge.py in {tmp_path}" in text
    assert "clone asgiway's repository" in text


def test_a_missing_extra_is_named(clone: Path, tmp_path: Path) -> None:
    """In an environment that has what the core install brings, and nothing else."""
    venv.create(tmp_path / "core", with_pip=False, symlinks=True)
    python = tmp_path / "core" / "bin" / "python"
    purelib = sysconfig.get_path("purelib", scheme="venv", vars={"base": str(tmp_path / "core")})
    for module in (anyio, asgiref, idna, typing_extensions):
        assert module.__file__
        source = Path(module.__file__)
        source = source.parent if source.name == "__init__.py" else source
        Path(purelib, source.name).symlink_to(source)
    Path(purelib, "asgiway.pth").write_text(f"{ROOT / 'adapter'}\n{ROOT / 'linter'}\n")
    text = complaint(run(clone, "--once", command=(str(python), "-m", "asgiway.cli", "demo")))
    assert "uvicorn, fastapi, flask, httpx, requests, libcst and pathspec are not installed" in text
    assert "pip install 'asgiway[demo]'" in text


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_a_port_that_is_none_is_refused(port: str, tmp_path: Path) -> None:
    done = run(tmp_path, f"--port={port}")
    assert done.returncode == 2
    assert f"'{port}' is not a port" in done.stderr


# --- the command itself


@pytest.mark.parametrize("arguments", [["--help"], ["demo", "--help"], ["version"], ["--version"]])
def test_help_and_version_import_none_of_the_extras(arguments: list[str]) -> None:
    program = (
        "import sys; from asgiway.cli import main; code = main(sys.argv[1:]); "
        "loaded = [name for name in ('uvicorn', 'flask', 'fastapi', 'httpx', 'libcst', 'asgiway_lint') if name in sys.modules]; "
        "sys.exit(code or (f'imported: {loaded}' if loaded else 0))"
    )
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "asgiway" in done.stdout


def test_no_command_at_all_shows_the_help_and_is_an_error(tmp_path: Path) -> None:
    done = run(tmp_path, command=(sys.executable, "-m", "asgiway.cli"))
    assert done.returncode == 2
    assert "demo" in done.stderr
