"""What a function does with the responses that it gets, and how the same is said about a response of httpx.

A response may only be looked at: whoever returns it, keeps it in a list or hands it to another function lets others see that it is
one of httpx now. Rows of the difference table about responses are the handlers of `_Uses`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import libcst as cst

from asgiway_lint.fixes.contexts import await_refusal
from asgiway_lint.fixes.httpx.arguments import Unfit
from asgiway_lint.fixes.httpx.calls import Request
from asgiway_lint.fixes.httpx.draft import Draft
from asgiway_lint.fixes.httpx.names import uses_of
from asgiway_lint.fixes.source import FixSource

__all__ = ["Uses", "follow", "is_tested"]

_PLACES_FOR_NOT: Final = (
    cst.If,
    cst.While,
    cst.IfExp,
    cst.Assert,
    cst.Return,
    cst.Assign,
    cst.AnnAssign,
    cst.Arg,
    cst.NamedExpr,
    cst.BooleanOperation,
    cst.Expr,
    cst.Element,
    cst.DictElement,
    cst.CompIf,
    cst.ListComp,
    cst.SetComp,
    cst.DictComp,
    cst.GeneratorExp,
    cst.Lambda,
    cst.FormattedStringExpression,
    cst.Yield,
    cst.Index,
)


@dataclass(slots=True, eq=False)
class Uses:
    """What is done with the responses of some requests: those that share a variable.

    Args:
        requests: the requests.
        draft: the edits that the uses need.
        raising: calls that can raise because of the response -> `status` or `json`.
        iterated: calls of `iter_content` that became `aiter_bytes`.
        notes: what a reviewer should look at.
    """

    requests: list[Request]
    draft: Draft = field(default_factory=Draft)
    raising: dict[cst.CSTNode, str] = field(default_factory=dict[cst.CSTNode, str])
    iterated: list[cst.Call] = field(default_factory=list[cst.Call])
    notes: list[str] = field(default_factory=list[str])

    def take(self, other: Uses) -> None:
        """Take over what is known about one of the requests."""
        self.draft.add(other.draft)
        self.raising.update(other.raising)
        self.notes += other.notes


def follow(
    source: FixSource, function: cst.FunctionDef, requests: list[Request], spell: Callable[[str], str]
) -> Iterator[Uses]:
    """Follow the responses of requests through a function; requests whose responses share a variable come together.

    Those that cannot be followed get their refusal.
    """
    names: dict[str, list[tuple[cst.Name, Uses]]] = {}
    for request in requests:
        uses = Uses([request])
        try:
            bound = _Uses(source, uses, spell).value(request.node)
        except Unfit as unfit:
            request.refuse(str(unfit))
            continue
        if bound is None:
            yield uses
        else:
            names.setdefault(bound.value, []).append((bound, uses))
    for found in names.values():
        uses = Uses([request for _, own in found for request in own.requests])
        for _, own in found:
            uses.take(own)
        try:
            _name(source, function, [bound for bound, _ in found], uses, spell)
        except Unfit as unfit:
            for request in uses.requests:
                request.refuse(str(unfit))
        else:
            yield uses


def _name(
    source: FixSource, function: cst.FunctionDef, targets: list[cst.Name], uses: Uses, spell: Callable[[str], str]
) -> None:
    """Follow one variable."""
    name = targets[0].value
    table = source.scopes.lookup(name, targets[0])
    if table is None or table[0].node is not function:
        raise Unfit(f"its response is kept outside of the function, in `{name}`")
    streams = {request.arguments.streams for request in uses.requests if request.arguments is not None}
    if len(streams) > 1:
        raise Unfit(f"`{name}` is a streamed response here and a complete one there")
    bound = {id(node) for node in targets}
    for other in table[1]:
        if id(other.node) not in bound:
            _other_binding(source, other.node, name, uses, spell)
    follower = _Uses(source, uses, spell)
    for use in uses_of(source, name, targets[0]):
        above = source.parent(use)
        if not isinstance(above, (cst.AssignTarget, cst.AsName, cst.Del)) and not (
            isinstance(above, (cst.AnnAssign, cst.NamedExpr)) and above.target is use
        ):
            follower.use(use)


def _other_binding(source: FixSource, node: cst.CSTNode, name: str, uses: Uses, spell: Callable[[str], str]) -> None:
    """What else a variable may be: None, or only announced."""
    above = source.parent(node)
    value: cst.BaseExpression | None = None
    if isinstance(above, cst.AssignTarget):
        assignment = source.parent(above)
        value = assignment.value if isinstance(assignment, cst.Assign) else None
    elif isinstance(above, cst.AnnAssign):
        if above.value is None:
            annotation(source, above, uses.draft, spell)
            return
        value = above.value
    elif isinstance(above, cst.Del):
        return
    if isinstance(value, cst.Name) and value.value == "None":
        if isinstance(above, cst.AnnAssign):
            annotation(source, above, uses.draft, spell)
        return
    line = source.line_of(source.offset(node)[0]) if isinstance(node, cst.Name) else 0
    raise Unfit(f"`{name}` is something else, too, in line {line}" if line else f"`{name}` is something else, too")


def annotation(source: FixSource, statement: cst.AnnAssign, draft: Draft, spell: Callable[[str], str]) -> None:
    """Let an annotation name the response of httpx."""
    for node in source.nodes(statement.annotation):
        if isinstance(node, (cst.Name, cst.Attribute)) and source.resolve(node) in _RESPONSE:
            draft.replace(*source.offset(node), spell("Response"))
            return
    if "Response" in source.code(statement.annotation.annotation):
        raise Unfit("the response is annotated in a way that cannot be rewritten")


def is_tested(source: FixSource, node: cst.CSTNode) -> bool:
    """Whether an expression is only asked whether it is true."""
    above = source.parent(node)
    if isinstance(above, (cst.If, cst.While, cst.IfExp, cst.Assert)):
        return above.test is node
    if isinstance(above, cst.CompIf):
        return True
    if isinstance(above, cst.UnaryOperation):
        return isinstance(above.operator, cst.Not)
    if isinstance(above, cst.BooleanOperation):
        return is_tested(source, above)
    if isinstance(above, cst.Arg):
        call = source.parent(above)
        return isinstance(call, cst.Call) and source.resolve(call.func) == "builtins.bool"
    return False


class _Uses:
    def __init__(self, source: FixSource, uses: Uses, spell: Callable[[str], str]) -> None:
        self.source = source
        self.uses = uses
        self.draft = uses.draft
        self.spell = spell
        plans = [request.arguments for request in uses.requests if request.arguments is not None]
        self.streams = any(plan.streams for plan in plans)
        self.may_be_3xx = any(plan.follows is not True or plan.may_be_304 for plan in plans)
        self.encoded = False

    def value(self, call: cst.Call) -> cst.Name | None:
        """Follow the value of a call until it is used up, or bound to a name, which is returned."""
        source = self.source
        above = source.parent(call)
        if isinstance(above, cst.NamedExpr) and isinstance(above.target, cst.Name):
            if self.streams:
                raise Unfit("it streams without `with`")
            self.use(call)
            return above.target
        if isinstance(above, cst.Assign) and len(above.targets) == 1 and isinstance(above.targets[0].target, cst.Name):
            if self.streams:
                raise Unfit("it streams without `with`, so nothing shows how long the connection is needed")
            return above.targets[0].target
        if isinstance(above, cst.AnnAssign) and isinstance(above.target, cst.Name):
            annotation(source, above, self.draft, self.spell)
            if self.streams:
                raise Unfit("it streams without `with`, so nothing shows how long the connection is needed")
            return above.target
        if isinstance(above, cst.WithItem):
            return self.with_item(above)
        if isinstance(above, cst.Expr):
            return None
        if self.streams:
            raise Unfit("it streams without `with`, so nothing shows how long the connection is needed")
        self.use(call)
        return None

    def with_item(self, item: cst.WithItem) -> cst.Name:
        if not self.streams:
            raise Unfit("a response of httpx is no context manager")
        statement = self.source.parent(item)
        if not isinstance(statement, cst.With) or len(statement.items) > 1 or statement.asynchronous is not None:
            raise Unfit("its `with` has other context managers, too")
        if item.asname is None or not isinstance(item.asname.name, cst.Name):
            raise Unfit("its `with` names no response")
        self.draft.insert(self.source.offset(statement)[0], "async ")
        return item.asname.name

    def use(self, node: cst.BaseExpression) -> None:
        """Rewrite one use of a response."""
        source = self.source
        above = source.parent(node)
        if isinstance(above, cst.NameItem):
            raise Unfit(f"`{source.code(node)}` is shared with a nested function")
        if isinstance(above, cst.NamedExpr):
            node = above
            above = source.parent(node)
        if isinstance(above, cst.Attribute) and above.value is node:
            self.attribute(above, node)
        elif is_tested(source, node):
            self.tested(node)
        elif not (_compared_with_none(above, node) or isinstance(above, cst.Expr)):
            self.escapes(node)

    def escapes(self, node: cst.BaseExpression) -> None:
        line = self.source.line_of(self.source.offset(node)[0])
        what = "is returned" if isinstance(self.source.parent(node), cst.Return) else "is handed on"
        raise Unfit(f"its response {what} in line {line}, where one of Requests is expected")

    def attribute(self, node: cst.Attribute, response: cst.BaseExpression) -> None:
        name = node.attr.value
        above = self.source.parent(node)
        stored = isinstance(above, (cst.AssignTarget, cst.Del)) or (
            isinstance(above, (cst.AnnAssign, cst.AugAssign)) and above.target is node
        )
        if stored and name != "encoding":
            raise Unfit(f"it changes `.{name}` of its response")
        handlers = _STREAMED if self.streams else _COMPLETE
        handler = handlers.get(name)
        if handler is None:
            raise Unfit(_REFUSED.get(name) or f"nothing is known about `.{name}` in httpx")
        above = self.source.enclosing(node, cst.FormattedStringExpression)
        handler(self, node, response)
        if isinstance(above, cst.FormattedStringExpression) and above.equal is not None and handler is not _Uses.keep:
            raise Unfit("an f-string prints the source text with `=`")

    # ---- attributes

    def keep(self, node: cst.Attribute, response: cst.BaseExpression) -> None:
        """The same in httpx."""

    def ok(self, node: cst.Attribute, response: cst.BaseExpression) -> None:
        self.draft.replace(*self.source.offset(node.attr), "is_error")
        self.negate(node)

    def tested(self, node: cst.BaseExpression) -> None:
        """A response of Requests is true unless it is an error; one of httpx always is."""
        start, end = self.source.outer_offset(node)
        if isinstance(node, cst.NamedExpr) and not node.lpar:
            self.draft.wrap(start, end, "(", ")")
        elif isinstance(node, cst.Call) and not node.lpar:
            self.draft.wrap(start, end, "(", ")")  # around the `await`
        self.draft.insert(end, ".is_error")
        self.negate(node)

    def negate(self, node: cst.BaseExpression) -> None:
        """Put a `not` before an expression, or take one away."""
        source, above = self.source, self.source.parent(node)
        start, end = source.outer_offset(node)
        if isinstance(above, cst.UnaryOperation) and isinstance(above.operator, cst.Not):
            begin = source.offset(above)[0]
            if source.text[begin:start].strip() == "not" and "\n" not in source.text[begin:start]:
                self.draft.replace(begin, start, "")
                return
        if isinstance(above, _PLACES_FOR_NOT) or (
            isinstance(above, cst.UnaryOperation) and isinstance(above.operator, cst.Not)
        ):
            self.draft.inserted.setdefault(start, []).insert(0, "not ")
        else:
            self.draft.inserted.setdefault(start, []).insert(0, "(not ")
            self.draft.insert(end, ")")

    def url(self, node: cst.Attribute, response: cst.BaseExpression) -> None:
        above = self.source.parent(node)
        call = self.source.parent(above) if isinstance(above, cst.Arg) else None
        if isinstance(call, cst.Call) and self.source.resolve(call.func) == "builtins.str":
            return
        if isinstance(above, cst.FormattedStringExpression) and above.conversion is None and above.format_spec is None:
            return
        start, end = self.source.outer_offset(node)
        self.draft.inserted.setdefault(start, []).insert(0, "str(")
        self.draft.insert(end, ")")

    def reason(self, node: cst.Attribute, response: cst.BaseExpression) -> None:
        self.draft.replace(*self.source.offset(node.attr), "reason_phrase")

    def is_redirect(self, node: cst.Attribute, response: cst.BaseExpression) -> None:
        self.draft.replace(*self.source.offset(node.attr), "has_redirect_location")

    def text(self, node: cst.Attribute, response: cst.BaseExpression) -> None:
        if not self.encoded:
            self.uses.notes.append(
                "`.text` of a text without charset is decoded as UTF-8, not as ISO-8859-1 or by a guess"
            )

    def json(self, node: cst.Attribute, response: cst.BaseExpression) -> None:
        above = self.source.parent(node)
        self.uses.raising[above if isinstance(above, cst.Call) else node] = "json"

    def encoding(self, node: cst.Attribute, response: cst.BaseExpression) -> None:
        target = self.source.parent(node)
        statement = self.source.parent(target) if isinstance(target, cst.AssignTarget) else None
        if not isinstance(statement, cst.Assign) or not isinstance(response, cst.Name):
            raise Unfit("`.encoding` is None in Requests where httpx assumes UTF-8")
        value = statement.value.raw_value.lower() if isinstance(statement.value, cst.SimpleString) else ""
        if value.replace("-", "") not in ("utf8", "utf8sig"):
            raise Unfit("it decodes its response as something else than UTF-8, which `.json()` of httpx ignores")
        start = self.source.offset(node)[0]
        for use in uses_of(self.source, response.value, response):
            above = self.source.parent(use)
            if isinstance(above, cst.Attribute) and above.attr.value == "text" and self.source.offset(use)[0] < start:
                raise Unfit("`.encoding` is set after `.text` was read, which httpx refuses")
        self.encoded = True

    def headers(self, node: cst.Attribute, response: cst.BaseExpression) -> None:
        if not (self.looked_up(node) or self.method_of(node) == "get"):
            raise Unfit(
                "the names of `.headers` are in lower case in httpx, which shows where they are not just looked up"
            )

    def cookies(self, node: cst.Attribute, response: cst.BaseExpression) -> None:
        method = self.method_of(node)
        if method == "get_dict":
            call = self.source.parent(self.source.parent(node) or node)
            if isinstance(call, cst.Call) and not call.args:
                start, end = self.source.outer_offset(node)
                self.draft.inserted.setdefault(start, []).insert(0, "dict(")
                self.draft.replace(end, self.source.offset(call)[1], ")")
                return
        if not (self.looked_up(node) or method == "get"):
            raise Unfit("`.cookies` of httpx is another class")

    def history(self, node: cst.Attribute, response: cst.BaseExpression) -> None:
        above = self.source.parent(node)
        call = self.source.parent(above) if isinstance(above, cst.Arg) else None
        counted = isinstance(call, cst.Call) and self.source.resolve(call.func) == "builtins.len"
        if not counted and not is_tested(self.source, node):
            raise Unfit("`.history` holds responses of httpx")

    def elapsed(self, node: cst.Attribute, response: cst.BaseExpression) -> None:
        self.uses.notes.append("`.elapsed` includes the time that reading the body takes")

    def close(self, node: cst.Attribute, response: cst.BaseExpression) -> None:
        call = self.source.parent(node)
        if not isinstance(call, cst.Call) or not isinstance(self.source.parent(call), cst.Expr):
            raise Unfit("`.close` is handed on")
        if reason := await_refusal(self.source, call):
            raise Unfit(f"`.close()` has to be awaited {reason}")
        self.draft.insert(self.source.offset(call)[0], "await ")
        self.draft.replace(*self.source.offset(node.attr), "aclose")

    def raise_for_status(self, node: cst.Attribute, response: cst.BaseExpression) -> None:
        call = self.source.parent(node)
        statement = self.source.parent(call) if call is not None else None
        if not isinstance(call, cst.Call) or not isinstance(statement, cst.Expr):
            raise Unfit("`raise_for_status` of httpx returns the response, that of Requests returns None")
        self.uses.raising[call] = "status"
        if not self.may_be_3xx:
            return
        line = self.source.parent(statement)
        if not isinstance(line, cst.SimpleStatementLine) or len(line.body) > 1 or not isinstance(response, cst.Name):
            raise Unfit("`raise_for_status` of httpx also raises for redirects and 304")
        start = self.source.offset(line)[0]
        indent = self.source.indent_at(start)
        unit = "\t" if indent.endswith("\t") else self.source.module.default_indent
        self.draft.insert(start, f"if {response.value}.is_error:{self.source.newline}{indent}{unit}")

    def iter_content(self, node: cst.Attribute, response: cst.BaseExpression) -> None:
        call = self.source.parent(node)
        loop = self.source.parent(call) if call is not None else None
        if not isinstance(call, cst.Call) or not isinstance(loop, cst.For) or loop.iter is not call:
            raise Unfit("the pieces of a streamed response have to be read with `async for`")
        if reason := await_refusal(self.source, loop):
            raise Unfit(f"the pieces of its response have to be awaited {reason}")
        if len(call.args) != 1 or (call.args[0].keyword is not None and call.args[0].keyword.value != "chunk_size"):
            raise Unfit(
                "`iter_content` without `chunk_size` gives single bytes, and with `decode_unicode` text or bytes"
            )
        size = call.args[0].value
        start, end = self.source.offset(node.attr)[0], self.source.offset(call)[1]
        if not isinstance(size, (cst.Integer, cst.Name, cst.Attribute, cst.BinaryOperation)):
            raise Unfit("the `chunk_size` of `iter_content` is worked out")
        if "#" in self.source.text[start:end]:
            raise Unfit("there is a comment at `chunk_size`")
        self.draft.insert(self.source.offset(loop)[0], "async ")
        # With a size httpx would keep back what has come until so much is there, and a stream would falter.
        self.draft.replace(start, end, "aiter_bytes()")
        self.uses.iterated.append(call)
        self.uses.notes.append("the pieces of the stream come as they arrive, in other sizes")

    # ---- questions

    def looked_up(self, node: cst.Attribute) -> bool:
        """Whether a mapping is only asked for one key: `m[key]`, `key in m`."""
        above = self.source.parent(node)
        if isinstance(above, cst.Subscript) and above.value is node:
            return not isinstance(self.source.parent(above), (cst.AssignTarget, cst.Del, cst.AugAssign))
        return isinstance(above, cst.ComparisonTarget) and isinstance(above.operator, (cst.In, cst.NotIn))

    def method_of(self, node: cst.Attribute) -> str:
        """The method of a mapping that is called."""
        above = self.source.parent(node)
        call = self.source.parent(above) if above is not None else None
        if isinstance(above, cst.Attribute) and isinstance(call, cst.Call) and call.func is above:
            return above.attr.value
        return ""


def _compared_with_none(above: cst.CSTNode | None, node: cst.BaseExpression) -> bool:
    if not isinstance(above, cst.Comparison) or above.left is not node or len(above.comparisons) != 1:
        return False
    target = above.comparisons[0]
    none = isinstance(target.comparator, cst.Name) and target.comparator.value == "None"
    return none and isinstance(target.operator, (cst.Is, cst.IsNot, cst.Equal, cst.NotEqual))


_RESPONSE: Final = frozenset(["requests.Response", "requests.models.Response"])
_Handler = Callable[[_Uses, cst.Attribute, cst.BaseExpression], None]
_ALWAYS: Final[Mapping[str, _Handler]] = {
    "status_code": _Uses.keep,
    "ok": _Uses.ok,
    "url": _Uses.url,
    "reason": _Uses.reason,
    "is_redirect": _Uses.is_redirect,
    "headers": _Uses.headers,
    "cookies": _Uses.cookies,
    "history": _Uses.history,
    "raise_for_status": _Uses.raise_for_status,
}
_COMPLETE: Final[Mapping[str, _Handler]] = {
    **_ALWAYS,
    "content": _Uses.keep,
    "text": _Uses.text,
    "json": _Uses.json,
    "links": _Uses.keep,
    "elapsed": _Uses.elapsed,
    "encoding": _Uses.encoding,
    "close": _Uses.close,
}
_STREAMED: Final[Mapping[str, _Handler]] = {**_ALWAYS, "iter_content": _Uses.iter_content}
_REFUSED: Final = {
    "apparent_encoding": "httpx guesses no encoding: `.apparent_encoding` has no counterpart",
    "raw": "`.raw` is the response of urllib3",
    "next": "`.next` is a prepared request of Requests",
    "request": "`.request` is another class in httpx",
    "is_permanent_redirect": "httpx has no `.is_permanent_redirect`",
    "iter_lines": "`iter_lines` gives bytes, the `aiter_lines` of httpx gives text",
    "iter_content": "`iter_content` of a response that is there already is `iter_bytes` in httpx; use `.content`",
    "json": "`.json()` of a streamed response needs `await response.aread()` first",
    "text": "`.text` of a streamed response needs `await response.aread()` first",
    "content": "`.content` of a streamed response needs `await response.aread()` first",
}
