"""start_response, write() and the returned iterable, as one state machine: no thread, no event loop, no I/O.

PEP 3333's rules for the response side live here and nowhere else:

* ``start_response`` may be called again only with ``exc_info``, and then only until headers are sent (IDLE -> STARTED -> SENT);
* headers leave with the first non-empty piece of the body, or with its end, never before;
* the body is cut at Content-Length, a body that falls short is an error, and some statuses and methods have none.

A subclass receives the outcome through ``emit``; what it does with it (queue it, send it) is not this module's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, TypeAlias, cast

from asgiway.errors import AppProtocolError, AppTypeError, AppValueError, ResponseTruncatedError

__all__ = ["ExcInfo", "Response", "Start", "encode_header", "parse_status"]

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

_NO_CONTENT = frozenset({204, 304})
_TABLE_SIZE = 1024  # bound of the two tables below: applications may put anything into a status or a header name
_statuses: dict[str, int] = {}
_names: dict[str, bytes] = {}
_fields: dict[tuple[str, str], tuple[tuple[bytes, bytes], int | None]] = {}
"""Header as given by an application -> as ASGI wants it, and the number in a Content-Length, -1 if it is to be removed."""
# These only are remembered: others hold secrets (Set-Cookie) or are new each time (Date, ETag).
_REPEATING = frozenset(
    {b"cache-control", b"content-length", b"content-type", b"vary", b"allow", b"server", b"x-frame-options"}
)

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")  # RFC 9110, 5.6.2
# RFC 9110, 5.5. The first three would end the field or be rewritten by proxies; with others uvicorn cuts the connection.
_FORBIDDEN_IN_STATUS = re.compile("[\r\n\0]")
_FORBIDDEN_IN_VALUE = re.compile("[\0-\x08\n-\x1f\x7f]")

# PEP 3333 "Other HTTP Features" and RFC 9110 7.6.1: they belong to the connection, which is the server's.
_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"trailers",
        b"transfer-encoding",
        b"upgrade",
    }
)


Start: TypeAlias = tuple[int, list[tuple[bytes, bytes]]]
"""What precedes the body: the status code and the headers as ASGI wants them (names lower case, all bytes)."""


def parse_status(status: str) -> int:
    """The code of a status line such as "404 Not Found"; the reason may be missing, ASGI does not carry it.

    Raises:
        AppTypeError: `status` is not a str (PEP 3333, "The start_response() Callable").
        AppValueError: it does not begin with three digits, or contains control characters.
    """
    try:
        return _statuses[status]
    except (KeyError, TypeError):
        pass
    if not isinstance(status, str):  # pyright: ignore[reportUnnecessaryIsInstance] - applications are not type checked
        raise AppTypeError(f"start_response() needs the status as a str such as '200 OK', got {status!r}")
    code = status[:3]
    if not (len(code) == 3 and code.isascii() and code.isdigit() and code >= "100" and status[3:4] in ("", " ")):
        raise AppValueError(f"start_response() got a status that does not begin with a three-digit code: {status!r}")
    if _FORBIDDEN_IN_STATUS.search(status):
        raise AppValueError(f"start_response() got a status with a line break or NUL in it: {status!r}")
    if len(_statuses) < _TABLE_SIZE:
        _statuses[status] = int(code)
    return int(code)


def _encode_name(name: str) -> bytes:
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise AppTypeError(f"response header names must be str, got {name!r}")
    if not _TOKEN.match(name):
        raise AppValueError(f"not a valid response header name: {name!r}")
    encoded = name.lower().encode("ascii")
    if len(_names) < _TABLE_SIZE:
        _names[name] = encoded
    return encoded


def encode_header(name: str, value: str) -> tuple[bytes, bytes]:
    """One response header as ASGI wants it.

    Raises:
        AppTypeError: name or value is not a str.
        AppValueError: the name is no token, the value has a control character, or does not fit latin-1.
    """
    try:
        encoded_name = _names[name]
    except (KeyError, TypeError):
        encoded_name = _encode_name(name)
    if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise AppTypeError(f"the value of response header {name!r} must be a str, got {value!r}")
    if not (value.isascii() and value.isprintable()) and _FORBIDDEN_IN_VALUE.search(value):
        raise AppValueError(
            f"the value of response header {name!r} contains a line break or NUL, or another control character: {value!r}"
        )
    try:
        # RFC 9110, 5.5: blanks around a value are no part of it, and h11 refuses to send them.
        return encoded_name, value.encode("latin-1").strip(b" \t")
    except UnicodeEncodeError:
        raise AppValueError(
            f"the value of response header {name!r} does not fit latin-1, encode it first (RFC 8187): {value!r}"
        ) from None


def _learn(item: object) -> tuple[tuple[bytes, bytes], int | None]:
    """What ``_fields`` holds for a header of an application, and put it there if it is likely to come again.

    Raises:
        AppTypeError, AppValueError: the header can't be sent.
    """
    try:
        name, value = cast("tuple[str, str]", item)
    except (TypeError, ValueError):
        raise AppTypeError(f"response headers must be (name, value) pairs, got {item!r}") from None
    field = encode_header(name, value)
    encoded_name, encoded = field
    length = None
    if encoded_name == b"content-length":
        if not encoded.isdigit():
            raise AppValueError(f"Content-Length must be a decimal number, got {value!r}")
        length = int(encoded)
    elif encoded_name in _HOP_BY_HOP:
        length = -1
    known = field, length
    if encoded_name in _REPEATING and len(_fields) < _TABLE_SIZE:
        _fields[name, value] = known
    return known


class Response:
    """The response of one request.

    Parameters:
        head: the request's method is HEAD: headers as for GET, but no body (RFC 9110, 9.3.2).
        app_name: names the application in errors.
    """

    __slots__ = (
        "_app_name",
        "_headers",
        "_iterating",
        "_remaining",
        "_status",
        "complete",
        "head",
        "sent",
        "stripped",
        "surplus",
    )

    def __init__(self, head: bool, app_name: str = "the WSGI application") -> None:
        self.head: bool = head
        self._app_name = app_name
        self._status = 0  # 0: start_response has not been called
        self._headers: list[tuple[bytes, bytes]]  # by start_response
        self._remaining: int | None = None  # bytes until Content-Length is reached, None: not declared
        self._iterating = False
        self.sent: bool = False
        """Headers are on their way; they can't be replaced any more."""
        self.complete: bool = False
        """The last piece of the body has been emitted."""
        self.surplus: bool = False
        """The application produced a body beyond what may be sent; there is no point in asking for more."""
        self.stripped: list[str] | None = None
        """Names of hop-by-hop headers that were removed."""

    def emit(self, start: Start | None, data: bytes, final: bool) -> None:
        """Receives what is to be sent: the headers (with the first call), a piece of the body, and whether it is the last."""
        raise NotImplementedError

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], None]:
        """PEP 3333, "The start_response() Callable".

        Raises:
            AppProtocolError: called a second time without `exc_info`.
            AppTypeError, AppValueError: a status or header that can't be sent.
            the exception of `exc_info`: headers have been sent already, so the error can't be shown any more.
        """
        if exc_info:
            try:
                if self.sent:
                    error = exc_info[1]
                    raise error if error is not None else AppProtocolError("start_response() got an empty exc_info")
            finally:
                exc_info = None  # the traceback holds this frame: don't leave a cycle behind
        elif self._status:
            raise AppProtocolError(f"{self._app_name} called start_response() a second time without exc_info")
        code = _statuses.get(status) if type(status) is str else None
        if code is None:
            code = parse_status(status)
        encoded: list[tuple[bytes, bytes]] = []
        remaining: int | None = None
        stripped: list[str] | None = None
        for item in headers:
            known = _fields.get(item) if type(item) is tuple else None
            if known is None:
                known = _learn(item)
            field, length = known
            if length is not None:
                if length < 0:
                    stripped = [*(stripped or ()), item[0]]
                    continue
                if remaining is not None:
                    if remaining != length:
                        raise AppValueError("start_response() got two different Content-Length headers")
                    continue
                remaining = length
            encoded.append(field)
        # Nothing of the call counts unless all of it was valid.
        self._status, self._headers, self._remaining = code, encoded, remaining
        if stripped is not None or self.stripped is not None:
            self.stripped = stripped
        return self.write

    def write(self, data: bytes) -> None:
        """The write() callable of PEP 3333; what is written precedes the returned iterable.

        Raises:
            AppProtocolError: called after the application has returned (PEP 3333: not from within its iterable).
            AppTypeError: `data` is not bytes.
        """
        if self._iterating:
            raise AppProtocolError(f"{self._app_name} called write() after returning its iterable")
        self._feed(as_bytes(data, self._app_name))

    def _bodiless(self) -> bool:
        # RFC 9110: 9.3.2 (HEAD), 15.2 (1xx), 15.3.5 (204), 15.4.5 (304)
        return self.head or self._status in _NO_CONTENT or self._status < 200

    def _begin(self, known_length: int | None) -> Start:
        """Fix the headers. `known_length`: the size of the whole body where that is known."""
        status = self._status
        if not status:
            raise AppProtocolError(f"{self._app_name} returned a body without calling start_response()")
        self.sent = True
        headers = self._headers
        if status in _NO_CONTENT or status < 200:
            # RFC 9110, 8.6: a server must not send Content-Length with 204 and 1xx. With 304 it may, but uvicorn takes it
            # as a promise of that many bytes.
            headers = [field for field in headers if field[0] != b"content-length"]
            self._remaining = None
        elif self.head:
            self._remaining = None
        elif self._remaining is None and known_length is not None:
            headers.append((b"content-length", b"%d" % known_length))
            self._remaining = known_length
        return status, headers

    def _feed(self, data: bytes) -> None:
        """Pass on a piece of the body; an empty one does not trigger anything (PEP 3333, start_response)."""
        if not data:
            return
        if self.complete:
            self.surplus = True
            return
        start = None
        if not self.sent:
            start = self._begin(None)
            if self._bodiless():
                self.complete = self.surplus = True
                self.emit(start, b"", True)
                return
        if self._remaining is None:
            self.emit(start, data, False)
            return
        if len(data) > self._remaining:
            data = data[: self._remaining]
            self.surplus = True
        self._remaining -= len(data)
        self.complete = self._remaining == 0
        self.emit(start, data, self.complete)

    def begin_file(self, size: int) -> Start | None:
        """The headers for a body of `size` bytes that the server reads from a file by itself.

        None where that is not possible: headers are out, there is to be no body, or Content-Length is not `size`.
        """
        if self.sent or not self._status or self._bodiless() or self._remaining not in (None, size):
            return None
        self._iterating = self.complete = True
        start = self._begin(size)
        self._remaining = 0
        return start

    def consume(self, iterable: Iterable[Any], stop: Callable[[], bool]) -> None:
        """Send the iterable that the application returned, up to its end, to Content-Length, or until `stop()`.

        A list or tuple is known as a whole, so it leaves in one piece and with a Content-Length (PEP 3333, "Handling
        the Content-Length Header"). From any other iterable each piece is emitted before the next one is asked for.

        Raises:
            AppProtocolError, AppTypeError: the application's breach of PEP 3333.
            whatever the iterable raises.
        """
        kind: type[Any] = type(iterable)
        if kind is list or kind is tuple:
            self.consume_whole(cast("list[Any] | tuple[Any, ...]", iterable))
            return
        self._iterating = True
        if isinstance(iterable, (bytes, bytearray, str)):
            raise AppTypeError(f"{self._app_name} returned {kind.__name__}, not an iterable of bytes; return [body]")
        if iterable is None:  # pyright: ignore[reportUnnecessaryComparison]
            raise AppTypeError(f"{self._app_name} returned None instead of an iterable of bytes")
        app_name, feed = self._app_name, self._feed
        for chunk in iterable:
            feed(chunk if type(chunk) is bytes else as_bytes(chunk, app_name))
            if self.surplus or stop():
                return
        self.finish()

    def consume_whole(self, chunks: list[Any] | tuple[Any, ...]) -> None:
        """``consume`` for a list or tuple itself, not a subclass: those may do anything when iterated."""
        self._iterating = True
        if len(chunks) == 1 and type(chunks[0]) is bytes:
            body: bytes = chunks[0]
        else:
            name = self._app_name
            body = b"".join([chunk if type(chunk) is bytes else as_bytes(chunk, name) for chunk in chunks])
        if self.sent:  # by write()
            self._feed(body)
        elif self._status:
            declared = self._remaining
            size = len(body)
            start = self._begin(size)
            if self._bodiless():
                self.complete = True
                self.emit(start, b"", True)
                return
            if declared is None or declared == size:
                self._remaining = 0
                self.complete = True
                self.emit(start, body, True)
                return
            if declared < size:
                self._remaining, self.complete, self.surplus = 0, True, True
                self.emit(start, body[:declared], True)
                return
            self._remaining = declared - size
            self.emit(start, body, False)
        self.finish()

    def finish(self) -> None:
        """The application's body has ended.

        Raises:
            AppProtocolError: start_response() was never called.
            ResponseTruncatedError: the body is shorter than the Content-Length that was sent.
        """
        if self.complete:
            return
        if not self._status:
            raise AppProtocolError(f"{self._app_name} ended without calling start_response()")
        declared = self._remaining
        start = None if self.sent else self._begin(0)
        if self._remaining:
            if start is not None:
                self.emit(start, b"", False)
            raise ResponseTruncatedError(
                f"{self._app_name} declared Content-Length, but its body ended {declared} bytes too early"
            )
        self.complete = True
        self.emit(start, b"", True)


def as_bytes(chunk: Any, app_name: str) -> bytes:
    """A piece of a body as bytes; bytearray and memoryview are copied, since their owner may change them.

    Raises:
        AppTypeError: anything else (PEP 3333: bytestrings), naming the type.
    """
    if isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, bytearray):
        return bytes(chunk)
    if isinstance(chunk, memoryview):
        return cast("memoryview[int]", chunk).tobytes()
    hint = "; encode it first" if isinstance(chunk, str) else ""
    raise AppTypeError(f"{app_name} produced a piece of body that is {type(chunk).__name__}, not bytes{hint}")
