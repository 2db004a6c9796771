"""`linter/docs/usage.md` says what the program does: options, keys, defaults, formats and codes are compared with the code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from asgiway_lint.arguments import BASELINE_ACTIONS, COMMANDS, build
from asgiway_lint.config import DEFAULT_EXCLUDE, KEYS, OUTPUT_FORMATS, Settings, parse_layer
from asgiway_lint.filtering import rule_codes
from asgiway_lint.report.json import as_object
from asgiway_lint.suppress import find_directives
from tests.linter.report.samples import FINDINGS, RESULTS

PAGE = (Path(__file__).parents[2] / "linter" / "docs" / "usage.md").read_text()


def section(title: str) -> str:
    """Return the text under a heading, up to the next one of its level or above."""
    match = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^#{{1,2}} |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert match, title
    return match[2]


def first_cells(text: str) -> list[str]:
    return [cells[1].strip() for line in text.splitlines() if len(cells := re.split(r"(?<!\\)\|", line)) > 2]


def test_options() -> None:
    written = [
        option
        for cell in first_cells(section("Options of `check`"))
        for option in re.findall(r"(?<=`)--?[a-z-]+", cell)
    ]
    assert sorted(written) == sorted(build("check").options())


def test_metavariables() -> None:
    text = section("Options of `check`")
    actions = [action for group in build("check")._action_groups for action in group._group_actions]
    for action in actions:
        if action.option_strings and action.metavar is not None:
            name = str(action.metavar).replace("|", "\\|")
            assert f"{action.option_strings[-1]} {name}`" in text or f"{action.option_strings[-1]}[={name}]`" in text


def test_commands() -> None:
    written = {re.findall(r"asgiway-lint (\w+)", cell)[0] for cell in first_cells(section("Commands")) if "`" in cell}
    assert written == set(COMMANDS)


def test_keys_and_defaults() -> None:
    rows = [line.split("|")[1:4] for line in section("Configuration").splitlines() if line.startswith("| `")]
    written = {row[0].strip().strip("`"): row[1].strip().strip("`") for row in rows}
    assert list(written) == ["extend", *KEYS]
    defaults = {
        key: tomllib.loads(f"x = {text}")["x"] for key, text in written.items() if text and key not in ("exclude",)
    }
    layer = parse_layer(defaults, where="usage.md", folder=Path("/p"), codes=rule_codes())
    assert Settings.from_layers(Path("/p"), [layer]).src == Settings.from_layers(Path("/p")).src
    silent = Settings.from_layers(Path("/p"))
    said = Settings.from_layers(Path("/p"), [layer])
    for name in Settings.__dataclass_fields__:
        if name not in ("selections", "fixables"):
            assert getattr(said, name) == getattr(silent, name), name


def test_choices_of_keys_are_those_that_are_accepted() -> None:
    for line in section("Configuration").splitlines():
        key = line.split("|")[1].strip().strip("`") if line.startswith("| `") else ""
        if key not in ("async-library", "http-client", "postgres", "min-severity", "prefer-fix", "output-format"):
            continue
        choices = set(re.findall(r'`"([\w-]+)"`', line.split("|")[3]))
        assert len(choices) > 1
        for choice in choices:
            parse_layer({key: choice}, where="usage.md", folder=Path("/p"), codes=rule_codes())
        with pytest.raises(Exception, match="must be one of") as caught:
            parse_layer({key: "?"}, where="usage.md", folder=Path("/p"), codes=rule_codes())
        assert set(str(caught.value).split("one of ")[1].split(", not")[0].split(", ")) == choices


def test_default_exclusions() -> None:
    listed = re.findall(r"`([^`]+)`", section("Which files are checked").split("leaves out: ")[1].split(". It also")[0])
    assert listed == list(DEFAULT_EXCLUDE)


def test_formats() -> None:
    text = section("Formats")
    table, _, rest = text.partition("**concise** prints")
    assert {name for cell in first_cells(table) for name in re.findall(r"`([\w-]+)`", cell)} == set(OUTPUT_FORMATS)
    fields = rest.partition("**json** prints")[2]
    written = [field for cell in first_cells(fields) for field in re.findall(r"`(\w+)`", cell)]
    assert written == list(as_object(FINDINGS[0], RESULTS, 1))
    matcher = re.search(r"`(\^.*\$)`", text)
    assert matcher
    line = next(line for line in text.splitlines() if line.startswith("shop/rates.py:"))
    match = re.match(matcher[1], line)
    assert match
    assert match.groups()[:4] == ("shop/rates.py", "12", "14", "AW102")


def test_actions_of_baseline() -> None:
    rows = [cell for cell in first_cells(section("Baseline")) if re.fullmatch(r"`[a-z]+`", cell)]
    assert [row.strip("`") for row in rows] == list(BASELINE_ACTIONS)


def test_the_problem_matcher_of_vs_code_matches_what_is_printed(tmp_path: Path) -> None:
    """Issue 5: its pattern is tested against real output, by the groups that it names."""
    block = re.search(r"```json\n(.*?)```", section("VS Code"), re.DOTALL)
    assert block
    task = json.loads(block[1])["tasks"][0]
    pattern = task["problemMatcher"]["pattern"]
    source = tmp_path / "src" / "a b.py"
    source.parent.mkdir()
    source.write_text("import time\n\n\nasync def f():\n    time.sleep(1)\n    open('x')\n")
    arguments = task["command"].split()
    assert arguments.pop(0) == "asgiway-lint"
    ran = subprocess.run(
        [sys.executable, "-m", "asgiway_lint", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    found = [match for line in ran.stdout.splitlines() if (match := re.match(pattern["regexp"], line))]
    names = ("file", "line", "column", "code")
    assert [tuple(match[pattern[name]] for name in names) for match in found] == [
        ("src/a b.py", "5", "5", "AW101"),
        ("src/a b.py", "6", "5", "AW108"),
    ]
    assert found[0][pattern["message"]].startswith("`time.sleep` ")
    assert len(ran.stdout.splitlines()) == len(found) + 2  # the summary is no problem


def test_suppressions_in_the_page_are_suppressions() -> None:
    code = re.search(r"```python\n(.*?)```", section("Suppression"), re.DOTALL)
    assert code
    assert [each.codes for each in find_directives(code[1])] == [("AW101",), ("AW102", "S113"), ()]


def test_links_of_the_page_lead_somewhere() -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        if target.startswith("#"):
            assert target[1:] in headings, target
        else:
            assert (Path(__file__).parents[2] / "linter" / "docs" / target).exists(), target


def test_toml_of_the_page_is_valid() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    tables = [tomllib.loads(block)["tool"] for block in blocks]
    ours = next(table["asgiway-lint"] for table in tables if "asgiway-lint" in table)
    parse_layer(ours, where="usage.md", folder=Path("/p"), codes=rule_codes())
    assert {"lint": {"external": ["AW"]}} in [table.get("ruff") for table in tables]
