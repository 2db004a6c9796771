"""The baseline: what it knows after edits, what it calls new, and that it only ever gets shorter."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiway_lint.baseline import Baseline, Entry, dump, key_of, parse
from asgiway_lint.errors import UsageError
from asgiway_lint.identity import Identity
from tests.linter.cli_support import BAD, GOOD, Lint, process, write

NAME = "asgiway-lint-baseline.json"
CODE = """\
import time

import requests


async def rates(url):
    time.sleep(1)
    return requests.get(url, timeout=5)


class Shop:
    async def stock(self):
        time.sleep(1)
"""


def entries_of(tmp_path: Path) -> list[dict[str, Any]]:
    return list(json.loads((tmp_path / NAME).read_text())["findings"])


@pytest.fixture
def shop(lint: Lint, tmp_path: Path) -> Path:
    """A project whose three findings are in its baseline."""
    write(tmp_path, a_py=CODE, pyproject_toml=f"[tool.asgiway-lint]\nbaseline = '{NAME}'\n")
    assert lint("baseline", "create").code == 0
    return tmp_path / "a.py"


# --- what is known and what is new ------------------------------------------------------------------------------------------


def test_create_then_nothing_is_new(lint: Lint, shop: Path, tmp_path: Path) -> None:
    assert [(each["path"], each["code"], each["function"], each["source"]) for each in entries_of(tmp_path)] == [
        ("a.py", "AW101", "Shop.stock", "time.sleep(1)"),
        ("a.py", "AW101", "rates", "time.sleep(1)"),
        ("a.py", "AW102", "rates", "requests.get(url,timeout=5)"),
    ]
    assert lint("check").out == "All checks passed! (3 in the baseline)\n"
    assert lint("baseline", "check").code == 0


def test_the_baseline_by_option(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD)
    created = lint("baseline", "create", "--baseline", "known.json")
    assert created.out.splitlines()[0] == "Recorded 2 findings in known.json."
    assert "check --baseline known.json" in created.out
    assert lint("check").code == 1
    assert lint("check", "--baseline", "known.json").code == 0
    assert lint("check", "--baseline", "known.json", "--ignore-baseline").code == 1
    assert lint("check", "--config", "baseline = 'known.json'").code == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("import time\n", '"""Words."""\n\nimport os\nimport time\n', id="lines above"),
        pytest.param("    time.sleep(1)\n    return", "    if url:\n        time.sleep(1)\n    return", id="indented"),
        pytest.param(
            "requests.get(url, timeout=5)",
            "requests.get(\n        url,\n        timeout=5,\n    )",
            id="broken into lines, with the formatter's comma",
        ),
        pytest.param("    return requests", "    answer = requests", id="the rest of the line"),
        pytest.param("timeout=5)", "timeout=5)  # why", id="a comment behind it"),
        pytest.param("\n\n\nclass", "\n\n\nasync def more():\n    pass\n\n\nclass", id="a function in between"),
    ],
)
def test_edits_that_leave_findings_known(lint: Lint, shop: Path, old: str, new: str) -> None:
    source = shop.read_text()
    assert old in source
    shop.write_text(source.replace(old, new, 1))
    assert lint("check").out == "All checks passed! (3 in the baseline)\n"
    assert lint("baseline", "check").code == 0


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param("    return req", "    time.sleep(1)\n    return req", ["a.py:8:5: AW101"], id="one more alike"),
        pytest.param("timeout=5", "timeout=9", ["a.py:8:12: AW102"], id="another argument"),
        pytest.param("def stock", "def supply", ["a.py:13:9: AW101"], id="another function"),
        pytest.param("class Shop", "class Store", ["a.py:13:9: AW101"], id="another class"),
        pytest.param("requests.get", "requests.post", ["a.py:8:12: AW102"], id="another call"),
    ],
)
def test_edits_that_make_findings_new(lint: Lint, shop: Path, old: str, new: str, expected: list[str]) -> None:
    shop.write_text(shop.read_text().replace(old, new, 1))
    ran = lint("check")
    assert [line.partition(" [*] `")[0] for line in ran.out.splitlines()[:-2]] == expected
    assert ran.code == 1
    assert lint("baseline", "check").code == 1


def test_another_file_is_new(lint: Lint, shop: Path, tmp_path: Path) -> None:
    write(tmp_path, b_py=CODE)
    assert len(lint("check").findings) == 3
    (tmp_path / "b.py").unlink()
    shop.rename(tmp_path / "c.py")
    assert len(lint("check").findings) == 3


def test_a_file_that_no_interpreter_here_can_parse_has_functions_too(lint: Lint, tmp_path: Path) -> None:
    """Through libcst: the same identity, whoever reads it."""
    newer = CODE + "\n\ntype Pair[T = int] = tuple[T, T]\n"
    write(tmp_path, a_py=newer)
    lint("baseline", "create")
    assert [each["function"] for each in entries_of(tmp_path)] == ["Shop.stock", "rates", "rates"]
    write(tmp_path, a_py=CODE)
    assert lint("check", "--baseline", NAME).code == 0


def test_findings_about_files_can_be_known(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py="async def f(:\n", b_py="x = 1  # noqa: AW101\n")
    (tmp_path / "c.py").write_bytes(b"async def f():\n    '\xff'\n")
    lint("baseline", "create")
    assert [each["code"] for each in entries_of(tmp_path)] == ["AW001", "AW003", "AW002"]
    assert lint("check", "--baseline", NAME).code == 0


def test_a_comment_counts_before_the_baseline(lint: Lint, shop: Path) -> None:
    """A finding that a comment suppresses uses no entry up, and the comment is not called unused."""
    shop.write_text(shop.read_text().replace("timeout=5)", "timeout=5)  # noqa: AW102"))
    assert lint("check").code == 0
    gone = lint("baseline", "check")
    assert (gone.code, gone.out.splitlines()[0]) == (1, f"a.py: AW102 requests.get is gone ({NAME})")


def test_the_baseline_does_not_depend_on_what_is_selected(lint: Lint, shop: Path, tmp_path: Path) -> None:
    before = (tmp_path / NAME).read_bytes()
    for option in (["--select", "AW101"], ["--ignore", "AW1"], ["--min-severity", "error"]):
        assert lint("check", *option).code == 0
        assert lint("baseline", "check", *option).code == 0
        assert lint("baseline", "shrink", *option).code == 0
    assert (tmp_path / NAME).read_bytes() == before


def test_a_nested_configuration_has_the_baseline_through_extend(lint: Lint, shop: Path, tmp_path: Path) -> None:
    write(tmp_path, sub__b_py=BAD)
    lint("baseline", "create", "--force")
    assert lint("check").code == 0
    write(tmp_path, sub__pyproject_toml="[tool.asgiway-lint]\nignore = ['AW108']\n")
    assert lint("check").findings == ["sub/b.py AW101", "sub/b.py AW102"], (
        "the nearest configuration, and only that one"
    )
    write(tmp_path, sub__pyproject_toml="[tool.asgiway-lint]\nextend = '../pyproject.toml'\n")
    assert lint("check").code == 0
    assert lint("check", "sub").code == 0
    (tmp_path / "sub" / "b.py").write_text(BAD + "\n\nasync def more():\n    time.sleep(2)\n")
    assert lint("check").findings == ["sub/b.py AW101"]


def test_paths_count_from_the_folder_of_the_baseline(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, src__a_py=CODE, ci__pyproject_toml="")
    lint("baseline", "create", "--baseline", "ci/known.json", "src")
    assert {each["path"] for each in json.loads((tmp_path / "ci/known.json").read_text())["findings"]} == {
        "../src/a.py"
    }
    os.chdir(tmp_path / "src")
    assert lint("check", "--baseline", "../ci/known.json").code == 0


def test_standard_input_has_a_baseline_when_it_has_a_name(shop: Path, tmp_path: Path) -> None:
    more = CODE.replace("    time.sleep(1)\n    return", "    time.sleep(1)\n    time.sleep(2)\n    return")
    ran = process("check", "-", "--stdin-filename", "a.py", cwd=tmp_path, input=more)
    assert ran.stdout.splitlines()[0].startswith("a.py:8:5: AW101 ")
    assert ran.stdout.splitlines()[1] == "Found 1 error (3 in the baseline)."
    assert process("check", "-", cwd=tmp_path, input=CODE).returncode == 1


def test_known_findings_do_not_fail_a_hook_that_names_files(lint: Lint, shop: Path) -> None:
    assert lint("check", "--force-exclude", str(shop)).code == 0


# --- shrinking --------------------------------------------------------------------------------------------------------


def test_the_ratchet(lint: Lint, shop: Path, tmp_path: Path) -> None:
    """Repaired findings have to leave the list, and cannot come back."""
    shop.write_text(CODE.replace("    time.sleep(1)\n    return", "    return"))
    checked = lint("baseline", "check")
    assert checked.code == 1
    assert checked.out.splitlines() == [
        f"a.py: AW101 time.sleep is gone ({NAME})",
        f"No new findings; {NAME}: 3 findings, 1 of them gone; asgiway-lint baseline shrink removes what is gone.",
    ]
    assert lint("check").code == 0
    shrunk = lint("baseline", "shrink")
    assert (shrunk.code, shrunk.out) == (0, f"No new findings; {NAME}: 1 finding removed, 2 left.\n")
    assert lint("baseline", "check").code == 0
    shop.write_text(CODE)
    assert lint("check").findings == ["a.py AW101"]


def test_shrink_adds_nothing(lint: Lint, shop: Path, tmp_path: Path) -> None:
    write(tmp_path, b_py=BAD)
    before = (tmp_path / NAME).read_bytes()
    ran = lint("baseline", "shrink")
    assert (ran.code, len(ran.findings)) == (1, 2)
    assert (tmp_path / NAME).read_bytes() == before


def test_counts_shrink_too(lint: Lint, tmp_path: Path) -> None:
    source = "import time\n\n\nasync def f():\n" + "    time.sleep(1)\n" * 3
    write(tmp_path, a_py=source)
    lint("baseline", "create")
    assert [each["count"] for each in entries_of(tmp_path)] == [3]
    write(tmp_path, a_py=source.replace("    time.sleep(1)\n", "", 1))
    lint("baseline", "shrink")
    assert [each["count"] for each in entries_of(tmp_path)] == [2]


def test_files_that_are_gone_excluded_or_not_looked_at(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD, b_py=BAD, sub__c_py=BAD, sub__d_py=BAD)
    lint("baseline", "create")
    (tmp_path / "a.py").unlink()
    write(tmp_path, b_py=GOOD)
    lint("baseline", "shrink", "sub")
    assert {each["path"] for each in entries_of(tmp_path)} == {"b.py", "sub/c.py", "sub/d.py"}, "b.py was not checked"
    lint("baseline", "shrink", "--extend-exclude", "d.py")
    assert {each["path"] for each in entries_of(tmp_path)} == {"sub/c.py"}


# --- the file -----------------------------------------------------------------------------------------------------------


def test_create_does_not_replace_by_accident(lint: Lint, shop: Path, tmp_path: Path) -> None:
    write(tmp_path, b_py=BAD)
    before = (tmp_path / NAME).read_bytes()
    refused = lint("baseline", "create")
    assert refused.code == 2
    assert "is there already; asgiway-lint baseline shrink" in refused.err
    assert (tmp_path / NAME).read_bytes() == before
    assert lint("baseline", "create", "--force").code == 0
    assert len(entries_of(tmp_path)) == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["check", "--baseline", "nope.json"],
            "there is no baseline {cwd}/nope.json; make it with: asgiway-lint baseline",
        ),
        (["baseline", "check"], f"there is no baseline {{cwd}}/{NAME}; make it with"),
        (["baseline", "shrink"], f"there is no baseline {{cwd}}/{NAME}; make it with"),
        (["baseline", "chek"], "'chek' is none of create, check, shrink (did you mean 'check'?)"),
        (["baseline"], "name what to do: asgiway-lint baseline create, check, shrink"),
        (["baseline", "create", "nope"], "no such file or folder: 'nope'"),
        (["baseline", "create", "-"], "a baseline is about files"),
        (["baseline", "shrink", "--force"], "--force is for create"),
        (
            ["baseline", "create", "--baseline", "no/such/known.json"],
            "cannot write to {cwd}/no/such/known.json: No such",
        ),
        (["check", "--config", "baseline = 3"], "'baseline' must be a string, not 3"),
    ],
)
def test_mistakes(lint: Lint, tmp_path: Path, arguments: list[str], message: str) -> None:
    write(tmp_path, a_py=BAD)
    ran = lint(*arguments)
    assert ran.code == 2
    assert message.format(cwd=tmp_path) in ran.err
    assert ran.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".py" and path.is_file()] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"version": 2, "findings": []}',
        '{"version": 1}',
        '{"version": 1, "findings": [7]}',
        '{"version": 1, "findings": [{"path": "a.py", "code": "AW101", "symbol": "x", "function": ""}]}',
        '{"version": 1, "findings": [{"path": "a", "code": "b", "symbol": "c", "function": "d", "source": "e", "count": 0}]}',
        "<<<<<<< HEAD\n{}",
    ],
)
def test_a_damaged_file_is_said_to_be_one(lint: Lint, shop: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    for arguments in (["check"], ["baseline", "check"], ["baseline", "shrink"]):
        ran = lint(*arguments)
        assert ran.code == 2
        assert f"{tmp_path / NAME} is no baseline of asgiway-lint: " in ran.err
    assert (tmp_path / NAME).read_text() == text


def test_the_same_findings_give_the_same_bytes_a_line_each(lint: Lint, shop: Path, tmp_path: Path) -> None:
    before = (tmp_path / NAME).read_text()
    lint("baseline", "create", "--force", "--jobs", "2", "--no-cache")
    assert (tmp_path / NAME).read_text() == before
    assert sum('"path"' in line for line in before.splitlines()) == 3


def test_an_empty_baseline(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=GOOD)
    lint("baseline", "create")
    assert entries_of(tmp_path) == []
    assert lint("baseline", "check").code == 0


identifiers = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
identity = st.builds(Identity, identifiers, identifiers, identifiers, identifiers)


@given(st.lists(st.tuples(identifiers, identity), max_size=12))
def test_what_is_written_is_read_back(entries: list[Entry]) -> None:
    file = Path("/p/known.json")
    assert parse(dump(entries), file).entries == Counter(entries)


@given(st.lists(identity, max_size=8), st.lists(identity, max_size=8))
def test_it_knows_as_many_as_it_has_and_calls_the_rest_stale(recorded: list[Identity], found: list[Identity]) -> None:
    baseline = Baseline(Path("/p"), Counter(("a.py", each) for each in recorded))
    known = baseline.take("/p/a.py", found)
    assert Counter(each for each, old in zip(found, known, strict=True) if old) == Counter(found) & Counter(recorded)
    stale = baseline.stale({"a.py"})
    assert Counter({each: count for (_, each), count in stale.items()}) == Counter(recorded) - Counter(found)
    assert baseline.stale({"b.py"}) == {}


def test_keys_have_slashes() -> None:
    assert key_of("/p/a/b.py", Path("/p")) == "a/b.py"
    assert key_of("/q/b.py", Path("/p")) == "../q/b.py"


def test_parse_names_what_is_wrong() -> None:
    with pytest.raises(UsageError, match="finding 1 needs the texts path, code, symbol, function, source and a count"):
        parse('{"version": 1, "findings": [{}]}', Path("/p/known.json"))


# --- writing it ---------------------------------------------------------------------------------------------------------


def test_a_read_only_baseline_stays(lint: Lint, shop: Path, tmp_path: Path) -> None:
    """Issue 5: the original is intact, and the message says so."""
    before = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).chmod(0o444)
    shop.write_text(GOOD)
    ran = lint("baseline", "shrink")
    assert ran.code == 2
    assert ran.err == f"error: cannot write to {tmp_path / NAME}: it is read-only; it is as it was before\n"
    assert (tmp_path / NAME).read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["a.py", NAME, "pyproject.toml"]


def test_quiet(lint: Lint, shop: Path) -> None:
    assert lint("baseline", "check", "--quiet").out == ""
    assert lint("baseline", "create", "--force", "--quiet").out == ""
