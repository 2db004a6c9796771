"""What a row of ``adapter/docs/differences.md`` does to the comparison, and which rows the page has.

A row changes the request that the other server gets, or makes ours out of its answer; all the rest has to be equal. The
rows themselves are in ``from_waitress`` and ``from_gunicorn``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.adapter.differential.exchange import Answer, Request

__all__ = [
    "EMPTY_QUERY",
    "ERROR_PAGE",
    "HEAD_BODY",
    "PROXY_HEADER",
    "RESPOND",
    "TRAILING_BLANKS",
    "Exemption",
    "failure_of",
    "fields_of",
    "in_environ",
    "joined",
    "page_rows",
    "starting",
    "with_fields",
]

PAGE = Path(__file__).parents[3] / "adapter" / "docs" / "differences.md"
_SECTION = re.compile(r"## From (\w+)")
_ROW = re.compile(r"\| `([a-z0-9-]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|")


@dataclass(frozen=True, slots=True)
class Exemption:
    """One difference.

    Parameters:
        name: of its row.
        examples: requests whose answers differ for this reason and no other.
        ask: what the other server is asked instead.
        adjust: what our answer is to be, given the request and the other server's.
        parsers: of uvicorn, with which it differs.
    """

    name: str
    examples: tuple[Request, ...]
    ask: Callable[[Request], Request] = lambda request: request
    adjust: Callable[[Request, Answer], Answer] = lambda request, answer: answer
    parsers: tuple[str, ...] = ("h11", "httptools")


def page_rows() -> dict[str, list[str]]:
    """The names of the page's rows, in order, by the server that their section names."""
    rows: dict[str, list[str]] = {}
    section: list[str] = []
    for line in PAGE.read_text().splitlines():
        if heading := _SECTION.fullmatch(line):
            section = rows.setdefault(heading[1], [])
        elif row := _ROW.fullmatch(line):
            section.append(row[1])
    return rows


PLAN: dict[str, Any] = {
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
RESPOND = Request(program="respond", plan=json.dumps(PLAN))
"""An ordinary answer, to be changed with ``planned``."""


def starting(*headers: tuple[str, str], status: str = "200 OK") -> list[Any]:
    return [[status, [list(field) for field in headers]]]


ERROR_PAGE = Answer(500, (("content-type", "text/plain; charset=utf-8"),), b"Internal Server Error")
"""uvicorn's."""


def _with_body(answer: Answer, shown: dict[str, Any]) -> Answer:
    body = json.dumps(shown, sort_keys=True).encode()
    headers = tuple((name, str(len(body)) if name == "content-length" else value) for name, value in answer.headers)
    return replace(answer, body=body, headers=headers)


def in_environ(change: Callable[[Request, dict[str, Any]], None]) -> Callable[[Request, Answer], Answer]:
    """An adjustment of what "echo" shows of the environ; it declares the body's length."""

    def adjust(request: Request, answer: Answer) -> Answer:
        if request.program != "echo" or answer.status != 200 or not answer.body:  # no body: HEAD
            return answer
        shown = json.loads(answer.body)
        change(request, shown["environ"])
        return _with_body(answer, shown)

    return adjust


def fields_of(request: Request) -> dict[str, list[str]]:
    """The values of its header fields by environ key, blanks at their ends included; what is withheld is left out."""
    fields: dict[str, list[str]] = {}
    for name, value in request.headers:
        key = name.decode().upper().replace("-", "_")
        if b"_" not in name and key != "PROXY":
            key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
            fields.setdefault(key, []).append(value.lstrip(b" \t").decode("latin-1"))
    return fields


def joined(key: str, values: list[str]) -> str:
    """What the adapter makes of a field that repeats."""
    return ("; " if key == "HTTP_COOKIE" else ",").join(values)


# ------------------------------------------------------------------ rows of both sections


def _empty_query(request: Request, environ: dict[str, Any]) -> None:
    environ["REQUEST_URI"] = re.sub(r"^([^?]*)\?$", r"\1", environ["REQUEST_URI"])


EMPTY_QUERY = Exemption("empty-query", (Request(target=b"/a?"),), adjust=in_environ(_empty_query))


def _no_proxy(request: Request, environ: dict[str, Any]) -> None:
    environ.pop("HTTP_PROXY", None)


PROXY_HEADER = Exemption("proxy-header", (Request(headers=((b"Proxy", b"evil:1"),)),), adjust=in_environ(_no_proxy))


def _trailing_blanks(request: Request, environ: dict[str, Any]) -> None:
    for key, values in fields_of(request).items():
        if key in environ and any(value != value.rstrip(" \t") for value in values):
            environ[key] = joined(key, values)


TRAILING_BLANKS = Exemption(
    "trailing-blanks",
    (Request(headers=((b"X-A", b"a \t"),)), Request(headers=((b"Content-Type", b"text/x "),))),
    adjust=in_environ(_trailing_blanks),
    parsers=("httptools",),
)


def _head(request: Request, answer: Answer) -> Answer:
    return replace(answer, body=b"") if request.method == "HEAD" else answer


HEAD_BODY = Exemption("head-body", (Request(method="HEAD"),), adjust=_head)


# ------------------------------------------------------------------------------


def with_fields(request: Request, change: Callable[[str, str], tuple[str, str] | None]) -> Request:
    """The same with other response headers; None drops one."""
    if request.program != "respond":
        return request
    starts = [
        [status, [field for name, value in fields if (field := change(name, value)) is not None]]
        for status, fields in json.loads(request.plan)["starts"]
    ]
    return request.planned(starts=starts)


def failure_of(request: Request) -> list[Any]:
    return list(json.loads(request.plan).get("fail") or ("", 0, ""))
