"""A report as text for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from asgiway.conformance.checking import Report
from asgiway.conformance.findings import Finding

__all__ = ["as_json", "as_text"]


def as_text(report: Report) -> str:
    """Lines of ``place: rule: message (source) [requests]``, then a summary."""
    lines = [_line(finding) for finding in report.breaches]
    lines += [f"note: {_line(finding)}" for finding in report.notes]
    asked = ", ".join(f"{request} ({'no answer' if status is None else status})" for request, status in report.requests)
    count = len(report.breaches)
    found = f"{count or 'No'} {'breach' if count == 1 else 'breaches'} of PEP 3333 in {asked}."
    return "\n".join([*lines, found, ""])


def _line(finding: Finding) -> str:
    place = finding.place
    where = "" if place is None else f"{place}: "
    via = ""
    if place is not None and not place.own:
        via = " (a library's line; what it was given comes from the application)"
    elif place is not None and not place.exact:
        via = " (done by a library; this is the application's last line before)"
    return f"{where}{finding.rule.name}: {finding.message}{via} ({finding.rule.source}) [{', '.join(finding.requests)}]"


def as_json(report: Report) -> str:
    """The same as an object with ``requests``, ``breaches`` and ``notes``."""
    return (
        json.dumps(
            {
                "requests": [
                    {"method": request.method, "path": request.path, "status": status}
                    for request, status in report.requests
                ],
                "breaches": _objects(report.breaches),
                "notes": _objects(report.notes),
            },
            indent=2,
        )
        + "\n"
    )


def _objects(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [
        {
            "rule": finding.rule.name,
            "source": finding.rule.source,
            "message": finding.message,
            "filename": finding.place.file if finding.place is not None else None,
            "line": finding.place.line if finding.place is not None else None,
            "exact": finding.place is not None and finding.place.own and finding.place.exact,
            "requests": list(finding.requests),
        }
        for finding in findings
    ]
