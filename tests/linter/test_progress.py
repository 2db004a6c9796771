"""The progress bar: there when a run takes long and somebody watches, and gone at the end."""

from __future__ import annotations

import io
import logging
import os
import pty
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from asgiway_lint import progress
from asgiway_lint.progress import with_progress
from tests.linter.cli_support import read_all, write

CLEAR = "\r\x1b[K"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    monkeypatch.setattr(progress, "_PAUSE", 0.0)


def drawn(total: int, *, colour: bool = False, stop_after: int | None = None) -> str:
    stream = io.StringIO()
    for number in with_progress(range(total), total, stream, colour=colour):
        if number == stop_after:
            break
    return stream.getvalue()


@pytest.mark.usefixtures("impatient")
def test_it_grows_and_goes_away() -> None:
    text = drawn(4)
    assert re.findall(r"(\d)/4 files", text) == ["1", "2", "3"]
    assert text.count("#") > 0
    assert text.endswith(CLEAR)


@pytest.mark.usefixtures("impatient")
def test_colour_is_all_that_colour_changes() -> None:
    assert "\x1b[32m" in drawn(4, colour=True)
    assert re.sub(r"\x1b\[\d+m", "", drawn(4, colour=True)) == drawn(4)


def test_nobody_sees_it_within_the_first_second() -> None:
    assert drawn(1000) == ""


@pytest.mark.usefixtures("impatient")
def test_it_goes_away_when_the_run_does_not_end_well() -> None:
    stream = io.StringIO()
    bar = with_progress(range(9), 9, stream, colour=False)
    next(bar)
    assert "1/9" in stream.getvalue()
    bar.close()
    assert stream.getvalue().endswith(CLEAR)


@pytest.mark.usefixtures("impatient")
def test_what_is_logged_meanwhile_gets_a_line_of_its_own() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("asgiway_lint")
    logger.addHandler(handler)
    try:
        for number in with_progress(range(4), 4, stream, colour=False):
            if number == 1:
                logger.warning("careful")
    finally:
        logger.removeHandler(handler)
    assert f"2/4 files{CLEAR}careful\n{CLEAR}Checking" in stream.getvalue()
    assert handler.filters == []


class Gone(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")


@pytest.mark.usefixtures("impatient")
def test_a_terminal_that_is_gone_stops_nothing() -> None:
    assert list(with_progress(range(4), 4, Gone(), colour=False)) == [0, 1, 2, 3]


def on_terminal(tmp_path: Path, *arguments: str, patience: float = 0.05, **variables: str) -> tuple[str, str]:
    """Run a check of three files that takes longer than `patience`; return what stderr, a terminal, and stdout, a pipe, got."""
    write(tmp_path, a_py="async def f(): pass\n", c_py="import time\nasync def f(): time.sleep(1)\n")
    if not (tmp_path / "b.py").exists():
        os.mkfifo(tmp_path / "b.py")  # a file that cannot be read before somebody writes it
    main_end, other_end = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    names = ["a.py", "b.py", "c.py"]
    with subprocess.Popen(
        [sys.executable, "-c", _SLOWLY, "check", "--no-cache", *arguments, *names],
        cwd=tmp_path,
        env={**environment, "TERM": "xterm", "PATIENCE": str(patience), **variables},
        stdout=subprocess.PIPE,
        stderr=other_end,
        text=True,
    ) as running:
        os.close(other_end)

        def write_late() -> None:
            while running.poll() is None:
                try:
                    writing = os.open(tmp_path / "b.py", os.O_WRONLY | os.O_NONBLOCK)
                except OSError:  # nobody reads it yet
                    time.sleep(0.01)
                    continue
                time.sleep(patience + 0.2)
                os.write(writing, b"async def f(): pass\n")
                os.close(writing)
                return

        writer = threading.Thread(target=write_late)
        writer.start()
        text = b"".join(read_all(main_end)).decode()
        writer.join()
        assert running.stdout is not None
        out = running.stdout.read()
    os.close(main_end)
    return text, out


# One file at a time, instead of a hundred between two looks at the clock.
_SLOWLY = """
import os, sys
from asgiway_lint import progress
from asgiway_lint.analysis import run
assert progress._PATIENCE == 1
progress._PATIENCE = float(os.environ["PATIENCE"])
run._BATCH = 1
from asgiway_lint.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_on_a_terminal(tmp_path: Path) -> None:
    """Issue 5, section 2: a progress bar on a terminal when a run takes longer than a second; NO_COLOR; quiet."""
    shown, out = on_terminal(tmp_path, patience=1)
    assert "Checking [\x1b[32m" in shown
    assert "2/3 files" in shown
    assert shown.endswith(CLEAR)
    assert out.startswith("c.py:2:16: AW101 ")
    plain, _ = on_terminal(tmp_path, NO_COLOR="1")
    assert "\x1b[32m" not in plain
    assert "2/3 files" in plain
    assert on_terminal(tmp_path, "--quiet")[0] == ""
    assert on_terminal(tmp_path, TERM="dumb")[0] == ""
