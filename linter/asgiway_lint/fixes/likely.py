"""What `--fix` will probably do with a finding, told from its name alone: for the mark `[*]` of a run that computes no fixes.

To be sure one has to parse the file with libcst, which takes longer than all of the check. What only the place can tell (a lambda, a lock
that is held, an argument that is an open file) is left out; `--show-fixes` and `--diff` tell exactly.
"""

from __future__ import annotations

import functools

from asgiway_lint.config import Settings
from asgiway_lint.filtering import fixable_codes
from asgiway_lint.finding import Finding
from asgiway_lint.fixes.model import Applicability
from asgiway_lint.fixes.threads import threads
from asgiway_lint.fixes.twins import LIBRARIES, twin_of

__all__ = ["likely"]


def likely(finding: Finding, settings: Settings) -> Applicability | None:
    """Return what kind of fix a finding probably has; None for none."""
    if finding.code not in fixable_codes(settings):
        return None
    if finding.code == "AW003":
        return Applicability.SAFE
    if finding.code == "AW203":
        return Applicability.UNSAFE
    if not finding.code.startswith("AW1"):
        return None
    if finding.chain:
        # What ends a chain in a property or a `with` is no call, and cannot move.
        return Applicability.UNSAFE if finding.chain[0].call.endswith(")") and _helper_moves(finding.symbol) else None
    return _of_call(finding.symbol)


@functools.cache
def _helper_moves(symbol: str) -> bool:
    return not threads().never(symbol, behind_helpers=True)


@functools.cache
def _of_call(symbol: str) -> Applicability | None:
    if symbol == "time.sleep":
        return Applicability.SAFE
    if twin_of(symbol):
        return Applicability.UNSAFE if LIBRARIES[symbol.partition(".")[0]][1] else Applicability.SAFE
    known = threads()
    if symbol in known.functions or symbol in known.values:
        return Applicability.SAFE
    if known.never(symbol) or (symbol in known.iterators and symbol not in known.lists):
        return None
    return Applicability.UNSAFE
