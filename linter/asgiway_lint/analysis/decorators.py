"""What the decorators of a function of the project make of it: whether calling its name still runs its body.

Known decorators of the standard library and a few libraries do; so does one of the project that returns the function it was
given, or a plain wrapper that calls it; and so does nearly every one of an unknown library, unless its name speaks of threads, tasks
or coroutines. Every other decorator is opaque: it may hand the function to a thread. So are caches: what they hold is asked for
again and again (`get_settings()`), and takes long once.
"""

from __future__ import annotations

import re
import sys
from typing import Final

from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.members import PROPERTIES
from asgiway_lint.analysis.values import EXT, FUNCTION, Place, Values
from asgiway_lint.facts import model
from asgiway_lint.facts.model import Expr, Facts, Scope

__all__ = ["MANAGER", "OPAQUE", "PLAIN", "PROPERTY", "SETTER", "kind", "runs_its_function"]

PLAIN: Final = "plain"
PROPERTY: Final = "property"
SETTER: Final = "setter"
MANAGER: Final = "manager"
OPAQUE: Final = "opaque"

_TRANSPARENT: Final = frozenset(
    {
        "abc.abstractmethod",
        "builtins.classmethod",
        "builtins.staticmethod",
        "functools.wraps",
        "tenacity.retry",
        "typing.final",
        "typing.no_type_check",
        "typing.override",
        "typing_extensions.deprecated",
        "typing_extensions.final",
        "typing_extensions.override",
        "warnings.deprecated",
    }
)
_MANAGERS: Final = frozenset({"contextlib.contextmanager"})
# Parts of the names of decorators that do something else than to call the function, there and then.
_TELLING: Final = re.compile(
    r"actor|async|background|cach|concurren|cron|defer|event|executor|fixture|future|greenlet|hook|job|lazy|listen|loop|memo|periodic"
    r"|pool|process|property|queue|remote|schedul|spawn|subscri|task|thread|throttle|validator|worker",
    re.IGNORECASE,
)
# Decorators that are made of decorators, deeper than this, are not worth following.
_MAX_LAYERS: Final = 3


def kind(evaluator: Evaluator, path: str, index: int) -> str:
    """`PLAIN`: a call runs the body; `PROPERTY`: reading the attribute does; `SETTER`: setting it; `MANAGER`: ``with`` does; else `OPAQUE`."""
    evaluator.ask(path, ("kind", (FUNCTION, path, index)))
    return evaluator.table(("decorators", path, index), lambda: _kind(evaluator, path, index))


def _kind(evaluator: Evaluator, path: str, index: int) -> str:
    facts = evaluator.facts(path)
    if facts is None:
        return OPAQUE
    scope = facts.scopes[index]
    found = PLAIN
    place = Place(path, scope.parent, scope.seq, scope.block)
    for decorator in scope.decorators:
        one = _of_decorator(evaluator, decorator, place)
        if one == OPAQUE:
            return OPAQUE
        if one != PLAIN:
            found = one
    return found


def _of_decorator(evaluator: Evaluator, decorator: Expr, place: Place) -> str:
    if decorator[0] == model.ATTR and decorator[2] == "setter":
        return SETTER
    called = decorator[0] == model.CALL
    values: Values = (
        evaluator.callee(place.path, evaluator.call(place.path, decorator[1]))
        if called
        else evaluator.values(decorator, place)
    )
    kinds = {_of_value(evaluator, value, 1 if called else 0) for value in values}
    return kinds.pop() if len(kinds) == 1 else OPAQUE


def _of_value(evaluator: Evaluator, value: tuple[object, ...], layers: int) -> str:
    if value[0] == EXT:
        name = value[1]
        if name in _TRANSPARENT:
            return PLAIN
        if name in PROPERTIES:
            return PROPERTY
        if name in _MANAGERS:
            return MANAGER
        return PLAIN if _is_ordinary(evaluator, str(name)) else OPAQUE
    if value[0] == FUNCTION:
        path, index = value[1], value[2]
        assert isinstance(path, str)
        assert isinstance(index, int)
        facts = evaluator.facts(path)
        if evaluator.catalogue.customised and evaluator.catalogue.wrapper(evaluator.dotted(path, index)) is not None:
            return OPAQUE
        if facts is not None and runs_its_function(evaluator, path, facts, index, layers):
            return PLAIN
    return OPAQUE


def _is_ordinary(evaluator: Evaluator, name: str) -> bool:
    """Whether a library's decorator most probably calls the function where it is called."""
    top = name.partition(".")[0]
    return (
        top not in sys.stdlib_module_names
        and evaluator.catalogue.wrapper(name) is None
        and _TELLING.search(name) is None
    )


def runs_its_function(evaluator: Evaluator, path: str, facts: Facts, index: int, layers: int, depth: int = 0) -> bool:
    """Whether a decorator of the project (or, with a layer, what it returns) leaves its function in place or calls it."""
    scope = facts.scopes[index]
    if (
        scope.kind not in ("def", "lambda")
        or scope.generator
        or scope.decorators
        or not scope.results
        or depth > _MAX_LAYERS
    ):
        return False
    if layers:
        inner = [_inner(facts, index, result.expr) for result in scope.results]
        return all(
            one is not None and runs_its_function(evaluator, path, facts, one, layers - 1, depth + 1) for one in inner
        )
    if not scope.params or scope.params[0].kind != "pos":
        return False
    name = scope.params[0].name
    if len(scope.bindings.get(name, ())) != 1:
        return False
    for result in scope.results:
        if result.expr == (model.NAME, name):
            continue
        one = _inner(facts, index, result.expr)
        if one is None or not _calls(facts, one, name):
            return False
    return True


def _inner(facts: Facts, index: int, expr: Expr) -> int | None:
    """The plain function that is defined inside a function and that `expr` names."""
    if expr[0] == model.CALL:  # cast(F, wrapper)
        position: int = expr[1]
        call = facts.calls[position]
        if call.callee[-1] != "cast" or len(call.args) != 2:
            return None
        expr = call.args[1]
    if expr[0] == model.SCOPE:
        index = expr[1]
        return index if facts.scopes[index].kind == "lambda" else None
    if expr[0] != model.NAME:
        return None
    bindings = facts.scopes[index].bindings.get(expr[1], ())
    if len(bindings) != 1 or bindings[0].kind != "def":
        return None
    found: int = bindings[0].a
    scope: Scope = facts.scopes[found]
    return found if scope.kind == "def" and not scope.generator else None


def _calls(facts: Facts, index: int, name: str) -> bool:
    """Whether a wrapper calls the function that it wraps, itself."""
    if name in facts.scopes[index].bindings:
        return False
    return any(call.scope == index and call.callee == (model.NAME, name) for call in facts.calls)
