"""The last lines of the text formats: how many there are, and what was held back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from asgiway_lint.finding import Severity
from asgiway_lint.fixes.model import Applicability
from asgiway_lint.report import Results

__all__ = ["summary"]

_ORDER = (Severity.ERROR, Severity.WARNING, Severity.INFO)


def summary(results: Results) -> str:
    """Return one line, such as `Found 3 errors, 1 warning.`, and another one if there is something to fix."""
    hidden = sum(results.hidden.values())
    notes: list[str] = []
    if known := sum(each.by == "baseline" for each in results.suppressed):
        notes.append(f"{known} in the baseline")
    if hidden:
        mildest = min(results.hidden, key=lambda severity: severity.rank)
        notes.append(
            f"{_count(results.hidden)} not shown; --min-severity {mildest} shows {'it' if hidden == 1 else 'them'}"
        )
    tail = f" ({'; '.join(notes)})" if notes else ""
    if results.fixed:
        everything = _count(finding.severity for finding in (*results.fixed, *results.findings))
        counts = f" ({len(results.fixed)} fixed, {len(results.findings)} remaining)"
        return f"Found {everything}{counts}{tail}.\n{_fixable(results)}"
    if not results.findings:
        return f"All checks passed!{tail}\n"
    return f"Found {_count(finding.severity for finding in results.findings)}{tail}.\n{_fixable(results)}"


def _fixable(results: Results) -> str:
    """What `--fix` could do; nothing if it could do nothing."""
    marks = Counter(results.marks.get(finding) for finding in results.findings)
    safe, unsafe = marks[Applicability.SAFE], marks[Applicability.UNSAFE]
    if results.unsafe_fixes:
        safe, unsafe = safe + unsafe, 0
    if safe:
        return f"[*] {safe} fixable with `--fix`{f' ({unsafe} more with `--unsafe-fixes`)' if unsafe else ''}.\n"
    return f"No safe fixes ({unsafe} with `--fix --unsafe-fixes`).\n" if unsafe else ""


def _count(severities: Iterable[Severity] | Counter[Severity]) -> str:
    counts = Counter(severities)
    return ", ".join(_some(counts[severity], severity) for severity in _ORDER if counts[severity])


def _some(number: int, severity: Severity) -> str:
    if severity is Severity.INFO:
        return f"{number} info"
    return f"{number} {severity}{'' if number == 1 else 's'}"
