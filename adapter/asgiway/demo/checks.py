"""``asgiway demo --once``: the requests of the tour, with the answers that have to come back.

Each check leaves the shop as it found it, so that the demonstration can be repeated for ever.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from asgiway.demo.place import Place

__all__ = ["run_checks"]

TIMEOUT: Final = 60.0  # seconds for one answer; generous, machines are slow at times
AT_ONCE: Final = 64


class CheckError(Exception):
    """An answer is not what it has to be."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What a check needs: a client with a cookie jar of its own, the accounts, and the place."""

    client: httpx.Client
    customer: tuple[str, str]
    admin: tuple[str, str]
    place: Place


def _expect(true: bool, what: str) -> None:
    if not true:
        raise CheckError(what)


def _status(answer: httpx.Response, expected: int) -> httpx.Response:
    request = answer.request
    _expect(
        answer.status_code == expected,
        f"{request.method} {request.url.path} answered {answer.status_code}, not {expected}",
    )
    return answer


def _front_page(visit: Visit) -> str:
    page = _status(visit.client.get("/"), 200).text
    _expect("Parts that outlast the winter." in page, "the front page is not the shop's")
    style = _status(visit.client.get("/static/shop.css"), 200)
    again = visit.client.get("/static/shop.css", headers={"If-None-Match": style.headers["ETag"]})
    _status(again, 304)
    return f"front page of {len(page)} characters, style sheet revalidated with 304"


def _missing_page(visit: Visit) -> str:
    page = _status(visit.client.get("/no-such-page"), 404)
    _expect("There is no such page." in page.text, "the 404 page is not the shop's")
    head = _status(visit.client.head("/products/DRV-1011"), 200)
    _expect(not head.content and int(head.headers["Content-Length"]) > 0, "HEAD has to have a length and no body")
    return "404 from the shop's own handler, HEAD without a body"


def _sign_in(visit: Visit) -> str:
    email, password = visit.customer
    form = {"email": email, "password": password, "next": "/account/"}
    answer = _status(visit.client.post("/account/sign-in", data=form), 303)
    page = _status(visit.client.get(answer.headers["Location"]), 200).text
    _expect("Welcome back" in page, "the flash message of the sign-in is missing")
    _status(visit.client.post("/account/sign-out"), 303)
    _status(visit.client.get("/account/"), 302)
    return f"session of {email}, flash message, signed out again"


def _json_api(visit: Visit) -> str:
    sku = "TLS-9000"
    visit.client.delete(f"/api/products/{sku}", auth=visit.admin)  # in case an earlier run was interrupted
    product = {
        "sku": sku, "category": "tools", "name": "Bremsbelag-Schlüssel", "description": "Fits every caliper.",
        "price_cents": 1250, "stock": 3, "weight_grams": 80,
    }  # fmt: skip
    wrong = _status(visit.client.post("/api/products", json=product | {"stock": -1}, auth=visit.admin), 422)
    _expect(wrong.json()["fields"] == {"stock": "a whole number from 0"}, "the validation error is another one")
    _status(visit.client.post("/api/products", json=product), 401)
    _status(visit.client.post("/api/products", json=product, auth=visit.admin), 201)
    changed = _status(visit.client.put(f"/api/products/{sku}", json={"stock": 8}, auth=visit.admin), 200).json()
    _expect(changed["stock"] == 8 and changed["name"] == product["name"], "the product was not changed as asked")
    _status(visit.client.delete(f"/api/products/{sku}", auth=visit.admin), 204)
    _status(visit.client.get(f"/api/products/{sku}"), 404)
    return "product refused (422, 401), created, changed and deleted"


def _export(visit: Visit) -> str:
    expected = _status(visit.client.get("/api/stats"), 200).json()["movements"]
    lines = 0
    with visit.client.stream("GET", "/export/movements.csv") as answer:
        _status(answer, 200)
        for piece in answer.iter_bytes():
            lines += piece.count(b"\n")
    _expect(lines == expected + 1, f"the export has {lines} lines, and {expected + 1} were expected")
    _expect(expected >= 100_000, f"the ledger has only {expected} rows")
    return f"{expected:,} rows streamed"


def _round_trip(visit: Visit) -> str:
    content = os.urandom(1_000_000)
    name = "frame drawing.bin"

    def pieces() -> Iterator[bytes]:  # an upload whose length is not known beforehand
        for start in range(0, len(content), 50_000):
            yield content[start : start + 50_000]

    stored = _status(visit.client.put(f"/api/files/{name}", content=pieces(), auth=visit.customer), 201)
    address = stored.headers["Location"]
    try:
        download = _status(visit.client.get(address, auth=visit.customer), 200)
        _expect(download.content == content, "the download is not what was uploaded")
        part = visit.client.get(address, auth=visit.customer, headers={"Range": "bytes=500000-500009"})
        _expect(_status(part, 206).content == content[500_000:500_010], "the range is not the part that was asked for")
    finally:
        _status(visit.client.post(f"{address}/delete", auth=visit.customer), 303)
    form = {"document": ("photo.png", content[:70_000], "image/png")}
    page = _status(visit.client.post("/files/", files=form, auth=visit.customer, follow_redirects=True), 200).text
    _expect("1 file stored." in page, "the multipart upload was not confirmed")
    newest = re.findall(r'href="/files/(\d+)"', page)[0]
    same = _status(visit.client.get(f"/files/{newest}", auth=visit.customer), 200).content == content[:70_000]
    _status(visit.client.post(f"/files/{newest}/delete", auth=visit.customer), 303)
    _expect(same, "the file of the form came back changed")
    return f"{len(content):,} bytes up (chunked) and down, a range of them, a multipart form"


def _native(visit: Visit) -> str:
    native = _status(visit.client.get("/native/rates"), 200).json()
    legacy = _status(visit.client.get("/rates"), 200).json()
    _expect(native["rates"] == legacy["rates"], "the native route and the legacy one disagree about the rates")
    with visit.client.stream("GET", "/native/ticker", params={"seconds": "0.3"}) as events:
        lines = list(_status(events, 200).iter_lines())
    _expect(lines.count("event: rate") == 3, "the ticker did not send three events")
    return "native route equals the legacy one, server-sent events arrive"


def _many_at_once(visit: Visit) -> str:
    paths = ["/products/DRV-1011", "/native/health", "/api/products?per_page=5", "/rates"]

    def ask(number: int) -> int:
        return visit.client.get(paths[number % len(paths)]).status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(ask, range(AT_ONCE)))
    _expect(answers == [200] * AT_ONCE, f"of {AT_ONCE} requests at once {AT_ONCE - answers.count(200)} failed")
    return f"{AT_ONCE} requests at once, legacy and native"


def _lint(visit: Visit) -> str:
    from asgiway_lint.cli import main as lint
    from planted import PlantedCall, planted_calls  # from this folder's sample_apps

    folder = visit.place.sample_apps / "shop_async"
    output = io.StringIO()
    cache = str(visit.place.state / "lint-cache")
    with contextlib.redirect_stdout(output):
        arguments = ["--output-format", "json", "--min-severity", "info", "--cache-dir", cache]
        code = lint(["check", str(folder), *arguments])
    _expect(code == 1, f"asgiway-lint ended with exit status {code}, not 1")
    findings: list[dict[str, Any]] = json.loads(output.getvalue())
    found = {
        PlantedCall(
            Path(finding["filename"]).relative_to(folder).as_posix(),
            finding["location"]["row"],
            finding["code"],
            finding["symbol"],
        )
        for finding in findings
        if finding["code"] != "AW203"  # an endpoint that could be a plain function, and no call
    }
    missed = planted_calls("direct") - found
    wrong = found - planted_calls("direct") - planted_calls("typed") - planted_calls("via")
    if missed:
        raise CheckError(f"asgiway-lint missed {_first(missed)}")
    if wrong:
        raise CheckError(f"asgiway-lint has a false alarm: {_first(wrong)}")
    return f"{len(planted_calls('direct'))} planted direct calls found among {len(found)}, no false alarm"


def _first(calls: set[Any]) -> str:
    call = min(calls)
    more = f" and {len(calls) - 1} more" if len(calls) > 1 else ""
    return f"{call.file}:{call.line} {call.symbol}{more}"


CHECKS: Final[dict[str, Callable[[Visit], str]]] = {
    "shop": _front_page,
    "errors": _missing_page,
    "sign-in": _sign_in,
    "json": _json_api,
    "export": _export,
    "files": _round_trip,
    "native": _native,
    "load": _many_at_once,
    "lint": _lint,
}


def run_checks(address: str, place: Place) -> int:
    """Make the requests, print one line for each check, and return 0, or 1 when an answer was wrong."""
    from flask_shop.schema import DEMO_ACCOUNTS  # from this folder's sample_apps

    customer, admin = ((email, password) for email, _, password, _ in DEMO_ACCOUNTS)
    failed = 0
    for name, check in CHECKS.items():
        # Proxies of the environment are for other hosts than this one.
        with httpx.Client(base_url=address, timeout=TIMEOUT, trust_env=False) as client:
            try:
                outcome, word = check(Visit(client, customer, admin, place)), "ok"
            except (CheckError, httpx.HTTPError, KeyError, ValueError, IndexError) as error:
                outcome, word = f"{error}" if isinstance(error, CheckError) else repr(error), "FAILED"
                failed += 1
        sys.stdout.write(f"{word:<6} {name:<8} {outcome}\n")
        sys.stdout.flush()
    total = len(CHECKS)
    sys.stdout.write(f"{total - failed} of {total} checks passed.\n")
    return 1 if failed else 0
