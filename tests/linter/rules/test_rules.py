"""The registry, and what every rule must have: identity, page, true examples, a page that is checked in."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import asgiway_lint.rules
from asgiway_lint import cli
from asgiway_lint.finding import Severity
from asgiway_lint.rules import Rule, all_rules, docs, rule_for
from asgiway_lint.rules.base import HEADINGS, MODULE_NAME, RuleError, define

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "linter" / "docs" / "rules"
RULES = Path(asgiway_lint.rules.__file__).parent

# Codes, names and severities are public for ever; a change here is a change for users.
PUBLISHED = {
    "AW001": ("syntax-error", "error"),
    "AW002": ("unreadable-file", "error"),
    "AW003": ("unused-suppression", "warning"),
    "AW101": ("blocking-sleep", "error"),
    "AW102": ("blocking-http", "error"),
    "AW103": ("blocking-database", "error"),
    "AW104": ("blocking-orm", "error"),
    "AW105": ("blocking-cache-or-broker", "error"),
    "AW106": ("blocking-sdk", "error"),
    "AW107": ("blocking-subprocess", "error"),
    "AW108": ("blocking-file-content", "warning"),
    "AW109": ("blocking-file-metadata", "info"),
    "AW110": ("blocking-network", "error"),
    "AW111": ("blocking-wait", "warning"),
    "AW112": ("blocking-console", "warning"),
    "AW113": ("cpu-bound", "info"),
    "AW201": ("blocking-loop-callback", "warning"),
    "AW202": ("nested-event-loop", "error"),
    "AW203": ("async-endpoint-never-awaits", "warning"),
    "AW301": ("monkey-patched-loop", "warning"),
    "AW302": ("thread-local-in-async", "warning"),
    "AW303": ("per-request-state-on-app", "warning"),
    "AW304": ("uwsgi-only-module", "warning"),
}

each_rule = pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)


def test_codes_names_and_severities_are_as_published() -> None:
    assert {rule.code: (rule.slug, rule.severity.value) for rule in all_rules()} == PUBLISHED


def test_registry_files_and_pages_are_the_same_set() -> None:
    codes = {rule.code for rule in all_rules()}
    assert {path.stem[:5].upper() for path in RULES.glob("aw*.py")} == codes
    assert {path.stem for path in PAGES.glob("AW*.md")} == codes
    index = (PAGES / "README.md").read_text("utf-8")
    assert set(re.findall(r"^\| \[(AW\d{3})\]", index, re.MULTILINE)) == codes


def test_rules_come_by_code_and_are_found_by_code() -> None:
    codes = [rule.code for rule in all_rules()]
    assert codes == sorted(codes)
    assert all(rule_for(code).code == code for code in codes)
    for unknown in ("AW999", "aw102", "AW1", ""):
        with pytest.raises(KeyError):
            rule_for(unknown)


@each_rule
def test_identity_comes_from_the_file_name(rule: Rule) -> None:
    match = MODULE_NAME.fullmatch(Path(rule.source).stem)
    assert match is not None
    assert (rule.code, rule.slug) == (match["code"].upper(), match["slug"].replace("_", "-"))
    assert (ROOT / "linter" / rule.source).is_file()


@each_rule
def test_the_page_has_its_headings_and_a_reference(rule: Rule) -> None:
    headings = re.findall(r"^## (.*)$", rule.explanation, re.MULTILINE)
    assert headings == [heading for heading in HEADINGS if heading in headings]
    assert "\nUse instead:\n" in rule.explanation
    assert "](https://" in rule.explanation.partition("## References")[2]
    assert rule.summary.endswith(".")
    assert len(rule.summary) < 100
    assert max(map(len, rule.explanation.splitlines())) < 180


@each_rule
def test_a_rule_file_stays_short(rule: Rule) -> None:
    assert len((ROOT / "linter" / rule.source).read_text("utf-8").splitlines()) < 120


@each_rule
def test_the_message_names_the_call_and_the_replacement(rule: Rule) -> None:
    message = rule.message("lib.call", "lib.twin")
    assert "lib.call" in message
    assert ("lib.twin" in message) is not rule.code.startswith("AW0")
    assert "{" not in message
    assert not message.endswith(".")


# ---- examples


def example(rule: Rule, marker: str) -> str | None:
    """The first Python block behind `marker` on the rule's page, if a block of Python comes first."""
    match = re.match(r"\s*```(\w+)\n(.*?)```", rule.explanation.partition(marker)[2], re.DOTALL)
    assert match is not None, f"{rule.code}: no block of code behind {marker!r}"
    return match[2] if match[1] == "python" else None


def codes_in(source: str, folder: Path, capsys: pytest.CaptureFixture[str], rule: Rule | None = None) -> set[str]:
    file = folder / "example.py"
    file.write_text(source, "utf-8")
    options = ["--isolated", "--no-cache", "--min-severity", "info", "--output-format", "json"]
    if rule is not None and rule.preview:
        options += ["--extend-select", rule.code]
    status = cli.main(["check", *options, str(file)])
    findings = json.loads(capsys.readouterr().out)
    assert status == int(any(finding["severity"] != "info" for finding in findings))
    return {finding["code"] for finding in findings}


with_example = pytest.mark.parametrize(
    "rule", [rule for rule in all_rules() if example(rule, "## Example\n")], ids=lambda rule: rule.code
)


def test_only_the_unreadable_file_has_no_python_example() -> None:
    assert [rule.code for rule in all_rules() if not example(rule, "## Example\n")] == ["AW002"]


@with_example
def test_the_example_is_reported(rule: Rule, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = example(rule, "## Example\n")
    assert source is not None
    # An endpoint that never awaits is reported because of a call in it, which is reported, too.
    assert codes_in(source, tmp_path, capsys, rule) == {rule.code, *(["AW102"] if rule.code == "AW203" else [])}


@with_example
def test_what_to_use_instead_is_clean(rule: Rule, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = example(rule, "\nUse instead:\n")
    assert source is not None
    assert codes_in(source, tmp_path, capsys, rule) == set()


@each_rule
def test_every_further_block_of_python_is_clean(rule: Rule, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = rule.explanation.partition("\nUse instead:\n")[2]
    for source in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        assert codes_in(source, tmp_path, capsys, rule) == set()


# ---- malformed rules


def test_a_misnamed_file_is_an_error() -> None:
    with pytest.raises(RuleError, match=r"sleepy\.py: a rule's file is named like aw102_blocking_http\.py"):
        define("pkg.sleepy", severity=Severity.ERROR, message="{symbol}", since="0.1.0")


@pytest.mark.parametrize(
    ("docstring", "message"),
    [
        ("", "the docstring has the headings"),
        ("Summary.\n\n## What it does\nx", "the docstring has the headings"),
        (
            "Summary.\n\n## Why is this bad?\n\n## What it does\n\n## Example\n\n## References\n",
            "the docstring has the headings",
        ),
        (
            "Two\nlines.\n\n## What it does\n\n## Why is this bad?\n\n## Example\n\n## References\n",
            "begin with a summary of one line",
        ),
    ],
)
def test_a_malformed_page_is_an_error(monkeypatch: pytest.MonkeyPatch, docstring: str, message: str) -> None:
    module = type(sys)("pkg.aw999_test_rule", docstring)
    monkeypatch.setitem(sys.modules, "pkg.aw999_test_rule", module)
    with pytest.raises(RuleError, match=rf"aw999_test_rule\.py: .*{re.escape(message)}"):
        define("pkg.aw999_test_rule", severity=Severity.ERROR, message="{symbol}", since="0.1.0")


# ---- generated pages


def test_pages_are_up_to_date() -> None:
    stale = [
        name
        for name, text in docs.pages().items()
        if not (PAGES / name).is_file() or (PAGES / name).read_text("utf-8") != text
    ]
    assert stale == [], "run: python -m asgiway_lint.rules.docs linter/docs/rules"


def test_the_generator_writes_every_page_and_removes_stale_ones(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "rules"
    folder.mkdir(parents=True)
    (folder / "AW998.md").write_text("gone", "utf-8")
    (folder / "notes.md").write_text("kept", "utf-8")
    assert docs.main([str(folder)]) == 0
    assert {path.name for path in folder.iterdir()} == {*docs.pages(), "notes.md"}


def test_the_generator_says_what_it_cannot_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    assert docs.main([str(tmp_path / "file" / "rules")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_pages_list_the_catalogue() -> None:
    page = docs.pages()["AW102.md"]
    assert "`requests.get`" in page
    assert "*`requests.Session`*" in page
    assert "`requests.Session.` (`get`" in page


# ---- start-up


def test_explaining_a_rule_imports_nothing_heavy() -> None:
    script = (
        "import sys, asgiway_lint.rules as r; r.rule_for('AW102').message('a', 'b');"
        "heavy = ('libcst', 'pathspec', 'pygls', 'tomllib', 'asgiway_lint.catalogue', 'asgiway_lint.rules.aw101_blocking_sleep');"
        "print([name for name in heavy if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == "[]"


def test_preview_rules_are_off_until_their_full_code_is_selected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    preview = [rule for rule in all_rules() if rule.preview]
    assert [rule.code for rule in preview] == ["AW301", "AW302", "AW303", "AW304"]
    for rule in preview:
        source = example(rule, "## Example\n")
        assert source is not None
        assert codes_in(source, tmp_path, capsys) == set()
