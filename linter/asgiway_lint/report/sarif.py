"""`--output-format sarif`: SARIF 2.1.0 (OASIS), for GitHub code scanning and every viewer of analysis results.

Paths are relative to SRCROOT, columns count code points, and partial fingerprints outlive moved lines. What comments or the
baseline silence is reported, too, marked as suppressed; `linter/docs/usage.md` says what GitHub makes of that.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from asgiway_lint import __version__
from asgiway_lint.finding import Finding, Link, Severity
from asgiway_lint.fixes.model import Offer
from asgiway_lint.identity import fingerprints, identities
from asgiway_lint.report import Results
from asgiway_lint.report.json import dumps
from asgiway_lint.report.style import Style
from asgiway_lint.rules import Rule, rule_for

__all__ = ["render"]

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "SRCROOT"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
# `problem.severity` and `precision` are GitHub's: it sorts and filters alerts by them.
_PROBLEMS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}

# A finding, and what silences it.
_Item = tuple[Finding, str]


def render(results: Results, style: Style) -> Iterable[str]:
    """Yield the log."""
    items: list[_Item] = [(finding, "") for finding in results.findings]
    items.extend((each.finding, each.by) for each in results.suppressed)
    items.sort(key=lambda item: (item[0].path, item[0].line, item[0].column, item[0].code))
    codes = sorted({finding.code for finding, _ in items})
    run = {
        "tool": {
            "driver": {
                "name": "asgiway-lint",
                "semanticVersion": __version__,
                "version": __version__,
                "rules": [_rule(rule_for(code)) for code in codes],
            }
        },
        "invocations": [{"executionSuccessful": True}],
        "originalUriBaseIds": {_ROOT: {"uri": _uri(str(results.base)) + "/"}},
        "columnKind": "unicodeCodePoints",
        "results": list(_results(items, codes, results)),
    }
    yield dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: Rule) -> dict[str, Any]:
    tags = ["asyncio", "performance"] if rule.code.startswith("AW1") else ["asyncio"]
    return {
        "id": rule.code,
        "name": "".join(part.capitalize() for part in rule.slug.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.summary},
        "help": {"text": f"{rule.summary}\n\n{rule.explanation}", "markdown": f"{rule.summary}\n\n{rule.explanation}"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"precision": "high", "problem.severity": _PROBLEMS[rule.severity], "tags": tags},
    }


def _results(items: Sequence[_Item], codes: Sequence[str], results: Results) -> Iterator[dict[str, Any]]:
    for path, group in itertools.groupby(items, key=lambda item: item[0].path):
        found = list(group)
        marks = fingerprints(identities([finding for finding, _ in found], results.source_of(path)))
        for (finding, by), mark in zip(found, marks, strict=True):
            yield _result(finding, by, mark, codes, results)


def _result(finding: Finding, by: str, fingerprint: str, codes: Sequence[str], results: Results) -> dict[str, Any]:
    base = results.base
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _artifact(finding.path, base),
                    "region": {
                        "startLine": finding.line,
                        "startColumn": finding.column,
                        "endLine": finding.end_line,
                        "endColumn": finding.end_column,
                    },
                }
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": fingerprint},
    }
    if finding.chain:
        hops = [{"location": _hop(link, base)} for link in finding.chain]
        result["codeFlows"] = [{"threadFlows": [{"locations": hops}]}]
    if offers := [each for each in results.offers.get(finding, ()) if isinstance(each, Offer)]:
        result["fixes"] = [_fix(finding.path, offer, results.base) for offer in offers]
    if by == "noqa":
        result["suppressions"] = [{"kind": "inSource"}]
    elif by == "baseline":
        result["suppressions"] = [{"kind": "external", "justification": "recorded in the baseline"}]
    return result


def _fix(path: str, offer: Offer, base: Path) -> dict[str, Any]:
    text = f"{offer.title} ({offer.applicability}{': ' if offer.reason else ''}{offer.reason})"
    replacements = [
        {
            "deletedRegion": {
                "startLine": each.line,
                "startColumn": each.column,
                "endLine": each.end_line,
                "endColumn": each.end_column,
            },
            "insertedContent": {"text": each.text},
        }
        for each in offer.replacements
    ]
    changes = [{"artifactLocation": _artifact(path, base), "replacements": replacements}]
    return {"description": {"text": text}, "artifactChanges": changes}


def _hop(link: Link, base: Path) -> dict[str, Any]:
    return {
        "message": {"text": link.call},
        "physicalLocation": {
            "artifactLocation": _artifact(link.path, base),
            "region": {"startLine": link.line, "startColumn": link.column},
        },
    }


def _artifact(path: str, base: Path) -> dict[str, str]:
    if path == "-":
        return {"uri": "stdin"}
    try:
        relative = Path(path).relative_to(base)
    except ValueError:
        return {"uri": _uri(path)}
    return {"uri": _quoted(relative.as_posix()), "uriBaseId": _ROOT}


def _uri(path: str) -> str:
    posix = path.replace(os.sep, "/").rstrip("/")
    return "file://" + ("" if posix.startswith("/") or not posix else "/") + _quoted(posix)


def _quoted(posix: str) -> str:
    return quote(os.fsencode(posix))
