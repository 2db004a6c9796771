"""The WSGI application under test: many small programs, chosen by the request's X-Program header.

A header chooses, so that path and query string stay free for tests of their own; X-Key is what the program writes its
events under. ``programs_request``, ``programs_response`` and ``programs_lifecycle`` add theirs with ``program``.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from tests.adapter.wire_support.journal import journal

__all__ = ["OK", "TEXT", "NotedBody", "as_json", "conformance_app", "key_of", "program"]

OK = "200 OK"
TEXT = [("Content-Type", "text/plain")]

_programs: dict[str, WSGIApplication] = {}


def program(app: WSGIApplication) -> WSGIApplication:
    """Make a WSGI application available under its function's name."""
    name: str = app.__name__
    assert name not in _programs, name
    _programs[name] = app
    return app


def key_of(environ: WSGIEnvironment) -> str:
    """What the request's events are kept under."""
    key: str = environ.get("HTTP_X_KEY", "")
    return key


def as_json(start_response: StartResponse, value: Any) -> list[bytes]:
    """Answer with JSON."""
    start_response(OK, [("Content-Type", "application/json")])
    return [json.dumps(value).encode()]


class NotedBody:
    """An iterable that writes each call of close(), and the thread it came on, to the journal."""

    def __init__(self, key: str, chunks: Iterable[bytes], on_close: Callable[[], None] | None = None) -> None:
        self._key = key
        self._chunks = chunks
        self._on_close = on_close
        self._thread = threading.get_ident()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            journal.note(self._key, "yielded", len(chunk))
            yield chunk

    def close(self) -> None:
        journal.note(self._key, "closed", "same thread" if threading.get_ident() == self._thread else "other thread")
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()
        if self._on_close is not None:
            self._on_close()


def conformance_app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Run the program that the request names; without one, answer "hello"."""
    name = environ.get("HTTP_X_PROGRAM")
    if name is None:
        start_response(OK, TEXT)
        return [b"hello"]
    return _programs[name](environ, start_response)
