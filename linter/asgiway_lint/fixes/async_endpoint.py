"""`async def` -> `def` for a FastAPI endpoint that blocks and never awaits: FastAPI then runs it in a thread. Unsafe."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from asgiway_lint.finding import Finding
from asgiway_lint.fixes.model import Applicability, Edit, Fix, Refusal
from asgiway_lint.fixes.source import FixSource

__all__ = ["NAME", "offer"]

NAME = "async-endpoint"


def offer(source: FixSource, finding: Finding, findings: Sequence[Finding]) -> Fix | Refusal | None:
    """Return the fix of an endpoint; it ends the findings inside of it, too."""
    if finding.code != "AW203":
        return None
    start = source.offset_of(finding.line, finding.column)
    function = next((each for each in source.find(cst.FunctionDef) if _keyword_at(source, each) == start), None)
    if function is None or function.asynchronous is None:
        return Refusal(NAME, "its `async def` is not where it was")
    name = function.name.value
    if reason := _needed(source, function):
        return Refusal(NAME, reason)
    low, high = start, source.offset(function)[1]
    inside = [
        each
        for each in findings
        if each.code.startswith("AW1") and low <= source.offset_of(each.line, each.column) < high
    ]
    return Fix(
        name=NAME,
        title=f"Make `{name}` a plain `def`, which runs in a thread",
        applicability=Applicability.UNSAFE,
        reason=f"`{name}` then runs in a thread beside others: make sure that what it shares with other requests is thread-safe",
        edits=(Edit(start, source.offset(function.name)[0], "def "),),
        removes=(finding, *inside),
    )


def _keyword_at(source: FixSource, function: cst.FunctionDef) -> int:
    """The offset of `async` or `def`; the position of a function is that of its first decorator's line or of this."""
    if function.asynchronous is None:
        return -1
    return source.text.rfind("async", 0, source.offset(function.name)[0])


def _needed(source: FixSource, function: cst.FunctionDef) -> str:
    """Why somebody needs it to be a coroutine; empty if nobody in this file does."""
    name = function.name.value
    for node in source.find(cst.Name):
        if node.value != name or node is function.name or not _is_function(source, node, function):
            continue
        above = source.parent(node)
        if isinstance(above, cst.Call) and above.func is node:
            return f"`{name}` is called in this file, too, as the coroutine function that it is"
        if isinstance(above, (cst.Arg, cst.AssignTarget)):
            return f"`{name}` is handed on in this file, perhaps to who awaits it"
    return (
        "it awaits"
        if any(isinstance(each, (cst.Await, cst.Asynchronous)) for each in source.nodes(function.body))
        else ""
    )


def _is_function(source: FixSource, node: cst.Name, function: cst.FunctionDef) -> bool:
    found = source.scopes.lookup(node.value, node)
    return found is not None and any(bound.node is function for bound in found[1])
