"""One HTTP request's way through the adapter, seen from the loop: admission, hand-off, answer, end.

One hop in, one hop out: the request reaches its worker once (``pool.submit``), and a small response comes back with a
single wake, start, body and end together. Everything that can end a request early (the client leaves, its task is
cancelled, ``send()`` fails, shutdown, the queue takes too long) is turned into ``Exchange.abort``, after which the worker
comes back by itself; this module never waits for a thread that may be stuck.
"""

from __future__ import annotations

import io
import logging
import math
import sys
import time
import traceback
from asyncio import _get_running_loop  # pyright: ignore[reportPrivateUsage] - documented, for libraries; None, not an error
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias

from asgiway.environ import EnvironBuilder, content_length
from asgiway.errors import (
    BadRequestError,
    ClientDisconnected,
    DrainingError,
    QueueTimeoutError,
    RequestTimeoutError,
    RequestTooLargeError,
)
from asgiway.exchange import Exchange, Service
from asgiway.governor import Governor, governor_of
from asgiway.in_flight import InFlight, OnLoop
from asgiway.loops import LoopPort, current_port
from asgiway.observe import Event, OnEvent, Rejection, RequestEnded, RequestRejected, RequestTimedOut
from asgiway.pool import WorkerPool
from asgiway.printable import printable
from asgiway.receiver import Receive
from asgiway.request_body import BodyBuffer
from asgiway.settings import Settings

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["Bridge"]

logger: logging.Logger = logging.getLogger("asgiway")

Scope = MutableMapping[str, Any]
_Served: TypeAlias = tuple[object, LoopPort, OnLoop, Governor | None]
"""The asyncio loop that was served last (None: trio's, which is asked for anew), and what belongs to it."""
Send = Callable[[dict[str, Any]], Awaitable[None]]

SPOOL_MEMORY = 512 * 1024
"""Bytes of a body of unknown length that are kept in memory; a longer one goes to a temporary file."""

TURN_BYTES = 128 * 1024
"""Bytes of one response that may be sent in a row before everything else on the loop gets its turn. Few, as asyncio
complains when a connection that is lost is written to five times in a row."""

RETRY_AFTER = 1
"""Seconds that a client is asked to wait after a 503 (RFC 9110, 10.2.3)."""

EPISODE_SECONDS = 5.0
"""Refusals for one reason that follow each other within that time are one episode, and one line in the log."""

_HTTP_1 = ("HTTP/1.1", "HTTP/1.0")
_RETRY = (b"retry-after", b"%d" % RETRY_AFTER)


class Bridge:
    """Serves HTTP requests with a WSGI application.

    Parameters:
        app: the WSGI application, `app_name` what to call it in messages.
        settings: see Settings.
        pool: the worker threads.
        environs: builds environs.
    """

    def __init__(
        self, app: WSGIApplication, app_name: str, settings: Settings, pool: WorkerPool, environs: EnvironBuilder
    ) -> None:
        self._service = Service(app, app_name, settings.high_water, pool.remove)
        self._app_name = app_name
        self._settings = settings
        self._pool = pool
        self._environs = environs
        self._refused: dict[Rejection, float] = {}  # when the last one was refused for that reason
        self._governed = settings.governed
        self._served: _Served | None = None
        self.in_flight: InFlight = InFlight(settings.queue_timeout, settings.request_timeout, pool, self._time_out)
        self.draining: bool = False
        self.receivers: tuple[OnEvent, ...] = () if settings.on_event is None else (settings.on_event,)
        """Who is told of events."""

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            whatever the application raised before its response was complete, so that the server answers 500, or cuts
            the connection if headers are out; whatever `send` or `receive` raised.
        """
        try:
            environ, chunked = self._environs.build(scope)
            if chunked or "CONTENT_LENGTH" in environ or environ["SERVER_PROTOCOL"] not in _HTTP_1:
                body, spool = self._plan_body(environ, chunked)
            else:  # HTTP/1 announces a body by one of two headers (RFC 9112, 6.3); most requests have none
                body, spool = None, False
        except BadRequestError as exc:
            await self._refuse_request(scope, send, exc)
            return
        if self.draining:
            self._log_episode(scope, "draining", "shutting down")
            await self._refuse(scope, send, 503, "shutting down", "draining")
            return
        received = 0
        if body is None:
            environ["wsgi.input"] = io.BytesIO()
        elif spool:
            try:
                if not await self._take_in(body, receive, keep_all=self._settings.body == "buffer"):
                    self._report_abandoned_upload(scope, body.received)
                    return
            except RequestTooLargeError as exc:
                await self._refuse_request(scope, send, exc)
                return
            if body.complete:
                content = body.take_all()
                received = len(content)
                environ["CONTENT_LENGTH"] = str(len(content))
                environ["wsgi.input"] = io.BytesIO(content)
                body, spool = None, False

        loop = _get_running_loop()
        served = self._served
        if served is None or served[0] is not loop or loop is None:
            served = self._serve_loop(loop)
        _, port, here, governor = served
        exchange = Exchange(self._service, scope, environ, port, receive, body, spool)
        if received:
            exchange.bytes_in = received
        environ["asgiway.disconnected"] = exchange.disconnected
        environ["asgiway.loop_token"] = port.token
        extensions = scope.get("extensions")
        if extensions and "http.response.early_hint" in extensions:
            exchange.hints = deque()
            environ["wsgi.early_hints"] = exchange.early_hints
        if "asgiway.environ" in scope:  # from middleware in front, such as RequestIdMiddleware
            environ.update(scope["asgiway.environ"])
        del environ
        # Before the worker has the request: it may want to read at once, and asks the receiver for that.
        receiver = None if body is None else exchange.receiving()
        if not (self._pool.submit(exchange) or self._squeeze_in(exchange)):
            self._log_episode(scope, "max_queue", "max_queue reached")
            await self._refuse(scope, send, 503, "too many requests are waiting", "max_queue")
            return
        here.exchanges.add(exchange)
        if not here.sweeping:
            self.in_flight.start_sweep(port, here)
        if governor is not None:
            governor.watch(self._pool)
        if receiver is not None and not _expects_continue(scope):
            receiver.start()
        try:
            # Sends what the worker produces until it has ended. Here and not in a coroutine of its own: every
            # request would pay for making it, and for going through it at each wake.
            finished = False
            turn_at = TURN_BYTES
            while True:
                if not exchange.news:
                    while (waiter := exchange.wait_for_worker()) is not None:
                        try:
                            await waiter
                        finally:
                            exchange.waiter = None
                elif exchange.bytes_out >= turn_at:
                    # There is more than one message may take. send() need not have suspended, and others want their turn:
                    # the one who tells that the client has left, for example.
                    turn_at = exchange.bytes_out + TURN_BYTES
                    await port.turn()
                start, piece, final, ended = exchange.take()
                while exchange.hints and exchange.status is None:
                    await send({"type": "http.response.early_hint", "links": exchange.hints.popleft()})
                # `final` stays true: when close() takes its time, the end comes by itself, after the last piece has gone.
                if not finished and (exchange.aborted is None or final):
                    if start is not None:
                        exchange.status, headers = start
                        await send({"type": "http.response.start", "status": exchange.status, "headers": headers})
                        if exchange.path is not None:
                            await send({"type": "http.response.pathsend", "path": exchange.path})
                            exchange.bytes_out += exchange.file_size
                            exchange.path_taken()
                            finished = True
                    if not finished and exchange.status is not None and (piece or final):
                        await send({"type": "http.response.body", "body": piece, "more_body": not final})
                        exchange.bytes_out += len(piece)
                        if exchange.waiting:
                            exchange.make_room()
                        finished = final
                if ended or exchange.given_up:
                    break
                if not final:
                    exchange.watch()
            if exchange.stripped:
                self._note_stripped(exchange.stripped)
            failure, exchange.failure = exchange.failure, None
            if failure is None and finished:
                exchange.outcome = "complete"
            else:
                await self._answer_unfinished(exchange, failure, scope, send)
        except BaseException:
            # Cancelled, or send() failed: nobody listens any more. The first reason counts, if there is one already.
            exchange.abort(ClientDisconnected("the request has ended before its response"))
            raise
        finally:
            if exchange.ended:
                here.exchanges.discard(exchange)
                if self.receivers:
                    self._report_end(exchange)
            else:
                self.in_flight.detach(exchange, here, self._report_end)
            if exchange.receiver is not None:
                await exchange.receiver.stop()

    def _squeeze_in(self, exchange: Exchange) -> bool:
        """Admit a request though no worker is free: one may have answered already, and just not be idle again."""
        pool = self._pool
        if len(self.in_flight) - pool.abandoned >= pool.permits + pool.max_queue:
            return False
        return pool.submit(exchange, beyond=True)

    def _serve_loop(self, loop: object) -> _Served:
        """What is needed of the running loop, remembered for the next request."""
        port = current_port()
        self._served = served = (loop, port, self.in_flight.on(port), governor_of(port) if self._governed else None)
        return served

    def _plan_body(self, environ: dict[str, Any], chunked: bool) -> tuple[BodyBuffer | None, bool]:
        """Where the request body will arrive (None: there is none), and whether it is taken in before the application runs.

        Raises:
            BadRequestError: Content-Length is no number, or too large.
        """
        declared = environ.get("CONTENT_LENGTH")
        limit = self._settings.max_body_size
        mode = self._settings.body
        if chunked and declared is not None:
            # RFC 9112, 6.3: the chunks count. Most servers refuse such a request; those that don't may pass both on.
            del environ["CONTENT_LENGTH"]
            declared = None
        if declared is None:
            # HTTP/1 announces a body by one of two headers (RFC 9112, 6.3); later versions by the stream alone.
            if not chunked and environ["SERVER_PROTOCOL"].startswith("HTTP/1"):
                return None, False
            return BodyBuffer(limit), mode != "stream"
        length = content_length(declared)
        if length == 0:
            return None, False
        if limit is not None and length > limit:
            raise RequestTooLargeError(f"the request body of {length} bytes is larger than the allowed {limit}")
        return BodyBuffer(limit, length), mode in ("spool", "buffer")

    async def _take_in(self, body: BodyBuffer, receive: Receive, *, keep_all: bool) -> bool:
        """Receive into `body` until it is complete or too large for memory; False when the client has left.

        Raises:
            RequestTooLargeError: more than max_body_size.
        """
        while not body.complete and (keep_all or body.buffered < SPOOL_MEMORY):
            message = await receive()
            if message["type"] == "http.disconnect":
                return False
            body.feed(message.get("body", b""), message.get("more_body", False))
            if body.error is not None:
                raise body.error
        return True

    async def _answer_unfinished(
        self, exchange: Exchange, failure: BaseException | None, scope: Scope, send: Send
    ) -> None:
        """The worker has ended, or was given up, before the response was complete, or with an error after it.

        `failure` is what the application raised; the exchange's `aborted` is what was done to it.
        """
        reason = exchange.aborted
        begun = exchange.status is not None
        if isinstance(reason, ClientDisconnected) and not isinstance(reason, DrainingError):
            exchange.outcome = "disconnected"
            if failure is not None:
                # The application noticed, in its own words (Django: UnreadablePostError); there is nobody to tell.
                logger.debug("%s: ended by the client's leaving: %r", exchange.label, failure)
        elif isinstance(reason, RequestTimeoutError):
            exchange.outcome = "timed out"
            if begun:
                raise reason
            exchange.status = 504
            await self._send_answer(scope, send, 504, str(reason), [])
        elif isinstance(reason, QueueTimeoutError):
            self._log_episode(scope, "queue_timeout", str(reason))
            await self._refuse(scope, send, 503, str(reason), "queue_timeout", waited=time.monotonic() - exchange.born)
        elif isinstance(reason, DrainingError):
            exchange.outcome = "interrupted"
            if begun:
                raise reason
            exchange.status = 503
            self._log_refusal(scope, 503, str(reason))
            await self._send_answer(scope, send, 503, str(reason), [_RETRY])
        elif isinstance(failure, RequestTooLargeError) and not begun:
            await self._refuse_request(scope, send, failure)
        elif failure is not None:
            exchange.outcome = "truncated" if begun else "error"
            if begun:
                logger.error("%s: the response was cut off: %s", exchange.label, failure)
            raise failure
        elif reason is not None:
            exchange.outcome = "error"
            raise reason

    def _note_stripped(self, names: list[str]) -> None:
        for name in names:
            logger.warning(
                "%s set the hop-by-hop header %r, which belongs to the server (PEP 3333); it was removed",
                self._app_name,
                name,
            )

    # ------------------------------------------------------------------ the adapter's own answers

    def _log_refusal(self, scope: Scope, status: int, text: str) -> None:
        logger.warning(
            "%s %s: %d: %s; %s", scope["method"], printable(scope["path"]), status, text, self.in_flight.describe()
        )

    def _log_episode(self, scope: Scope, reason: Rejection, text: str) -> None:
        """One line for an episode: a log that grows with the load makes the load worse."""
        now = time.monotonic()
        if now - self._refused.get(reason, -math.inf) >= EPISODE_SECONDS:
            self._log_refusal(scope, 503, text)
        self._refused[reason] = now

    async def _refuse_request(self, scope: Scope, send: Send, error: BadRequestError) -> None:
        self._log_refusal(scope, error.status_hint, str(error))
        reason: Rejection = "too large" if isinstance(error, RequestTooLargeError) else "bad request"
        await self._refuse(scope, send, error.status_hint, str(error), reason)

    async def _refuse(
        self, scope: Scope, send: Send, status: int, text: str, reason: Rejection, *, waited: float = 0.0
    ) -> None:
        """Answer a request without the application."""
        headers: list[tuple[bytes, bytes]] = []
        if status == 503:
            headers.append(_RETRY)
        elif scope.get("http_version", "1.1").startswith("1"):
            # What is left of the request can't be told from the next one (RFC 9112, 9.3; RFC 9110, 15.5.14).
            headers.append((b"connection", b"close"))
        if self.receivers:
            self.report(RequestRejected(scope=scope, status=status, reason=reason, queue_seconds=waited))
        await self._send_answer(scope, send, status, text, headers)

    async def _send_answer(
        self, scope: Scope, send: Send, status: int, text: str, extra: list[tuple[bytes, bytes]]
    ) -> None:
        from http import HTTPStatus  # not at the top: an adapter that answers nothing itself never needs it

        content = f"{status} {HTTPStatus(status).phrase}: {text}\n".encode()
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(content)),
            *extra,
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})

    # ------------------------------------------------------------------------------- what is told

    def _time_out(self, exchange: Exchange) -> None:
        """See request_timeout: a thread can't be killed, so show where it is, and go on without it."""
        if exchange.given_up:
            return
        thread = exchange.thread
        if thread is None:  # it ended this moment
            return
        frame = sys._current_frames().get(thread.ident or 0)  # pyright: ignore[reportPrivateUsage] - documented
        stack = "".join(traceback.format_stack(frame)) if frame is not None else ""
        del frame
        abandoned = self._pool.abandon(exchange)
        logger.error(
            "%s: no answer within request_timeout (%g s); thread %s is given up (%d now), it is at:\n%s",
            exchange.label,
            self._settings.request_timeout,
            thread.name,
            abandoned,
            stack,
        )
        if self.receivers:
            self.report(
                RequestTimedOut(scope=exchange.scope, thread=thread.name, stack=stack, abandoned=abandoned),
            )
        exchange.give_up(RequestTimeoutError(f"no answer within {self._settings.request_timeout:g} s"))

    def _report_end(self, exchange: Exchange) -> None:
        if not self.receivers or isinstance(exchange.aborted, QueueTimeoutError):
            return  # the latter has been reported as rejected
        started = exchange.started
        end = exchange.finished if started is not None else time.monotonic()
        body = exchange.body
        self.report(
            RequestEnded(
                scope=exchange.scope,
                status=exchange.status,
                outcome=exchange.outcome,
                queue_seconds=(end if started is None else started) - exchange.born,
                app_seconds=0.0 if started is None else end - started,
                bytes_in=exchange.bytes_in if body is None else body.received,
                bytes_out=exchange.bytes_out,
            )
        )

    def _report_abandoned_upload(self, scope: Scope, received: int) -> None:
        """The client has left before the application could be asked."""
        if self.receivers:
            self.report(
                RequestEnded(
                    scope=scope,
                    status=None,
                    outcome="disconnected",
                    queue_seconds=0.0,
                    app_seconds=0.0,
                    bytes_in=received,
                    bytes_out=0,
                )
            )

    def report(self, event: Event) -> None:
        """Tell the receivers of an event."""
        for receiver in self.receivers:
            try:
                receiver(event)
            except Exception:
                logger.exception("on_event failed for %s", type(event).__name__)


def _expects_continue(scope: Scope) -> bool:
    return any(name == b"expect" and value.lower() == b"100-continue" for name, value in scope["headers"])
