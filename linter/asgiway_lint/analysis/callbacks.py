"""Functions that are handed to the event loop to be called there: ``call_soon`` and its like, signal handlers, done callbacks.

What they call blocks the loop as surely as a coroutine's own calls do, and no coroutine shows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from asgiway_lint.analysis import blocking, targets
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.hops import Hop, hop_at
from asgiway_lint.analysis.values import AWAITABLE, EXT, METHOD, Place
from asgiway_lint.facts import Facts, model
from asgiway_lint.facts.model import Call, Expr

__all__ = ["callbacks"]

# Method of an event loop -> position of the callback.
_OF_LOOP: Final[Mapping[str, int]] = {
    "add_reader": 1,
    "add_signal_handler": 1,
    "add_writer": 1,
    "call_at": 1,
    "call_later": 1,
    "call_soon": 0,
    "call_soon_threadsafe": 0,
}
_OF_FUTURE: Final = "add_done_callback"
# An object of unknown type is an event loop if it is called one.
_LOOP_NAMES: Final = frozenset({"event_loop", "loop", "_loop"})
_MAKE_FUTURES: Final = frozenset({"create_future", "create_task", "ensure_future", "run_in_executor", "wrap_future"})


def callbacks(evaluator: Evaluator, path: str, facts: Facts) -> Iterator[Hop]:
    """A hop for each call that hands the loop a function which may block.

    Args:
        evaluator: the run's evaluator.
        path: the file.
        facts: its facts.
    """
    for call in facts.calls:
        if call.callee[0] != model.ATTR:
            continue
        name = call.callee[2]
        if name != _OF_FUTURE and name not in _OF_LOOP:
            continue
        given = _given(call, _OF_LOOP.get(name, 0))
        place = Place(path, call.scope, call.seq, call.block)
        if given is None:
            continue
        receiver = call.callee[1]
        if not (
            _is_future(evaluator, facts, receiver, place)
            if name == _OF_FUTURE
            else _is_loop(evaluator, receiver, place)
        ):
            continue
        values = evaluator.values(given, place)
        site = blocking.reference(evaluator, values)
        groups = targets.run_by_values(evaluator, values) if site is None else ()
        if site is not None or groups:
            yield hop_at(call, site, groups)


def _given(call: Call, position: int) -> Expr | None:
    for name, value in call.keywords:
        if name == "callback":
            return value
    if position < len(call.args) and all(arg[0] != model.STAR for arg in call.args[: position + 1]):
        return call.args[position]
    return None


def _is_loop(evaluator: Evaluator, receiver: Expr, place: Place) -> bool:
    values = evaluator.values(receiver, place)
    if values:
        return all(value[0] == "instance" and value[1] == "asyncio.AbstractEventLoop" for value in values)
    return receiver[0] in (model.NAME, model.ATTR) and receiver[-1] in _LOOP_NAMES


def _is_future(evaluator: Evaluator, facts: Facts, receiver: Expr, place: Place) -> bool:
    """Whether an object is a task or future of asyncio; a thread pool's calls its callbacks in a thread."""
    values = evaluator.values(receiver, place)
    if values and all(value[0] == AWAITABLE for value in values):
        return True
    if any(value[0] == "instance" for value in values):
        return all(value[0] == "instance" and value[1] in ("asyncio.Task", "asyncio.Future") for value in values)
    if receiver[0] == model.NAME:
        bindings = facts.scopes[place.scope].bindings.get(receiver[1], ())
        if len(bindings) != 1 or bindings[0].kind != "value" or bindings[0].b != ():
            return False
        receiver = bindings[0].a
    if receiver[0] != model.CALL:
        return False
    made = evaluator.call(place.path, receiver[1])
    for value in evaluator.callee(place.path, made):
        if value[0] in (EXT, METHOD):
            owner, _, last = str(value[1]).rpartition(".") if value[0] == EXT else (value[1], "", value[2])
            return str(owner).partition(".")[0] == "asyncio" and last in _MAKE_FUTURES
    return False
