"""Where an answer through the adapter differs from the one on gunicorn: one entry for each row of the page's section."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tests.adapter.differential.exchange import Answer, Request
from tests.adapter.differential.exemptions import (
    EMPTY_QUERY,
    ERROR_PAGE,
    PROXY_HEADER,
    RESPOND,
    TRAILING_BLANKS,
    Exemption,
    failure_of,
    fields_of,
    in_environ,
    joined,
    starting,
)

__all__ = ["FROM_GUNICORN"]

FROM_GUNICORN: list[Exemption] = []
_add = FROM_GUNICORN.append


def _cookies(request: Request, environ: dict[str, Any]) -> None:
    values = fields_of(request).get("HTTP_COOKIE", [])
    if len(values) > 1:
        environ["HTTP_COOKIE"] = joined("HTTP_COOKIE", [value.rstrip(" \t") for value in values])


_add(
    Exemption(
        "repeated-cookies",
        (Request(headers=((b"Cookie", b"a=1"), (b"Cookie", b"b=2"))),),
        adjust=in_environ(_cookies),
    )
)


def _of_known_length(request: Request, environ: dict[str, Any]) -> None:
    if request.pieces is not None:
        del environ["HTTP_TRANSFER_ENCODING"]
        environ["CONTENT_LENGTH"] = str(len(request.body or b""))


_add(Exemption("chunked-body", (Request(method="POST", body=b"ab", pieces=(1,)),), adjust=in_environ(_of_known_length)))
_add(EMPTY_QUERY)
_add(PROXY_HEADER)
_add(TRAILING_BLANKS)


def _one_content_type(request: Request) -> Request:
    values = fields_of(request).get("CONTENT_TYPE", [])
    if len(values) < 2:
        return request
    rest = tuple(field for field in request.headers if field[0].upper() != b"CONTENT-TYPE")
    one = ",".join(value.rstrip(" \t") for value in values)
    return replace(request, headers=(*rest, (b"Content-Type", one.encode("latin-1"))))


_add(
    Exemption(
        "repeated-content-type",
        (Request(headers=((b"Content-Type", b"text/a"), (b"Content-Type", b"text/b"))),),
        ask=_one_content_type,
    )
)


def _without_empty_pieces(request: Request) -> Request:
    if request.program != "respond":
        return request
    plan = json.loads(request.plan)
    where, number, error = failure_of(request)
    if where == "iteration":
        if number > len(plan["chunks"]):
            plan["fail"] = None
        else:
            plan["fail"] = [where, sum(bool(text) for text, _ in plan["chunks"][:number]), error]
    for key in ("writes", "chunks"):
        plan[key] = [[text, times] for text, times in plan[key] if text]
    return request.planned(**plan)


_add(
    Exemption(
        "empty-pieces",
        (
            RESPOND.planned(starts=starting(status="204 None"), writes=[["", 1]], fail=["call", 0, "ValueError"]),
            RESPOND.planned(starts=starting(status="204 None"), chunks=[["", 1]], fail=["iteration", 1, "KeyError"]),
        ),
        ask=_without_empty_pieces,
    )
)


def _refused(name: str, value: str) -> bool:
    """Whether the first start_response fails for it, so that there is no second one."""
    return name == "X-Bad" or (name == "Content-Length" and not value.isdigit())


def _last_headers_only(request: Request) -> Request:
    if request.program != "respond":
        return request
    plan = json.loads(request.plan)
    last = len(plan["starts"]) - 1
    if plan["restart"] and plan["shape"] in ("generator", "closing") and not plan["writes"] and not plan["chunks"]:
        last += 1  # the restart is the last one
    kept = [
        [field for field in fields if number == last or _refused(*field)]
        for number, (_, fields) in enumerate(plan["starts"])
    ]
    return request.planned(starts=[[status, fields] for (status, _), fields in zip(plan["starts"], kept, strict=True)])


_add(
    Exemption(
        "exc-info-headers",
        (
            RESPOND.planned(starts=[*starting(("X-A", "b")), *starting(("X-B", "c"))], exc_info=True),
            RESPOND.planned(starts=starting(("X-A", "b"), ("Content-Length", "2")), chunks=[], restart=True),
        ),
        ask=_last_headers_only,
    )
)


def _other_error(request: Request) -> Request:
    where, number, error = failure_of(request)
    return request.planned(fail=[where, number, "ValueError"]) if error == "OSError" else request


_add(Exemption("os-error", (RESPOND.planned(fail=["call", 0, "OSError"]),), ask=_other_error))


def _without_length(request: Request, answer: Answer) -> Answer:
    if answer.status != 304:
        return answer
    return replace(answer, headers=tuple(field for field in answer.headers if field[0] != "content-length"))


_add(
    Exemption(
        "not-modified-length",
        (RESPOND.planned(starts=starting(("Content-Length", "5"), status="304 Not Modified"), chunks=[]),),
        adjust=_without_length,
    )
)


def _nothing_sent(request: Request, answer: Answer) -> Answer:
    return ERROR_PAGE if answer.status and not answer.complete and not answer.body else answer


_add(
    Exemption(
        "nothing-sent",
        # With HTTP/1.1 its connection would stay open for as long as gunicorn keeps idle ones.
        (replace(RESPOND, version="1.0").planned(starts=starting(("Content-Length", "5")), chunks=[]),),
        adjust=_nothing_sent,
    )
)


def _own_error_page(request: Request) -> Answer:
    return replace(ERROR_PAGE, body=b"") if request.method == "HEAD" else ERROR_PAGE


def _never_started(request: Request, answer: Answer) -> Answer:
    never = request.program == "respond" and not json.loads(request.plan)["starts"]
    return _own_error_page(request) if never and not answer.status else answer


_add(
    Exemption(
        "never-started",
        (replace(RESPOND, method="HEAD").planned(starts=[]),),
        adjust=_never_started,
    )
)


def _error_page(request: Request, answer: Answer) -> Answer:
    if answer.status == 500 and b"<title>Internal Server Error</title>" in answer.body:
        return _own_error_page(request)
    return answer


_add(Exemption("error-page", (RESPOND.planned(fail=["call", 0, "ValueError"]),), adjust=_error_page))
