"""A page of documentation, and someone who follows it in an empty folder: the tests run exactly what readers copy.

```LANGUAGE FILE     a file that the reader makes; FILE is its name
```console           commands behind "$ ", each followed by what it prints
```sh                commands; in the README a comment in front names them
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.serving import PATIENCE, free_port

__all__ = ["ROOT", "Block", "Reader", "blocks_of"]

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(
    r"(?:<!-- line: (?P<line>\w+) -->\n)?^```(?P<language>\w+)(?: (?P<file>\S+))?\n(?P<text>.*?)^```$", re.M | re.S
)
_RUNNING = re.compile("Uvicorn running on")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page.

    Parameters:
        language, file: what stands behind its fence; no file: "".
        line: the name that a comment in front gives it, or "".
        text: what is inside.
    """

    language: str
    file: str
    line: str
    text: str

    @property
    def commands(self) -> list[tuple[str, str]]:
        """Of a console block: the commands with what each is said to print."""
        steps: list[tuple[str, str]] = []
        for row in self.text.splitlines(keepends=True):
            if row.startswith("$ "):
                steps.append((row[2:].rstrip("\n"), ""))
            else:
                command, output = steps[-1]
                steps[-1] = (command, output + row)
        return steps


def blocks_of(page: Path) -> list[Block]:
    """All blocks, in the page's order."""
    return [
        Block(found["language"], found["file"] or "", found["line"] or "", found["text"])
        for found in _FENCE.finditer(page.read_text("utf-8"))
    ]


class Reader:
    """Does what a page says. A server that it starts serves the commands that follow, until the next one starts.

    Parameters:
        folder: where; empty.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self._server: subprocess.Popen[bytes] | None = None
        self._log_file = folder.with_name(f"{folder.name}-server.log")
        self.environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(folder),
            "PYTHONUNBUFFERED": "1",
            "NO_COLOR": "1",
        }

    def here(self, text: str) -> str:
        """The page's port may be taken on this machine."""
        return (
            text.replace("localhost:8000", f"127.0.0.1:{self.port}")
            .replace(":8000", f":{self.port}")
            .replace("--port 8000", f"--port {self.port}")
        )

    @property
    def log(self) -> str:
        """What the server has written; pages show files without their folder."""
        return self._log_file.read_text("utf-8").replace(f"{self.folder}/", "")

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """What a command prints; a server's is what it has written when it serves. ``$PID`` is the server's process."""
        if next(word for word in command.split() if "=" not in word) == "uvicorn":
            return subprocess.CompletedProcess(command, 0, self._serve(command), "")
        pid = {"PID": str(self._server.pid)} if self._server is not None else {}
        return subprocess.run(
            ["bash", "-c", self.here(command)],
            cwd=self.folder,
            env=self.environment | pid,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )

    def _serve(self, command: str) -> str:
        self.stop()
        self.port = free_port()
        with self._log_file.open("wb") as log:
            self._server = subprocess.Popen(
                ["bash", "-c", f"exec env {self.here(command)}"],
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.wait_for(_RUNNING)
        return self.log

    def wait_for(self, expected: re.Pattern[str]) -> None:
        """Until it stands in the server's log."""
        deadline = time.monotonic() + 2 * PATIENCE
        while not expected.search(self.log):
            assert self._server is not None
            assert self._server.poll() is None, self.log
            assert time.monotonic() < deadline, f"{expected.pattern}\nis not in\n{self.log}"
            time.sleep(0.02)

    def stop(self) -> None:
        """End the server as Ctrl-C does; it must end in good order."""
        server, self._server = self._server, None
        if server is None:
            return
        server.send_signal(signal.SIGINT)
        try:
            server.wait(PATIENCE)
        finally:
            server.kill()
        assert "Traceback" not in self.log, self.log
        assert "Application shutdown complete." in self.log, self.log
        assert "Finished server process" in self.log, self.log
