"""What breaks when code moves from WSGI to an event loop without blocking it: the preview rules, AW301 to AW304.

They are off by default, so they are looked for only where somebody has turned them on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from asgiway_lint.analysis import members
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.values import EXT, INSTANCE, OBJECT, Place, Value
from asgiway_lint.facts import Facts, model
from asgiway_lint.facts.model import Call, Event

__all__ = ["CODES", "Hazard", "hazards"]

CODES: Final = ("AW301", "AW302", "AW303", "AW304")
_EVENTLET: Final = frozenset({"eventlet.monkey_patch", "eventlet.patcher.monkey_patch"})
_LOCALS: Final = frozenset({"threading.local", "_threading_local.local"})
_APPS: Final = frozenset({"flask.current_app", "flask.globals.current_app", "quart.current_app"})
_REQUESTS: Final = frozenset(
    {"fastapi.Request", "fastapi.requests.Request", "starlette.requests.HTTPConnection", "starlette.requests.Request"}
)
_UWSGI: Final = frozenset({"uwsgi", "uwsgidecorators"})


class Hazard(NamedTuple):
    """One finding: the rule's code, what is reported, what to use instead, and where."""

    code: str
    symbol: str
    replacement: str
    place: Call | Event


def hazards(
    evaluator: Evaluator, path: str, facts: Facts, loop: frozenset[int], codes: Collection[str]
) -> Iterator[Hazard]:
    """The hazards of a module.

    Args:
        evaluator: the run's evaluator.
        path: the file.
        facts: its facts.
        loop: its scopes that run on an event loop.
        codes: the rules to look for.
    """
    if "AW301" in codes:
        yield from _monkey_patches(evaluator, path, facts)
    if "AW302" in codes:
        yield from _thread_locals(evaluator, path, facts, loop)
    if "AW303" in codes:
        yield from _state_on_app(evaluator, path, facts)
    if "AW304" in codes:
        yield from _uwsgi(evaluator, path, facts)


def _monkey_patches(evaluator: Evaluator, path: str, facts: Facts) -> Iterator[Hazard]:
    for call in facts.calls:
        for value in evaluator.callee(path, call) if "patch" in str(call.callee[-1]) else ():
            name = str(value[1]) if value[0] == EXT else ""
            if name.startswith("gevent.monkey.patch_") or name in _EVENTLET:
                yield Hazard("AW301", name, "the event loop's own calls", call)


def _thread_locals(evaluator: Evaluator, path: str, facts: Facts, loop: frozenset[int]) -> Iterator[Hazard]:
    for event in facts.events:
        if event.scope in loop and event.kind in ("load", "store") and event.expr[0] == model.ATTR:
            place = Place(path, event.scope, event.seq, event.block)
            values = evaluator.values(event.expr[1], place)
            if values and all(_is_local(evaluator, value) for value in values):
                yield Hazard("AW302", f"threading.local().{event.expr[2]}", "contextvars.ContextVar", event)


def _is_local(evaluator: Evaluator, value: Value) -> bool:
    if value[0] == OBJECT:
        return any(base[0] == EXT and base[1] in _LOCALS for base in members.bases(evaluator, value[1], value[2]))
    return value[0] == INSTANCE and value[1] in _LOCALS


def _state_on_app(evaluator: Evaluator, path: str, facts: Facts) -> Iterator[Hazard]:
    for event in facts.events:
        if event.kind != "store" or event.expr[0] != model.ATTR:
            continue
        place = Place(path, event.scope, event.seq, event.block)
        base, name = event.expr[1], event.expr[2]
        for value in evaluator.values(base, place):
            if value[0] == EXT and value[1] in _APPS:
                framework = str(value[1]).partition(".")[0]
                yield Hazard("AW303", f"{value[1]}.{name}", f"{framework}.g", event)
        # request.app.state.x
        if base[0] == base[1][0] == model.ATTR and (base[1][2], base[2]) == ("app", "state"):
            for value in evaluator.values(base[1][1], place):
                if value[0] == INSTANCE and value[1] in _REQUESTS:
                    yield Hazard("AW303", f"request.app.state.{name}", "request.state", event)


def _uwsgi(evaluator: Evaluator, path: str, facts: Facts) -> Iterator[Hazard]:
    imported = {
        str(binding.a[0] if binding.kind == "from" else binding.a).partition(".")[0]
        for scope in facts.scopes
        for bindings in scope.bindings.values()
        for binding in bindings
        if binding.kind in ("import", "from")
    }
    if not imported & _UWSGI:
        return
    for call in facts.calls:
        for value in evaluator.callee(path, call):
            if value[0] == EXT and str(value[1]).partition(".")[0] in _UWSGI:
                yield Hazard("AW304", str(value[1]), "a scheduler, cache or queue of its own", call)
