"""One run of `asgiway-lint check`: from paths to what is shown. Knows no command line and prints nothing."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asgiway_lint.baselinefiles import BaselineFiles
from asgiway_lint.configfiles import Resolver
from asgiway_lint.filtering import filter_findings
from asgiway_lint.finding import Finding, Severity
from asgiway_lint.project.discovery import Discovered, Unlisted, excluded_by_settings
from asgiway_lint.report import Results
from asgiway_lint.rules import rule_for
from asgiway_lint.suppress import Suppressed

if TYPE_CHECKING:
    from asgiway_lint.analysis.run import FileReport
    from asgiway_lint.changes import Changes

__all__ = ["Outcome", "Screen", "check_discovered", "check_text", "read_source"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: what to show, and whether any of it makes the exit code 1."""

    results: Results
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What keeps findings from being shown, besides the settings.

    Args:
        ignore_noqa: whether suppression comments count for nothing.
        baselines: the baselines that settings name; None: they count for nothing.
        changes: the lines that findings have to do with; None: all.
    """

    ignore_noqa: bool = False
    baselines: BaselineFiles | None = None
    changes: Changes | None = None


def check_discovered(
    discovered: Discovered,
    resolver: Resolver,
    *,
    screen: Screen | None = None,
    cache: bool = True,
    jobs: int | None = None,
    watch: Callable[[Iterable[FileReport]], Iterable[FileReport]] = lambda reports: reports,
) -> Outcome:
    """Check files.

    Args:
        discovered: the files.
        resolver: which settings hold for which file.
        screen: what is not to be shown.
        cache: whether to use the cache on disk.
        jobs: how many processes; None: as many as it is worth.
        watch: passes the reports on, one per file, as they come.
    """
    from asgiway_lint.analysis.run import FileReport, check_files  # the engine: only what checks pays for it

    unlisted = (FileReport(folder.path, (_finding(folder),), ()) for folder in discovered.unlisted)
    reports = watch(check_files(discovered.files, resolver.for_file, cache=cache, jobs=jobs))
    return _outcome(itertools.chain(unlisted, reports), resolver, screen or Screen(), read_source)


def check_text(source: bytes, path: Path | None, resolver: Resolver, *, screen: Screen | None = None) -> Outcome:
    """Check source that is not on disk, such as standard input.

    Args:
        source: the bytes.
        path: absolute path that it would have; it decides the settings, and whether it is excluded. None: `-`.
        resolver: which settings hold for which file.
        screen: what is not to be shown.
    """
    from asgiway_lint.analysis.run import check_source

    place = resolver.cwd / "-" if path is None else path
    settings = resolver.for_file(place)
    reports: list[FileReport] = []
    if path is None or not excluded_by_settings(str(path), settings):
        reports.append(check_source(source, Path("-") if path is None else path, settings))

    def source_of(name: str) -> str | None:
        """A chain may lead to other files."""
        return _decoded(source) if name == reports[0].path else read_source(name)

    return _outcome(reports, resolver, screen or Screen(), source_of)


def _outcome(
    reports: Iterable[FileReport], resolver: Resolver, screen: Screen, source_of: Callable[[str], str | None]
) -> Outcome:
    findings: list[Finding] = []
    suppressed: list[Suppressed] = []
    failing = 0
    hidden: Counter[Severity] = Counter()
    for report in reports:
        if not report.findings and not report.directives:
            continue
        path = Path(report.path)
        settings = resolver.for_file(path if path.is_absolute() else resolver.cwd / path)
        shown = filter_findings(
            report.path,
            report.findings,
            report.directives,
            settings,
            ignore_noqa=screen.ignore_noqa,
            known=None if screen.baselines is None else screen.baselines.known(report.path, settings, source_of),
            concerns=None if screen.changes is None else screen.changes.concern,
        )
        findings += shown.findings
        suppressed += shown.suppressed
        failing += shown.failing
        hidden += shown.hidden
    findings.sort(key=_order)
    suppressed.sort(key=lambda each: _order(each.finding))
    results = Results(
        findings=tuple(findings),
        cwd=resolver.cwd,
        source_of=source_of,
        hidden=hidden,
        suppressed=tuple(suppressed),
    )
    return Outcome(results, failing > 0)


def _order(finding: Finding) -> tuple[str, int, int, str, int, int, str]:
    return (
        finding.path,
        finding.line,
        finding.column,
        finding.code,
        finding.end_line,
        finding.end_column,
        finding.message,
    )


def _finding(folder: Unlisted) -> Finding:
    rule = rule_for("AW002")
    return Finding(
        path=folder.path,
        code=rule.code,
        message=rule.message(f"{folder.reason} (folder)", ""),
        severity=rule.severity,
        line=1,
        column=1,
        end_line=1,
        end_column=1,
    )


def read_source(path: str) -> str | None:
    """Return the decoded text of a file; None if it cannot be read."""
    try:
        return _decoded(Path(path).read_bytes())
    except (OSError, ValueError):
        return None  # its finding says so


def _decoded(source: bytes) -> str | None:
    from asgiway_lint.facts.text import decode

    try:
        return decode(source)
    except SyntaxError:
        return None  # its finding says so
