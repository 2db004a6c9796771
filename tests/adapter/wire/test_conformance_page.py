"""adapter/docs/conformance.md says exactly what the strict expected failures say, and each of those has its test."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from tests.adapter.wire_support.deviations import DEVIATIONS
from tests.adapter.wire_support.servers import KINDS

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "adapter" / "docs" / "conformance.md"
ROW = re.compile(r"\| (\d+) \| ([^|]+) \| ([^|]+) \| `(\w+)` \|")


def test_page_and_expected_failures_agree() -> None:
    rows = [
        (int(line), who, behaviour, test)
        for line, who, behaviour, test in (
            match.groups() for match in map(ROW.fullmatch, PAGE.read_text().splitlines()) if match
        )
    ]
    assert rows == [(entry.line, entry.who, entry.behaviour, entry.test) for entry in DEVIATIONS]
    assert rows == sorted(rows, key=lambda row: row[0])


def test_every_expected_failure_has_a_test_and_servers() -> None:
    tests = {
        name
        for path in HERE.glob("test_*.py")
        for name in vars(importlib.import_module(f"tests.adapter.wire.{path.stem}"))
        if name.startswith("test_")
    }
    for entry in DEVIATIONS:
        assert entry.test in tests
        assert entry.servers
        assert set(entry.servers) <= KINDS.keys()
