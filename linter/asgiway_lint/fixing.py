"""One run of fixes over files: from findings to new sources. Knows no command line, prints nothing and writes nothing.

Files go through their rounds together, so that each round is checked again in one go.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from asgiway_lint.analysis.run import check_sources
from asgiway_lint.config import Settings
from asgiway_lint.configfiles import Resolver
from asgiway_lint.filtering import filter_findings, fixable_codes
from asgiway_lint.finding import Finding
from asgiway_lint.fixes.apply import Applied, Fixing, full_edits
from asgiway_lint.fixes.model import Edit, Fix, Offer, Refusal, Replacement
from asgiway_lint.fixes.plan import fixes_of
from asgiway_lint.fixes.source import FixSource

__all__ = ["FixedFile", "fix_files", "fixable_findings", "offers_of"]


@dataclass(frozen=True, slots=True)
class FixedFile:
    """What came of one file.

    Args:
        path: as its findings have it.
        before: its bytes before.
        applied: the rest.
    """

    path: str
    before: bytes
    applied: Applied

    @property
    def changed(self) -> bool:
        """Whether anything was repaired."""
        return self.applied.source != self.before

    @property
    def fixed(self) -> tuple[Finding, ...]:
        """The findings that were repaired; places in the text before the round that did it."""
        return tuple(finding for fix in self.applied.fixes for finding in fix.removes)


def fix_files(
    findings: Iterable[Finding],
    sources: Mapping[str, bytes],
    resolver: Resolver,
    *,
    only_these: bool,
    ignore_noqa: bool = False,
    cache: bool = True,
) -> tuple[FixedFile, ...]:
    """Fix what can be fixed, in memory.

    Args:
        findings: what is to be fixed, sorted by file.
        sources: the bytes of their files, by path; files without are left out.
        resolver: which settings hold for which file; they say what may be fixed and whether unsafe fixes are wanted.
        only_these: whether to leave alone what was not among the findings (a baseline knows it, or it is on lines that did not change).
        ignore_noqa: whether suppression comments count for nothing.
        cache: whether to use the cache on disk.
    """
    states: dict[str, Fixing] = {}
    for path, group in itertools.groupby(findings, key=lambda finding: finding.path):
        settings = _settings(path, resolver)
        if path in sources:
            wanted = fixable_findings(group, settings)
            states[path] = Fixing(
                sources[path], Path(path), settings, wanted, unsafe=settings.unsafe_fixes, only_these=only_these
            )
    open_states = dict(states)
    while open_states:
        trials = {path: trial for path, state in open_states.items() if (trial := state.step()) is not None}
        found = _recheck(trials, resolver, ignore_noqa=ignore_noqa, cache=cache)
        for path in trials:
            open_states[path].settle(found[path])
        open_states = {path: open_states[path] for path in trials}
    return tuple(FixedFile(path, sources[path], state.result()) for path, state in states.items())


def fixable_findings(findings: Iterable[Finding], settings: Settings) -> tuple[Finding, ...]:
    """Return the findings that the settings allow to be fixed."""
    codes = fixable_codes(settings)
    return tuple(finding for finding in findings if finding.code in codes)


def offers_of(
    findings: Sequence[Finding], source: str, path: str, settings: Settings
) -> dict[Finding, tuple[Offer | Refusal, ...]]:
    """Return the fixes of one file's findings, and why there are none, for reports; the preferred one first.

    Args:
        findings: its findings.
        source: its decoded text.
        path: as its findings have it.
        settings: the settings that hold for it.
    """
    file = FixSource(source.removeprefix("\ufeff"), Path(path), settings)
    return {
        finding: tuple(_offer(file, fix) if isinstance(fix, Fix) else fix for fix in fixes)
        for finding, fixes in fixes_of(file, fixable_findings(findings, settings)).items()
        if fixes
    }


def _offer(file: FixSource, fix: Fix) -> Offer:
    return Offer(
        name=fix.name,
        title=fix.title,
        applicability=fix.applicability,
        reason=fix.reason,
        replacements=tuple(_replacement(file, edit) for edit in full_edits(file, fix)),
    )


def _replacement(file: FixSource, edit: Edit) -> Replacement:
    line, end_line = file.line_of(edit.start), file.line_of(edit.end)
    column = edit.start - file.line_start(edit.start) + 1
    return Replacement(line, column, end_line, edit.end - file.line_start(edit.end) + 1, edit.text)


def _recheck(
    trials: Mapping[str, bytes], resolver: Resolver, *, ignore_noqa: bool, cache: bool
) -> dict[str, Sequence[Finding]]:
    """What may be fixed in new sources, by path."""
    if not trials:
        return {}
    found: dict[str, Sequence[Finding]] = {}
    given = {Path(path): data for path, data in trials.items()}
    reports = check_sources(given, lambda path: _settings(str(path), resolver), cache=cache)
    for path, report in zip(trials, reports, strict=True):
        settings = _settings(path, resolver)
        shown = filter_findings(path, report.findings, report.directives, settings, ignore_noqa=ignore_noqa)
        found[path] = fixable_findings(shown.findings, settings)
    return found


def _settings(path: str, resolver: Resolver) -> Settings:
    place = Path(path)
    return resolver.for_file(place if place.is_absolute() else resolver.cwd / place)
