"""What a call may return: functions and classes of the project, the catalogue's result types, a few builtins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asgiway_lint.analysis import declared, members, names
from asgiway_lint.analysis.values import (
    AWAITABLE,
    BOUND,
    CLASS,
    CONTAINED,
    EXT,
    FUNCTION,
    INSTANCE,
    ITEMS,
    MANAGER,
    MAPPING,
    METHOD,
    NONE,
    NOTHING,
    OBJECT,
    PARTIAL,
    SUPER,
    TEXT,
    TUPLE,
    TYPES,
    Place,
    Value,
    Values,
    keys_of,
    looks_like_class,
    union,
)
from asgiway_lint.catalogue import Wrapper
from asgiway_lint.facts import model
from asgiway_lint.facts.model import Call, Expr

if TYPE_CHECKING:
    from asgiway_lint.analysis.evaluate import Evaluator

__all__ = ["called", "in_memory", "method_result", "results"]

_COPIES: Final = frozenset(
    f"builtins.{name}"
    for name in ["list", "tuple", "set", "frozenset", "sorted", "reversed", "iter", "aiter", "filter"]
)
_SAME: Final = frozenset(
    {"copy.copy", "copy.deepcopy", "asyncio.wait_for", "asyncio.shield", "asyncio.create_task", "asyncio.ensure_future"}
)
_MANAGERS: Final = frozenset({"contextlib.closing", "contextlib.nullcontext", "contextlib.aclosing"})
_MANAGER_DECORATORS: Final = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})


# What returns a pair: the classes of its two objects, as far as they matter.
_PAIRS: Final = {
    "multiprocessing.Pipe": ("multiprocessing.connection.Connection", "multiprocessing.connection.Connection"),
    "multiprocessing.connection.Pipe": (
        "multiprocessing.connection.Connection",
        "multiprocessing.connection.Connection",
    ),
    "socket.socket.accept": ("socket.socket", ""),
    "socket.socketpair": ("socket.socket", "socket.socket"),
}
_TEXT_FILE: Final = "io.TextIOWrapper"
_FILE_KEYWORDS: Final = frozenset({"file", "fileobj", "fp", "stream"})
_FILE_METHODS: Final = ("read", "write", "extractall", "close")
# They block as what they are given does.
_OVER_FILES: Final = frozenset({"csv.DictReader", "csv.DictWriter", "csv.reader", "csv.writer"})
# Functions that are given what they write before where to write it.
_TARGET_SECOND: Final = frozenset({"dump", "write"})
# What reads from or writes to one of these touches no file.
_IN_MEMORY: Final = frozenset({"io.BytesIO", "io.StringIO"})


def in_memory(evaluator: Evaluator, path: str, call: Call) -> bool:
    """Whether the file that a call is given lives in memory (`Image.open(BytesIO(data))`, `open(fileobj=buffer)`, `json.dump(x, buffer)`)."""
    count = 2 if call.callee[-1] in _TARGET_SECOND else 1
    given = [*call.args[:count], *[value for name, value in call.keywords if name in _FILE_KEYWORDS]]
    place = _place(path, call)
    return any(v[0] == INSTANCE and v[1] in _IN_MEMORY for expr in given for v in evaluator.values(expr, place))


def _is_file(evaluator: Evaluator, dotted: str) -> bool:
    """Whether the methods of a library's type read or write files."""
    return any(
        entry is not None and entry.rule == "AW108"
        for entry in [evaluator.catalogue.find_method(dotted, name) for name in _FILE_METHODS]
    )


def results(evaluator: Evaluator, path: str, call: Call) -> Values:
    """What a recorded call may return."""
    return union([called(evaluator, function, call, path) for function in evaluator.callee(path, call)])


def called(evaluator: Evaluator, function: Value, call: Call | None, path: str) -> Values:
    """What calling a value may return.

    Args:
        evaluator: the run's evaluator.
        function: what is called.
        call: the call, for what depends on its arguments; None for calls that nobody wrote (a property, a dependency).
        path: the file of the call.
    """
    kind: str = function[0]
    if kind in (FUNCTION, BOUND):
        evaluator.ask(function[1], ("returns", function))
        return evaluator.once(
            ("returns", function[1], function[2]), lambda: _returned(evaluator, function[1], function[2])
        )
    if kind == CLASS:
        return ((OBJECT, function[1], function[2]),)
    if kind == EXT:
        return _external(evaluator, function[1], call, path)
    if kind == METHOD:
        return _method(evaluator, function[1], function[2], call, path)
    if kind in (INSTANCE, OBJECT):
        return method_result(evaluator, function, "__call__")
    if kind == PARTIAL:
        return union([called(evaluator, inner, None, path) for inner in function[1]])
    if kind == CONTAINED:
        return _contained(evaluator, function[1], function[2])
    if kind == TYPES:
        found: Values = function[1]
        return found
    return NOTHING


def method_result(evaluator: Evaluator, value: Value, name: str, *, items: bool = False) -> Values:
    """What calling the method `name` of an object may return; with `items`, what iterating over that gives."""
    if value[0] == INSTANCE:
        found = evaluator.catalogue.result_type(f"{value[1]}.{name}")
        return ((INSTANCE, found),) if found is not None else NOTHING
    if value[0] != OBJECT:
        return NOTHING
    parts: list[Values] = []
    for method in members.attribute(evaluator, value, name):
        for result in called(evaluator, method, None, value[1]):
            if items and result[0] == OBJECT:  # nearly always `return self`
                parts.append(method_result(evaluator, result, "__next__"))
            else:
                parts.append(evaluator.items(result) if items and result[0] != INSTANCE else (result,))
    return union(parts)


# ---- functions of the project


def _returned(evaluator: Evaluator, path: str, index: int) -> Values:
    facts = evaluator.facts(path)
    assert facts is not None
    scope = facts.scopes[index]
    outside = evaluator.end_of(path, scope.parent)
    stated = declared.instances(evaluator, scope.annotation, outside) if scope.annotation is not None else NOTHING
    if scope.generator:
        found = stated or ((ITEMS, _yielded(evaluator, path, index)),)
    else:
        found = stated
        if not stated or stated[0][0] in (NONE[0], OBJECT):
            inferred = _inferred(evaluator, path, index)
            found = declared.refined(evaluator, stated, inferred) if stated else inferred
        if scope.kind == "async":
            found = ((AWAITABLE, found),)
    for decorator in scope.decorators:
        for name in evaluator.names_of(evaluator.values(decorator, outside)):
            if name in _MANAGER_DECORATORS:
                return ((MANAGER, union([evaluator.items(value) for value in found])),)
            wrapper = evaluator.catalogue.wrapper(name)
            if wrapper is not None and wrapper.kind != "call":
                return ((AWAITABLE, found),)
    return found


def _inferred(evaluator: Evaluator, path: str, index: int) -> Values:
    facts = evaluator.facts(path)
    assert facts is not None
    scope = facts.scopes[index]
    return union([evaluator.values(r.expr, Place(path, index, r.seq, r.block)) for r in scope.results])


def _yielded(evaluator: Evaluator, path: str, index: int) -> Values:
    facts = evaluator.facts(path)
    assert facts is not None
    parts: list[Values] = []
    for result in facts.scopes[index].yields:
        place = Place(path, index, result.seq, result.block)
        if result.expr[0] == model.STAR:
            parts.append(union([evaluator.items(value) for value in evaluator.values(result.expr[1], place)]))
        else:
            parts.append(evaluator.values(result.expr, place))
    return union(parts)


# ---- what libraries return


def _external(evaluator: Evaluator, dotted: str, call: Call | None, path: str) -> Values:
    catalogue = evaluator.catalogue
    if dotted in _PAIRS:
        return _pair(dotted)
    if call is not None:
        special = _special(evaluator, dotted, call, path)
        if special is not None:
            return special
    if call is not None and dotted in declared.UNBOUNDED and _has_no_bound(call):
        return ((INSTANCE, declared.UNBOUNDED[dotted]),)
    found = catalogue.result_type(dotted)
    if found is not None:
        if found == _TEXT_FILE and call is not None:
            found = _opened(call, 1)
        # What reads and writes memory is not the blocking type that the same call on a file gives.
        if call is not None and in_memory(evaluator, path, call) and _is_file(evaluator, found):
            return NOTHING
        return ((INSTANCE, found),)
    wrapper = catalogue.wrapper(dotted) if call is not None else None
    if wrapper is not None and call is not None:
        return _elsewhere(evaluator, call, path, wrapper) if wrapper.kind == "call" else NOTHING
    if catalogue.find(dotted) is None and looks_like_class(dotted):
        return ((INSTANCE, dotted),)
    return NOTHING


def _method(evaluator: Evaluator, dotted: str, name: str, call: Call | None, path: str) -> Values:
    catalogue = evaluator.catalogue
    if call is not None:
        entering = name in ("enter_context", "enter_async_context") and dotted.startswith("contextlib.")
        if entering and call.args:
            asynchronous = name == "enter_async_context"
            given = evaluator.values(call.args[0], _place(path, call))
            entered = union([evaluator.entered(value, asynchronous=asynchronous) for value in given])
            return ((AWAITABLE, entered),) if asynchronous else entered
    if name == "accept" and f"{dotted}.{name}" in _PAIRS:
        return _pair(f"{dotted}.{name}")
    found = catalogue.result_type(f"{dotted}.{name}")
    if found is not None:
        return ((INSTANCE, _opened(call, 0) if found == _TEXT_FILE and call is not None else found),)
    wrapper = catalogue.wrapper(f"{dotted}.{name}") or catalogue.wrapper_method(name)
    if call is not None and wrapper is not None and wrapper.kind == "call":
        return _elsewhere(evaluator, call, path, wrapper)
    return NOTHING


def _pair(name: str) -> Values:
    return ((TUPLE, tuple([((INSTANCE, each),) if each else NOTHING for each in _PAIRS[name]])),)


def _opened(call: Call, position: int) -> str:
    """The type of file that ``open()`` gives, by its mode."""
    given = _argument(call, position, "mode")
    mode = given[1] if given is not None and given[0] == model.CONST and isinstance(given[1], str) else ""
    if "b" not in mode:
        return _TEXT_FILE
    return "io.BufferedRandom" if "+" in mode else "io.BufferedReader" if "r" in mode else "io.BufferedWriter"


def _has_no_bound(call: Call) -> bool:
    """Whether a queue is made without a ``maxsize``, or with 0."""
    given = [*call.args, *[value for _, value in call.keywords]]
    return not given or given == [(model.CONST, 0)]


def _elsewhere(evaluator: Evaluator, call: Call, path: str, wrapper: Wrapper) -> Values:
    """What awaiting ``to_thread(f, ...)`` gives: the result of f."""
    given = _argument(call, wrapper.position, wrapper.keyword)
    if given is None:
        return NOTHING
    found = [called(evaluator, function, None, path) for function in evaluator.values(given, _place(path, call))]
    return ((AWAITABLE, union(found)),)


def _special(evaluator: Evaluator, dotted: str, call: Call, path: str) -> Values | None:
    """Builtins and a few functions of the standard library that hand their argument on; None for all others."""
    place = _place(path, call)
    args = call.args
    if dotted == "builtins.super":
        return _super(evaluator, path, call)
    if dotted == "functools.partial":
        return ((PARTIAL, evaluator.values(args[0], place)),) if args else NOTHING
    if dotted == "dataclasses.field" or dotted in ("pydantic.Field", "attr.ib", "attrs.field", "attr.field"):
        factory = next((value for name, value in call.keywords if name in ("default_factory", "factory")), None)
        if factory is None:
            return NOTHING
        return union([called(evaluator, function, None, path) for function in evaluator.values(factory, place)])
    if not args or args[0][0] == model.STAR:
        return None
    if dotted == "builtins.getattr":
        return _getattr(evaluator, args, place)
    if dotted in ("importlib.import_module", "builtins.__import__"):
        return _import_module(evaluator, args, path)
    if dotted in ("typing.cast", "typing_extensions.cast"):
        return declared.instances(evaluator, args[0], place)
    if dotted in _SAME:
        return evaluator.values(args[0], place)
    if dotted == "asyncio.gather" and all(arg[0] != model.STAR for arg in args):
        each = [union([evaluator.awaited(value) for value in evaluator.values(arg, place)]) for arg in args]
        return ((AWAITABLE, ((TUPLE, tuple(each)),)),)
    if dotted in _OVER_FILES:
        given = evaluator.values(args[0], place)
        files = bool(given) and all(v[0] == INSTANCE and _is_file(evaluator, v[1]) for v in given)
        return ((INSTANCE, dotted),) if files else NOTHING
    if dotted in _MANAGERS:
        return ((MANAGER, evaluator.values(args[0], place)),)
    if dotted in _COPIES:
        source = args[-1] if dotted == "builtins.filter" else args[0]
        return ((ITEMS, union([evaluator.items(value) for value in evaluator.values(source, place)])),)
    if dotted in ("builtins.next", "builtins.anext", "builtins.min", "builtins.max"):
        found = union([evaluator.items(value) for value in evaluator.values(args[0], place)])
        return found if dotted != "builtins.anext" else ((AWAITABLE, found),)
    if dotted == "builtins.enumerate":
        found = union([evaluator.items(value) for value in evaluator.values(args[0], place)])
        return ((ITEMS, ((TUPLE, (NOTHING, found)),)),)
    if dotted == "builtins.zip":
        columns = [union([evaluator.items(value) for value in evaluator.values(arg, place)]) for arg in args]
        return ((ITEMS, ((TUPLE, tuple(columns)),)),)
    return None


def _getattr(evaluator: Evaluator, args: tuple[Expr, ...], place: Place) -> Values:
    if len(args) < 2:
        return NOTHING
    texts = [value[1] for value in evaluator.values(args[1], place) if value[0] == TEXT]
    if len(texts) != 1:
        return NOTHING
    return union([members.attribute(evaluator, value, texts[0]) for value in evaluator.values(args[0], place)])


def _import_module(evaluator: Evaluator, args: tuple[Expr, ...], path: str) -> Values:
    if args[0][0] != model.CONST or not isinstance(args[0][1], str) or args[0][1].startswith(".") or not args[0][1]:
        return NOTHING
    module = names.find(evaluator, path, args[0][1], 0)
    return (("module", module.path, module.folder),) if module is not None else ((EXT, args[0][1]),)


def _super(evaluator: Evaluator, path: str, call: Call) -> Values:
    facts = evaluator.facts(path)
    assert facts is not None
    index = call.scope
    while index >= 0 and facts.scopes[index].kind != "class":
        index = facts.scopes[index].parent
    return ((SUPER, path, index),) if index >= 0 else NOTHING


def _contained(evaluator: Evaluator, container: Value, name: str) -> Values:
    """A method of a list, dict or tuple, or of a task."""
    if container[0] == AWAITABLE:
        awaited: Values = container[1]
        return awaited if name == "result" else NOTHING
    if container[0] == MAPPING:
        if name in ("get", "pop", "setdefault"):
            found: Values = container[1]
            return found
        if name in ("values", "itervalues"):
            return ((ITEMS, container[1]),)
        if name == "items":
            return ((ITEMS, ((TUPLE, (keys_of(container), container[1])),)),)
        if name == "keys":
            return ((ITEMS, keys_of(container)),)
        return (container,) if name == "copy" else NOTHING
    if name in ("pop", "popleft", "__next__"):
        return evaluator.items(container)
    return (container,) if name == "copy" else NOTHING


def _argument(call: Call, position: int, keyword: str) -> Expr | None:
    for name, value in call.keywords:
        if name == keyword and keyword:
            return value
    if position < len(call.args) and not any(arg[0] == model.STAR for arg in call.args[: position + 1]):
        return call.args[position]
    return None


def _place(path: str, call: Call) -> Place:
    return Place(path, call.scope, call.seq, call.block)
