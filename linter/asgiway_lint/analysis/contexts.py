"""Which scopes of a module run on the event loop, and inside which function a scope runs.

A coroutine's body does, and what runs in place inside it: comprehensions, class bodies, lambdas called at once, generator
expressions consumed at once. A nested ``def`` or a lambda handed to somebody does not, until somebody calls it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from asgiway_lint.facts import model
from asgiway_lint.facts.model import Expr, Facts

__all__ = ["consumes", "home_scopes", "on_loop"]

# Builtins that consume a generator expression before they return.
_CONSUMERS: Final = frozenset(
    [
        "all",
        "any",
        "bytes",
        "bytearray",
        "dict",
        "frozenset",
        "list",
        "max",
        "min",
        "next",
        "set",
        "sorted",
        "sum",
        "tuple",
    ]
)
_CONSUMING_METHODS: Final = frozenset({"join", "extend", "update", "writelines", "fromkeys"})


def home_scopes(facts: Facts) -> tuple[int, ...]:
    """For each scope the function (or module) in whose course its code runs; -1 for code that runs later, if ever.

    A ``def``, ``async def`` and the module are their own home.
    """
    consumed = _run_in_place(facts)
    homes: list[int] = []
    for index, scope in enumerate(facts.scopes):
        if scope.kind in ("module", "def", "async"):
            homes.append(index)
        elif scope.kind in ("comp", "class") or index in consumed:
            homes.append(homes[scope.parent])
        else:
            homes.append(-1)
    return tuple(homes)


def on_loop(facts: Facts, homes: Sequence[int]) -> frozenset[int]:
    """The scopes whose code runs on the event loop."""
    return frozenset(index for index, home in enumerate(homes) if home >= 0 and facts.scopes[home].kind == "async")


def _run_in_place(facts: Facts) -> frozenset[int]:
    """Generator expressions that are consumed, and lambdas that are called, where they stand."""
    found: set[int] = set()
    for call in facts.calls:
        if call.callee[0] == model.SCOPE:
            found.add(call.callee[1])
        if call.args and consumes(call.callee):
            found.update(
                argument[1] for argument in call.args if argument[0] == model.SCOPE and _is_lazy(facts, argument)
            )
    for event in facts.events:
        if event.kind in ("iter", "aiter") and event.expr[0] == model.SCOPE:
            found.add(event.expr[1])
    return frozenset(found)


def _is_lazy(facts: Facts, expr: Expr) -> bool:
    index: int = expr[1]
    return facts.scopes[index].kind == "gen"


def consumes(callee: Expr) -> bool:
    """Whether a call is written like one that iterates over its first argument before it returns."""
    if callee[0] == model.NAME:
        return callee[1] in _CONSUMERS
    return callee[0] == model.ATTR and callee[2] in _CONSUMING_METHODS
