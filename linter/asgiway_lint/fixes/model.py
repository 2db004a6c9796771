"""What fixes are made of: edits, imports, the reasons for and against. Plain data; imports no libcst."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal

from asgiway_lint.finding import Finding

__all__ = ["Applicability", "Edit", "Fix", "NeededImport", "Offer", "Refusal", "Replacement", "availability_of"]


class Applicability(enum.StrEnum):
    """Whether a fix keeps what the program does (`--fix`), or may change it for the reason that it states (`--unsafe-fixes`)."""

    SAFE = "safe"
    UNSAFE = "unsafe"


def availability_of(code: str) -> Literal["Always", "Sometimes", "None"]:
    """Return whether findings of a rule can be fixed, in ruff's words."""
    if code == "AW003":
        return "Always"
    return "Sometimes" if code.startswith("AW1") or code == "AW203" else "None"


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """A replacement in the source text (without its byte order mark); `start == end` inserts.

    Args:
        start: offset of the first replaced character, in code points.
        end: offset behind the last one.
        text: what stands there afterwards.
    """

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class NeededImport:
    """An import that new code needs at the top of the module; `imports.reference` makes them.

    Args:
        module: dotted module: `import asyncio`.
        name: what is imported from it: `from anyio import Path`; empty: the module itself.
        alias: another name for it: `import asyncio as aio`; empty: its own.
    """

    module: str
    name: str = ""
    alias: str = ""

    @property
    def binding(self) -> str:
        """The name that it binds."""
        return self.alias or self.name or self.module.partition(".")[0]

    @property
    def statement(self) -> str:
        """The statement, without its line end."""
        tail = f" as {self.alias}" if self.alias else ""
        return f"from {self.module} import {self.name}{tail}" if self.name else f"import {self.module}{tail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One way to end one finding, or, for what changes a whole function, several.

    Args:
        name: of the fixer: `to-thread`.
        title: what it does, for editors and `--show-fixes`: "Run `requests.get` in a thread with `asyncio.to_thread`".
        applicability: safe or unsafe.
        reason: why it is unsafe, a sentence that a reviewer can act on; required then.
        edits: minimal, sorted, not overlapping; without those of the imports.
        imports: what the new code needs.
        requires: distributions that it needs and the standard library is not (`httpx`).
        notes: what to look at afterwards.
        removes: the findings that it ends.
    """

    name: str
    title: str
    applicability: Applicability
    reason: str = ""
    edits: tuple[Edit, ...]
    imports: tuple[NeededImport, ...] = ()
    requires: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    removes: tuple[Finding, ...]

    def __post_init__(self) -> None:
        if self.applicability is Applicability.UNSAFE and not self.reason:
            raise ValueError(f"{self.name}: an unsafe fix needs its reason")
        if not self.edits or not self.removes:
            raise ValueError(f"{self.name}: a fix has edits, and ends findings")
        if any(before.end > after.start for before, after in zip(self.edits, self.edits[1:], strict=False)):
            raise ValueError(f"{self.name}: edits must be sorted and must not overlap")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a fixer that repairs such calls does not repair this one: "inside a lambda"."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Replacement:
    """An edit by its place, for reports: lines and columns 1-based, columns in code points, the end exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A fix as reports show it.

    Args:
        name: of the fixer.
        title: what it does.
        applicability: safe or unsafe.
        reason: why it is unsafe; empty when it is not.
        replacements: all edits, those of its imports included.
    """

    name: str
    title: str
    applicability: Applicability
    reason: str
    replacements: tuple[Replacement, ...]
