"""`adapter/docs/operations.md` is true: its blocks are run in their order, its tables are compared with the code."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from asgiway import WSGIMiddleware
from asgiway.environment import settings_from, variables
from asgiway.metrics import Metrics
from asgiway.observe import Outcome, Rejection
from asgiway.settings import Settings
from tests.e2e.serving import PATIENCE, free_port

PAGE = (Path(__file__).parents[2] / "adapter" / "docs" / "operations.md").read_text("utf-8")
BLOCK = re.compile(r"^```(?P<language>\w+)(?: (?P<file>\S+))?\n(?P<text>.*?)^```$", re.M | re.S)

# What differs from run to run: decimals, and ids that were made.
VARYING = re.compile(r"\d+\\\.\d+|[0-9a-f]{32}")


@dataclass(frozen=True)
class Block:
    language: str
    file: str
    text: str


def blocks() -> list[Block]:
    return [Block(found["language"], found["file"] or "", found["text"]) for found in BLOCK.finditer(PAGE)]


def pattern(text: str) -> re.Pattern[str]:
    """What is printed, but for what varies."""
    escaped = re.escape(text.strip("\n"))
    return re.compile(VARYING.sub(lambda found: r"\d+\.\d+" if "." in found[0] else "[0-9a-f]{32}", escaped))


def table(first_header: str) -> list[list[str]]:
    """The rows of the table with that header, cell by cell."""
    lines = PAGE[PAGE.index(f"| {first_header} |") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]*)`", cell)


class Reader:
    """Someone who follows the page in an empty folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(folder),
        }

    def here(self, text: str) -> str:
        return text.replace("localhost:8000", f"127.0.0.1:{self.port}").replace("--port 8000", f"--port {self.port}")

    @property
    def log(self) -> str:
        # The page shows files without their folder.
        return (self.folder / "server.log").read_text().replace(f"{self.folder}/", "")

    def run(self, command: str) -> str:
        words = [word for word in command.split() if "=" not in word]
        if words[0] == "uvicorn":
            self.start(self.here(command))
            return ""
        pid = {"PID": str(self.server.pid)} if self.server is not None else {}
        done = subprocess.run(
            ["bash", "-c", self.here(command)],
            cwd=self.folder,
            env=self.environment | pid,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.stderr == ""
        return done.stdout

    def start(self, command: str) -> None:
        with (self.folder / "server.log").open("wb") as log:
            self.server = subprocess.Popen(
                ["bash", "-c", f"exec env {command}"],
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.wait_for(re.compile("Uvicorn running on"))

    def wait_for(self, expected: re.Pattern[str]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not expected.search(self.log):
            assert self.server is not None
            assert self.server.poll() is None, self.log
            assert time.monotonic() < deadline, f"{expected.pattern}\nis not in\n{self.log}"
            time.sleep(0.05)

    def stop(self) -> None:
        if self.server is not None:
            self.server.send_signal(signal.SIGINT)
            self.server.wait(PATIENCE)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    someone = Reader(tmp_path)
    yield someone
    someone.stop()


def test_the_blocks_in_their_order(reader: Reader) -> None:
    ran = checked = 0
    for block in blocks():
        if block.file:
            (reader.folder / block.file).write_text(block.text, "utf-8")
    for block in blocks():
        if block.language == "console":
            steps = re.split(r"^\$ ", block.text, flags=re.M)[1:]
            for step in steps:
                command, _, output = step.partition("\n")
                printed = reader.run(command)
                assert pattern(output).fullmatch(printed.strip("\n")), f"{command}\nprinted\n{printed}"
                ran += 1
        elif block.language == "text":
            reader.wait_for(pattern(block.text))
            checked += 1
        elif block.language == "yaml":
            checked += check_pod(yaml.safe_load(block.text))
        else:
            assert block.language == "python"
            compile(block.text, block.file, "exec")
            assert block.file, "nothing runs this block"
    reader.stop()
    assert "Traceback" not in reader.log
    assert "Finished server process" in reader.log
    assert (ran, checked) == (13, 3)


def check_pod(pod: Any) -> int:
    """The pod's recipe uses what the site has: the signal, the paths; and leaves shutdown its time."""
    (container,) = pod["spec"]["containers"]
    bridge = next(block.text for block in blocks() if block.file == "bridge.py")
    command = container["lifecycle"]["preStop"]["exec"]["command"][2]
    assert "kill -USR1 1" in command
    assert "signal.SIGUSR1, lambda *_: asgiway.drain()" in bridge
    (seconds,) = re.findall(r"sleep (\d+)", command)
    assert pod["spec"]["terminationGracePeriodSeconds"] > int(seconds) + Settings().drain_timeout
    assert container["readinessProbe"]["httpGet"]["path"] == "/ops/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/ops/healthz"
    return 1


def test_the_table_of_variables_is_the_code() -> None:
    rows = table("variable")
    assert [quoted(row[0])[0] for row in rows] == list(variables())
    defaults = asdict(Settings()) | {"send_queue_size": 10}
    for row in rows:
        ((variable,), (text,)) = quoted(row[0]), quoted(row[1])
        name = variable.removeprefix("ASGIWAY_").lower()
        assert settings_from({variable: text}) == {name: defaults[name]}


def test_the_table_of_metrics_is_the_code() -> None:
    metrics = Metrics(WSGIMiddleware(lambda environ, start_response: []))
    families = {family.name: family for family in metrics.registry.collect()}
    rows = table("metric")
    written = {quoted(row[0])[0].removesuffix("_total"): row for row in rows}
    assert set(written) == set(families)
    for name, row in written.items():
        family = families[name]
        assert row[1] == family.type
        assert quoted(row[0])[0].endswith("_total") == (family.type == "counter")
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        if labels:  # those with further labels have no sample before the first request
            assert set(quoted(row[2])) == labels, name
    assert quoted(written["asgiway_requests"][3]) == list(get_args(Outcome))
    assert quoted(written["asgiway_requests_rejected"][3]) == list(get_args(Rejection))
    assert set(quoted(written["asgiway_threads"][3])) >= {"idle", "busy", "abandoned"}


def test_the_list_of_contents() -> None:
    headings = re.findall(r"^## (.*)$", PAGE, re.M)
    assert re.findall(r"^- \[(.*)\]\(#(.*)\)$", PAGE, re.M) == [
        (heading, heading.lower().replace(" ", "-")) for heading in headings
    ]
