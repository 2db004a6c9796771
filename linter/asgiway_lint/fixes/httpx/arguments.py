"""The arguments of one call of Requests, and how httpx wants them: renamed, moved to the client, in another method - or not at all.

The rows of the difference table (`linter/docs/fixes/httpx.md`) that are about arguments stand here, one function each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import libcst as cst

from asgiway_lint.fixes.httpx.draft import Draft
from asgiway_lint.fixes.httpx.url import Url, read_url
from asgiway_lint.fixes.httpx.values import Kind, Values
from asgiway_lint.fixes.source import FixSource

__all__ = ["VERBS", "Arguments", "Unfit", "check_header", "is_conditional", "read_arguments"]

VERBS: Final = frozenset(["get", "post", "put", "patch", "delete", "head", "options", "request"])
_POSITIONAL: Final[Mapping[str, tuple[str, ...]]] = {
    "get": ("url", "params"),
    "post": ("url", "data", "json"),
    "put": ("url", "data"),
    "patch": ("url", "data"),
    "delete": ("url",),
    "head": ("url",),
    "options": ("url",),
    "request": ("method", "url"),
}
# Only of `Session.request`; the function takes no more than two.
_SESSION_REQUEST: Final = (
    "method",
    "url",
    "params",
    "data",
    "headers",
    "cookies",
    "files",
    "auth",
    "timeout",
    "allow_redirects",
)
_WITH_BODY: Final = frozenset(["post", "put", "patch", "request"])
_BODY: Final = frozenset(["data", "json", "files"])


class Unfit(Exception):  # control flow within the package, never shown as an error
    """A call (or what is done with it) has no counterpart; the text says why."""


@dataclass(slots=True)
class Arguments:
    """What the arguments of one call ask for.

    Args:
        verb: the method of the client to call (`request` where the one of Requests takes what httpx's does not).
        url: what is known about the URL.
        draft: the edits between the parentheses.
        follows: whether redirects are followed; None: not known before it runs.
        says_redirects: whether the call says so itself.
        says_timeout: whether the call has a timeout of its own (None included).
        verify: False when certificates are not to be checked.
        cookies: cookies to give to the client.
        streams: whether the body is to be read piece by piece.
        may_be_304: whether the request asks to be answered "not modified".
        notes: what a reviewer should look at.
    """

    verb: str
    url: Url
    draft: Draft = field(default_factory=Draft)
    follows: bool | None = True
    says_redirects: bool = False
    says_timeout: bool = False
    verify: bool = True
    cookies: cst.BaseExpression | None = None
    streams: bool = False
    may_be_304: bool = False
    notes: list[str] = field(default_factory=list[str])


def read_arguments(
    source: FixSource,
    values: Values,
    call: cst.Call,
    verb: str,
    spell: Callable[[str], str],
    *,
    of_session: bool = False,
) -> Arguments:
    """Read the arguments of a call.

    Args:
        source: the file.
        values: what its expressions are.
        call: the call.
        verb: `get`, `request` ...
        spell: how the new code writes a name of httpx.
        of_session: whether it is a session's method, and not a function.

    Raises:
        Unfit: an argument that httpx has no exact counterpart of.
    """
    given = _given(source, call, verb, of_session)
    url = given.get("url")
    if url is None:
        raise Unfit("its URL is not among the arguments")
    reader = _Reader(source, values, call, given, spell, Arguments(verb, read_url(source, values, url.value)))
    reader.read()
    return reader.result


def _given(source: FixSource, call: cst.Call, verb: str, of_session: bool) -> dict[str, cst.Arg]:
    names = _SESSION_REQUEST if verb == "request" and of_session else _POSITIONAL[verb]
    found: dict[str, cst.Arg] = {}
    for number, argument in enumerate(call.args):
        if argument.star:
            raise Unfit(f"`{argument.star}{source.code(argument.value)}` hides what it is called with")
        if argument.keyword is not None:
            found[argument.keyword.value] = argument
        elif number < len(names):
            found[names[number]] = argument
        else:
            raise Unfit("it has more positional arguments than Requests takes")
    return found


def check_header(source: FixSource, values: Values, value: cst.BaseExpression) -> None:
    """Check the value of a header, which httpx wants to be text (ASCII, as far as the file shows it) or bytes.

    Raises:
        Unfit: it may be something else.
    """
    if values.may_be_none(value):
        raise Unfit(f"the header `{source.code(value)}` may be None, which httpx refuses")
    if values.kind(value) in (Kind.NUMBER, Kind.BOOL):
        raise Unfit(f"the header `{source.code(value)}` is no text")
    literal = values.literal(value)
    if isinstance(literal, cst.SimpleString) and not literal.value.isascii():
        raise Unfit(f"the header {literal.value} is not ASCII")


def is_conditional(values: Values, key: cst.BaseExpression) -> bool:
    """Whether a header may ask to be answered "not modified"."""
    literal = values.literal(key)
    return not isinstance(literal, cst.SimpleString) or literal.raw_value.lower().startswith("if-")


class _Reader:
    def __init__(
        self,
        source: FixSource,
        values: Values,
        call: cst.Call,
        given: dict[str, cst.Arg],
        spell: Callable[[str], str],
        result: Arguments,
    ) -> None:
        self.source = source
        self.values = values
        self.call = call
        self.given = given
        self.spell = spell
        self.result = result
        self.dropped: list[cst.Arg] = []
        self.raw_body = False

    def read(self) -> None:
        verb = self.result.verb
        if verb == "head":
            self.result.follows = False
        for name, argument in self.given.items():
            handler = _HANDLERS.get(name)
            if handler is None:
                raise Unfit(f"httpx has no argument `{name}`")
            handler(self, argument)
            self.name_positional(name, argument)
        bodies = [name for name in ("data", "json") if name in self.given and not self.is_none(self.given[name])]
        if len(bodies) > 1:
            raise Unfit("it has both `data` and `json`")
        if self.raw_body and "files" in self.given:
            raise Unfit("it has a body and files")
        if verb not in _WITH_BODY and not _BODY.isdisjoint(self.given):
            self.result.verb = "request"
            self.result.draft.insert(self.start(self.call.args[0]), f'"{verb.upper()}", ')
        self.drop()

    # ---- what arguments are about

    def plain(self, argument: cst.Arg) -> None:
        """The same in httpx."""

    def url(self, argument: cst.Arg) -> None:
        if self.values.kind(argument.value) is Kind.BYTES:
            raise Unfit("its URL is bytes")
        if self.result.url.annotated_other:
            self.result.draft.wrap(*self.source.outer_offset(argument.value), "str(", ")")

    def method(self, argument: cst.Arg) -> None:
        if self.values.kind(argument.value) is Kind.BYTES:
            raise Unfit("its method is bytes")

    def params(self, argument: cst.Arg) -> None:
        if self.is_none(argument):
            return
        if self.result.url.query is not False:
            raise Unfit(
                "its URL may have a query of its own, which httpx replaces by `params` where Requests adds to it"
            )
        self.form(argument, "params")

    def data(self, argument: cst.Arg) -> None:
        node = argument.value
        kind = self.values.kind(node)
        if self.is_none(argument):
            return
        if kind in (Kind.TEXT, Kind.BYTES):
            self.rename(argument, "content")
            self.raw_body = True
            return
        if kind in (Kind.DICT, Kind.LIST):
            self.form(argument, "data")
            return
        raise Unfit(
            f"`{self.source.code(node)}` as `data` may be a form, text or a file, each of which httpx takes differently"
        )

    def form(self, argument: cst.Arg, name: str) -> None:
        """None is left out by Requests and sent as an empty value by httpx; booleans are `True` there, `true` here."""
        node = argument.value
        if isinstance(node, cst.Name) and self.values.dict_of_text(node):
            return
        if self.values.kind(node) is Kind.LIST:
            raise Unfit(f"`{name}` is a list of pairs, whose order httpx does not keep")
        entries = self.values.entries(node)
        if entries is None:
            raise Unfit(
                f"`{name}` is not written out, so it may contain None, which Requests leaves out and httpx sends as an empty value"
            )
        for key, value in entries:
            if self.values.kind(key) not in (Kind.TEXT, Kind.NUMBER):
                raise Unfit(f"a key of `{name}` may be something else than text")
            elements = value.elements if isinstance(value, (cst.List, cst.Tuple)) else None
            for each in [value] if elements is None else [element.value for element in elements]:
                self.form_value(each, name, literal=self.inside(each, node))

    def form_value(self, node: cst.BaseExpression, name: str, *, literal: bool) -> None:
        kind = self.values.kind(node)
        if kind is Kind.BOOL and literal:
            self.result.draft.wrap(*self.source.outer_offset(node), "str(", ")")
        elif kind not in (Kind.TEXT, Kind.NUMBER):
            code = self.source.code(node)
            raise Unfit(
                f"`{code}` in `{name}` may be None, which Requests leaves out and httpx sends as an empty value"
                if kind in (Kind.NONE, Kind.UNKNOWN)
                else f"`{code}` in `{name}` is {kind.value}, which httpx writes differently"
            )

    def json(self, argument: cst.Arg) -> None:
        if not self.is_none(argument):
            self.result.notes.append(
                "`json=` is sent without blanks and escapes: a signature made of the body's bytes changes"
            )

    def headers(self, argument: cst.Arg) -> None:
        node = argument.value
        if self.is_none(argument):
            return
        if isinstance(node, cst.Name) and self.values.dict_of_text(node):
            self.result.may_be_304 = True
            return
        entries = self.values.entries(node)
        if entries is None:
            raise Unfit("`headers` is not written out, so it may contain None, which httpx refuses")
        for key, value in entries:
            check_header(self.source, self.values, value)
            self.result.may_be_304 |= is_conditional(self.values, key)

    def cookies(self, argument: cst.Arg) -> None:
        if not self.is_none(argument):
            self.result.cookies = argument.value
        self.dropped.append(argument)

    def files(self, argument: cst.Arg) -> None:
        entries = self.values.entries(argument.value)
        if entries is None:
            raise Unfit("`files` is not written out; httpx takes no files in text mode")
        for key, value in entries:
            if self.values.kind(key) is not Kind.TEXT:
                raise Unfit("a key of `files` may be something else than text")
            self.file(value)
        self.result.notes.append("httpx gives every file of the form a Content-Type of its own")

    def file(self, node: cst.BaseExpression) -> None:
        literal = self.values.literal(node)
        if isinstance(literal, cst.Tuple) and len(literal.elements) > 1:
            if self.values.may_be_none(literal.elements[0].value):
                raise Unfit("a file without a name")
            content = literal.elements[1].value
            if self.values.kind(content) in (Kind.TEXT, Kind.BYTES) or self.reads_binary(content) or _is_read(content):
                return
        elif self.reads_binary(node):
            return
        raise Unfit(
            f"the file `{self.source.code(node)}` may be open in text mode, or have no name; httpx treats both differently"
        )

    def reads_binary(self, node: cst.BaseExpression) -> bool:
        """Whether a file is opened with `open(path, "rb")`, there or where its name is bound."""
        if isinstance(node, cst.Name):
            found = self.source.scopes.lookup(node.value, node)
            if found is None or len(found[1]) != 1:
                return False
            above = self.source.parent(found[1][0].node)
            item = self.source.parent(above) if isinstance(above, cst.AsName) else None
            node = item.item if isinstance(item, cst.WithItem) else self.values.literal(node)
        if not isinstance(node, cst.Call):
            return False
        is_method = isinstance(node.func, cst.Attribute) and node.func.attr.value == "open"
        if self.source.resolve(node.func) not in ("builtins.open", "io.open") and not is_method:
            return False
        arguments = node.args[0 if is_method else 1 :]
        mode = next(
            (each.value for each in node.args if each.keyword is not None and each.keyword.value == "mode"),
            arguments[0].value if arguments and arguments[0].keyword is None else None,
        )
        return isinstance(mode, cst.SimpleString) and "b" in mode.raw_value

    def auth(self, argument: cst.Arg) -> None:
        node = argument.value
        literal = self.values.literal(node)
        if self.is_none(argument) or (isinstance(literal, cst.Tuple) and len(literal.elements) == 2):
            return
        name = self.source.resolve(node.func) if isinstance(node, cst.Call) else ""
        new = {"requests.auth.HTTPBasicAuth": "BasicAuth", "requests.auth.HTTPDigestAuth": "DigestAuth"}.get(name)
        if new is None or not isinstance(node, cst.Call):
            raise Unfit(f"`{self.source.code(node)}` as `auth` may be a class of Requests, which httpx cannot call")
        self.result.draft.replace(*self.source.outer_offset(node.func), self.spell(new))

    def timeout(self, argument: cst.Arg) -> None:
        literal = self.values.literal(argument.value)
        if isinstance(literal, cst.Call) and self.source.resolve(literal.func).startswith("urllib3."):
            raise Unfit("its timeout is an object of urllib3")
        self.result.says_timeout = True

    def allow_redirects(self, argument: cst.Arg) -> None:
        literal = self.values.literal(argument.value)
        text = literal.value if isinstance(literal, cst.Name) else ""
        self.result.follows = {"True": True, "False": False}.get(text)
        self.result.says_redirects = True
        self.rename(argument, "follow_redirects")

    def verify(self, argument: cst.Arg) -> None:
        literal = self.values.literal(argument.value)
        text = literal.value if isinstance(literal, cst.Name) else ""
        if text not in ("True", "False", "None"):
            raise Unfit(
                f"`verify={self.source.code(argument.value)}` may be a file of certificates, which httpx wants as an `ssl.SSLContext`"
            )
        self.result.verify = text != "False"
        self.dropped.append(argument)

    def stream(self, argument: cst.Arg) -> None:
        literal = self.values.literal(argument.value)
        text = literal.value if isinstance(literal, cst.Name) else ""
        if text not in ("True", "False", "None"):
            raise Unfit("it is not known before it runs whether it streams")
        self.result.streams = text == "True"
        self.dropped.append(argument)

    def absent(self, argument: cst.Arg) -> None:
        keyword = argument.keyword.value if argument.keyword is not None else "it"
        if not self.is_none(argument):
            raise Unfit(_ABSENT.get(keyword, f"httpx has no `{keyword}` per request"))
        self.dropped.append(argument)

    # ---- edits

    def is_none(self, argument: cst.Arg) -> bool:
        return isinstance(argument.value, cst.Name) and argument.value.value == "None"

    def inside(self, node: cst.CSTNode, outer: cst.CSTNode) -> bool:
        return node is outer or any(above is outer for above in self.source.ancestors(node))

    def start(self, argument: cst.Arg) -> int:
        if argument.keyword is not None:
            return self.source.offset(argument.keyword)[0]
        return self.source.outer_offset(argument.value)[0]

    def rename(self, argument: cst.Arg, name: str) -> None:
        if argument.keyword is not None:
            self.result.draft.replace(*self.source.offset(argument.keyword), name)
        else:
            self.result.draft.insert(self.start(argument), f"{name}=")

    def name_positional(self, name: str, argument: cst.Arg) -> None:
        """httpx takes what follows the URL by keyword only."""
        renamed = (name == "data" and self.raw_body) or name == "allow_redirects"
        if argument.keyword is None and name not in ("url", "method") and not renamed and argument not in self.dropped:
            self.result.draft.inserted.setdefault(self.start(argument), []).insert(0, f"{name}=")

    def drop(self) -> None:
        """Take arguments away that have moved to the client or say what is so anyway."""
        arguments = list(self.call.args)
        for argument in self.dropped:
            number = arguments.index(argument)
            end = self.source.outer_offset(argument.value)[1]
            if number + 1 < len(arguments):
                start, end = self.start(argument), self.start(arguments[number + 1])
            elif number:
                start = self.source.outer_offset(arguments[number - 1].value)[1]
            else:
                start = self.start(argument)
            if "#" in self.source.text[start:end]:
                raise Unfit("there is a comment at an argument that has to go")
            if number and arguments[number - 1] in self.dropped and number + 1 == len(arguments):
                raise Unfit("too many of its arguments have to go")
            self.result.draft.replace(start, end, "")


def _is_read(node: cst.BaseExpression) -> bool:
    """Whether a value is what was read from a file, so text or bytes: `await upload.read()`, `buffer.getvalue()`."""
    call = node.expression if isinstance(node, cst.Await) else node
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute):
        return False
    return call.func.attr.value in ("read", "read_bytes", "read_text", "getvalue")


_ABSENT: Final = {
    "proxies": "httpx takes proxies when a client is made, as `proxy` or `mounts`, and not per request",
    "cert": "httpx takes a client certificate as part of an `ssl.SSLContext` when a client is made",
    "hooks": "httpx has event hooks on the client, with other arguments, instead of `hooks`",
}
_HANDLERS: Final[Mapping[str, Callable[[_Reader, cst.Arg], None]]] = {
    "url": _Reader.url,
    "method": _Reader.method,
    "params": _Reader.params,
    "data": _Reader.data,
    "json": _Reader.json,
    "headers": _Reader.headers,
    "cookies": _Reader.cookies,
    "files": _Reader.files,
    "auth": _Reader.auth,
    "timeout": _Reader.timeout,
    "allow_redirects": _Reader.allow_redirects,
    "verify": _Reader.verify,
    "stream": _Reader.stream,
    "proxies": _Reader.absent,
    "cert": _Reader.absent,
    "hooks": _Reader.absent,
}
