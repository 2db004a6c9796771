"""Findings as diagnostics of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from lsprotocol import types

from asgiway_lint.finding import Finding, Severity
from asgiway_lint.server.positions import Text

__all__ = ["SOURCE", "diagnostics"]

SOURCE: Final = "asgiway-lint"
_SEVERITIES: Final = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFO: types.DiagnosticSeverity.Information,
}
_UNUSED: Final = "AW003"


def diagnostics(
    findings: Sequence[Finding],
    text: Text,
    *,
    text_of: Callable[[str], Text] | None,
    uri_of: Callable[[str], str],
    rule_page: str = "",
) -> list[types.Diagnostic]:
    """Turn a file's findings into diagnostics.

    Args:
        findings: the findings.
        text: the file's text.
        text_of: texts of other files, for the places of a chain; None: the client shows none.
        uri_of: the client's name for a path.
        rule_page: address of a rule's page with `{code}` in it; empty: the client shows none, or there is none.
    """
    return [
        types.Diagnostic(
            range=text.range_of(finding),
            message=finding.message,
            severity=_SEVERITIES[finding.severity],
            code=finding.code,
            code_description=types.CodeDescription(rule_page.replace("{code}", finding.code)) if rule_page else None,
            source=SOURCE,
            tags=[types.DiagnosticTag.Unnecessary] if finding.code == _UNUSED else None,
            related_information=_chain(finding, text_of, uri_of) if text_of is not None and finding.chain else None,
        )
        for finding in findings
    ]


def _chain(
    finding: Finding, text_of: Callable[[str], Text], uri_of: Callable[[str], str]
) -> list[types.DiagnosticRelatedInformation]:
    """The hops, from the coroutine to what blocks; the first one is where the diagnostic stands already."""
    last = len(finding.chain) - 1
    return [
        types.DiagnosticRelatedInformation(
            types.Location(uri_of(link.path), text_of(link.path).word(link.line, link.column)),
            f"{link.call} blocks" if number == last else f"calls {link.call}",
        )
        for number, link in enumerate(finding.chain)
        if number
    ]
