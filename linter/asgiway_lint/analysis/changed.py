"""Which files a change concerns, when all the others keep their reports.

A file's findings rest on the files that imports lead to from it. Of those, a change is felt if it changes what others have seen of
the module (`project.outline`), if it changes what its functions do to an event loop, or if a finding's chain of calls passes
through it and names its lines. Felt is it by those who asked for the names that lead to the change, and by whoever imports them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

from asgiway_lint.analysis import guards, handed, questions, receivers
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.guards import Known
from asgiway_lint.analysis.members import CONDITIONS
from asgiway_lint.analysis.propagate import Propagation
from asgiway_lint.analysis.values import BOUND, CLASS, FUNCTION, OBJECT, SUPER
from asgiway_lint.analysis.warm import Answers, Grounds
from asgiway_lint.facts import Facts, model
from asgiway_lint.facts.builder import FUNCTIONS
from asgiway_lint.project.outline import outline

__all__ = ["Comparison", "Scopes", "felt_by", "files_of"]

Scopes = Mapping[int, int]
"""Number of a scope before a change -> its number after it."""

_OF_PROJECT: Final = frozenset({BOUND, CLASS, FUNCTION, OBJECT, SUPER})
# When a change leads to more files than this, all are concerned from which imports lead to it: following it takes longer.
_MOST_FOLLOWED: Final = 64
# So many comparisons of one module take as long as it takes to check some hundred files.
_MOST_COMPARED: Final = 30


class _Alike(NamedTuple):
    """What can be seen of some names, and is as before: numbers of scopes before and after, and the names that occur."""

    scopes: Scopes
    mentioned: frozenset[str]


@dataclass(slots=True)
class _Module:
    """A module that has changed, or that has something from one that has.

    Args:
        comparison: the module before and after; None if they cannot be compared.
        foreign: the names that it has from others, and that mean something else now.
        odd: its scopes of which something else is to be said now.
        seen: the scopes of it that look as before.
        felt: its names that do not look as before.
    """

    comparison: Comparison | None
    foreign: set[str]
    odd: frozenset[int] | None = None
    seen: Scopes = field(default_factory=dict[int, int])
    felt: set[str] = field(default_factory=set[str])


class Comparison:
    """A module before and after a change, as those see it who have asked it for something.

    Args:
        before: its facts before.
        after: its facts after; the same if only modules that it imports have changed.
        names: the names that others have asked it for; None for all that it has.
        members: the members that its classes were asked for, as `outline` takes them; None for all that they have.
    """

    def __init__(
        self,
        before: Facts,
        after: Facts,
        names: Collection[str] | None = None,
        members: Collection[str] | None = None,
    ) -> None:
        self._before = before
        self._after = after
        self._names = sorted({*before.scopes[0].bindings, *after.scopes[0].bindings} if names is None else names)
        self._members = members
        self._left = _MOST_COMPARED
        self._known: dict[tuple[str, ...], _Alike | None] = {}

    def alike(self, odd: Collection[int] = (), foreign: Collection[str] = ()) -> tuple[Scopes, frozenset[str]]:
        """The scopes that can be seen of what looks as before, and the names that do not, or that are not sure to.

        Args:
            odd: scopes (by their numbers before) that are to count as another.
            foreign: names that the module has from elsewhere, and that mean something else now.
        """
        scopes: dict[int, int] = {}
        felt: set[str] = set()
        if (self._members is None or CONDITIONS in self._members) and not self._same_conditions:
            return scopes, frozenset(self._names)
        pending = [tuple(self._names)]
        while pending:
            names = pending.pop()
            found = self._compared(names)
            if (
                found is not None
                and found.scopes.keys().isdisjoint(odd)
                and found.mentioned.isdisjoint(foreign)
                and all(scopes.get(old, new) == new for old, new in found.scopes.items())
            ):
                scopes.update(found.scopes)
            elif len(names) <= 1 or not self._left:
                felt.update(names)
            else:
                middle = len(names) // 2
                pending += [names[:middle], names[middle:]]
        return scopes, frozenset(felt)

    def _compared(self, names: tuple[str, ...]) -> _Alike | None:
        """What can be seen of some names; None if that does not look as before."""
        if names not in self._known:
            self._left -= 1
            self._known[names] = self._compare(names)
        return self._known[names]

    def _compare(self, names: tuple[str, ...]) -> _Alike | None:
        try:
            old = outline(self._before, names, self._members)
            new = outline(self._after, names, self._members) if self._after is not self._before else old
        except (ValueError, RecursionError):  # nested too deeply
            return None
        if old.digest != new.digest:
            return None
        pairs = list(zip(old.scopes, new.scopes, strict=True))
        if old is not new:
            before, after = self._parameters
            if any(before(one) != after(other) for one, other in pairs):
                return None
        return _Alike(dict(pairs), old.mentioned)

    @cached_property
    def _parameters(self) -> tuple[Callable[[int], object], Callable[[int], object]]:
        return _parameters(self._before), _parameters(self._after)

    @cached_property
    def _same_conditions(self) -> bool:
        return _asked_attributes(self._before) == _asked_attributes(self._after)


def _asked_attributes(facts: Facts) -> frozenset[str]:
    """The attributes that conditions ask about: an object is judged by what it was made with only as far as these go."""
    return frozenset(name for block in facts.blocks for text, _ in block.guard for name in text.split(".")[1:2])


def _parameters(facts: Facts) -> Callable[[int], object]:
    """For a scope what callers may find out of its body: what it does with its parameters, and what it calls."""
    asked, called, closures = guards.asked_parameters(facts), handed.calls_parameters(facts), _called_from_inside(facts)
    own = receivers.calls_self(facts)
    return lambda index: (asked.get(index), called.get(index), closures.get(index), own.get(index))


def _called_from_inside(facts: Facts) -> dict[int, frozenset[str]]:
    """For each function in a function the names from around it that it calls: a decorator is judged by whether its wrapper calls
    the function.
    """
    found: dict[int, set[str]] = {}
    for call in facts.calls:
        scope = facts.scopes[call.scope]
        inside = scope.parent >= 0 and facts.scopes[scope.parent].kind in FUNCTIONS
        if inside and call.callee[0] == model.NAME and call.callee[1] not in scope.bindings:
            found.setdefault(call.scope, set()).add(call.callee[1])
    return {index: frozenset(names) for index, names in found.items()}


def felt_by(
    evaluator: Evaluator, grounds: Grounds, comparisons: Mapping[str, Comparison | None]
) -> tuple[set[str], set[str]]:
    """The files that may see something else in changed modules, and files that all may do so from which imports lead to them.

    Args:
        evaluator: knows the new facts.
        grounds: what was told and asked of the modules; brought up to date.
        comparisons: the changed modules by path; None for those that cannot be compared.
    """
    scopes: dict[str, Scopes] = {path: each.alike()[0] if each else {} for path, each in comparisons.items()}
    users = [user for handed_on in comparisons for user in grounds.handed.get(handed_on, ())]
    for path in {*comparisons, *users}:
        grounds.answers[path] = _translated(grounds.unpack(path), scopes)
    modules = {path: _Module(each, set()) for path, each in comparisons.items()}
    pending = list(modules)
    felt: set[str] = set()
    while pending:
        path = pending.pop()
        module = modules[path]
        told = grounds.unpack(path)
        if path in felt:
            continue  # so do all that follow from it
        if module.comparison is None:
            felt.add(path)
            continue
        module.seen, names = module.comparison.alike((), module.foreign)
        if _may_be_followed(told, names, len(modules)):
            if module.odd is None:
                module.odd = _odd(evaluator, path, told, scopes.get(path))
            if module.odd:
                module.seen, names = module.comparison.alike(module.odd, module.foreign)
        if not _may_be_followed(told, names, len(modules)):
            felt.add(path)
            continue
        for name in names - module.felt:
            for asker in told.names[name]:
                if asker not in modules:
                    facts = evaluator.facts(asker)
                    asked = grounds.unpack(asker)
                    compared = Comparison(facts, facts, asked.names, asked.members) if facts is not None else None
                    modules[asker] = _Module(compared, {name})
                elif name not in modules[asker].foreign:
                    modules[asker].foreign.add(name)
                else:
                    continue
                pending.append(asker)
        module.felt |= names
    for path in comparisons:
        grounds.answers[path] = _renumbered(grounds.unpack(path), modules[path].seen)
    return set(modules), felt


def _may_be_followed(told: Answers, names: Iterable[str], modules: int) -> bool:
    """Whether it is known, and worth it, to go on to those who asked for some names; so many modules are looked at already."""
    askers = set[str]().union(*[told.names[name] for name in names])
    return "" not in askers and modules + len(askers) <= _MOST_FOLLOWED


def _odd(evaluator: Evaluator, path: str, answers: Answers, scopes: Scopes | None) -> frozenset[int]:
    """The scopes of a changed module of which a new run would say something else than was said before, by their numbers before.

    Args:
        evaluator: knows the new facts.
        path: the module.
        answers: what others were told of it, with functions that were handed to it by their new numbers.
        scopes: the scopes of it that others can see (what was said of others was said to itself); None if it has not changed.
    """
    propagation = Propagation.of(evaluator)
    odd: set[int] = set()
    for (index, known), ends in answers.ends.items():
        now = scopes.get(index) if scopes is not None else index
        if now is not None and propagation.of_function((path, now, known)) != ends:
            odd.add(index)
    for index, asks in answers.asks.items():
        now = scopes.get(index) if scopes is not None else index
        if now is not None and questions.is_question(evaluator, path, now) != asks:
            odd.add(index)
    return frozenset(odd)


def _renumbered(answers: Answers, scopes: Scopes) -> Answers:
    """What others were told of a changed module by the new numbers of its scopes; what was said of other scopes is forgotten."""
    return Answers(
        {(scopes[index], known): ends for (index, known), ends in answers.ends.items() if index in scopes},
        {scopes[index]: asks for index, asks in answers.asks.items() if index in scopes},
        answers.names,
        answers.members,
    )


def _translated(answers: Answers, changes: Mapping[str, Scopes]) -> Answers:
    """What others were told of a module, where functions of changed modules were handed to its functions, by their new numbers.

    What was said of a scope that nobody can see any more, or that looks otherwise, is forgotten: whoever asks, asks again.
    """
    ends: dict[tuple[int, Known], dict[str, int]] = {}
    for (index, known), codes in answers.ends.items():
        with contextlib.suppress(KeyError):
            ends[index, _value(known, changes)] = codes
    return Answers(ends, answers.asks, answers.names, answers.members)


def _value(part: Any, changes: Mapping[str, Scopes]) -> Any:
    """A value, or something that holds values, with the new numbers of scopes.

    Raises:
        KeyError: it holds a scope that has none.
    """
    if not isinstance(part, tuple):
        return part
    parts: tuple[Any, ...] = part  # pyright: ignore[reportUnknownVariableType]
    if len(parts) == 3 and parts[0] in _OF_PROJECT and parts[1] in changes:
        return (parts[0], parts[1], changes[parts[1]][parts[2]])
    return tuple([_value(one, changes) for one in parts])


def files_of(known: Any) -> Iterator[str]:
    """The files whose functions, classes or objects are a part of what is known of a function's parameters."""
    if isinstance(known, tuple):
        parts: tuple[Any, ...] = known  # pyright: ignore[reportUnknownVariableType]
        if len(parts) == 3 and parts[0] in _OF_PROJECT:
            yield str(parts[1])
        else:
            for part in parts:
                yield from files_of(part)
