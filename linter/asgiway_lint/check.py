"""One run of `asgiway-lint check`: from paths to what is shown. Knows no command line and prints nothing."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asgiway_lint.configfiles import Resolver
from asgiway_lint.filtering import filter_findings
from asgiway_lint.finding import Finding, Severity
from asgiway_lint.project.discovery import Discovered, Unlisted, excluded_by_settings
from asgiway_lint.report import Results
from asgiway_lint.rules import rule_for

if TYPE_CHECKING:
    from asgiway_lint.analysis.run import FileReport

__all__ = ["Outcome", "check_discovered", "check_text"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: what to show, and whether any of it makes the exit code 1."""

    results: Results
    failed: bool


def check_discovered(
    discovered: Discovered,
    resolver: Resolver,
    *,
    ignore_noqa: bool = False,
    cache: bool = True,
    jobs: int | None = None,
) -> Outcome:
    """Check files.

    Args:
        discovered: the files.
        resolver: which settings hold for which file.
        ignore_noqa: whether suppression comments count for nothing.
        cache: whether to use the cache on disk.
        jobs: how many processes; None: as many as it is worth.
    """
    from asgiway_lint.analysis.run import FileReport, check_files  # the engine: only what checks pays for it

    unlisted = (FileReport(folder.path, (_finding(folder),), ()) for folder in discovered.unlisted)
    reports = check_files(discovered.files, resolver.for_file, cache=cache, jobs=jobs)
    return _outcome(itertools.chain(unlisted, reports), resolver, ignore_noqa, _read)


def check_text(source: bytes, path: Path | None, resolver: Resolver, *, ignore_noqa: bool = False) -> Outcome:
    """Check source that is not on disk, such as standard input.

    Args:
        source: the bytes.
        path: absolute path that it would have; it decides the settings, and whether it is excluded. None: `-`.
        resolver: which settings hold for which file.
        ignore_noqa: whether suppression comments count for nothing.
    """
    from asgiway_lint.analysis.run import check_source

    place = resolver.cwd / "-" if path is None else path
    settings = resolver.for_file(place)
    reports: list[FileReport] = []
    if path is None or not excluded_by_settings(str(path), settings):
        reports.append(check_source(source, Path("-") if path is None else path, settings))
    return _outcome(reports, resolver, ignore_noqa, lambda _: _decoded(source))


def _outcome(
    reports: Iterable[FileReport], resolver: Resolver, ignore_noqa: bool, source_of: Callable[[str], str | None]
) -> Outcome:
    findings: list[Finding] = []
    failing = 0
    hidden: Counter[Severity] = Counter()
    for report in reports:
        if not report.findings and not report.directives:
            continue
        path = Path(report.path)
        settings = resolver.for_file(path if path.is_absolute() else resolver.cwd / path)
        shown = filter_findings(report.path, report.findings, report.directives, settings, ignore_noqa=ignore_noqa)
        findings += shown.findings
        failing += shown.failing
        hidden += shown.hidden
    findings.sort(key=lambda f: (f.path, f.line, f.column, f.code, f.end_line, f.end_column, f.message))
    results = Results(findings=tuple(findings), cwd=resolver.cwd, source_of=source_of, hidden=hidden)
    return Outcome(results, failing > 0)


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


def _read(path: str) -> str | None:
    try:
        return _decoded(Path(path).read_bytes())
    except OSError:
        return None  # its finding says so


def _decoded(source: bytes) -> str | None:
    from asgiway_lint.facts.text import decode

    try:
        return decode(source)
    except SyntaxError:
        return None  # its finding says so
