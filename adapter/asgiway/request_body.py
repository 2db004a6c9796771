"""wsgi.input: what the loop received, read by the application as an ordinary binary file.

``BodyBuffer`` is filled on the event loop and emptied by the worker; it knows neither. Waiting for more bytes is
delegated to a callable. ``BodyStream`` gives it the interface of a raw file, and ``io.BufferedReader`` on top of that
provides every read method of PEP 3333 "Input and Error Streams" in C.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from asgiway.errors import RequestTooLargeError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["READ_BUFFER", "BodyBuffer", "BodyStream", "open_body"]

READ_BUFFER = 64 * 1024
"""Bytes that the application's reads are batched into."""


class BodyBuffer:
    """The received and not yet read part of a request body.

    One thread may call ``feed``/``fail`` while others call ``take``. Counters are each written by one side only, and
    the deque's append and popleft are atomic, so no lock is needed.

    Parameters:
        limit: bytes of body allowed in all (`max_body_size`), None for no limit.
        declared: the request's Content-Length, None when unknown; what comes beyond it is cut off (PEP 3333: an
            application must not be able to read past it).
    """

    __slots__ = ("_chunks", "_declared", "_limit", "_received", "_taken", "complete", "error")

    def __init__(self, limit: int | None = None, declared: int | None = None) -> None:
        self._chunks: deque[bytes] = deque()
        self._limit = limit
        self._declared = declared
        self._received = 0
        self._taken = 0
        self.complete: bool = False
        self.error: Exception | None = None

    @property
    def received(self) -> int:
        """Bytes received so far."""
        return self._received

    @property
    def buffered(self) -> int:
        """Bytes received and not yet read by the application."""
        return self._received - self._taken

    def feed(self, data: bytes, more: bool) -> None:
        """Add what one http.request message brought; `more` is its ``more_body``."""
        if self._declared is not None and self._received + len(data) > self._declared:
            data = data[: self._declared - self._received]
        if data:
            self._received += len(data)
            if self._limit is not None and self._received > self._limit:
                self.fail(RequestTooLargeError(f"the request body is larger than max_body_size ({self._limit} bytes)"))
                return
            self._chunks.append(data)
        if not more or self._received == self._declared:
            self.complete = True

    def fail(self, error: Exception) -> None:
        """From now on reading raises `error`, once what was received is used up: a cut-off body is no end of file."""
        if not self.complete and self.error is None:
            self.error = error

    @property
    def readable(self) -> bool:
        """Whether ``take`` would return, or raise, without waiting."""
        return bool(self._chunks) or self.complete or self.error is not None

    def take(self, size: int) -> bytes:
        """At most `size` bytes; b"" when there are none at the moment, or for ever if ``complete``.

        Raises:
            ClientDisconnected, RequestTooLargeError: the body will never be complete.
        """
        try:
            chunk = self._chunks.popleft()
        except IndexError:
            # Order matters: `complete` is set after the last chunk was appended.
            if self.error is not None:
                raise self.error from None
            return b""
        if len(chunk) > size:
            self._chunks.appendleft(chunk[size:])
            chunk = chunk[:size]
        self._taken += len(chunk)
        return chunk

    def take_all(self) -> bytes:
        """All that is there, in one piece."""
        chunks = list(self._chunks)
        self._chunks.clear()
        self._taken = self._received
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)


class BodyStream(io.RawIOBase):
    """A raw binary file over a BodyBuffer.

    Parameters:
        buffer: where the body arrives.
        wait: called when nothing is there; returns when ``buffer.readable`` may have become true, or raises.
    """

    def __init__(self, buffer: BodyBuffer, wait: Callable[[], None]) -> None:
        super().__init__()
        self._buffer = buffer
        self._wait = wait

    def readable(self) -> bool:
        """io.RawIOBase: yes."""
        return True

    def _next(self, size: int) -> bytes:
        """The next bytes, waiting for them; b"" at the end of the body, and only there."""
        buffer = self._buffer
        while True:
            finished = buffer.complete  # read first: what arrived before the end must not be lost
            chunk = buffer.take(size)
            if chunk or finished:
                return chunk
            if not buffer.readable:
                self._wait()

    def readinto(self, target: WriteableBuffer, /) -> int:
        """io.RawIOBase: at least one byte unless the body is at its end; raises what BodyBuffer.take raises."""
        view = memoryview(target).cast("B")
        if not view:
            return 0
        chunk = self._next(len(view))
        view[: len(chunk)] = chunk
        return len(chunk)

    def readall(self) -> bytes:
        """io.RawIOBase: the rest of the body, without copying it through a fixed-size buffer."""
        chunks: list[bytes] = []
        while chunk := self._next(1 << 62):
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def open_body(buffer: BodyBuffer, wait: Callable[[], None]) -> io.BufferedReader:
    """wsgi.input for a streamed body; the parameters are those of BodyStream."""
    return io.BufferedReader(BodyStream(buffer, wait), READ_BUFFER)
