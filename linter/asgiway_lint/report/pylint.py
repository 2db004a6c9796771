"""`--output-format pylint`: pylint's parseable line, for the many CI systems that read it."""

from __future__ import annotations

from collections.abc import Iterable

from asgiway_lint.report import Results
from asgiway_lint.report.style import Style, shown_path, visible
from asgiway_lint.rules import rule_for

__all__ = ["render"]


def render(results: Results, style: Style) -> Iterable[str]:
    """Yield `path:line: [code(name), ] message` per finding."""
    for finding in results.findings:
        path = visible(shown_path(finding.path, results.cwd))
        yield f"{path}:{finding.line}: [{finding.code}({rule_for(finding.code).slug}), ] {visible(finding.message)}\n"
