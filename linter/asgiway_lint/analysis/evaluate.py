"""What an expression may be at a place in the code: the evaluator, its memory and its limits.

`Evaluator.values` is the only way in; names, annotations, attributes and calls each have a module of their own that calls back.
Whatever it cannot follow it leaves out: the empty answer means unknown, and nobody is accused on its ground.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from asgiway_lint.analysis import calls, declared, members, names
from asgiway_lint.analysis.reach import END
from asgiway_lint.analysis.values import (
    AWAITABLE,
    CLASS,
    EXT,
    INSTANCE,
    ITEMS,
    MANAGER,
    MAPPING,
    NONE,
    NOTHING,
    OBJECT,
    TEXT,
    TUPLE,
    Place,
    Value,
    Values,
    keys_of,
    union,
)
from asgiway_lint.catalogue import Catalogue
from asgiway_lint.facts import Facts, model
from asgiway_lint.facts.model import Binding, Call, Expr, new_tuple
from asgiway_lint.project.modules import ModuleFinder
from asgiway_lint.project.store import Store

__all__ = ["Evaluator"]

T = TypeVar("T")

# A question that leads further than this is not answered. Real code needs about a tenth of either.
_MAX_DEPTH: Final = 60
_MAX_STEPS: Final = 4000
_MISSING: Final = object()


class Evaluator:
    """Answers what expressions may be, for one run over one project.

    Args:
        store: the facts of the project's files.
        finder: what imports mean.
        catalogue: what is known of libraries.
    """

    def __init__(self, store: Store, finder: ModuleFinder, catalogue: Catalogue) -> None:
        self._store = store
        self._read = store.known()
        self.kept: bool = store.cached
        """Whether somebody keeps what has been asked."""
        self.finder = finder
        self.catalogue = catalogue
        # What files have asked each other, in order of time: whoever keeps the results (`analysis.warm`) needs to know.
        self.current: str = ""
        """The file on whose behalf questions are asked at the moment."""
        self.asked: dict[tuple[str, Value, str], None] = {}
        """The file that a question is about, the question (`analysis.asked`), the file that asks."""
        self.unsure: set[tuple[object, ...]] = set()
        """Keys of answers that were cut short and not kept: they depend on who asks."""
        self._memory: dict[tuple[object, ...], Values] = {}
        self._tables: dict[tuple[object, ...], Any] = {}
        self._outside: dict[tuple[str, int, str], Values] = {}
        self._pending: set[tuple[object, ...]] = set()
        self._depth = 0
        self._steps = 0
        self._cuts = 0

    def facts(self, path: str) -> Facts | None:
        """The facts of a file of the project; None if it cannot be read."""
        known = self._read.get(path)
        if type(known) is Facts:  # asked for by the million
            return known
        return self._store.facts(path)

    def values(self, expr: Expr, place: Place) -> Values:
        """What `expr` may be at `place`; empty if unknown."""
        depth = self._depth
        if depth == 0:
            self._steps = 0
        if depth >= _MAX_DEPTH or self._steps >= _MAX_STEPS:
            self._cuts += 1
            return NOTHING
        self._depth = depth + 1
        self._steps += 1
        try:
            return self._evaluate(expr, place)
        finally:
            self._depth = depth

    def outside(self, name: str, path: str, scope: int) -> Values:
        """What `name` may be for code that runs after everything in a scope."""
        key = (path, scope, name)
        known = self._outside.get(key)
        if known is None:
            cuts = self._cuts
            known = names.lookup(self, name, self.end_of(path, scope), within=False)
            if cuts == self._cuts:
                self._outside[key] = known
        return known

    def once(self, key: tuple[object, ...], compute: Callable[[], Values]) -> Values:
        """The answer to a question that depends on nothing but its key, a kind and a file first; one that leads to itself has none.

        An answer that was cut short depends on what was asked around it. It is kept only if nothing was, so that the answers
        do not depend on the order of the questions.
        """
        known = self._memory.get(key)
        if known is not None:
            return known
        if key in self._pending or self._depth >= _MAX_DEPTH:
            self._cuts += 1
            return NOTHING
        outermost = not self._pending
        cuts = self._cuts
        self._pending.add(key)
        self._depth += 1
        asker, self.current = self.current, str(key[1])
        try:
            found = compute()
        finally:
            self.current = asker
            self._depth -= 1
            self._pending.discard(key)
        if cuts == self._cuts or (outermost and self._depth == 0):
            self._memory[key] = found
        else:
            self.unsure.add(key)
        return found

    def ask(self, path: str, question: Value) -> None:
        """Remember that the present file rests on the answer to a question about the file `path`."""
        if path != self.current and self.kept:
            self.asked[path, question, self.current] = None

    def table(self, key: tuple[object, ...], compute: Callable[[], T]) -> T:
        """A table that is made once per run and depends on facts alone; its key names a kind, and the file that it is about."""
        found = self._tables.get(key, _MISSING)
        if found is _MISSING:
            asker = self.current
            if len(key) > 1 and isinstance(key[1], str):
                self.current = key[1]
            try:
                found = self._tables[key] = compute()
            finally:
                self.current = asker
        made: T = found
        return made

    def tables(self) -> Mapping[tuple[object, ...], Any]:
        """The tables that have been made so far, in order of time."""
        return self._tables

    # ---- expressions

    def _evaluate(self, expr: Expr, place: Place) -> Values:
        tag: str = expr[0]
        if tag == model.NAME:
            return names.lookup(self, expr[1], place)
        if tag == model.ATTR:
            return union([members.attribute(self, value, expr[2]) for value in self.values(expr[1], place)])
        if tag == model.CALL:
            return self.call_values(place.path, expr[1])
        if tag == model.CONST:
            return ((TEXT, expr[1]),) if isinstance(expr[1], str) else (NONE,) if expr[1] is None else NOTHING
        if tag == model.AWAIT:
            return union([self.awaited(value) for value in self.values(expr[1], place)])
        if tag == model.ANY:
            return union([self.values(part, place) for part in expr[1]])
        if tag == model.ITEM:
            return declared.item(self, expr, place)
        if tag == model.BINARY:
            return self._binary(expr, place)
        if tag == model.SEQ:
            return self._sequence(expr, place)
        if tag == model.MAP:
            # Of keys that are not written out: those are texts, nearly always, and many.
            keys = () if any(key is None or key[0] == model.CONST for key in expr[1]) else expr[1]
            found = union([self.values(value, place) for value in expr[2]])
            return ((MAPPING, found, union([self.values(key, place) for key in keys])),)
        if tag == model.SCOPE:
            return self._scope(expr[1], place)
        return NOTHING

    def call_values(self, path: str, index: int) -> Values:
        """What a recorded call may return."""
        key = ("call", path, index)
        known = self._memory.get(key)
        return known if known is not None else self.once(key, lambda: calls.results(self, path, self.call(path, index)))

    def call(self, path: str, index: int) -> Call:
        """A recorded call."""
        facts = self.facts(path)
        assert facts is not None  # its index came out of these facts
        return facts.calls[index]

    def callee(self, path: str, call: Call) -> Values:
        """What a recorded call may call."""
        return self.values(call.callee, new_tuple(Place, (path, call.scope, call.seq, call.block)))

    def _binary(self, expr: Expr, place: Place) -> Values:
        _, operator, left, right = expr
        if operator == "|":
            return declared.alternatives(self, expr, place)
        if operator != "/":
            return NOTHING
        # Only operands that are objects of known classes: `p / "a"`.
        for operand, method in ((left, "__truediv__"), (right, "__rtruediv__")):
            found = union([calls.method_result(self, value, method) for value in self.values(operand, place)])
            if found:
                return found
        return NOTHING

    def _sequence(self, expr: Expr, place: Place) -> Values:
        _, kind, elements = expr
        if kind == "tuple" and not any(element[0] == model.STAR for element in elements):
            return ((TUPLE, tuple([self.values(element, place) for element in elements])),)
        parts: list[Values] = []
        for element in elements:
            if element[0] == model.STAR:
                parts.append(union([self.items(value) for value in self.values(element[1], place)]))
            else:
                parts.append(self.values(element, place))
        return ((ITEMS, union(parts)),)

    def _scope(self, index: int, place: Place) -> Values:
        facts = self.facts(place.path)
        assert facts is not None
        scope = facts.scopes[index]
        if scope.kind == "lambda":
            return (("function", place.path, index),)
        found = [self.values(each.expr, Place(place.path, index, each.seq, each.block)) for each in scope.results]
        return ((ITEMS, *found),) if len(found) == 1 else ((MAPPING, *found),)

    # ---- what happens to values

    def awaited(self, value: Value) -> Values:
        """What awaiting `value` gives."""
        return value[1] if value[0] == AWAITABLE else NOTHING

    def items(self, value: Value) -> Values:
        """What iterating over `value` gives."""
        kind: str = value[0]
        if kind == ITEMS:
            found: Values = value[1]
            return found
        if kind == MAPPING:
            return keys_of(value)
        if kind == TUPLE:
            return union(value[1])
        if kind in (INSTANCE, OBJECT):
            return calls.method_result(self, value, "__iter__", items=True)
        return NOTHING

    def entered(self, value: Value, *, asynchronous: bool = False) -> Values:
        """What ``with value as x`` binds to x."""
        kind: str = value[0]
        if kind == MANAGER:
            found: Values = value[1]
            return found
        if kind == INSTANCE:
            if asynchronous:
                return (value,)
            target = self.catalogue.enter_type(value[1])
            return ((INSTANCE, target),) if target else (value,)
        if kind == OBJECT:
            method = "__aenter__" if asynchronous else "__enter__"
            results = calls.method_result(self, value, method)
            if asynchronous:
                results = union([self.awaited(result) for result in results])
            # A __enter__ that is not ours to see (a library's base) nearly always returns the object.
            return results or (value,)
        return NOTHING

    def binding(self, path: str, scope: int, binding: Binding) -> Values:
        """What one binding gives a name."""
        key = ("binding", path, scope, binding.seq)
        known = self._memory.get(key)
        return known if known is not None else self.once(key, lambda: self._bound(path, scope, binding))

    def _bound(self, path: str, scope: int, binding: Binding) -> Values:
        seq, block, kind, a, b = binding
        place: Place = new_tuple(Place, (path, scope, seq, block))
        if kind == "value":
            return self._picked(self.values(a, place), b)
        if kind == "ann":
            stated = declared.instances(self, a, place)
            given = self.values(b, place) if b is not None and declared.may_be_refined(stated) else NOTHING
            return declared.refined(self, stated, given) if stated else given
        if kind in ("iter", "aiter"):
            return self._picked(union([self.items(value) for value in self.values(a, place)]), b)
        if kind in ("enter", "aenter"):
            entered = [self.entered(value, asynchronous=kind == "aenter") for value in self.values(a, place)]
            return self._picked(union(entered), b)
        if kind == "import":
            return names.imported(self, path, a, whole=b)
        if kind == "from":
            return names.imported_from(self, path, a[0], a[1], b)
        if kind == "def":
            return (("function", path, a),)
        if kind == "class":
            return ((CLASS, path, a),)
        if kind == "param":
            return names.parameter(self, path, scope, a)
        if kind == "narrow":
            return declared.instances(self, a, place)
        return NOTHING

    def _picked(self, values: Values, path: tuple[int, ...]) -> Values:
        """The part of a value that a target at `path` in a tuple of targets gets."""
        for position in path:
            parts: list[Values] = []
            for value in values:
                if value[0] == TUPLE:
                    parts.append(value[1][position] if position < len(value[1]) else NOTHING)
                else:
                    parts.append(self.items(value))
            values = union(parts)
        return values

    # ---- small helpers for the departments

    def end_of(self, path: str, scope: int) -> Place:
        """The place behind everything in a scope: where code that runs later looks names up."""
        facts = self.facts(path)
        assert facts is not None
        return Place(path, scope, END, facts.scopes[scope].body)

    def dotted(self, path: str, scope: int) -> str:
        """The dotted name of a function or class of the project, as its settings would name it."""
        facts = self.facts(path)
        assert facts is not None
        return f"{self.finder.dotted(path)}.{facts.scopes[scope].qualname}"

    def names_of(self, values: Values) -> tuple[str, ...]:
        """The dotted names among `values` that are external."""
        return tuple([value[1] for value in values if value[0] == EXT])
