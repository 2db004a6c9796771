"""Programs about the request: what the environ holds, and how the body can be read."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import psutil

from tests.adapter.wire_support.journal import journal
from tests.adapter.wire_support.programs import OK, TEXT, as_json, key_of, program

PIECE = 64 * 1024


@program
def environ(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Every environ entry that fits into JSON; json escapes what is not ASCII, so nothing is lost on the way."""
    return as_json(
        start_response, {key: value for key, value in environ.items() if isinstance(value, (str, bool, int, tuple))}
    )


@program
def echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response(OK, [*TEXT, ("X-Content-Length", environ.get("CONTENT_LENGTH", "none"))])
    return [environ["wsgi.input"].read()]


@program
def read_past_the_end(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    stream = environ["wsgi.input"]
    pieces = [stream.read(int(environ["CONTENT_LENGTH"])), stream.read(10), stream.read(), stream.readline()]
    return as_json(start_response, [piece.decode() for piece in pieces])


@program
def read_nothing_there(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    stream = environ["wsgi.input"]
    return as_json(start_response, [stream.read().decode(), stream.readline().decode(), len(list(stream))])


@program
def read_by_lines(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    stream = environ["wsgi.input"]
    pieces = [stream.readline(2), stream.readline(), stream.read(3), *stream.readlines(1), *stream]
    return as_json(start_response, [piece.decode() for piece in pieces])


@program
def read_as_text(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return as_json(start_response, io.TextIOWrapper(environ["wsgi.input"], "utf-8").read())


@program
def read_in_another_thread(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    pieces: list[bytes] = []
    reader = threading.Thread(target=lambda: pieces.append(environ["wsgi.input"].read()), name="reader")
    reader.start()
    reader.join()
    start_response(OK, TEXT)
    return pieces


@program
def digest(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Read the body in pieces; says how large and what it was, and by how much the process's memory grew meanwhile."""
    key, stream, process = key_of(environ), environ["wsgi.input"], psutil.Process(os.getpid())
    before = peak = process.memory_info().rss
    hashed, size, pieces = hashlib.sha256(), 0, 0
    journal.note(key, "entered")
    if "HTTP_X_HOLD" in environ:
        journal.hold(key)
    while piece := stream.read(PIECE):
        hashed.update(piece)
        size += len(piece)
        pieces += 1
        if pieces % 16 == 0:
            peak = max(peak, process.memory_info().rss)
    return as_json(start_response, {"size": size, "sha256": hashed.hexdigest(), "growth": peak - before})


@program
def hold_then_read(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    key = key_of(environ)
    journal.note(key, "entered")
    journal.hold(key)
    start_response(OK, TEXT)
    return [environ["wsgi.input"].read()]


@program
def ignore_body(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response(OK, TEXT)
    return [b"not interested"]


@program
def hold_then_ignore_body(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    key = key_of(environ)
    journal.note(key, "entered")
    journal.hold(key)
    start_response(OK, TEXT)
    return [b"not interested"]


@program
def read_until_error(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Tell which error the body ends with; it is raised again, as frameworks do."""
    key = key_of(environ)
    journal.note(key, "entered")
    try:
        while piece := environ["wsgi.input"].read1(PIECE):
            journal.note(key, "read", len(piece))
    except Exception as exc:
        journal.note(key, "error", [type(exc).__name__, isinstance(exc, OSError)])
        raise
    journal.note(key, "end of file")
    start_response(OK, TEXT)
    return [b"complete"]


@program
def swallow_read_error(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """What an application does that turns every error into a page: the client is not there to see it."""
    key = key_of(environ)
    journal.note(key, "entered")
    try:
        environ["wsgi.input"].read()
    except OSError as exc:
        journal.note(key, "error", [type(exc).__name__, True])
    start_response("400 Bad Request", TEXT)
    return [b"incomplete"]
