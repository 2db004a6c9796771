"""What the soak is run against: an application with every fault of its own, behind a middleware that cancels some requests."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import anyio

from asgiway import WSGIMiddleware
from tests.adapter.wire_support.control import serve_control

__all__ = ["app"]

TEXT = [("Content-Type", "text/plain")]
BLOCK = bytes(64 * 1024)
ERRORS: dict[str, type[BaseException]] = {
    kind.__name__: kind for kind in (ValueError, OSError, StopIteration, SystemExit, KeyboardInterrupt, GeneratorExit)
}


class _Counted:
    """Counts the responses whose close() is still to come."""

    opened = 0
    closed = 0
    _lock = threading.Lock()

    def __init__(self, chunks: Iterator[bytes], fails: bool = False) -> None:
        self._chunks = chunks
        self._fails = fails
        with _Counted._lock:
            _Counted.opened += 1

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        with _Counted._lock:
            _Counted.closed += 1
        if self._fails:
            raise ValueError("in close()")


def _failing(error: type[BaseException]) -> Iterator[bytes]:
    yield b"part"
    raise error("in the middle")


def _blocks(stream: Any) -> Iterator[bytes]:
    while block := stream.read(16 * 1024):
        yield block


def legacy(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    program, _, argument = environ["PATH_INFO"][1:].partition("/")
    match program:
        case "fail":
            raise ERRORS[argument]("at once")
        case "slow":
            time.sleep(0.02)
            chunks = iter([b"slow"])
        case "endless":
            chunks = itertools.repeat(BLOCK)
        case "fail-later":
            chunks = _failing(ERRORS[argument])
        case "truncated":
            start_response("200 OK", [("Content-Length", "100")])
            return _Counted(iter([b"too short"]))
        case "too-long":
            start_response("200 OK", [("Content-Length", "4")])
            return _Counted(itertools.repeat(BLOCK))
        case "echo":
            chunks = iter([environ["wsgi.input"].read()])
        case "echo-blocks":
            chunks = _blocks(environ["wsgi.input"])
        case "ignore":
            chunks = iter([b"ignored"])
        case "counters":
            start_response("200 OK", TEXT)
            return [json.dumps([_Counted.opened, _Counted.closed]).encode()]
        case _:
            chunks = iter([b"hello"])
    start_response("200 OK", TEXT)
    return _Counted(chunks, fails=argument == "close-fails")


adapter = WSGIMiddleware(legacy, workers=8, max_queue=8, queue_timeout=0.3)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Cancel a request with an X-Deadline header after that many seconds, as timeout middleware does."""
    deadline = dict(scope.get("headers", ())).get(b"x-deadline")
    with anyio.move_on_after(float(deadline) if deadline else None):
        await adapter(scope, receive, send)


serve_control({"adapter": adapter})
