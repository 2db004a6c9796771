"""The machine formats, read by what reads them: official schemas where there are any, parsers, and the rules of each consumer."""

from __future__ import annotations

import json
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from asgiway_lint.finding import Finding, Link, Severity
from asgiway_lint.report import Results
from asgiway_lint.rules import rule_for
from tests.linter.report.samples import CLEAN, FINDINGS, RESULTS, SOURCES, SUPPRESSED
from tests.linter.report.test_formats import text_of

DATA = Path(__file__).parents[1] / "data"


def validate(document: object, schema: str) -> None:
    jsonschema.Draft4Validator(json.loads((DATA / schema).read_text())).validate(document)


def sarif(results: Results) -> dict[str, Any]:
    """Return the only run of a log, after validation."""
    log = json.loads(text_of("sarif", results))
    validate(log, "sarif-2.1.0.schema.json")
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    return dict(run)


# --- SARIF --------------------------------------------------------------------------------------------------------------


def test_sarif_is_valid() -> None:
    """Issue 5: SARIF 2.1.0 valid against the official schema; the schema forbids unknown properties."""
    sarif(RESULTS)
    broken = json.loads(text_of("sarif", RESULTS))
    broken["runs"][0]["results"][0]["lokations"] = []
    with pytest.raises(jsonschema.ValidationError):
        validate(broken, "sarif-2.1.0.schema.json")


def test_sarif_of_a_clean_run_has_results_that_are_empty_rather_than_absent() -> None:
    assert sarif(CLEAN)["results"] == []


def test_sarif_paths_are_relative_to_the_root_and_escaped() -> None:
    run = sarif(RESULTS)
    assert run["originalUriBaseIds"] == {"SRCROOT": {"uri": "file:///project/"}}
    assert run["columnKind"] == "unicodeCodePoints"
    places = [result["locations"][0]["physicalLocation"]["artifactLocation"] for result in run["results"]]
    assert {"uri": "shop/rates.py", "uriBaseId": "SRCROOT"} in places
    assert {"uri": "odd%0Aname%FF.py", "uriBaseId": "SRCROOT"} in places
    assert {"uri": "file:///elsewhere/end.py"} in places


def test_sarif_counts_paths_from_the_top_of_the_checkout_where_ci_says_which_that_is() -> None:
    run = sarif(replace(RESULTS, project=Path("/")))
    assert run["originalUriBaseIds"]["SRCROOT"]["uri"] == "file:///"
    uris = {result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in run["results"]}
    assert {"project/shop/rates.py", "elsewhere/end.py"} <= uris


def test_sarif_chains_are_code_flows() -> None:
    (chained,) = (result for result in sarif(RESULTS)["results"] if "codeFlows" in result)
    hops = chained["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [hop["location"]["message"]["text"] for hop in hops] == ["helpers.load", "_read", "open"]
    physical = hops[1]["location"]["physicalLocation"]
    assert physical["artifactLocation"] == {"uri": "shop/helpers.py", "uriBaseId": "SRCROOT"}
    assert physical["region"] == {"startLine": 7, "startColumn": 12}


def test_sarif_tells_what_is_suppressed_and_how() -> None:
    suppressed = [result["suppressions"] for result in sarif(RESULTS)["results"] if "suppressions" in result]
    assert sorted(kind["kind"] for (kind,) in suppressed) == ["external", "inSource"]
    assert len(sarif(RESULTS)["results"]) == len(FINDINGS) + len(SUPPRESSED)


def test_sarif_rules_have_what_github_asks_for() -> None:
    run = sarif(RESULTS)
    rules = run["tool"]["driver"]["rules"]
    for rule in rules:
        page = rule_for(rule["id"])
        assert rule["help"]["markdown"].startswith(page.summary)
        assert "## Why is this bad?" in rule["help"]["text"]
        assert rule["shortDescription"]["text"] == page.summary
        assert rule["properties"]["problem.severity"] in ("error", "warning", "recommendation")
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert {result["level"] for result in run["results"]} == {"error", "warning", "note"}


def moved(results: Results) -> Results:
    """Return the same findings after an edit above them and around them: other lines, other indentation, one call broken up."""
    path = "/project/shop/rates.py"
    source = "# one\n# two\n\n" + SOURCES[path]

    def shifted(finding: Finding) -> Finding:
        return replace(finding, line=finding.line + 3, end_line=finding.end_line + 3)

    findings = tuple(shifted(finding) if finding.path == path else finding for finding in results.findings)
    return replace(results, findings=findings, suppressed=(), source_of={**SOURCES, path: source}.get)


def fingerprints(results: Results, name: str) -> list[str]:
    if name == "sarif":
        return [each["partialFingerprints"]["primaryLocationLineHash"] for each in sarif(results)["results"]]
    return [each["fingerprint"] for each in json.loads(text_of(name, results))]


@pytest.mark.parametrize("name", ["sarif", "gitlab"])
def test_fingerprints_outlive_moved_lines_and_are_unique_in_their_file(name: str) -> None:
    plain = replace(RESULTS, suppressed=())
    assert fingerprints(moved(plain), name) == fingerprints(plain, name)
    assert len({*zip((f.path for f in FINDINGS), fingerprints(plain, name), strict=True)}) == len(FINDINGS)


@pytest.mark.parametrize("name", ["sarif", "gitlab"])
def test_two_findings_alike_have_two_fingerprints_in_order(name: str) -> None:
    source = "import time\n\n\nasync def f():\n    time.sleep(1)\n    time.sleep(1)\n"
    first, second = (
        Finding(
            path="/project/a.py",
            code="AW101",
            message="m",
            severity=Severity.ERROR,
            line=line,
            column=5,
            end_line=line,
            end_column=18,
            symbol="time.sleep",
        )
        for line in (5, 6)
    )
    results = Results(findings=(first, second), cwd=RESULTS.cwd, source_of=lambda _: source, hidden=RESULTS.hidden)
    one, two = fingerprints(results, name)
    assert one.removesuffix(":1") == two.removesuffix(":2")
    assert one != two


@pytest.mark.network
def test_sarif_satisfies_microsofts_validator(tmp_path: Path) -> None:
    """The npm package @microsoft/sarif-multitool-linux, which knows more than the schema: no error, and no warning but two."""
    subprocess.run(
        ["npm", "pack", "--silent", "@microsoft/sarif-multitool-linux@5.7.0"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        timeout=300,
    )
    (archive,) = tmp_path.glob("*.tgz")
    subprocess.run(["tar", "xzf", archive.name], cwd=tmp_path, check=True)
    tool = tmp_path / "package" / "Sarif.Multitool"
    tool.chmod(0o755)
    for number, results in enumerate((RESULTS, CLEAN)):
        log = tmp_path / f"{number}.sarif"
        log.write_text(text_of("sarif", results))
        ran = subprocess.run([tool, "validate", log], capture_output=True, text=True, timeout=120, check=False)
        assert "Analysis completed successfully." in ran.stdout, ran.stdout + ran.stderr
        problems = set(re.findall(r": (error|warning) (SARIF\d+|JSON\d+)", ran.stdout))
        # SARIF2005: there is no address of the project to name yet.
        assert problems <= {("warning", "SARIF2005")}, ran.stdout


# --- GitHub and GitLab --------------------------------------------------------------------------------------------------


def unescaped(text: str, *, in_property: bool = False) -> str:
    """What the runner does with a command's parts (`ActionCommand.cs`): properties have two more escapes."""
    for escape, character in (("%0D", "\r"), ("%0A", "\n"), *((("%3A", ":"), ("%2C", ",")) if in_property else ())):
        text = text.replace(escape, character)
    return text.replace("%25", "%")


def annotations_of(results: Results) -> list[tuple[str, dict[str, str], str]]:
    """Read workflow commands as GitHub's runner does: a line each, properties up to the next `::`."""
    found: list[tuple[str, dict[str, str], str]] = []
    for line in text_of("github", results).split("\n")[:-1]:
        match = re.fullmatch(r"::(\w+) (.*?)::(.*)", line)
        assert match, line
        pairs = (part.partition("=") for part in match[2].split(","))
        properties = {name: unescaped(value, in_property=True) for name, _, value in pairs}
        found.append((match[1], properties, unescaped(match[3])))
    return found


def test_github_annotations_come_back_as_they_were() -> None:
    found = annotations_of(RESULTS)
    assert len(found) == len(FINDINGS)
    for finding, (command, properties, message) in zip(FINDINGS, found, strict=True):
        assert command == {"error": "error", "warning": "warning", "info": "notice"}[finding.severity]
        path = finding.path.removeprefix("/project/")
        assert properties["file"] == path
        assert properties["line"] == str(finding.line)
        assert message == f"{path}:{finding.line}:{finding.column}: {finding.code} {finding.message}"
        spans = finding.line != finding.end_line
        assert ("col" in properties) is not spans
        assert ("endColumn" in properties) is not spans


def test_github_escapes_what_would_end_a_property_or_a_line() -> None:
    finding = replace(FINDINGS[6], path="/project/50%25, a:b\r\n::error::c.py", message="100%25 :: ,\nsure")
    ((_, properties, message),) = annotations_of(replace(RESULTS, findings=(finding,)))
    assert properties["file"] == "50%25, a:b\r\n::error::c.py"
    assert message.endswith("AW102 100%25 :: ,\nsure")


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_ci_paths_are_counted_from_the_top_of_the_checkout(name: str) -> None:
    assert '"path": "project/many.py"' in (text := text_of(name, replace(RESULTS, project=Path("/")))) or (
        "file=project/many.py," in text
    )


def test_gitlab_has_what_its_documentation_asks_for() -> None:
    issues = json.loads(text_of("gitlab", RESULTS))
    assert len({issue["fingerprint"] for issue in issues}) == len(FINDINGS)
    for issue, finding in zip(issues, FINDINGS, strict=True):
        assert issue["check_name"] == finding.code
        assert issue["description"] == f"{finding.code}: {finding.message}"
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert issue["location"]["positions"]["begin"]["line"] == finding.line
    assert json.loads(text_of("gitlab", CLEAN)) == []


# --- JUnit, rdjson, JSON lines, pylint ------------------------------------------------------------------------------------


def test_junit_is_xml_with_a_failure_per_finding() -> None:
    root = ElementTree.fromstring(text_of("junit", RESULTS))
    assert root.tag == "testsuites"
    assert root.get("tests") == root.get("failures") == str(len(FINDINGS))
    cases = root.findall("testsuite/testcase")
    assert len(cases) == len({(case.get("classname"), case.get("name")) for case in cases}) == len(FINDINGS)
    for suite in root.findall("testsuite"):
        assert suite.get("tests") == suite.get("failures") == str(len(suite.findall("testcase/failure")))
    failure = cases[6].find("failure")
    assert failure is not None
    assert failure.get("message") == FINDINGS[6].message
    assert failure.text == f"shop/rates.py:8:14: AW102 {FINDINGS[6].message}"


def test_junit_of_a_clean_run_has_one_test_that_passed() -> None:
    root = ElementTree.fromstring(text_of("junit", CLEAN))
    (case,) = root.findall("testsuite/testcase")
    assert list(case) == []
    assert (root.get("tests"), root.get("failures")) == ("1", "0")


def test_junit_has_no_character_that_xml_lacks() -> None:
    finding = replace(FINDINGS[6], message="a \x00\x0b\ufffe\uffff\ud800 <&\"'> ]]> b")
    root = ElementTree.fromstring(text_of("junit", replace(RESULTS, findings=(finding,))))
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert (failure.get("message") or "").endswith(" <&\"'> ]]> b")


def test_rdjson_is_valid_and_counts_bytes() -> None:
    document = json.loads(text_of("rdjson", RESULTS))
    validate(document, "rdjson.schema.json")
    validate(json.loads(text_of("rdjson", CLEAN)), "rdjson.schema.json")
    assert [each["code"]["value"] for each in document["diagnostics"]] == [finding.code for finding in FINDINGS]
    wide = document["diagnostics"][9]["location"]["range"]
    line = SOURCES["/project/wide.py"].split("\n")[1].encode()
    marked = line[wide["start"]["column"] - 1 : wide["end"]["column"] - 1]
    assert marked.decode() == 'requests.get("http://例え.jp")'
    (chained,) = (each for each in document["diagnostics"] if "related_locations" in each)
    assert [each["message"] for each in chained["related_locations"]] == ["helpers.load", "_read", "open"]


def test_rdjson_of_a_place_that_is_gone() -> None:
    finding = replace(
        FINDINGS[8], line=99, end_line=99, chain=(Link(call="f", path="/project/none.py", line=3, column=4),)
    )
    (each,) = json.loads(text_of("rdjson", replace(RESULTS, findings=(finding,))))["diagnostics"]
    assert each["location"]["range"]["start"] == {"line": 99, "column": finding.column}
    assert each["related_locations"][0]["location"]["range"]["start"] == {"line": 3, "column": 4}


def test_json_lines_are_the_objects_of_json() -> None:
    lines = text_of("json_lines", RESULTS).split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == json.loads(text_of("json", RESULTS))


def test_pylint_lines_fit_the_pattern_that_ci_systems_use() -> None:
    """Jenkins' warnings plugin: path, line, category with its symbol, message."""
    pattern = re.compile(r"(.*):(\d+):\s*\[([A-Z]\w*)\(?([^,\]]*)\)?,?\s?(.*)\]\s*(.*)")
    lines = text_of("pylint", RESULTS).splitlines()
    assert len(lines) == len(FINDINGS)
    for line, finding in zip(lines, FINDINGS, strict=True):
        match = pattern.fullmatch(line)
        assert match
        assert (match[2], match[3]) == (str(finding.line), finding.code)


def test_grouped_names_each_file_once() -> None:
    headings = [line for line in text_of("grouped", RESULTS).splitlines() if line and not line.startswith(" ")]
    assert len(headings) == len({finding.path for finding in FINDINGS})
    assert "shop/rates.py:" in headings
