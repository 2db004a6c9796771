"""Conditions on parameters: what stands under ``if path is not None:`` does not run for a caller who gives no path.
And conditions that hold once: ``if self._client is None: self._client = connect()``.

Of a parameter's value only this much is followed: it is None, it is another false value, or it is a true one; and what it is, if it
is something to be called.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from asgiway_lint.analysis import handed, receivers, states
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.values import Place, Values
from asgiway_lint.facts import Facts, model
from asgiway_lint.facts.model import Call, Expr, Scope

__all__ = [
    "PLAIN",
    "Known",
    "asked_parameters",
    "excluded",
    "given_to_call",
    "is_plain",
    "known_parameters",
    "made_once",
    "of_parameters",
    "plain",
]

Known = tuple[tuple[str, str | Values], ...]
"""Parameters whose value a caller fixes, by name: "none", "false", "true", or the values of something that may block when called. And,
by names that begin with a dot, what is known of a method's object: see `states` and `receivers`."""

PLAIN: Final[tuple[str, str | Values]] = ("", "plain")
"""In place of what a caller gives: whatever it gives. What does not block then blocks for no caller, and that is nearly everything, so
that nobody has to look at arguments."""

# Kind of value -> conditions of `Block.guard` that it makes true.
_OF_OBJECTS: Final = frozenset({"some", "true"})
_HOLDS: Final[Mapping[str | Values, frozenset[str]]] = {
    "none": frozenset({"none", "false"}),
    "false": frozenset({"some", "false"}),
    "true": _OF_OBJECTS,
}
_NO_NAMES: Final = frozenset[str]()
_WHATEVER: Final = (PLAIN,)
_SWITCHES: Final[tuple[Expr, ...]] = ((model.CONST, None), (model.CONST, False), (model.CONST, True))


def is_plain(known: Known) -> bool:
    """Whether what is known stands for whatever a caller may give."""
    return bool(known) and known[0][0] == PLAIN[0]  # not by identity: what was kept of an earlier run counts, too


def plain(known: Known) -> Known:
    """The same with whatever a caller may give for the parameters; the class of a method's object stays, as it leads elsewhere."""
    return (PLAIN, *[pair for pair in known if pair[0] == receivers.CLASS])


def known_parameters(
    evaluator: Evaluator,
    path: str,
    index: int,
    at: str,
    call: Call,
    caller: Known,
    *,
    bound: bool,
    whatever: bool = False,
) -> Known:
    """What a call fixes of the parameters that the function calls or that its conditions depend on.

    Args:
        evaluator: the run's evaluator.
        path, index: the function.
        at: the file of the call.
        call: the call.
        caller: what is known of the caller's own parameters.
        bound: the first parameter is given by the object or class.
        whatever: leave it at that whatever is given (`PLAIN`).
    """
    facts = evaluator.facts(path)
    assert facts is not None
    if whatever:
        if not bound or facts.scopes[facts.scopes[index].parent].kind != "class":
            return _WHATEVER
        return (PLAIN, *receivers.of_call(evaluator, path, index, at, call, caller))
    asked, called = of_parameters(evaluator, path, facts)
    wanted, to_call = asked.get(index, _NO_NAMES), called.get(index, _NO_NAMES)
    scope = facts.scopes[index]
    found: list[tuple[str, str | Values]] = []
    if bound and facts.scopes[scope.parent].kind == "class":
        found += [pair for pair in states.of_receiver(evaluator, at, call, caller) if pair[0] != receivers.CLASS]
        found += receivers.of_call(evaluator, path, index, at, call, caller)
    if not wanted and not to_call:
        return tuple(sorted(found, key=lambda pair: pair[0]))
    if bound and (model.NAME, "staticmethod") in scope.decorators:
        bound = False
    for position, param in enumerate(scope.params):
        if param.name not in wanted and param.name not in to_call:
            continue
        given = states.argument(scope, call, position, bound=bound)
        kind = _kind(given, caller) if param.name in wanted or (given is not None and given[0] == model.NAME) else None
        if kind is None and given is not None and given is not param.default and param.name in to_call:
            kind = handed.callables(evaluator, given, Place(at, call.scope, call.seq, call.block)) or None
        if kind is not None:
            found.append((param.name, kind))
    return tuple(sorted(found, key=lambda pair: pair[0]))


def of_parameters(
    evaluator: Evaluator, path: str, facts: Facts
) -> tuple[Mapping[int, frozenset[str]], Mapping[int, frozenset[str]]]:
    """For each function of a file the parameters that its conditions depend on, and those that it calls."""
    asked = evaluator.table(("guarded", path), lambda: asked_parameters(facts))
    return asked, evaluator.table(("calls parameters", path), lambda: handed.calls_parameters(facts))


def given_to_call(facts: Facts, call: Call, home: Scope, known: Known) -> Values | None:
    """What a call in the function `home` calls, if that is a parameter for which the caller gave something to be called."""
    if call.callee[0] != model.NAME:
        return None
    name = call.callee[1]
    given = next((value for parameter, value in known if parameter == name), None)
    if given is None or isinstance(given, str):
        return None
    scope = facts.scopes[call.scope]
    while scope is not home:
        if name in scope.bindings or scope.parent < 0:
            return None
        scope = facts.scopes[scope.parent]
    return given


def excluded(facts: Facts, block: int, function: Scope, known: Known) -> bool:
    """Whether code in `block` of `function` does not run when its parameters are as `known`."""
    if not known or is_plain(known):
        return False
    kinds = dict(known)
    me = f"{function.params[0].name}." if function.params else "."
    while block >= 0 and block != function.body:
        for name, condition in facts.blocks[block].guard:
            kind = kinds.get(name)
            if kind is None and name.startswith(me):
                kind = kinds.get(name[len(me) - 1 :]) or kinds.get(states.stored(function).get(name, ""))
            if kind is not None and condition != "perhaps" and condition not in _HOLDS.get(kind, _OF_OBJECTS):
                return True
        block = facts.blocks[block].parent
    return False


def made_once(facts: Facts, block: int, function: Scope) -> bool:
    """Whether code in `block` of `function` only fills an attribute or global variable that is empty at first.

    Such a function is there to be called again and again, and takes long once.
    """
    while block >= 0 and block != function.body:
        for name, condition in facts.blocks[block].guard:
            if condition in ("none", "false", "perhaps") and _filled(facts, block, function, name):
                return True
        block = facts.blocks[block].parent
    return False


def _filled(facts: Facts, block: int, function: Scope, name: str) -> bool:
    """Whether code in `block` sets the attribute or global variable `name`."""
    owner, _, last = name.rpartition(".")
    if owner:
        places = [b.block for base, attribute, b in function.attributes if attribute == last and _text(base) == owner]
    else:
        places = [binding.block for binding in facts.scopes[0].bindings.get(name, ())]
    return any(_inside(facts, place, block) for place in places)


def _inside(facts: Facts, block: int, outer: int) -> bool:
    while block >= 0 and block != outer:
        block = facts.blocks[block].parent
    return block == outer


def _text(expr: Expr) -> str:
    """A dotted name as text; with a question mark in it for anything else."""
    rest = ""
    while expr[0] == model.ATTR:
        rest = f".{expr[2]}{rest}"
        expr = expr[1]
    return f"{expr[1] if expr[0] == model.NAME else '?'}{rest}"


def _kind(given: Expr | None, caller: Known) -> str | Values | None:
    if given is not None and given[0] == model.NAME:
        return dict(caller).get(given[1])
    return states.kind_of(given)


def asked_parameters(facts: Facts) -> dict[int, frozenset[str]]:
    """For each function the parameters that its conditions ask about, if nothing else is ever assigned to them."""
    bodies = {scope.body: index for index, scope in enumerate(facts.scopes) if scope.kind in ("def", "lambda")}
    found: dict[int, set[str]] = {}
    for block in facts.blocks:
        if not block.guard:
            continue
        around = block.parent
        while around >= 0 and around not in bodies:
            around = facts.blocks[around].parent
        if around < 0:
            continue
        scope = facts.scopes[bodies[around]]
        for asked, _ in block.guard:
            name = states.stored(scope).get(asked, asked) if "." in asked else asked
            if handed.is_constant(scope, name):
                found.setdefault(bodies[around], set()).add(name)
    # A parameter that is handed on may matter further down.
    for call in facts.calls:
        scope = facts.scopes[call.scope]
        if scope.kind != "def":
            continue
        switches = [param.name for param in scope.params if param.default in _SWITCHES]
        for given in (*call.args, *[value for _, value in call.keywords]) if switches else ():
            if given[0] == model.NAME and given[1] in switches and handed.is_constant(scope, given[1]):
                found.setdefault(call.scope, set()).add(given[1])
    return {index: frozenset(names) for index, names in found.items()}
