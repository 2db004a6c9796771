"""Methods that are inherited call the methods of their object's own class: ``report.run()`` runs ``Report.write`` where ``run`` stands
in a base and says ``self.write()``; so does ``Report()`` if that is said in the base's ``__init__``.

The class travels as a part of what is known of a method's parameters (`guards.Known`), under the name `CLASS`, and only where it says
more than the code does: the method is another class's, and calls methods of its object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asgiway_lint.analysis import members
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.handed import is_constant
from asgiway_lint.analysis.values import CLASS as CLASS_OBJECT
from asgiway_lint.analysis.values import FUNCTION, NONE, OBJECT, SUPER, Place, Value, Values, union
from asgiway_lint.facts import Facts, model
from asgiway_lint.facts.builder import FUNCTIONS
from asgiway_lint.facts.model import Call, Scope

if TYPE_CHECKING:
    from asgiway_lint.analysis.guards import Known

__all__ = ["CLASS", "called_of_self", "calls_self", "differs", "has", "methods_of", "of_call", "reached"]

CLASS: Final = ".class"
_NOTHING: Final = frozenset[str]()


def of_call(evaluator: Evaluator, path: str, index: int, at: str, call: Call, caller: Known) -> Known:
    """What a call of a method says of the class of its object.

    Args:
        evaluator: the run's evaluator.
        path, index: the method.
        at: the file of the call.
        call: the call.
        caller: what is known around it.
    """
    facts = evaluator.facts(path)
    assert facts is not None
    own = (OBJECT, path, facts.scopes[index].parent)
    # Nearly all calls of methods are of the class's own.
    receiver = _myself(evaluator, at, call, caller)
    if receiver == own or not reached(evaluator, path, index):
        return ()
    receiver = receiver or _receiver(evaluator, at, call, caller)
    if receiver is None or receiver == own:
        return ()
    return ((CLASS, (receiver,)),) if differs(evaluator, receiver, path, index) else ()


def differs(evaluator: Evaluator, receiver: Value, path: str, index: int) -> bool:
    """Whether what a method calls of its object is something else in `receiver` than in an object of the method's own class."""
    evaluator.ask(receiver[1], ("differs", receiver, (FUNCTION, path, index)))
    key = ("differs", *receiver[1:], path, index)
    return evaluator.table(key, lambda: _differs(evaluator, receiver, path, index))


def _differs(evaluator: Evaluator, receiver: Value, path: str, index: int) -> bool:
    facts = evaluator.facts(path)
    assert facts is not None
    own = facts.scopes[index].parent
    names = reached(evaluator, path, index)
    return any(
        _source(evaluator, receiver[1], receiver[2], name) != _source(evaluator, path, own, name) for name in names
    )


def _source(evaluator: Evaluator, path: str, index: int, name: str) -> Value | None:
    """The class among a class and its bases that gives its objects an attribute; None if none of the project does."""
    for base in members.bases(evaluator, path, index):
        if base[0] != CLASS_OBJECT:
            continue
        if has(evaluator, base, name):
            return base
    return None


def has(evaluator: Evaluator, owner: Value, name: str) -> bool:
    """Whether a class of the project itself gives its objects an attribute."""
    evaluator.ask(owner[1], ("has", owner, name))
    if members.stated(evaluator, owner, name) is not None:
        return True
    return name in members.assigned(evaluator, owner[1], owner[2])


def reached(evaluator: Evaluator, path: str, index: int) -> frozenset[str]:
    """What a method calls of its object: itself, and through other methods of its class and the bases of that."""
    evaluator.ask(path, ("reached", (FUNCTION, path, index)))
    return evaluator.table(("calls of self", path, index), lambda: _reach(evaluator, path, index))


def _reach(evaluator: Evaluator, path: str, index: int) -> frozenset[str]:
    found: set[str] = set()
    facts = evaluator.facts(path)
    assert facts is not None
    pending = set(called_of_self(evaluator, path, index))
    chain = members.bases(evaluator, path, facts.scopes[index].parent) if pending else ()
    while pending:
        name = pending.pop()
        found.add(name)
        for base in chain:
            for binding in members.stated(evaluator, base, name) or ():
                if binding.kind == "def":
                    pending |= called_of_self(evaluator, base[1], binding.a) - found
    return frozenset(found)


def called_of_self(evaluator: Evaluator, path: str, index: int) -> frozenset[str]:
    """The attributes of its own object that a function calls."""
    facts = evaluator.facts(path)
    assert facts is not None
    return evaluator.table(("calls self", path), lambda: calls_self(facts)).get(index, _NOTHING)


def _myself(evaluator: Evaluator, at: str, call: Call, caller: Known) -> Value | None:
    """The object of the method around a call, if it is that whose method is called."""
    if call.callee[0] != model.ATTR or call.callee[1][0] != model.NAME:
        return None
    facts = evaluator.facts(at)
    assert facts is not None
    owner = _owner(facts, call.scope, call.callee[1][1])
    return None if owner is None else _given(caller) or (OBJECT, at, owner)


def _receiver(evaluator: Evaluator, at: str, call: Call, caller: Known) -> Value | None:
    """The object whose method is called, if it is certainly one of a single class of the project."""
    makes = call.callee[0] != model.ATTR
    place = Place(at, call.scope, call.seq, call.block)
    found = [value for value in evaluator.values(call.callee if makes else call.callee[1], place) if value != NONE]
    if len(found) != 1:
        return None
    kind = found[0][0]
    if kind == SUPER:
        return _given(caller) or (OBJECT, *found[0][1:])
    if makes and kind == CLASS_OBJECT:
        return (OBJECT, *found[0][1:])
    return found[0] if kind == OBJECT and not makes else None


def _given(known: Known) -> Value | None:
    given = next((value for name, value in known if name == CLASS), None)
    return None if given is None or isinstance(given, str) else given[0]


def methods_of(evaluator: Evaluator, path: str, facts: Facts, call: Call, home: Scope, known: Known) -> Values:
    """What ``self.method()`` or ``self.part.method()`` in the function `home` calls, where the class of its object is known;
    else nothing."""
    given = _given(known)
    if given is None:
        return ()
    steps: list[str] = []
    root = call.callee
    while root[0] == model.ATTR:
        steps.append(root[2])
        root = root[1]
    if not steps or root[0] != model.NAME or not _means_self(facts, call.scope, root[1], home):
        return ()
    found: Values = (given,)
    for name in reversed(steps):
        found = union([members.attribute(evaluator, value, name) for value in found])
    return found


def _owner(facts: Facts, index: int, name: str) -> int | None:
    """The class whose method's object a name is in a scope; None for other names."""
    scopes = facts.scopes
    while index >= 0 and scopes[index].kind in ("comp", "gen", "lambda"):
        if name in scopes[index].bindings:
            return None
        index = scopes[index].parent
    owner = scopes[index].parent
    return owner if owner >= 0 and scopes[owner].kind == "class" and _is_first(scopes[index], name) else None


def _means_self(facts: Facts, index: int, name: str, home: Scope) -> bool:
    while facts.scopes[index] is not home:
        if name in facts.scopes[index].bindings or facts.scopes[index].parent < 0:
            return False
        index = facts.scopes[index].parent
    return _is_first(home, name)


def _is_first(scope: Scope, name: str) -> bool:
    return (
        scope.kind in FUNCTIONS
        and bool(scope.params)
        and scope.params[0].name == name
        and is_constant(scope, name)
        and (model.NAME, "staticmethod") not in scope.decorators
    )


def calls_self(facts: Facts) -> dict[int, frozenset[str]]:
    """For each function of a module the attributes of its own object (or of that as its base's) that it calls, or calls parts of."""
    found: dict[int, set[str]] = {}
    for call in facts.calls:
        root, name = call.callee, ""
        while root[0] == model.ATTR:
            root, name = root[1], root[2]
        if not name:
            continue
        if root[0] == model.CALL:
            position: int = root[1]
            if facts.calls[position].callee != (model.NAME, "super"):
                continue
        elif root[0] != model.NAME or _owner(facts, call.scope, root[1]) is None:
            continue
        index = call.scope
        while facts.scopes[index].kind in ("comp", "gen", "lambda"):
            index = facts.scopes[index].parent
        if facts.scopes[index].kind == "def":
            found.setdefault(index, set()).add(name)
    return {index: frozenset(names) for index, names in found.items()}
