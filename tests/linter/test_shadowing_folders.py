"""A project whose modules are called like the standard library's: none of them is imported, whichever way the linter is run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

NAMES = [
    "argparse", "ast", "concurrent", "contextlib", "dataclasses", "enum", "functools", "hashlib", "json", "logging",
    "multiprocessing", "pathlib", "pickle", "queue", "re", "signal", "socket", "sqlite3", "subprocess", "tempfile", "threading",
    "tokenize", "tomllib", "typing", "warnings",
]  # fmt: skip
BLOCKS = "import time\n\n\nasync def f():\n    time.sleep(1)\n"
# Run from elsewhere, as the command is, but with a second thread: then other processes are started afresh.
SPAWNS = """\
import sys
import threading

from asgiway_lint.cli import main

if __name__ == "__main__":
    done = threading.Event()
    threading.Thread(target=done.wait).start()
    code = main(sys.argv[1:])
    done.set()
    sys.exit(code)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.py").write_text(f"raise SystemExit('imported: {name}')\n", "utf-8")
    (folder / "app.py").write_text(BLOCKS, "utf-8")
    return folder


def run(project: Path, *command: str) -> str:
    arguments = ["check", ".", "--isolated", "--no-cache", "--output-format", "concise", "--jobs", "2"]
    done = subprocess.run(
        [sys.executable, *command, *arguments], cwd=project, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def test_as_a_module(project: Path) -> None:
    assert "app.py:5:5: AW101" in run(project, "-m", "asgiway_lint")


def test_as_a_module_where_the_folder_is_left_out_already(project: Path) -> None:
    assert "app.py:5:5: AW101" in run(project, "-P", "-m", "asgiway_lint")


def test_with_processes_that_start_afresh(project: Path, tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SPAWNS, "utf-8")
    assert "app.py:5:5: AW101" in run(project, str(script))
