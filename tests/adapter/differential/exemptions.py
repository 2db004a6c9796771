"""Where an answer through the adapter differs from the one on waitress: one function for each row of the page.

``adapter/docs/differences.md`` decides which of them apply: ``load`` reads its table, and refuses a row without a function
as well as a function without a row. A function changes the request that waitress gets, or makes ours out of its answer; all
the rest has to be equal.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.adapter.differential.exchange import Answer, Request

__all__ = ["PAGE", "RESPOND", "Exemption", "load"]

PAGE = Path(__file__).parents[3] / "adapter" / "docs" / "differences.md"
_ROW = re.compile(r"\| `([a-z-]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|")


@dataclass(frozen=True, slots=True)
class Exemption:
    """One difference.

    Parameters:
        name: of its row.
        examples: requests whose answers differ for this reason and no other.
        ask: what waitress is asked instead.
        adjust: what our answer is to be, given the request and waitress's.
    """

    name: str
    examples: tuple[Request, ...]
    ask: Callable[[Request], Request] = lambda request: request
    adjust: Callable[[Request, Answer], Answer] = lambda request, answer: answer


_exemptions: dict[str, Exemption] = {}


def _add(exemption: Exemption) -> None:
    assert exemption.name not in _exemptions
    _exemptions[exemption.name] = exemption


def load() -> list[Exemption]:
    """The exemptions in the order of the page's rows. Raises AssertionError when page and functions disagree."""
    names = [match[1] for match in map(_ROW.fullmatch, PAGE.read_text().splitlines()) if match]
    assert len(set(names)) == len(names), "a row is there twice"
    assert set(names) == _exemptions.keys(), f"rows and functions differ: {set(names) ^ _exemptions.keys()}"
    return [_exemptions[name] for name in names]


_PLAN: dict[str, Any] = {
    "starts": [["200 OK", [["Content-Type", "text/plain"]]]],
    "exc_info": False,
    "lazy": False,
    "writes": [],
    "shape": "generator",
    "chunks": [["some", 1], ["thing", 1]],
    "fail": None,
    "restart": False,
    "read": False,
}
RESPOND = Request(program="respond", plan=json.dumps(_PLAN))
"""An ordinary answer, to be changed with ``planned``."""


def _starts(*headers: tuple[str, str], status: str = "200 OK") -> list[Any]:
    return [[status, [list(field) for field in headers]]]


# ------------------------------------------------------------------ the request


def _with_body(answer: Answer, shown: dict[str, Any]) -> Answer:
    body = json.dumps(shown, sort_keys=True).encode()
    headers = tuple((name, str(len(body)) if name == "content-length" else value) for name, value in answer.headers)
    return replace(answer, body=body, headers=headers)


def _in_environ(change: Callable[[Request, dict[str, Any]], None]) -> Callable[[Request, Answer], Answer]:
    """An adjustment of what "echo" shows of the environ; it declares the body's length."""

    def adjust(request: Request, answer: Answer) -> Answer:
        if request.program != "echo" or answer.status != 200:
            return answer
        shown = json.loads(answer.body)
        change(request, shown["environ"])
        return _with_body(answer, shown)

    return adjust


def _repeated(request: Request, environ: dict[str, Any]) -> None:
    fields = Counter(name.upper() for name, _ in request.headers)
    for name in (name for name, count in fields.items() if count > 1 and b"_" not in name):
        key = name.decode().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        values = [value.strip(b" \t").decode("latin-1") for field, value in request.headers if field.upper() == name]
        if key in environ:
            environ[key] = ("; " if key == "HTTP_COOKIE" else ",").join(values)


_add(
    Exemption(
        "repeated-fields",
        (
            Request(headers=((b"X-A", b"1"), (b"x-a", b"2"))),
            Request(headers=((b"Cookie", b"a=1"), (b"Cookie", b"b=2"))),
        ),
        adjust=_in_environ(_repeated),
    )
)


def _slashes(request: Request, environ: dict[str, Any]) -> None:
    slashes = re.match(rb"(?:/|%2[Ff])*", request.target)
    assert slashes is not None
    leading = "/" * len(slashes[0].upper().replace(b"%2F", b"/"))
    environ["PATH_INFO"] = leading + environ["PATH_INFO"].lstrip("/")


_add(Exemption("leading-slashes", (Request(target=b"//a//b"), Request(target=b"/%2Fa")), adjust=_in_environ(_slashes)))


def _empty_query(request: Request, environ: dict[str, Any]) -> None:
    environ["REQUEST_URI"] = re.sub(r"^([^?]*)\?$", r"\1", environ["REQUEST_URI"])


_add(Exemption("empty-query", (Request(target=b"/a?"),), adjust=_in_environ(_empty_query)))


def _no_proxy(request: Request, environ: dict[str, Any]) -> None:
    environ.pop("HTTP_PROXY", None)


_add(Exemption("proxy-header", (Request(headers=((b"Proxy", b"evil:1"),)),), adjust=_in_environ(_no_proxy)))


def _forwarded(request: Request, environ: dict[str, Any]) -> None:
    values = [value.strip(b" \t").decode("latin-1") for name, value in request.headers if name == b"X-Forwarded-Proto"]
    if values:
        environ["HTTP_X_FORWARDED_PROTO"] = ",".join(values)


_add(
    Exemption(
        "forwarded-headers",
        (Request(headers=((b"X-Forwarded-Proto", b"https"),)),),
        adjust=_in_environ(_forwarded),
    )
)


def _not_ascii(request: Request, answer: Answer) -> Answer:
    return answer if request.target.isascii() else Answer(400)


_add(Exemption("raw-bytes-in-target", (Request(target=b"//\xc3\xa9"),), adjust=_not_ascii))


# ----------------------------------------------------------------- the response


ERROR_PAGE = Answer(500, (("content-type", "text/plain; charset=utf-8"),), b"Internal Server Error")


def _error_page(request: Request, answer: Answer) -> Answer:
    if answer.status == 500 and b"generated by waitress" in answer.body:
        return ERROR_PAGE
    return answer


_add(Exemption("error-page", (RESPOND.planned(fail=["call", 0, "ValueError"]),), adjust=_error_page))


_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade"}


def _with_fields(request: Request, change: Callable[[str, str], tuple[str, str] | None]) -> Request:
    """The same with other response headers; None drops one."""
    if request.program != "respond":
        return request
    starts = [
        [status, [field for name, value in fields if (field := change(name, value)) is not None]]
        for status, fields in json.loads(request.plan)["starts"]
    ]
    return request.planned(starts=starts)


def _without_hop_by_hop(request: Request) -> Request:
    return _with_fields(request, lambda name, value: None if name.lower() in _HOP_BY_HOP else (name, value))


_add(Exemption("hop-by-hop", (RESPOND.planned(starts=_starts(("Connection", "close"))),), ask=_without_hop_by_hop))


def _refused_at_once(request: Request) -> Request:
    # waitress refuses a line feed, at the place where the adapter refuses these.
    return _with_fields(
        request, lambda name, value: (name, re.sub(r"[\x00-\x08\n-\x1f\x7f]|[^\x00-\xff]", "\n", value))
    )


_add(
    Exemption(
        "header-values",
        (
            *(RESPOND.planned(starts=_starts(("X-A", f"a{character}b"))) for character in "\0\v\f\x01\x7f"),
            RESPOND.planned(starts=[*_starts(("X-A", "車")), *_starts(("X-A", "b"))], exc_info=True),
        ),
        ask=_refused_at_once,
    )
)


def _status_refused(request: Request) -> Request:
    if request.program != "respond":
        return request
    starts = json.loads(request.plan)["starts"]
    return request.planned(starts=[[s if re.match(r"\d{3}", s) else "200 \n", fields] for s, fields in starts])


_add(
    Exemption(
        "status-line",
        (RESPOND.planned(starts=_starts(status="OK")), RESPOND.planned(starts=_starts(status=""))),
        ask=_status_refused,
    )
)


def _without_empty_writes(request: Request) -> Request:
    if request.program != "respond":
        return request
    return request.planned(writes=[[text, times] for text, times in json.loads(request.plan)["writes"] if text])


_add(
    Exemption(
        "empty-write",
        (RESPOND.planned(starts=_starts(status="204 No Content"), writes=[["", 1]], fail=["call", 0, "ValueError"]),),
        ask=_without_empty_writes,
    )
)


def _without_the_first_length(request: Request) -> Request:
    plan = json.loads(request.plan)
    if request.program != "respond" or not plan["restart"] or plan["shape"] not in ("generator", "closing"):
        return request
    if any(text for text, _ in plan["writes"] + plan["chunks"]):
        return request  # too late for another start
    return _with_fields(
        request, lambda name, value: None if name == "Content-Length" and value.isdigit() else (name, value)
    )


_add(
    Exemption(
        "exc-info-length",
        (RESPOND.planned(starts=_starts(("Content-Length", "2")), chunks=[], restart=True),),
        ask=_without_the_first_length,
    )
)


def _failure(request: Request) -> list[Any]:
    return list(json.loads(request.plan).get("fail") or ("", 0, ""))


def _without_failing_close(request: Request) -> Request:
    return request.planned(fail=None) if _failure(request)[0] == "close" else request


_add(
    Exemption(
        "close-fails",
        (RESPOND.planned(shape="closing", fail=["close", 0, "ValueError"]),),
        ask=_without_failing_close,
    )
)


def _nothing_sent(request: Request, answer: Answer) -> Answer:
    return ERROR_PAGE if answer.status and not answer.complete and not answer.body else answer


_add(
    Exemption(
        "nothing-sent", (RESPOND.planned(starts=_starts(("Content-Length", "5")), chunks=[]),), adjust=_nothing_sent
    )
)


def _head(request: Request, answer: Answer) -> Answer:
    return replace(answer, body=b"") if request.method == "HEAD" else answer


_add(Exemption("head-body", (Request(method="HEAD"),), adjust=_head))
