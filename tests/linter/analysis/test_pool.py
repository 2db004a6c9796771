"""The processes of a run end with it, whatever ends it: none is left behind to hold a terminal, a pipe or a CPU."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

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
