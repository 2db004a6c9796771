"""What other modules have seen of a module, in a form that does not change when anything else in it does.

Drawn is what others have asked for, and what the answers lead to: names of the module, members of classes, signatures, what
functions return, the variables that these need. Where something stands is left out; so are names that nobody has asked for,
calls and events in a body, and variables of a function that nothing needs which leaves it. What a body does to an event loop
travels by other ways (`analysis.changed`).

The reason why this is enough: the analysis of another module is a chain of looks into this one, each found out from the ones
before. If all that were made find what they found, there are no others.
"""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from asgiway_lint.facts import Facts, model
from asgiway_lint.facts.model import AttributeBinding, Binding, Expr, Result

__all__ = ["Outline", "outline"]

_HOLD_EXPRESSIONS: Final = frozenset({"value", "ann", "iter", "aiter", "enter", "aenter", "narrow"})
_HOLD_SCOPES: Final = frozenset({"def", "class"})
_RUN_IN_PLACE: Final = frozenset({"comp", "gen"})


@dataclass(frozen=True, slots=True)
class Outline:
    """The outline of a module.

    Args:
        digest: equal for modules that look alike from outside.
        scopes: the scopes that can be seen, by index, in an order that is the same wherever the digest is.
        mentioned: the names that occur in what can be seen: of variables, attributes, and what is imported from elsewhere.
    """

    digest: bytes
    scopes: tuple[int, ...]
    mentioned: frozenset[str]


def outline(facts: Facts, names: Collection[str] | None = None, members: Collection[str] | None = None) -> Outline:
    """The outline of a module.

    Args:
        facts: the module.
        names: the names of the module that somebody has asked for, there or not; None for all that are there.
        members: the names of members that somebody has asked its classes and their objects for, those that methods set
            with a dot in front; None for all.

    Raises:
        ValueError, RecursionError: it is nested too deeply.
    """
    drawn = _Drawing(facts, members)
    content: Any = drawn.content(sorted(facts.scopes[0].bindings if names is None else names))
    # Later versions of the format tell apart what is shared and what is not.
    digest = hashlib.blake2b(marshal.dumps(content, 2), digest_size=16).digest()
    return Outline(digest, tuple(drawn.scopes), frozenset(drawn.mentioned))


class _Drawing:
    """One pass over what can be seen; numbers of scopes, calls, blocks and moments are replaced by ranks among those seen.

    Args:
        facts: the module.
        members: the members that are asked for; None for all.
    """

    def __init__(self, facts: Facts, members: Collection[str] | None) -> None:
        self._facts = facts
        self._members = None if members is None else sorted(members)
        self._attributes = None if members is None else frozenset(name[1:] for name in members if name.startswith("."))
        self.scopes: list[int] = []
        self.mentioned: set[str] = set()
        self._numbers: dict[int, int] = {}
        self._calls: list[int] = []
        self._call_numbers: dict[int, int] = {}
        self._names: list[tuple[int, str]] = []
        self._needed: set[tuple[int, str]] = set()
        self._looked_up: set[tuple[int, str]] = set()
        self._moments: list[tuple[int, int]] = []
        self._blocks: set[int] = {0}
        self._place = 0
        self._assigned = _assigned(facts)

    def content(self, names: Iterable[str]) -> tuple[object, ...]:
        """Everything that can be seen of some names of the module."""
        self._number(0)
        for name in names:
            self._need(0, name)
        content: list[object] = []
        scopes = calls = bound = 0
        while True:
            if scopes < len(self.scopes):
                content.append(self._scope(self.scopes[scopes]))
                scopes += 1
            elif calls < len(self._calls):
                content.append(self._call(self._calls[calls]))
                calls += 1
            elif bound < len(self._names):
                content.append(self._bound(*self._names[bound]))
                bound += 1
            else:
                break
        return (content, *self._order())

    def _order(self) -> tuple[object, ...]:
        """When and where everything is that has been drawn, relative to each other."""
        facts = self._facts
        ranks = {seq: rank for rank, seq in enumerate(sorted({seq for seq, _ in self._moments}))}
        blocks = sorted(self._blocks)
        numbers = {block: number for number, block in enumerate(blocks)}
        numbers[-1] = -1
        groups: dict[int, int] = {0: 0}
        described = [
            (
                numbers[facts.blocks[block].parent],
                groups.setdefault(facts.blocks[block].group, len(groups)),
                facts.blocks[block].flags,
            )
            for block in blocks
        ]
        return [(ranks[seq], numbers[block]) for seq, block in self._moments], described

    def _scope(self, index: int) -> tuple[object, ...]:
        """A scope without its names; those that are asked for, or needed, come by and by."""
        scope = self._facts.scopes[index]
        self._place = max(scope.parent, 0)
        self._at(scope.seq, scope.block)
        self._at(scope.seq, scope.body)
        content: list[object] = [
            scope.kind,
            scope.name,
            scope.qualname,
            self._number(scope.parent) if scope.parent >= 0 else -1,
            self._all(scope.decorators),
            [(each.name, each.kind, self._maybe(each.annotation), self._maybe(each.default)) for each in scope.params],
            self._maybe(scope.annotation),
            self._all(scope.bases),
            [(name, self._expr(value)) for name, value in scope.keywords],
            scope.generator,
        ]
        self._place = index
        for param in scope.params:
            self._need(index, param.name)
        if scope.kind == "class":
            for name in sorted(scope.bindings) if self._members is None else self._members:
                self._need(index, name)
        for seq, block, module, level in scope.stars:
            self._at(seq, block)
            content.append((module, level))
        content += [
            self._results(scope.results),
            self._results(scope.yields),
            [
                self._attribute(owner, attribute)
                for owner, attribute in self._assigned.get(index, ())
                if self._attributes is None or attribute.name in self._attributes
            ],
        ]
        return tuple(content)

    def _attribute(self, owner: int, attribute: AttributeBinding) -> object:
        base, name, binding = attribute
        self._place = owner
        return self._number(owner), self._expr(base), name, self._binding(binding)

    def _bound(self, index: int, name: str) -> tuple[object, ...]:
        self._place = index
        return self._numbers[index], name, [self._binding(one) for one in self._facts.scopes[index].bindings[name]]

    def _call(self, index: int) -> tuple[object, ...]:
        call = self._facts.calls[index]
        number = self._number(call.scope)
        self._place = call.scope
        self._at(call.seq, call.block)
        return (
            number,
            self._expr(call.callee),
            self._all(call.args),
            [(name, self._expr(value)) for name, value in call.keywords],
            call.flags,
        )

    def _binding(self, binding: Binding) -> tuple[object, ...]:
        kind, a, b = binding.kind, binding.a, binding.b
        self._at(binding.seq, binding.block)
        if kind in _HOLD_SCOPES:
            a = self._number(a)
        elif kind in _HOLD_EXPRESSIONS:
            a = self._maybe(a)
            if kind == "ann":
                b = self._maybe(b)
        elif kind == "from":
            self.mentioned.add(a[1])
        return kind, a, b

    def _results(self, results: Iterable[Result]) -> list[object]:
        content: list[object] = []
        for result in results:
            self._at(result.seq, result.block)
            content.append(self._expr(result.expr))
        return content

    def _maybe(self, expr: Expr | None) -> object:
        return None if expr is None else self._expr(expr)

    def _all(self, exprs: Iterable[Expr]) -> list[object]:
        return [self._expr(expr) for expr in exprs]

    def _expr(self, expr: Expr) -> object:
        tag = expr[0]
        if tag == model.NAME:
            self.mentioned.add(expr[1])
            self._look_up(expr[1])
            return expr
        if tag in (model.CONST, model.OTHER):
            # 1, 1.0 and True are equal, and differ.
            return expr
        if tag == model.CALL:
            return (tag, self._call_number(expr[1]))
        if tag == model.SCOPE:
            return (tag, self._number(expr[1]))
        if tag == model.ATTR:
            self.mentioned.add(expr[2])
            return (tag, self._expr(expr[1]), expr[2])
        return tuple([self._part(part) for part in expr])

    def _part(self, part: Any) -> object:
        """A part of an expression: an expression, several of them, or a plain value."""
        if not isinstance(part, tuple):
            return part
        parts: Expr = part  # pyright: ignore[reportUnknownVariableType]
        if not parts:
            return ()
        if isinstance(parts[0], str):
            return self._expr(parts)
        return [self._part(one) for one in parts]

    def _look_up(self, name: str) -> None:
        """The variables that a name may mean at the present place, as `analysis.names.lookup` climbs."""
        index = self._place
        inside = True
        while index >= 0 and (index, name) not in self._looked_up:
            scope = self._facts.scopes[index]
            if scope.kind != "class" or inside:
                if inside:
                    self._looked_up.add((index, name))
                self._need(index, name)
            inside = inside and scope.kind in _RUN_IN_PLACE
            index = scope.parent

    def _need(self, index: int, name: str) -> None:
        if (index, name) not in self._needed and name in self._facts.scopes[index].bindings:
            self._number(index)
            self._needed.add((index, name))
            self._names.append((index, name))

    def _number(self, index: int) -> int:
        number = self._numbers.get(index)
        if number is None:
            number = self._numbers[index] = len(self.scopes)
            self.scopes.append(index)
        return number

    def _call_number(self, index: int) -> int:
        number = self._call_numbers.get(index)
        if number is None:
            number = self._call_numbers[index] = len(self._calls)
            self._calls.append(index)
        return number

    def _at(self, seq: int, block: int) -> None:
        self._moments.append((seq, block))
        while block >= 0 and block not in self._blocks:
            self._blocks.add(block)
            block = self._facts.blocks[block].parent


def _assigned(facts: Facts) -> dict[int, list[tuple[int, AttributeBinding]]]:
    """For each class what its methods set, of whatever object, and in which scope."""
    found: dict[int, list[tuple[int, AttributeBinding]]] = {}
    for index, scope in enumerate(facts.scopes):
        if scope.attributes:
            around = scope.parent
            while around >= 0:
                if facts.scopes[around].kind == "class":
                    found.setdefault(around, []).extend((index, attribute) for attribute in scope.attributes)
                around = facts.scopes[around].parent
    return found
