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
from asgiway_lint.analysis.hops import Hop, hops_of
from asgiway_lint.analysis.questions import with_a_loop
from asgiway_lint.analysis.targets import Function

__all__ = ["Propagation", "Step"]

Ends = Mapping[str, int]
"""Code of a rule -> least number of functions in between."""

# They take long the first time only, and helpers that call them are there to be called often.
_ONCE: Final = frozenset({"importlib.import_module", "builtins.__import__", "importlib.metadata.entry_points"})
_FILE_CONTENT: Final = "AW108"


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

    @staticmethod
    def of(evaluator: Evaluator) -> Propagation:
        """The one that belongs to an evaluator."""
        return evaluator.table(("propagation",), lambda: Propagation(evaluator))

    def solved(self) -> Mapping[Function, Ends]:
        """What has been found out so far, in order of time."""
        return self._solved

    def of_function(self, function: Function) -> Ends:
        """What calling a function leads to, by code, and through how many more functions."""
        if function not in self._solved:
            self._solve(function)
        return self._solved[function]

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
            body = self._bodies[function] = _body(self._evaluator, function)
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


def _body(evaluator: Evaluator, function: Function) -> tuple[Hop, ...]:
    """What a function does, in order, where it is called on a loop."""
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
    runs = with_a_loop(evaluator, path, facts, index, scopes)
    return tuple([hop for hop in hops if (hop.site is None or _carries(hop.site)) and runs(hop)])


def _carries(site: Site) -> bool:
    """Whether what blocks in a helper is worth reporting at the calls of the helper."""
    if site.entry.rule == _FILE_CONTENT and site.entry.name.endswith(".close"):
        return False  # nearly nothing is left to be done when a file is closed
    return site.entry.name not in _ONCE


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
