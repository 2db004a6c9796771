"""`--output-format json`: one array of findings, with ruff's field names and three more: `symbol`, `replacement`, `chain`.

Rows and columns are 1-based, columns count code points, ends are exclusive; file names are absolute. `noqa_row` is the line where
a `# noqa` fits. `fix` is the preferred fix where fixes are computed (`--show-fixes`), with ruff's fields and its `reason`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any

from asgiway_lint.comments import joined_lines
from asgiway_lint.finding import Finding, Link
from asgiway_lint.fixes.model import Offer
from asgiway_lint.report import Results
from asgiway_lint.report.style import Style
from asgiway_lint.rules import rule_for

__all__ = ["as_object", "dumps", "objects", "render"]


def render(results: Results, style: Style) -> Iterable[str]:
    """Yield the array; `[]` when nothing was found."""
    yield dumps(list(objects(results)))


def objects(results: Results) -> Iterator[dict[str, Any]]:
    """Yield the findings as JSON-able data."""
    for path, group in itertools.groupby(results.findings, key=lambda finding: finding.path):
        runs = joined_lines(results.source_of(path) or "")
        rows = {line: last for first, last in runs for line in range(first, last)}
        for finding in group:
            yield as_object(finding, results, rows.get(finding.end_line, finding.end_line))


def dumps(value: object) -> str:
    """Return indented JSON with a line end, never with lone surrogates, which strict readers refuse."""
    return json.dumps(value, indent=2, ensure_ascii=False).encode("utf-8", "replace").decode() + "\n"


def as_object(finding: Finding, results: Results, noqa_row: int) -> dict[str, Any]:
    """Return one finding as JSON-able data.

    Args:
        finding: the finding.
        results: what else is known of it.
        noqa_row: the line that has room for a comment about it.
    """
    offers = results.offers.get(finding, ())
    return {
        "code": finding.code,
        "name": rule_for(finding.code).slug,
        "message": finding.message,
        "severity": finding.severity.value,
        "url": None,
        "filename": finding.path,
        "location": {"row": finding.line, "column": finding.column},
        "end_location": {"row": finding.end_line, "column": finding.end_column},
        "fix": next((_fix(offer) for offer in offers if isinstance(offer, Offer)), None),
        "noqa_row": noqa_row,
        "symbol": finding.symbol or None,
        "replacement": finding.replacement or None,
        "chain": [_link(link) for link in finding.chain],
    }


def _fix(offer: Offer) -> dict[str, Any]:
    return {
        "applicability": offer.applicability.value,
        "message": offer.title,
        "reason": offer.reason or None,
        "edits": [
            {
                "content": each.text,
                "location": {"row": each.line, "column": each.column},
                "end_location": {"row": each.end_line, "column": each.end_column},
            }
            for each in offer.replacements
        ],
    }


def _link(link: Link) -> dict[str, Any]:
    return {"call": link.call, "filename": link.path, "location": {"row": link.line, "column": link.column}}
