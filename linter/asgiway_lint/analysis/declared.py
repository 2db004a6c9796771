"""What an annotation says: types and their instances, and subscription, which at run time is the same syntax."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from asgiway_lint.analysis import calls, names
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
    STRANGER,
    TUPLE,
    TYPES,
    Place,
    Value,
    Values,
    instance,
    union,
)
from asgiway_lint.facts import model
from asgiway_lint.facts.model import Expr

if TYPE_CHECKING:
    from asgiway_lint.analysis.evaluate import Evaluator

__all__ = ["UNBOUNDED", "alternatives", "instances", "is_abstract", "item", "may_be_refined", "refined"]

_TRANSPARENT: Final = frozenset(
    {"ClassVar", "Final", "NotRequired", "ReadOnly", "Required", "Unpack", "TypeGuard", "InitVar"}
)
_ITERABLES: Final = frozenset(
    [
        "AbstractSet",
        "AsyncGenerator",
        "AsyncIterable",
        "AsyncIterator",
        "Collection",
        "Container",
        "Deque",
        "FrozenSet",
        "Generator",
        "Iterable",
        "Iterator",
        "KeysView",
        "List",
        "MutableSequence",
        "MutableSet",
        "Reversible",
        "Sequence",
        "Set",
        "ValuesView",
        "deque",
        "frozenset",
        "list",
        "set",
    ]
)
_MAPPINGS: Final = frozenset(
    ["DefaultDict", "Dict", "Mapping", "MutableMapping", "OrderedDict", "WeakValueDictionary", "defaultdict", "dict"]
)
_AWAITABLES: Final = frozenset({"Awaitable", "Coroutine", "Future", "Task"})
_MANAGERS: Final = frozenset(
    {"AbstractAsyncContextManager", "AbstractContextManager", "AsyncContextManager", "ContextManager"}
)
_GENERIC_MODULES: Final = frozenset(
    {
        "asyncio",
        "builtins",
        "collections",
        "collections.abc",
        "contextlib",
        "dataclasses",
        "typing",
        "typing_extensions",
        "weakref",
    }
)
# Queues whose put() waits for room, and what stands for those that have room for ever.
UNBOUNDED: Final = {f"queue.{name}": f"queue._Unbounded{name}" for name in ("Queue", "LifoQueue", "PriorityQueue")}
_QUEUE_OF: Final[Mapping[Values, Values]] = {
    ((INSTANCE, unbounded),): ((INSTANCE, name),) for name, unbounded in UNBOUNDED.items()
}
_QUEUES: Final = frozenset(_QUEUE_OF.values())
_ABSTRACT: Final = frozenset({"abc.ABC", "abc.ABCMeta", "typing.Protocol", "typing_extensions.Protocol"})
# Without arguments they say nothing of what the value is.
_SAYS_NOTHING: Final = frozenset(
    {
        "builtins.object",
        "collections.abc.Callable",
        *(
            f"{module}.{name}"
            for module in ("typing", "typing_extensions")
            for name in ("Any", "Callable", "ClassVar", "Final", "TypeAlias")
        ),
    }
)


def instances(evaluator: Evaluator, annotation: Expr, place: Place) -> Values:
    """What a name with this annotation may be; empty if the annotation says nothing."""
    if annotation[0] == model.CONST:
        return (NONE,) if annotation[1] is None else NOTHING
    if annotation[0] == model.SEQ:  # isinstance(x, (A, B))
        return _either(evaluator, annotation[2], place)
    parts: list[Values] = []
    for value in evaluator.values(annotation, place):
        if value[0] == TYPES:
            parts.append(value[1])
        elif value[0] == EXT and value[1] in _SAYS_NOTHING:
            return NOTHING
        elif value[0] == EXT and _is_function(evaluator, value[1]):
            return NOTHING  # no type, whatever was meant
        elif value[0] == EXT and value[1] in ("typing.Self", "typing_extensions.Self"):
            return _own_class(evaluator, place)
        else:
            made = instance(value)
            if made is not None:
                parts.append((_plain(made),))
    return union(parts)


def _is_function(evaluator: Evaluator, name: str) -> bool:
    if not evaluator.catalogue.known_package(name.partition(".")[0]) or evaluator.catalogue.is_type(name):
        return False
    entry = evaluator.catalogue.find(name)
    return entry is not None and entry.kind == "function"


def refined(evaluator: Evaluator, stated: Values, given: Values) -> Values:
    """What is known of something that is declared as `stated` and is given a value that may be `given`.

    The declaration counts, unless it names a class that says what others do (a ``Protocol``, an ``ABC``) and the value is more,
    or a queue and the value is one without a bound.
    """
    if given and stated == _QUEUE_OF.get(given):
        return given
    if not given or any(value != NONE and not is_abstract(evaluator, value) for value in stated):
        return stated
    more = tuple([value for value in given if value != NONE and value not in stated])
    if not more or any(value[0] not in (INSTANCE, OBJECT) or is_abstract(evaluator, value) for value in more):
        return stated
    return more


def may_be_refined(stated: Values) -> bool:
    """Whether it is worth asking what something that is declared as `stated` is given."""
    return not stated or stated[0][0] in (NONE[0], OBJECT) or stated in _QUEUES


def is_abstract(evaluator: Evaluator, value: Value) -> bool:
    """Whether an object's class in the project is there to be derived from: it names a protocol or an abstract base itself."""
    if value[0] != OBJECT:
        return False
    path, index = value[1], value[2]
    evaluator.ask(path, ("abstract", value))
    return evaluator.table(("abstract", path, index), lambda: _derives_from_abc(evaluator, path, index))


def _derives_from_abc(evaluator: Evaluator, path: str, index: int) -> bool:
    facts = evaluator.facts(path)
    assert facts is not None
    scope = facts.scopes[index]
    place = Place(path, scope.parent, scope.seq, scope.block)
    written = [*scope.bases, *[expr for name, expr in scope.keywords if name == "metaclass"]]
    plain = [expr[1] if expr[0] == model.ITEM else expr for expr in written]
    return any(name in _ABSTRACT for expr in plain for name in evaluator.names_of(evaluator.values(expr, place)))


def _plain(made: Value) -> Value:
    """`list` without its items is a list of unknown items."""
    if made[0] == INSTANCE:
        module, _, last = made[1].rpartition(".")
        if module in _GENERIC_MODULES:
            if last in _ITERABLES or last in ("tuple", "Tuple"):
                return (ITEMS, NOTHING)
            if last in _MAPPINGS:
                return (MAPPING, NOTHING)
    return made


def _own_class(evaluator: Evaluator, place: Place) -> Values:
    facts = evaluator.facts(place.path)
    index = place.scope
    while facts is not None and index >= 0:
        if facts.scopes[index].kind == "class":
            return ((OBJECT, place.path, index),)
        index = facts.scopes[index].parent
    return NOTHING


def _either(evaluator: Evaluator, parts: tuple[Expr, ...], place: Place) -> Values:
    """Instances of one of several types. One that is not known makes the whole doubtful: nobody is accused then."""
    found: list[Values] = []
    for part in parts:
        values = instances(evaluator, part, place)
        found.append(values or (STRANGER,))
    result = union(found)
    return result if any(value not in (STRANGER, NONE) for value in result) else NOTHING


def alternatives(evaluator: Evaluator, expr: Expr, place: Place) -> Values:
    """``A | B`` as a type; nothing if it is some other use of the operator."""
    found = _either(evaluator, (expr[2], expr[3]), place)
    return ((TYPES, found),) if found else NOTHING


def item(evaluator: Evaluator, expr: Expr, place: Place) -> Values:
    """``base[index]``: a generic type, or an item of a container."""
    _, base, index = expr
    parts: list[Values] = []
    for value in evaluator.values(base, place):
        kind: str = value[0]
        if kind == EXT:
            parts.append(_generic(evaluator, value[1], index, place))
        elif kind in (CLASS, TYPES):
            parts.append((value,))
        elif kind == MAPPING or (kind == ITEMS and index != model.OTHER_EXPR):
            parts.append(value[1])
        elif kind == TUPLE:
            parts.append(_nth(value, index))
        elif kind in (INSTANCE, OBJECT):
            parts.append(calls.method_result(evaluator, value, "__getitem__"))
    return union(parts)


def _nth(value: Value, index: Expr) -> Values:
    elements: tuple[Values, ...] = value[1]
    if index[0] == model.CONST and isinstance(index[1], int) and -len(elements) <= index[1] < len(elements):
        return elements[index[1]]
    return NOTHING


def _generic(evaluator: Evaluator, dotted: str, index: Expr, place: Place) -> Values:
    module, _, name = dotted.rpartition(".")
    arguments: tuple[Expr, ...] = index[2] if index[0] == model.SEQ else (index,)
    if not arguments:
        return NOTHING
    if module not in _GENERIC_MODULES:
        # Generic[...] of a library: its own class, whatever the arguments.
        return ((EXT, dotted),)
    if name == "Annotated":
        return _annotated(evaluator, arguments, place)
    if name == "Optional":
        return ((TYPES, _either(evaluator, (*arguments, (model.CONST, None)), place)),)
    if name == "Union":
        return ((TYPES, _either(evaluator, arguments, place)),)
    if name in _TRANSPARENT:
        return ((TYPES, instances(evaluator, arguments[0], place)),)
    if name in ("type", "Type"):
        found = instances(evaluator, arguments[0], place)
        classes = [
            (EXT, v[1]) if v[0] == INSTANCE else (CLASS, v[1], v[2]) for v in found if v[0] in (INSTANCE, OBJECT)
        ]
        return ((TYPES, tuple(classes)),)
    if name in ("tuple", "Tuple"):
        if len(arguments) == 2 and arguments[1] == model.OTHER_EXPR:  # tuple[X, ...]
            return ((TYPES, ((ITEMS, instances(evaluator, arguments[0], place)),)),)
        return ((TYPES, ((TUPLE, tuple([instances(evaluator, part, place) for part in arguments])),)),)
    if name in _ITERABLES:
        return ((TYPES, ((ITEMS, instances(evaluator, arguments[0], place)),)),)
    if name in _MAPPINGS:
        each = [instances(evaluator, argument, place) for argument in arguments]
        return ((TYPES, ((MAPPING, each[-1], each[0] if len(each) > 1 else NOTHING),)),)
    if name in _AWAITABLES:
        return ((TYPES, ((AWAITABLE, instances(evaluator, arguments[-1], place)),)),)
    if name in _MANAGERS:
        return ((TYPES, ((MANAGER, instances(evaluator, arguments[0], place)),)),)
    return NOTHING


def _annotated(evaluator: Evaluator, arguments: tuple[Expr, ...], place: Place) -> Values:
    """``Annotated[T, ...]`` is a T; if T says nothing, ``Depends(function)`` behind it may."""
    found = instances(evaluator, arguments[0], place)
    for extra in arguments[1:]:
        if found:
            break
        found = names.depended(evaluator, extra, place.path)
    return ((TYPES, found),) if found else NOTHING
