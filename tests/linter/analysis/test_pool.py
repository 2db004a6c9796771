"""The processes of a run end with it, whatever ends it: none is left behind to hold a terminal, a pipe or a CPU.

And the run does not end with them: what a killed one had to do is done by the one that is left.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from asgiway_lint.analysis.pool import Dealer
from asgiway_lint.errors import CrashError

# Each process says that it is there and then has more to do than any test waits for.
WORK = """
import os, sys, threading, time
from asgiway_lint.analysis.pool import Dealer

def make():
    def work(items):
        print(os.getpid(), flush=True)
        time.sleep({busy})
        return items
    return work

if __name__ == "__main__":
    if {spawn}:
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    for item in Dealer(make, (), 2).run(range(1)):
        print("first", flush=True)
        time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize("spawn", [False, True], ids=["forked", "spawned"])
@pytest.mark.parametrize("busy", [0, 600], ids=["idle", "at work"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
def test_no_process_outlives_a_killed_run(tmp_path: Path, spawn: bool, busy: int, number: signal.Signals) -> None:
    script = tmp_path / "script.py"
    script.write_text(WORK.format(busy=busy, spawn=spawn))
    # Whoever is left holds the pipe open: its end is the proof that none is.
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        assert run.stdout is not None
        assert int(run.stdout.readline()) != run.pid
        if not busy:
            assert run.stdout.readline() == "first\n"
        run.send_signal(number)
        try:
            rest, _ = run.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            pytest.fail("a process of the pool outlived the run")
    assert rest == ""
    assert run.returncode == -number


@pytest.mark.skipif(sys.platform == "win32", reason="no process groups")
@pytest.mark.parametrize("busy", [0, 600], ids=["idle", "at work"])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_ctrl_c_ends_all_at_once_and_only_the_first_one_says_so(tmp_path: Path, times: int, busy: int) -> None:
    """A terminal sends it to all processes; an impatient user sends it again while they are being ended."""
    script = tmp_path / "script.py"
    script.write_text(WORK.format(busy=busy, spawn=False))
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as run:
        assert run.stdout is not None
        run.stdout.readline()
        if not busy:
            assert run.stdout.readline() == "first\n"
        for _ in range(times):
            os.killpg(run.pid, signal.SIGINT)
        try:
            rest, complaint = run.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            pytest.fail("a process of the pool outlived the run")
    assert rest == ""
    assert complaint.count("Traceback (most recent call last)") <= times  # the script's own, which handles nothing
    assert run.returncode == -signal.SIGINT


def _doing(what: str, main: int) -> Callable[[Sequence[int]], list[int]]:
    """Work that goes wrong at the number 57 in a process that is not the `main` one."""

    def work(numbers: Sequence[int]) -> list[int]:
        if 57 in numbers and os.getpid() != main:
            if what == "bug":
                raise ValueError("57", numbers)
            if what == "memory":
                raise MemoryError
            faulthandler.disable()  # pytest's would print where
            os.kill(os.getpid(), getattr(signal, what))
        return [number * 2 for number in numbers]

    return work


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    """The process that deals out freezes what it has, too, as a run ends with it."""
    yield
    gc.unfreeze()


needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="no signals")


@needs_signals
@pytest.mark.parametrize("what", ["SIGKILL", "SIGTERM", "memory"])
def test_what_a_killed_process_had_to_do_is_done_all_the_same(what: str, caplog: pytest.LogCaptureFixture) -> None:
    """The kernel kills one when memory runs out. A clear sentence, no finding lost, none twice."""
    assert list(Dealer(_doing, (what, os.getpid()), 2).run(range(200))) == [2 * number for number in range(200)]
    assert [record.message.partition(";")[2] for record in caplog.records] == [" going on with one process"]
    assert what in caplog.text


HALF = """
import logging, os, signal
from asgiway_lint.analysis.pool import Dealer

class Half:
    def __init__(self, number):
        self.number = number

    def __reduce__(self):
        if self.number == 57 and os.getpid() != {main}:
            # Killed in the middle of a long message: this is how one begins, whichever of these is the connection.
            for descriptor in range(3, 64):
                try:
                    os.write(descriptor, bytes([0, 0, 255, 255]) + b"half")
                except OSError:
                    continue
            os.kill(os.getpid(), signal.SIGKILL)
        return Half, (self.number,)

def make():
    return lambda numbers: [Half(number) for number in numbers]

main = os.getpid()
logging.basicConfig(format="%(message)s")
print([half.number for half in Dealer(make, (), 2).run(range(200))] == list(range(200)))
"""


@needs_signals
def test_a_process_that_is_killed_in_the_middle_of_its_answer_holds_nobody_up() -> None:
    code = HALF.replace("{main}", "main")
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ran.stdout, ran.returncode) == ("True\n", 0), ran.stderr
    assert "(SIGKILL)" in ran.stderr


@needs_signals
def test_a_crash_is_not_repeated_but_told() -> None:
    """The same file would end the only process that is left."""
    with pytest.raises(CrashError, match=r"crashed \(SIGSEGV\).*--jobs 1"):
        list(Dealer(_doing, ("SIGSEGV", os.getpid()), 2).run(range(200)))


def test_an_error_in_a_process_comes_back_with_its_place() -> None:
    with pytest.raises(ValueError, match="57") as caught:
        list(Dealer(_doing, ("bug", os.getpid()), 2).run(range(200)))
    assert "in _doing" not in caught.value.__notes__[0]
    assert 'raise ValueError("57", numbers)' in caught.value.__notes__[0]


NO_MORE = """
import logging, os, resource, sys
sys.path.insert(0, {tests!r})
from asgiway_lint.analysis.pool import Dealer
import test_pool
resource.setrlimit(resource.RLIMIT_NOFILE, (6, 6))
logging.basicConfig(format="%(message)s")
print(list(Dealer(test_pool._doing, ("nothing", os.getpid()), 4).run(range(200))) == [2 * number for number in range(200)])
"""


@needs_signals
def test_where_no_process_can_be_started_the_only_one_does_everything() -> None:
    code = NO_MORE.format(tests=str(Path(__file__).parent))
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ran.stdout, ran.returncode) == ("True\n", 0), ran.stderr
    assert ran.stderr == "no more processes can be started (Too many open files); going on with one process\n"
