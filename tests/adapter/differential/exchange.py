"""One request as bytes, what came back for it, and the connection that carries it: the same for both servers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import h11

from tests.adapter.wire_support.raw_client import RawConnection

__all__ = ["Answer", "Request", "Server", "normalised"]

# Added by the servers, not by the application or the adapter.
SERVERS_OWN = {"date", "server", "via", "connection", "keep-alive", "transfer-encoding"}
# With uvicorn's page for 500, and no other; only with httptools does it have a Content-Length.
ERROR_PAGE_TYPE = ("content-type", "text/plain; charset=utf-8")


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP/1 request.

    Parameters:
        target: as it stands in the request line.
        headers: besides Host, X-Program, X-Plan and those that frame the body.
        program, plan: what the application is to do; see ``programs``.
        body: None for a request without one.
        pieces: sizes of the chunks that `body` is sent in; None sends it with a Content-Length.
    """

    method: str = "GET"
    target: bytes = b"/"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    program: str = "echo"
    plan: str = "{}"
    body: bytes | None = None
    pieces: tuple[int, ...] | None = None
    version: str = "1.1"

    def planned(self, **changes: Any) -> Request:
        """The same with another plan."""
        return replace(self, plan=json.dumps({**json.loads(self.plan), **changes}))

    def encoded(self) -> bytes:
        """What goes over the wire."""
        lines = [
            b"%s %s HTTP/%s" % (self.method.encode(), self.target, self.version.encode()),
            b"Host: differential.test",
        ]
        lines += [b"X-Program: " + self.program.encode(), b"X-Plan: " + self.plan.encode()]
        lines += [name + b": " + value for name, value in self.headers]
        if self.method == "HEAD":
            # All that comes is read up to the end of the connection: a body would be one too many.
            lines.append(b"Connection: close")
        body = self.body or b""
        if self.pieces is not None:
            lines.append(b"Transfer-Encoding: chunked")
            body = _chunked(body, self.pieces)
        elif self.body is not None:
            lines.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _chunked(body: bytes, sizes: Sequence[int]) -> bytes:
    pieces: list[bytes] = []
    for size in sizes:
        if body:
            piece, body = body[:size], body[size:]
            pieces.append(b"%x\r\n%s\r\n" % (len(piece), piece))
    if body:
        pieces.append(b"%X;last=yes\r\n%s\r\n" % (len(body), body))
    return b"".join(pieces) + b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``complete``: it ended as its framing says. Status 0: the connection was closed without an answer."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    complete: bool = True


class Connection(RawConnection):
    """A connection that knows what follows an answer."""

    def must_close(self) -> bool:
        """Whether no other request can follow."""
        return self._parser.their_state is not h11.DONE

    def rest(self) -> bytes:
        """What came after the answer, up to the end of the connection."""
        rest = [self._parser.trailing_data[0]]
        while rest[-1] or len(rest) == 1:
            try:
                rest.append(self.socket.recv(65536))
            except ConnectionResetError:
                break
        return b"".join(rest)


class Server:
    """One of the two servers; requests follow each other on one connection for as long as it allows."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self._port = port
        self._connection: Connection | None = None

    def ask(self, request: Request) -> Answer:
        """Send the request, on the connection at hand if there is one, and wait for the whole answer."""
        if self._connection is not None:
            answer = self._ask(self._connection, request)
            if answer.status:
                return answer
            # It was closed after the last answer, as a server may; on a fresh one there is no excuse.
        self._connection = Connection(("127.0.0.1", self._port))
        return self._ask(self._connection, request)

    def _ask(self, connection: Connection, request: Request) -> Answer:
        try:
            connection.expect_another(request.method)
            connection.send_bytes(request.encoded())
        except ConnectionError:
            pass  # an answer may have come nevertheless
        reply = connection.finish()
        body = reply.body
        if request.method == "HEAD" and reply.complete:
            body = connection.rest()
        if not reply.complete or request.method == "HEAD" or request.version == "1.0" or connection.must_close():
            self.hang_up()
        return Answer(reply.status, tuple(reply.headers), body, reply.complete)

    def hang_up(self) -> None:
        """Begin the next request on a fresh connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def normalised(answer: Answer, request: Request, *, own_length: bool) -> Answer:
    """The answer without what a server adds; `own_length`: the application itself has declared a Content-Length.

    Names are in lower case and sorted, values of one name keep their order. An HTTP/1.0 answer without a length always
    counts as complete: its client can't see a cut, unless the server sends it chunks, which HTTP/1.0 does not have.
    """
    headers = [(name.lower(), value) for name, value in answer.headers]
    of_server = answer.status == 500 and ERROR_PAGE_TYPE in headers
    dropped = SERVERS_OWN if own_length and not of_server else SERVERS_OWN | {"content-length"}
    kept = sorted((field for field in headers if field[0] not in dropped), key=lambda field: field[0])
    endless = request.version == "1.0" and "content-length" not in dict(headers) and answer.status > 0
    return replace(answer, headers=tuple(kept), complete=answer.complete or endless)
