"""Fixer: a function that uses psycopg2 becomes one that uses psycopg 3's `AsyncConnection`.

All of a function or nothing: `uses` accounts for every use of psycopg2 in it, `sql` reads its statements, `statements`, `connecting`
and `errors` know the differences, `rewrite` makes the edits.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from asgiway_lint.finding import Finding
from asgiway_lint.fixes.awaits import library
from asgiway_lint.fixes.model import Applicability, Fix, Refusal
from asgiway_lint.fixes.psycopg.editing import Draft, findings_in
from asgiway_lint.fixes.psycopg.errors import other_readers
from asgiway_lint.fixes.psycopg.rewrite import rewrite
from asgiway_lint.fixes.psycopg.uses import Unprovable, Uses, uses_of
from asgiway_lint.fixes.source import FixSource

__all__ = ["NAME", "NATIVE", "offer", "subject", "uses_in"]

NAME = "psycopg"
NATIVE = True

_REASON = "callers that catch errors of psycopg2 must catch psycopg's, and `bytea`, `uuid`, network and range columns come as other Python types"


def offer(source: FixSource, finding: Finding, findings: Sequence[Finding]) -> Fix | Refusal | None:
    """Return the rewrite of the function that a finding about psycopg2 stands in."""
    function = subject(source, finding)
    if function is None or isinstance(function, str):
        return None if function is None else Refusal(NAME, function)
    try:
        uses, draft = source.memo(_Answers).rewritten(source, function)
    except Unprovable as reason:
        return Refusal(NAME, str(reason))
    notes = list(dict.fromkeys(draft.notes))
    if not other_readers(source, uses):
        notes.append("nothing else in this file uses psycopg2: its import can go")
    return Fix(
        name=NAME,
        title=f"Rewrite `{function.name.value}` for psycopg 3 (`psycopg.AsyncConnection`)",
        applicability=Applicability.UNSAFE,
        reason=_REASON,
        edits=draft.finished(),
        imports=tuple(draft.imports),
        requires=("psycopg",),
        notes=tuple(notes),
        removes=findings_in(source, function, list(findings), "psycopg2."),
    )


def subject(source: FixSource, finding: Finding) -> cst.FunctionDef | str | None:
    """Return the coroutine whose own call of psycopg2 a finding is about, why there is none, or None: it is about something else."""
    if not finding.symbol.startswith("psycopg2.") or finding.chain:
        return None
    node = source.node_at(finding)
    if node is None:
        return None
    function = source.enclosing_function(node)
    if function is None or function.asynchronous is None:
        return "it is not in the body of an `async def`"
    if finding.symbol.startswith("psycopg2.pool."):
        return "a pool is shared: it has to be replaced wherever it is used (`psycopg_pool.AsyncConnectionPool`)"
    if library(source) == "trio":
        return "psycopg's and asyncpg's connections need asyncio, and this file is for trio"
    return function


def uses_in(source: FixSource, function: cst.FunctionDef) -> Uses:
    """Return what a function does with psycopg2, asked once for all of its findings.

    Raises:
        Unprovable: some of it cannot be followed.
    """
    return source.memo(_Answers).uses(source, function)


class _Answers:
    """What was found out about the functions of one file."""

    def __init__(self, _: FixSource) -> None:
        self._uses: dict[int, Uses | Unprovable] = {}
        self._drafts: dict[int, Draft | Unprovable] = {}

    def uses(self, source: FixSource, function: cst.FunctionDef) -> Uses:
        if id(function) not in self._uses:
            try:
                self._uses[id(function)] = uses_of(source, function)
            except Unprovable as reason:
                self._uses[id(function)] = reason
        found = self._uses[id(function)]
        if isinstance(found, Unprovable):
            raise Unprovable(str(found))
        return found

    def rewritten(self, source: FixSource, function: cst.FunctionDef) -> tuple[Uses, Draft]:
        uses = self.uses(source, function)
        if id(function) not in self._drafts:
            try:
                self._drafts[id(function)] = rewrite(source, uses)
            except Unprovable as reason:
                self._drafts[id(function)] = reason
        found = self._drafts[id(function)]
        if isinstance(found, Unprovable):
            raise Unprovable(str(found))
        return uses, found
