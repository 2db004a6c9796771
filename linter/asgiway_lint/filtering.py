"""What is shown of a file's findings: suppressions and baseline first, then which rules are on there, then how bad it has to be."""

from __future__ import annotations

import functools
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from asgiway_lint import suppress
from asgiway_lint.config import Settings
from asgiway_lint.errors import nearest
from asgiway_lint.finding import Finding, Severity
from asgiway_lint.rules import all_rules, rule_for
from asgiway_lint.selection import Enabled, Selection, enabled_rules, expand
from asgiway_lint.suppress import Directive, Suppressed, Unused

__all__ = ["Known", "Shown", "enabled_for", "filter_findings", "fixable_codes", "rule_codes"]

_UNUSED = "AW003"

# Tells which of a file's findings, all of them, the baseline knows.
Known = Callable[[Sequence[Finding]], Sequence[bool]]


@dataclass(frozen=True, slots=True)
class Shown:
    """What is left of a file's findings.

    Args:
        findings: to be shown.
        failing: how many of them make the exit code 1.
        hidden: how many are milder than `min-severity`, per severity.
        suppressed: what would be shown but for a comment or the baseline.
    """

    findings: tuple[Finding, ...]
    failing: int
    hidden: Counter[Severity]
    suppressed: tuple[Suppressed, ...]


@functools.cache
def rule_codes() -> frozenset[str]:
    """Return the codes of all rules."""
    return frozenset(rule.code for rule in all_rules())


def enabled_for(path: str, settings: Settings) -> Enabled:
    """Return the rules that are on in a file, `per-file-ignores` included."""
    enabled = _enabled(settings.selections)
    posix, root = path.replace(os.sep, "/"), str(settings.root).replace(os.sep, "/")
    off: set[str] = set()
    for entry in settings.per_file_ignores:
        if entry.glob.covers(posix, root) is not entry.negated:
            off |= expand(entry.selectors, enabled.codes)
    return Enabled(enabled.codes - off, enabled.by_name - off) if off else enabled


def fixable_codes(settings: Settings) -> frozenset[str]:
    """Return the rules whose findings may be fixed."""
    return _fixable(settings.fixables)


@functools.lru_cache(maxsize=64)
def _fixable(layers: tuple[Selection, ...]) -> frozenset[str]:
    return enabled_rules(layers, rule_codes()).codes


@functools.lru_cache(maxsize=64)
def _enabled(layers: tuple[Selection, ...]) -> Enabled:
    rules = all_rules()
    stable = [rule.code for rule in rules if not rule.preview]
    return enabled_rules(layers, stable, [rule.code for rule in rules if rule.preview])


def filter_findings(
    path: str,
    findings: Iterable[Finding],
    directives: Sequence[Directive],
    settings: Settings,
    *,
    ignore_noqa: bool = False,
    known: Known | None = None,
    concerns: Callable[[Finding], bool] | None = None,
) -> Shown:
    """Decide what is shown of one file's findings.

    Args:
        path: absolute path of the file.
        findings: everything that the engine found.
        directives: its suppression comments.
        settings: those of the file.
        ignore_noqa: whether suppression comments count for nothing (and are not reported as unused either).
        known: what the baseline knows; None: there is none.
        concerns: which findings this run is about; None: all.
    """
    enabled = enabled_for(path, settings)
    silenced: list[Suppressed] = []
    if not ignore_noqa:
        applied = suppress.apply(findings, directives)
        findings = (*applied.findings, *_unused_findings(path, applied.unused, enabled))
        silenced += applied.silenced
    if known is not None:
        left: list[Finding] = []
        found = sorted(findings, key=lambda finding: (finding.line, finding.column))
        for finding, old in zip(found, known(found), strict=True):
            if old:
                silenced.append(Suppressed(finding, "baseline"))
            else:
                left.append(finding)
        findings = left
    shown: list[Finding] = []
    failing = 0
    hidden: Counter[Severity] = Counter()
    for finding in findings:
        if finding.code not in enabled.codes or (concerns is not None and not concerns(finding)):
            continue
        rank = _rank(finding, enabled)
        if rank < settings.min_severity.rank:
            hidden[finding.severity] += 1
            continue
        shown.append(finding)
        failing += rank >= Severity.WARNING.rank
    suppressed = tuple(
        each
        for each in silenced
        if each.finding.code in enabled.codes
        and _rank(each.finding, enabled) >= settings.min_severity.rank
        and (concerns is None or concerns(each.finding))
    )
    return Shown(tuple(shown), failing, hidden, suppressed)


def _rank(finding: Finding, enabled: Enabled) -> int:
    """How much a finding counts: by its severity; but whoever selects an info rule by its full code wants it to count."""
    rank = finding.severity.rank
    if finding.code in enabled.by_name and rule_for(finding.code).severity is Severity.INFO:
        return max(rank, Severity.WARNING.rank)
    return rank


def _unused_findings(path: str, unused: Iterable[Unused], enabled: Enabled) -> Iterator[Finding]:
    known, rule = rule_codes(), rule_for(_UNUSED)
    for each in unused:
        # Codes of rules that are off may well be needed in another run.
        codes = [code for code in each.codes if code in enabled.codes or code not in known]
        words = [code if code in known else _unknown(code, known) for code in codes]
        if words:
            directive = each.directive
            yield Finding(
                path=path,
                code=_UNUSED,
                message=rule.message(", ".join(words), ""),
                severity=rule.severity,
                line=directive.line,
                column=directive.column,
                end_line=directive.line,
                end_column=directive.end_column,
                symbol=", ".join(codes),
            )


def _unknown(code: str, known: Iterable[str]) -> str:
    return f"{code} is no rule{nearest(code, sorted(known))}"
