"""What is known of an object's attributes from how it was made: ``Logger()`` without ``file=`` never opens the file.

Only attributes that ``__init__`` sets, once and for all, to a constant or to one of its parameters, and that some condition asks
about. What is known travels as a part of what is known of a method's parameters, under the name ``.attribute``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from asgiway_lint.analysis import members
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.handed import is_constant
from asgiway_lint.analysis.values import CLASS, Value
from asgiway_lint.facts import Facts, model
from asgiway_lint.facts.model import Call, Expr, Scope

if TYPE_CHECKING:
    from asgiway_lint.analysis.guards import Known

__all__ = ["argument", "conditions", "fixed", "kind_of", "of_receiver", "sets", "stored"]

_INIT: Final = "__init__"


def stored(scope: Scope) -> Mapping[str, str]:
    """The attributes that a method sets once, to one of its parameters: ``self.x`` as written -> name of the parameter."""
    if not scope.params:
        return {}
    me = (model.NAME, scope.params[0].name)
    found: dict[str, str] = {}
    for base, name, binding in scope.attributes:
        text = f"{me[1]}.{name}"
        given: Expr | None = binding.a if binding.kind == "value" else binding.b if binding.kind == "ann" else None
        plain = given is not None and given[0] == model.NAME and is_constant(scope, given[1])
        if base == me and text not in found and given is not None and plain and binding.block == scope.body:
            found[text] = given[1]
        elif base == me:
            found[text] = ""
    return {text: name for text, name in found.items() if name}


def of_receiver(evaluator: Evaluator, at: str, call: Call, caller: Known) -> Known:
    """What is known of the object whose method is called.

    Args:
        evaluator: the run's evaluator.
        at: the file of the call.
        call: the call.
        caller: what is known around it.
    """
    if call.callee[0] != model.ATTR:
        return ()
    facts = evaluator.facts(at)
    assert facts is not None
    base: Expr = call.callee[1]
    if base[0] == model.NAME:
        if _is_self(facts, call.scope, base[1]):
            return tuple([pair for pair in caller if pair[0][0] == "."])
        made = _made(facts, call.scope, base[1])
        if made is None:
            return ()
        base = made
    if base[0] != model.CALL:
        return ()
    index: int = base[1]
    return evaluator.table(("state", at, index), lambda: _of_call(evaluator, at, facts.calls[index]))


def _is_self(facts: Facts, index: int, name: str) -> bool:
    while index >= 0 and facts.scopes[index].kind in ("comp", "gen", "lambda"):
        index = facts.scopes[index].parent
    scope = facts.scopes[index]
    return scope.kind == "def" and bool(scope.params) and scope.params[0].name == name and is_constant(scope, name)


def _made(facts: Facts, index: int, name: str) -> Expr | None:
    """The call whose result a name certainly is."""
    while index >= 0:
        scope = facts.scopes[index]
        bindings = scope.bindings.get(name)
        if bindings is not None and scope.kind != "class":
            only = bindings[0] if len(bindings) == 1 else None
            return only.a if only is not None and only.kind == "value" and only.b == () else None
        index = scope.parent
    return None


def _of_call(evaluator: Evaluator, at: str, made: Call) -> Known:
    values = evaluator.callee(at, made)
    if len(values) != 1 or values[0][0] != CLASS:
        return ()
    path, owner = values[0][1], values[0][2]
    given_once = fixed(evaluator, path, owner)
    init = members.find_function(evaluator, path, owner, _INIT)
    if not given_once or init is None:
        return ()
    facts = evaluator.facts(init[0])
    assert facts is not None
    scope = facts.scopes[init[1]]
    found: list[tuple[str, str]] = []
    for name, source in given_once.items():
        if source[0] == model.NAME:
            position = next(place for place, param in enumerate(scope.params) if param.name == source[1])
            given = argument(scope, made, position, bound=True)
        else:
            given = source
        kind = kind_of(given)
        if kind is not None:
            found.append((f".{name}", kind))
    return tuple(sorted(found))


def fixed(evaluator: Evaluator, path: str, owner: int) -> Mapping[str, Expr]:
    """The attributes that a class sets once, in ``__init__``, and that its conditions ask about: the parameter or constant."""
    evaluator.ask(path, ("fixed", (CLASS, path, owner)))
    return evaluator.table(("fixed attributes", path, owner), lambda: _fixed(evaluator, path, owner))


def _fixed(evaluator: Evaluator, path: str, owner: int) -> dict[str, Expr]:
    chain = [base for base in members.bases(evaluator, path, owner) if base[0] == CLASS]
    init = members.find_function(evaluator, path, owner, _INIT)
    if init is None:
        return {}
    set_by: dict[str, list[tuple[str, int, Expr, bool]]] = {}
    asked: set[str] = set()
    for base in chain:
        asked |= conditions(evaluator, base[1])
    for base in chain:
        for name, index, expr, top in sets(evaluator, base):
            set_by.setdefault(name, []).append((base[1], index, expr, top))
    facts = evaluator.facts(init[0])
    assert facts is not None
    scope = facts.scopes[init[1]]
    found: dict[str, Expr] = {}
    for name, places in set_by.items():
        at, index, expr, top = places[0]
        if name not in asked or len(places) != 1 or (at, index) != init or not top:
            continue
        if expr[0] == model.CONST or (expr[0] == model.NAME and is_constant(scope, expr[1])):
            found[name] = expr
    return found


def conditions(evaluator: Evaluator, path: str) -> frozenset[str]:
    """The attributes, of whatever objects, that conditions in a file ask about."""
    evaluator.ask(path, ("conditions", path))
    facts = evaluator.facts(path)
    blocks = facts.blocks if facts is not None else ()
    return frozenset(name for block in blocks for text, _ in block.guard for name in text.split(".")[1:2])


def sets(evaluator: Evaluator, owner: Value) -> list[tuple[str, int, Expr, bool]]:
    """Where the methods of a class set attributes: name, method, what they are set to, and whether that is done in any case."""
    evaluator.ask(owner[1], ("sets", owner))
    facts = evaluator.facts(owner[1])
    assert facts is not None
    found: list[tuple[str, int, Expr, bool]] = []
    for name, bindings in members.assigned(evaluator, owner[1], owner[2]).items():
        for index, binding in bindings:
            plain = binding.kind == "value" and binding.b == ()
            expr: Expr = (binding.a if plain else binding.b if binding.kind == "ann" else None) or model.OTHER_EXPR
            found.append((name, index, expr, binding.block == facts.scopes[index].body))
    return found


def argument(scope: Scope, call: Call, position: int, *, bound: bool) -> Expr | None:
    """What a call gives for a function's parameter, its default included; None if that cannot be seen."""
    param = scope.params[position]
    if param.kind not in ("pos", "kw"):
        return None
    for name, value in call.keywords:
        if name == param.name:
            return value
    if any(arg[0] == model.STAR for arg in call.args) or any(name is None for name, _ in call.keywords):
        return None
    place = position - bound
    if param.kind == "pos" and 0 <= place < len(call.args):
        return call.args[place]
    return param.default


def kind_of(given: Expr | None) -> str | None:
    """Whether a constant is None, another false value, or a true one; None if it is no constant."""
    if given is None or given[0] != model.CONST:
        return None
    return "none" if given[1] is None else "true" if given[1] else "false"
