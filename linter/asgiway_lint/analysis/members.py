"""What an attribute of a value may be: modules, classes and their bases, objects, library types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asgiway_lint.analysis import calls, declared, names
from asgiway_lint.analysis.reach import END, reaching
from asgiway_lint.analysis.values import (
    AWAITABLE,
    BOUND,
    CLASS,
    CONTAINED,
    EXT,
    FUNCTION,
    INSTANCE,
    ITEMS,
    MAPPING,
    METHOD,
    MODULE,
    NOTHING,
    OBJECT,
    SUPER,
    TUPLE,
    TYPES,
    Place,
    Value,
    Values,
    union,
)
from asgiway_lint.facts import model
from asgiway_lint.facts.model import Binding, Scope
from asgiway_lint.project.modules import Module

if TYPE_CHECKING:
    from asgiway_lint.analysis.evaluate import Evaluator

__all__ = [
    "PROPERTIES",
    "assigned",
    "attribute",
    "bases",
    "class_scope",
    "find_function",
    "own_member",
    "property_function",
    "setter_function",
    "stated",
]

_MAX_BASES: Final = 40
PROPERTIES: Final = frozenset(
    {
        "builtins.property",
        "functools.cached_property",
        "django.utils.functional.cached_property",
        "werkzeug.utils.cached_property",
    }
)
_SKIPPED_BASES: Final = frozenset({"builtins.object", "typing.Generic", "typing.Protocol", "abc.ABC"})


def attribute(evaluator: Evaluator, value: Value, name: str) -> Values:
    """What ``value.name`` may be."""
    kind: str = value[0]
    if kind == EXT:
        return _of_external(evaluator, value[1], name)
    if kind == MODULE:
        return names.member(evaluator, Module(value[1], value[2]), name)
    if kind == INSTANCE:
        return _of_instance(evaluator, value[1], name)
    if kind in (OBJECT, CLASS, SUPER):
        evaluator.ask(value[1], ("attribute", value, name))
        return evaluator.once(("attribute", value[1], value, name), lambda: _of_class(evaluator, value, name))
    if kind in (AWAITABLE, ITEMS, MAPPING, TUPLE):
        return ((CONTAINED, value, name),)
    if kind == TYPES:  # an alias of a generic class: X[int].create
        classes = [
            (EXT, v[1]) if v[0] == INSTANCE else (CLASS, v[1], v[2]) for v in value[1] if v[0] in (INSTANCE, OBJECT)
        ]
        return union([attribute(evaluator, one, name) for one in classes])
    return NOTHING


def _of_external(evaluator: Evaluator, dotted: str, name: str) -> Values:
    catalogue = evaluator.catalogue
    if catalogue.known_package(dotted.partition(".")[0]):
        found = catalogue.attribute_type(dotted, name)
        if found is not None:
            return ((INSTANCE, found),)
    return ((EXT, f"{dotted}.{name}"),)


def _of_instance(evaluator: Evaluator, dotted: str, name: str) -> Values:
    found = evaluator.catalogue.attribute_type(dotted, name)
    if found is not None:
        return ((INSTANCE, found),)
    return ((METHOD, dotted, name),)


def bases(evaluator: Evaluator, path: str, index: int) -> tuple[Value, ...]:
    """The class and its bases, nearest first, depth first; library classes among them end their branch."""
    evaluator.ask(path, ("bases", (CLASS, path, index)))
    return evaluator.once(("bases", path, index), lambda: _bases(evaluator, path, index))


def _bases(evaluator: Evaluator, path: str, index: int) -> Values:
    found: dict[Value, None] = {}
    pending: list[Value] = [(CLASS, path, index)]
    while pending and len(found) < _MAX_BASES:
        value = pending.pop(0)
        if value in found:
            continue
        found[value] = None
        if value[0] != CLASS:
            continue
        evaluator.ask(value[1], ("bases", value))
        facts = evaluator.facts(value[1])
        if facts is None:
            continue
        owner: int = value[2]
        scope = facts.scopes[owner]
        place = Place(value[1], scope.parent, scope.seq, scope.block)
        mine: list[Value] = []
        for base in scope.bases:
            for candidate in evaluator.values(base, place):
                if candidate[0] == TYPES:
                    mine += [
                        (EXT, v[1]) if v[0] == INSTANCE else (CLASS, v[1], v[2])
                        for v in candidate[1]
                        if v[0] in (INSTANCE, OBJECT)
                    ]
                elif candidate[0] == CLASS or (candidate[0] == EXT and candidate[1] not in _SKIPPED_BASES):
                    mine.append(candidate)
        pending = mine + pending
    return tuple(found)


def find_function(evaluator: Evaluator, path: str, index: int, name: str) -> tuple[str, int] | None:
    """Where the method `name` of a class is defined: file and scope; None if in no class of the project."""
    for base in bases(evaluator, path, index):
        if base[0] != CLASS:
            continue
        found = stated(evaluator, base, name)
        if found is not None:
            return (base[1], found[-1].a) if found[-1].kind == "def" else None
    return None


def property_function(evaluator: Evaluator, value: Value, name: str) -> tuple[str, int] | None:
    """The function behind the property `name` of an object of the project: file and scope; None if it is no property."""
    if value[0] not in (OBJECT, SUPER):
        return None
    chain = bases(evaluator, value[1], value[2])
    for base in chain[1:] if value[0] == SUPER else chain:
        found = stated(evaluator, base, name)
        if found is None:
            continue
        # The setter of the same name comes after it.
        return (base[1], found[0].a) if all(binding.kind == "def" for binding in found) else None
    return None


def setter_function(evaluator: Evaluator, value: Value, name: str) -> tuple[str, int] | None:
    """The function that setting the property `name` of an object of the project calls: file and scope, or None."""
    if value[0] != OBJECT:
        return None
    for base in bases(evaluator, value[1], value[2]):
        for binding in stated(evaluator, base, name) or ():
            facts = evaluator.facts(base[1])
            if binding.kind == "def" and facts is not None:
                function: int = binding.a
                decorators = facts.scopes[function].decorators
                if any(decorator[0] == model.ATTR and decorator[2] == "setter" for decorator in decorators):
                    return base[1], function
    return None


def class_scope(evaluator: Evaluator, value: Value) -> Scope | None:
    """The scope of a class of the project; None for other values."""
    facts = evaluator.facts(value[1]) if value[0] == CLASS else None
    index: int = value[2] if facts is not None else 0
    return facts.scopes[index] if facts is not None else None


def stated(evaluator: Evaluator, value: Value, name: str) -> tuple[Binding, ...] | None:
    """What the body of a class of the project binds a name to; None if it does not, and for other values."""
    owner = class_scope(evaluator, value)
    if owner is None:
        return None
    evaluator.ask(value[1], ("stated", value, name))
    return owner.bindings.get(name)


def _of_class(evaluator: Evaluator, value: Value, name: str) -> Values:
    kind, path, index = value
    chain = bases(evaluator, path, index)
    if kind == SUPER:
        chain = chain[1:]
    external: Values = NOTHING
    for base in chain:
        if base[0] == EXT:
            if not external:
                external = _inherited(evaluator, base[1], name, of_class=kind == CLASS)
            continue
        found = own_member(evaluator, base, name, kind)
        if found is not None:
            return found
    return external


def _inherited(evaluator: Evaluator, dotted: str, name: str, *, of_class: bool) -> Values:
    """What a project's class has from a library's."""
    catalogue = evaluator.catalogue
    found = catalogue.attribute_type(dotted, name)
    if found is not None:
        return ((INSTANCE, found),)
    if catalogue.find_method(dotted, name) is None and catalogue.result_type(f"{dotted}.{name}") is None:
        return NOTHING
    return ((EXT, f"{dotted}.{name}"),) if of_class else ((METHOD, dotted, name),)


def own_member(evaluator: Evaluator, owner: Value, name: str, kind: str) -> Values | None:
    """What one class says of `name`, for an object of it or for itself; None if it says nothing, so that its bases are asked."""
    path: str = owner[1]
    index: int = owner[2]
    evaluator.ask(path, ("own", owner, name, kind))
    facts = evaluator.facts(path)
    if facts is None:
        return None
    scope = facts.scopes[index]
    parts: list[Values] = []
    own = scope.bindings.get(name)
    if own is not None:
        for binding in reaching(facts.blocks, own, END, scope.body):
            if binding.kind == "def":
                parts.append(_method(evaluator, path, index, binding.a, kind))
            elif binding.kind == "ann" and binding.b is not None:
                parts.append(_field(evaluator, path, index, binding))
            else:
                parts.append(evaluator.binding(path, index, binding))
    if kind != CLASS:
        for method, binding in assigned(evaluator, path, index).get(name, ()):
            own = own or (binding,)
            parts.append(evaluator.binding(path, method, binding))
    if own is None:
        return None
    return union(parts)


def _field(evaluator: Evaluator, path: str, index: int, binding: Binding) -> Values:
    """A dataclass or pydantic field: its annotation, else its default."""
    place = Place(path, index, binding.seq, binding.block)
    return declared.instances(evaluator, binding.a, place) or evaluator.values(binding.b, place)


def _method(evaluator: Evaluator, path: str, index: int, function: int, kind: str) -> Values:
    facts = evaluator.facts(path)
    assert facts is not None
    scope = facts.scopes[function]
    place = Place(path, index, scope.seq, scope.block)
    for decorator in scope.decorators:
        if decorator[0] == model.ATTR and decorator[2] in ("setter", "deleter", "getter"):
            return (
                calls.called(evaluator, (FUNCTION, path, function), None, path) if decorator[2] == "getter" else NOTHING
            )
        for dotted in evaluator.names_of(evaluator.values(decorator, place)):
            if dotted in PROPERTIES:
                return calls.called(evaluator, (FUNCTION, path, function), None, path) if kind != CLASS else NOTHING
            if dotted in ("builtins.classmethod", "builtins.staticmethod"):
                return ((BOUND, path, function),)
    return ((FUNCTION if kind == CLASS else BOUND, path, function),)


def assigned(evaluator: Evaluator, path: str, index: int) -> dict[str, list[tuple[int, Binding]]]:
    """Attributes that the methods of a class set on its objects: name -> (scope of the method, binding)."""
    return evaluator.table(("assigned", path, index), lambda: _collect_assigned(evaluator, path, index))


def _collect_assigned(evaluator: Evaluator, path: str, index: int) -> dict[str, list[tuple[int, Binding]]]:
    facts = evaluator.facts(path)
    assert facts is not None
    found: dict[str, list[tuple[int, Binding]]] = {}
    for owner, scope in enumerate(facts.scopes):
        if not scope.attributes or (not scope.params and scope.parent != index):
            continue
        method = scope
        while method.parent != index and method.parent >= 0:
            method = facts.scopes[method.parent]
        if method.parent != index or method.kind not in ("def", "async") or not method.params:
            continue
        me = (model.NAME, method.params[0].name)
        for base, name, binding in scope.attributes:
            if base == me:
                found.setdefault(name, []).append((owner, binding))
    return found
