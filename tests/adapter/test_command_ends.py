"""How the command `asgiway` ends when it is interrupted, or when what it writes to is closed or full."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no signals, other streams")

COMMAND = [sys.executable, "-m", "asgiway.cli"]
APP = """
import os, time
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"x"]
def stuck(environ, start_response):
    os.write(2, b"stuck\\n")
    time.sleep(600)
"""
STUCK = "import os, time\nos.write(2, b'stuck\\n')\ntime.sleep(600)\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "shop.py").write_text(APP)
    (tmp_path / "endless.py").write_text(STUCK)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [["conformance", "shop:stuck"], ["conformance", "endless:app"], ["routes", "endless:app"]],
    ids=["request", "import", "routes"],
)
def test_ctrl_c_ends_it_whatever_the_application_does(place: Path, arguments: list[str]) -> None:
    """The interpreter would wait for the thread that the application is stuck in."""
    with subprocess.Popen([*COMMAND, *arguments], cwd=place, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        while running.stderr.readline() != "stuck\n":
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        _, complaint = running.communicate(timeout=60)
    assert (running.returncode, complaint) == (-signal.SIGINT, "asgiway: interrupted\n")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("$asgiway conformance shop:app >&-", 0),
        ("$asgiway conformance shop:app <&- >&- 2>&-", 0),
        ("$asgiway version >&-", 0),
        ("$asgiway 2>&-", 2),
        ("$asgiway routes no_such:app 2>&-", 2),
        ("$asgiway routes no_such:app 2>/dev/full", 2),
        ("$asgiway 2>/dev/full", 2),
        ("{ $asgiway conformance shop:app; echo $? >&2; } | :", 0),
    ],
)
def test_streams_that_are_closed_or_full(place: Path, line: str, code: int) -> None:
    ran = shell(line, place)
    assert (ran.returncode, ran.stderr) == (code, "0\n" if "echo" in line else "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux")
@pytest.mark.parametrize("arguments", ["conformance shop:app", "version"])
def test_what_cannot_be_written_is_2(place: Path, arguments: str) -> None:
    ran = shell(f"$asgiway {arguments} >/dev/full", place)
    assert ran.returncode == 2
    assert ran.stderr == f"asgiway: cannot write to standard output: {os.strerror(errno.ENOSPC)}\n"


# As for everybody: what streams do not take at once is tried again when the process ends.
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def shell(line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of shell, in which $asgiway is the command."""
    return subprocess.run(
        ["sh", "-c", line],
        cwd=cwd,
        env={**BUFFERED, "asgiway": " ".join(COMMAND)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
