"""Fixer: a coroutine that takes SQLAlchemy's (or SQLModel's) `Session` as a parameter takes an `AsyncSession`.

Only where the annotation decides what the session is. `sessions` finds what has to change with it, `rewrite` makes the edits.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from asgiway_lint.finding import Finding
from asgiway_lint.fixes.model import Applicability, Fix, Refusal
from asgiway_lint.fixes.psycopg.editing import Draft
from asgiway_lint.fixes.psycopg.uses import Unprovable
from asgiway_lint.fixes.source import FixSource
from asgiway_lint.fixes.sqlalchemy.rewrite import rewrite
from asgiway_lint.fixes.sqlalchemy.sessions import Group, group_of, parameter_of

__all__ = ["NAME", "NATIVE", "offer"]

NAME = "sqlalchemy"
NATIVE = True

_PREFIXES = ("sqlalchemy.orm.Session.", "sqlmodel.Session.")
_QUERY = "sqlalchemy.orm.Query."
_REASON = (
    "whoever calls it must hand over an `AsyncSession`, from "
    "`async_sessionmaker(create_async_engine(...), expire_on_commit=False)`"
)


def offer(source: FixSource, finding: Finding, findings: Sequence[Finding]) -> Fix | Refusal | None:
    """Return the rewrite of the function that a finding about a session stands in, and of those that share the session."""
    if finding.chain or not finding.symbol.startswith((*_PREFIXES, _QUERY)):
        return None
    call = source.call_at(finding)
    if call is None or not isinstance(call.func, cst.Attribute):
        return None
    if finding.symbol.startswith(_QUERY):
        return Refusal(
            NAME, "`AsyncSession` has no `query`: `select(...)` says the same, with `await session.scalars(...)`"
        )
    function = source.enclosing_function(call)
    if function is None or function.asynchronous is None:
        return Refusal(NAME, "it is not in the body of an `async def`")
    key = (id(function), source.code(call.func.value))
    known = source.memo(_answers)
    if key not in known:
        known[key] = _answer(source, call.func.value, function)
    answer = known[key]
    if isinstance(answer, Refusal):
        return answer
    group, draft, done = answer
    ended = tuple(
        each
        for each in findings
        if each.symbol.startswith(_PREFIXES) and not each.chain and id(source.node_at(each)) in done
    )
    names = list(dict.fromkeys(f"`{parameter.function.name.value}`" for parameter in group.parameters))
    return Fix(
        name=NAME,
        title=f"Let {', '.join(names)} take an `AsyncSession`",
        applicability=Applicability.UNSAFE,
        reason=_REASON,
        edits=draft.finished(),
        imports=tuple(draft.imports),
        requires=("sqlalchemy[asyncio]",),
        notes=tuple(draft.notes),
        removes=ended,
    )


_Answer = tuple[Group, Draft, set[int]] | Refusal


def _answers(_: FixSource) -> dict[tuple[int, str], _Answer]:
    """What was found out about the sessions of a file: function and name -> what becomes of them."""
    return {}


def _answer(source: FixSource, session: cst.BaseExpression, function: cst.FunctionDef) -> _Answer:
    try:
        group = group_of(source, parameter_of(source, session, function))
        return group, *rewrite(source, group)
    except Unprovable as reason:
        return Refusal(NAME, str(reason))
