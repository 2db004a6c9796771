"""`httpx.get(...)` and `with httpx.Client()` in a coroutine -> the same library's `AsyncClient` (httpx2's, too): unsafe.

Both halves of httpx take the same arguments and give the same responses, so little can differ: what only the synchronous half can
send or close, and what is set per client instead of per call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import libcst as cst

from asgiway_lint.finding import Finding
from asgiway_lint.fixes.awaits import interleaving
from asgiway_lint.fixes.contexts import await_refusal, brackets
from asgiway_lint.fixes.httpx.arguments import VERBS, Unfit
from asgiway_lint.fixes.httpx.draft import Draft, Region
from asgiway_lint.fixes.httpx.names import uses_of
from asgiway_lint.fixes.httpx.placing import free_name, in_loop, region_around
from asgiway_lint.fixes.httpx.spelling import Spelling
from asgiway_lint.fixes.httpx.values import Kind, Values
from asgiway_lint.fixes.model import Applicability, Fix, Refusal
from asgiway_lint.fixes.source import FixSource

__all__ = ["NAME", "NATIVE", "offer"]

NAME = "httpx-async"
NATIVE = True

_Checked = TypeVar("_Checked")
_LIBRARIES: Final = ("httpx", "httpx2")
_OF_THE_CLIENT: Final = frozenset(["cookies", "proxy", "verify", "trust_env"])
_SYNCHRONOUS: Final = frozenset(["transport", "mounts", "event_hooks", "app"])
_SYNCHRONOUS_RESPONSE: Final = frozenset(["close", "iter_raw", "stream"])
_AUTH: Final = frozenset(["BasicAuth", "DigestAuth", "NetRCAuth"])
_SAME_IN_BOTH: Final = frozenset(
    [
        "headers",
        "cookies",
        "base_url",
        "params",
        "timeout",
        "is_closed",
        "trust_env",
        "follow_redirects",
        "max_redirects",
    ]
)


def offer(source: FixSource, finding: Finding, findings: Sequence[Finding]) -> Fix | Refusal | None:
    """Return the fix of the function that a request is made in, or why the request stays."""
    library = finding.symbol.partition(".")[0]
    if finding.code != "AW102" or finding.chain or library not in _LIBRARIES:
        return None
    call = source.call_at(finding)
    function = source.enclosing_function(call) if call is not None else None
    if call is None or function is None:
        return Refusal(NAME, "outside of any coroutine")
    if library not in finding.replacement:
        return Refusal(NAME, f"the settings name `{finding.replacement}` for it")
    answers = source.memo(_Question(function, tuple(findings), library))
    return answers.get(finding) or Refusal(NAME, f"no rewrite is known for `{finding.symbol}`")


@dataclass(frozen=True, slots=True)
class _Question:
    """What to do about the requests of one function; asked with `FixSource.memo`."""

    function: cst.FunctionDef
    findings: tuple[Finding, ...]
    library: str

    def __call__(self, source: FixSource) -> dict[Finding, Fix | Refusal]:
        return _Function(source, self).answers()


@dataclass(slots=True, eq=False)
class _Call:
    node: cst.Call
    finding: Finding
    client: cst.Name | None
    moved: tuple[cst.Arg, ...] = ()


class _Function:
    def __init__(self, source: FixSource, question: _Question) -> None:
        self.source = source
        self.function = question.function
        self.findings = question.findings
        self.library = question.library
        self.spell = Spelling(source, question.function.body, question.library)
        self.values = Values(source)
        self.refused: dict[Finding, Refusal] = {}

    def answers(self) -> dict[Finding, Fix | Refusal]:
        calls = [call for call in self.collect() if self.passes([call], self.check, call)]
        alone = [call for call in calls if call.client is None]
        for call in alone:
            several = len(alone) > 1 or in_loop(self.source, self.function, call.node)
            if several and call.moved:
                self.refuse([call], "what it sets per call is set per client, which other requests use, too")
        for name in dict.fromkeys(call.client.value for call in calls if call.client is not None):
            group = [call for call in calls if call.client is not None and call.client.value == name]
            self.passes(group, self.check_client, group)
        calls = [call for call in calls if call.finding not in self.refused]
        found: dict[Finding, Fix | Refusal] = dict(self.refused)
        if calls:
            try:
                fix: Fix | Refusal = self.write(calls)
            except (Unfit, ValueError) as error:
                fix = Refusal(NAME, str(error))
            found.update(dict.fromkeys((call.finding for call in calls), fix))
        return found

    def refuse(self, calls: Sequence[_Call], reason: str) -> None:
        for call in calls:
            self.refused.setdefault(call.finding, Refusal(NAME, reason))

    def passes(self, calls: Sequence[_Call], check: Callable[[_Checked], None], checked: _Checked) -> bool:
        """Make a check that calls may fail."""
        try:
            check(checked)
        except Unfit as unfit:
            self.refuse(calls, str(unfit))
            return False
        return True

    # ---- reading

    def collect(self) -> Iterator[_Call]:
        for finding in self.findings:
            library, _, rest = finding.symbol.partition(".")
            kind, _, verb = rest.rpartition(".")
            if finding.chain or library != self.library or kind not in ("", "Client") or verb not in VERBS:
                continue
            node = self.source.call_at(finding)
            if node is None or self.source.enclosing_function(node) is not self.function:
                continue
            receiver = node.func.value if kind and isinstance(node.func, cst.Attribute) else None
            if kind and not isinstance(receiver, cst.Name):
                self.refused[finding] = Refusal(NAME, "its client is shared, or made on the spot")
                continue
            yield _Call(node, finding, receiver if isinstance(receiver, cst.Name) else None)

    def check(self, call: _Call) -> None:
        source, node = self.source, call.node
        for reason in (await_refusal(source, node), interleaving(source, node)):
            if reason:
                raise Unfit(reason)
        if call.client is None and source.resolve(node.func) != call.finding.symbol:
            raise Unfit(f"`{source.code(node.func)}` may be something else than `{call.finding.symbol}`")
        if "#" in source.text[source.offset(node)[0] : source.outer_offset(node.func)[1]]:
            raise Unfit("there is a comment in front of its arguments")
        moved: list[cst.Arg] = []
        for argument in node.args:
            keyword = argument.keyword.value if argument.keyword is not None else ""
            if argument.star:
                raise Unfit(f"`{argument.star}{source.code(argument.value)}` hides what it is called with")
            if keyword == "auth":
                self.check_auth(argument.value)
            if keyword == "content" and self.values.kind(argument.value) not in (Kind.TEXT, Kind.BYTES):
                raise Unfit("its `content` may be a file or a generator, which an `AsyncClient` cannot send")
            if keyword in _OF_THE_CLIENT and call.client is None:
                if not _is_simple(source, argument.value):
                    raise Unfit(f"its `{keyword}` is worked out on the spot")
                moved.append(argument)
        call.moved = tuple(moved)
        self.check_response(node)

    def check_auth(self, node: cst.BaseExpression) -> None:
        literal = self.values.literal(node)
        name = self.source.resolve(literal.func) if isinstance(literal, cst.Call) else ""
        known = isinstance(literal, cst.Tuple) or name.rpartition(".")[2] in _AUTH
        if not known and not (isinstance(literal, cst.Name) and literal.value == "None"):
            raise Unfit(f"`auth={self.source.code(node)}` may only know how to authenticate synchronously")

    def check_response(self, node: cst.Call) -> None:
        """A response of an `AsyncClient` cannot be closed synchronously."""
        above = self.source.parent(node)
        target = above.targets[0].target if isinstance(above, cst.Assign) else getattr(above, "target", None)
        looked_at: list[cst.CSTNode | None] = [above]
        if isinstance(target, cst.Name):
            looked_at += [self.source.parent(use) for use in uses_of(self.source, target.value, target)]
        for each in looked_at:
            if isinstance(each, cst.Attribute) and each.attr.value in _SYNCHRONOUS_RESPONSE:
                raise Unfit(f"`.{each.attr.value}` of its response is synchronous")

    def check_client(self, calls: Sequence[_Call]) -> None:
        """The client must be the function's own, and used for nothing that is different on an `AsyncClient`."""
        client = calls[0].client
        assert client is not None
        made = self.made(client)
        for argument in made.args:
            keyword = argument.keyword.value if argument.keyword is not None else ""
            if not keyword or keyword in _SYNCHRONOUS:
                raise Unfit(
                    f"`{self.source.code(argument)}` of its client may be synchronous"
                    if keyword
                    else "its client hides its arguments"
                )
            if keyword == "auth":
                self.check_auth(argument.value)
        sent = {id(call.node) for call in calls}
        for use in uses_of(self.source, client.value, client):
            attribute = self.source.parent(use)
            if isinstance(attribute, cst.AsName):
                continue
            if not isinstance(attribute, cst.Attribute):
                raise Unfit(f"`{client.value}` is handed on, where a synchronous client is expected")
            call = self.source.parent(attribute)
            if not (isinstance(call, cst.Call) and id(call) in sent) and attribute.attr.value not in _SAME_IN_BOTH:
                raise Unfit(f"`{client.value}.{attribute.attr.value}` stays synchronous")

    def made(self, client: cst.Name) -> cst.Call:
        """The call that makes a client, in the `with` that names it."""
        found = self.source.scopes.lookup(client.value, client)
        if found is None or found[0].node is not self.function or len(found[1]) != 1:
            raise Unfit(f"`{client.value}` is not a client of the function's own")
        name = self.source.parent(found[1][0].node)
        item = self.source.parent(name) if isinstance(name, cst.AsName) else None
        statement = self.source.parent(item) if item is not None else None
        if (
            not isinstance(item, cst.WithItem)
            or not isinstance(statement, cst.With)
            or not isinstance(item.item, cst.Call)
        ):
            raise Unfit(f"`{client.value}` is not made by a `with`")
        if (
            self.source.resolve(item.item.func) != f"{self.library}.Client"
            or len(statement.items) > 1
            or statement.asynchronous
        ):
            raise Unfit(f"`{client.value}` is not made by a `with` of its own")
        if reason := await_refusal(self.source, statement):
            raise Unfit(reason)
        return item.item

    # ---- writing

    def write(self, calls: Sequence[_Call]) -> Fix:
        draft, regions = Draft(), list[Region]()
        alone = [call for call in calls if call.client is None]
        name = free_name(self.source, self.function) if alone else ""
        for call in calls:
            self.write_call(call, name, draft)
        if alone:
            arguments = ", ".join(self.source.code(argument) for call in alone for argument in call.moved)
            header = f"async with {self.spell('AsyncClient')}({arguments}) as {name}:"
            regions.append(region_around(self.source, self.function, [call.node for call in alone], header))
        clients = {call.client.value: call.client for call in calls if call.client is not None}
        for client in clients.values():
            made = self.made(client)
            statement = self.source.enclosing(made, cst.With)
            assert statement is not None
            draft.insert(self.source.offset(statement)[0], "async ")
            draft.replace(*self.source.outer_offset(made.func), self.spell("AsyncClient"))
        notes = [
            "each call of the function makes a client, which takes some 20 ms to load certificates; one for the life of the application keeps connections"
        ]
        if len(alone) > 1 or any(in_loop(self.source, self.function, call.node) for call in alone):
            notes.append("the requests share a client, and so cookies that an answer sets, and connections")
        edits = draft.edits(regions)
        return Fix(
            name=NAME,
            title=f"Use an `{self.library}.AsyncClient` in `{self.function.name.value}`",
            applicability=Applicability.UNSAFE,
            reason="requests that were made by clients of their own may share one, and tests that replace the synchronous half of the library no longer meet them",
            edits=edits,
            imports=self.spell.imports_of(edits),
            notes=tuple(notes),
            removes=tuple(call.finding for call in calls),
        )

    def write_call(self, call: _Call, name: str, draft: Draft) -> None:
        node, source = call.node, self.source
        before, after = brackets(source, node)
        client = call.client.value if call.client is not None else name
        draft.replace(
            source.offset(node)[0],
            source.outer_offset(node.func)[1],
            f"{before}await {client}.{call.finding.symbol.rpartition('.')[2]}",
        )
        if after:
            draft.insert(source.offset(node)[1], after)
        kept = [argument for argument in node.args if argument not in call.moved]
        if not call.moved:
            return
        if not kept:
            raise Unfit("all of its arguments would move to the client")
        for number, argument in enumerate(node.args):
            if argument not in call.moved:
                continue
            if number == 0:
                raise Unfit("its first argument would move to the client")
            start, end = _end(source, node.args[number - 1]), _end(source, argument)
            if "#" in source.text[start:end]:
                raise Unfit("there is a comment at an argument that has to go")
            draft.replace(start, end, "")


def _end(source: FixSource, argument: cst.Arg) -> int:
    return source.outer_offset(argument.value)[1]


def _is_simple(source: FixSource, node: cst.BaseExpression) -> bool:
    """Whether an expression means the same at the top of its statement."""
    return not any(isinstance(each, (cst.Call, cst.Await, cst.NamedExpr, cst.Yield)) for each in source.nodes(node))
