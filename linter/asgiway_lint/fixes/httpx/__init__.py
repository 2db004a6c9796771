"""Requests in a coroutine -> `httpx.AsyncClient` (or httpx2's): a whole function at a time, unsafe.

Both libraries look alike and differ in much; `linter/docs/fixes/httpx.md` lists it. Each difference is handled exactly, or makes the
fix refuse, with that as the reason. `arguments`, `responses`, `handlers` and `sessions` are about what the four kinds of code do,
`placing` about where the client is opened, `rewrite` puts it together.
"""

from __future__ import annotations

from collections.abc import Sequence

from asgiway_lint.finding import Finding
from asgiway_lint.fixes.httpx.rewrite import NAME, Question
from asgiway_lint.fixes.httpx.wording import is_about_requests
from asgiway_lint.fixes.model import Fix, Refusal
from asgiway_lint.fixes.source import FixSource

__all__ = ["NAME", "NATIVE", "offer"]

NATIVE = True


def offer(source: FixSource, finding: Finding, findings: Sequence[Finding]) -> Fix | Refusal | None:
    """Return the fix of the function that a request is made in, or why the request stays."""
    if not is_about_requests(finding):
        return None
    module = source.settings.http_client
    if module not in ("httpx", "httpx2"):
        return Refusal(NAME, f"the settings choose {module}, which no rewrite is known for")
    if finding.replacement and module not in finding.replacement and "aiter_" not in finding.replacement:
        return Refusal(NAME, f"the settings name `{finding.replacement}` for it")
    call = source.call_at(finding)
    if call is None:
        return Refusal(NAME, "what blocks is not a call")
    function = source.enclosing_function(call)
    if function is None:
        return Refusal(NAME, "outside of any coroutine")
    answers = source.memo(Question(function, tuple(findings), module))
    return answers.get(finding) or Refusal(NAME, f"no rewrite is known for `{finding.symbol}`")
