"""A module taken apart, to be compared with what it was before an edit: functions, what names are bound to, the heads of classes.

The content of a part is equal before and after if nothing but its place in the file has changed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from asgiway_lint.facts import Facts, model
from asgiway_lint.facts.builder import FUNCTIONS
from asgiway_lint.facts.model import Call, Event, Expr, Scope

__all__ = ["Part", "Reader"]

_WORD: Final = re.compile(r"\w+")


@dataclass(slots=True)
class Part:
    """A part of a module: a function with all in it, what a name is bound to, or the head of a class.

    Args:
        content: equal if nothing in it has changed but its place.
        mentions: the names in it.
        names: the names by which others find it.
        owner: the class whose method it is; ``""`` for none.
        sets: what it sets of objects.
        derived: its class has bases.
        bases: of a class, the names in them.
        bound: it is what a name is bound to.
    """

    content: object
    mentions: set[str]
    names: frozenset[str]
    owner: str = ""
    sets: tuple[tuple[object, ...], ...] = ()
    derived: bool = False
    bases: set[str] = field(default_factory=set[str])
    bound: bool = False


class Reader:
    """Takes a module apart.

    Args:
        facts: the module.
    """

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._home = _homes(facts)
        """The outermost function around each scope; -1 for what runs with the module."""
        self._mentions: set[str] = set()
        self._base = (0, 0, 0, 0)

    def frame(self) -> object:
        """What concerns all parts: stars, conditions, and what is bound under which."""
        facts = self._facts
        under: list[object] = []
        numbers: dict[int, int] = {}
        for _, key, block in self._bindings():
            if block >= 0:
                under.append((key, [*self._arms(block, numbers)]))
        return [star[2:] for scope in facts.scopes for star in scope.stars], self.conditions(), under

    def conditions(self) -> set[str]:
        """The attributes that conditions ask about."""
        return {name for block in self._facts.blocks for text, _ in block.guard for name in text.split(".")[1:2]}

    def order(self) -> list[str]:
        """What is bound outside of functions, in order."""
        return [key for _, key, _ in self._bindings()]

    def _bindings(self) -> list[tuple[int, str, int]]:
        """What is bound outside of functions: when, what, and where if that is under a condition (else -1)."""
        return sorted(
            (binding.seq, f"{scope.qualname}.{name} {number}", binding.block if binding.block != scope.body else -1)
            for index, scope in enumerate(self._facts.scopes)
            if self._home[index] < 0
            for name, bindings in scope.bindings.items()
            for number, binding in enumerate(bindings)
        )

    def _arms(self, block: int, numbers: dict[int, int]) -> Iterator[object]:
        while block > 0:
            number, group, flags, guard = block, *self._facts.blocks[block][1:]
            yield (
                numbers.setdefault(number, len(numbers)),
                group and numbers.setdefault(-group, len(numbers)),
                flags,
                guard,
            )
            block = self._facts.blocks[block].parent

    def parts(self) -> dict[str, Part]:
        """The parts by key, in order."""
        facts = self._facts
        found: list[tuple[int, str, Part]] = []
        inside: dict[int, list[int]] = {}
        for index, home in enumerate(self._home):
            if home >= 0:
                inside.setdefault(home, []).append(index)
        calls = _by_home(self._home, facts.calls)
        events = _by_home(self._home, facts.events)
        for index, scope in enumerate(facts.scopes):
            if self._home[index] == index and scope.kind != "lambda":
                whole = self._function(index, inside[index], calls, events)
                found.append((scope.seq, f"def {scope.qualname}", whole))
                for name in {name: None for one in inside[index] for _, name, _ in facts.scopes[one].attributes}:
                    part = self._attribute(name, inside[index], whole)
                    found.append((scope.seq, f"def {scope.qualname} .{name}", part))
            elif self._home[index] < 0 and scope.kind in ("class", "module"):
                if scope.kind == "class":
                    found.append((scope.seq, f"class {scope.qualname}", self._class(scope)))
                found += [
                    (bindings[0].seq, f"{scope.qualname}.{name}", self._bound(scope, name))
                    for name, bindings in scope.bindings.items()
                ]
        parts: dict[str, Part] = {}
        for _, key, part in sorted(found, key=lambda entry: entry[0]):
            while key in parts:
                key += "'"
            parts[key] = part
        return parts

    def _function(
        self, index: int, inside: list[int], calls: dict[int, list[int]], events: dict[int, list[int]]
    ) -> Part:
        facts = self._facts
        scope = facts.scopes[index]
        mine = calls.get(index, [])
        self._begin(scope.seq, scope.body, index, mine[0] if mine else 0)
        nested = [self._scope(facts.scopes[one], outer=one == index) for one in inside]
        attributes = [
            (name, self._expr(base), self._binding(binding))
            for one in inside
            for base, name, binding in facts.scopes[one].attributes
        ]
        made = [self._call(facts.calls[one]) for one in mine]
        happens = [
            (event.kind, self._expr(event.expr), event.scope - index, event.block - scope.body, event.seq - scope.seq)
            for event in (facts.events[one] for one in events.get(index, ()))
        ]
        arms: list[object] = []
        blocks = {b for one in inside for b in [facts.scopes[one].body]}
        blocks.update(facts.calls[one].block for one in mine)
        blocks.update(facts.events[one].block for one in events.get(index, ()))
        blocks.update(b.block for one in inside for bound in facts.scopes[one].bindings.values() for b in bound)
        blocks.update(b.block for one in inside for _, _, b in facts.scopes[one].attributes)
        blocks.update(r.block for one in inside for r in (*facts.scopes[one].results, *facts.scopes[one].yields))
        arms = self._blocks(blocks, scope.body)
        parent = facts.scopes[scope.parent]
        owner = parent.name if parent.kind == "class" else ""
        sets = [
            (one - index, name, base, _given(b), b.kind, b.block == facts.scopes[one].body)
            for one in inside
            for base, name, b in facts.scopes[one].attributes
        ]
        told = [(*each[:3], each[3] if _is_plain(each[3]) else None, *each[4:]) for each in sets]
        names = frozenset({scope.name})
        content = (nested, attributes, made, happens, arms)
        return Part(content, self._mentions, names, owner, tuple(told), bool(owner and parent.bases))

    def _attribute(self, name: str, inside: list[int], whole: Part) -> Part:
        """What a function sets an attribute to, and the variables that this needs."""
        scopes = [self._facts.scopes[index] for index in inside]
        self._begin(0, 0, 0, 0)
        numbers: dict[int, int] = {}
        content: list[tuple[Any, ...]] = []
        for scope in scopes:
            for base, attribute, binding in scope.attributes:
                if attribute == name:
                    drawn = self._binding(binding, inline=True)
                    content.append((binding.seq, self._expr(base), drawn, [*self._arms(binding.block, numbers)]))
        done: set[str] = set()
        while not done.issuperset(self._mentions):
            needed = self._mentions - done
            done |= needed
            for rank, scope in enumerate(scopes):
                for variable in sorted(needed & scope.bindings.keys()):
                    for binding in scope.bindings[variable]:
                        if binding.kind in ("def", "class"):
                            return Part(whole.content, whole.mentions, frozenset({name}))
                        drawn = self._binding(binding, inline=True)
                        content.append((binding.seq, rank, variable, drawn, [*self._arms(binding.block, numbers)]))
                        if binding.kind == "param":
                            position: int = binding.a
                            param = scope.params[position]
                            content.append(
                                (
                                    binding.seq,
                                    rank,
                                    variable,
                                    self._all([expr for expr in (param.annotation, param.default) if expr is not None]),
                                )
                            )
        content.sort(key=lambda entry: entry[0])
        return Part([entry[1:] for entry in content], self._mentions, frozenset({name}))

    def _blocks(self, blocks: Iterable[int], body: int) -> list[object]:
        """Blocks and those around them, up to the body of a function."""
        facts = self._facts
        pending = list(blocks)
        seen = {body}
        while pending:
            block = pending.pop()
            if block in seen or block < 0:
                continue
            seen.add(block)
            pending.append(facts.blocks[block].parent)
        first = min([facts.blocks[block].group for block in seen if facts.blocks[block].group], default=0)
        found: list[object] = []
        for block in sorted(seen):
            parent, group, flags, guard = facts.blocks[block]
            for text, _ in guard:
                self._mentions.update(_WORD.findall(text))
            if block >= body:
                found.append(
                    (block - body, parent - body if block > body else 0, group and group - first + 1, flags, guard)
                )
        return found

    def _class(self, scope: Scope) -> Part:
        self._begin(scope.seq, scope.block, 0, 0)
        bases = self._all(scope.bases)
        mentioned = set(self._mentions)
        content = (scope.name, bases, self._keywords(scope), self._all(scope.decorators))
        return Part(content, self._mentions, frozenset({scope.name}), bases=mentioned or {""} if scope.bases else set())

    def _bound(self, scope: Scope, name: str) -> Part:
        bindings = scope.bindings[name]
        self._begin(bindings[0].seq, bindings[0].block, 0, 0)
        content = [self._binding(binding, inline=True) for binding in bindings]
        return Part(content, self._mentions, frozenset({name}), scope.name if scope.kind == "class" else "", bound=True)

    def _begin(self, seq: int, block: int, scope: int, call: int) -> None:
        self._base = (seq, block, scope, call)
        self._mentions = set()

    def _scope(self, scope: Scope, *, outer: bool) -> object:
        seq, block, index, _ = self._base
        self._mentions.update(param.name for param in scope.params)
        return (
            scope.kind,
            scope.name,
            scope.qualname,
            None if outer else (scope.parent - index, scope.seq - seq, scope.block - block, scope.body - block),
            self._all(scope.decorators),
            [
                (p.name, p.kind, p.annotation and self._expr(p.annotation), p.default and self._expr(p.default))
                for p in scope.params
            ],
            scope.annotation and self._expr(scope.annotation),
            self._all(scope.bases),
            self._keywords(scope),
            scope.generator,
            [(name, [self._binding(one) for one in bound]) for name, bound in scope.bindings.items()],
            [(self._expr(r.expr), r.seq - seq, r.block - block) for r in scope.results],
            [(self._expr(r.expr), r.seq - seq, r.block - block) for r in scope.yields],
            [star[2:] for star in scope.stars],
        )

    def _keywords(self, scope: Scope) -> object:
        return [(name, self._expr(expr)) for name, expr in scope.keywords]

    def _binding(self, binding: model.Binding, *, inline: bool = False) -> object:
        seq, block, index, _ = self._base
        kind, a, b = binding.kind, binding.a, binding.b
        if kind in ("def", "class"):
            defined: int = a
            a = self._facts.scopes[defined].qualname if inline else defined - index
        elif kind in ("value", "ann", "iter", "aiter", "enter", "aenter", "narrow"):
            a = a and self._expr(a)
            if kind == "ann":
                b = b and self._expr(b)
        elif kind == "from":
            self._mentions.add(a[1])
        return (kind, _exact(a), _exact(b), 0 if inline else (binding.seq - seq, binding.block - block))

    def _call(self, call: model.Call) -> object:
        seq, block, index, _ = self._base
        return (
            self._expr(call.callee),
            self._all(call.args),
            [(name, self._expr(value)) for name, value in call.keywords],
            (call.scope - index, call.seq - seq, call.block - block, call.flags),
        )

    def _all(self, exprs: Iterable[Expr]) -> list[object]:
        return [self._expr(expr) for expr in exprs]

    def _expr(self, expr: Expr) -> object:
        tag = expr[0]
        if tag == model.NAME:
            self._mentions.add(expr[1])
            return expr
        if tag == model.CONST:
            constant: object = expr[1]
            if isinstance(constant, str):
                self._mentions.update(_WORD.findall(constant))
            return (tag, type(constant).__name__, constant)
        if tag == model.ATTR:
            self._mentions.add(expr[2])
            return (tag, self._expr(expr[1]), expr[2])
        if tag == model.CALL:
            return self._inner_call(expr[1])
        if tag == model.SCOPE:
            return self._inner_scope(expr[1])
        return tuple([self._part(part) for part in expr])

    def _inner_call(self, number: int) -> object:
        """A call in an expression: in a function all calls are listed, elsewhere it is drawn where it stands."""
        call = self._facts.calls[number]
        if self._base[2] and self._home[call.scope] == self._base[2]:
            return ("call", number - self._base[3])
        return (
            "call",
            self._expr(call.callee),
            self._all(call.args),
            [(name, self._expr(value)) for name, value in call.keywords],
            call.flags,
        )

    def _inner_scope(self, number: int) -> object:
        if self._base[2] and self._home[number] == self._base[2]:
            return ("scope", number - self._base[2])
        scope = self._facts.scopes[number]
        # In a module or class: what is bound inside is told by what it is bound to.
        return (
            "scope",
            scope.kind,
            [(p.name, p.default and self._expr(p.default)) for p in scope.params],
            [self._expr(r.expr) for r in scope.results],
            [(name, [self._binding(one, inline=True) for one in bound]) for name, bound in scope.bindings.items()],
        )

    def _part(self, part: Any) -> object:
        """A part of an expression: an expression, several of them, or a plain value."""
        if not isinstance(part, tuple):
            return _exact(part)
        parts: Expr = part  # pyright: ignore[reportUnknownVariableType]
        if not parts:
            return ()
        if isinstance(parts[0], str):
            return self._expr(parts)
        return [self._part(one) for one in parts]


def _given(binding: model.Binding) -> Expr | None:
    """What is assigned, if it is as simple as that."""
    given: Expr | None = {"value": binding.a, "ann": binding.b}.get(binding.kind)
    return given


def _is_plain(expr: Expr | None) -> bool:
    return expr is not None and expr[0] in (model.NAME, model.CONST)


def _exact(value: object) -> object:
    """1, 1.0 and True are equal, and differ."""
    plain: object = value
    return plain if isinstance(value, str | tuple | list) else (type(plain).__name__, plain)


def _homes(facts: Facts) -> list[int]:
    found: list[int] = []
    for index, scope in enumerate(facts.scopes):
        outer = found[scope.parent] if scope.parent >= 0 else -1
        found.append(outer if outer >= 0 else index if scope.kind in FUNCTIONS else -1)
    return found


def _by_home(home: list[int], places: Collection[Call | Event]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for number, place in enumerate(places):
        if home[place.scope] >= 0:
            found.setdefault(home[place.scope], []).append(number)
    return found
