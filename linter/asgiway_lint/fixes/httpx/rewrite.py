"""One function: its requests are read, followed and grouped; what survives becomes one fix, the rest one refusal each.

Requests that share a session, a variable or a handler go together or stay together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ParamSpec

import libcst as cst

from asgiway_lint.finding import Finding
from asgiway_lint.fixes.awaits import interleaving
from asgiway_lint.fixes.contexts import await_refusal, brackets, text_refusal
from asgiway_lint.fixes.httpx import outside, wording
from asgiway_lint.fixes.httpx.arguments import VERBS, Unfit, read_arguments
from asgiway_lint.fixes.httpx.calls import Request
from asgiway_lint.fixes.httpx.draft import Draft, Region
from asgiway_lint.fixes.httpx.handlers import Guard, causes_of, guards_around, rewrite_guard
from asgiway_lint.fixes.httpx.placing import free_name, in_loop, region_around
from asgiway_lint.fixes.httpx.responses import Uses, follow
from asgiway_lint.fixes.httpx.sessions import Session, read_session, receiver_refusal
from asgiway_lint.fixes.httpx.spelling import Spelling
from asgiway_lint.fixes.httpx.values import Values
from asgiway_lint.fixes.model import Applicability, Fix, Refusal
from asgiway_lint.fixes.source import FixSource

__all__ = ["NAME", "Question"]

NAME = "httpx"
_Arguments = ParamSpec("_Arguments")


@dataclass(frozen=True, slots=True)
class Question:
    """What to do about the requests of one function; asked with `FixSource.memo`, as each of its findings asks the same.

    Args:
        function: the function.
        findings: all findings of the file.
        module: `httpx` or `httpx2`.
    """

    function: cst.FunctionDef
    findings: tuple[Finding, ...]
    module: str

    def __call__(self, source: FixSource) -> dict[Finding, Fix | Refusal]:
        """Return the answer for each finding of the function that is about Requests."""
        return _Function(source, self).answer()


@dataclass(slots=True, eq=False)
class _Client:
    """A client and what it sends."""

    name: str
    requests: list[Request]
    session: Session | None = None

    def follows(self) -> bool:
        return any(
            each.arguments is not None and each.arguments.follows is not False and not each.arguments.says_redirects
            for each in self.requests
        )


class _Function:
    def __init__(self, source: FixSource, question: Question) -> None:
        self.source = source
        self.function = question.function
        self.findings = question.findings
        self.spell = Spelling(source, question.function.body, question.module)
        self.values = Values(source)
        self.requests: list[Request] = []
        self.iterating: dict[int, Finding] = {}
        self.sessions: list[Session] = []
        self.uses: list[Uses] = []
        self.guards: list[tuple[Guard, Draft]] = []
        self.groups: list[list[Request]] = []

    def answer(self) -> dict[Finding, Fix | Refusal]:
        self.collect()
        self.read_sessions()
        for request in self.alive():
            self.attempt([request], self.read, request)
        self.uses = list(follow(self.source, self.function, self.alive(), self.spell))
        self.groups += [uses.requests for uses in self.uses]
        self.groups += [session.requests for session in self.sessions]
        self.check_clients()
        self.attempt(self.requests, outside.check, self.source, self.function)
        self.spread()
        self.read_guards()
        self.spread()
        fix: Fix | None = None
        while fix is None and self.alive():
            alive = self.alive()
            calls: list[Draft] = []
            for client in self.clients():
                for request in client.requests:
                    self.attempt([request], self.write_call, request, client, calls)
            self.spread()
            if len(self.alive()) == len(alive):
                try:
                    fix = self.write(calls)
                except Unfit as unfit:
                    for request in alive:
                        request.refuse(str(unfit))
        return self.answers(fix)

    def answers(self, fix: Fix | None) -> dict[Finding, Fix | Refusal]:
        found: dict[Finding, Fix | Refusal] = {}
        for request in self.requests:
            kept = Refusal(NAME, request.refusal)
            found[request.finding] = kept if fix is None or request.refusal else fix
        for finding in self.iterating.values():
            if fix is not None and finding in fix.removes:
                found[finding] = fix
            else:
                found[finding] = Refusal(NAME, "the request that it reads the answer of stays one of Requests")
        return found

    # ---- reading

    def collect(self) -> None:
        for finding in self.findings:
            node = self.source.call_at(finding) if wording.is_about_requests(finding) else None
            if node is None or self.source.enclosing_function(node) is not self.function:
                continue
            verb = finding.symbol.rpartition(".")[2]
            if verb in VERBS:
                request = Request(node, finding, verb, finding.line)
                self.requests.append(request)
                self.attempt([request], self.place, request)
            elif verb.startswith("iter_"):
                self.iterating[id(node)] = finding

    def place(self, request: Request) -> None:
        """Find out whether a request can be awaited, and who sends it."""
        node, source = request.node, self.source
        for reason in (await_refusal(source, node), interleaving(source, node)):
            if reason:
                raise Unfit(reason)
        if not request.finding.symbol.startswith("requests.Session."):
            name = source.resolve(node.func)
            if name not in (f"requests.{request.verb}", f"requests.api.{request.verb}"):
                raise Unfit(f"`{source.code(node.func)}` may be something else than `requests.{request.verb}`")
            return
        if not isinstance(node.func, cst.Attribute):
            raise Unfit(f"`{source.code(node.func)}` is a method that was taken from its session")
        receiver = node.func.value
        reason = receiver_refusal(source, self.function, receiver)
        if reason:
            raise Unfit(reason)
        if isinstance(receiver, cst.Name):
            request.session = receiver.value

    def read_sessions(self) -> None:
        for name in dict.fromkeys(request.session for request in self.requests if request.session):
            requests = [request for request in self.requests if request.session == name]
            self.groups.append(requests)
            self.attempt(requests, self.read_session, requests)

    def read_session(self, requests: list[Request]) -> None:
        self.sessions.append(read_session(self.source, self.values, self.function, requests, self.spell))

    def read(self, request: Request) -> None:
        session = next((each for each in self.sessions if each.name == request.session), None)
        arguments = read_arguments(
            self.source,
            self.values,
            request.node,
            request.verb,
            self.spell,
            of_session=".Session." in request.finding.symbol,
        )
        arguments.may_be_304 |= session is not None and session.conditional
        request.arguments = arguments
        request.draft.add(arguments.draft)

    def check_clients(self) -> None:
        """What httpx takes per client must be the same for all requests of it."""
        by_client: dict[str, list[Request]] = {}
        for request in self.alive():
            by_client.setdefault(request.session, []).append(request)
        for session, requests in by_client.items():
            verify = {request.arguments.verify for request in requests if request.arguments is not None}
            for request in requests:
                if request.arguments is None:
                    continue
                if not request.arguments.verify and len(verify) > 1:
                    request.refuse(
                        "httpx takes `verify` per client, and other requests of the function want certificates checked"
                    )
                cookies = request.arguments.cookies
                repeated = len(requests) > 1 or in_loop(self.source, self.function, request.node)
                if cookies is not None and (session or repeated or not self.is_simple(cookies)):
                    request.refuse("httpx takes cookies per client, and this one is used for several requests")

    def is_simple(self, node: cst.BaseExpression) -> bool:
        """Whether an expression means the same at the top of its statement."""
        kinds = (cst.Call, cst.Await, cst.NamedExpr, cst.Yield)
        return not any(isinstance(each, kinds) for each in self.source.nodes(node))

    def read_guards(self) -> None:
        guards: dict[int, Guard] = {}
        for node, request, kind in self.raising():
            for statement in guards_around(self.source, self.function, node):
                if isinstance(statement, cst.TryStar):
                    request.refuse("its exceptions are caught with `except*`")
                    continue
                guard = guards.setdefault(id(statement), Guard(statement, statement.body))
                guard.requests.add(request)
                guard.causes |= causes_of(request, kind)
        for guard in guards.values():
            requests = [request for request in self.requests if request in guard.requests]
            self.attempt(requests, self.read_guard, guard, requests)

    def read_guard(self, guard: Guard, requests: list[Request]) -> None:
        draft = rewrite_guard(self.source, guard, self.spell)
        if draft is not None:
            outside.check_guard(self.source, guard, requests, self.findings)
            self.groups.append(requests)
            self.guards.append((guard, draft))

    def raising(self) -> Iterator[tuple[cst.CSTNode, Request, str]]:
        """The places where a failure of a request comes out."""
        for request in self.alive():
            yield request.node, request, "request"
        for uses in self.uses:
            for node, kind in uses.raising.items():
                for request in uses.requests:
                    if not request.refusal:
                        yield node, request, kind
            for call in uses.iterated:
                for request in uses.requests:
                    if not request.refusal:
                        yield call, request, "request"

    # ---- which go together

    def alive(self) -> list[Request]:
        return [request for request in self.requests if not request.refusal]

    def attempt(
        self,
        requests: Iterable[Request],
        step: Callable[_Arguments, None],
        *args: _Arguments.args,
        **more: _Arguments.kwargs,
    ) -> None:
        """Take a step that requests may fail at."""
        try:
            step(*args, **more)
        except Unfit as unfit:
            for request in requests:
                request.refuse(str(unfit))

    def spread(self) -> None:
        """Refuse what goes together with something refused."""
        again = True
        while again:
            again = False
            for group in self.groups:
                refused = next((each for each in group if each.refusal), None)
                if refused is None:
                    continue
                for request in group:
                    if not request.refusal:
                        again = True
                        request.refuse(f"it goes together with line {refused.line}, which stays: {refused.refusal}")

    # ---- writing

    def clients(self) -> list[_Client]:
        """The clients of the new code: one for all requests without a session, and one for each session."""
        alive = self.alive()
        found = [_Client(each.name, each.requests, each) for each in self.sessions if each.requests[0] in alive]
        single = [request for request in alive if not request.session]
        if single:
            found.insert(0, _Client(free_name(self.source, self.function), single))
        return found

    def write(self, calls: Sequence[Draft]) -> Fix:
        """Put everything together that is left."""
        draft, regions = Draft(), list[Region]()
        alive = self.alive()
        uses = [each for each in self.uses if all(request in alive for request in each.requests)]
        for each in uses:
            draft.add(each.draft)
        for guard, change in self.guards:
            if guard.requests & set(alive):
                draft.add(change)
        for client in self.clients():
            regions += self.write_client(client, draft)
        for call in calls:
            draft.add(call)
        try:
            edits = draft.edits(regions)
        except ValueError as error:
            raise Unfit(str(error)) from error
        removes = [request.finding for request in alive]
        removes += [self.iterating[id(node)] for each in uses for node in each.iterated if id(node) in self.iterating]
        return Fix(
            name=NAME,
            title=wording.title(self.function.name.value, alive, self.spell.module),
            applicability=Applicability.UNSAFE,
            reason=wording.reason(self.function.name.value),
            edits=edits,
            imports=self.spell.imports_of(edits),
            requires=(self.spell.module,),
            notes=wording.notes(self.source, self.function, alive, [*self.uses_notes(uses), *self.guard_notes(alive)]),
            removes=tuple(removes),
        )

    def guard_notes(self, alive: Sequence[Request]) -> Iterator[str]:
        for guard, _ in self.guards:
            if guard.requests & set(alive):
                yield from guard.notes

    def uses_notes(self, uses: Sequence[Uses]) -> Iterator[str]:
        for each in uses:
            yield from each.notes

    def write_client(self, client: _Client, draft: Draft) -> Iterator[Region]:
        follows = client.follows()
        new = f"{self.spell('AsyncClient')}({', '.join(self.client_arguments(client, follows))})"
        session = client.session
        if session is None:
            nodes = [request.node for request in client.requests]
            yield region_around(self.source, self.function, nodes, f"async with {new} as {client.name}:")
            return
        draft.add(session.draft)
        start = self.source.offset(session.statement)[0]
        if isinstance(session.statement, cst.With):
            draft.insert(start, "async ")
            draft.replace(*self.source.offset(session.made), new)
            return
        draft.replace(*self.source.offset(session.statement.body[0]), f"async with {new} as {client.name}:")
        region = session.region(self.source)
        if region is not None:
            yield region

    def client_arguments(self, client: _Client, follows: bool) -> Iterator[str]:
        plans = [request.arguments for request in client.requests if request.arguments is not None]
        if follows:
            yield "follow_redirects=True"
        if not all(plan.says_timeout for plan in plans):
            yield "timeout=None"
        if not all(plan.verify for plan in plans):
            yield "verify=False"
        for plan in plans:
            if plan.cookies is not None:
                yield f"cookies={self.source.code(plan.cookies)}"

    def write_call(self, request: Request, client: _Client, calls: list[Draft]) -> None:
        """Write one call: who sends it, and what of its arguments depends on that."""
        node, plan, source = request.node, request.arguments, self.source
        assert plan is not None
        start, (_, function_end), end = source.offset(node)[0], source.outer_offset(node.func), source.offset(node)[1]
        if "#" in source.text[start:function_end]:
            raise Unfit("there is a comment in front of its arguments")
        draft = Draft()
        draft.add(request.draft)
        if plan.streams:
            if plan.verb != "request":
                first = node.args[0].keyword or node.args[0].value
                draft.inserted.setdefault(source.outer_offset(first)[0], []).insert(0, f'"{plan.verb.upper()}", ')
            draft.replace(start, function_end, f"{client.name}.stream")
        else:
            before, after = brackets(source, node)
            draft.replace(start, function_end, f"{before}await {client.name}.{plan.verb}")
            if after:
                draft.insert(end, after)
        if client.follows() and plan.follows is False and not plan.says_redirects:
            draft.insert(source.outer_offset(node.args[-1].value)[1], ", follow_redirects=False")
        new = "".join(text for texts in draft.inserted.values() for text in texts)
        if reason := text_refusal(source, node, new):
            raise Unfit(reason)
        calls.append(draft)
