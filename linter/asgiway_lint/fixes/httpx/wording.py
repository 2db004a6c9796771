"""What a fix says about itself: title, reason, notes."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from asgiway_lint.finding import Finding
from asgiway_lint.fixes.httpx.calls import Request
from asgiway_lint.fixes.httpx.placing import in_loop
from asgiway_lint.fixes.source import FixSource

__all__ = ["is_about_requests", "notes", "reason", "title"]


def is_about_requests(finding: Finding) -> bool:
    """Whether a finding is a call of Requests, made by the coroutine itself."""
    return finding.code == "AW102" and finding.symbol.startswith("requests.") and not finding.chain


def title(function: str, requests: Sequence[Request], module: str) -> str:
    """Return what the fix does."""
    if len(requests) == 1:
        return f"Replace `{requests[0].finding.symbol}` by `await` on an `{module}.AsyncClient`"
    return f"Replace the {len(requests)} calls of Requests in `{function}` by `await` on an `{module}.AsyncClient`"


def reason(function: str) -> str:
    """Return why the fix is unsafe."""
    return (
        f"another library makes the request: what `{function}` raises is no `requests.RequestException` any more, and"
        " User-Agent, .netrc and certificates from the environment are treated differently"
    )


def notes(
    source: FixSource, function: cst.FunctionDef, requests: Sequence[Request], more: Sequence[str]
) -> tuple[str, ...]:
    """Return what to look at afterwards, each once."""
    found = [
        "each call of the function makes a client, which takes some 20 ms to load certificates; one for the life of the application keeps connections"
    ]
    plans = [request.arguments for request in requests if request.arguments is not None]
    if not all(plan.says_timeout for plan in plans):
        found.append("there is still no timeout, as in Requests; the one of httpx would be 5 seconds")
    singles = [request for request in requests if not request.session]
    if len(singles) > 1 or any(in_loop(source, function, request.node) for request in singles):
        found.append("the requests share a client, and so cookies that an answer sets, and connections")
    if any(isinstance(node, cst.Yield) for node in source.nodes(function.body)):
        found.append("the client is closed when the generator ends, or is closed")
    for plan in plans:
        found += plan.notes
    return tuple(dict.fromkeys([*found, *more]))
