"""All findings of one module: what runs on the loop in it, and which of that blocks."""

from __future__ import annotations

from asgiway_lint.analysis import blocking, contexts
from asgiway_lint.analysis.blocking import Site
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.config import Settings
from asgiway_lint.facts import Facts
from asgiway_lint.facts.model import Call, Event
from asgiway_lint.finding import Finding, Link
from asgiway_lint.rules import rule_for

__all__ = ["check_module"]


def check_module(evaluator: Evaluator, path: str, facts: Facts, settings: Settings) -> tuple[Finding, ...]:
    """The findings of one module, in order of their places.

    Args:
        evaluator: the run's evaluator.
        path: the file.
        facts: its facts.
        settings: what replacements to name.
    """
    loop = contexts.on_loop(facts, contexts.home_scopes(facts))
    if not loop:
        return ()
    findings: list[Finding] = []
    excused: frozenset[int] | None = None
    for index, call in enumerate(facts.calls):
        if call.scope not in loop:
            continue
        values = evaluator.callee(path, call)
        if not values:
            continue
        site = blocking.direct_call(evaluator, path, facts, index, values)
        if site is None:
            continue
        if excused is None:
            excused = blocking.handed_over(evaluator, path, facts)
        if index not in excused:
            findings.append(_finding(evaluator, path, call, site, settings))
    for event in facts.events:
        if event.scope in loop and event.kind in ("enter", "iter"):
            site = blocking.direct_event(evaluator, path, event)
            if site is not None:
                findings.append(_finding(evaluator, path, event, site, settings))
    findings.sort(
        key=lambda finding: (finding.line, finding.column, finding.end_line, finding.end_column, finding.code)
    )
    return tuple(findings)


def _finding(
    evaluator: Evaluator, path: str, place: Call | Event, site: Site, settings: Settings, chain: tuple[Link, ...] = ()
) -> Finding:
    rule = rule_for(site.entry.rule)
    replacement = evaluator.catalogue.replacement(site.entry, settings)
    return Finding(
        path=path,
        code=rule.code,
        message=rule.message(site.symbol, replacement),
        severity=rule.severity,
        line=place.line,
        column=place.column,
        end_line=place.end_line,
        end_column=place.end_column,
        symbol=site.symbol,
        replacement=replacement,
        chain=chain,
    )
