"""What the linter found: plain data that the engine makes, the reporters print and the cache may keep."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Finding", "Link", "Severity"]


class Severity(enum.StrEnum):
    """How bad a finding is; it follows the rule (`info` is hidden unless asked for)."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the mildest; lets severities be compared (`StrEnum` itself compares as text)."""
        return _RANKS[self]


_RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ERROR: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One hop of a call chain, from the coroutine towards the call that blocks.

    Args:
        call: the call as the reader knows it (`helpers.load`).
        path: absolute path of the file that holds the call.
        line: 1-based line of the call.
        column: 1-based column of the call, in code points.
    """

    call: str
    path: str
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One diagnostic.

    Args:
        path: absolute path as discovery gave it (or `-`, or the name given for stdin); reporters make it relative.
        code: code of the rule (`AW102`).
        message: one sentence that names the call and the replacement.
        severity: how bad it is; usually the rule's own.
        line: 1-based line where the range starts.
        column: 1-based column where the range starts, in code points.
        end_line: 1-based line where the range ends.
        end_column: 1-based column behind the last character of the range (exclusive).
        symbol: qualified name of what blocks (`requests.get`); empty for findings about the file itself.
        replacement: what to use instead (`httpx.AsyncClient`); empty if there is nothing to name.
        chain: the hops from the coroutine to the blocking call; empty when the coroutine makes the call itself.
    """

    path: str
    code: str
    message: str
    severity: Severity
    line: int
    column: int
    end_line: int
    end_column: int
    symbol: str = ""
    replacement: str = ""
    chain: tuple[Link, ...] = ()
