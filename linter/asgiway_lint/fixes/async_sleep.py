"""`time.sleep(x)` -> `await asyncio.sleep(x)` (anyio's, trio's): safe."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from asgiway_lint.finding import Finding
from asgiway_lint.fixes.awaits import library, writable_call
from asgiway_lint.fixes.contexts import brackets
from asgiway_lint.fixes.imports import reference
from asgiway_lint.fixes.meanwhile import meanwhile
from asgiway_lint.fixes.model import Applicability, Edit, Fix, Refusal
from asgiway_lint.fixes.source import FixSource

__all__ = ["NAME", "offer"]

NAME = "async-sleep"
_SLEEP = "time.sleep"


def offer(source: FixSource, finding: Finding, findings: Sequence[Finding]) -> Fix | Refusal | None:
    """Return the fix of a sleep that a coroutine calls itself."""
    if finding.symbol != _SLEEP or finding.chain or finding.code != "AW101":
        return None
    call = writable_call(source, finding, NAME)
    if isinstance(call, Refusal):
        return call
    if not _is_sleep(source, call.func):
        return Refusal(NAME, f"`{source.code(call.func)}` may stand for something else than `{_SLEEP}`")
    if len(call.args) != 1 or call.args[0].star or call.args[0].keyword is not None:
        return Refusal(NAME, "its argument is not a plain one")
    if _is_busy_wait(source, call):
        return Refusal(NAME, "the loop around only waits for its condition: an `Event` would say when it is met")
    used = library(source)
    found = reference(source, call, used, "sleep")
    if found is None:
        return Refusal(NAME, f"`{used}` and `sleep` mean something else here")
    before, after = brackets(source, call)
    start, end = source.offset(call)
    edits = [Edit(start, source.outer_offset(call.func)[1], f"{before}await {found.text}")]
    if after:
        edits.append(Edit(end, end, after))
    reason = meanwhile(source, call)
    return Fix(
        name=NAME,
        title=f"Replace `{_SLEEP}` by `await {used}.sleep`",
        applicability=Applicability.UNSAFE if reason else Applicability.SAFE,
        reason=reason,
        edits=tuple(edits),
        imports=found.imports,
        removes=(finding,),
    )


def _is_sleep(source: FixSource, node: cst.BaseExpression) -> bool:
    if source.resolve(node) == _SLEEP:
        return True
    if not isinstance(node, cst.Name):
        return False
    # `pause = time.sleep`, and nothing else that binds the name.
    found = source.scopes.lookup(node.value, node)
    if found is None or len(found[1]) != 1:
        return False
    target = source.parent(found[1][0].node)
    assignment = source.parent(target) if target is not None else None
    return isinstance(assignment, cst.Assign) and source.resolve(assignment.value) == _SLEEP


def _is_busy_wait(source: FixSource, call: cst.Call) -> bool:
    """`while not ready: time.sleep(1)`: the body is the sleep alone."""
    block = source.enclosing(call, cst.IndentedBlock, cst.SimpleStatementSuite)
    loop = source.parent(block) if block is not None else None
    if not isinstance(loop, cst.While) or not isinstance(block, (cst.IndentedBlock, cst.SimpleStatementSuite)):
        return False
    line = block.body[0]
    small = line.body[0] if isinstance(line, cst.SimpleStatementLine) else line
    alone = len(block.body) == 1 and isinstance(small, cst.Expr) and small.value is call
    return alone and block is loop.body and not _is_constant(loop.test)


def _is_constant(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Integer) or (isinstance(node, cst.Name) and node.value == "True")
