"""What an expression may be: the vocabulary of the evaluator.

A value is a small tuple, first its kind. An expression has a tuple of values, each of which it may be; what is not known is left
out, so the empty tuple says nothing at all.

========== =========================== ============================================================================
kind       then                        meaning
========== =========================== ============================================================================
EXT        dotted name                 a module, class, function or object of a library
MODULE     path, folder                a module of the project
FUNCTION   path, scope                 a function of the project
BOUND      path, scope                 the same as a method of an object or class that is already given
CLASS      path, scope                 a class of the project
INSTANCE   dotted name of the class    an object of a library's class
OBJECT     path, scope of the class    an object of a project's class
METHOD     dotted class, name          a method of an object of a library's class
ITEMS      values                      something to iterate over: its items
MAPPING    values, values              something with keys: its values, and (there may be none) its keys
TUPLE      tuples of values            a tuple of known length
CONTAINED  container, name             a method of one of the three above, or of a task
AWAITABLE  values                      awaiting it gives these
MANAGER    values                      entering it gives these
PARTIAL    values                      calling it calls these
TYPES      values                      a type (union, alias): its instances
SUPER      path, scope of the class    ``super()`` in a method of that class
TEXT       text                        a string literal
NONE                                   None
STRANGER                               something else: known to be none of the others
========== =========================== ============================================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

__all__ = [
    "AWAITABLE", "BOUND", "CLASS", "CONTAINED", "EXT", "FUNCTION", "INSTANCE", "ITEMS", "MANAGER", "MAPPING", "METHOD",
    "MODULE", "NONE", "NOTHING", "OBJECT", "PARTIAL", "STRANGER", "SUPER", "TEXT", "TUPLE", "TYPES",
    "Place", "Value", "Values", "instance", "keys_of", "looks_like_class", "union",
]  # fmt: skip

Value = tuple[Any, ...]
Values = tuple[Value, ...]

EXT: Final = "ext"
MODULE: Final = "module"
FUNCTION: Final = "function"
BOUND: Final = "bound"
CLASS: Final = "class"
INSTANCE: Final = "instance"
OBJECT: Final = "object"
METHOD: Final = "method"
ITEMS: Final = "items"
MAPPING: Final = "mapping"
TUPLE: Final = "tuple"
CONTAINED: Final = "contained"
AWAITABLE: Final = "awaitable"
MANAGER: Final = "manager"
PARTIAL: Final = "partial"
TYPES: Final = "types"
SUPER: Final = "super"
TEXT: Final = "text"
NONE: Final[Value] = ("none",)
STRANGER: Final[Value] = ("stranger",)
NOTHING: Final[Values] = ()

# More possibilities than this are no knowledge.
_MAX_VALUES: Final = 8


class Place(NamedTuple):
    """Where an expression is evaluated: `seq` and `block` decide which bindings it sees."""

    path: str
    scope: int
    seq: int
    block: int


def union(parts: Iterable[Values]) -> Values:
    """All values of all parts, each once, in order; nothing if there are too many."""
    if isinstance(parts, list) and len(parts) == 1 and len(parts[0]) <= 1:  # nearly always
        only: Values = parts[0]
        return only
    found: dict[Value, None] = {}
    for part in parts:
        for value in part:
            found[value] = None
    return tuple(found) if len(found) <= _MAX_VALUES else NOTHING


def instance(value: Value) -> Value | None:
    """An object of the class that `value` is, or None."""
    if value[0] == EXT:
        return (INSTANCE, value[1])
    if value[0] == CLASS:
        return (OBJECT, value[1], value[2])
    return None


def keys_of(mapping: Value) -> Values:
    """What a key of a `MAPPING` may be."""
    found: Values = mapping[2] if len(mapping) > 2 else NOTHING
    return found


def looks_like_class(dotted: str) -> bool:
    """Whether an external name is written like a class (``Session``, not ``session``, not ``MAX_SIZE``)."""
    last = dotted.rpartition(".")[2].lstrip("_")
    return last[:1].isupper() and (not last.isupper() or len(last) == 1)
