"""Programs about the response: start_response(), write(), what is returned, and headers."""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from tests.adapter.wire_support.journal import journal
from tests.adapter.wire_support.programs import OK, TEXT, NotedBody, key_of, program


class Boom(Exception):
    """What programs raise; its name is looked for in logs."""


@program
def exc_info_before_any_chunk(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Empty chunks send nothing, so the headers can still be replaced after them."""
    start_response(OK, [("X-First", "1"), ("Content-Length", "5")])
    yield b""
    yield b""
    try:
        raise Boom("replaced")
    except Boom:
        start_response("503 Busy", [("X-Second", "2")], sys.exc_info())
    yield b"replaced"


@program
def content_length_zero(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response(OK, [("Content-Length", "0"), *TEXT])
    return NotedBody(key_of(environ), iter(()))


@program
def start_twice(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response(OK, TEXT)
    try:
        start_response("404 Not Found", TEXT)
    except AssertionError as exc:
        return [f"{type(exc).__name__} is an AssertionError".encode()]
    return [b"no error"]


@program
def exc_info_replaces(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response(OK, [("X-Old", "old"), ("Content-Type", "text/html")])
    try:
        raise Boom("handled before anything was sent")
    except Boom:
        start_response("500 Oh", [("X-New", "new"), *TEXT], sys.exc_info())
    return [b"an error page"]


@program
def exc_info_after_send(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """start_response raises the error again, in the application, with the traceback it came with."""
    key = key_of(environ)
    start_response(OK, TEXT)
    yield b"sent"
    try:
        raise Boom("after the start")
    except Boom:
        original = sys.exc_info()
        try:
            start_response("500 Oh", TEXT, original)
        except Boom as again:
            trace = again.__traceback__
            while trace is not None and trace is not original[2]:
                trace = trace.tb_next
            journal.note(key, "raised again", [again is original[1], trace is not None])
    yield b" and done"


@program
def never_started(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return [b"body"]


@program
def never_started_empty(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return []


@program
def lazy(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("201 Created", [("X-Lazy", "yes"), *TEXT])
    yield b"lazily "
    yield b"started"


@program
def write_then_return(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    write = start_response(OK, TEXT)
    write(b"a")
    write(b"b")
    return [b"c"]


@program
def write_in_another_thread(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    write = start_response(OK, TEXT)
    writer = threading.Thread(target=write, args=(b"a",), name="writer")
    writer.start()
    writer.join()
    write(b"b")
    return [b"c"]


@program
def write_while_iterated(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    write = start_response(OK, TEXT)

    def chunks() -> Iterator[bytes]:
        try:
            write(b"too late")
        except AssertionError as exc:
            yield type(exc).__name__.encode()

    return chunks()


@program
def status_as_asked(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    statuses: dict[str, Any] = {
        "bare": "200",
        "space": "200 ",
        "words": "404 Not Found Really",
        "beyond": "600 Beyond",
        "bad": "abc",
        "int": 200,
    }
    start_response(statuses[environ["QUERY_STRING"]], TEXT)
    return [b"status"]


@program
def header_as_asked(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    headers: dict[str, tuple[Any, Any]] = {
        "int": ("X-Number", 5),
        "bytes": (b"X-Bytes", "x"),
        "crlf": ("X-Split", "a\r\nSet-Cookie: evil=1"),
        "nul": ("X-Nul", "a\0b"),
        "latin1": ("X-Latin", "caf\xe9"),
        "wide": ("X-Wide", "\u4e2d"),
    }
    start_response(OK, [headers[environ["QUERY_STRING"]]])
    return [b"header"]


@program
def hop_by_hop(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response(OK, [("Connection", "close"), ("Keep-Alive", "timeout=3"), ("Transfer-Encoding", "chunked"), *TEXT])
    return [b"stays"]


@program
def cookies_and_case(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response(OK, [("Set-Cookie", "a=1"), ("X-MiXeD", "v"), ("Set-Cookie", "b=2; Path=/"), *TEXT])
    return [b"ok"]


@program
def headers_changed_later(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    headers = [("X-Kept", "before"), *TEXT]
    start_response(OK, headers)
    headers[0] = ("X-Kept", "after")
    headers.append(("X-Added", "after"))
    return [b"ok"]


_KINDS: dict[str, Any] = {
    "list": lambda: [b"one piece"],
    "tuple": lambda: (b"one piece",),
    "two": lambda: [b"one ", b"piece"],
    "generator": lambda: (chunk for chunk in (b"one ", b"piece")),
    "empty-list": list,
    "empty-tuple": tuple,
    "empty-iterator": lambda: iter(()),
    "str": lambda: ["text"],
    "bytes": lambda: b"bare bytes",
    "none": lambda: None,
    "bytearray": lambda: [bytearray(b"one "), bytearray(b"piece")],
    "memoryview": lambda: iter([memoryview(b"one piece")]),
}


@program
def returns(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Returns the kind of iterable that the path names, with the status that the query string gives."""
    start_response(environ["QUERY_STRING"] or OK, TEXT)
    value: Iterable[bytes] = _KINDS[environ["PATH_INFO"].strip("/")]()
    return value


@program
def too_short(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response(OK, [("Content-Length", "10")])
    return NotedBody(key_of(environ), [b"only6!"])


@program
def too_long(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """One chunk fits, the second one crosses Content-Length; nothing may ask for the third."""
    start_response(OK, [("Content-Length", "10"), *TEXT])
    return NotedBody(key_of(environ), [b"123456", b"7890ab", b"cdef"])


@program
def body_not_allowed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response(f"{environ['QUERY_STRING']} Status", [("Content-Length", "4"), ("X-Kept", "yes")])
    return NotedBody(key_of(environ), [b"body"])


@program
def with_content_length(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response(OK, [("Content-Length", "8"), *TEXT])
    return NotedBody(key_of(environ), [b"12", b"345678"])


@program
def one_byte_chunks(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response(OK, TEXT)
    return (b"x" for _ in range(int(environ["QUERY_STRING"])))


@program
def large_header(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response(OK, [("X-Large", "v" * 30_000)])
    return [b"large"]


@program
def early_hints(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Hints first; what is not a Link, and what comes after the response has begun, is dropped."""
    hint = environ["wsgi.early_hints"]
    hint([("Link", "</style.css>; rel=preload"), ("X-Other", "1")])
    start_response(OK, TEXT)
    yield b"hin"
    hint([("Link", "</late.css>; rel=preload")])
    yield b"ted"


@program
def file(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """A file through wsgi.file_wrapper, from an offset on; its closing is noted."""
    handle = tempfile.TemporaryFile()  # noqa: SIM115 - close() of the response closes it
    handle.write(b"0123456789" * 60_000)
    handle.seek(10)

    class Watched:
        read = handle.read

        def close(self) -> None:
            handle.close()
            journal.note(key_of(environ), "closed")

    start_response(OK, TEXT)
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](Watched())
    return wrapped
