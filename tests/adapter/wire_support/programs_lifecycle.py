"""Programs about a request's life: streams held open, failures on the way, clients that leave, threads at work together."""

from __future__ import annotations

import ctypes
import itertools
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from wsgiref.types import StartResponse, WSGIEnvironment

from tests.adapter.wire_support.journal import PATIENCE, journal
from tests.adapter.wire_support.programs import OK, TEXT, NotedBody, key_of, program
from tests.adapter.wire_support.programs_response import Boom

BLOCK = bytes(64 * 1024)


@program
def events(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Server-sent events; each one but the first waits until the gate of its number is opened."""
    key = key_of(environ)
    start_response(OK, [("Content-Type", "text/event-stream"), ("Cache-Control", "no-store")])

    def chunks() -> Iterator[bytes]:
        for number in range(3):
            if number:
                journal.hold(key, str(number))
            yield b"data: %d\n\n" % number

    return NotedBody(key, chunks())


@program
def release(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Open the gate that the query string names: the second request that lets the first one go on."""
    journal.release(key_of(environ), environ["QUERY_STRING"])
    start_response(OK, TEXT)
    return [b"released"]


@program
def hold(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Occupies a thread until the gate is opened."""
    key = key_of(environ)
    journal.note(key, "entered", threading.current_thread().name)
    journal.hold(key)
    start_response(OK, TEXT)
    return NotedBody(key, [b"held"])


@program
def hold_while_streaming(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    key = key_of(environ)
    start_response(OK, TEXT)

    def chunks() -> Iterator[bytes]:
        yield b"first "
        journal.hold(key)
        yield b"last"

    return NotedBody(key, chunks())


@program
def endless(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Large blocks for ever: a client that does not read blocks it in send."""
    start_response(OK, TEXT)
    return NotedBody(key_of(environ), itertools.repeat(BLOCK))


@program
def endless_ticks(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """A small chunk now and then, for ever."""
    key = key_of(environ)
    start_response(OK, TEXT)

    def chunks() -> Iterator[bytes]:
        try:
            while True:
                yield b"tick\n"
                time.sleep(0.01)
        finally:
            # By close(), not by the collector: an exception or a close is under way.
            journal.note(key, "generator ended", type(sys.exception()).__name__)

    return NotedBody(key, chunks())


@program
def endless_until_shutdown(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Tells of its end in the log: when it comes, the process may not answer questions any more."""
    key = key_of(environ)
    start_response(OK, TEXT)

    def chunks() -> Iterator[bytes]:
        while True:
            yield b"tick\n"
            time.sleep(0.01)

    return NotedBody(key, chunks(), lambda: environ["wsgi.errors"].write(f"closed at shutdown: {key}\n"))


@program
def hold_until_shutdown(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Like ``hold``, and tells of its end in the log."""
    key = key_of(environ)
    journal.note(key, "entered")
    journal.hold(key)
    start_response(OK, TEXT)
    return NotedBody(key, [b"held"], lambda: environ["wsgi.errors"].write(f"closed at shutdown: {key}\n"))


@program
def stuck_in_c(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Calls what nothing can interrupt: no exception reaches a thread that does not run Python."""
    journal.note(key_of(environ), "entered")
    ctypes.CDLL(None).sleep(600)
    start_response(OK, TEXT)
    return [b"ten minutes later"]


@program
def endless_writes(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    key = key_of(environ)
    write = start_response(OK, TEXT)
    try:
        while True:
            write(BLOCK)
            journal.note(key, "yielded", len(BLOCK))
    except OSError as exc:
        journal.note(key, "error", [type(exc).__name__, True])
        raise


@program
def asks_for_the_client(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """A long computation that looks now and then whether somebody still wants its result."""
    key = key_of(environ)
    journal.note(key, "asked", environ["asgiway.disconnected"]())
    deadline = time.monotonic() + PATIENCE
    while not environ["asgiway.disconnected"]() and time.monotonic() < deadline:
        time.sleep(0.01)
    journal.note(key, "left", environ["asgiway.disconnected"]())
    start_response(OK, TEXT)
    return NotedBody(key, [b"nobody reads this"])


_FAILURES: dict[str, type[BaseException]] = {
    kind.__name__: kind for kind in (Boom, StopIteration, GeneratorExit, KeyboardInterrupt, SystemExit, OSError)
}


@program
def fails_at_once(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    raise _FAILURES[environ["QUERY_STRING"]](f"at once, {key_of(environ)}")


@program
def fails_when_iterated(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Before the first chunk: nothing has been sent yet."""
    start_response(OK, TEXT)
    error = _FAILURES[environ["QUERY_STRING"]](f"before the first chunk, {key_of(environ)}")

    class Failing:
        def __iter__(self) -> Iterator[bytes]:
            raise error

        def close(self) -> None:
            journal.note(key_of(environ), "closed")

    return Failing()


@program
def fails_in_the_middle(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    key = key_of(environ)
    start_response(OK, TEXT if environ["PATH_INFO"] != "/sized" else [("Content-Length", "100")])

    def chunks() -> Iterator[bytes]:
        yield b"part"
        raise _FAILURES[environ["QUERY_STRING"]](f"in the middle, {key}")

    return NotedBody(key, chunks())


@program
def fails_in_close(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    key = key_of(environ)

    def fail() -> None:
        raise Boom(f"in close, {key}")

    start_response(OK, TEXT)
    return NotedBody(key, [b"whole ", b"body"], fail)


_barriers: dict[str, threading.Barrier] = {}
_barriers_lock = threading.Lock()


@program
def meet(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answers when as many requests as the query string says are running at once, each on a thread of its own."""
    key, parties = key_of(environ), int(environ["QUERY_STRING"])
    with _barriers_lock:
        barrier = _barriers.setdefault(key, threading.Barrier(parties))
    barrier.wait(PATIENCE)
    journal.note(key, "met", threading.current_thread().name)
    start_response(OK, TEXT)
    return [environ["HTTP_X_NUMBER"].encode(), b":", environ["wsgi.input"].read()]
