"""The fixtures of `tests/linter/fixtures`: each says at its line ends what has to be found there, and nothing else may be."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from asgiway_lint.analysis.run import FileReport, check_files, check_source
from asgiway_lint.config import Settings

FIXTURES = Path(__file__).parents[1] / "fixtures"
EXPECTED = re.compile(r"# (AW\d{3}: .*)$")
SINGLE = sorted((FIXTURES / "single").glob("*.py"))
PROJECTS = sorted(path for path in (FIXTURES / "projects").iterdir() if path.is_dir())

Found = Counter[tuple[str, int, str, str]]


def expected(path: Path) -> Found:
    found: Found = Counter()
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        match = EXPECTED.search(line)
        if match is not None:
            for item in match[1].split(", "):
                code, _, symbol = item.partition(": ")
                found[path.name, number, code, symbol.strip()] += 1
    return found


def reported(report: FileReport) -> Found:
    return Counter((Path(report.path).name, f.line, f.code, f.symbol) for f in report.findings)


def settings(root: Path) -> Settings:
    return Settings(root=root, src=(root, root / "src"))


@pytest.mark.parametrize("path", SINGLE, ids=lambda path: path.stem)
def test_a_file_alone(path: Path) -> None:
    report = check_source(path.read_bytes(), path, settings(path.parent))
    assert reported(report) == expected(path)


@pytest.mark.parametrize("path", PROJECTS, ids=lambda path: path.stem)
def test_a_project_as_a_whole(path: Path) -> None:
    files = sorted(path.rglob("*.py"))
    reports = list(check_files(files, lambda _: settings(path), cache=False))
    assert [report.path for report in reports] == [str(file) for file in files]
    for file, report in zip(files, reports, strict=True):
        assert reported(report) == expected(file), file


@pytest.mark.parametrize("path", PROJECTS, ids=lambda path: path.stem)
def test_a_project_file_by_file_gives_the_same(path: Path) -> None:
    for file in sorted(path.rglob("*.py")):
        (report,) = check_files([file], lambda _: settings(path), cache=False)
        assert reported(report) == expected(file), file


def test_the_fixtures_have_more_silent_calls_than_findings() -> None:
    positive = silent = 0
    for path in (*SINGLE, *(FIXTURES / "projects").rglob("*.py")):
        for line in path.read_text("utf-8").splitlines():
            if EXPECTED.search(line):
                positive += 1
            elif re.search(r"\w\(", line) and not line.lstrip().startswith(("def ", "async def ", "class ", "@")):
                silent += 1
    assert positive > 100
    assert silent > positive // 2
