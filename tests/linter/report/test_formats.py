"""Every format, as a golden file: what users and their programs read does not change by accident.

After a change on purpose: ASGIWAY_UPDATE_GOLDEN=1 pytest tests/linter/report, then read the difference.
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import pkgutil
import re
from collections import Counter
from pathlib import Path

import pytest

import asgiway_lint.report
from asgiway_lint.config import OUTPUT_FORMATS
from asgiway_lint.finding import Finding, Severity
from asgiway_lint.report import Results, reporter
from asgiway_lint.report.style import Style, visible, width_of
from asgiway_lint.report.summary import summary
from tests.linter.report.samples import CLEAN, FINDINGS, RESULTS, SOURCES

GOLDEN = Path(__file__).parent / "golden"
NAMES = sorted(
    module.name
    for module in pkgutil.iter_modules(asgiway_lint.report.__path__)
    if hasattr(importlib.import_module(f"asgiway_lint.report.{module.name}"), "render")
)


def text_of(name: str, results: Results, style: Style | None = None) -> str:
    return "".join(reporter(name)(results, style or Style(width=80)))


def check_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    data = text.encode("utf-8", "surrogateescape")
    if os.environ.get("ASGIWAY_UPDATE_GOLDEN"):
        path.write_bytes(data)
        pytest.fail(f"{path} is written: read it, then run without ASGIWAY_UPDATE_GOLDEN")
    assert data == path.read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_golden_file(name: str) -> None:
    check_golden(f"{name}.txt", text_of(name, RESULTS))


def test_golden_file_in_colour() -> None:
    check_golden("full_colour.txt", text_of("full", RESULTS, Style(colour=True, width=80)))


def test_colours_are_all_that_colour_changes() -> None:
    for name in NAMES:
        coloured = text_of(name, RESULTS, Style(colour=True, width=80))
        assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == text_of(name, RESULTS)


def test_every_format_that_can_be_asked_for_has_a_module() -> None:
    assert {*(name.replace("-", "_") for name in OUTPUT_FORMATS), "statistics", "statistics_json"} == set(NAMES)


@pytest.mark.parametrize("name", sorted({*NAMES} - {"junit", "rdjson", "sarif"}))
def test_nothing_found(name: str) -> None:
    """The other formats say it in a document: see test_consumers.py."""
    assert text_of(name, CLEAN) == ("[]\n" if name in ("json", "statistics_json", "gitlab") else "")


def test_the_text_line_is_fixed_for_ever() -> None:
    """The pattern of the VS Code problem matcher, which other tools use, too."""
    matcher = re.compile(r"^(.+?):(\d+):(\d+): (AW\d{3}) (?:\[\*\] )?(.*)$")
    lines = text_of("concise", RESULTS).splitlines()
    assert len(lines) == len(FINDINGS)
    assert all(matcher.match(line) for line in lines)
    found = [match for line in text_of("full", RESULTS).splitlines() if (match := matcher.match(line))]
    assert [match[0] for match in found] == lines
    assert matcher.match(lines[6])
    assert lines[6].startswith("shop/rates.py:8:14: AW102 `requests.get` ")


def test_json_has_the_documented_fields() -> None:
    objects = json.loads(text_of("json", RESULTS))
    assert len(objects) == len(FINDINGS)
    for each in objects:
        assert list(each) == [
            "code",
            "name",
            "message",
            "severity",
            "url",
            "filename",
            "location",
            "end_location",
            "fix",
            "noqa_row",
            "symbol",
            "replacement",
            "chain",
        ]
    chained = next(each for each in objects if each["chain"])
    assert chained["chain"][0] == {
        "call": "helpers.load",
        "filename": "/project/shop/rates.py",
        "location": {"row": 19, "column": 12},
    }
    assert chained["name"] == "blocking-file-content"


def test_json_is_valid_unicode_even_if_a_file_name_is_not() -> None:
    text_of("json", RESULTS).encode("utf-8")


@pytest.mark.parametrize("name", ["full", "concise", "grouped", "pylint", "junit"])
def test_source_and_names_cannot_control_the_terminal(name: str) -> None:
    text = text_of(name, RESULTS)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_frames_fit_and_carets_stand_under_what_they_mark() -> None:
    """Whatever the width: no line is too wide, and the marked text is what the finding is about (unless it is cut)."""
    for width in (40, 60, 80, 140, 400):
        for block in text_of("full", RESULTS, Style(width=width)).split("\n\n"):
            rows = [line.partition("| ")[2] for line in block.splitlines() if re.match(r"^ *\d* \|", line)]
            for row in rows:
                assert width_of(row) <= width + 2  # the rail of a range of several lines
            for above, row in itertools.pairwise(rows):
                if row.strip() and not row.strip(" ^"):
                    start = len(row) - len(row.lstrip(" "))
                    marked = columns(above)[start : len(row)]
                    if "requests.get(url)" in above:
                        assert marked == "requests.get(url)"
                    if 'requests.get("http://例え.jp")' in above:
                        assert marked == "".join(columns('requests.get("http://例え.jp")'))


def columns(text: str) -> str:
    """Return text with one character per column of a terminal: a wide one is followed by a blank, a mark of none is left out."""
    return "".join(character + " " * (width_of(character) - 1) for character in text if width_of(character))


@pytest.mark.parametrize(
    ("place", "lines"),
    [
        pytest.param((1, 1, 1, 1), [""], id="an empty file"),
        pytest.param((7, 1, 7, 2), ["x"], id="a line that is gone"),
        pytest.param((1, 50, 1, 60), ["x"], id="a column that is gone"),
        pytest.param((1, 1, 9, 1), ["x", "y"], id="an end that is gone"),
        pytest.param((1, 1, 1, 1), ["x"], id="an empty range"),
    ],
)
def test_a_source_that_has_changed_since_is_no_error(place: tuple[int, int, int, int], lines: list[str]) -> None:
    line, column, end_line, end_column = place
    finding = Finding(
        path="/project/a.py",
        code="AW102",
        message="m",
        severity=Severity.ERROR,
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
    )
    results = Results(findings=(finding,), cwd=RESULTS.cwd, source_of=lambda _: "\n".join(lines), hidden=RESULTS.hidden)
    text = text_of("full", results)
    assert text.startswith(f"a.py:{line}:{column}: AW102 m\n")
    assert bool(re.search(r"^1 \| (?:/ )?x$", text, re.MULTILINE)) == (line == 1 and lines != [""])


def test_sources_of_the_samples_are_used() -> None:
    assert {finding.path for finding in FINDINGS} >= set(SOURCES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc", "abc"),
        ("\ta", "    a"),
        ("\x1b[31m", "\u241b[31m"),
        ("\x7f\x9b", "\u2421\ufffd"),
        ("a\u202eb\u2028c", "a\ufffdb\ufffdc"),
        ("日本é", "日本é"),
    ],
)
def test_visible(text: str, expected: str) -> None:
    assert visible(text) == expected


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("\U0001f600", 2), ("a\u200db", 2)]
)
def test_width(text: str, width: int) -> None:
    assert width_of(text) == width


def results_with(errors: int, warnings: int, info: int, hidden: dict[Severity, int] | None = None) -> Results:
    base = FINDINGS[0]
    kinds = [Severity.ERROR] * errors + [Severity.WARNING] * warnings + [Severity.INFO] * info
    return Results(
        findings=tuple(
            Finding(
                path=base.path, code="AW102", message="m", severity=kind, line=1, column=1, end_line=1, end_column=1
            )
            for kind in kinds
        ),
        cwd=RESULTS.cwd,
        source_of=lambda _: None,
        hidden=Counter(hidden or {}),
    )


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (results_with(0, 0, 0), "All checks passed!"),
        (results_with(1, 0, 0), "Found 1 error."),
        (results_with(3, 1, 0), "Found 3 errors, 1 warning."),
        (results_with(0, 2, 4), "Found 2 warnings, 4 info."),
        (
            results_with(0, 0, 0, {Severity.INFO: 2}),
            "All checks passed! (2 info not shown; --min-severity info shows them)",
        ),
        (
            results_with(1, 0, 0, {Severity.INFO: 2, Severity.WARNING: 1}),
            "Found 1 error (1 warning, 2 info not shown; --min-severity info shows them).",
        ),
        (
            results_with(1, 0, 0, {Severity.WARNING: 1}),
            "Found 1 error (1 warning not shown; --min-severity warning shows it).",
        ),
    ],
)
def test_summary(results: Results, expected: str) -> None:
    assert summary(results) == expected + "\n"
