"""Calls that stand as an argument of another call: is it they that run, and who awaits what they return.

What is handed to `asyncio.gather` and its like is a coroutine's, whatever our types say; a lazy iterator that is handed to a thread
is read there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.values import EXT, METHOD
from asgiway_lint.facts import Facts, model
from asgiway_lint.facts.model import Call

__all__ = ["is_awaited_elsewhere", "is_handed_over"]

# Functions whose result is read while somebody iterates over it: harmless as an argument of a thread's function.
_LAZY: Final = frozenset({"glob.iglob", "os.walk", "os.fwalk", "pathlib.Path.walk"})
_LAZY_RESULT: Final = "_Iterator"
# They take coroutines: an argument that we think blocks is a type that we got wrong.
_TAKES_AWAITABLES: Final = frozenset(
    f"asyncio.{name}"
    for name in ("gather", "create_task", "ensure_future", "wait_for", "shield", "wait", "as_completed")
)

_AWAITABLES: Final = "awaitables"
_WRAPPER: Final = "wrapper"

_Taker = tuple[int, bool]
"""Index of the call that takes an argument, and whether it stands behind a star: ``gather(*[f(x) for x in y])``."""


def is_handed_over(evaluator: Evaluator, path: str, facts: Facts, index: int) -> bool:
    """Whether a call (by index) is not what runs: a lazy iterator handed to a thread, a method handed to `asyncio.gather`."""
    call = facts.calls[index]
    for taker, starred in _takers(evaluator, path, facts).get(index, ()):
        kind = _kind(evaluator, path, facts.calls[taker])
        if kind == _AWAITABLES:
            if call.callee[0] == model.ATTR and (
                starred or any(value[0] == METHOD for value in evaluator.callee(path, call))
            ):
                return True
        elif kind and not starred and _is_lazy(evaluator, path, call):
            return True
    return False


def is_awaited_elsewhere(evaluator: Evaluator, path: str, facts: Facts, index: int) -> bool:
    """Whether the result of a call (by index) is handed to `asyncio.gather` and its like: it is awaited, if not here."""
    takers = _takers(evaluator, path, facts).get(index, ())
    return any(_kind(evaluator, path, facts.calls[taker]) == _AWAITABLES for taker, _ in takers)


def _takers(evaluator: Evaluator, path: str, facts: Facts) -> Mapping[int, Sequence[_Taker]]:
    """For each call that is an argument of others: these others."""
    return evaluator.table(("takers", path), lambda: _collect(facts))


def _collect(facts: Facts) -> dict[int, list[_Taker]]:
    found: dict[int, list[_Taker]] = {}
    for taker, call in enumerate(facts.calls):
        for arg in call.args:
            if arg[0] == model.CALL:
                found.setdefault(arg[1], []).append((taker, False))
            elif arg[0] == model.STAR and arg[1][0] == model.SCOPE:
                scope: int = arg[1][1]
                result = facts.scopes[scope].results[0].expr
                if result[0] == model.CALL:
                    found.setdefault(result[1], []).append((taker, True))
        for _, value in call.keywords:
            if value[0] == model.CALL:
                found.setdefault(value[1], []).append((taker, False))
    return found


def _kind(evaluator: Evaluator, path: str, call: Call) -> str:
    """What a call does with its arguments: `_AWAITABLES`, `_WRAPPER` or nothing special."""
    for value in evaluator.callee(path, call):
        if value[0] == EXT:
            if value[1] in _TAKES_AWAITABLES:
                return _AWAITABLES
            wrapper = evaluator.catalogue.wrapper(value[1])
        elif value[0] == METHOD:
            if value[2] in ("create_task", "start_soon"):
                return _AWAITABLES
            wrapper = evaluator.catalogue.wrapper(f"{value[1]}.{value[2]}") or evaluator.catalogue.wrapper_method(
                value[2]
            )
        else:
            wrapper = None
        if wrapper is not None and wrapper.kind == "call":
            return _WRAPPER
    if call.callee[0] == model.ATTR:
        if call.callee[2] in ("create_task", "ensure_future"):
            return _AWAITABLES
        if evaluator.catalogue.wrapper_method(call.callee[2]) is not None:
            return _WRAPPER
    return ""


def _is_lazy(evaluator: Evaluator, path: str, call: Call) -> bool:
    for value in evaluator.callee(path, call):
        name = value[1] if value[0] == EXT else f"{value[1]}.{value[2]}" if value[0] == METHOD else ""
        if name in _LAZY or (evaluator.catalogue.result_type(name) or "").endswith(_LAZY_RESULT):
            return True
    return False
