"""`--statistics --output-format json`: the counts as an array of objects."""

from __future__ import annotations

from collections.abc import Iterable

from asgiway_lint.report import Results
from asgiway_lint.report.json import dumps
from asgiway_lint.report.statistics import counts_of
from asgiway_lint.report.style import Style
from asgiway_lint.rules import rule_for

__all__ = ["render"]


def render(results: Results, style: Style) -> Iterable[str]:
    """Yield the array."""
    yield dumps([{"code": code, "name": rule_for(code).slug, "count": count} for code, count in counts_of(results)])
