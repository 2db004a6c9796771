"""Which files a change concerns, when all the others keep their reports.

A file's findings rest on the files that imports lead to from it. Of those, a change is felt if it can be seen from outside
(`project.outline`), if it changes what the file's functions do to an event loop, or if a finding's chain of calls passes through it and
names its lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from asgiway_lint.analysis import guards, handed, questions
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.propagate import Propagation
from asgiway_lint.analysis.values import BOUND, CLASS, FUNCTION, OBJECT, SUPER
from asgiway_lint.analysis.warm import Answers
from asgiway_lint.facts import Facts, model
from asgiway_lint.facts.builder import FUNCTIONS
from asgiway_lint.project.outline import outline

__all__ = ["Scopes", "answers_again", "leading_to", "seen_alike"]

Scopes = Mapping[int, int]
"""Number of a scope before a change -> its number after it."""

_OF_PROJECT = frozenset({BOUND, CLASS, FUNCTION, OBJECT, SUPER})


def leading_to(changed: Iterable[str], edges: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The files from which imports lead to one of some files, these included.

    Args:
        changed: the files.
        edges: from which file to which one imports lead.
    """
    importers: dict[str, list[str]] = {}
    for importer, imported in edges:
        importers.setdefault(imported, []).append(importer)
    found = set(changed)
    pending = list(found)
    while pending:
        for importer in importers.get(pending.pop(), ()):
            if importer not in found:
                found.add(importer)
                pending.append(importer)
    return frozenset(found)


def seen_alike(before: Facts, after: Facts) -> Scopes | None:
    """The scopes of a module before and after a change that nobody can see from outside; None if it can be seen."""
    try:
        old, new = outline(before), outline(after)
    except (ValueError, RecursionError):  # nested too deeply
        return None
    if old.digest != new.digest:
        return None
    if _asked_attributes(before) != _asked_attributes(after):
        return None
    scopes = dict(zip(old.scopes, new.scopes, strict=True))
    return scopes if _parameters(before, old.scopes) == _parameters(after, new.scopes) else None


def _asked_attributes(facts: Facts) -> frozenset[str]:
    """The attributes that conditions ask about: an object is judged by what it was made with only as far as these go."""
    return frozenset(name for block in facts.blocks for text, _ in block.guard for name in text.split(".")[1:2])


def _parameters(facts: Facts, scopes: Sequence[int]) -> list[tuple[object, ...]]:
    """For each scope what callers may find out of its body: what it does with its parameters, and what it calls."""
    asked, called, closures = guards.asked_parameters(facts), handed.calls_parameters(facts), _called_from_inside(facts)
    return [(asked.get(index), called.get(index), closures.get(index)) for index in scopes]


def _called_from_inside(facts: Facts) -> dict[int, frozenset[str]]:
    """For each function in a function the names that it calls: a decorator is judged by whether its wrapper calls the function."""
    found: dict[int, set[str]] = {}
    for call in facts.calls:
        if call.callee[0] == model.NAME and facts.scopes[facts.scopes[call.scope].parent].kind in FUNCTIONS:
            found.setdefault(call.scope, set()).add(call.callee[1])
    return {index: frozenset(names) for index, names in found.items()}


def answers_again(evaluator: Evaluator, path: str, answers: Answers, scopes: Scopes) -> Answers | None:
    """The answers about a changed module, by the new numbers of its scopes, if they are as before; None if one is another.

    Args:
        evaluator: knows the new facts.
        path: the module.
        answers: what others were told of it.
        scopes: the new numbers.
    """
    propagation = Propagation.of(evaluator)
    result = Answers()
    try:
        for (index, known), ends in answers.ends.items():
            now = (scopes[index], _translated(known, path, scopes))
            if propagation.of_function((path, *now)) != ends:
                return None
            result.ends[now] = ends
        for index, asks in answers.asks.items():
            if questions.is_question(evaluator, path, scopes[index]) != asks:
                return None
            result.asks[scopes[index]] = asks
    except KeyError:  # a scope that cannot be seen: a lambda that is handed to somebody
        return None
    return result


def _translated(part: Any, path: str, scopes: Scopes) -> Any:
    """A value, or something that holds values, with the new numbers of a module's scopes."""
    if not isinstance(part, tuple):
        return part
    parts: tuple[Any, ...] = part  # pyright: ignore[reportUnknownVariableType]
    if len(parts) == 3 and parts[0] in _OF_PROJECT and parts[1] == path:
        return (parts[0], path, scopes[parts[2]])
    return tuple([_translated(one, path, scopes) for one in parts])
