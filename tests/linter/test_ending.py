"""How the command ends when somebody ends it, or takes away what it writes to: no trace is left, and the exit code says the truth."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.linter.cli_support import BAD, GOOD, write

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no signals, other streams")

COMMAND = [sys.executable, "-m", "asgiway_lint"]
# One that waits, as soon as it runs, until it is ended: nobody writes to the pipe.
WAITING = [*COMMAND, "check", "pipe.py"]


# As for everybody: what streams do not take at once is tried again when the process ends.
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def shell(line: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell, in which $lint is the command."""
    return subprocess.run(
        ["sh", "-c", line],
        cwd=cwd,
        env={**BUFFERED, "lint": " ".join(COMMAND), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# ---- signals


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_it_with_one_line_and_so_that_the_caller_can_tell(tmp_path: Path, name: str) -> None:
    """A shell that runs it in a loop ends the loop only if the signal was the end of it."""
    os.mkfifo(tmp_path / "pipe.py")
    with subprocess.Popen(WAITING, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as running:
        with open(tmp_path / "pipe.py", "w"):  # returns when it reads
            running.send_signal(getattr(signal, name))
        _, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (-getattr(signal, name), "error: interrupted\n")


def test_a_signal_that_is_to_be_ignored_is(tmp_path: Path) -> None:
    """`nohup asgiway-lint ...`"""
    os.mkfifo(tmp_path / "pipe.py")
    with subprocess.Popen(
        ["sh", "-c", f"trap '' HUP; exec {' '.join(WAITING)}"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as running:
        with open(tmp_path / "pipe.py", "w") as pipe:
            running.send_signal(signal.SIGHUP)
            pipe.write(BAD)
        out, _ = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "pipe.py:8:5: AW101" in out


def test_a_second_ctrl_c_is_no_mess_either(tmp_path: Path) -> None:
    """While it puts things in order: an echo of the first is nothing new, and somebody in a hurry need not wait."""
    slow = (
        "import os, signal, sys, time\n"
        "from asgiway_lint import commandline\n"
        "from asgiway_lint.cli import main\n"
        "def run(argv):\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGINT); time.sleep(60)\n"
        "    finally:\n"
        "        os.kill(os.getpid(), signal.SIGINT); print('in order', flush=True)\n"
        "        if {hurry}: time.sleep(1.1); os.kill(os.getpid(), signal.SIGINT); print('too late', flush=True)\n"
        "commandline.run = run\n"
        "sys.exit(main())"
    )
    for hurry, complaint in ((False, "error: interrupted\n"), (True, "")):
        code = slow.format(hurry=hurry)
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
        assert (ran.returncode, ran.stdout, ran.stderr) == (-signal.SIGINT, "in order\n", complaint)


def test_output_that_nobody_reads_does_not_hold_up_the_end(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with open(writing, "wb", buffering=0) as pipe:
        while pipe.write(b"x" * 4096):
            pass  # until it is full
        os.set_blocking(writing, True)
        with subprocess.Popen([*COMMAND, "rules"], stdout=pipe, stderr=subprocess.PIPE, text=True) as running:
            time.sleep(0.5)
            running.send_signal(signal.SIGTERM)
            _, err = running.communicate(timeout=60)
    os.close(reading)
    assert (running.returncode, err) == (-signal.SIGTERM, "error: interrupted\n")


AT_REPLACE = """
import os, signal, sys
from asgiway_lint.cli import main
real, left = os.{moment}, [1]
def ended(*arguments):
    if left:
        left.pop()
        return real(*arguments)
    os.kill(os.getpid(), signal.{name})
    return real(*arguments)
os.{moment} = ended
sys.exit(main())
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("option", ["--fix", "--add-noqa"])
def test_a_signal_while_files_are_written_leaves_them_whole(tmp_path: Path, name: str, option: str) -> None:
    """Issue 5, section 5, with real signals: the second file is complete beside its original when one comes."""
    write(tmp_path, a_py=BAD, b_py=BAD, c_py=BAD)
    code = AT_REPLACE.format(moment="fsync", name=name)
    ran = subprocess.run(
        [sys.executable, "-c", code, "check", option, "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == -getattr(signal, name)
    assert ran.stderr.splitlines() == ["written: a.py", "not written: b.py, c.py", "error: interrupted"]
    assert sorted(os.listdir(tmp_path)) == ["a.py", "b.py", "c.py"]
    assert (tmp_path / "a.py").read_text() != BAD
    assert (tmp_path / "b.py").read_text() == (tmp_path / "c.py").read_text() == BAD


# ---- standard streams that are closed, or full


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("$lint check >&-", 1),
        ("$lint check 2>&-", 1),
        ("$lint check <&-", 1),
        ("$lint check <&- >&- 2>&-", 1),
        ("$lint check good.py >&- 2>&-", 0),
        ("$lint check --no-such-option 2>&-", 2),
        ("$lint check - <&-", 0),
        ("$lint 2>&-", 2),
        ("$lint --help >&-", 0),
        ("$lint rule AW101 >&-", 0),
        ("$lint check --quiet --diff >&-", 1),
        ("$lint check --quiet --fix - < a.py 2>&- >&-", 0),
        ("$lint server <&-", 1),
        ("$lint server <&- >&- 2>&-", 1),
    ],
)
def test_a_closed_stream_is_the_null_device(tmp_path: Path, line: str, code: int) -> None:
    """And no file that is opened gets what is meant for it: its number would be the closed stream's."""
    write(tmp_path, a_py=BAD, good_py=GOOD)
    ran = shell(line, tmp_path)
    assert (ran.returncode, ran.stderr) == (code, "")
    assert (tmp_path / "a.py").read_text() == BAD
    for path in (tmp_path / ".asgiway_lint_cache").glob("*"):
        assert b"AW1" not in path.read_bytes()[:100]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux")
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("$lint check missing.py good.py 2>/dev/full", 2),
        ("$lint check --no-such-option 2>/dev/full", 2),
        ("$lint 2>/dev/full", 2),
        ("$lint check --fix 2>/dev/full", 0),
        ("$lint check --add-noqa 2>/dev/full", 0),
    ],
)
def test_complaints_that_go_nowhere_change_nothing(tmp_path: Path, line: str, code: int) -> None:
    write(tmp_path, a_py=BAD, good_py=GOOD)
    assert shell(line, tmp_path).returncode == code


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux")
def test_a_fixed_standard_input_that_cannot_be_written(tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD)
    ran = shell("$lint check --fix - < a.py > /dev/full", tmp_path)
    assert ran.returncode == 2
    assert ran.stderr == f"error: cannot write to standard output: {os.strerror(errno.ENOSPC)}\n"
    write(tmp_path, a_py=BAD + "# more than a pipe holds\n" * 20_000)
    ran = shell("{ $lint check --fix-only --no-cache - < a.py; echo $? >&2; } | head -c 1", tmp_path)
    assert ran.stderr.splitlines()[-1] == "0"
    assert "Traceback" not in ran.stderr


# ---- memory


def test_a_lack_of_memory_is_a_sentence(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from asgiway_lint.commands import check\n"
        "from asgiway_lint.cli import main\n"
        "def run(arguments): raise MemoryError\n"
        "check.run = run\n"
        "sys.exit(main())"
    )
    ran = subprocess.run([sys.executable, "-c", code, "check"], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr.startswith("error: there is not enough memory; ")
    assert ran.stderr.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_a_cache_that_finds_no_room_is_told_once_and_costs_no_finding(tmp_path: Path) -> None:
    """Issue 4, section 4. A limit on the size of files stands for the disk; several processes come upon it."""
    for number in range(120):
        write(tmp_path, **{f"m{number}_py": BAD})
    code = (
        "import resource, signal, sys\n"
        "from asgiway_lint.cli import main\n"
        "sys.dont_write_bytecode = True\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n"
        "sys.exit(main())"
    )
    for jobs in ("1", "2"):
        ran = subprocess.run(
            [sys.executable, "-c", code, "check", "--jobs", jobs, "--output-format", "concise"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 1
        assert ran.stdout.count(" AW101 ") == 120
        assert ran.stderr.startswith("warning: the cache in ")
        assert ran.stderr.count("\n") == 1
