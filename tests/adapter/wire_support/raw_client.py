"""An HTTP/1 client that writes whatever bytes a test wants and shows exactly what comes back, interim answers and cuts included.

h11 parses the answers; nothing is repaired, followed or pooled.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import h11

from tests.adapter.wire_support.journal import PATIENCE

__all__ = ["Address", "Header", "RawConnection", "Reply"]

Header = tuple[str | bytes, str | bytes]
Address = tuple[str, int] | str
"""Host and port, or the path of a unix socket."""


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")


@dataclass(slots=True)
class Reply:
    """A response as it came over the wire.

    ``complete``: it ended as its framing says; False when the connection was cut before. ``status`` is 0 when nothing came
    at all. ``interim``: the 1xx answers before it.
    """

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    complete: bool = False
    interim: list[int] = field(default_factory=list)
    content: bytearray = field(default_factory=bytearray)

    @property
    def body(self) -> bytes:
        """What has arrived of the body."""
        return bytes(self.content)

    def all(self, name: str) -> list[str]:
        """The values of every field of that name, in order."""
        return [value for key, value in self.headers if key == name]

    def get(self, name: str) -> str | None:
        """The value of a field that must not repeat; None when it is missing."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} repeats: {values}"
        return values[0] if values else None


class RawConnection:
    """One TCP connection.

    Parameters:
        address: of the server.
        receive_buffer: size of the kernel's receive buffer in bytes, 0 for the usual one; a small one makes a slow client.
    """

    def __init__(self, address: Address, receive_buffer: int = 0) -> None:
        self.socket = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.socket.settimeout(PATIENCE)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise
        self._parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
        self.reply = Reply()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close as a well-behaved client does that has had enough."""
        self.socket.close()

    def reset(self) -> None:
        """Close with a reset instead of an end of stream, as a crashing client does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()

    def send(
        self,
        method: str = "GET",
        target: str | bytes = "/",
        headers: Iterable[Header] = (),
        body: bytes = b"",
        *,
        version: str = "1.1",
        host: str = "wire.test",
    ) -> None:
        """Write a request head and what there is of the body; framing headers are the caller's business."""
        lines = [_bytes(method) + b" " + _bytes(target) + b" HTTP/" + _bytes(version), b"Host: " + _bytes(host)]
        lines += [_bytes(name) + b": " + _bytes(value) for name, value in headers]
        self.expect_another(method)
        self.socket.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)

    def expect_another(self, method: str) -> None:
        """A request has been written by ``send_bytes``: read the response to that one from now on."""
        if self._parser.our_state is h11.DONE:
            self._parser.start_next_cycle()
        self.reply = Reply()
        # The parser only has to know the method: it decides whether the response has a body.
        self._parser.send(h11.Request(method=method, target="/", headers=[("Host", "wire.test")]))
        self._parser.send(h11.EndOfMessage())

    def send_bytes(self, data: bytes) -> None:
        """Write more of the body, as it is."""
        self.socket.sendall(data)

    def send_chunk(self, data: bytes) -> None:
        """Write one piece of a chunked body; an empty one ends it."""
        self.socket.sendall(b"%x\r\n%s\r\n" % (len(data), data))

    def silent_for(self, seconds: float) -> bool:
        """Whether nothing arrives during that time (an end of stream counts as something)."""
        return not select.select([self.socket], [], [], seconds)[0]

    def send_until_blocked(self, data: bytes, seconds: float) -> int:
        """Write until nothing was taken for so long; how many bytes were."""
        sent = 0
        self.socket.setblocking(False)
        try:
            while sent < len(data) and select.select([], [self.socket], [], seconds)[1]:
                sent += self.socket.send(data[sent : sent + 65536])
        finally:
            self.socket.settimeout(PATIENCE)
        return sent

    def _step(self) -> bool:
        """Take in the next event of the response; False when there will be none."""
        reply = self.reply
        while True:
            try:
                event = self._parser.next_event()
                if event is h11.NEED_DATA:
                    self._parser.receive_data(self.socket.recv(65536))
                    continue
            except (h11.RemoteProtocolError, ConnectionError):
                return False
            if isinstance(event, h11.InformationalResponse):
                reply.interim.append(event.status_code)
            elif isinstance(event, h11.Response):
                reply.status = event.status_code
                reply.headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers]
            elif isinstance(event, h11.Data):
                reply.content += event.data
            elif isinstance(event, h11.EndOfMessage):
                reply.complete = True
                return False
            else:  # ConnectionClosed, PAUSED
                return False
            return True

    def interim(self) -> int:
        """Wait for an interim answer; 0 if the final one, or an end, comes first."""
        before = len(self.reply.interim)
        self._step()
        return self.reply.interim[-1] if len(self.reply.interim) > before else 0

    def head(self) -> Reply:
        """Wait for status and headers."""
        while not self.reply.status and self._step():
            pass
        return self.reply

    def body_until(self, size: int) -> bytes:
        """Wait for at least that many bytes of body; fewer when the response ends."""
        while len(self.reply.content) < size and self._step():
            pass
        return self.reply.body

    def finish(self) -> Reply:
        """Wait for the whole response. Raises TimeoutError when it goes on for ever."""
        deadline = time.monotonic() + PATIENCE
        while self._step():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the response has no end; {len(self.reply.content)} bytes until now")
        return self.reply

    def closed_by_peer(self) -> bool:
        """Wait until the server ends the connection; False when it sends something instead."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def ask(
        self,
        method: str = "GET",
        target: str | bytes = "/",
        headers: Sequence[Header] = (),
        body: bytes = b"",
        *,
        version: str = "1.1",
        host: str = "wire.test",
    ) -> Reply:
        """Send a request and wait for its response."""
        self.send(method, target, headers, body, version=version, host=host)
        return self.finish()
