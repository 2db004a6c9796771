"""asgiway-lint on the half-migrated shop: every planted call is reported, and nothing else.

Issue 2, "Done when": "`asgiway-lint check sample_apps/shop_async` reports every planted direct call and no false alarm".
The marks at the ends of the lines of ``sample_apps/shop_async`` are the expectation.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tokenize
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "sample_apps" / "shop_async"
MARK = re.compile(r"# (AW\d{3})(?: (typed|via))?: (.+)")


@dataclass(frozen=True, slots=True, order=True)
class Report:
    """A blocking call at a line; ``symbol`` is what blocks in the end."""

    file: str
    line: int
    code: str
    symbol: str


def planted(kind: str) -> set[Report]:
    """Return the marks of one kind: "direct", "typed" or "via"."""
    found: set[Report] = set()
    for path in SHOP.rglob("*.py"):
        with tokenize.open(path) as file:
            for token in tokenize.generate_tokens(file.readline):
                mark = MARK.search(token.string) if token.type == tokenize.COMMENT else None
                if mark and (mark[2] or "direct") == kind:
                    symbol = mark[3].rsplit(" -> ", 1)[-1].strip()
                    found.add(Report(path.relative_to(SHOP).as_posix(), token.start[0], mark[1], symbol))
    return found


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, list[Report]]:
    """Run the command line once, as its users do; returns the exit code and the findings."""
    command = [
        *(sys.executable, "-m", "asgiway_lint", "check", str(SHOP), "--output-format", "json"),
        *("--min-severity", "info", "--cache-dir", str(tmp_path_factory.mktemp("cache"))),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert done.returncode in (0, 1), done.stderr
    findings = json.loads(done.stdout)
    return done.returncode, [
        Report(
            Path(finding["filename"]).relative_to(SHOP).as_posix(),
            finding["location"]["row"],
            finding["code"],
            finding["symbol"],
        )
        for finding in findings
    ]


def test_the_marks_are_read() -> None:
    """If the marks were lost, the comparisons below would be empty and pass."""
    counts = {kind: len(planted(kind)) for kind in ("direct", "typed", "via")}
    assert counts == {"direct": 32, "typed": 49, "via": 7}
    codes = Counter(report.code for report in planted("direct") | planted("typed"))
    assert set(codes) == {"AW101", "AW102", "AW103", "AW104", "AW107", "AW108", "AW109", "AW110", "AW111", "AW113"}


def test_every_direct_call_is_reported(checked: tuple[int, list[Report]]) -> None:
    code, findings = checked
    assert code == 1
    assert planted("direct") - set(findings) == set()


def test_every_call_through_a_type_is_reported(checked: tuple[int, list[Report]]) -> None:
    assert planted("typed") - set(checked[1]) == set()


def test_nothing_else_is_reported_and_nothing_twice(checked: tuple[int, list[Report]]) -> None:
    findings = checked[1]
    assert sorted(findings) == sorted(set(findings))
    assert set(findings) - planted("direct") - planted("typed") - planted("via") == set()


def test_calls_behind_helpers_are_not_reported_yet(checked: tuple[int, list[Report]]) -> None:
    """Propagation belongs to the issue "The linter's engine".

    The day it finds one of them this test fails: then the expectation becomes ``planted("via") - findings == set()``.
    """
    lines = {(report.file, report.line) for report in planted("via")}
    assert {report for report in checked[1] if (report.file, report.line) in lines} == set()


def test_the_finished_router_is_clean(checked: tuple[int, list[Report]]) -> None:
    """The lines that look wrong and are not: wrappers, zero timeouts, shadowed names, plain ``def`` handlers."""
    assert (SHOP / "routers" / "migrated.py").read_text().count("requests.get") >= 10
    assert [report for report in checked[1] if report.file == "routers/migrated.py"] == []
