"""Output formats, one module each: `report/concise.py` is what `--output-format concise` prints.

A reporter gets the results and yields text; it reads no file, writes nowhere, and decides nothing about what is shown.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

from asgiway_lint.finding import Finding, Severity
from asgiway_lint.fixes.model import Applicability, Offer, Refusal
from asgiway_lint.report.style import Style
from asgiway_lint.suppress import Suppressed

__all__ = ["Reporter", "Results", "reporter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What a run has to say.

    Args:
        findings: what is shown, sorted.
        cwd: absolute current folder: paths below it are shown relative to it.
        source_of: the decoded text of a finding's file; None if it cannot be read.
        hidden: how many findings are milder than `min-severity`, per severity.
        suppressed: what comments or the baseline keep from being shown, sorted.
        project: absolute folder that CI counts paths from, where its formats want such; None: the current folder.
        fixed: what was repaired in this run.
        marks: what kind of fix findings have (or, without `marks_known`, probably have).
        marks_known: whether the marks come from the fixes themselves.
        unsafe_fixes: whether unsafe fixes count, too.
        offers: the fixes themselves, where they were asked for, and why there are none; the preferred one first.
    """

    findings: tuple[Finding, ...]
    cwd: Path
    source_of: Callable[[str], str | None]
    hidden: Counter[Severity]
    suppressed: tuple[Suppressed, ...] = ()
    project: Path | None = None
    fixed: tuple[Finding, ...] = ()
    marks: Mapping[Finding, Applicability] = field(default_factory=dict[Finding, Applicability])
    marks_known: bool = False
    unsafe_fixes: bool = False
    offers: Mapping[Finding, tuple[Offer | Refusal, ...]] = field(
        default_factory=dict[Finding, tuple[Offer | Refusal, ...]]
    )

    def fixable(self, finding: Finding) -> bool:
        """Whether `--fix` with the options of this run repairs it: whether it gets the mark `[*]`."""
        mark = self.marks.get(finding)
        return mark is Applicability.SAFE or (mark is not None and self.unsafe_fixes)

    @property
    def base(self) -> Path:
        """The folder that CI counts paths from."""
        return self.project or self.cwd


class Reporter(Protocol):
    """Renders results: pieces of text, line ends included."""

    def __call__(self, results: Results, style: Style, /) -> Iterable[str]:
        """Yield the report."""
        ...


def reporter(name: str) -> Reporter:
    """Return the reporter of a format, or `statistics`, `statistics_json`; only its module is imported."""
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    return cast("Reporter", module.render)
