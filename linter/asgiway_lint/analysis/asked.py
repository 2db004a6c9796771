"""What files want to know of each other, and what they were told: the questions that `Evaluator.ask` writes down, and their answers.

Whatever the analysis of one file finds out of another goes through one of these questions, or is a part of the *handle* of a function or
class that an answer names: what anybody who knows of it may read off it. So a file's findings can only change with an answer that
it was given.

Between runs functions and classes go by keys (`keys_of`), as their numbers change with every edit, and an answer is kept as a digest.
"""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from asgiway_lint.analysis import (
    declared,
    decorators,
    guards,
    handed,
    members,
    names,
    questions,
    receivers,
    relations,
    states,
    targets,
)
from asgiway_lint.analysis.calls import called
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.propagate import Propagation
from asgiway_lint.analysis.values import BOUND, CLASS, FUNCTION, OBJECT, SUPER, Value
from asgiway_lint.analysis.warm import UNSURE
from asgiway_lint.facts import Facts, model
from asgiway_lint.facts.builder import FUNCTIONS
from asgiway_lint.facts.model import Expr, Scope
from asgiway_lint.project.modules import Module

__all__ = ["UNSURE", "decoded", "encoded", "told"]

_OF_PROJECT: Final = frozenset({BOUND, CLASS, FUNCTION, OBJECT, SUPER})
_NO_NAMES: Final = frozenset[str]()
_SIZE: Final = 8


def _stated(evaluator: Evaluator, owner: Value, name: str) -> object:
    found = members.stated(evaluator, owner, name)
    if found is None:
        return None
    kinds = {"def": FUNCTION, "class": CLASS}
    return tuple([(kinds[b.kind], owner[1], b.a) if b.kind in kinds else b.kind for b in found])


def _sets(evaluator: Evaluator, owner: Value) -> object:
    return tuple(
        [
            (name, (FUNCTION, owner[1], method), expr if expr[0] in (model.CONST, model.NAME) else None, top)
            for name, method, expr, top in states.sets(evaluator, owner)
        ]
    )


def _ends(evaluator: Evaluator, function: Value, known: guards.Known) -> object:
    return tuple(sorted(Propagation.of(evaluator).of_function((function[1], function[2], known)).items()))


_ANSWERS: Final[Mapping[str, Callable[..., object]]] = {
    "abstract": declared.is_abstract,
    "asks": lambda evaluator, function: questions.is_question(evaluator, *function[1:]),
    "attribute": members.attribute,
    "bases": lambda evaluator, owner: members.bases(evaluator, *owner[1:]),
    "conditions": lambda evaluator, path: tuple(sorted(states.conditions(evaluator, path))),
    "differs": lambda evaluator, receiver, method: receivers.differs(evaluator, receiver, *method[1:]),
    "ends": _ends,
    "fixed": lambda evaluator, owner: tuple(sorted(states.fixed(evaluator, *owner[1:]).items())),
    "has": receivers.has,
    "key": relations.states_key,
    "kind": lambda evaluator, function: decorators.kind(evaluator, *function[1:]),
    "member": lambda evaluator, path, folder, name: names.member(evaluator, Module(path, folder), name),
    "metaclass": targets.has_metaclass,
    "own": members.own_member,
    "reached": lambda evaluator, method: tuple(sorted(receivers.reached(evaluator, *method[1:]))),
    "returns": lambda evaluator, function: called(evaluator, function, None, function[1]),
    "sets": _sets,
    "stated": _stated,
}


def told(evaluator: Evaluator, path: str, question: Value) -> bytes:
    """The digest of the answer to a question about the file `path`."""
    asker, evaluator.current = evaluator.current, path
    try:
        answer = _ANSWERS[question[0]](evaluator, *question[1:])
        if _memory_key(path, question) in evaluator.unsure:
            return UNSURE
        content = _encoded(evaluator, answer, handles=True)
    finally:
        evaluator.current = asker
    # Later versions of the format tell apart what is shared and what is not.
    return hashlib.blake2b(marshal.dumps(content, 2), digest_size=_SIZE).digest()


def _memory_key(path: str, question: Value) -> tuple[object, ...]:
    kind = question[0]
    if kind == "member":
        return ("member", path, *question[2:])
    if kind in ("bases", "returns"):
        return (kind, *question[1][1:])
    return (kind, path, *question[1:])


def encoded(evaluator: Evaluator, question: Value) -> Value:
    """A question with keys in the place of numbers."""
    found: Value = _encoded(evaluator, question, handles=False)
    return found


def decoded(evaluator: Evaluator, question: Value) -> Value:
    """An encoded question with the present numbers.

    Raises:
        KeyError: it is about a function or class that is not there any more.
    """
    found: Value = _decoded(evaluator, question)
    return found


def _encoded(evaluator: Evaluator, part: Any, *, handles: bool) -> Any:
    if type(part) is not tuple:
        return part
    if len(part) == 3 and part[0] in _OF_PROJECT and type(part[2]) is int:
        kind, path, index = part
        key = _keys(evaluator, path)[0][index]
        return (kind, path, key, _handle(evaluator, path, index)) if handles else (kind, path, key)
    return tuple([_encoded(evaluator, one, handles=handles) for one in part])


def _decoded(evaluator: Evaluator, part: Any) -> Any:
    if type(part) is not tuple:
        return part
    if len(part) == 3 and part[0] in _OF_PROJECT:
        kind, path, key = part
        return (kind, path, _keys(evaluator, path)[1][key])
    return tuple([_decoded(evaluator, one) for one in part])


# ---- functions and classes


def _keys(evaluator: Evaluator, path: str) -> tuple[Sequence[str], Mapping[str, int]]:
    """The keys of the scopes of a file by number, and the numbers by key."""
    return evaluator.table(("keys", path), lambda: _make_keys(evaluator.facts(path)))


def _make_keys(facts: Facts | None) -> tuple[Sequence[str], Mapping[str, int]]:
    """What a scope is called, and that of the scope around it in front; of several with one name the number of it."""
    keys: list[str] = []
    numbers: dict[str, int] = {}
    counts: dict[str, int] = {}
    for index, scope in enumerate(facts.scopes if facts is not None else ()):
        key = f"{keys[scope.parent]}.{scope.name or scope.kind}" if scope.parent >= 0 else ""
        if scope.kind == "class":
            key += ":"  # never taken for a function
        count = counts[key] = counts.get(key, -1) + 1
        if count:
            key = f"{key}#{count}"
        keys.append(key)
        numbers[key] = index
    return keys, numbers


def _handle(evaluator: Evaluator, path: str, index: int) -> bytes:
    """The digest of what whoever knows of a function or class may read off it, without a question."""
    return evaluator.table(("handle", path, index), lambda: _make_handle(evaluator, path, index))


def _make_handle(evaluator: Evaluator, path: str, index: int) -> bytes:
    facts = evaluator.facts(path)
    assert facts is not None
    scope = facts.scopes[index]
    content: tuple[object, ...] = (scope.kind, scope.name, scope.qualname)
    if scope.kind in FUNCTIONS:
        content += _of_function(evaluator, path, facts, index, scope)
    return hashlib.blake2b(marshal.dumps(content, 2), digest_size=_SIZE).digest()


def _of_function(
    evaluator: Evaluator, path: str, facts: Facts, index: int, scope: Scope
) -> tuple[object, ...]:
    asked, to_call = guards.of_parameters(evaluator, path, facts)
    return (
        scope.generator,
        facts.scopes[scope.parent].kind == "class",
        [(param.name, param.kind, _shallow(param.default)) for param in scope.params],
        [_shallow(decorator) for decorator in scope.decorators],
        sorted(asked.get(index, _NO_NAMES)),
        sorted(to_call.get(index, _NO_NAMES)),
        sorted(receivers.called_of_self(evaluator, path, index)),
        [decorators.runs_its_function(evaluator, path, facts, index, layers) for layers in (0, 1)],
    )


def _shallow(expr: Expr | None) -> object:
    """An expression as far as it can be told apart without an evaluator."""
    if expr is None or expr[0] in (model.CONST, model.NAME):
        return expr
    return (expr[0], expr[2]) if expr[0] == model.ATTR else expr[0]
