"""What files want to know of each other, and what they were told: the questions that `Evaluator.ask` writes down, and their answers.

Whatever the analysis of one file finds out of another goes through one of these questions, or is a part of the *handle* of a function or
class that an answer names: what anybody who knows of it may read off it. So a file's findings can only change with an answer that
it was given.

Between runs functions and classes go by keys (`keys_of`), as their numbers change with every edit, and an answer is kept as a digest.
"""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Mapping, Sequence
from typing import Any, Final

from asgiway_lint.analysis import (
    declared,
    decorators,
    guards,
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

__all__ = ["UNSURE", "answered", "decoded", "told"]

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


def _chain(evaluator: Evaluator, function: Value, known: guards.Known, code: str) -> object:
    found = Propagation.of(evaluator).chain_of((function[1], function[2], known), code)
    if found is None:
        return None
    steps, site = found
    run = [
        (step.path, step.hop.line, step.hop.column, step.function and (FUNCTION, *step.function[:2])) for step in steps
    ]
    return (*run, site.entry.name, site.entry.rule, site.symbol)


def _answer(evaluator: Evaluator, question: Value) -> object:
    """What a new run says to a question."""
    kind: str = question[0]
    about: Any = question[1]
    rest: tuple[Any, ...] = question[2:]
    match kind:
        case "abstract":
            return declared.is_abstract(evaluator, about)
        case "asks":
            return questions.is_question(evaluator, *about[1:])
        case "attribute":
            return members.attribute(evaluator, about, *rest)
        case "bases":
            return members.bases(evaluator, *about[1:])
        case "chain":
            return _chain(evaluator, about, *rest)
        case "conditions":
            return tuple(sorted(states.conditions(evaluator, about)))
        case "differs":
            return receivers.differs(evaluator, about, *rest[0][1:])
        case "ends":
            return _ends(evaluator, about, *rest)
        case "find":
            found = evaluator.finder.locate(about, *rest)
            return found and (found.path, found.folder)
        case "fixed":
            return tuple(sorted(states.fixed(evaluator, *about[1:]).items()))
        case "has":
            return receivers.has(evaluator, about, *rest)
        case "key":
            return relations.states_key(evaluator, about, *rest)
        case "kind":
            return decorators.kind(evaluator, *about[1:])
        case "member":
            return names.member(evaluator, Module(about, rest[0]), rest[1])
        case "metaclass":
            return targets.has_metaclass(evaluator, about)
        case "own":
            return members.own_member(evaluator, about, *rest)
        case "reached":
            return tuple(sorted(receivers.reached(evaluator, *about[1:])))
        case "returns":
            return called(evaluator, about, None, about[1])
        case "sets":
            return _sets(evaluator, about)
        case "stated":
            return _stated(evaluator, about, *rest)
        case _:
            raise ValueError(f"nobody asks {kind!r}")


def told(evaluator: Evaluator, path: str, question: Value) -> bytes:
    """The digest of the answer to a question about the file `path`."""
    asker, evaluator.current = evaluator.current, path
    try:
        answer = _answer(evaluator, question)
        if _memory_key(path, question) in evaluator.unsure:
            return UNSURE
        content = _encoded(evaluator, answer, handles=True)
    finally:
        evaluator.current = asker
    return _digest(content)


def _digest(content: Any) -> bytes:
    # Later versions of the format tell apart what is shared and what is not.
    return hashlib.blake2b(marshal.dumps(content, 2), digest_size=_SIZE).digest()


def answered(evaluator: Evaluator, path: str, question: Value) -> tuple[Value, bytes]:
    """A question about the file `path`, encoded, and the digest of the answer."""
    key = ("told", path, question)
    return evaluator.table(key, lambda: (_encoded(evaluator, question, handles=False), told(evaluator, path, question)))


def _memory_key(path: str, question: Value) -> tuple[object, ...]:
    kind = question[0]
    if kind == "member":
        return ("member", path, *question[2:])
    if kind in ("bases", "returns"):
        return (kind, *question[1][1:])
    return (kind, path, *question[1:])


def decoded(evaluator: Evaluator, question: Value) -> Value:
    """An encoded question with the present numbers.

    Raises:
        KeyError: it is about a function or class that is not there any more.
    """
    found: Value = _decoded(evaluator, question)
    return found


def _encoded(evaluator: Evaluator, part: Any, *, handles: bool) -> Any:
    if not isinstance(part, tuple):
        return part
    parts: tuple[Any, ...] = part  # pyright: ignore[reportUnknownVariableType]
    if len(parts) == 3 and parts[0] in _OF_PROJECT and isinstance(parts[2], int):
        kind, path, index = parts
        key = _keys(evaluator, path)[0][index]
        return (kind, path, key, _handle(evaluator, path, index)) if handles else (kind, path, key)
    return tuple([_encoded(evaluator, one, handles=handles) for one in parts])


def _decoded(evaluator: Evaluator, part: Any) -> Any:
    if not isinstance(part, tuple):
        return part
    parts: tuple[Any, ...] = part  # pyright: ignore[reportUnknownVariableType]
    if len(parts) == 3 and parts[0] in _OF_PROJECT:
        kind, path, key = parts
        return (kind, path, _keys(evaluator, path)[1][key])
    return tuple([_decoded(evaluator, one) for one in parts])


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
    return _digest(content)


def _of_function(evaluator: Evaluator, path: str, facts: Facts, index: int, scope: Scope) -> tuple[object, ...]:
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
