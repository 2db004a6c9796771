"""Which files a change concerns, when all the others keep their reports.

What a file finds out of others goes through questions (`analysis.asked`) whose answers were kept. Those about a file that has changed are
asked again. Whoever was told something else then is concerned: what it told others may be different now, too, so that is asked
again, and so on.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import Final

from asgiway_lint.analysis import asked
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.names import module_of
from asgiway_lint.analysis.suspects import Suspects
from asgiway_lint.analysis.warm import Grounds

__all__ = ["by_imports", "concerned_by"]

# With so many files it takes as long to ask again as to check all.
_MOST: Final = 1500


def by_imports(grounds: Grounds, names: Mapping[str, frozenset[str]]) -> dict[str, Suspects | None]:
    """Where files have come or gone: what is to be asked again, and which questions about it (None for all).

    Args:
        grounds: what was told before.
        names: the names that may mean something else now, by folder.
    """
    found: dict[str, Suspects | None] = {}
    all_names: set[str] = set()
    for folder, some in names.items():
        all_names |= some
        # What is no variable of a package may be a module in it.
        found[folder] = found[f"{folder}{os.sep}__init__.py"] = Suspects(some)
    for subject in [*grounds.packed, *grounds.recalled]:
        module = module_of(subject)
        if module is not None and not all_names.isdisjoint(module.split(".")):
            found[subject] = None
    return found


def concerned_by(
    evaluator: Evaluator, grounds: Grounds, changed: Mapping[str, Suspects | None]
) -> frozenset[str] | None:
    """The files that changes of some files concern, these included; None if there are too many.

    Args:
        evaluator: knows the new facts.
        grounds: what was told before; brought up to date.
        changed: the files that have changed, and which questions about them it is enough to ask; None for all.
    """
    found = set(changed)
    todo = dict(changed)
    # A file of which only some questions were asked is asked them all if it was told something else itself.
    looked = dict(changed)
    while todo:
        path, some = todo.popitem()
        answers = grounds.told(path)
        for question, told in list(answers.items()):
            if some is not None and question not in some:
                continue
            digest = asked.UNSURE
            gone = True
            with contextlib.suppress(KeyError):
                digest = asked.told(evaluator, path, asked.decoded(evaluator, question))
                gone = False
            if digest and digest == told[0]:
                continue
            for asker in grounds.askers(told):
                if asker not in found or (asker in looked and looked[asker] is not None):
                    found.add(asker)
                    todo[asker] = looked[asker] = None
            if gone:
                del answers[question]
            else:
                answers[question] = digest, told[1]
        if len(found) > _MOST + len(changed):
            return None
    return frozenset(found)
