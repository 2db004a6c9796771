"""The fixers: every module of this package that has a `NAME` and an `offer`; so a new one needs no list to stand in.

A subpackage `fixes/httpx/` is a fixer when its `__init__` has both.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Sequence
from typing import Protocol, cast

from asgiway_lint import fixes
from asgiway_lint.finding import Finding
from asgiway_lint.fixes.model import Fix, Refusal
from asgiway_lint.fixes.source import FixSource

__all__ = ["Fixer", "fixers"]


class Fixer(Protocol):
    """What a fixer's module looks like."""

    NAME: str
    """What it is called in output and refusals: `to-thread`."""

    NATIVE: bool = False
    """Whether its code is asynchronous all the way, and so, when unsafe fixes are wanted, comes before threads."""

    def offer(self, source: FixSource, finding: Finding, findings: Sequence[Finding], /) -> Fix | Refusal | None:
        """Return the fix of a finding, why there is none, or None for a finding that the fixer is not about.

        Args:
            source: the file.
            finding: the finding.
            findings: all of the file's that may be fixed; fixes of whole functions remove several.
        """
        ...


@functools.cache
def fixers() -> tuple[Fixer, ...]:
    """Return all fixers, in order of their names."""
    found: list[Fixer] = []
    for info in pkgutil.iter_modules(fixes.__path__):
        module = importlib.import_module(f"{fixes.__name__}.{info.name}")
        if hasattr(module, "NAME") and hasattr(module, "offer"):
            found.append(cast("Fixer", module))
    return tuple(sorted(found, key=lambda fixer: fixer.NAME))
