"""What the tests of the Requests fixer share: an HTTP server that remembers, and programs that run before and after a fix."""

from __future__ import annotations

import ast
import asyncio
import base64
import contextlib
import gzip
import http.server
import io
import json
import os
import socket
import tempfile
import threading
import time
import tokenize
import warnings
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import certifi

from asgiway_lint.analysis.run import check_source
from asgiway_lint.config import Settings
from asgiway_lint.finding import Finding
from asgiway_lint.fixes.apply import Applied, apply_all
from asgiway_lint.fixes.model import Fix, Refusal
from asgiway_lint.fixes.plan import fixes_for

PATH = Path("/project/program.py")
ABOUT = {"httpx": ("requests.",), "httpx-async": ("httpx.", "httpx2.")}
# What a client sends of itself; everything else is what the program asked it to send.
_OF_THE_CLIENT = frozenset(["host", "user-agent", "accept-encoding", "connection", "accept"])


@dataclass(slots=True)
class Seen:
    """A request as the server saw it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Server:
    """A server in a thread, and what it was asked."""

    url: str
    seen: list[Seen] = field(default_factory=list[Seen])

    def asked(self) -> list[Seen]:
        """What it was asked since the last time."""
        seen, self.seen = self.seen, []
        return seen


@contextlib.contextmanager
def running_server() -> Generator[Server]:
    """Run the server of the tests on a free port."""

    class Handler(_Handler):
        pass

    with few_certificates(), http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        httpd.daemon_threads = True
        Handler.log = server = Server(f"http://127.0.0.1:{httpd.server_address[1]}")
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            httpd.shutdown()
            thread.join()


@contextlib.contextmanager
def few_certificates() -> Generator[None]:
    """Let httpx load one certificate instead of all: each client that it makes loads them again, for 20 ms."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    bundle = Path(certifi.where()).read_text()
    before = os.environ.get("SSL_CERT_FILE")
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(begin + bundle.partition(begin)[2].partition(end)[0] + end + "\n")
        file.flush()
        os.environ["SSL_CERT_FILE"] = file.name
        try:
            yield
        finally:
            if before is None:
                del os.environ["SSL_CERT_FILE"]
            else:
                os.environ["SSL_CERT_FILE"] = before


def closed_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    log: Server

    def handle_one_request(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle_one_request()

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent."""

    def answer(self) -> None:
        body = self._body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.log.seen.append(Seen(self.command, self.path, headers, body))
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        parts = url.path.strip("/").split("/")
        getattr(self, f"at_{parts[0] or 'root'}", self.at_root)(parts[1:], query, headers, body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def send(self, status: int, body: bytes = b"", type: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", type)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(body)

    def at_root(self, parts: list[str], query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        sent = {name: value for name, value in headers.items() if name not in _OF_THE_CLIENT}
        if not body:
            sent.pop("content-type", None)  # httpx keeps that of a form when a redirect has made a GET of it
        report: dict[str, object] = {
            "method": self.command,
            "target": self.path,
            "headers": {name: value for name, value in sent.items() if not name.startswith("content-length")},
            "body": body.decode("latin-1") if "multipart" not in sent.get("content-type", "") else None,
        }
        if "multipart" in sent.get("content-type", ""):
            report["headers"] = {}
            report["parts"] = multipart(sent["content-type"], body)
        self.send(200, json.dumps(report).encode())

    def at_status(self, parts: list[str], query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        self.send(int(parts[0]), json.dumps({"error": parts[0]}).encode())

    def at_redirect(self, parts: list[str], query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        left = int(parts[0])
        status = int(query.get("status", "302"))
        suffix = f"?status={status}" if "status" in query else ""
        target = f"/redirect/{left - 1}{suffix}" if left > 1 else "/landed"
        self.send(status, b"moved", "text/plain", Location=target)

    def at_forever(self, parts: list[str], query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        self.send(302, Location="/forever")

    def at_slow(self, parts: list[str], query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        time.sleep(float(parts[0]))
        self.send(200, b'"late"')

    def at_drop(self, parts: list[str], query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        self.close_connection = True

    def at_cut(self, parts: list[str], query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100\r\n\r\nshort")
        self.close_connection = True

    def at_gzip(self, parts: list[str], query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        packed = gzip.compress(b'{"packed": true}')
        self.send(200, packed if parts != ["broken"] else b"\x00" * 20, Content_Encoding="gzip")

    def at_chunked(self, parts: list[str], query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        self.wfile.write(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/octet-stream\r\n\r\n"
        )
        for number in range(5):
            piece = bytes([65 + number]) * 1000
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def at_json(self, parts: list[str], query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        self.send(200, '{"name": "Zoë", "number": 1.5, "none": null}'.encode())

    def at_broken(self, parts: list[str], query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        self.send(200, b"{not json")

    def at_utf8(self, parts: list[str], query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        self.send(200, "Zoë 5 €".encode(), "text/plain; charset=utf-8")

    def at_latin(self, parts: list[str], query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        self.send(200, "Zoë".encode("latin-1"), "text/plain; charset=iso-8859-1")

    def at_untold(self, parts: list[str], query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        self.send(200, "Zoë".encode(), "application/octet-stream")

    def at_login(self, parts: list[str], query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        self.send(302, Location="/cookies", Set_Cookie="sid=s3cret; Path=/")

    def at_setcookie(self, parts: list[str], query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        self.send(200, b"{}", Set_Cookie="flavour=oat; Path=/")

    def at_cookies(self, parts: list[str], query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        pairs = sorted(part for part in headers.get("cookie", "").split("; ") if part)
        self.send(200, json.dumps(pairs).encode())

    def at_basic(self, parts: list[str], query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        wanted = "Basic " + base64.b64encode(b"ann:secret").decode()
        if headers.get("authorization") == wanted:
            self.send(200, b'{"user": "ann"}')
        else:
            self.send(401, b'{"error": "who?"}', WWW_Authenticate='Basic realm="x"')

    def at_digest(self, parts: list[str], query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        given = headers.get("authorization", "")
        if given.startswith("Digest ") and 'username="ann"' in given and 'nonce="abc"' in given:
            self.send(200, b'{"user": "ann"}')
        else:
            self.send(401, WWW_Authenticate='Digest realm="x", nonce="abc", qop="auth", algorithm=MD5')

    def at_fresh(self, parts: list[str], query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        if headers.get("if-none-match") == '"1"':
            self.send(304, ETag='"1"')
        else:
            self.send(200, b"[1]", ETag='"1"')

    def at_links(self, parts: list[str], query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        self.send(200, b"[]", Link='</page/2>; rel="next"', X_Two="b")


def multipart(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """The parts of a form: the names, and their content; a part's Content-Type is the client's affair."""
    boundary = content_type.partition("boundary=")[2].strip('"').encode()
    found: list[tuple[str, str]] = []
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.strip(b"\r\n").partition(b"\r\n\r\n")
        disposition = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-disposition"))
        found.append((disposition.partition(b": ")[2].decode(), content.decode("latin-1")))
    return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a program did: what it returned or the class that it raised, what it printed, what the server was asked for."""

    value: object
    raised: str
    asked: list[tuple[str, str, tuple[tuple[str, str], ...], bytes]]


def run(source: str, server: Server, **names: object) -> Outcome:
    """Run `main(url)` of a program on a loop of its own, with warnings as errors."""
    server.asked()
    namespace: dict[str, Any] = {"__name__": "program", "URL": server.url, **names}
    value: object = None
    raised = ""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(compile(source, "program.py", "exec", dont_inherit=True), namespace)
        try:
            value = asyncio.run(namespace["main"](server.url))
        except Exception as error:
            raised = type(error).__name__
    asked = [(each.method, each.target, _of_the_program(each), _form(each)) for each in server.asked()]
    return Outcome(value, raised, asked)


def _of_the_program(seen: Seen) -> tuple[tuple[str, str], ...]:
    skipped = {
        *_OF_THE_CLIENT,
        *(["authorization"] if "/digest" in seen.target else []),
        "content-length",
        "transfer-encoding",
    }
    if "multipart" in seen.headers.get("content-type", "") or not seen.body:
        skipped.add("content-type")  # httpx keeps that of a form when a redirect has made a GET of it
    return tuple(sorted((name, value) for name, value in seen.headers.items() if name not in skipped))


def _form(seen: Seen) -> bytes:
    """The body; JSON in one spelling, as the fix's notes say that it changes, and forms without boundaries."""
    kind = seen.headers.get("content-type", "")
    if "multipart" in kind:
        return repr(multipart(kind, seen.body)).encode()
    if kind == "application/json" and seen.body:
        return json.dumps(json.loads(seen.body)).encode()
    return seen.body


def settings(**changes: Any) -> Settings:
    return Settings(root=PATH.parent, **changes)


def find(source: str | bytes, **changes: Any) -> tuple[Finding, ...]:
    data = source.encode() if isinstance(source, str) else source
    return check_source(data, PATH, settings(**changes)).findings


def offers(source: str, *, fixer: str = "httpx", **changes: Any) -> list[Fix | Refusal]:
    """What the fixer says to each finding of a program."""
    found = fixes_for(source.encode(), PATH, settings(**changes), find(source, **changes))
    return [offer for all_of_them in found.values() for offer in all_of_them if offer.name == fixer]


def refusals(source: str, **changes: Any) -> list[str]:
    """The reasons against; all findings must have one."""
    found = offers(source, **changes)
    assert found, "the fixer has nothing to say"
    return [offer.reason if isinstance(offer, Refusal) else f"FIX: {offer.title}" for offer in found]


def only_fix(source: str, **changes: Any) -> Fix:
    """The one fix of a program."""
    found = {id(offer): offer for offer in offers(source, **changes)}
    (fix,) = found.values()
    assert isinstance(fix, Fix), fix.reason
    return fix


def fix_source(source: str, *, others: bool = False, fixer: str = "httpx", **changes: Any) -> tuple[str, Applied]:
    """Apply what this fixer offers, and check what holds for every fix: it parses, keeps comments, ends its findings for good.

    With `others`, other fixers may mend what this one leaves. `fixer` is `httpx`, or `httpx-async` for what uses httpx itself.
    """
    data = source.encode()

    def recheck(candidate: bytes) -> list[Finding]:
        return [finding for finding in find(candidate, **changes) if finding.symbol.startswith(ABOUT[fixer])]

    applied = apply_all(data, PATH, settings(**changes), recheck(data), unsafe=True, recheck=recheck)
    foreign = [fix.name for fix in applied.fixes if fix.name != fixer]
    assert others or not foreign, f"other fixers have mended something: {foreign}"
    assert not applied.dropped, applied.dropped
    text = applied.source.decode()
    ast.parse(text)
    assert comments(text) == comments(source)
    assert strings(text) >= strings(source)
    again = apply_all(applied.source, PATH, settings(**changes), recheck(applied.source), unsafe=True, recheck=recheck)
    assert again.source == applied.source
    return text, applied


def comments(text: str) -> list[str]:
    found = tokenize.generate_tokens(io.StringIO(text).readline)
    return sorted(token.string for token in found if token.type == tokenize.COMMENT)


def strings(text: str) -> set[str]:
    return {
        node.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def fixed(source: str, *, fixer: str = "httpx", **changes: Any) -> str:
    """The program with all its requests rewritten."""
    text, applied = fix_source(source, fixer=fixer, **changes)
    assert applied.fixes, [reason for _, offers in applied.refusals for reason in offers]
    left = [finding for finding in applied.findings if finding.symbol.startswith(ABOUT[fixer])]
    assert not left, [offers for _, offers in applied.refusals]
    return text


def same(source: str, server: Server, **changes: Any) -> tuple[str, Outcome]:
    """Fix a program, and assert that it does what it did; the new text, and what it does."""
    before = run(source, server)
    new = fixed(source, **changes)
    after = run(new, server)
    assert after == before, f"{before}\n{after}\n{new}"
    return new, after
