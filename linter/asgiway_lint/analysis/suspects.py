"""Which answers about a file an edit of it may change, by names alone: a quick look that spares asking most questions again.

What one part of a module finds out of another it finds by a name: of a variable, an attribute, a function. So a change of one part is felt at
most by the parts that mention its name, by those that mention theirs, and so on; and the same goes for questions from outside.
What names do not show (special methods, bases, the order of statements) makes everything suspect.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from asgiway_lint.analysis.parts import Part, Reader
from asgiway_lint.analysis.values import BOUND, CLASS, FUNCTION, OBJECT, SUPER
from asgiway_lint.analysis.warm import Question
from asgiway_lint.facts import Facts

__all__ = ["Suspects", "suspects"]

# Methods that run where their class is named.
_MAKE: Final = frozenset({"__init__", "__new__", "__post_init__"})
# Special methods that only these builtins look for, or nobody.
_CALLED_BY: Final = {
    "__repr__": ("repr", "str", "format"),
    "__str__": ("str", "format"),
    **dict.fromkeys(
        ("__all__", "__doc__", "__eq__", "__ge__", "__gt__", "__le__", "__lt__", "__ne__", "__slots__"), ()
    ),
}
# What these ask is not told by a name; chains name lines.
_BEYOND_NAMES: Final = frozenset({"chain", "conditions", "fixed", "sets"})
# What has no name is anybody's guess.
_NAMELESS: Final = frozenset({"lambda", "comp", "gen"})
_OF_PROJECT: Final = frozenset({BOUND, CLASS, FUNCTION, OBJECT, SUPER})
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Suspects:
    """Questions that may have other answers now.

    Args:
        names: those that mention one of these names.
    """

    names: frozenset[str]

    def __contains__(self, question: Question) -> bool:
        kind = question[0]
        asked = question[3:] if kind == "member" else question[1:]
        return kind in _BEYOND_NAMES or not self.names.isdisjoint(_words(asked))


def suspects(before: Facts, after: Facts) -> Suspects | None:
    """The questions about a module that may have other answers after a change; None for all."""
    try:
        old, new = Reader(before), Reader(after)
        if old.frame() != new.frame() or not _in_order(old.order(), new.order()):
            return None
        return _spread(old.parts(), new.parts(), old.conditions() | {""})
    except RecursionError:  # nested too deeply
        return None


def _in_order(old: list[str], new: list[str]) -> bool:
    """Whether what has stayed has stayed in order."""
    common = {*old}.intersection(new)
    return [key for key in old if key in common] == [key for key in new if key in common]


def _spread(old: dict[str, Part], new: dict[str, Part], conditions: set[str]) -> Suspects | None:
    parts = [*old.values(), *new.values()]
    mentioning: dict[str, list[Part]] = {}
    for part in parts:
        for name in part.mentions:
            mentioning.setdefault(name, []).append(part)
    names: set[str] = set()
    made: set[str] = set()
    """Names of classes whose objects are made otherwise."""
    moved: set[str] = set()
    """Names that mean something else."""
    pending: list[str] = []
    for key in {**old, **new}:
        one, other = old.get(key), new.get(key)
        if one is not None and other is not None and one.content == other.content:
            continue
        for part in [part for part in (one, other) if part is not None]:
            if any(_is_special(name) for name in part.names) or (part.bases and one is not None and other is not None):
                return None
            moved |= part.names
            pending += part.names
            if not part.names.isdisjoint(_MAKE) or (part.owner and not conditions.isdisjoint(_reset(one, other))):
                made.add(part.owner)
    pending += made
    done: set[str] = set()
    while pending:
        name = pending.pop()
        if name in done:
            continue
        done.add(name)
        names.add(name)
        pending += _CALLED_BY.get(name, ())
        for part in mentioning.get(name, ()):
            if name in part.bases:
                if name not in made or name in moved:
                    return None
                made |= part.names
            if part.bound:
                moved |= part.names
            if any(_is_special(one) for one in part.names):
                return None
            if not part.names.isdisjoint(_MAKE):
                made.add(part.owner)
                pending.append(part.owner)
            pending += part.names
    return Suspects(frozenset(names) | _NAMELESS)


def _reset(one: Part | None, other: Part | None) -> set[str]:
    """The attributes that a method sets otherwise than before, as far as can be told without an evaluator."""
    sets = [part.sets if part is not None else () for part in (one, other)]
    found = {str(each[1]) for each in {*sets[0]}.symmetric_difference(sets[1])}
    # A base's conditions may ask about them, too.
    return found | {""} if found and any(part is not None and part.derived for part in (one, other)) else found


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name not in _MAKE and name not in _CALLED_BY


def _words(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield from _WORD.findall(part)
    elif isinstance(part, tuple):
        parts: tuple[Any, ...] = part  # pyright: ignore[reportUnknownVariableType]
        for one in parts[2:] if len(parts) == 3 and parts[0] in _OF_PROJECT else parts:  # without the path
            yield from _words(one)
