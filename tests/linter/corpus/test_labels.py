"""The labelled corpus is well-formed, its judge judges rightly, and its sampler knows no linter (issue 4, section 4: accuracy)."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from tests.linter.corpus import sample
from tests.linter.corpus.data import Function, Package, Site, load
from tests.linter.corpus.score import judge
from tests.linter.corpus.tools import Alarm, ToolError, asgiway_lint, flake8_async, ruff

PACKAGES = load()
ALL_SITES = [
    (package, function, site) for package in PACKAGES for function in package.functions for site in function.sites
]


def test_at_least_150_blocking_sites_in_at_least_4_packages_and_as_many_clean_ones() -> None:
    verdicts = Counter(site.verdict for _, _, site in ALL_SITES)
    assert verdicts["blocks"] >= 150
    assert verdicts["clean"] >= 150
    blocking = Counter(package.name for package, _, site in ALL_SITES if site.verdict == "blocks")
    assert len([name for name, count in blocking.items() if count >= 10]) >= 4, blocking


def test_every_kind_has_enough_sites_to_speak_of_a_share() -> None:
    kinds = Counter(site.kind for _, _, site in ALL_SITES if site.verdict == "blocks")
    assert min(kinds["direct"], kinds["typed"], kinds["helper"]) >= 50, kinds


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_labels_stand_in_their_function_once_and_functions_do_not_overlap(package: Package) -> None:
    for function in package.functions:
        lines = [site.line for site in function.sites]
        assert lines == sorted(set(lines)), f"{function.file}:{function.first} has a line twice or out of order"
        assert all(function.first <= line <= function.last for line in lines), function
        assert all(site.what and site.why for site in function.sites), function
    places = sorted((function.file, function.first, function.last) for function in package.functions)
    for (file, _, last), (other, first, _) in pairwise(places):
        assert file != other or last < first, f"{file}: lines {first} to {last} belong to two functions"
    assert len(package.sha256) == 64
    assert package.draws


def test_an_unknown_verdict_is_refused_with_its_place(tmp_path: Path) -> None:
    site = '{ line = 7, verdict = "perhaps", kind = "direct", what = "f", why = "w" }'
    text = 'package = "p"\nversion = "1"\nsha256 = ""\ndraws = []\nheld_out = false\n[[functions]]\nfile = "a.py"\nname = "f"\nfirst = 1\nlast = 9\n'
    (tmp_path / "p.toml").write_text(f"{text}sites = [{site}]\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"p\.toml, label of line 7: 'perhaps' is none of blocks, clean, debatable"):
        load(tmp_path)


def test_judge_counts_found_missed_and_false_lines_and_leaves_debatable_and_foreign_ones_out() -> None:
    sites = (
        Site(11, "blocks", "direct", "open", "file"),
        Site(12, "blocks", "helper", "load", "open"),
        Site(13, "clean", "direct", "to_thread", "thread"),
        Site(14, "debatable", "direct", "print", "console"),
    )
    package = Package("p", "1", "", (), False, (Function("a.py", "f", 10, 20, sites),))
    raised = [(11, "AW108"), (11, "AW109"), (13, "AW108"), (14, "AW112"), (15, "AW101"), (30, "AW101")]
    alarms = [Alarm("a.py", line, code, "") for line, code in raised] + [Alarm("b.py", 12, "AW101", "")]
    score = judge(package, alarms)
    assert score.recall("direct") == 1.0
    assert score.recall("helper") == 0.0
    assert score.recall("direct", "helper") == 0.5
    assert score.recall("typed") == 1.0, "no sites, nothing missed"
    assert [site.line for _, _, site in score.missed] == [12]
    assert sorted(alarm.line for _, alarm in score.false) == [13, 15]
    assert score.precision == pytest.approx(1 / 3)


def test_each_tool_is_really_run_and_only_its_blocking_rules_count(tmp_path: Path) -> None:
    source = "import time\nimport asyncio\n\n\nasync def f():\n    time.sleep(1)\n    asyncio.run(f())\n"
    (tmp_path / "a.py").write_text(source, encoding="utf-8")
    assert [(alarm.file, alarm.line, alarm.code) for alarm in asgiway_lint(tmp_path)] == [("a.py", 6, "AW101")]
    assert [(alarm.file, alarm.line) for alarm in ruff(tmp_path)] == [("a.py", 6)]


def test_a_flake8_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="no-such-flake8 not found: pip install flake8 flake8-async"):
        flake8_async(tmp_path, [], "no-such-flake8")


def test_the_sampler_knows_no_linter_and_draws_the_same_functions_every_time(tmp_path: Path) -> None:
    tree = ast.parse(Path(sample.__file__).read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= set(sys.stdlib_module_names) | {"collections.abc"}, imported

    body = "\n".join(f"async def f{number}():\n    open('x')\n    helper()\n" for number in range(30))
    (tmp_path / "a.py").write_text(f"def helper():\n    open('x')\n\n{body}", encoding="utf-8")
    (tmp_path / "broken.py").write_text("async def (:\n", encoding="utf-8")
    found = sample.functions(tmp_path)
    assert len(found) == 30
    assert found[0].strata == {"sync", "helper", "io", "any"}
    assert found[0].helpers == ("helper",)
    first = sample.choose(found, "sync", 5, seed=4)
    assert first == sample.choose(found, "sync", 5, seed=4)
    assert first != sample.choose(found, "sync", 5, seed=5)
