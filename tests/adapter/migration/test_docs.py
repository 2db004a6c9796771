"""`adapter/docs/migration.md` is true: its blocks are run in their order, its tables are compared with the code."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from asgiway.migration.conflicts import KINDS
from asgiway.migration.path_syntax import CONVERTERS
from tests.e2e.serving import PATIENCE, free_port

PAGE = (Path(__file__).parents[3] / "adapter" / "docs" / "migration.md").read_text("utf-8")
BLOCK = re.compile(r"^```(?P<language>\w+)(?: (?P<file>\S+))?\n(?P<text>.*?)^```$", re.M | re.S)
ENVIRONMENT = os.environ | {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "PYTHONUNBUFFERED": "1",
}


class Reader:
    """Someone who follows the page in an empty folder; a server runs until the next one starts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server: subprocess.Popen[str] | None = None
        self.port = 0

    def here(self, text: str) -> str:
        return text.replace(":8000", f":{self.port}").replace("--port 8000", f"--port {self.port}")

    def run(self, command: str, output: str) -> None:
        if command.startswith("uvicorn "):
            self.serve(command, output)
            return
        done = subprocess.run(
            ["bash", "-c", self.here(command)],
            cwd=self.folder,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.stdout == self.here(output), done.stderr

    def serve(self, command: str, output: str) -> None:
        self.stop()
        self.port = free_port()
        self.server = subprocess.Popen(
            self.here(command).split(),
            cwd=self.folder,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.server.stdout is not None
        seen = ""
        deadline = time.monotonic() + PATIENCE
        while "Uvicorn running on" not in seen:
            assert time.monotonic() < deadline, seen
            row = self.server.stdout.readline()
            assert row, seen
            seen += row
        assert output.strip() in seen

    def stop(self) -> None:
        if self.server is None:
            return
        self.server.send_signal(signal.SIGINT)
        output, _ = self.server.communicate(timeout=PATIENCE)
        self.server = None
        assert "Traceback" not in output
        assert "Application shutdown complete." in output
        assert "Finished server process" in output


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    someone = Reader(tmp_path)
    yield someone
    someone.stop()


def steps(text: str) -> list[tuple[str, str]]:
    """The commands of a console block, with what each is said to print."""
    found = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.M)
    assert found
    return found


@pytest.mark.wire
def test_the_blocks_in_their_order(reader: Reader) -> None:
    ran = 0
    for block in BLOCK.finditer(PAGE):
        if block["language"] == "python":
            (reader.folder / block["file"]).write_text(block["text"], "utf-8")
        else:
            assert block["language"] == "console"
            for command, output in steps(block["text"]):
                reader.run(command, output)
                ran += 1
    assert ran == 14


def test_every_kind_of_conflict_is_described() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (error|warning|info) \|", PAGE, re.M)
    assert dict(rows) == KINDS


def test_every_converter_is_named() -> None:
    sentence = PAGE[PAGE.index("with the converters") : PAGE.index('`"*"` stands')]
    assert set(re.findall(r"`(\w+)`", sentence)) == set(CONVERTERS)


def test_links_lead_to_headings() -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^## (.*)$", PAGE, re.M)
    }
    assert set(re.findall(r"\]\(#([^)]*)\)", PAGE)) == headings
