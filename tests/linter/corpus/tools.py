"""Ask each linter for its alarms on a folder of sources: the lines where it says that something blocks.

Only rules about blocking calls count: AW101 to AW113 and AW201, ruff's and flake8-async's ASYNC2xx. Every tool runs with nothing
but its defaults otherwise, and never inside the folder's own configuration.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Alarm", "ToolError", "asgiway_lint", "flake8_async", "ruff"]

_OURS = re.compile(r"AW1\d\d|AW201")
_THEIRS = re.compile(r"ASYNC2\d\d")


class ToolError(Exception):
    """A linter is not installed or failed; the text says which and what to do."""


@dataclass(frozen=True, slots=True, order=True)
class Alarm:
    """A line that a linter complains about, its code and what it says."""

    file: str
    line: int
    code: str
    text: str


def asgiway_lint(folder: Path, severity: str = "info") -> list[Alarm]:
    """Alarms of the asgiway-lint in this environment, over the whole folder, so that helpers in every file are seen."""
    command = [
        sys.executable,
        "-m",
        "asgiway_lint",
        "check",
        "--isolated",
        "--no-cache",
        "--exit-zero",
        "--no-respect-gitignore",
    ]
    found = json.loads(_run([*command, "--min-severity", severity, "--output-format", "json", str(folder)], (0,)))
    return _alarms(
        folder,
        (
            Alarm(item["filename"], item["location"]["row"], item["code"], f"{item['symbol']}: {item['message']}")
            for item in found
            if _OURS.fullmatch(item["code"])
        ),
    )


def ruff(folder: Path) -> list[Alarm]:
    """Alarms of ruff's ASYNC rules, those in preview included."""
    executable = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if executable is None:
        raise ToolError("ruff is not installed: pip install ruff")
    command = [executable, "check", "--isolated", "--no-cache", "--exit-zero", "--preview", "--select", "ASYNC2"]
    found = json.loads(_run([*command, "--no-respect-gitignore", "--output-format", "json", str(folder)], (0,)))
    return _alarms(
        folder,
        (
            Alarm(item["filename"], item["location"]["row"], item["code"] or item["name"], item["message"])
            for item in found
        ),
    )


def flake8_async(folder: Path, files: Iterable[str], executable: str = "flake8") -> list[Alarm]:
    """Alarms of flake8-async on these files: it looks at one file at a time and needs minutes for a large package.

    A file that it can't parse ends its run, so all of them have to be parsable by the Python it runs on.
    """
    if shutil.which(executable) is None:
        raise ToolError(f"{executable} not found: pip install flake8 flake8-async, and name it with --flake8")
    if "flake8-async" not in _run([executable, "--version"], (0,)):
        raise ToolError(f"{executable} has no flake8-async: pip install flake8-async beside it")
    paths = [str(folder / file) for file in sorted(set(files))]
    out = _run([executable, "--isolated", "--select", "ASYNC2", "--disable-noqa", *paths], (0, 1)) if paths else ""
    rows = [re.fullmatch(r"(.*?):(\d+):\d+: (\S+) (.*)", row) for row in out.splitlines()]
    return _alarms(
        folder,
        (Alarm(row[1], int(row[2]), row[3], row[4]) for row in rows if row and _THEIRS.fullmatch(row[3])),
    )


def _alarms(folder: Path, found: Iterable[Alarm]) -> list[Alarm]:
    home = folder.resolve()
    return sorted(
        Alarm(Path(alarm.file).resolve().relative_to(home).as_posix(), alarm.line, alarm.code, alarm.text)
        for alarm in found
    )


def _run(command: list[str], good: tuple[int, ...]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in good:
        raise ToolError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout
