"""`--output-format gitlab`: a report for GitLab's Code Quality widget (`artifacts: reports: codequality`).

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format. Fingerprints don't depend on line numbers, so that
a merge request shows what it adds and not what it moves; GitLab wants each to be unique within the report.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from asgiway_lint.finding import Finding, Severity
from asgiway_lint.identity import fingerprints, identities
from asgiway_lint.report import Results
from asgiway_lint.report.json import dumps
from asgiway_lint.report.style import Style, shown_path

__all__ = ["render"]

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def render(results: Results, style: Style) -> Iterable[str]:
    """Yield the array; `[]` when nothing was found."""
    issues: list[dict[str, Any]] = []
    for name, group in itertools.groupby(results.findings, key=lambda finding: finding.path):
        findings = list(group)
        path = shown_path(name, results.base)
        marks = fingerprints(identities(findings, results.source_of(name)), path)
        issues += (_issue(finding, path, mark) for finding, mark in zip(findings, marks, strict=True))
    yield dumps(issues)


def _issue(finding: Finding, path: str, fingerprint: str) -> dict[str, Any]:
    return {
        "check_name": finding.code,
        "description": f"{finding.code}: {finding.message}",
        "severity": _SEVERITIES[finding.severity],
        "fingerprint": fingerprint,
        "location": {
            "path": path,
            "positions": {
                "begin": {"line": finding.line, "column": finding.column},
                "end": {"line": finding.end_line, "column": finding.end_column},
            },
        },
    }
