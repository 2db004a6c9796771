"""All findings of one module: what runs on the loop in it, and which of that blocks, by itself or through helpers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final

from asgiway_lint.analysis import chains, contexts, endpoints
from asgiway_lint.analysis.callbacks import callbacks
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.hazards import CODES, Hazard, hazards
from asgiway_lint.analysis.hops import Hop, hops_of
from asgiway_lint.analysis.libraries import async_library
from asgiway_lint.analysis.propagate import Propagation
from asgiway_lint.analysis.views import own_loop
from asgiway_lint.config import AsyncLibrary, Settings
from asgiway_lint.facts import Facts
from asgiway_lint.facts.model import Scope
from asgiway_lint.filtering import enabled_for
from asgiway_lint.finding import Finding, Severity
from asgiway_lint.rules import rule_for
from asgiway_lint.suppress import apply

__all__ = ["check_module"]

_OWN_LOOP: Final = "; this {} view has an event loop of its own, so only its own request waits"
_CALLBACK: Final = "AW201"
_ENDPOINT: Final = "AW203"
# Of several ends of equal severity the one whose wait has no bound of its own; a sleep says how long it takes.
_LAST: Final = frozenset({"AW101"})


def check_module(evaluator: Evaluator, path: str, facts: Facts, settings: Settings) -> tuple[Finding, ...]:
    """The findings of one module, in order of their places.

    Args:
        evaluator: the run's evaluator.
        path: the file.
        facts: its facts.
        settings: what replacements to name, and how far to follow calls.
    """
    homes = contexts.home_scopes(facts)
    loop = contexts.on_loop(facts, homes)
    propagation = Propagation.of(evaluator)
    findings: list[Finding] = []
    hops = (
        list(hops_of(evaluator, path, facts, loop, transitive=settings.transitive, cold=propagation.is_cold))
        if loop
        else []
    )
    if hops and settings.async_library is None:
        settings = _with_library(evaluator, settings, async_library(facts))
    views = own_loop(evaluator, path, facts) if hops else dict[int, str]()
    blocked: set[int] = set()
    for hop in hops:
        home = homes[hop.scope]
        code = hop.site.entry.rule if hop.site is not None else _worst(propagation.ends(hop), path, settings)
        if code is not None:
            finding = _finding(propagation, evaluator, path, hop, code, settings, framework=views.get(home, ""))
            findings.append(finding)
            # What somebody has accepted with a comment is no reason to change the whole endpoint.
            if finding.severity is not Severity.INFO and apply((finding,), facts.directives).findings:
                blocked.add(home)
    for hop in callbacks(evaluator, path, facts):
        if hop.site is None and not settings.transitive:
            continue
        code = _worst(propagation.ends(hop), path, settings)
        if code is not None and rule_for(code).severity is not Severity.INFO:
            findings.append(_finding(propagation, evaluator, path, hop, code, settings, as_rule=_CALLBACK))
    enabled = enabled_for(path, settings).codes
    for hazard in hazards(evaluator, path, facts, loop, [code for code in CODES if code in enabled]):
        findings.append(_hazard(path, hazard))
    if blocked:
        for scope in endpoints.never_await(evaluator, path, facts, homes):
            if scope in blocked:
                findings.append(_endpoint(path, facts.scopes[scope]))
    findings.sort(
        key=lambda finding: (finding.line, finding.column, finding.end_line, finding.end_column, finding.code)
    )
    return tuple(findings)


def _with_library(evaluator: Evaluator, settings: Settings, library: AsyncLibrary) -> Settings:
    """The settings with the asynchronous library that a file is found to use; one object for all such files."""
    made, _ = evaluator.table(
        ("settings", id(settings), library),
        lambda: (
            dataclasses.replace(settings, async_library=library),
            settings,
        ),  # the number lives as long as the object
    )
    return made


def _worst(ends: Mapping[str, int], path: str, settings: Settings) -> str | None:
    """The end to report of all that a call leads to: one finding per call, as one change to the call cures all of them."""
    near = [code for code, count in ends.items() if settings.max_depth is None or count <= settings.max_depth]
    if not near:
        return None
    enabled = enabled_for(path, settings).codes
    return min(
        [code for code in near if code in enabled] or near,
        key=lambda code: (-rule_for(code).severity.rank, code in _LAST, ends[code], code),
    )


def _finding(
    propagation: Propagation,
    evaluator: Evaluator,
    path: str,
    hop: Hop,
    code: str,
    settings: Settings,
    *,
    framework: str = "",
    as_rule: str | None = None,
) -> Finding:
    steps, site = propagation.chain(path, hop, code)
    rule = rule_for(as_rule or code)
    replacement = evaluator.catalogue.replacement(site.entry, settings)
    message = rule.message(chains.sentence(evaluator, steps, site), replacement)
    return Finding(
        path=path,
        code=rule.code,
        message=f"{message}{_OWN_LOOP.format(framework)}" if framework else message,
        severity=Severity.INFO if framework else rule.severity,
        line=hop.line,
        column=hop.column,
        end_line=hop.end_line,
        end_column=hop.end_column,
        symbol=site.symbol,
        replacement=replacement,
        chain=chains.links(evaluator, steps, site) if len(steps) > 1 else (),
    )


def _endpoint(path: str, scope: Scope) -> Finding:
    rule = rule_for(_ENDPOINT)
    replacement = f"def {scope.name}"
    return Finding(
        path=path,
        code=rule.code,
        message=rule.message(scope.name, replacement),
        severity=rule.severity,
        line=scope.line,
        column=scope.column,
        end_line=scope.line,
        end_column=scope.column + len("async def ") + len(scope.name),
        symbol=scope.qualname,
        replacement=replacement,
    )


def _hazard(path: str, hazard: Hazard) -> Finding:
    rule = rule_for(hazard.code)
    return Finding(
        path=path,
        code=rule.code,
        message=rule.message(hazard.symbol, hazard.replacement),
        severity=rule.severity,
        line=hazard.place.line,
        column=hazard.place.column,
        end_line=hazard.place.end_line,
        end_column=hazard.place.end_column,
        symbol=hazard.symbol,
        replacement=hazard.replacement,
    )
