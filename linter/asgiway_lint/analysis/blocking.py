"""Whether one call, or one ``with`` or ``for``, blocks by itself: what it may call, by the catalogue, under its predicate."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Final

from asgiway_lint.analysis import calls
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.values import (
    BOUND,
    EXT,
    FUNCTION,
    INSTANCE,
    METHOD,
    NONE,
    PARTIAL,
    TEXT,
    Place,
    Value,
    Values,
)
from asgiway_lint.catalogue import CallArguments, Entry, blocks
from asgiway_lint.catalogue.predicates import UNKNOWN, Argument, Instance, Symbol
from asgiway_lint.facts import model
from asgiway_lint.facts.model import ARM_CALM, AWAITED, Call, Event, Expr, Facts

__all__ = ["Site", "direct_call", "direct_event", "entry_of", "reference"]

_FILE_CONTENT: Final = "AW108"
_SLEEP: Final = "time.sleep"
# A lock that was made a line above is free.
_NEW_LOCKS: Final = frozenset(
    f"threading.{name}.acquire" for name in ("Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition")
)
# Of a datagram socket they send nothing and wait for nobody: the usual way to ask for one's own address.
_CONNECTED: Final = frozenset({"socket.socket.connect", "socket.socket.connect_ex"})
# What may be called on descriptors that do not block, with or without a sign of that in sight.
_MAY_BE_CALM: Final = ("socket.socket.", "ssl.SSLSocket.", "os.read", "os.write", "os.sendfile", "fcntl.")


@dataclass(frozen=True, slots=True)
class Site:
    """Something that blocks.

    Attributes:
        entry: the catalogue's word on it.
        symbol: its qualified name for people.
    """

    entry: Entry
    symbol: str


def direct_call(evaluator: Evaluator, path: str, facts: Facts, index: int, values: Values) -> Site | None:
    """The blocking API that a call calls, or None.

    Args:
        evaluator: the run's evaluator.
        path: the file of the call.
        facts: its facts.
        index: the call's index in them.
        values: what it may call.
    """
    call = facts.calls[index]
    if call.flags & AWAITED:
        return None
    site: Site | None = None
    for value in values:
        if value == NONE:
            continue
        found = entry_of(evaluator, value)
        if found is None:
            return None  # one of the possibilities does not block: no accusation
        site = site or found
    if site is None or site.entry.kind == "context_manager":
        return None
    if site.entry.predicate and not blocks(site.entry.predicate, arguments(evaluator, path, call)):
        return None
    if _silenced(evaluator, path, facts, call, values) or _awaited_later(facts, call, index):
        return None
    if site.entry.rule == _FILE_CONTENT and calls.in_memory(evaluator, path, call):
        return None
    if site.entry.name == _SLEEP and arguments(evaluator, path, call).get(0, "") == 0:
        site = dataclasses.replace(site, entry=_checkpoint(site.entry))
    if site.entry.name in _NEW_LOCKS and _is_new(facts, call):
        return None
    if site.entry.name.startswith(_MAY_BE_CALM) and _is_calm(facts, call.block):
        return None
    if site.entry.name in _CONNECTED and _is_datagram(evaluator, path, facts, call):
        return None
    return site


def _checkpoint(entry: Entry) -> Entry:
    """``time.sleep(0)`` gives way to other threads; what was meant is to give way to other tasks."""
    return dataclasses.replace(
        entry,
        use="asyncio.sleep(0), which lets other tasks run",
        use_anyio="anyio.lowlevel.checkpoint",
        use_trio="trio.lowlevel.checkpoint",
    )


def direct_event(evaluator: Evaluator, path: str, event: Event) -> Site | None:
    """The blocking API behind a ``with`` or ``for``, or None."""
    if event.kind not in ("enter", "iter"):
        return None
    place = Place(path, event.scope, event.seq, event.block)
    if event.kind == "enter" and event.expr[0] == model.CALL:
        call = evaluator.call(path, event.expr[1])
        names = evaluator.callee(path, call)
        entries = [evaluator.catalogue.find(value[1]) if value[0] == EXT else None for value in names]
        if entries and all(entry is not None and entry.kind == "context_manager" for entry in entries):
            entry = entries[0]
            assert entry is not None
            if not entry.predicate or blocks(entry.predicate, arguments(evaluator, path, call)):
                return Site(entry, names[0][1])
            return None
    method = "__enter__" if event.kind == "enter" else "__next__"
    site: Site | None = None
    for value in evaluator.values(event.expr, place):
        if value == NONE:
            continue
        entry = evaluator.catalogue.find_method(value[1], method) if value[0] == INSTANCE else None
        if entry is None:
            return None
        site = site or Site(entry, value[1])
    return site


def arguments(evaluator: Evaluator, path: str, call: Call) -> CallArguments:
    """A call's arguments as predicates see them."""
    place = Place(path, call.scope, call.seq, call.block)
    positional: list[Argument] = []
    starred = False
    for expr in call.args:
        if expr[0] == model.STAR:
            starred = True
            break
        positional.append(_argument(evaluator, expr, place))
    keywords = {name: _argument(evaluator, expr, place) for name, expr in call.keywords if name is not None}
    return CallArguments(tuple(positional), keywords, starred or any(name is None for name, _ in call.keywords))


def _argument(evaluator: Evaluator, expr: Expr, place: Place) -> Argument:
    if expr[0] == model.CONST:
        constant: Argument = expr[1]
        return constant
    if expr[0] == model.CALL:
        made_by = evaluator.callee(place.path, evaluator.call(place.path, expr[1]))
        if made_by == ((EXT, "builtins.str"),):
            return Instance("builtins.str")
    values = evaluator.values(expr, place)
    if len(values) != 1:
        return UNKNOWN
    value = values[0]
    if value[0] == INSTANCE:
        return Instance(value[1])
    if expr[0] in (model.NAME, model.ATTR):
        if value[0] == EXT:
            return Symbol(value[1])
        if value[0] == TEXT:
            text: str = value[1]
            return text
        if value == NONE:
            return None
    return UNKNOWN


def entry_of(evaluator: Evaluator, value: Value) -> Site | None:
    """What the catalogue says of calling a value; None if it is not known to block, or not reported unasked."""
    kind: str = value[0]
    catalogue = evaluator.catalogue
    if kind == EXT:
        name = value[1]
        if not catalogue.concerns(name.partition(".")[0]):
            return None
        entry = catalogue.find(name)
    elif kind == METHOD:
        entry = catalogue.find_method(value[1], value[2])
        # Names that stand for something have no meaning to people.
        name = f"{value[1]}.{value[2]}" if entry is None or "._" not in value[1] else entry.name
    elif kind == INSTANCE:
        name = value[1]
        entry = catalogue.find_method(name, "__call__")
    elif kind in (FUNCTION, BOUND) and catalogue.customised:
        name = evaluator.dotted(value[1], value[2])
        entry = catalogue.custom_entry(name)[1]
    elif kind == PARTIAL and len(value[1]) == 1:
        inner = entry_of(evaluator, value[1][0])
        # Which argument is which cannot be seen from the call alone.
        return inner if inner is not None and not inner.entry.predicate else None
    else:
        return None
    return Site(entry, entry.name.removesuffix(".*") if kind == EXT else name) if entry and entry.default else None


def reference(evaluator: Evaluator, values: Values) -> Site | None:
    """What blocks if one of some values is called by somebody else, whatever the arguments."""
    sites = [entry_of(evaluator, value) for value in values]
    first = sites[0] if sites else None
    if first is None or first.entry.predicate or first.entry.kind == "context_manager":
        return None
    return first if None not in sites else None


def _silenced(evaluator: Evaluator, path: str, facts: Facts, call: Call, values: Values) -> bool:
    """Whether another call on the same object makes this one harmless (``setblocking(False)``, ``done()``)."""
    if call.callee[0] != model.ATTR:
        return False
    receiver = call.callee[1]
    for value in values:
        if value[0] != METHOD:
            continue
        silencers = evaluator.catalogue.silenced_by(value[1])
        if not silencers:
            continue
        for other in facts.calls:
            if other.callee[0] != model.ATTR or other.callee[1] != receiver or other.callee[2] not in silencers:
                continue
            if receiver[0] == model.NAME and other.scope != call.scope:
                continue
            if blocks(silencers[other.callee[2]], arguments(evaluator, path, other)):
                return True
    return False


def _awaited_later(facts: Facts, call: Call, index: int) -> bool:
    """Whether the result is kept in a variable that is awaited: then it is no blocking call, whatever its type seems to be."""
    if call.callee[0] != model.ATTR:
        return False
    kept = {
        name
        for name, bindings in facts.scopes[call.scope].bindings.items()
        if any(binding.kind == "value" and binding.a == (model.CALL, index) for binding in bindings)
    }
    return bool(kept) and any(
        event.kind == "await" and event.scope == call.scope and event.expr[0] == model.NAME and event.expr[1] in kept
        for event in facts.events
    )


def _is_new(facts: Facts, call: Call) -> bool:
    """Whether the receiver is a variable that got its value by the last call before this one."""
    receiver = call.callee[1]
    if receiver[0] != model.NAME:
        return False
    for binding in facts.scopes[call.scope].bindings.get(receiver[1], ()):
        if (
            binding.kind == "value"
            and binding.a[0] == model.CALL
            and binding.block == call.block
            and binding.seq < call.seq
        ):
            between = (other.seq for other in facts.calls if other.scope == call.scope)
            if not any(binding.seq < seq < call.seq for seq in between):
                return True
    return False


def _is_calm(facts: Facts, block: int) -> bool:
    """Whether a block lies in a ``try`` that expects a call not to wait."""
    while block >= 0:
        if facts.blocks[block].flags & ARM_CALM:
            return True
        block = facts.blocks[block].parent
    return False


def _is_datagram(evaluator: Evaluator, path: str, facts: Facts, call: Call) -> bool:
    """Whether the receiver is a variable that holds a socket made with ``SOCK_DGRAM``."""
    receiver = call.callee[1]
    if receiver[0] != model.NAME:
        return False
    for binding in facts.scopes[call.scope].bindings.get(receiver[1], ()):
        if binding.kind in ("value", "enter") and binding.a[0] == model.CALL:
            made = evaluator.call(path, binding.a[1])
            place = Place(path, made.scope, made.seq, made.block)
            for given in (*made.args, *[value for _, value in made.keywords]):
                if (EXT, "socket.SOCK_DGRAM") in evaluator.values(given, place):
                    return True
    return False
