"""`--output-format github`: workflow commands that GitHub Actions turns into annotations of the changed lines.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions; the escapes are those of `@actions/core`.
"""

from __future__ import annotations

from collections.abc import Iterable

from asgiway_lint.finding import Finding, Severity
from asgiway_lint.report import Results
from asgiway_lint.report.style import Style, shown_path

__all__ = ["render"]

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def render(results: Results, style: Style) -> Iterable[str]:
    """Yield a command per finding."""
    for finding in results.findings:
        yield _command(finding, results)


def _command(finding: Finding, results: Results) -> str:
    path = shown_path(finding.path, results.base)
    properties = {
        "title": f"asgiway-lint ({finding.code})",
        "file": path,
        "line": str(finding.line),
        "col": str(finding.column),
        "endLine": str(finding.end_line),
        "endColumn": str(finding.end_column),
    }
    if finding.line != finding.end_line:  # GitHub refuses columns then
        del properties["col"], properties["endColumn"]
    listed = ",".join(f"{name}={_escaped(value, _PROPERTY)}" for name, value in properties.items())
    text = f"{path}:{finding.line}:{finding.column}: {finding.code} {finding.message}"
    return f"::{_COMMANDS[finding.severity]} {listed}::{_escaped(text, _DATA)}\n"


def _escaped(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in text)
