"""What blocks at the end of a call, through any number of synchronous functions of the project.

A function's body is a list of hops: what blocks in it by itself, and what it runs of the project. From these follows, for each
rule, the least number of hops to an end that blocks; a chain leads along that number. The solution is unique, whatever the order of the
questions, recursion included.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from asgiway_lint.analysis import contexts
from asgiway_lint.analysis.blocking import Site
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.hops import Hop, contents, hops_of
from asgiway_lint.analysis.targets import Function
from asgiway_lint.analysis.values import BOUND, EXT, FUNCTION, METHOD, Value, Values
from asgiway_lint.facts import Facts

__all__ = ["Propagation", "Step"]

Ends = Mapping[str, int]
"""Code of a rule -> least number of functions in between."""

# Who asks whether a loop is running knows what it may do then.
_ASKS: Final = frozenset(
    {
        "asyncio.get_running_loop",
        "asyncio._get_running_loop",
        "asyncio.events._get_running_loop",
        "asyncio.events.get_running_loop",
        "asyncio.current_task",
        "sniffio.current_async_library",
        "anyio.get_current_task",
        "anyio.get_cancelled_exc_class",
    }
)
# They take long the first time only, and helpers that call them are there to be called often.
_ONCE: Final = frozenset({"importlib.import_module", "builtins.__import__", "importlib.metadata.entry_points"})
_FILE_CONTENT: Final = "AW108"
# A function that asks and makes more calls than this does something else, too.
_QUESTION_CALLS: Final = 4


class Step(NamedTuple):
    """One link of a chain: in `path`, the hop that runs `function`, or blocks if that is None."""

    path: str
    hop: Hop
    function: Function | None


class Propagation:
    """What functions of the project lead to, for one run.

    Args:
        evaluator: the run's evaluator.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._bodies: dict[Function, tuple[Hop, ...]] = {}
        self._solved: dict[Function, Ends] = {}

    def ends(self, hop: Hop) -> Ends:
        """What a hop leads to, by code, and through how many functions."""
        if hop.site is not None:
            return {hop.site.entry.rule: 0}
        for group in hop.groups:
            for function in group:
                if function not in self._solved:
                    self._solve(function)
        return _over(hop, self._solved)

    def chain(self, path: str, hop: Hop, code: str) -> tuple[tuple[Step, ...], Site]:
        """The shortest way from a hop in the file `path` to an end with that code."""
        steps: list[Step] = []
        while hop.site is None:
            left = self.ends(hop)[code] - 1
            function = next(
                function for group in hop.groups for function in group if self._solved[function].get(code) == left
            )
            steps.append(Step(path, hop, function))
            path = function[0]
            hop = next(inner for inner in self._bodies[function] if self.ends(inner).get(code) == left)
        steps.append(Step(path, hop, None))
        return tuple(steps), hop.site

    def _solve(self, start: Function) -> None:
        """Solve for a function and all that it may reach; nothing of that depends on what is not in there."""
        fresh: list[Function] = []
        pending = [start]
        callers: dict[Function, list[Function]] = {}
        while pending:
            function = pending.pop()
            if function in self._bodies:
                continue
            body = self._bodies[function] = _body(self, self._evaluator, function)
            fresh.append(function)
            for hop in body:
                for group in hop.groups:
                    for inner in group:
                        if inner not in self._solved:
                            callers.setdefault(inner, []).append(function)
                            pending.append(inner)
        ends: dict[Function, dict[str, int]] = {function: {} for function in fresh}
        for function in fresh:
            self._solved[function] = ends[function]
        waiting = dict.fromkeys(reversed(fresh))
        while waiting:
            function = next(iter(waiting))
            del waiting[function]
            known = ends[function]
            better = False
            for hop in self._bodies[function]:
                found = {hop.site.entry.rule: 0} if hop.site is not None else _over(hop, self._solved)
                for code, count in found.items():
                    if count < known.get(code, count + 1):
                        known[code] = count
                        better = True
            if better:
                waiting.update(dict.fromkeys(callers.get(function, ())))

    def asks(self, value: Value) -> bool:
        """Whether calling a value asks if an event loop is running."""
        if value[0] == EXT:
            return str(value[1]) in _ASKS
        if value[0] == METHOD:
            return (str(value[1]).partition(".")[0], value[2]) == ("asyncio", "is_running")
        if value[0] in (FUNCTION, BOUND):
            key = ("asks", value[1], value[2])
            return self._evaluator.table(key, lambda: self._is_question(value[1], value[2]))
        return False

    def _is_question(self, path: str, index: int) -> bool:
        """Whether a function of the project does little but ask whether a loop is running."""
        facts = self._evaluator.facts(path)
        if facts is None or facts.scopes[index].kind != "def":
            return False
        mine = [call for call in facts.calls if call.scope == index]
        return len(mine) <= _QUESTION_CALLS and any(
            value[0] in (EXT, METHOD) and self.asks(value)
            for call in mine
            for value in self._evaluator.callee(path, call)
        )


def _body(propagation: Propagation, evaluator: Evaluator, function: Function) -> tuple[Hop, ...]:
    """What a function does, in order, up to where it asks whether a loop is running."""
    path, index, known = function
    facts = evaluator.facts(path)
    if facts is None:
        return ()
    homes = evaluator.table(("homes", path), lambda: contexts.home_scopes(facts))
    scopes = frozenset([index, *(scope for scope, home in enumerate(homes) if home == index)])
    hops = sorted(
        hops_of(evaluator, path, facts, scopes, transitive=True, known=known, home=facts.scopes[index]),
        key=lambda hop: (hop.seq, hop.column),
    )
    if not hops:
        return ()
    asked = _asked(propagation, evaluator, path, facts, scopes)
    return tuple([hop for hop in hops if hop.seq < asked and (hop.site is None or _carries(hop.site))])


def _carries(site: Site) -> bool:
    """Whether what blocks in a helper is worth reporting at the calls of the helper."""
    if site.entry.rule == _FILE_CONTENT and site.entry.name.endswith(".close"):
        return False  # nearly nothing is left to be done when a file is closed
    return site.entry.name not in _ONCE


def _asked(propagation: Propagation, evaluator: Evaluator, path: str, facts: Facts, scopes: frozenset[int]) -> float:
    calls, _ = contents(evaluator, path, facts)
    for index in sorted(index for scope in scopes for index in calls.get(scope, ())):
        call = facts.calls[index]
        values: Values = evaluator.callee(path, call)
        if any(propagation.asks(value) for value in values):
            return call.seq
    return float("inf")


def _over(hop: Hop, solved: Mapping[Function, Ends]) -> dict[str, int]:
    """What a hop that runs functions leads to, as far as that is known of these."""
    best: dict[str, int] = {}
    for group in hop.groups:
        blocks = False
        for function in group:
            for code, count in solved[function].items():
                blocks = True
                if count + 1 < best.get(code, count + 2):
                    best[code] = count + 1
        if not blocks:
            return {}
    return best
