"""What the tests of the command line share: sources, runs in this process, in another one, and on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

BAD = """\
import os
import time

import requests


async def rates():
    time.sleep(1)
    os.stat("x")
    return requests.get("https://rates.example")
"""
GOOD = """\
import asyncio


async def rates():
    await asyncio.sleep(1)
"""


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def findings(self) -> list[str]:
        """Path and code of what was found, from concise output."""
        return [f"{line.split(':')[0]} {line.split()[1]}" for line in self.out.splitlines() if ": AW" in line]


Lint = Callable[..., Ran]


def process(*arguments: str, cwd: Path, input: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "asgiway_lint", *arguments],
        cwd=cwd,
        input=input,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_toml", ".toml").replace("_py", ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def in_terminal(arguments: Sequence[str], cwd: Path, **variables: str) -> str:
    """What the command line prints on a terminal."""
    main_end, other_end = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    running = subprocess.Popen(
        [sys.executable, "-m", "asgiway_lint", *arguments],
        cwd=cwd,
        stdout=other_end,
        env={**environment, "TERM": "xterm", "COLUMNS": "60", **variables},
    )
    os.close(other_end)
    with running:
        text = b"".join(read_all(main_end))
    os.close(main_end)
    return text.decode().replace("\r\n", "\n")


def read_all(descriptor: int) -> Iterator[bytes]:
    while True:
        try:
            data = os.read(descriptor, 65536)
        except OSError:  # EIO: the other end is closed
            return
        if not data:
            return
        yield data
