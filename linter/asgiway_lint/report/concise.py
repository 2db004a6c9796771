"""`--output-format concise`: one line per finding, `path:line:col: CODE [*] message`, for ever; `[*]` where `--fix` helps.

Editors and CI match this line by a regular expression (`linter/docs/usage.md` has it): no word of it moves.
"""

from __future__ import annotations

from collections.abc import Iterable

from asgiway_lint.finding import Finding
from asgiway_lint.report import Results
from asgiway_lint.report.style import Style, shown_path, visible

__all__ = ["line_of", "mark_of", "render"]


def render(results: Results, style: Style) -> Iterable[str]:
    """Yield a line per finding."""
    for finding in results.findings:
        yield line_of(finding, results, style) + "\n"


def line_of(finding: Finding, results: Results, style: Style) -> str:
    """Return the line of one finding, without its end."""
    colon = style.faint(":")
    path = style.strong(visible(shown_path(finding.path, results.cwd)))
    place = colon.join((path, str(finding.line), str(finding.column)))
    return f"{place}{colon} {style.severity(finding.code, finding.severity)} {mark_of(finding, results, style)}{visible(finding.message)}"


def mark_of(finding: Finding, results: Results, style: Style) -> str:
    """Return `[*] ` for a finding that `--fix` repairs, else nothing."""
    return f"[{style.faint('*')}] " if results.fixable(finding) else ""
