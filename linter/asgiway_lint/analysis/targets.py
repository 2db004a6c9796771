"""Which synchronous functions of the project a call, a ``with``, a ``for`` or the read of an attribute runs.

Only what is certain: a function under a decorator that is not understood, a coroutine, or one possibility among several that is
no function of the project, and the answer is that nothing is known to run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from asgiway_lint.analysis import contexts, decorators, members, names
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.guards import Known, known_parameters, plain
from asgiway_lint.analysis.values import (
    AWAITABLE,
    BOUND,
    CLASS,
    EXT,
    FUNCTION,
    NONE,
    OBJECT,
    PARTIAL,
    Place,
    Value,
    Values,
    union,
)
from asgiway_lint.facts import model
from asgiway_lint.facts.model import AWAITED, Call, Event, Expr, Facts, Scope

__all__ = [
    "Function",
    "Groups",
    "gives_awaitable",
    "has_metaclass",
    "plain_groups",
    "run_by_call",
    "run_by_event",
    "run_by_values",
    "special",
]

Function = tuple[str, int, Known]
"""A function of the project: its file, its scope, and what its caller fixes of its parameters."""

Groups = tuple[tuple[Function, ...], ...]
"""For each possibility the functions that run then; all possibilities have to block before anybody is accused."""

_NOTHING: Final[Groups] = ()
_NO_METACLASS: Final = frozenset({"abc.ABCMeta"})
_ITERATES: Final = frozenset({"enumerate", "zip", "reversed", "iter", "filter", "map"})


def plain_groups(groups: Groups) -> Groups:
    """The same functions, whatever is given for their parameters."""
    return tuple([tuple([(path, index, plain(known)) for path, index, known in group]) for group in groups])


def run_by_call(
    evaluator: Evaluator,
    path: str,
    facts: Facts,
    call: Call,
    values: Values,
    caller: Known = (),
    *,
    whatever: bool = False,
) -> Groups:
    """What a call runs.

    Args:
        evaluator: the run's evaluator.
        path: the file of the call.
        facts: its facts.
        call: the call.
        values: what it may call.
        caller: what is known of the parameters of the function around it.
        whatever: what it runs whatever its arguments are (`guards.PLAIN`).
    """
    if call.args and contexts.consumes(call.callee):
        consumed = _iterated(evaluator, facts, call.args[0], Place(path, call.scope, call.seq, call.block))
        if consumed:
            return plain_groups(consumed) if whatever else consumed
    if call.callee[0] == model.SCOPE:
        return _NOTHING  # a lambda that is called where it stands counts as a part of the body around it
    groups = run_by_values(evaluator, values, path, call, caller, whatever=whatever)
    if groups and call.flags & AWAITED and not gives_awaitable(evaluator, path, call):
        return _NOTHING  # the coroutine knows better than our types
    return groups


def run_by_values(
    evaluator: Evaluator,
    values: Values,
    path: str = "",
    call: Call | None = None,
    caller: Known = (),
    *,
    whatever: bool = False,
) -> Groups:
    """What calling one of some values runs; without a `call`, in the file `path`, nothing is known of the arguments."""
    groups: list[tuple[Function, ...]] = []
    for value in values:
        if value == NONE:
            continue
        found = tuple(
            [
                _variant(evaluator, function, value, path, call, caller, whatever=whatever)
                for function in _run_by(evaluator, value)
            ]
        )
        if not found:
            return _NOTHING
        groups.append(found)
    return tuple(groups)


def run_by_event(evaluator: Evaluator, path: str, facts: Facts, event: Event) -> Groups:
    """What a ``with``, a ``for`` or the read of an attribute runs."""
    place = Place(path, event.scope, event.seq, event.block)
    if event.kind == "load":
        return _loaded(evaluator, event.expr, place)
    if event.kind == "iter":
        return _iterated(evaluator, facts, event.expr, place)
    if event.kind == "enter":
        return _entered(evaluator, event.expr, place)
    return _NOTHING


def _variant(
    evaluator: Evaluator,
    function: Function,
    value: Value,
    at: str,
    call: Call | None,
    caller: Known,
    *,
    whatever: bool = False,
) -> Function:
    path, index, known = function
    if call is None or value[0] == PARTIAL:
        return (path, index, plain(known)) if whatever else function
    bound = value[0] != FUNCTION
    return path, index, known_parameters(evaluator, path, index, at, call, caller, bound=bound, whatever=whatever)


def _run_by(evaluator: Evaluator, value: Value) -> Iterator[Function]:
    kind: str = value[0]
    if kind in (FUNCTION, BOUND):
        function: Function = (value[1], value[2], ())
        scope = _scope(evaluator, function)
        if scope is None or scope.generator or decorators.kind(evaluator, *function[:2]) != decorators.PLAIN:
            return
        if evaluator.catalogue.customised and evaluator.catalogue.custom_entry(evaluator.dotted(*function[:2]))[0]:
            return  # the settings have the last word on it
        yield function
    elif kind == CLASS:
        yield from _constructors(evaluator, value[1], value[2])
    elif kind == OBJECT:
        yield from _methods(evaluator, value, "__call__")
    elif kind == PARTIAL and len(value[1]) == 1:
        yield from _run_by(evaluator, value[1][0])


def _scope(evaluator: Evaluator, function: Function) -> Scope | None:
    """The scope of a function that runs where it is called; None for coroutines."""
    facts = evaluator.facts(function[0])
    if facts is None:
        return None
    scope = facts.scopes[function[1]]
    return scope if scope.kind in ("def", "lambda") else None


def _constructors(evaluator: Evaluator, path: str, index: int) -> Iterator[Function]:
    for base in members.bases(evaluator, path, index):
        if base[0] == EXT and base[1].partition(".")[0] == "enum":
            return  # calling it is a look-up
        if base[0] == CLASS and has_metaclass(evaluator, base):
            return
    for name in ("__new__", "__init__", "__post_init__"):
        yield from _methods(evaluator, (CLASS, path, index), name)


def has_metaclass(evaluator: Evaluator, owner: Value) -> bool:
    """Whether a class of the project names a metaclass that may do anything when the class is called."""
    evaluator.ask(owner[1], ("metaclass", owner))
    scope = members.class_scope(evaluator, owner)
    if scope is None:
        return False
    place = Place(owner[1], scope.parent, scope.seq, scope.block)
    given = [evaluator.names_of(evaluator.values(expr, place)) for name, expr in scope.keywords if name == "metaclass"]
    return not all(_NO_METACLASS.issuperset(found or ("?",)) for found in given)


def _methods(evaluator: Evaluator, value: Value, name: str) -> Iterator[Function]:
    """The special method of a class of the project, unless a library's class comes before it."""
    for base in members.bases(evaluator, value[1], value[2]):
        if base[0] != CLASS:
            return
        found = members.stated(evaluator, base, name)
        if found is None:
            continue
        last = found[-1]
        if last.kind == "def":
            function: Function = (base[1], last.a, ())
            scope = _scope(evaluator, function)
            if scope is not None and decorators.kind(evaluator, *function[:2]) == decorators.PLAIN:
                yield function
        return


def gives_awaitable(evaluator: Evaluator, path: str, call: Call) -> bool:
    """Whether the result of a call of the project's functions is known to be something to await."""
    from asgiway_lint.analysis import calls

    return any(value[0] == AWAITABLE for value in calls.results(evaluator, path, call))


def _loaded(evaluator: Evaluator, expr: Expr, place: Place) -> Groups:
    """The properties that reading ``a.b.c`` runs: those of the first step that is one."""
    if names.is_fixed(evaluator, expr, place):  # `self.x` is read again and again
        return evaluator.table(("loaded", place.path, place.scope, expr), lambda: _properties(evaluator, expr, place))
    return _properties(evaluator, expr, place)


def _properties(evaluator: Evaluator, expr: Expr, place: Place) -> Groups:
    steps: list[Expr] = []
    while expr[0] == model.ATTR:
        steps.append(expr)
        expr = expr[1]
    values = evaluator.values(expr, place)
    for step in reversed(steps):
        if not values:
            break  # nothing is known of it, nor of its attributes
        groups: list[tuple[Function, ...]] = []
        for value in values:
            found = members.property_function(evaluator, value, step[2])
            if found is not None and decorators.kind(evaluator, *found) == decorators.PROPERTY:
                groups.append(((*found, ()),))
            elif value != NONE:
                groups.clear()
                break
        if groups:
            return tuple(groups)
        if step is not steps[0]:
            values = union([members.attribute(evaluator, value, step[2]) for value in values])
    return _NOTHING


def _iterated(evaluator: Evaluator, facts: Facts, expr: Expr, place: Place) -> Groups:
    """The generators that iterating over something runs."""
    if expr[0] == model.NAME:
        bindings = facts.scopes[place.scope].bindings.get(expr[1], ())
        if len(bindings) != 1 or bindings[0].kind != "value" or bindings[0].b != () or bindings[0].a[0] != model.CALL:
            return _iterated_object(evaluator, expr, place)
        expr = bindings[0].a
    if expr[0] != model.CALL:
        return _iterated_object(evaluator, expr, place)
    call = evaluator.call(place.path, expr[1])
    if call.callee[0] == model.NAME and call.callee[1] in _ITERATES and call.args:
        return _iterated(evaluator, facts, call.args[0], Place(place.path, call.scope, call.seq, call.block))
    groups: list[tuple[Function, ...]] = []
    for value in evaluator.callee(place.path, call):
        if value[0] not in (FUNCTION, BOUND):
            return _iterated_object(evaluator, expr, place)
        function: Function = (value[1], value[2], ())
        scope = _scope(evaluator, function)
        if scope is None or not scope.generator or decorators.kind(evaluator, *function[:2]) != decorators.PLAIN:
            return _iterated_object(evaluator, expr, place)
        groups.append((_variant(evaluator, function, value, place.path, call, ()),))
    return tuple(groups)


def _iterated_object(evaluator: Evaluator, expr: Expr, place: Place) -> Groups:
    return special(evaluator, evaluator.values(expr, place), ("__iter__", "__next__"))


def _entered(evaluator: Evaluator, expr: Expr, place: Place) -> Groups:
    """What entering and leaving a ``with`` runs."""
    if expr[0] == model.CALL:
        groups: list[tuple[Function, ...]] = []
        call = evaluator.call(place.path, expr[1])
        for value in evaluator.callee(place.path, call):
            function: Function | None = (value[1], value[2], ()) if value[0] in (FUNCTION, BOUND) else None
            if function is None or decorators.kind(evaluator, *function[:2]) != decorators.MANAGER:
                groups.clear()
                break
            groups.append((_variant(evaluator, function, value, place.path, call, ()),))
        if groups:
            return tuple(groups)
    return special(evaluator, evaluator.values(expr, place), ("__enter__", "__exit__"))


def special(evaluator: Evaluator, values: Values, names: tuple[str, ...]) -> Groups:
    """The special methods with some names that objects of the project have."""
    groups: list[tuple[Function, ...]] = []
    for value in values:
        if value == NONE:
            continue
        found = (
            tuple([function for name in names for function in _methods(evaluator, value, name)])
            if value[0] == OBJECT
            else ()
        )
        if not found:
            return _NOTHING
        groups.append(found)
    return tuple(groups)
