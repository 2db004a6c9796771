"""What makes a finding the same one after lines have moved: its rule, what blocks, the function around it, the code itself.

The baseline and the fingerprints of SARIF and GitLab are made of this. Line numbers are no part of it, white space neither, so
that moving, indenting or reformatting code does not turn old findings into new ones.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from asgiway_lint.finding import Finding

__all__ = ["Identity", "fingerprints", "identities"]

_LONGEST = 160  # characters of code that are kept as they are


class Identity(NamedTuple):
    """What stays of a finding when lines move.

    Attributes:
        code: code of the rule.
        symbol: what blocks.
        function: qualified name of the function or class around it; empty at module level and where it is unknown.
        source: the code that the finding marks, without white space; of long code the beginning and a hash.
    """

    code: str
    symbol: str
    function: str
    source: str


def identities(findings: Sequence[Finding], source: str | None) -> list[Identity]:
    """Return the identity of each finding.

    Args:
        findings: findings of one file.
        source: its text; None if it cannot be read.
    """
    if not findings:
        return []
    if source is None:
        return [Identity(finding.code, finding.symbol, "", "") for finding in findings]
    from asgiway_lint.facts.text import split_lines

    functions = _functions(source)
    lines = split_lines(source.removeprefix("\ufeff"))
    return [
        Identity(finding.code, finding.symbol, functions.get(_place(finding), ""), _normalised(_marked(finding, lines)))
        for finding in findings
    ]


def fingerprints(found: Iterable[Identity], *more: str) -> list[str]:
    """Return a hash for each identity, with `:2`, `:3` ... behind it where the same one occurs again.

    Args:
        found: identities in the order of their places.
        more: what else they should depend on, such as the path.
    """
    seen: Counter[Identity] = Counter()
    result: list[str] = []
    for identity in found:
        seen[identity] += 1
        text = "\0".join((*identity, *more)).encode("utf-8", "surrogatepass")
        result.append(f"{hashlib.sha256(text).hexdigest()[:32]}:{seen[identity]}")
    return result


_Place = tuple[int, int, int, int]


def _place(finding: Finding) -> _Place:
    return finding.line, finding.column, finding.end_line, finding.end_column


def _functions(source: str) -> dict[_Place, str]:
    """Return the name of the function around each call; nothing for a text that cannot be parsed."""
    from asgiway_lint.facts.reader import SourceProblem, read_text

    try:
        facts = read_text(source)
    except SourceProblem:
        return {}
    names: list[str] = []
    for scope in facts.scopes:  # parents come before their children
        own = scope.kind in ("def", "async", "class")
        names.append(scope.qualname if own else names[scope.parent] if scope.parent >= 0 else "")
    calls = {(each.line, each.column, each.end_line, each.end_column): names[each.scope] for each in facts.calls}
    events = {(each.line, each.column, each.end_line, each.end_column): names[each.scope] for each in facts.events}
    return events | calls


def _marked(finding: Finding, lines: Sequence[str]) -> str:
    """Return the marked text; the whole line where nothing is marked."""
    if not 1 <= finding.line <= finding.end_line <= len(lines):
        return ""
    first, last = finding.line - 1, finding.end_line - 1
    if _place(finding)[:2] == _place(finding)[2:]:
        return lines[first]
    if first == last:
        return lines[first][finding.column - 1 : finding.end_column - 1]
    return "\n".join(
        (lines[first][finding.column - 1 :], *lines[first + 1 : last], lines[last][: finding.end_column - 1])
    )


def _normalised(text: str) -> str:
    # A formatter that breaks a call over lines also adds a comma behind the last argument.
    text = "".join(text.split()).replace(",)", ")").replace(",]", "]").replace(",}", "}")
    if len(text) <= _LONGEST:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{text[:_LONGEST]}… {digest}"
