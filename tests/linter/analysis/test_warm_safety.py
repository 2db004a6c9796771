"""What is kept of a run survives other runs, a crash half-way, damage and a folder that cannot be written: findings never suffer."""

from __future__ import annotations

import logging
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from asgiway_lint.analysis import warm
from asgiway_lint.analysis.run import FileReport, check_files
from asgiway_lint.config import Settings

HELPER = "import time\n\ndef load(path):\n    time.sleep(1)\n    return open(path)\n"
USER = "from helper import load\n\nasync def user{0}():\n    load('{0}')\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "helper.py").write_text(HELPER)
    for number in range(12):
        (tmp_path / f"user{number}.py").write_text(USER.format(number))
    return tmp_path


def check(root: Path, *, cache: bool = True, jobs: int = 1) -> list[FileReport]:
    settings = Settings(root=root, src=(root,), cache_dir=root / ".cache")
    return list(check_files(sorted(root.glob("*.py")), lambda _: settings, cache=cache, jobs=jobs))


def rows(project: Path, change: Callable[[bytes], bytes]) -> int:
    """Change every record of the store, its checksum included or not; how many there are."""
    with sqlite3.connect(project / ".cache" / "facts.db") as connection:
        found = connection.execute("SELECT key, data FROM facts").fetchall()
        connection.executemany("UPDATE facts SET data = ? WHERE key = ?", [(change(data), key) for key, data in found])
    connection.close()
    return len(found)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[:-1] + bytes([data[-1] ^ 1]), id="a bit"),
        pytest.param(lambda data: data[: len(data) // 2], id="cut off"),
        pytest.param(lambda _: b"", id="empty"),
    ],
)
@pytest.mark.parametrize("edited", [False, True])
def test_damaged_records(project: Path, damage: Callable[[bytes], bytes], edited: bool) -> None:
    check(project)
    assert rows(project, damage) > 12
    if edited:
        (project / "helper.py").write_text(HELPER.replace("time.sleep(1)", "pass"))
    expected = check(project, cache=False)
    assert check(project) == expected
    assert check(project) == expected


def test_what_ties_files_together_is_lost(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows then whom a change concerns, so it concerns all."""
    with monkeypatch.context() as patch:
        patch.setattr(warm, "_ties_key", lambda _: b"somewhere else")
        check(project)
    (project / "helper.py").write_text(HELPER.replace("time.sleep(1)", "pass"))
    assert check(project) == check(project, cache=False)


RUN = """
import sys
from pathlib import Path
from asgiway_lint.analysis.run import check_files
from asgiway_lint.config import Settings
root = Path(sys.argv[1])
settings = Settings(root=root, src=(root,), cache_dir=root / ".cache")
for _ in range(int(sys.argv[2])):
    reports = list(check_files(sorted(root.glob("*.py")), lambda _: settings, jobs=int(sys.argv[3])))
print(sum(len(report.findings) for report in reports))
"""


def start(project: Path, times: int, jobs: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(project), str(times), str(jobs)], stdout=subprocess.PIPE, text=True
    )


def test_two_runs_at_once_and_edits_between(project: Path) -> None:
    runs = [start(project, 8, jobs) for jobs in (1, 2)]
    for number in range(6):
        (project / "helper.py").write_text(HELPER + f"\ndef more{number}():\n    time.sleep(2)\n")
        time.sleep(0.1)
    for run in runs:
        out, _ = run.communicate(timeout=120)
        assert run.returncode == 0
        assert int(out) >= 12
    assert check(project) == check(project, cache=False)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_crash_half_way(project: Path, jobs: int) -> None:
    """Killed at any moment, a run leaves a store that the next one can use."""
    expected = check(project, cache=False)
    for delay in (0.15, 0.25, 0.35):
        run = start(project, 50, jobs)
        time.sleep(delay)
        run.send_signal(signal.SIGKILL)
        run.communicate(timeout=60)
        assert check(project) == expected
    (project / "helper.py").write_text(HELPER.replace("time.sleep(1)", "pass"))
    assert check(project) == check(project, cache=False)


def test_a_store_that_is_locked_for_good(
    project: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody else holds it: the run goes on without, and says so."""
    expected = check(project)
    monkeypatch.setattr("asgiway_lint.project.cache._BUSY_SECONDS", 0.1)
    connection = sqlite3.connect(project / ".cache" / "facts.db", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    with caplog.at_level(logging.WARNING):
        assert check(project) == expected
    connection.close()
    assert "without a cache" in caplog.text
    assert check(project) == expected
