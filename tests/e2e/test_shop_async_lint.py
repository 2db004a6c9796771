"""asgiway-lint on the half-migrated shop: every planted call is reported, and nothing else.

Issue 2, "Done when": "`asgiway-lint check sample_apps/shop_async` reports every planted direct call and no false alarm"; issue 4 adds
the calls behind helpers.
The marks at the ends of the lines of ``sample_apps/shop_async`` are the expectation.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from planted import Kind, PlantedCall, planted_calls

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "sample_apps" / "shop_async"


Checked = tuple[int, list[PlantedCall]]
NEVER_AWAIT = ("orders", "products", "rates", "reports", "stock")  # routers with such endpoints
ENDPOINT = "AW203"  # its findings are no calls: they say of an endpoint that it could be a plain function


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    """Run the command line once, as its users do; returns the exit code and the findings."""
    command = [
        *(sys.executable, "-m", "asgiway_lint", "check", str(SHOP), "--output-format", "json"),
        *("--min-severity", "info", "--cache-dir", str(tmp_path_factory.mktemp("cache"))),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert done.returncode in (0, 1), done.stderr
    findings = json.loads(done.stdout)
    return done.returncode, [
        PlantedCall(
            Path(finding["filename"]).relative_to(SHOP).as_posix(),
            finding["location"]["row"],
            finding["code"],
            finding["symbol"],
        )
        for finding in findings
    ]


def test_the_marks_are_read() -> None:
    """If the marks were lost, the comparisons below would be empty and pass."""
    kinds: tuple[Kind, ...] = ("direct", "typed", "via")
    counts = {kind: len(planted_calls(kind)) for kind in kinds}
    assert counts == {"direct": 32, "typed": 50, "via": 7}
    codes = Counter(report.code for report in planted_calls("direct") | planted_calls("typed"))
    assert set(codes) == {"AW101", "AW102", "AW103", "AW104", "AW107", "AW108", "AW109", "AW110", "AW111", "AW113"}


def test_every_direct_call_is_reported(checked: Checked) -> None:
    code, findings = checked
    assert code == 1
    assert planted_calls("direct") - set(findings) == set()


def test_every_call_through_a_type_is_reported(checked: Checked) -> None:
    assert planted_calls("typed") - set(checked[1]) == set()


def test_nothing_else_is_reported_and_nothing_twice(checked: Checked) -> None:
    findings = [report for report in checked[1] if report.code != ENDPOINT]
    assert sorted(findings) == sorted(set(findings))
    assert set(findings) - planted_calls("direct") - planted_calls("typed") - planted_calls("via") == set()


def test_every_call_behind_helpers_is_reported(checked: Checked) -> None:
    assert planted_calls("via") - set(checked[1]) == set()


def test_endpoints_that_never_await_are_told_to_be_plain_functions(checked: Checked) -> None:
    reports = {report for report in checked[1] if report.code == ENDPOINT}
    lines = {path: (SHOP / path).read_text().splitlines() for path in {report.file for report in reports}}
    assert {lines[report.file][report.line - 1].partition("(")[0] for report in reports} == {
        f"async def {report.symbol}" for report in reports
    }
    symbols = {(report.file, report.symbol) for report in reports}
    assert {("routers/orders.py", "place_order"), ("routers/rates.py", "all_rates")} <= symbols
    assert {file for file, _ in symbols} == {f"routers/{name}.py" for name in NEVER_AWAIT}


def test_the_finished_router_is_clean(checked: Checked) -> None:
    """The lines that look wrong and are not: wrappers, zero timeouts, shadowed names, plain ``def`` handlers."""
    assert (SHOP / "routers" / "migrated.py").read_text().count("requests.get") >= 10
    assert [report for report in checked[1] if report.file == "routers/migrated.py"] == []
