"""Sessions that a function makes for itself: `with requests.Session() as s`, `s = requests.Session()`.

Others (a module's, an object's, a parameter) stay: whoever else uses them expects one of Requests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import libcst as cst

from asgiway_lint.fixes.contexts import await_refusal
from asgiway_lint.fixes.httpx.arguments import Unfit, check_header, is_conditional
from asgiway_lint.fixes.httpx.calls import Request
from asgiway_lint.fixes.httpx.draft import Draft, Region
from asgiway_lint.fixes.httpx.names import uses_of
from asgiway_lint.fixes.httpx.placing import region_of
from asgiway_lint.fixes.httpx.values import Values
from asgiway_lint.fixes.source import FixSource

__all__ = ["Session", "is_new_session", "read_session", "receiver_refusal"]

_CLASSES: Final = frozenset(
    ["requests.Session", "requests.session", "requests.sessions.Session", "requests.sessions.session"]
)


@dataclass(slots=True, eq=False)
class Session:
    """A session of one function.

    Args:
        name: its variable.
        made: the call that makes it.
        statement: the `with`, or the line of the assignment.
        requests: what it sends.
        draft: edits of its other uses.
        conditional: whether its headers may ask for "not modified".
        following: the statements below an assignment that have to be inside the client's `async with`.
    """

    name: str
    made: cst.Call
    statement: cst.With | cst.SimpleStatementLine
    requests: list[Request]
    draft: Draft = field(default_factory=Draft)
    conditional: bool = False
    following: tuple[cst.BaseStatement, ...] = ()

    def region(self, source: FixSource) -> Region | None:
        """The lines that move to the right; None for a `with`, whose lines stay."""
        return region_of(source, self.following, "") if self.following else None


def is_new_session(source: FixSource, node: cst.CSTNode | None) -> bool:
    """Whether an expression makes a session."""
    return isinstance(node, cst.Call) and not node.args and source.resolve(node.func) in _CLASSES


def receiver_refusal(source: FixSource, function: cst.FunctionDef, receiver: cst.BaseExpression) -> str:
    """Return why a session that a request is sent with has to stay; empty if it is the function's own."""
    code = source.code(receiver)
    if is_new_session(source, receiver):
        return ""
    if not isinstance(receiver, cst.Name):
        return f"`{code}` is shared: whoever else uses the session expects one of Requests"
    found = source.scopes.lookup(receiver.value, receiver)
    if found is None or found[0].node is not function:
        return f"`{code}` is shared: the session is made outside of the function"
    parameters = [bound for bound in found[1] if isinstance(source.parent(bound.node), cst.Param)]
    return f"`{code}` is a parameter: whoever calls the function hands in a session of Requests" if parameters else ""


def read_session(
    source: FixSource,
    values: Values,
    function: cst.FunctionDef,
    requests: Sequence[Request],
    spell: Callable[[str], str],
) -> Session:
    """Read what a function does with the session that sends some requests.

    Raises:
        Unfit: something that a client of httpx cannot do, or does otherwise.
    """
    name = requests[0].session
    receiver = _receiver(requests[0])
    found = source.scopes.lookup(name, receiver)
    assert found is not None
    if len(found[1]) != 1:
        raise Unfit(f"`{name}` is bound more than once")
    session = _made(source, name, found[1][0].node, list(requests))
    reader = _Reader(source, values, session, spell)
    uses = [use for use in uses_of(source, name, receiver) if use is not found[1][0].node]
    for use in uses:
        reader.use(use)
    if isinstance(session.statement, cst.SimpleStatementLine):
        session.following = _following(source, session, uses)
    else:
        body = {id(node) for node in source.nodes(session.statement.body)}
        if any(id(use) not in body for use in uses):
            raise Unfit(f"`{name}` is used after its `with`")
    return session


def _receiver(request: Request) -> cst.BaseExpression:
    assert isinstance(request.node.func, cst.Attribute)
    return request.node.func.value


def _made(source: FixSource, name: str, node: cst.CSTNode, requests: list[Request]) -> Session:
    above = source.parent(node)
    item = source.parent(above) if isinstance(above, cst.AsName) else None
    if isinstance(item, cst.WithItem) and isinstance(item.item, cst.Call) and is_new_session(source, item.item):
        statement = source.parent(item)
        if not isinstance(statement, cst.With) or len(statement.items) > 1 or statement.asynchronous is not None:
            raise Unfit("the session's `with` has other context managers, too")
        if reason := await_refusal(source, statement):
            raise Unfit(reason)
        return Session(name, item.item, statement, requests)
    assignment = source.parent(above) if isinstance(above, cst.AssignTarget) else above
    if isinstance(assignment, (cst.Assign, cst.AnnAssign)) and isinstance(assignment.value, cst.Call):
        line = source.parent(assignment)
        alone = isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1
        single = isinstance(assignment, cst.AnnAssign) or len(assignment.targets) == 1
        if is_new_session(source, assignment.value) and alone and single and isinstance(line, cst.SimpleStatementLine):
            if reason := await_refusal(source, line):
                raise Unfit(reason)
            return Session(name, assignment.value, line, requests)
    raise Unfit(f"nothing shows that `{name}` is a new session")


def _following(source: FixSource, session: Session, uses: Sequence[cst.Name]) -> tuple[cst.BaseStatement, ...]:
    """Return the statements from the one below the assignment to the last that uses the session."""
    block = source.parent(session.statement)
    if not isinstance(block, cst.IndentedBlock):
        raise Unfit("the session is made in the line of a compound statement")
    number = next(index for index, each in enumerate(block.body) if each is session.statement)
    last = number
    for use in uses:
        above = [use, *source.ancestors(use)]
        index = next((index for index, each in enumerate(block.body) if any(each is node for node in above)), None)
        if index is None or index < number:
            raise Unfit(f"`{session.name}` is used outside of the block that makes it")
        last = max(last, index)
    if last == number:
        raise Unfit("the session is not used")
    return tuple(block.body[number + 1 : last + 1])


class _Reader:
    def __init__(self, source: FixSource, values: Values, session: Session, spell: Callable[[str], str]) -> None:
        self.source = source
        self.values = values
        self.session = session
        self.spell = spell
        self.sent = {id(request.node) for request in session.requests}

    def use(self, use: cst.Name) -> None:
        attribute = self.source.parent(use)
        name = self.session.name
        if not isinstance(attribute, cst.Attribute) or attribute.value is not use:
            line = self.source.line_of(self.source.offset(use)[0])
            raise Unfit(f"`{name}` is handed on in line {line}, where a session of Requests is expected")
        above = self.source.parent(attribute)
        if isinstance(above, cst.Call) and above.func is attribute and id(above) in self.sent:
            return
        handler = _ATTRIBUTES.get(attribute.attr.value)
        if handler is None:
            raise Unfit(f"`{name}.{attribute.attr.value}` has no counterpart in a client of httpx that is open already")
        handler(self, attribute)

    def headers(self, node: cst.Attribute) -> None:
        above = self.source.parent(node)
        if isinstance(above, cst.Subscript):
            value, index = self.stored(above), above.slice[0].slice
            if value is not None and isinstance(index, cst.Index):
                self.header(index.value, value)
            return
        call = self.source.parent(above) if above is not None else None
        if isinstance(above, cst.Attribute) and isinstance(call, cst.Call) and above.attr.value == "update":
            if len(call.args) == 1 and call.args[0].keyword is None and not call.args[0].star:
                entries = self.values.entries(call.args[0].value)
                if entries is not None:
                    for key, value in entries:
                        self.header(key, value)
                    return
            raise Unfit("the headers of the session are not written out, so there may be None, which httpx refuses")
        raise Unfit("the headers of the session are not just set")

    def header(self, key: cst.BaseExpression, value: cst.BaseExpression) -> None:
        check_header(self.source, self.values, value)
        self.session.conditional |= is_conditional(self.values, key)

    def cookies(self, node: cst.Attribute) -> None:
        above = self.source.parent(node)
        if isinstance(above, cst.Subscript):
            return
        call = self.source.parent(above) if above is not None else None
        if isinstance(above, cst.Attribute) and isinstance(call, cst.Call):
            method = above.attr.value
            plain = all(argument.keyword is None and not argument.star for argument in call.args)
            if plain and (method, len(call.args)) in (("set", 2), ("get", 1), ("get", 2), ("clear", 0)):
                return
            if plain and method == "get_dict" and not call.args:
                start, end = self.source.offset(node)
                self.session.draft.insert(start, "dict(")
                self.session.draft.replace(end, self.source.offset(call)[1], ")")
                return
        raise Unfit("the cookies of the session are another class in httpx")

    def auth(self, node: cst.Attribute) -> None:
        value = self.stored(node)
        literal = self.values.literal(value) if value is not None else None
        if isinstance(literal, cst.Tuple) and len(literal.elements) == 2:
            return
        if isinstance(value, cst.Call):
            name = self.source.resolve(value.func)
            new = {"requests.auth.HTTPBasicAuth": "BasicAuth", "requests.auth.HTTPDigestAuth": "DigestAuth"}.get(name)
            if new is not None:
                self.session.draft.replace(*self.source.outer_offset(value.func), self.spell(new))
                return
        raise Unfit("the session's `auth` may be a class of Requests, which httpx cannot call")

    def max_redirects(self, node: cst.Attribute) -> None:
        if self.stored(node) is None:
            raise Unfit("the session's `max_redirects` is handed on")

    def close(self, node: cst.Attribute) -> None:
        call = self.source.parent(node)
        if not isinstance(call, cst.Call) or not isinstance(self.source.parent(call), cst.Expr):
            raise Unfit("the session's `close` is handed on")
        if reason := await_refusal(self.source, call):
            raise Unfit(f"its `close()` has to be awaited {reason}")
        self.session.draft.insert(self.source.offset(call)[0], "await ")
        self.session.draft.replace(*self.source.offset(node.attr), "aclose")

    def stored(self, node: cst.BaseExpression) -> cst.BaseExpression | None:
        """The value that is assigned to an attribute or item; None if it is only read."""
        target = self.source.parent(node)
        if isinstance(target, cst.AssignTarget):
            statement = self.source.parent(target)
            if isinstance(statement, cst.Assign) and len(statement.targets) == 1:
                return statement.value
            raise Unfit("the session is changed together with something else")
        if isinstance(target, (cst.Del, cst.AugAssign)):
            raise Unfit("the session is changed in a way that httpx does not know")
        return None


_ATTRIBUTES: Final[dict[str, Callable[[_Reader, cst.Attribute], None]]] = {
    "headers": _Reader.headers,
    "cookies": _Reader.cookies,
    "auth": _Reader.auth,
    "max_redirects": _Reader.max_redirects,
    "close": _Reader.close,
}
