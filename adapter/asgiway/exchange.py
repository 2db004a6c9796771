"""One request between its worker thread and its event loop: what each side leaves for the other, and how it waits.

The worker runs ``run``: it calls the application, iterates the result and calls ``close()``, all on one thread and in
one copy of the request's context. What it produces is left in ``_start``, ``_chunks``, ``_final``, ``failure`` and
``ended`` (written in this order, read in the opposite one, so the reader never sees an effect without its cause), and the
loop is woken once however much there is. The loop leaves request body and ``aborted`` for the worker and opens the
locks of whoever waits. Every wait of a worker ends with ``abort``, so no thread depends on a task that is gone.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import Context, copy_context
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from asgiway.errors import AppExitError, ClientDisconnected
from asgiway.file_response import FileWrapper, sendable_file
from asgiway.loops import LoopPort, Waiter
from asgiway.observe import Outcome
from asgiway.printable import printable
from asgiway.receiver import Receive, Receiver
from asgiway.request_body import BodyBuffer, open_body
from asgiway.response import Response, Start, encode_header

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["Exchange", "Service"]

logger: logging.Logger = logging.getLogger("asgiway")

_WHOLE: tuple[type[Any], ...] = (list, tuple)  # what Response.consume sends in one piece
_COPY_BLOCK = 256 * 1024
_JOINED = 64 * 1024
"""Bytes up to which pieces are joined: below, a message costs more than the copy; above, the copy costs more."""


class _WatchWanted:
    """A worker's wish to know whether the client has left, on its way to the loop."""

    __slots__ = ("_exchange",)

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def ready(self) -> None:
        self._exchange.watch()


@dataclass(frozen=True, slots=True)
class Service:
    """What is the same for all requests of an adapter.

    Parameters:
        app: the WSGI application, and `app_name` what to call it in messages.
        high_water: bytes of response that may wait for the client before the worker is held.
        withdraw: takes an exchange off the queue for a worker; False when a worker has it.
    """

    app: WSGIApplication
    app_name: str
    high_water: int
    withdraw: Callable[[Exchange], bool]


class Exchange(Response):
    """A request under way.

    Parameters:
        service: what is the same for all requests of the adapter.
        scope: the request's ASGI scope.
        environ: its environ, complete but for "wsgi.input" when `body` is given.
        port: the loop that serves the request.
        receive: ASGI's receive().
        body: where the request body arrives, None when "wsgi.input" is in `environ` already.
        spool: copy the whole body to a temporary file first, and set CONTENT_LENGTH.
    """

    __slots__ = (
        "_chunks",
        "_context",
        "_environ",
        "_final",
        "_final_taken",
        "_gate",
        "_hold",
        "_on_end",
        "_path_taken",
        "_port",
        "_posted",
        "_produced",
        "_receive",
        "_service",
        "_spool",
        "_start",
        "_whole",
        "aborted",
        "body",
        "born",
        "bytes_in",
        "bytes_out",
        "ended",
        "failure",
        "file_size",
        "finished",
        "given_up",
        "hints",
        "news",
        "outcome",
        "path",
        "receiver",
        "scope",
        "started",
        "status",
        "thread",
        "waiter",
        "waiting",
    )

    def __init__(
        self,
        service: Service,
        scope: Mapping[str, Any],
        environ: dict[str, Any],
        port: LoopPort,
        receive: Receive,
        body: BodyBuffer | None,
        spool: bool,
    ) -> None:
        super().__init__(scope["method"] == "HEAD", service.app_name)
        self._service = service
        self.scope: Mapping[str, Any] = scope
        self._environ: dict[str, Any] | None = environ
        self._context: Context | None = copy_context()
        self._port = port
        self._receive = receive
        self.body: BodyBuffer | None = body
        self._spool = spool
        self.born: float = monotonic()
        self._chunks: deque[bytes] | None = None  # None: a body in one piece is in _whole
        self._final: bool = False
        self._final_taken: bool = False
        self._gate: threading.Lock | None = None
        self._hold: bool = False  # the whole response is about to be there: don't wake the loop before
        self._on_end: Callable[[Exchange], None] | None = None
        self._path_taken: bool = False
        self._posted: bool = True  # nobody waits to be woken yet
        self._produced: int = 0
        self._start: Start | None = None
        self._whole: bytes = b""
        self.aborted: Exception | None = None
        """Why the application is to stop; its next read or write raises this."""
        self.bytes_in: int = 0
        """Bytes of request body received before the worker began."""
        self.bytes_out: int = 0
        """Bytes of body that the server has taken."""
        self.ended: bool = False
        """The worker is done, close() included."""
        self.failure: BaseException | None = None
        """What the application raised."""
        self.file_size: int = 0
        """Bytes of the file at `path`."""
        self.finished: float = 0.0
        """When the worker was done."""
        self.given_up: bool = False
        """Its task does not wait for the worker any more."""
        self.hints: deque[list[bytes]] | None = None
        """Links for early hints that wait to be sent; None where the server can't."""
        self.news: bool = False
        """There is something to take, or another reason to look."""
        self.outcome: Outcome = "cancelled"
        """How it ended, as far as its task has found out."""
        self.path: str | None = None
        """The file that is the body, for a server that sends it by itself."""
        self.receiver: Receiver | None = None
        """Who reads the request's messages; made when there is something to read for, most requests end before."""
        self.started: float | None = None
        """When a worker took it, like `born` on the monotonic clock."""
        self.status: int | None = None
        """The status that was sent."""
        self.thread: threading.Thread | None = None
        """The worker's thread while it works on this request; None before and after."""
        self.waiter: Waiter | None = None
        """What the request's task awaits, until the worker has left something."""
        self.waiting: deque[threading.Lock] = deque()
        """The gates of threads that wait for the loop."""

    @property
    def label(self) -> str:
        """Names the request in log lines."""
        return f"{self.scope['method']} {printable(self.scope['path'])}"

    # ------------------------------------------------------------------ worker

    def run(self, gate: threading.Lock, thread: threading.Thread) -> None:
        """The whole life of the request on its worker; see pool.Job."""
        if self.aborted is None:
            self._gate = gate
            self.thread = thread
            self.started = monotonic()
            context = self._context
            assert context is not None
            try:
                context.run(self._call)
            except Exception as exc:
                self.failure = exc
            except BaseException as exc:
                self.failure = self._tamed(exc)
            self.thread = None
            self.finished = monotonic()
        self._context = self._environ = None
        self.ended = True
        self._post()

    def _tamed(self, exc: BaseException) -> AppExitError:
        error = AppExitError(f"{self._app_name} raised {type(exc).__name__}")
        error.__cause__ = exc
        return error

    def _call(self) -> None:
        environ = self._environ
        assert environ is not None
        self._environ = None  # from here on it is the application's; keeping it would tie a reference cycle
        spooled = None
        iterable: Any = ()
        try:
            if self.body is not None:
                stream = open_body(self.body, self._wait_for_body)
                if self._spool:
                    spooled = stream = self._copy_to_disk(stream, environ)
                environ["wsgi.input"] = stream
            iterable = self._service.app(environ, self.start_response)
            if type(iterable) is FileWrapper and self._offers("http.response.pathsend") and self._send_path(iterable):
                return
            if type(iterable) in _WHOLE:
                self._hold = not self.sent
                self.consume_whole(iterable)  # pyright: ignore[reportArgumentType] - does not follow `in`
            else:
                self.consume(iterable, self._stopped)
        except Exception as exc:
            if exc is not self.aborted:
                # StopIteration is an Exception, but can't cross an await.
                self.failure = self._tamed(exc) if isinstance(exc, StopIteration) else exc
        except BaseException as exc:
            self.failure = self._tamed(exc)
        finally:
            self._hold = False
            if type(iterable) not in _WHOLE:
                close = getattr(iterable, "close", None)
                if close is not None:
                    self._close(close)
            if spooled is not None:
                spooled.close()

    def _offers(self, extension: str) -> bool:
        return extension in (self.scope.get("extensions") or ())

    def _send_path(self, wrapper: FileWrapper) -> bool:
        """Let the server send the file by its name, if that is the same; its close() comes when the server has begun."""
        file = sendable_file(wrapper)
        if file is None:
            return False
        start = self.begin_file(file[1])
        if start is None:
            return False
        self.path, self.file_size = file
        self.emit(start, b"", True)
        self._wait(lambda: not self._path_taken)
        return True

    def early_hints(self, headers: list[tuple[str, str]]) -> None:
        """environ["wsgi.early_hints"]: send the Link headers among `headers` ahead of the response (RFC 8297)."""
        links = [encode_header(name, value)[1] for name, value in headers if name.lower() == "link"]
        hints = self.hints
        if links and hints is not None and not self.sent:
            hints.append(links)
            self._post()

    def _close(self, close: Callable[[], object]) -> None:
        """PEP 3333, "Specification Details": close() is called however the request ended; its own errors end here."""
        try:
            close()
        except BaseException:
            logger.exception("%s: close() of the response failed for %s", self._app_name, self.label)

    def _stopped(self) -> bool:
        return self.aborted is not None

    def emit(self, start: Start | None, data: bytes, final: bool) -> None:
        """Leave it for the loop; waits while the client is slow. Raises the reason if the request is aborted."""
        if self.aborted is not None:
            raise self.aborted
        if start is not None:
            self._start = start
        if data:
            self._produced += len(data)
            chunks = self._chunks
            if chunks is not None:
                chunks.append(data)
            elif final:
                self._whole = data
            else:
                self._chunks = deque((data,))
        if final:
            self._final = True
        if self._hold:
            return
        if not self._posted:
            self._post()
        if not final and self._full():
            self._wait(self._full)
            if self.aborted is not None:
                raise self.aborted

    def _full(self) -> bool:
        return self._produced - self.bytes_out >= self._service.high_water

    def _post(self) -> None:
        if not self._posted:
            self._posted = True
            self._port.post(self)

    def _wait(self, blocked: Callable[[], bool]) -> None:
        """Wait while `blocked()`, until the loop opens the gate; ends at once when the request is aborted."""
        if threading.current_thread() is self.thread and self._gate is not None:
            gate = self._gate
        else:  # the application reads or writes from a thread of its own
            gate = threading.Lock()
            gate.acquire()
        waiting = self.waiting
        while blocked() and self.aborted is None:
            waiting.append(gate)
            # The loop may have opened all gates before this one was there to be seen.
            if (not blocked() or self.aborted is not None) and _unregister(waiting, gate):
                return
            gate.acquire()

    def _body_missing(self) -> bool:
        body = self.body
        return body is not None and not body.readable

    def _wait_for_body(self) -> None:
        receiver = self.receiver
        if receiver is not None:
            # Not by way of _post: the request's task may be held by a client that does not read, yet still sends.
            self._port.post(receiver)
        self._wait(self._body_missing)
        if self.aborted is not None:
            raise self.aborted

    def _copy_to_disk(self, stream: Any, environ: dict[str, Any]) -> Any:
        """Take in a body of unknown length, so that the application gets a true CONTENT_LENGTH."""
        import tempfile  # few bodies get here, and its import takes milliseconds

        spooled = tempfile.TemporaryFile()  # noqa: SIM115 - closed in _call
        try:
            size = 0
            while block := stream.read(_COPY_BLOCK):
                spooled.write(block)
                size += len(block)
            spooled.seek(0)
        except BaseException:
            spooled.close()
            raise
        environ["CONTENT_LENGTH"] = str(size)
        return spooled

    def disconnected(self) -> bool:
        """environ["asgiway.disconnected"]: has the client left, as far as the server has told?"""
        if self.aborted is None and (self.receiver is None or not self.receiver.watching):
            self._port.post(_WatchWanted(self))
        return isinstance(self.aborted, ClientDisconnected)

    # -------------------------------------------------------------------- loop

    def ready(self) -> None:
        """See loops.Postable: the worker has left something."""
        self.news = True
        waiter = self.waiter
        if waiter is not None:
            if not waiter.done():
                waiter.set_result(None)
        elif self._on_end is not None:
            self._look_for_the_end()

    def detach(self, on_end: Callable[[Exchange], None]) -> None:
        """The request's task goes; `on_end` is called on the loop, once, when the worker has ended."""
        self._on_end = on_end
        self._look_for_the_end()

    def _look_for_the_end(self) -> None:
        # Nobody calls output() any more, so this lets the worker post again; before looking, for it posts after its end.
        self._posted = False
        on_end = self._on_end
        if self.ended and on_end is not None:
            self._on_end = None
            on_end(self)

    def receiving(self) -> Receiver:
        """Who reads the request's messages."""
        receiver = self.receiver
        if receiver is None:
            receiver = self.receiver = Receiver(self._port, self._receive, self.body, self)
        return receiver

    def watch(self) -> None:
        """Notice the client's leaving from now on."""
        if not self.ended and (self.receiver is None or not self.receiver.watching):
            self.receiving().watch()

    def wait_for_worker(self) -> Waiter | None:
        """What to await until the worker has left something, as `waiter`; None if it has.

        Only from here on does it wake the loop: what it leaves while the loop sends costs no wake. No coroutine, as
        each request would pay for making one.
        """
        self._posted = False  # before looking: what comes later posts
        if (
            self.news
            or self.ended
            or self._chunks
            or (self._final and not self._final_taken)
            or (self.hints and self.status is None)
        ):
            self._posted = True
            return None
        self.waiter = waiter = self._port.new_waiter()
        return waiter

    def take(self) -> tuple[Start | None, bytes, bool, bool]:
        """Take what the worker has left.

        Returns the headers (with the first piece of the body), a piece of the body, whether it is the last one, and
        whether the worker has ended.
        """
        self.news = False
        # In the opposite order of writing, see the module's first lines.
        ended = self.ended
        final = self._final
        chunks = self._chunks
        if chunks is None:
            body = b""
            if final:
                body, self._whole = self._whole, b""
        elif not chunks:
            body = b""
        else:
            body = chunks.popleft()
            if chunks and len(body) < _JOINED:
                pieces = [body]
                size = len(body)
                while chunks and size < _JOINED:
                    piece = chunks.popleft()
                    pieces.append(piece)
                    size += len(piece)
                body = b"".join(pieces)
            if chunks:  # the rest, and the end, at the next call
                self.news = True
                final = ended = False
        if final:
            self._final_taken = True
        start = None
        if body or final:
            start, self._start = self._start, None
        return start, body, final, ended

    def path_taken(self) -> None:
        """The server has the file's name."""
        self._path_taken = True
        self.open_gates()

    def give_up(self, error: Exception) -> None:
        """Let the request's task go on without the worker, whose next read or write raises `error`."""
        self.given_up = True
        self.abort(error)
        self.ready()

    def make_room(self) -> None:
        """The server has taken more of the body: a worker that was held (it is in `waiting`) may go on.

        Not before all is taken: with a quarter of high_water left, the two took 50 to 66 switches between threads for
        10 MiB instead of 40. The client does not wait for it: what the server has taken is still on its way.
        """
        if self._produced == self.bytes_out:
            self.open_gates()

    def open_gates(self) -> None:
        """Let every thread that waits look again."""
        waiting = self.waiting
        while waiting:
            try:
                gate = waiting.popleft()
            except IndexError:
                return
            gate.release()

    def abort(self, error: Exception) -> None:
        """Have the application stop at its next read or write; `error` is what that raises. The first reason counts.

        A request that still waits for a worker ends at once, without the application.
        """
        if self.aborted is not None or self.ended or self.abort_if_waiting(error):
            return
        self.aborted = error
        if self.body is not None:
            self.body.fail(error)
        self.open_gates()

    def abort_if_waiting(self, error: Exception) -> bool:
        """``abort``, but only if no worker has the request yet; True if so."""
        if self.started is not None or not self._service.withdraw(self):
            return False
        self.aborted = error
        self._context = self._environ = None
        self.ended = True
        self.ready()
        return True


def _unregister(waiting: deque[threading.Lock], gate: threading.Lock) -> bool:
    try:
        waiting.remove(gate)
    except ValueError:
        return False  # it is being released: take that, or the next wait would end at once
    return True
