"""What is shown of a file's findings, and what makes the exit code 1."""

from __future__ import annotations

from pathlib import Path

import pytest

from asgiway_lint.config import Settings, parse_layer
from asgiway_lint.filtering import Shown, enabled_for, filter_findings, rule_codes
from asgiway_lint.finding import Finding, Severity
from asgiway_lint.rules import rule_for
from asgiway_lint.suppress import find_directives

PATH = "/p/src/a.py"


def finding(code: str, line: int = 1, severity: Severity | None = None) -> Finding:
    return Finding(
        path=PATH,
        code=code,
        message="m",
        severity=severity or rule_for(code).severity,
        line=line,
        column=1,
        end_line=line,
        end_column=2,
    )


def settings(**table: object) -> Settings:
    keys = {key.replace("_", "-"): value for key, value in table.items()}
    return Settings.from_layers(Path("/p"), [parse_layer(keys, where="test", folder=Path("/p"), codes=rule_codes())])


def shown(
    findings: list[Finding], source: str = "", table: dict[str, object] | None = None, *, ignore_noqa: bool = False
) -> Shown:
    return filter_findings(PATH, findings, find_directives(source), settings(**(table or {})), ignore_noqa=ignore_noqa)


def codes(result: Shown) -> list[str]:
    return [each.code for each in result.findings]


ALL_SEVERITIES = [finding("AW102"), finding("AW108"), finding("AW109")]


@pytest.mark.parametrize(
    ("table", "expected", "failing"),
    [
        pytest.param({}, ["AW102", "AW108"], 2, id="errors and warnings by default"),
        pytest.param({"min_severity": "info"}, ["AW102", "AW108", "AW109"], 2, id="info is shown but does not count"),
        pytest.param({"min_severity": "error"}, ["AW102"], 1, id="errors only"),
        pytest.param({"select": ["AW109"]}, ["AW109"], 1, id="info selected by name is shown and counts"),
        pytest.param({"extend-select": ["AW109"]}, ["AW102", "AW108", "AW109"], 3, id="info added by name"),
        pytest.param({"select": ["AW1"]}, ["AW102", "AW108"], 2, id="a prefix is no name"),
        pytest.param(
            {"select": ["AW109"], "min_severity": "error"}, [], 0, id="named info counts as a warning, no more"
        ),
        pytest.param({"ignore": ["AW102"]}, ["AW108"], 1, id="ignored"),
        pytest.param({"per-file-ignores": {"src/*": ["AW102"]}}, ["AW108"], 1, id="ignored in this file"),
        pytest.param({"per-file-ignores": {"lib/*": ["AW102"]}}, ["AW102", "AW108"], 2, id="ignored in other files"),
        pytest.param({"per-file-ignores": {"!src/*": ["AW102"]}}, ["AW102", "AW108"], 2, id="ignored everywhere else"),
        pytest.param({"per-file-ignores": {"!lib/*": ["ALL"]}}, [], 0, id="this file is everywhere else"),
        pytest.param({"per-file-ignores": {"a.py": ["AW1"], "src": ["AW2"]}}, [], 0, id="patterns add up"),
    ],
)
def test_what_is_shown_and_counts(table: dict[str, object], expected: list[str], failing: int) -> None:
    result = shown(ALL_SEVERITIES, table=table)
    assert (codes(result), result.failing) == (expected, failing)


def test_what_is_too_mild_is_counted_as_hidden() -> None:
    assert shown(ALL_SEVERITIES, table={"min-severity": "error"}).hidden == {Severity.WARNING: 1, Severity.INFO: 1}
    assert not shown([finding("AW109")], table={"ignore": ["AW109"]}).hidden


def test_a_finding_milder_than_its_rule_stays_mild_when_the_rule_is_selected() -> None:
    """A view that Flask runs on a loop of its own is info, though blocking-http is an error."""
    mild = finding("AW102", severity=Severity.INFO)
    assert codes(shown([mild], table={"select": ["AW102"]})) == []
    result = shown([mild], table={"select": ["AW102"], "min-severity": "info"})
    assert (codes(result), result.failing) == (["AW102"], 0)


def test_noqa_silences_and_can_be_overruled() -> None:
    source = "f()  # noqa: AW102\n"
    assert codes(shown([finding("AW102")], source)) == []
    assert codes(shown([finding("AW102")], source, ignore_noqa=True)) == ["AW102"]


@pytest.mark.parametrize(
    ("source", "table", "message"),
    [
        pytest.param("f()  # noqa: AW101", {}, "Unused suppression: AW101", id="one code"),
        pytest.param("f()  # noqa: AW101, AW103", {}, "Unused suppression: AW101, AW103", id="two codes"),
        pytest.param("f()  # noqa: AW101, AW103", {"ignore": ["AW103"]}, "Unused suppression: AW101", id="one is off"),
        pytest.param("f()  # noqa: AW101", {"ignore": ["AW101"]}, None, id="its rule is off"),
        pytest.param("f()  # noqa: AW101", {"per-file-ignores": {"a.py": ["AW101"]}}, None, id="its rule is off here"),
        pytest.param("f()  # noqa: AW101", {"ignore": ["AW003"]}, None, id="AW003 is off"),
        pytest.param("f()  # noqa: AW102", {"ignore": ["AW003"]}, None, id="needed"),
        pytest.param("f()  # noqa: AW102", {"min_severity": "error"}, None, id="needed for what is shown"),
        pytest.param("f()  # noqa: E501", {}, None, id="another tool's"),
        pytest.param(
            "f()  # noqa: AW1002",
            {},
            "Unused suppression: AW1002 is no rule (did you mean 'AW102'?)",
            id="a slip of the pen",
        ),
    ],
)
def test_unused_suppressions(source: str, table: dict[str, object], message: str | None) -> None:
    result = shown([finding("AW102")], source, table)
    unused = [each for each in result.findings if each.code == "AW003"]
    assert [each.message for each in unused] == ([] if message is None else [message])
    for each in unused:
        assert source[each.column - 1 : each.end_column - 1].startswith("# noqa: AW1")


def test_no_unused_suppressions_when_they_count_for_nothing() -> None:
    assert codes(shown([], "# noqa: AW101", ignore_noqa=True)) == []


def test_a_suppression_of_a_finding_that_is_too_mild_to_show_is_used() -> None:
    assert codes(shown([finding("AW109")], "f()  # noqa: AW109")) == []


def test_a_code_that_only_min_severity_hides_may_be_unused() -> None:
    assert codes(shown([], "f()  # noqa: AW109")) == ["AW003"]


def test_enabled_rules_of_a_file() -> None:
    everywhere = enabled_for(PATH, settings()).codes
    assert everywhere == {code for code in rule_codes() if not rule_for(code).preview}
    assert enabled_for(PATH, settings(**{"per-file-ignores": {"*.py": ["AW1"]}})).codes == {
        code for code in everywhere if not code.startswith("AW1")
    }
