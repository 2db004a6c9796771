"""What blocks in the scopes of a module, or runs functions of the project: one hop for each call, ``with``, ``for`` and attribute."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from asgiway_lint.analysis import blocking, given, handed, implied, receivers, relations, targets
from asgiway_lint.analysis.blocking import Site
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.guards import Known, excluded, given_to_call, is_plain, made_once
from asgiway_lint.analysis.targets import Groups
from asgiway_lint.analysis.values import METHOD, Place, Values
from asgiway_lint.facts import Facts, model
from asgiway_lint.facts.model import Call, Event, Scope

__all__ = ["Hop", "contents", "hop_at", "hops_of"]

_NOTHING: Final[tuple[Site | None, Groups]] = (None, ())
_KINDS: Final = frozenset({"iter", "enter", "load", *implied.EVENTS})


class Hop(NamedTuple):
    """One thing in a body that blocks, or that runs functions of the project.

    Attributes:
        line, column, end_line, end_column: its place.
        seq: its order in the body.
        scope, block: what it stands in.
        site: what blocks, if it does so by itself.
        groups: else, what it runs.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    seq: int
    scope: int
    block: int
    site: Site | None
    groups: Groups


def hops_of(
    evaluator: Evaluator,
    path: str,
    facts: Facts,
    scopes: frozenset[int],
    *,
    transitive: bool,
    cold: Callable[[Groups], bool],
    known: Known = (),
    home: Scope | None = None,
) -> Iterator[Hop]:
    """All hops in some scopes of a module that may lead to something that blocks, calls first.

    Args:
        evaluator: the run's evaluator.
        path: the file.
        facts: its facts.
        scopes: the scopes to look at.
        transitive: also what runs functions of the project.
        cold: whether some functions block for no caller, whatever it gives them; hops to those are left out.
        known: what is known of the parameters of the function `home`, to leave out what does not run then.
        home: that function.
    """
    calls, events = contents(evaluator, path, facts)
    whatever = is_plain(known)
    for index in sorted(index for scope in scopes for index in calls.get(scope, ())):
        call = facts.calls[index]
        values = evaluator.callee(path, call)
        if known and home is not None:
            values = (
                given_to_call(facts, call, home, known)
                or receivers.methods_of(evaluator, path, facts, call, home, known)
                or values
            )
        site = blocking.direct_call(evaluator, path, facts, index, values) if values else None
        if site is not None:
            if given.is_handed_over(evaluator, path, facts, index):
                continue
            groups: Groups = ()
        else:
            site, groups = _behind(evaluator, path, facts, call, values, known, transitive=transitive, whatever=True)
            if groups and not whatever:
                if cold(groups):
                    continue
                _, groups = _behind(evaluator, path, facts, call, values, known, transitive=transitive, whatever=False)
            if site is None and (not groups or _is_given_away(evaluator, path, facts, index)):
                continue
        if home is None or not _left_out(facts, call.block, home, known):
            yield hop_at(call, site, groups)
    for index in sorted(index for scope in scopes for index in events.get(scope, ())):
        event = facts.events[index]
        if event.kind in implied.EVENTS:
            site, groups = implied.by_event(evaluator, path, event)
            groups = groups if transitive else ()
        else:
            site = blocking.direct_event(evaluator, path, event) if event.kind != "load" else None
            groups = targets.run_by_event(evaluator, path, facts, event) if site is None and transitive else ()
        if site is not None or groups:
            pass
        elif event.kind == "load":
            site = relations.loaded(evaluator, path, facts, event)
        elif event.kind == "iter":
            place = Place(path, event.scope, event.seq, event.block)
            site, groups = _called(evaluator, handed.mapped(evaluator, event.expr, place), transitive=transitive)
        if groups:
            plain = targets.plain_groups(groups)
            if whatever:
                groups = plain
            elif cold(plain):
                continue
        if (site is not None or groups) and (home is None or not _left_out(facts, event.block, home, known)):
            yield hop_at(event, site, groups)


def _is_given_away(evaluator: Evaluator, path: str, facts: Facts, index: int) -> bool:
    """Whether the result of a call is awaited by somebody else: then it is a coroutine's, whatever our types say."""
    return given.is_awaited_elsewhere(evaluator, path, facts, index) and not targets.gives_awaitable(
        evaluator, path, facts.calls[index]
    )


def _behind(
    evaluator: Evaluator,
    path: str,
    facts: Facts,
    call: Call,
    values: Values,
    known: Known,
    *,
    transitive: bool,
    whatever: bool,
) -> tuple[Site | None, Groups]:
    """What a call that does not block by itself leads to, for its arguments or whatever they are."""
    if transitive and values:
        groups = targets.run_by_call(evaluator, path, facts, call, values, known, whatever=whatever)
        if groups:
            return None, groups
    found = _entered(evaluator, path, facts, call, values, transitive=transitive)
    if found is None:
        found = _called(evaluator, handed.applied(evaluator, path, call, values), transitive=transitive)
        if found == _NOTHING:
            found = implied.by_call(evaluator, path, call, values)
    site, groups = found
    if not groups or not transitive:
        return site, ()
    return site, targets.plain_groups(groups) if whatever else groups


def _called(evaluator: Evaluator, values: Values, *, transitive: bool) -> tuple[Site | None, Groups]:
    """What blocks, or runs, if one of some values is called by somebody else."""
    if not values:
        return None, ()
    site = blocking.reference(evaluator, values)
    return site, targets.run_by_values(evaluator, values) if site is None and transitive else ()


def _entered(
    evaluator: Evaluator, path: str, facts: Facts, call: Call, values: Values, *, transitive: bool
) -> tuple[Site | None, Groups] | None:
    """What ``stack.enter_context(manager)`` enters; None for other calls."""
    if call.callee[0] != model.ATTR or call.callee[2] != "enter_context" or not call.args:
        return None
    if not values or not all(value[0] == METHOD and str(value[1]).startswith("contextlib.") for value in values):
        return None
    event = Event("enter", call.args[0], call.scope, call.block, call.seq, *call[7:])
    site = blocking.direct_event(evaluator, path, event)
    return site, targets.run_by_event(evaluator, path, facts, event) if site is None and transitive else ()


def _left_out(facts: Facts, block: int, home: Scope, known: Known) -> bool:
    return excluded(facts, block, home, known) or made_once(facts, block, home)


def hop_at(place: Call | Event, site: Site | None, groups: Groups) -> Hop:
    """The hop at the place of a call or an event."""
    return Hop(
        place.line, place.column, place.end_line, place.end_column, place.seq, place.scope, place.block, site, groups
    )


def contents(
    evaluator: Evaluator, path: str, facts: Facts
) -> tuple[Mapping[int, Sequence[int]], Mapping[int, Sequence[int]]]:
    """Calls and events of each scope, by index."""
    return evaluator.table(("contents", path), lambda: _sorted_by_scope(facts))


def _sorted_by_scope(facts: Facts) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    calls: dict[int, list[int]] = {}
    events: dict[int, list[int]] = {}
    for index, call in enumerate(facts.calls):
        calls.setdefault(call.scope, []).append(index)
    for index, event in enumerate(facts.events):
        if event.kind in _KINDS:
            events.setdefault(event.scope, []).append(index)
    return calls, events
