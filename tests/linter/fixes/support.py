"""Text in, text with fixes out: what the tests of single fixers share."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from asgiway_lint.analysis.run import check_source
from asgiway_lint.config import Settings
from asgiway_lint.filtering import filter_findings
from asgiway_lint.finding import Finding, Severity
from asgiway_lint.fixes.apply import Applied, apply_all
from asgiway_lint.fixes.model import Fix, Refusal
from asgiway_lint.fixes.plan import fixes_for

PATH = Path("/project/module.py")
SETTINGS = Settings(root=Path("/project"), src=(Path("/project"),), min_severity=Severity.INFO)


def findings_of(source: bytes, settings: Settings = SETTINGS) -> tuple[Finding, ...]:
    report = check_source(source, PATH, settings)
    return filter_findings(report.path, report.findings, report.directives, settings).findings


def applied(source: str, *, unsafe: bool = False, settings: Settings = SETTINGS) -> Applied:
    data = source.encode()
    found = findings_of(data, settings)
    return apply_all(data, PATH, settings, found, unsafe=unsafe, recheck=lambda new: findings_of(new, settings))


def fixed(source: str, *, unsafe: bool = False, settings: Settings = SETTINGS) -> str:
    """The text with all fixes; whose promises are kept: nothing dropped, a second run changes nothing."""
    result = applied(source, unsafe=unsafe, settings=settings)
    assert result.dropped == ()
    text = result.source.decode()
    assert applied(text, unsafe=unsafe, settings=settings).source.decode() == text
    return text


def in_coroutine(*lines: str, imports: str = "import time") -> str:
    """A module with one coroutine."""
    body = textwrap.indent("\n".join(lines), "    ")
    return f"{imports}\n\n\nasync def f(x):\n{body}\n"


def offers(source: str, settings: Settings = SETTINGS) -> list[Sequence[Fix | Refusal]]:
    data = source.encode()
    return list(fixes_for(data, PATH, settings, findings_of(data, settings)).values())


def reasons(source: str, settings: Settings = SETTINGS) -> list[str]:
    """Why there is no fix, or no safe one; of each finding the preferred offer's reason."""
    return [found[0].reason if found else "" for found in offers(source, settings)]


def refused(source: str, settings: Settings = SETTINGS) -> list[str]:
    """The reasons of findings that nobody fixes."""
    return [
        each.reason
        for found in offers(source, settings)
        if not any(isinstance(each, Fix) for each in found)
        for each in found
        if isinstance(each, Refusal)
    ]


def with_library(library: str) -> Settings:
    return replace(SETTINGS, async_library=library)  # type: ignore[arg-type]
