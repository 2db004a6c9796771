"""Functions that are handed to somebody who calls them at once: ``retry(3, load)`` of the project, ``sorted(key=load)`` of Python.

Which parameters a function of the project calls (or hands on) is read off its facts; what a caller gives for them becomes a part of
what is known of the function's parameters (`guards.Known`), so that each caller is accused of its own callback alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from asgiway_lint.analysis import blocking, contexts, members
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.values import (
    BOUND,
    CLASS,
    EXT,
    FUNCTION,
    METHOD,
    NONE,
    NOTHING,
    OBJECT,
    PARTIAL,
    Place,
    Value,
    Values,
)
from asgiway_lint.facts import Facts, model
from asgiway_lint.facts.model import Call, Expr, Scope

__all__ = ["applied", "callables", "called_parameters", "calls_parameters", "is_constant", "mapped"]

# Functions of the standard library that call an argument before they return: its position (-1: by keyword only) and name.
_APPLY: Final[Mapping[str, tuple[int, str]]] = {
    "builtins.max": (-1, "key"),
    "builtins.min": (-1, "key"),
    "builtins.sorted": (-1, "key"),
    "functools.reduce": (0, ""),
    "re.sub": (1, "repl"),
}
_SORT: Final = "sort"
# Their results call the first argument for each item.
_LAZY: Final = frozenset({"filter", "map"})
_FOLLOWED: Final = frozenset({model.NAME, model.ATTR, model.CALL, model.SCOPE, model.ANY})


def is_constant(scope: Scope, name: str) -> bool:
    """Whether a name is a parameter that is never assigned to."""
    bindings = scope.bindings.get(name, ())
    return len(bindings) == 1 and bindings[0].kind == "param"


def calls_parameters(facts: Facts) -> dict[int, frozenset[str]]:
    """For each function the parameters that it calls, or hands to somebody who may."""
    found: dict[int, set[str]] = {}
    for call in facts.calls:
        if call.callee[0] == model.NAME:
            _add(facts, found, call.scope, call.callee[1])
        for given in (*call.args, *[value for _, value in call.keywords]):
            if given[0] == model.NAME:
                _add(facts, found, call.scope, given[1])
    return {index: frozenset(names) for index, names in found.items()}


def _add(facts: Facts, found: dict[int, set[str]], index: int, name: str) -> None:
    while facts.scopes[index].kind in ("comp", "gen") and name not in facts.scopes[index].bindings:
        index = facts.scopes[index].parent
    if facts.scopes[index].kind in ("def", "lambda") and is_constant(facts.scopes[index], name):
        found.setdefault(index, set()).add(name)


def called_parameters(facts: Facts) -> frozenset[int]:
    """The functions that call a parameter themselves, or have code inside that does."""
    found: set[int] = set()
    for call in facts.calls:
        if call.callee[0] != model.NAME:
            continue
        name, index = call.callee[1], call.scope
        while index >= 0 and name not in facts.scopes[index].bindings:
            index = facts.scopes[index].parent
        if index >= 0 and is_constant(facts.scopes[index], name):
            found.add(index)
    return frozenset(found)


def callables(evaluator: Evaluator, expr: Expr, place: Place) -> Values:
    """What an argument is, if it is something that may block when it is called; nothing otherwise."""
    if expr[0] not in _FOLLOWED:
        return NOTHING
    values = tuple([value for value in evaluator.values(expr, place) if value != NONE])
    return values if all(_may_block(evaluator, value) for value in values) else NOTHING


def _may_block(evaluator: Evaluator, value: Value) -> bool:
    kind: str = value[0]
    if kind in (FUNCTION, BOUND):
        facts = evaluator.facts(value[1])
        index: int = value[2]
        return facts is not None and facts.scopes[index].kind in ("def", "lambda")
    if kind in (EXT, METHOD):
        if kind == METHOD and evaluator.catalogue.silenced_by(value[1]):
            return False  # whether the object was made harmless cannot be seen from where it is called
        return blocking.entry_of(evaluator, value) is not None
    if kind == OBJECT:
        return members.find_function(evaluator, value[1], value[2], "__call__") is not None
    if kind == PARTIAL:
        return bool(value[1]) and all(_may_block(evaluator, inner) for inner in value[1])
    return bool(kind == CLASS)


def applied(evaluator: Evaluator, path: str, call: Call, values: Values) -> Values:
    """The functions that a call of Python's own functions calls at once: the key of ``sorted``, what ``list(map(f, x))`` maps.

    Args:
        evaluator: the run's evaluator.
        path: the file of the call.
        call: the call.
        values: what it may call.
    """
    place = Place(path, call.scope, call.seq, call.block)
    if call.args and call.args[0][0] == model.CALL and contexts.consumes(call.callee):
        found = mapped(evaluator, call.args[0], place)
        if found:
            return found
    if len(values) == 1 and values[0][0] == EXT and values[0][1] in _APPLY:
        position, keyword = _APPLY[values[0][1]]
        given = _given(call, position, keyword)
        if given is not None:
            return callables(evaluator, given, place)
    elif call.callee[0] == model.ATTR and call.callee[2] == _SORT:
        given = _given(call, -1, "key")
        if given is not None:
            return callables(evaluator, given, place)
    return NOTHING


def mapped(evaluator: Evaluator, expr: Expr, place: Place) -> Values:
    """The function that iterating over ``map(f, x)`` or ``filter(f, x)`` calls."""
    if expr[0] != model.CALL:
        return NOTHING
    call = evaluator.call(place.path, expr[1])
    if call.callee[0] != model.NAME or call.callee[1] not in _LAZY or not call.args:
        return NOTHING
    if evaluator.callee(place.path, call) != ((EXT, f"builtins.{call.callee[1]}"),):
        return NOTHING
    return callables(evaluator, call.args[0], Place(place.path, call.scope, call.seq, call.block))


def _given(call: Call, position: int, keyword: str) -> Expr | None:
    for name, value in call.keywords:
        if name == keyword and keyword:
            return value
    if 0 <= position < len(call.args) and all(arg[0] != model.STAR for arg in call.args[: position + 1]):
        return call.args[position]
    return None
