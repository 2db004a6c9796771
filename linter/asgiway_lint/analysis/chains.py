"""How a chain of calls is told to people: `charge() -> gateway.post() -> requests.post`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from asgiway_lint.analysis import decorators
from asgiway_lint.analysis.blocking import Site
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.propagate import Step
from asgiway_lint.finding import Link

__all__ = ["links", "sentence"]

# A message is one line: of a longer chain its beginning and its end.
_MOST_SHOWN: Final = 5


def sentence(evaluator: Evaluator, steps: Sequence[Step], site: Site) -> str:
    """The chain in one line; of a single step the name of what blocks."""
    names = [_name(evaluator, step, site) for step in steps]
    if len(names) > _MOST_SHOWN:
        names = [*names[: _MOST_SHOWN - 2], "...", *names[-2:]]
    return " -> ".join(names)


def links(evaluator: Evaluator, steps: Sequence[Step], site: Site) -> tuple[Link, ...]:
    """The chain with the place of each hop."""
    return tuple(
        [
            Link(call=_name(evaluator, step, site), path=step.path, line=step.hop.line, column=step.hop.column)
            for step in steps
        ]
    )


def _name(evaluator: Evaluator, step: Step, site: Site) -> str:
    """What a step runs, by the name that its file gives it; of another module with that module's name in front."""
    if step.function is None:
        return site.symbol
    path, index, _ = step.function
    facts = evaluator.facts(path)
    assert facts is not None  # its chain came out of these facts
    scope = facts.scopes[index]
    name = scope.qualname if scope.kind != "lambda" else f"{scope.qualname}.<lambda>".lstrip(".")
    for special in (".__init__", ".__new__", ".__post_init__"):
        name = name.removesuffix(special)
    if path != step.path and "." not in name:
        module = evaluator.finder.dotted(path).rpartition(".")[2] or path.rpartition(os.sep)[2]
        name = f"{module}.{name}"
    attribute = decorators.kind(evaluator, path, index) in (decorators.PROPERTY, decorators.SETTER)
    return name if attribute else f"{name}()"
