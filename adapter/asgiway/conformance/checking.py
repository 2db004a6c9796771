"""One check of an application: every request is made several times, in different ways, and the findings come together.

Twice watched (an application has to survive its first call), once through ``wsgiref.validate``, and, when the body comes
in more than one piece, once by a client that leaves at the second. All of them go through the adapter.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication
from wsgiref.validate import WSGIWarning, validator

import anyio

from asgiway.conformance.drive import Outcome, Request, ask
from asgiway.conformance.findings import Finding, Findings, Places
from asgiway.conformance.validator import complaint, rule_of
from asgiway.conformance.watch import Watch
from asgiway.errors import AdapterError
from asgiway.middleware import WSGIMiddleware

__all__ = ["Report", "check"]


@dataclass(frozen=True, slots=True)
class Report:
    """What a check has found.

    Parameters:
        requests: what was asked, with the status that came back, None when none did.
        breaches: what breaks PEP 3333.
        notes: what is worth knowing; it breaks nothing.
    """

    requests: tuple[tuple[Request, int | None], ...]
    breaches: tuple[Finding, ...]
    notes: tuple[Finding, ...]


def check(
    app: WSGIApplication, requests: Sequence[Request], *, seconds: float = 10.0, roots: Iterable[Path] = ()
) -> Report:
    """Find out which rules of PEP 3333 an application breaks.

    Parameters:
        app: the WSGI application.
        requests: what to ask it; each is made up to four times.
        seconds: how long one answer may take before it is left unfinished. Default 10.
        roots: folders of the application's own source, if they lie where libraries are installed.
    """
    findings = Findings()
    places = Places(roots)
    watched = Watch(app, findings, places)
    answers: list[tuple[Request, int | None]] = []

    async def run() -> None:
        for request in requests:
            findings.request = str(request)
            outcome = await _ask(watched, request, seconds)
            answers.append((request, outcome.status))
            _judge(outcome, seconds, findings, places)
            if outcome.late:  # the others would end no better
                continue
            again = await _ask(watched, request, seconds)
            _judge(again, seconds, findings, places)
            if not findings.shown("returns-iterable"):  # wsgiref.validate would stumble over it
                await _validate(app, request, seconds, findings, places)
            if outcome.chunks > 1:
                await _ask(watched, request, seconds, leave_after=2)
        _note_not_found(answers, findings)

    anyio.run(run)
    return Report(tuple(answers), tuple(findings.breaches), tuple(findings.notes))


async def _ask(app: WSGIApplication, request: Request, seconds: float, leave_after: int | None = None) -> Outcome:
    # The least high_water: every piece is sent before the next one is asked for, so a client can leave between them.
    adapter = WSGIMiddleware(app, workers=1, drain_timeout=0, multiprocess=False, high_water=1)
    async with adapter:
        return await ask(adapter, request, seconds, leave_after=leave_after)


def _judge(outcome: Outcome, seconds: float, findings: Findings, places: Places) -> None:
    """What the adapter itself says, if it isn't only the consequence of what was seen before."""
    if outcome.late:
        findings.add("unfinished", f"the response had not come to its end after {seconds:g} s; its end was not checked")
    elif outcome.left:
        findings.add("unfinished", f"the response is long; after {outcome.size} bytes it was not checked any further")
    error = outcome.error
    if isinstance(error, AdapterError) and not outcome.left and not outcome.late and not findings.shown():
        findings.add("adapter", f"{type(error).__name__}: {error}", places.of_traceback(_origin(error)))


async def _validate(app: WSGIApplication, request: Request, seconds: float, findings: Findings, places: Places) -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", WSGIWarning)
        outcome = await _ask(validator(_read_with_size(app)), request, seconds)
    said = [rule_and_words for error in _chain(outcome.error) if (rule_and_words := complaint(error))]
    said += [(rule_of(str(it.message)), str(it.message)) for it in warned if issubclass(it.category, WSGIWarning)]
    for rule, words in said:
        if rule == "validator-stricter" and (findings.shown() or findings.shown("content-type")):
            continue
        if findings.shown(rule):
            continue
        place = places.of_traceback(_origin(outcome.error))
        findings.add(rule, f"wsgiref.validate: {words[:200]}", place)


def _read_with_size(app: WSGIApplication) -> WSGIApplication:
    """``wsgiref.validate`` refuses read() without a size, which PEP 3333 allows ("Input and Error Streams")."""

    def sized(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"] = _SizedInput(environ["wsgi.input"])
        return app(environ, start_response)

    return sized


class _SizedInput:
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def read(self, size: int | None = -1) -> bytes:
        data: bytes = self._stream.read(size)
        return data


def _chain(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain


def _origin(error: BaseException | None) -> TracebackType | None:
    return None if error is None else _chain(error)[-1].__traceback__


def _note_not_found(answers: Sequence[tuple[Request, int | None]], findings: Findings) -> None:
    for request, status in answers:
        if status == 404:
            findings.request = str(request)
            findings.add(
                "not-found", f"{request.path} is not found; give a path that the application serves with --path"
            )
