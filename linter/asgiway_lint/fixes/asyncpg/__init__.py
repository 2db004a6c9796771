"""Fixer: a function that uses psycopg2, and is simple, becomes one that uses asyncpg, when that is the driver of the project.

`shape` decides about transactions, `queries` and `rows` rewrite what is executed and fetched, `layout` moves lines. What this one
refuses, `psycopg` may do.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from asgiway_lint.finding import Finding
from asgiway_lint.fixes.asyncpg.rewrite import rewrite
from asgiway_lint.fixes.model import Applicability, Fix, Refusal
from asgiway_lint.fixes.psycopg import subject, uses_in
from asgiway_lint.fixes.psycopg.editing import Draft, findings_in
from asgiway_lint.fixes.psycopg.errors import other_readers
from asgiway_lint.fixes.psycopg.uses import Unprovable
from asgiway_lint.fixes.source import FixSource

__all__ = ["NAME", "NATIVE", "offer"]

NAME = "asyncpg"
NATIVE = True

_REASON = (
    "asyncpg takes only the Python type of each column (no `str` for a date or number), gives `json` as `str`, "
    "and raises errors of its own (`asyncpg.PostgresError`)"
)


def offer(source: FixSource, finding: Finding, findings: Sequence[Finding]) -> Fix | Refusal | None:
    """Return the rewrite of the function that a finding about psycopg2 stands in."""
    if source.settings.postgres != "asyncpg":
        return None
    function = subject(source, finding)
    if function is None or isinstance(function, str):
        return None if function is None else Refusal(NAME, function)
    try:
        uses = uses_in(source, function)
        draft = source.memo(_Drafts).of(source, function)
    except Unprovable as reason:
        return Refusal(NAME, str(reason))
    notes = [
        *draft.notes,
        "behind PgBouncer in transaction mode, `connect` needs `statement_cache_size=0`",
        "libpq's own parameters in a URI, such as `connect_timeout`, are none of asyncpg's",
    ]
    if not other_readers(source, uses):
        notes.append("nothing else in this file uses psycopg2: its import can go")
    return Fix(
        name=NAME,
        title=f"Rewrite `{function.name.value}` for asyncpg",
        applicability=Applicability.UNSAFE,
        reason=_REASON,
        edits=draft.finished(),
        imports=tuple(draft.imports),
        requires=("asyncpg",),
        notes=tuple(notes),
        removes=findings_in(source, function, list(findings), "psycopg2."),
    )


class _Drafts:
    """The rewritten functions of one file."""

    def __init__(self, _: FixSource) -> None:
        self._drafts: dict[int, Draft | Unprovable] = {}

    def of(self, source: FixSource, function: cst.FunctionDef) -> Draft:
        if id(function) not in self._drafts:
            try:
                self._drafts[id(function)] = rewrite(source, uses_in(source, function))
            except Unprovable as reason:
                self._drafts[id(function)] = reason
        found = self._drafts[id(function)]
        if isinstance(found, Unprovable):
            raise Unprovable(str(found))
        return found
