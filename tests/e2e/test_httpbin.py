"""httpbin, a WSGI application that no one here wrote, through the adapter and on waitress: the answers are the same.

Issue 2, section 3. Both servers get the same bytes over one kept-alive connection each, so that an answer that is framed
wrongly spoils the next one. Where the answers differ, the case says how and why; all the rest has to be equal.
"""

from __future__ import annotations

import base64
import gzip
import http.client
import importlib
import json
import re
import threading
import urllib.parse
import warnings
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import pytest

import asgiway
from tests.e2e.serving import serve

pytestmark = pytest.mark.wire

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
BOUNDARY = "----------------spoke"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
PARTS = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="note"\r\n\r\nübergrößt\r\n'
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
    f"Content-Type: text/plain\r\n\r\nfirst line\r\nsecond\r\n--{BOUNDARY}--\r\n"
).encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, without what the servers add and without the reason phrase, which HTTP/2 does not have."""

    status: int
    headers: list[tuple[str, str]]
    body: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Why an answer differs from waitress's, and how: ``adjust`` makes ours out of waitress's."""

    reason: str
    adjust: Callable[[Answer], Answer]


@dataclass(frozen=True, slots=True)
class Case:
    """One request; ``pieces`` is a body in chunked transfer coding, and ``steady`` blanks what is random in the answer."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    pieces: tuple[bytes, ...] = ()
    steady: str = ""
    differs: Difference | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.target[:60]}{' chunked' if self.pieces else ''}"


def get(target: str, *headers: tuple[str, str], steady: str = "", differs: Difference | None = None) -> Case:
    return Case("GET", target, headers, steady=steady, differs=differs)


def send(method: str, target: str, media_type: str, body: bytes) -> Case:
    return Case(method, target, (("Content-Type", media_type),), body)


def reworded(old: str, new: str) -> Callable[[Answer], Answer]:
    """Return an adjustment that replaces words of the body, and its length."""

    def adjust(answer: Answer) -> Answer:
        assert old in answer.body
        body = answer.body.replace(old, new)
        lengths = [(name, str(len(body)) if name == "content-length" else value) for name, value in answer.headers]
        return Answer(answer.status, lengths, body)

    return adjust


def without_header(dropped: str) -> Callable[[Answer], Answer]:
    """Return an adjustment that takes a header away."""

    def adjust(answer: Answer) -> Answer:
        assert dropped in dict(answer.headers)
        return Answer(answer.status, [(name, value) for name, value in answer.headers if name != dropped], answer.body)

    return adjust


COMMA = Difference(
    "RFC 9110, 5.3, joins lines of one name by a comma and lets a space follow: asgiway adds none, as a2wsgi; waitress does",
    reworded('"one, two"', '"one,two"'),
)
COOKIE_LINES = Difference(
    "RFC 9113, 8.2.3, and the ASGI specification join cookie lines by '; '; waitress joins them as any header, with "
    "a comma, after which werkzeug finds no cookie at all",
    reworded('"cookies": {}', '"cookies": {\n    "a": "1",\n    "b": "2"\n  }'),
)
HEAD_CODING = Difference(
    "in answer to HEAD a server may leave Transfer-Encoding out (RFC 9112, 6.1): uvicorn does",
    without_header("transfer-encoding"),
)

BASIC = ("Authorization", "Basic " + base64.b64encode(b"ines:pedal").decode())
HEX = r"\b[0-9a-f]{32}\b"
CASES = [
    # What the application sees of a request.
    get("/get"),
    get("/get?a=1&a=2&b=%C3%BC&c=%ff&empty=&=noname"),
    get("/get?q=a+b%20c;d&x=%25%2B"),
    get("/headers", ("X-Twice", "one"), ("X-Twice", "two"), ("X-Latin", "caf\xe9"), ("Accept", "*/*"), differs=COMMA),
    get("/user-agent", ("User-Agent", "spoke/1.0 (wheel; 36)")),
    get("/ip"),
    get("/anything/a%2Fb/%E8%BD%A6/c%20d?x=%2F"),
    get("/anything/double//slash/../dots"),
    get("/anything?" + "k=v&" * 500),
    get("/cookies", ("Cookie", "a=1; b=two; c=%C3%BC")),
    get("/cookies", ("Cookie", "a=1"), ("Cookie", "b=2"), differs=COOKIE_LINES),
    *(Case(method, "/anything/any") for method in ("PUT", "PATCH", "DELETE", "POST", "TRACE", "HEAD", "OPTIONS")),
    # Bodies.
    send("POST", "/post", FORM, urllib.parse.urlencode({"a": "1", "ü": "ß"}).encode()),
    send("POST", "/post", JSON, json.dumps({"größe": [1, 2.5, None, "车"]}).encode()),
    send("POST", "/post", JSON, b"{broken"),
    send("POST", "/post", MULTIPART, PARTS),
    send("POST", "/post", "application/octet-stream", bytes(range(256)) * 40),
    send("POST", "/post", "text/plain; charset=utf-8", "Sättel\n".encode() * 20_000),
    send("POST", "/post", FORM, b""),
    send("PUT", "/put", JSON, b"[]"),
    send("PATCH", "/patch", JSON, b"{}"),
    send("DELETE", "/delete", "text/plain", b"with a body"),
    send("GET", "/get", "text/plain", b"a body where none is expected"),
    send("POST", "/get", "text/plain", b"not allowed here" * 1000),
    Case("POST", "/post", (("Content-Type", FORM),), pieces=(b"a=1", b"&b=", b"2")),
    Case("POST", "/post", (("Content-Type", MULTIPART),), pieces=(PARTS[:50], PARTS[50:51], PARTS[51:])),
    Case("POST", "/anything", (("Content-Type", "text/plain"),), pieces=(b"x" * 70_000, b"y")),
    Case("POST", "/status/200", pieces=(b"never read" * 5_000,)),
    # Redirects, cookies, authorisation.
    get("/redirect/2"),
    get("/relative-redirect/3"),
    get("/absolute-redirect/1"),
    get("/redirect-to?url=https%3A%2F%2Felsewhere.example%2F%C3%BC&status_code=307"),
    send("POST", "/redirect-to", FORM, b"url=/get"),
    get("/cookies/set?a=1&b=2&c=%C3%BC"),
    get("/cookies/set/name/value"),
    get("/cookies/delete?a=&b="),
    get("/basic-auth/ines/pedal"),
    get("/basic-auth/ines/pedal", BASIC),
    get("/hidden-basic-auth/ines/pedal"),
    get("/bearer", ("Authorization", "Bearer spoke")),
    get("/digest-auth/auth/ines/pedal", steady=HEX),
    # Statuses and headers.
    *(
        get(f"/status/{code}")
        for code in (200, 201, 202, 204, 206, 301, 304, 307, 400, 401, 402, 404, 406, 418, 429, 500, 503)
    ),
    Case("HEAD", "/status/204"),
    Case("DELETE", "/status/204"),
    get("/response-headers?X-A=1&X-A=2&X-B=%C3%A9&Content-Type=text%2Fplain"),
    get("/cache/60"),
    get("/cache", ("If-None-Match", "x")),
    get("/cache", steady=HEX + r"|\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT"),
    get("/etag/tag-1", ("If-None-Match", '"other", "tag-1"')),
    get("/etag/tag-1", ("If-Match", '"nothing"')),
    get("/no/such/page"),
    get("/status/abc"),
    # Encoded, streamed, partial bodies.
    get("/gzip"),
    get("/deflate"),
    get("/brotli"),
    get("/stream/20"),
    get("/stream-bytes/5000?seed=7&chunk_size=7"),
    get("/bytes/2048?seed=7"),
    get("/bytes/0?seed=7"),
    get("/drip?duration=0.1&numbytes=5&delay=0&code=200"),
    get("/range/1000"),
    get("/range/1000?chunk_size=100", ("Range", "bytes=100-299")),
    get("/range/1000", ("Range", "bytes=-50")),
    get("/range/1000", ("Range", "bytes=2000-")),
    get("/delay/0.05"),
    Case("HEAD", "/stream/5", differs=HEAD_CODING),
    Case("HEAD", "/image/png"),
    get("/image/png"),
    get("/image", ("Accept", "image/webp")),
    get("/encoding/utf8"),
    get("/html"),
    get("/xml"),
    get("/json"),
    get("/robots.txt"),
    get("/deny"),
    get("/links/3/1"),
    get("/base64/SFRUUEJJTiBpcyBhd2Vzb21l"),
    get("/uuid", steady=r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    get("/forms/post"),
]

# Added by the servers, not by the application or the adapter.
SERVERS_OWN = {"date", "server", "via", "connection"}


class Line:
    """A kept-alive connection to one of the servers."""

    def __init__(self, host: str, port: int) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=60)

    def ask(self, case: Case) -> Answer:
        connection = self._connection
        connection.putrequest(case.method, case.target, skip_host=True, skip_accept_encoding=True)
        # One name for both, as the application puts its own address into answers.
        connection.putheader("Host", "httpbin.example")
        for name, value in case.headers:
            connection.putheader(name, value)
        if case.pieces:
            connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders(iter(case.pieces), encode_chunked=True)
        else:
            if case.body is not None:
                connection.putheader("Content-Length", str(len(case.body)))
            connection.endheaders(case.body)
        response = connection.getresponse()
        body = response.read()
        headers = [(name.lower(), value) for name, value in response.getheaders() if name.lower() not in SERVERS_OWN]
        return Answer(
            response.status,
            sorted((name, blank(case, value)) for name, value in headers),
            blank(case, readable(dict(headers), body)),
        )

    def close(self) -> None:
        self._connection.close()


def readable(headers: dict[str, str], body: bytes) -> str:
    """Return the body as text. The gzip format has a time stamp in it, so that one is unpacked."""
    if headers.get("content-encoding") == "gzip" and body:
        body = gzip.decompress(body)
    return body.decode("latin-1")


def blank(case: Case, text: str) -> str:
    return re.sub(case.steady, "<random>", text) if case.steady else text


@pytest.fixture(scope="module")
def httpbin() -> Any:
    """Return the application; neither it nor waitress is typed, so both are imported by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own business
        return importlib.import_module("httpbin").app


@pytest.fixture(scope="module")
def lines(httpbin: Any) -> Generator[tuple[Line, Line]]:
    """Return a connection to waitress and one to uvicorn with the adapter."""
    server: Any = importlib.import_module("waitress.server").create_server(httpbin, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, name="waitress")
    thread.start()
    with serve(asgiway.WSGIMiddleware(httpbin)) as address:
        parts = urllib.parse.urlsplit(address)
        pair = Line("127.0.0.1", server.effective_port), Line("127.0.0.1", parts.port or 80)
        yield pair
        for line in pair:
            line.close()
    server.close()
    server.task_dispatcher.shutdown()
    thread.join(30)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_answer_through_the_adapter_equals_the_one_on_waitress(lines: tuple[Line, Line], case: Case) -> None:
    expected, found = (line.ask(case) for line in lines)
    assert expected.status != 500 or case.target == "/status/500"
    if case.differs is not None:
        assert found != expected, f"no longer different: {case.differs.reason}"
        expected = case.differs.adjust(expected)
    assert found == expected
