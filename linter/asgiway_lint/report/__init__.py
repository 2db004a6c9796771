"""Output formats, one module each: `report/concise.py` is what `--output-format concise` prints.

A reporter gets the results and yields text; it reads no file, writes nowhere, and decides nothing about what is shown.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from asgiway_lint.finding import Finding, Severity
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
    """

    findings: tuple[Finding, ...]
    cwd: Path
    source_of: Callable[[str], str | None]
    hidden: Counter[Severity]
    suppressed: tuple[Suppressed, ...] = ()
    project: Path | None = None

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
