"""The `except` clauses around requests, rewritten so that each catches what it caught before - or a reason why that cannot be.

`contextlib.suppress` counts as a `try` with one handler. Which failure lands where is not guessed: it is worked out for each of
`failures.FAILURES` before and after, and has to be the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import libcst as cst

from asgiway_lint.fixes.httpx.arguments import Unfit
from asgiway_lint.fixes.httpx.calls import Request
from asgiway_lint.fixes.httpx.draft import Draft
from asgiway_lint.fixes.httpx.failures import (
    COUNTERPARTS,
    FAILURES,
    NOTHING,
    Cause,
    Failure,
    canonical,
    covers,
    handler_of,
    without_covered,
)
from asgiway_lint.fixes.httpx.names import uses_of
from asgiway_lint.fixes.httpx.spelling import Spelling
from asgiway_lint.fixes.httpx.url import Scheme
from asgiway_lint.fixes.source import FixSource

__all__ = ["Guard", "causes_of", "guards_around", "rewrite_guard"]

_OPAQUE = "?"
_LOGGING = frozenset(["debug", "info", "warning", "warn", "error", "exception", "critical", "log"])
_TEXT = frozenset(["builtins.str", "builtins.repr", "builtins.print", "builtins.type"])


@dataclass(slots=True, eq=False)
class Guard:
    """A `try` (or `suppress`) with what is inside of it.

    Args:
        node: the statement.
        body: what it guards.
        requests: the requests whose failures can get there.
        causes: why it may have to catch something.
        notes: what a reviewer should look at.
    """

    node: cst.Try | cst.With
    body: cst.BaseSuite
    requests: set[Request] = field(default_factory=set[Request])
    causes: Cause = NOTHING
    notes: list[str] = field(default_factory=list[str])


def guards_around(
    source: FixSource, function: cst.FunctionDef, node: cst.CSTNode
) -> Iterator[cst.Try | cst.With | cst.TryStar]:
    """Yield the statements of a function whose handlers get what is raised at a place."""
    below = node
    for above in source.ancestors(node):
        if above is function:
            return
        if isinstance(above, (cst.Try, cst.TryStar, cst.With)) and below is above.body and _catches(source, above):
            yield above
        below = above


def _catches(source: FixSource, statement: cst.Try | cst.TryStar | cst.With) -> bool:
    return _suppress(source, statement) is not None if isinstance(statement, cst.With) else bool(statement.handlers)


def causes_of(request: Request, kind: str) -> Cause:
    """Return why a place can fail: the request itself (`request`), `status` or `json`."""
    if kind == "status":
        return Cause.STATUS
    if kind == "json":
        return Cause.JSON
    found = Cause.REQUEST
    if request.arguments is not None:
        if not request.arguments.url.whole:
            found |= Cause.UNPROVEN_URL
        if request.arguments.url.scheme is not Scheme.HTTP:
            found |= Cause.TLS
    return found


def _suppress(source: FixSource, statement: cst.With) -> cst.Call | None:
    for item in statement.items:
        if isinstance(item.item, cst.Call) and source.resolve(item.item.func) == "contextlib.suppress":
            return item.item
    return None


@dataclass(slots=True)
class _Handler:
    """One clause: its classes with the nodes that name them, its name and body."""

    classes: list[tuple[cst.BaseExpression, str]]
    type: cst.BaseExpression | None
    handler: cst.ExceptHandler | None


def rewrite_guard(source: FixSource, guard: Guard, spell: Spelling) -> Draft | None:
    """Rewrite the handlers of a guard; None if they can stay as they are.

    Raises:
        Unfit: a class cannot be resolved, or httpx does not tell apart what the handlers tell apart.
    """
    handlers = list(_handlers(source, guard.node))
    failures = [failure for failure in FAILURES if failure.cause & guard.causes]
    before = [[name for _, name in handler.classes] for handler in handlers]
    caught = [
        [failure for failure in failures if handler_of(failure.before, before) == number]
        for number in range(len(handlers))
    ]
    after = [_counterparts(names, mine, failures) for names, mine in zip(before, caught, strict=True)]
    for failure in failures:
        was, is_now = handler_of(failure.before, before), handler_of(failure.after, after)
        if was != is_now and not failure.rare:
            line = source.line_of(source.offset(guard.node)[0])
            raise Unfit(
                f"the handlers of line {line} would treat {failure.name} differently:"
                " httpx has one exception for several that Requests tells apart"
            )
    draft = Draft()
    changed = False
    for handler, names, mine in zip(handlers, after, caught, strict=True):
        if names != [name for _, name in handler.classes]:
            _write(source, handler, names, draft, spell)
            changed = True
        if mine and handler.handler is not None:
            _check_name(source, guard, handler.handler, names)
    return draft if changed else None


def _handlers(source: FixSource, node: cst.Try | cst.With) -> Iterator[_Handler]:
    if isinstance(node, cst.With):
        call = _suppress(source, node)
        assert call is not None
        yield _Handler([(argument.value, _class(source, argument.value)) for argument in call.args], call, None)
        return
    for handler in node.handlers:
        if handler.type is None:
            yield _Handler([(cst.Name("BaseException"), "builtins.BaseException")], None, handler)
            continue
        nodes = (
            [element.value for element in handler.type.elements]
            if isinstance(handler.type, cst.Tuple)
            else [handler.type]
        )
        yield _Handler([(each, _class(source, each)) for each in nodes], handler.type, handler)


def _class(source: FixSource, node: cst.BaseExpression) -> str:
    """Return the canonical name of a class; `?` for one that certainly has to do with neither library.

    Raises:
        Unfit: it may be anything.
    """
    name = canonical(source.resolve(node))
    line = source.line_of(source.offset(node)[0])
    if name.startswith("requests."):
        if name not in COUNTERPARTS:
            raise Unfit(f"httpx has nothing like `{source.code(node)}` in line {line}")
        return name
    if name.startswith(("urllib3.", "simplejson.", "httpx", "niquests.")):
        raise Unfit(f"`except {source.code(node)}` in line {line} is about another library")
    if name.startswith("builtins.") or name == "json.JSONDecodeError":
        return name
    if name.partition(".")[0] in sys.stdlib_module_names:
        return _OPAQUE  # `socket.timeout`, `asyncio.TimeoutError`
    last = node.attr.value if isinstance(node, cst.Attribute) else node.value if isinstance(node, cst.Name) else ""
    if last[:1].isupper() and not last.isupper() and not _made_here(source, node):
        return _OPAQUE
    raise Unfit(f"`except {source.code(node)}` in line {line} cannot be resolved")


def _made_here(source: FixSource, node: cst.BaseExpression) -> bool:
    """Whether a name is assigned in this file (`Errors = (A, B)`), or a subclass made here."""
    if not isinstance(node, cst.Name):
        return False
    found = source.scopes.lookup(node.value, node)
    if found is None:
        return True
    for bound in found[1]:
        if isinstance(bound.node, cst.ClassDef):
            bases = [source.resolve(base.value) for base in bound.node.bases]
            if any(base.startswith("requests.") for base in bases):
                return True
        elif not isinstance(bound.node, (cst.Import, cst.ImportFrom)):
            return True
    return False


def _counterparts(names: Sequence[str], mine: Sequence[Failure], all_of_them: Sequence[Failure]) -> list[str]:
    """Return the classes that a handler needs to catch the same failures."""
    wanted = [failure.after for failure in mine]
    found: list[str] = []
    for name in names:
        options = COUNTERPARTS.get(name)
        if options is None:
            found.append(name)
            continue
        if name.startswith("builtins."):
            found.append(name)
            needed = [each for each in wanted if not covers(name, each)]
            found += [each for each in options[1:] if any(covers(each, want) for want in needed)]
        else:
            used = [each for each in options if any(covers(each, want) for want in wanted)]
            found += used or options[:1]
    found = without_covered(found)
    whole = {"httpx.NetworkError", "httpx.RemoteProtocolError", "httpx.TimeoutException", "httpx.ProxyError"}
    unsupported = any(failure.after == "httpx.UnsupportedProtocol" for failure in all_of_them)
    if whole <= set(found) and not unsupported:
        place = min(found.index(each) for each in whole)
        found = [each for each in found if each not in whole]
        found.insert(place, "httpx.TransportError")
    return found


def _write(source: FixSource, handler: _Handler, names: Sequence[str], draft: Draft, spell: Spelling) -> None:
    kept: dict[str, str] = {}
    opaque: list[str] = []
    for node, name in handler.classes:
        if name == _OPAQUE:
            opaque.append(source.code(node))
        elif not name.startswith("requests."):
            kept[name] = source.code(node)
    texts: list[str] = []
    for name in names:
        texts.append(opaque.pop(0) if name == _OPAQUE else kept.get(name) or spell.dotted(name))
    texts += opaque
    assert handler.type is not None
    if isinstance(handler.type, cst.Call):
        start = source.outer_offset(handler.type.args[0].value)[0]
        end = source.outer_offset(handler.type.args[-1].value)[1]
        new = ", ".join(texts)
    else:
        start, end = source.outer_offset(handler.type)
        new = texts[0] if len(texts) == 1 else f"({', '.join(texts)})"
    if "#" in source.text[start:end]:
        raise Unfit(f"there is a comment among the classes of line {source.line_of(start)}")
    if start and source.text[start - 1].isalnum():
        new = " " + new
    draft.replace(start, end, new)


def _check_name(source: FixSource, guard: Guard, handler: cst.ExceptHandler, names: Sequence[str]) -> None:
    """The exception may be shown; of what it carries only `.response.status_code` and the like are the same."""
    if handler.name is None or not isinstance(handler.name.name, cst.Name):
        return
    inside = {id(node) for node in source.nodes(handler.body)}
    name = handler.name.name
    broad = all(each.startswith("builtins.") for each in names)
    of_status = all(each == "httpx.HTTPStatusError" for each in names)
    for use in uses_of(source, name.value, name):
        if id(use) not in inside:
            continue
        above = source.parent(use)
        if isinstance(above, cst.Attribute) and above.value is use:
            if above.attr.value == "response" and of_status and _same_in_both(source, above):
                continue
            if above.attr.value in ("with_traceback", "add_note", "__class__", "__cause__", "__traceback__"):
                continue
            if not any(each.startswith("httpx.") for each in names) and above.attr.value != "response":
                continue
            line = source.line_of(source.offset(use)[0])
            raise Unfit(f"`{source.code(above)}` in line {line} is another thing in httpx, or not there")
        if not broad and not _shown(source, use):
            line = source.line_of(source.offset(use)[0])
            raise Unfit(f"the exception is handed on in line {line}, where one of Requests is expected")
        if any(each.startswith("httpx.") for each in names):
            guard.notes.append("the messages of the exceptions are others; that of a timeout is empty")


def _same_in_both(source: FixSource, response: cst.Attribute) -> bool:
    """`error.response.status_code`, or text, content, json() of the answer that came with an error status."""
    above = source.parent(response)
    if isinstance(above, cst.Attribute):
        if above.attr.value in ("status_code", "content"):
            return True
        call = source.parent(above)
        return above.attr.value in ("text", "json") and not (
            above.attr.value == "json" and not isinstance(call, cst.Call)
        )
    if isinstance(above, cst.Comparison) and len(above.comparisons) == 1:
        target = above.comparisons[0]
        return (
            above.left is response
            and isinstance(target.comparator, cst.Name)
            and target.comparator.value == "None"
            and isinstance(target.operator, (cst.Is, cst.IsNot))
        )
    return False


def _shown(source: FixSource, use: cst.Name) -> bool:
    """Whether an exception only becomes text, or the cause of another one."""
    above = source.parent(use)
    if isinstance(above, (cst.Raise, cst.From, cst.FormattedStringExpression, cst.BinaryOperation)):
        return True
    if isinstance(above, cst.Arg):
        call = source.parent(above)
        if not isinstance(call, cst.Call):
            return False
        if source.resolve(call.func) in _TEXT or isinstance(source.parent(call), (cst.Raise, cst.From)):
            return True
        if isinstance(call.func, cst.Attribute):
            if call.func.attr.value in _LOGGING:
                return True
            return call.func.attr.value == "format" and isinstance(call.func.value, cst.SimpleString)
    return False
