"""What code runs without a call that says so: special methods behind syntax and builtins, and the setters of properties.

``x[0]``, ``a in x``, ``if x:``, ``x + y``, ``len(x)``, ``str(x)``, ``x.name = 1``. ``with`` and ``for`` are in `targets` and `blocking`.
Not followed: comparisons, unary operators, f-strings, slices, and arithmetic with a constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from asgiway_lint.analysis import contexts, decorators, members
from asgiway_lint.analysis.blocking import Site
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.targets import Groups, special
from asgiway_lint.analysis.values import EXT, INSTANCE, NONE, Place, Value, Values
from asgiway_lint.facts import model
from asgiway_lint.facts.model import Call, Event

__all__ = ["EVENTS", "by_call", "by_event"]

# Kind of event -> special methods; the first that a class has is called.
_METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "contains": ("__contains__", "__next__"),
    "del item": ("__delitem__",),
    "item": ("__getitem__",),
    "set item": ("__setitem__",),
    "truth": ("__bool__", "__len__"),
}
EVENTS: Final = frozenset({*_METHODS, "operator", "store"})
_OPERATORS: Final[Mapping[str, str]] = {
    "%": "mod",
    "&": "and",
    "*": "mul",
    "**": "pow",
    "+": "add",
    "-": "sub",
    "/": "truediv",
    "//": "floordiv",
    "<<": "lshift",
    ">>": "rshift",
    "@": "matmul",
    "^": "xor",
    "|": "or",
}
_BUILTINS: Final[Mapping[str, tuple[str, ...]]] = {
    "builtins.bool": ("__bool__", "__len__"),
    "builtins.bytes": ("__bytes__",),
    "builtins.float": ("__float__",),
    "builtins.format": ("__format__", "__str__", "__repr__"),
    "builtins.hash": ("__hash__",),
    "builtins.int": ("__int__",),
    "builtins.len": ("__len__",),
    "builtins.repr": ("__repr__",),
    "builtins.reversed": ("__reversed__",),
    "builtins.str": ("__str__", "__repr__"),
}

_NOTHING: Final[tuple[Site | None, Groups]] = (None, ())


def by_event(evaluator: Evaluator, path: str, event: Event) -> tuple[Site | None, Groups]:
    """What blocks, or which functions of the project run, where syntax calls a special method or sets a property."""
    place = Place(path, event.scope, event.seq, event.block)
    if event.kind == "store":
        return None, _set(evaluator, event, place)
    if event.kind == "operator":
        _, operator, left, right = event.expr
        name = _OPERATORS[operator.rstrip("=")]
        names = (f"__i{name}__", f"__{name}__") if operator[-1] == "=" else (f"__{name}__",)
        found = _of_values(evaluator, evaluator.values(left, place), names)
        return found if found != _NOTHING else _of_values(evaluator, evaluator.values(right, place), (f"__r{name}__",))
    return _of_values(evaluator, evaluator.values(event.expr, place), _METHODS[event.kind])


def by_call(evaluator: Evaluator, path: str, call: Call, values: Values) -> tuple[Site | None, Groups]:
    """The same where a builtin calls a special method of its argument: ``len(x)``, ``list(x)``."""
    if len(call.args) == 0 or call.args[0][0] in (model.CONST, model.STAR):
        return _NOTHING
    names = _BUILTINS.get(values[0][1]) if len(values) == 1 and values[0][0] == EXT else None
    if names is None and not contexts.consumes(call.callee):
        return _NOTHING
    given = evaluator.values(call.args[0], Place(path, call.scope, call.seq, call.block))
    if names is not None:
        return _of_values(evaluator, given, names)
    return _site(evaluator, given, ("__next__",)), ()


def _of_values(evaluator: Evaluator, values: Values, names: tuple[str, ...]) -> tuple[Site | None, Groups]:
    site = _site(evaluator, values, names)
    if site is not None:
        return site, ()
    for name in names:
        groups = special(evaluator, values, (name,))
        if groups:
            return None, groups
    return _NOTHING


def _site(evaluator: Evaluator, values: Values, names: tuple[str, ...]) -> Site | None:
    """The library's special method that blocks, if that is so for all possibilities."""
    first: Site | None = None
    for value in values:
        if value == NONE:
            continue
        site = _of_instance(evaluator, value, names)
        if site is None:
            return None
        first = first or site
    return first


def _of_instance(evaluator: Evaluator, value: Value, names: tuple[str, ...]) -> Site | None:
    if value[0] != INSTANCE or not evaluator.catalogue.concerns(value[1].partition(".")[0]):
        return None
    for name in names:
        entry = evaluator.catalogue.find_method(value[1], name)
        if entry is not None:
            return Site(entry, value[1]) if entry.default else None
    return None


def _set(evaluator: Evaluator, event: Event, place: Place) -> Groups:
    """The setters that ``x.name = value`` runs."""
    _, base, name = event.expr
    groups: Groups = ()
    for value in evaluator.values(base, place):
        if value == NONE:
            continue
        found = members.setter_function(evaluator, value, name)
        if found is None or decorators.kind(evaluator, *found) != decorators.SETTER:
            return ()
        groups = (*groups, ((*found, ()),))
    return groups
