"""`adapter/docs/operations.md` is true: its blocks are run in their order, its tables are compared with the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from asgiway import WSGIMiddleware
from asgiway.environment import settings_from, variables
from asgiway.metrics import Metrics
from asgiway.observe import Outcome, Rejection
from asgiway.settings import Settings
from tests.e2e.pages import ROOT, Reader, blocks_of

FILE = ROOT / "adapter" / "docs" / "operations.md"
PAGE = FILE.read_text("utf-8")

# What differs from run to run: decimals, and ids that were made.
VARYING = re.compile(r"\d+\\\.\d+|[0-9a-f]{32}")


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


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    someone = Reader(tmp_path)
    yield someone
    someone.stop()


def test_the_blocks_in_their_order(reader: Reader) -> None:
    ran = checked = 0
    for block in blocks_of(FILE):
        if block.file:
            (reader.folder / block.file).write_text(block.text, "utf-8")
    for block in blocks_of(FILE):
        if block.language == "console":
            for command, output in block.commands:
                done = reader.run(command)
                assert done.stderr == ""
                if "uvicorn " not in command:
                    assert pattern(output).fullmatch(done.stdout.strip("\n")), f"{command}\nprinted\n{done.stdout}"
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
    assert (ran, checked) == (13, 3)


def check_pod(pod: Any) -> int:
    """The pod's recipe uses what the site has: the signal, the paths; and leaves shutdown its time."""
    (container,) = pod["spec"]["containers"]
    bridge = next(block.text for block in blocks_of(FILE) if block.file == "bridge.py")
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
