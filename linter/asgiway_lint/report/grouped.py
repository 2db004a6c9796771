"""`--output-format grouped`: findings under the file that they are in."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from asgiway_lint.report import Results
from asgiway_lint.report.concise import mark_of
from asgiway_lint.report.style import Style, shown_path, visible

__all__ = ["render"]


def render(results: Results, style: Style) -> Iterable[str]:
    """Yield a block per file, with an empty line behind it."""
    for path, group in itertools.groupby(results.findings, key=lambda finding: finding.path):
        findings = list(group)
        width = max(len(f"{finding.line}:{finding.column}") for finding in findings)
        yield style.strong(visible(shown_path(path, results.cwd))) + ":\n"
        for finding in findings:
            place = f"{finding.line}:{finding.column}"
            code = style.severity(finding.code, finding.severity)
            yield f"  {place:<{width}} {code} {mark_of(finding, results, style)}{visible(finding.message)}\n"
        yield "\n"
