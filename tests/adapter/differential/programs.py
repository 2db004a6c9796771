"""The WSGI application that both servers run: it does what the request's X-Program and X-Plan headers say, X-Plan in JSON.

"echo" tells what the environ and the body were; "respond" answers in any of the ways that PEP 3333 leaves to an
application, the wrong ones included. A plan travels with its request, so that a generator can invent applications too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["FAILURES", "app", "read_pieces"]

FAILURES: dict[str, type[Exception]] = {"ValueError": ValueError, "KeyError": KeyError, "OSError": OSError}

# What comes from the request. Addresses, and what describes the server itself, differ by nature.
REQUEST_KEYS = {
    "REQUEST_METHOD",
    "SCRIPT_NAME",
    "PATH_INFO",
    "QUERY_STRING",
    "REQUEST_URI",
    "CONTENT_TYPE",
    "CONTENT_LENGTH",
    "SERVER_PROTOCOL",
    "wsgi.url_scheme",
    "wsgi.version",
    "wsgi.run_once",
    "wsgi.input_terminated",
}


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    plan = json.loads(environ.get("HTTP_X_PLAN", "{}"))
    program = _respond if environ.get("HTTP_X_PROGRAM") == "respond" else _echo
    return program(plan, environ, start_response)


def _echo(plan: dict[str, Any], environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Tell what the request was."""
    seen = {key: value for key, value in environ.items() if key in REQUEST_KEYS or key.startswith("HTTP_")}
    seen.setdefault("REQUEST_URI", environ.get("RAW_URI"))  # gunicorn's name for it
    body = json.dumps({"environ": seen, "pieces": read_pieces(environ["wsgi.input"], plan)}, sort_keys=True).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def read_pieces(stream: Any, plan: dict[str, Any]) -> list[str | list[str]]:
    """Read the body as ``reads`` says: names of methods with their arguments, "iterate" and "next"."""
    pieces: list[str | list[str]] = []
    for method, *arguments in plan.get("reads", [["read"]]):
        match method:
            case "iterate":
                read: Any = list(stream)
            case "next":
                read = next(iter(stream), b"")
            case "readlines" if arguments:
                # PEP 3333 lets a server ignore the hint, so only all lines together are to be the same.
                read = [*stream.readlines(*arguments), *stream.readlines()]
            case _:
                read = getattr(stream, method)(*arguments)
        pieces.append([line.decode("latin-1") for line in read] if isinstance(read, list) else read.decode("latin-1"))
    return pieces


def _respond(plan: dict[str, Any], environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """See strategies.plans for the keys of a plan."""
    if plan["read"]:
        environ["wsgi.input"].read()
    chunks = [text.encode("latin-1") * times for text, times in plan["chunks"]]

    def start() -> Callable[[bytes], object]:
        write: Any = None
        for number, (status, headers) in enumerate(plan["starts"]):
            fields = [(name, value) for name, value in headers]
            if number and plan["exc_info"]:
                try:
                    raise KeyError("a view failed")
                except KeyError:
                    write = start_response(status, fields, cast("Any", sys.exc_info()))
            else:
                write = start_response(status, fields)
        return cast("Callable[[bytes], object]", write)

    def pieces() -> Iterator[bytes]:
        if plan["lazy"]:
            start()
        for number, chunk in enumerate(chunks):
            _fail_if(plan, "iteration", number)
            yield chunk
        _fail_if(plan, "iteration", len(chunks))
        if plan["restart"]:
            try:
                raise ValueError("too late for an error page?")
            except ValueError:
                start_response("503 Late", [("X-Late", "yes")], cast("Any", sys.exc_info()))
            yield b"late"

    if not plan["lazy"]:
        write = start()
        for text, times in plan["writes"]:
            write(text.encode("latin-1") * times)
    _fail_if(plan, "call", 0)
    match plan["shape"]:
        case "list":
            return chunks
        case "tuple":
            return tuple(chunks)
        case "none":
            return cast("Iterable[bytes]", None)
        case "generator":
            return pieces()
        case _:
            return _Closing(plan, pieces())


class _Closing:
    """An iterable with a close() that may fail."""

    def __init__(self, plan: dict[str, Any], pieces: Iterator[bytes]) -> None:
        self._plan = plan
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        _fail_if(self._plan, "close", 0)


def _fail_if(plan: dict[str, Any], where: str, number: int) -> None:
    if plan["fail"] is not None and plan["fail"][:2] == [where, number]:
        raise FAILURES[plan["fail"][2]]("as planned")
