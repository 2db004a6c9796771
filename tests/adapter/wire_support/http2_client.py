"""An HTTP/2 client over plain TCP (prior knowledge, RFC 9113, 3.3) that shows each stream as it is, resets and interim answers included.

h2 keeps the protocol's state; windows are only enlarged by what a test reads, so that a test can be a slow client.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import h2.config
import h2.connection
import h2.errors
import h2.events

from tests.adapter.wire_support.journal import PATIENCE
from tests.adapter.wire_support.raw_client import Reply

__all__ = ["Http2Connection", "Stream"]


@dataclass(slots=True)
class Stream(Reply):
    """A response as it came; see Reply.

    Parameters:
        number: of the stream.
        hints: the headers of each interim answer.
        reset: the error code with which the server has reset it, None if it has not.
        flow: bytes of body that count for the windows, and are not given back yet.
    """

    number: int = 0
    hints: list[list[tuple[str, str]]] = field(default_factory=list)
    reset: int | None = None
    flow: int = 0

    @property
    def over(self) -> bool:
        """Whether nothing will follow."""
        return self.complete or self.reset is not None


def _fields(event: Any) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers]


class Http2Connection:
    """One connection with any number of streams.

    Parameters:
        address: host and port.
        reading: give back to the server what its data takes from the windows; False makes a client that does not read.
    """

    def __init__(self, address: tuple[str, int], *, reading: bool = True) -> None:
        self.socket = socket.create_connection(address, PATIENCE)
        self._reading = reading
        self._streams: dict[int, Stream] = {}
        self._lost = False
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding=None))
        self._h2.initiate_connection()
        self._flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.socket.close()

    def _flush(self) -> None:
        self.socket.sendall(self._h2.data_to_send())

    def send(
        self,
        method: str = "GET",
        target: str = "/",
        headers: Iterable[tuple[str | bytes, str | bytes]] = (),
        body: bytes = b"",
        *,
        host: str = "wire.test",
        open_end: bool = False,
    ) -> Stream:
        """Begin a request; `open_end`: more of its body follows."""
        number = self._h2.get_next_available_stream_id()
        pseudo = [(":method", method), (":scheme", "http"), (":authority", host), (":path", target)]
        fields = [(str(name).lower(), value) for name, value in headers]
        self._h2.send_headers(number, [*pseudo, *fields], end_stream=not body and not open_end)
        stream = self._streams[number] = Stream(number=number)
        if body:
            self.send_body(stream, body, open_end=open_end)
        self._flush()
        return stream

    def send_body(self, stream: Stream, data: bytes, *, open_end: bool = False) -> None:
        """Send more of its body, as the windows allow it."""
        while data:
            size = min(len(data), self._h2.local_flow_control_window(stream.number), self._h2.max_outbound_frame_size)
            if size:
                piece, data = data[:size], data[size:]
                # With the last piece, as browsers do: hypercorn drops the connection for an end that comes after its answer.
                self._h2.send_data(stream.number, piece, end_stream=not data and not open_end)
                self._flush()
            else:
                self._step()

    def send_trailers(self, stream: Stream, headers: Iterable[tuple[str, str]]) -> None:
        """End its body with header fields."""
        self._h2.send_headers(stream.number, list(headers), end_stream=True)
        self._flush()

    def reset(self, stream: Stream) -> None:
        """Take the request back, as a browser does whose user has gone on."""
        self._h2.reset_stream(stream.number, h2.errors.ErrorCodes.CANCEL)
        self._flush()

    def _step(self) -> None:
        """Take in what comes next."""
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self._lost = True
            return
        for event in self._h2.receive_data(data):
            self._take(event)
        if self._reading:
            for stream in self._streams.values():
                self._give_back(stream)
        self._flush()

    def _give_back(self, stream: Stream) -> None:
        if stream.flow:
            self._h2.acknowledge_received_data(stream.flow, stream.number)
            stream.flow = 0

    def _take(self, event: h2.events.Event) -> None:
        stream = self._streams.get(getattr(event, "stream_id", None) or 0)
        if isinstance(event, h2.events.ConnectionTerminated):
            self._lost = True
        if stream is None:
            return
        if isinstance(event, h2.events.InformationalResponseReceived):
            fields = _fields(event)
            stream.interim.append(int(dict(fields)[":status"]))
            stream.hints.append([field for field in fields if field[0] != ":status"])
        elif isinstance(event, h2.events.ResponseReceived):
            fields = _fields(event)
            stream.status = int(dict(fields)[":status"])
            stream.headers = [field for field in fields if field[0] != ":status"]
        elif isinstance(event, h2.events.DataReceived):
            stream.content += event.data or b""
            stream.flow += event.flow_controlled_length or 0
        elif isinstance(event, h2.events.StreamEnded):
            stream.complete = True
        elif isinstance(event, h2.events.StreamReset):
            stream.reset = int(event.error_code or 0)

    def wait(self, condition: Callable[[], bool]) -> bool:
        """Take in what comes until that is so; False if the connection ends before. Raises TimeoutError."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if self._lost:
                return False
            if time.monotonic() > deadline:
                raise TimeoutError("the server keeps sending, but not what was waited for")
            self._step()
        return True

    def body_until(self, stream: Stream, size: int) -> bytes:
        """Wait for at least that many bytes of its body; fewer when it ends."""
        self.wait(lambda: len(stream.content) >= size or stream.over)
        return stream.body

    def finish(self, stream: Stream) -> Stream:
        """Wait for the end of its response, clean or not."""
        self.wait(lambda: stream.over)
        return stream

    def ask(
        self,
        method: str = "GET",
        target: str = "/",
        headers: Iterable[tuple[str | bytes, str | bytes]] = (),
        body: bytes = b"",
        *,
        host: str = "wire.test",
    ) -> Stream:
        """Send a request and wait for its response."""
        return self.finish(self.send(method, target, headers, body, host=host))
