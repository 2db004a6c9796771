"""`--output-format rdjson`: the Reviewdog Diagnostic Format, which reviewdog turns into review comments.

https://github.com/reviewdog/reviewdog/tree/master/proto/rdf. Its columns count bytes of UTF-8, from 1.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from asgiway_lint.facts.text import split_lines
from asgiway_lint.finding import Finding
from asgiway_lint.fixes.model import Offer
from asgiway_lint.report import Results
from asgiway_lint.report.json import dumps
from asgiway_lint.report.style import Style, shown_path

__all__ = ["render"]

_Lines = Callable[[str], list[str]]


def render(results: Results, style: Style) -> Iterable[str]:
    """Yield the document."""

    @functools.lru_cache(maxsize=16)  # findings are sorted by file; their chains lead to others
    def lines_of(path: str) -> list[str]:
        return split_lines((results.source_of(path) or "").removeprefix("\ufeff"))

    yield dumps(
        {
            "source": {"name": "asgiway-lint"},
            "diagnostics": [_diagnostic(finding, results, lines_of) for finding in results.findings],
        }
    )


def _diagnostic(finding: Finding, results: Results, lines_of: _Lines) -> dict[str, Any]:
    lines = lines_of(finding.path)
    diagnostic: dict[str, Any] = {
        "message": finding.message,
        "location": {
            "path": shown_path(finding.path, results.cwd),
            "range": {
                "start": _position(lines, finding.line, finding.column),
                "end": _position(lines, finding.end_line, finding.end_column),
            },
        },
        "severity": finding.severity.value.upper(),
        "code": {"value": finding.code},
    }
    if finding.chain:
        diagnostic["related_locations"] = [
            {
                "message": link.call,
                "location": {
                    "path": shown_path(link.path, results.cwd),
                    "range": {"start": _position(lines_of(link.path), link.line, link.column)},
                },
            }
            for link in finding.chain
        ]
    if offers := [each for each in results.offers.get(finding, ()) if isinstance(each, Offer)]:
        diagnostic["suggestions"] = [
            {
                "range": {
                    "start": _position(lines, each.line, each.column),
                    "end": _position(lines, each.end_line, each.end_column),
                },
                "text": each.text,
            }
            for each in offers[0].replacements
        ]
    return diagnostic


def _position(lines: list[str], line: int, column: int) -> dict[str, int]:
    before = lines[line - 1][: column - 1] if line <= len(lines) else ""
    # A place behind the end of a line stays as far behind it.
    return {"line": line, "column": column + len(before.encode("utf-8", "replace")) - len(before)}
