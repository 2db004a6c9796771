"""The libraries' pages say what the catalogue says, and are checked in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from asgiway_lint.catalogue import Catalogue, docs
from asgiway_lint.rules import rule_for

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "linter" / "docs" / "libraries"


def test_the_pages_are_up_to_date() -> None:
    """Otherwise: python -m asgiway_lint.catalogue.docs linter/docs/libraries"""
    written = {path.name: path.read_text("utf-8") for path in PAGES.iterdir()}
    made = docs.pages()
    assert sorted(written) == sorted(made)
    assert [name for name in made if written[name] != made[name]] == []


def test_every_library_has_a_page_and_a_row_in_the_index(catalogue: Catalogue) -> None:
    index = (PAGES / "README.md").read_text("utf-8")
    assert set(re.findall(r"^\| \[(\w+)\]\(\1\.md\)", index, re.MULTILINE)) == catalogue.packages


def test_a_page_has_every_call_with_rule_severity_replacement_and_condition(catalogue: Catalogue) -> None:
    for package in catalogue.packages:
        page = (PAGES / f"{package}.md").read_text("utf-8")
        file = catalogue.library(package)
        assert file is not None
        for entry in file.entries.values():
            owner, _, last = entry.name.rpartition(".")
            name = f"`{owner}`: " if entry.kind == "method" and last.startswith("__") else f"`{entry.name}`"
            rows = [line for line in page.splitlines() if line.startswith(f"| {name}") and f"[{entry.rule}]" in line]
            assert rows, f"{package}: {entry.name}"
            if entry.default:
                assert any(f"| {rule_for(entry.rule).severity} |" in row for row in rows)
            if entry.default and entry.predicate:
                assert any(f"[{entry.predicate}](#conditions)" in row for row in rows)
                assert f"- **{entry.predicate}**: " in page


def test_every_wrapper_is_listed(catalogue: Catalogue) -> None:
    page = (PAGES / "wrappers.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([\w.]+)`", page, re.MULTILINE)) == {wrapper.name for wrapper in catalogue.wrappers()}


def test_links_of_the_pages_lead_somewhere() -> None:
    for page in PAGES.iterdir():
        for link in re.findall(r"\]\(((?!https?://|#)[^)#]+)", page.read_text("utf-8")):
            assert (PAGES / link).exists(), f"{page.name}: {link}"


def test_pages_of_libraries_that_are_gone_are_removed(tmp_path: Path) -> None:
    (tmp_path / "gone.md").write_text("", "utf-8")
    assert docs.main([str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == set(docs.pages())


def test_a_folder_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    assert docs.main([str(tmp_path / "file")]) == 2
    assert "cannot be written" in capsys.readouterr().err
