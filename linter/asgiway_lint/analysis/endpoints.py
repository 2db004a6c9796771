"""Endpoints of FastAPI that are coroutines without need: they never await, so as plain functions they would run in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.values import EXT, METHOD
from asgiway_lint.facts import Facts, model
from asgiway_lint.facts.model import AWAITED, Scope

__all__ = ["never_await"]

_OWNERS: Final = frozenset(
    {
        "fastapi.APIRouter",
        "fastapi.FastAPI",
        "fastapi.applications.FastAPI",
        "fastapi.routing.APIRouter",
    }
)
# Not `websocket`: that has to be a coroutine.
_DECORATORS: Final = frozenset(
    {"api_route", "delete", "get", "head", "options", "patch", "post", "put", "route", "trace"}
)
# Who uses these needs the event loop's thread.
_NEEDS_LOOP: Final = frozenset({"aiohttp", "anyio", "asyncio", "trio"})


def never_await(evaluator: Evaluator, path: str, facts: Facts, homes: Sequence[int]) -> tuple[int, ...]:
    """The scopes of endpoints that never await and use nothing of an event loop.

    Args:
        evaluator: the run's evaluator.
        path: the file.
        facts: its facts.
        homes: for each scope the function in whose course it runs (`contexts.home_scopes`).
    """
    found = [
        index
        for index, scope in enumerate(facts.scopes)
        if scope.kind == "async"
        and not scope.generator
        and facts.scopes[scope.parent].kind != "class"
        and _is_endpoint(evaluator, path, scope)
    ]
    if not found:
        return ()
    awaiting = {homes[call.scope] for call in facts.calls if call.flags & AWAITED}
    awaiting.update(homes[event.scope] for event in facts.events if event.kind in ("await", "aenter", "aiter"))
    # A coroutine inside of it is there to be awaited or scheduled.
    awaiting.update(homes[scope.parent] for scope in facts.scopes if scope.kind == "async")
    for call in facts.calls:
        home = homes[call.scope]
        if home in found and home not in awaiting:
            for value in evaluator.callee(path, call):
                if value[0] in (EXT, METHOD) and str(value[1]).partition(".")[0] in _NEEDS_LOOP:
                    awaiting.add(home)
    return tuple([index for index in found if index not in awaiting])


def _is_endpoint(evaluator: Evaluator, path: str, scope: Scope) -> bool:
    for decorator in scope.decorators:
        if decorator[0] == model.CALL:
            for value in evaluator.callee(path, evaluator.call(path, decorator[1])):
                if value[0] == METHOD and value[1] in _OWNERS and value[2] in _DECORATORS:
                    return True
    return False
