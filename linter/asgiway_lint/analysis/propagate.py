"""What blocks at the end of a call, through any number of synchronous functions of the project.

A function's body is a list of hops: what blocks in it by itself, and what it runs of the project. From these follows, for each
rule, the least number of hops to an end that blocks; a chain leads along that number. The solution is unique, whatever the order of the
questions, recursion included.

What a function leads to depends on what it is given. Most lead to nothing whatever they are given: that is found out first, once for
each function, and spares looking at the arguments of nearly all calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from asgiway_lint.analysis import contexts, handed
from asgiway_lint.analysis.blocking import Site
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.guards import is_plain
from asgiway_lint.analysis.hops import Hop, hops_of
from asgiway_lint.analysis.questions import with_a_loop
from asgiway_lint.analysis.targets import Function, Groups
from asgiway_lint.analysis.values import FUNCTION

__all__ = ["Propagation", "Step"]

Ends = Mapping[str, int]
"""Code of a rule -> least number of functions in between."""

# They take long the first time only, and helpers that call them are there to be called often.
_ONCE: Final = frozenset({"importlib.import_module", "builtins.__import__", "importlib.metadata.entry_points"})
_FILE_CONTENT: Final = "AW108"
# The code of whatever may block, where it is asked what a function does whatever it is given.
_ANY: Final = ""
_MAY_BLOCK: Final[Ends] = {_ANY: 0}
_COLD: Final[Ends] = {}


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
                self._ask(function)
                if function not in self._solved:
                    self._solve(function)
        return _over(hop, self._solved)

    def is_cold(self, groups: Groups) -> bool:
        """Whether nothing blocks behind some functions whatever they are given, for one of the possibilities at least."""
        solved = self._solved
        for group in groups:
            for function in group:
                self._ask(function)
                ends = solved.get(function)
                if ends is None:
                    self._solve(function)
                    ends = solved[function]
                if ends:
                    break
            else:
                return True
        return False

    def chain(self, path: str, hop: Hop, code: str) -> tuple[tuple[Step, ...], Site]:
        """The shortest way from a hop in the file `path` to an end with that code."""
        steps: list[Step] = []
        evaluator = self._evaluator
        asker = evaluator.current
        while hop.site is None:
            left = self.ends(hop)[code] - 1
            function = next(
                function for group in hop.groups for function in group if self._solved[function].get(code) == left
            )
            steps.append(Step(path, hop, function))
            self._ask(function, code)
            path = evaluator.current = function[0]
            hop = self._inner(function, code)
        evaluator.current = asker
        steps.append(Step(path, hop, None))
        return tuple(steps), hop.site

    def chain_of(self, function: Function, code: str) -> tuple[tuple[Step, ...], Site] | None:
        """The shortest way from the beginning of a function to an end with that code; None if there is none."""
        if code not in self.of_function(function):
            return None
        return self.chain(function[0], self._inner(function, code), code)

    def _inner(self, function: Function, code: str) -> Hop:
        left = self._solved[function][code]
        return next(inner for inner in self._bodies[function] if self.ends(inner).get(code) == left)

    def _ask(self, function: Function, code: str | None = None) -> None:
        """Say that the present file rests on what a function leads to, or on the way to an end with some code."""
        path, index, known = function
        if path != self._evaluator.current:
            value = (FUNCTION, path, index)
            self._evaluator.ask(path, ("ends", value, known) if code is None else ("chain", value, known, code))

    def _solve(self, start: Function) -> None:
        """Solve for a function and all that it may reach; nothing of that depends on what is not in there."""
        fresh: list[Function] = []
        pending = [start]
        callers: dict[Function, list[Function]] = {}
        while pending:
            function = pending.pop()
            if function in self._bodies:
                continue
            asker, self._evaluator.current = self._evaluator.current, function[0]
            body = self._bodies[function] = self._body(function)
            fresh.append(function)
            for hop in body:
                for group in hop.groups:
                    for inner in group:
                        self._ask(inner)
                        if inner not in self._solved:
                            callers.setdefault(inner, []).append(function)
                            pending.append(inner)
            self._evaluator.current = asker
        ends: dict[Function, dict[str, int]] = {function: dict(self._start(function)) for function in fresh}
        for function in fresh:
            self._solved[function] = ends[function]
        waiting = dict.fromkeys(reversed(fresh))
        while waiting:
            function = next(iter(waiting))
            del waiting[function]
            known = ends[function]
            better = False
            for hop in self._bodies[function]:
                found: Ends = {hop.site.entry.rule: 0} if hop.site is not None else _over(hop, self._solved)
                if found and is_plain(function[2]):
                    found = _MAY_BLOCK
                for code, count in found.items():
                    if count < known.get(code, count + 1):
                        known[code] = count
                        better = True
            if better:
                waiting.update(dict.fromkeys(callers.get(function, ())))

    def _start(self, function: Function) -> Ends:
        """What a function leads to before it is known what others do: who calls a parameter may be given what blocks."""
        path, index, known = function
        facts = self._evaluator.facts(path) if is_plain(known) else None
        if facts is None:
            return _COLD
        called = self._evaluator.table(("called parameters", path), lambda: handed.called_parameters(facts))
        return _MAY_BLOCK if index in called else _COLD

    def _body(self, function: Function) -> tuple[Hop, ...]:
        """What a function does, in order, where it is called on a loop."""
        path, index, known = function
        evaluator = self._evaluator
        facts = evaluator.facts(path)
        if facts is None:
            return ()
        homes = evaluator.table(("homes", path), lambda: contexts.home_scopes(facts))
        scopes = frozenset([index, *(scope for scope, home in enumerate(homes) if home == index)])
        home = facts.scopes[index]
        hops = sorted(
            hops_of(evaluator, path, facts, scopes, transitive=True, cold=self.is_cold, known=known, home=home),
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
