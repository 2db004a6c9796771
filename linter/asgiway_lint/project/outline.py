"""What other modules can see of a module, in a form that does not change when only lines move or a body calls something else.

Names, classes, signatures, attributes and what functions return are seen; where something stands is not, and calls and events in a
body only as far as one of the former holds them. What a body does to an event loop travels by other ways (`analysis.changed`).
"""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, cast

from asgiway_lint.facts import Facts, model
from asgiway_lint.facts.model import Binding, Expr, Result

__all__ = ["Outline", "outline"]

_HOLD_EXPRESSIONS: Final = frozenset({"value", "ann", "iter", "aiter", "enter", "aenter", "narrow"})
_HOLD_SCOPES: Final = frozenset({"def", "class"})


@dataclass(frozen=True, slots=True)
class Outline:
    """The outline of a module.

    Args:
        digest: equal for modules that look alike from outside.
        scopes: the scopes that can be seen, by index, in an order that is the same wherever the digest is.
    """

    digest: bytes
    scopes: tuple[int, ...]


def outline(facts: Facts) -> Outline:
    """The outline of a module.

    Raises:
        ValueError, RecursionError: it is nested too deeply.
    """
    drawn = _Drawing(facts)
    content: Any = drawn.content()
    # Later versions of the format tell apart what is shared and what is not.
    return Outline(hashlib.blake2b(marshal.dumps(content, 2), digest_size=16).digest(), tuple(drawn.scopes))


class _Drawing:
    """One pass over what can be seen; numbers of scopes, calls, blocks and moments are replaced by ranks among those seen."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self.scopes: list[int] = [0]
        self._numbers: dict[int, int] = {0: 0}
        self._calls: list[int] = []
        self._call_numbers: dict[int, int] = {}
        self._moments: set[int] = set()
        self._blocks: set[int] = {0}

    def content(self) -> tuple[object, ...]:
        """Everything that can be seen."""
        facts = self._facts
        scopes: list[tuple[object, ...]] = []
        calls: list[tuple[object, ...]] = []
        while len(scopes) < len(self.scopes) or len(calls) < len(self._calls):
            if len(scopes) < len(self.scopes):
                scopes.append(self._scope(self.scopes[len(scopes)]))
            else:
                calls.append(self._call(self._calls[len(calls)]))
        ranks = {moment: rank for rank, moment in enumerate(sorted(self._moments))}
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
        return (_placed(scopes, ranks, numbers), _placed(calls, ranks, numbers), described)

    def _scope(self, index: int) -> tuple[object, ...]:
        scope = self._facts.scopes[index]
        parent = self._number(scope.parent) if scope.parent >= 0 else -1
        return (
            scope.kind,
            scope.name,
            scope.qualname,
            parent,
            self._at(scope.seq, scope.block),
            self._at(scope.seq, scope.body),
            self._all(scope.decorators),
            [
                (param.name, param.kind, self._maybe(param.annotation), self._maybe(param.default))
                for param in scope.params
            ],
            self._maybe(scope.annotation),
            self._all(scope.bases),
            [(name, self._expr(value)) for name, value in scope.keywords],
            scope.generator,
            [(name, [self._binding(one) for one in scope.bindings[name]]) for name in sorted(scope.bindings)],
            [(self._expr(base), name, self._binding(binding)) for base, name, binding in scope.attributes],
            self._results(scope.results),
            self._results(scope.yields),
            [(self._at(seq, block), module, level) for seq, block, module, level in scope.stars],
        )

    def _call(self, index: int) -> tuple[object, ...]:
        call = self._facts.calls[index]
        return (
            self._expr(call.callee),
            self._all(call.args),
            [(name, self._expr(value)) for name, value in call.keywords],
            self._number(call.scope),
            self._at(call.seq, call.block),
            call.flags,
        )

    def _binding(self, binding: Binding) -> tuple[object, ...]:
        kind, a, b = binding.kind, binding.a, binding.b
        if kind in _HOLD_SCOPES:
            a = self._number(a)
        elif kind in _HOLD_EXPRESSIONS:
            a = self._maybe(a)
            if kind == "ann":
                b = self._maybe(b)
        return (self._at(binding.seq, binding.block), kind, a, b)

    def _results(self, results: Iterable[Result]) -> list[object]:
        return [(self._expr(result.expr), self._at(result.seq, result.block)) for result in results]

    def _maybe(self, expr: Expr | None) -> object:
        return None if expr is None else self._expr(expr)

    def _all(self, exprs: Iterable[Expr]) -> list[object]:
        return [self._expr(expr) for expr in exprs]

    def _expr(self, expr: Expr) -> object:
        tag = expr[0]
        if tag in (model.NAME, model.CONST, model.OTHER):
            # 1, 1.0 and True are equal, and differ.
            return expr
        if tag == model.CALL:
            return (tag, self._call_number(expr[1]))
        if tag == model.SCOPE:
            return (tag, self._number(expr[1]))
        if tag == model.ATTR:
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

    def _at(self, seq: int, block: int) -> _Moment:
        self._moments.add(seq)
        while block >= 0 and block not in self._blocks:
            self._blocks.add(block)
            block = self._facts.blocks[block].parent
        return _Moment((seq, block))


class _Moment(tuple[int, int]):
    """When and where, to be replaced by ranks as soon as all are known."""

    __slots__ = ()


def _placed(content: Any, ranks: dict[int, int], blocks: dict[int, int]) -> Any:
    if isinstance(content, _Moment):
        return (ranks[content[0]], blocks[content[1]])
    if isinstance(content, list | tuple):
        parts = cast("Iterable[Any]", content)
        return [_placed(one, ranks, blocks) for one in parts]
    return content
