"""What lies around the requests of a function and would notice that their exceptions come from another library."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from asgiway_lint.finding import Finding
from asgiway_lint.fixes.httpx.arguments import VERBS, Unfit
from asgiway_lint.fixes.httpx.calls import Request
from asgiway_lint.fixes.httpx.failures import COUNTERPARTS, canonical
from asgiway_lint.fixes.httpx.handlers import Guard
from asgiway_lint.fixes.source import FixSource

__all__ = ["check", "check_guard"]


def check(source: FixSource, function: cst.FunctionDef) -> None:
    """Check that nobody but the handlers around the requests knows the exceptions of Requests.

    Raises:
        Unfit: `isinstance(error, requests.Timeout)`, a decorator that retries on them, or a caller in this file that catches them.
    """
    own = {id(node) for node in source.nodes(function)}
    for node, name in source.memo(_exceptions):
        line = source.line_of(source.offset(node)[0])
        handler = _handler(source, node)
        if handler is None:
            if id(node) in own:
                raise Unfit(f"`{name}` in line {line} is used for something else than to catch it")
            continue
        if id(node) not in own and _calls(source, handler, function.name.value):
            raise Unfit(f"its caller catches `{name}` in line {line}")


def _exceptions(source: FixSource) -> tuple[tuple[cst.BaseExpression, str], ...]:
    """The names of exceptions of Requests in a file, but for imports."""
    found: list[tuple[cst.BaseExpression, str]] = []
    for node in source.nodes():
        if isinstance(node, (cst.Name, cst.Attribute)):
            name = source.resolve(node)
            if not name.startswith("requests.") or canonical(name) not in COUNTERPARTS:
                continue
            above = source.parent(node)
            named = isinstance(above, cst.Attribute) and above.attr is node
            if not named and source.enclosing(node, cst.Import, cst.ImportFrom) is None:
                found.append((node, name))
    return tuple(found)


def _handler(source: FixSource, node: cst.CSTNode) -> cst.Try | cst.TryStar | cst.With | None:
    """The statement whose handler names an exception."""
    above = source.parent(node)
    if isinstance(above, cst.Element):
        above = source.parent(source.parent(above) or above)
    if isinstance(above, (cst.ExceptHandler, cst.ExceptStarHandler)):
        statement = source.parent(above)
        return statement if isinstance(statement, (cst.Try, cst.TryStar)) else None
    if isinstance(above, cst.Arg):
        call = source.parent(above)
        if isinstance(call, cst.Call) and source.resolve(call.func) == "contextlib.suppress":
            return source.enclosing(call, cst.With)
    return None


def _calls(source: FixSource, statement: cst.Try | cst.TryStar | cst.With, name: str) -> bool:
    """Whether a function is called, by its name, in the body of a statement."""
    called = source.memo(_called)
    if id(statement) not in called:
        called[id(statement)] = frozenset(
            last.value
            for call in source.find(cst.Call, statement.body)
            if isinstance(last := call.func.attr if isinstance(call.func, cst.Attribute) else call.func, cst.Name)
        )
    return name in called[id(statement)]


def _called(source: FixSource) -> dict[int, frozenset[str]]:
    """What is called in the body of a statement; filled as it is asked for."""
    return {}


def check_guard(source: FixSource, guard: Guard, requests: Sequence[Request], findings: Sequence[Finding]) -> None:
    """Check that nothing else in a guarded body raises the exceptions of Requests.

    Raises:
        Unfit: a call of Requests that stays, or a helper that makes one.
    """
    ours = {id(request.node) for request in requests}
    for call in source.find(cst.Call, guard.body):
        name = source.resolve(call.func)
        if id(call) not in ours and name.startswith("requests.") and name.rpartition(".")[2] in VERBS:
            raise Unfit(f"line {source.line_of(source.offset(call)[0])} stays, under the same handlers")
    first, last = source.offset(guard.body)
    for finding in findings:
        start = source.offset_of(finding.line, finding.column)
        if finding.chain and finding.symbol.startswith("requests.") and first <= start < last:
            raise Unfit(f"line {finding.line} calls Requests through a helper, under the same handlers")
