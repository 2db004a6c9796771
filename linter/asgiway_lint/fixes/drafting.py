"""The edits of a fix that puts several `await`s into a function, while they are collected; what cannot be done ends them with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import libcst as cst

from asgiway_lint.fixes.awaits import interleaving
from asgiway_lint.fixes.contexts import await_refusal, brackets
from asgiway_lint.fixes.model import Edit
from asgiway_lint.fixes.source import FixSource

__all__ = ["AwaitDraft", "Unclear", "is_others", "is_use", "leaves_early", "shown"]

_COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.DictComp)


class Unclear(Exception):
    """Why something stays as it is."""


@dataclass(slots=True)
class AwaitDraft:
    """Edits, and why they are unsafe.

    Args:
        source: the file.
        reasons: what the new `await`s let other tasks spoil.
    """

    source: FixSource
    reasons: list[str] = field(default_factory=list[str])
    _inserted: dict[int, str] = field(default_factory=dict[int, str])
    _replaced: dict[tuple[int, int], str] = field(default_factory=dict[tuple[int, int], str])

    def insert(self, offset: int, text: str) -> None:
        """Insert a text, behind what was inserted there before."""
        self._inserted[offset] = self._inserted.get(offset, "") + text

    def replace(self, start: int, end: int, text: str) -> None:
        """Replace a piece of the text; what is inserted at its start comes before it."""
        self._replaced[start, end] = text

    def allowed(self, node: cst.CSTNode) -> None:
        """Make sure that an `await` may be put at a place."""
        if reason := await_refusal(self.source, node):
            line = self.source.line_of(self.source.offset(node)[0])
            raise Unclear(f"line {line}: an `await` would be {reason}")

    def awaited(self, call: cst.Call) -> None:
        """Put an `await` before a call."""
        self.allowed(call)
        before, after = brackets(self.source, call)
        start, end = self.source.offset(call)
        self.insert(start, f"{before}await ")
        self.insert(end, after)
        if (reason := interleaving(self.source, call)) and reason not in self.reasons:
            self.reasons.append(reason)

    def asynchronous_for(self, loop: cst.For | cst.CompFor) -> None:
        """Make a loop an `async for`, in a statement or a comprehension."""
        if isinstance(loop, cst.For):
            self.allowed(loop)
            start = self.source.offset(loop)[0]
        else:
            home = self.source.enclosing(loop, *_COMPREHENSIONS, cst.GeneratorExp)
            if not isinstance(home, _COMPREHENSIONS):
                raise Unclear("a generator expression over it would become an asynchronous one")
            self.allowed(home)
            gap = len(self.source.module.code_for_node(loop.whitespace_after_for))
            start = self.source.outer_offset(loop.target)[0] - gap - len("for")
        if not self.source.text.startswith("for", start):
            raise Unclear("the `for` is not where it should be")
        self.insert(start, "async ")

    def edits(self) -> tuple[Edit, ...]:
        """Return the edits, sorted, those at one place in one."""
        inserted = dict(self._inserted)
        found = [
            Edit(start, end, inserted.pop(start, "") + text if start < end else text)
            for (start, end), text in sorted(self._replaced.items())
        ]
        return tuple(sorted([*found, *(Edit(offset, offset, text) for offset, text in inserted.items() if text)]))


def is_use(source: FixSource, name: cst.Name) -> bool:
    """Whether a name stands for what it is bound to: not that of an attribute, a keyword or a parameter."""
    above = source.parent(name)
    if isinstance(above, cst.Attribute):
        return above.value is name
    if isinstance(above, cst.Arg):
        return above.keyword is not name
    return not (isinstance(above, cst.Param) and above.name is name)


def is_others(source: FixSource, use: cst.Name, statement: cst.CSTNode) -> bool:
    """Whether a name is bound by another `with` or `for` than a statement: `with open(a) as f: ...` and `with open(b) as f: ...`."""
    below: cst.CSTNode = use
    around = {id(above) for above in source.ancestors(statement)}
    for above in source.ancestors(use):
        if isinstance(above, (cst.With, cst.For)) and above is not statement and id(above) not in around:
            names = list(_bound(above))
            if use in names or (below is above.body and any(name.value == use.value for name in names)):
                return True
        below = above
    return False


def _bound(statement: cst.With | cst.For) -> Iterator[cst.Name]:
    targets = [statement.target] if isinstance(statement, cst.For) else []
    if isinstance(statement, cst.With):
        targets += [item.asname.name for item in statement.items if item.asname is not None]
    return (target for target in targets if isinstance(target, cst.Name))


def leaves_early(source: FixSource, loop: cst.For) -> bool:
    """Whether a `return` or `break` ends a loop: trio warns of asynchronous generators that are left before their end."""
    for node in source.nodes(loop.body):
        if isinstance(node, cst.Return) and source.enclosing_function(node) is source.enclosing_function(loop):
            return True
        if isinstance(node, cst.Break) and source.enclosing(node, cst.For, cst.While) is loop:
            return True
    return False


def shown(text: str) -> str:
    """Return a text in one short line."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."
