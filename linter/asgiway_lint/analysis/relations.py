"""Foreign keys of Django's models: ``book.author`` asks the database, unless the query has brought the author along.

Only objects whose query can be seen: ``book = await Book.objects.aget(...)``, ``async for book in Book.objects.filter(...)``. An object that
somebody hands over may have been read with ``select_related()``.
"""

from __future__ import annotations

from typing import Final

from asgiway_lint.analysis import members
from asgiway_lint.analysis.blocking import Site
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.values import CLASS, EXT, Place, Value
from asgiway_lint.facts import Facts, model
from asgiway_lint.facts.model import Event, Expr

__all__ = ["loaded", "states_key"]

_ENTRY: Final = "django.db.models.fields.related_descriptors.ForwardManyToOneDescriptor.__get__"
_MODEL: Final = frozenset({"django.db.models.Model", "django.db.models.base.Model"})
_KEYS: Final = frozenset(
    f"django.db.models{module}.{name}" for module in ("", ".fields.related") for name in ("ForeignKey", "OneToOneField")
)
_ONE: Final = frozenset(
    {"aearliest", "afirst", "aget", "alast", "alatest", "earliest", "first", "get", "last", "latest"}
)
# What a query may be made of without bringing related objects along.
_PLAIN: Final = frozenset(
    {
        "all",
        "distinct",
        "exclude",
        "filter",
        "order_by",
        "reverse",
        "select_for_update",
        "using",
        "aiterator",
        "iterator",
    }
)


def loaded(evaluator: Evaluator, path: str, facts: Facts, event: Event) -> Site | None:
    """The foreign key that the read of an attribute follows with a query, or None."""
    expr = event.expr
    while expr[1][0] == model.ATTR:  # of `book.author.name` the first step
        expr = expr[1]
    query = _query(facts, expr[1], event)
    if query is None:
        return None
    place = Place(path, event.scope, event.seq, event.block)
    values = evaluator.values(query, place)
    if len(values) != 1 or values[0][0] != CLASS or not _is_key(evaluator, values[0], expr[2]):
        return None
    entry = evaluator.catalogue.find(_ENTRY)
    facts_of = evaluator.facts(values[0][1])
    if entry is None or facts_of is None:
        return None
    index: int = values[0][2]
    return Site(entry, f"{facts_of.scopes[index].qualname}.{expr[2]}")


def _query(facts: Facts, base: Expr, event: Event) -> Expr | None:
    """The model whose objects a plain query gives to `base`; None if it is not the result of one."""
    many = False
    if base[0] == model.NAME:
        bindings = facts.scopes[event.scope].bindings.get(base[1], ())
        if len(bindings) != 1 or bindings[0].kind not in ("value", "iter", "aiter") or bindings[0].b != ():
            return None
        many = bindings[0].kind != "value"
        base = bindings[0].a
    left: Expr = base[1] if base[0] == model.AWAIT else base
    methods: list[str] = []
    while left[0] == model.CALL:
        index: int = left[1]
        callee = facts.calls[index].callee
        if callee[0] != model.ATTR:
            return None
        methods.append(callee[2])
        left = callee[1]
    if left[0] != model.ATTR or left[2] != "objects":
        return None
    rest = methods if many else methods[1:]
    if not _PLAIN.issuperset(rest) or (not many and (not methods or methods[0] not in _ONE)):
        return None
    found: Expr = left[1]
    return found


def _is_key(evaluator: Evaluator, value: Value, name: str) -> bool:
    """Whether a class is a model with a foreign key of that name."""
    chain = members.bases(evaluator, value[1], value[2])
    if not any(base[0] == EXT and base[1] in _MODEL for base in chain):
        return False
    for base in chain:
        bindings = members.stated(evaluator, base, name)
        if bindings is None:
            continue
        return states_key(evaluator, base, name)
    return False


def states_key(evaluator: Evaluator, owner: Value, name: str) -> bool:
    """Whether the body of a class of the project makes a name a foreign key."""
    path: str = owner[1]
    evaluator.ask(path, ("key", owner, name))
    bindings = members.stated(evaluator, owner, name) or ()
    if len(bindings) != 1 or bindings[0].kind != "value" or bindings[0].a[0] != model.CALL:
        return False
    made = evaluator.call(path, bindings[0].a[1])
    return not _KEYS.isdisjoint(evaluator.names_of(evaluator.callee(path, made)))
