"""`--statistics`: how often each rule fired, most often first, in place of the findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from asgiway_lint.report import Results
from asgiway_lint.report.style import Style
from asgiway_lint.rules import rule_for

__all__ = ["counts_of", "render"]


def render(results: Results, style: Style) -> Iterable[str]:
    """Yield `count<TAB>code<TAB>name` per rule."""
    counts = counts_of(results)
    marks = _marks(results)
    width = max((len(str(count)) for _, count in counts), default=0)
    for code, count in counts:
        rule = rule_for(code)
        mark = f"{marks[code]} " if marks else ""
        yield f"{style.strong(f'{count:>{width}}')}\t{style.severity(code, rule.severity)}\t{mark}{rule.slug}\n"


def _marks(results: Results) -> dict[str, str]:
    """Per rule: `[*]` if `--fix` repairs all of its findings, `[-]` if some; nothing if it repairs none of any rule."""
    found = {
        code: {results.fixable(finding) for finding in results.findings if finding.code == code}
        for code in {finding.code for finding in results.findings}
    }
    if not any(True in each for each in found.values()):
        return {}
    return {code: "[-]" if len(each) == 2 else "[*]" if True in each else "[ ]" for code, each in found.items()}


def counts_of(results: Results) -> list[tuple[str, int]]:
    """Return codes with their counts: by falling count, then by code."""
    return sorted(Counter(f.code for f in results.findings).items(), key=lambda item: (-item[1], item[0]))
