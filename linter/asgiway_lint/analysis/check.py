"""All findings of one module: what runs on the loop in it, and which of that blocks."""

from __future__ import annotations

from collections.abc import Iterator

from asgiway_lint.analysis import blocking, contexts
from asgiway_lint.analysis.blocking import Site
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.config import Settings
from asgiway_lint.facts import Facts
from asgiway_lint.facts.model import Call, Event
from asgiway_lint.finding import Finding, Severity
from asgiway_lint.rules import rule_for

__all__ = ["check_module"]

_OWN_LOOP = "; this Flask view has an event loop of its own, so only its own request waits"


def check_module(evaluator: Evaluator, path: str, facts: Facts, settings: Settings) -> tuple[Finding, ...]:
    """The findings of one module, in order of their places.

    Args:
        evaluator: the run's evaluator.
        path: the file.
        facts: its facts.
        settings: what replacements to name.
    """
    homes = contexts.home_scopes(facts)
    loop = contexts.on_loop(facts, homes)
    sites = list(_sites(evaluator, path, facts, loop)) if loop else []
    if not sites:
        return ()
    views = contexts.flask_views(evaluator, path, facts)
    findings = [
        _finding(evaluator, path, place, site, settings, mild=homes[place.scope] in views) for place, site in sites
    ]
    findings.sort(
        key=lambda finding: (finding.line, finding.column, finding.end_line, finding.end_column, finding.code)
    )
    return tuple(findings)


def _sites(evaluator: Evaluator, path: str, facts: Facts, loop: frozenset[int]) -> Iterator[tuple[Call | Event, Site]]:
    excused: frozenset[int] | None = None
    for index, call in enumerate(facts.calls):
        if call.scope not in loop:
            continue
        values = evaluator.callee(path, call)
        site = blocking.direct_call(evaluator, path, facts, index, values) if values else None
        if site is None:
            continue
        if excused is None:
            excused = blocking.handed_over(evaluator, path, facts)
        if index not in excused:
            yield call, site
    for event in facts.events:
        if event.scope in loop:
            site = blocking.direct_event(evaluator, path, event)
            if site is not None:
                yield event, site


def _finding(
    evaluator: Evaluator, path: str, place: Call | Event, site: Site, settings: Settings, *, mild: bool
) -> Finding:
    rule = rule_for(site.entry.rule)
    replacement = evaluator.catalogue.replacement(site.entry, settings)
    message = rule.message(site.symbol, replacement)
    return Finding(
        path=path,
        code=rule.code,
        message=f"{message}{_OWN_LOOP}" if mild else message,
        severity=Severity.INFO if mild else rule.severity,
        line=place.line,
        column=place.column,
        end_line=place.end_line,
        end_column=place.end_column,
        symbol=site.symbol,
        replacement=replacement,
    )
