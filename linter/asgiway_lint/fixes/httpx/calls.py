"""One request while its rewrite is prepared: where it is, what its arguments ask for, and why it has to stay, if it has to."""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst

from asgiway_lint.finding import Finding
from asgiway_lint.fixes.httpx.arguments import Arguments
from asgiway_lint.fixes.httpx.draft import Draft

__all__ = ["Request"]


@dataclass(slots=True, eq=False)
class Request:
    """One call that sends a request.

    Args:
        node: the call.
        finding: the finding that it is.
        verb: the function or method of Requests: `get`.
        line: its line.
        session: the name of the session that sends it; empty: none, or one that is made on the spot.
        arguments: what its arguments ask for; None: it is refused.
        draft: the edits of the call and its arguments.
        refusal: why it stays as it is.
    """

    node: cst.Call
    finding: Finding
    verb: str
    line: int
    session: str = ""
    arguments: Arguments | None = None
    draft: Draft = field(default_factory=Draft)
    refusal: str = ""

    def refuse(self, reason: str) -> None:
        """Let it stay; the first reason is the one to tell."""
        self.refusal = self.refusal or reason
