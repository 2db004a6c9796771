"""A plain HTTP/1.1 client for the benchmarks: keep-alive connections that ask one path all the time."""

from __future__ import annotations

import asyncio
import time

READ = 256 * 1024


class Connection:
    """One connection; reads each answer to its end.

    Parameters:
        port: of the server on 127.0.0.1.
        path: what is asked.
        body: sent with each request, b"" for GET.
    """

    def __init__(self, port: int, path: str = "/", body: bytes = b"") -> None:
        self._port = port
        head = f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\nHost: x\r\n"
        if body:
            head += f"Content-Length: {len(body)}\r\n"
        self._request = head.encode() + b"\r\n"
        self._body = body
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(self) -> None:
        """Connect ahead of the first request."""
        self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=READ)

    async def ask(self) -> int:
        """One request; how many bytes of body came back. Raises AssertionError for a status other than 200."""
        if self._streams is None:
            await self.open()
        assert self._streams is not None
        reader, writer = self._streams
        writer.write(self._request)
        if self._body:
            writer.write(self._body)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith((b"http/1.1 200", b"http/1.0 200")), head
        size = 0
        if b"content-length:" in head:
            left = size = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            while left:
                piece = await reader.read(min(left, READ))
                assert piece, "the answer was cut off"
                left -= len(piece)
        else:
            while (length := int(await reader.readuntil(b"\r\n"), 16)) > 0:
                await reader.readexactly(length + 2)
                size += length
            await reader.readexactly(2)
        if b"connection: close" in head:
            self.close()
        return size

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _until(connection: Connection, until: float, pause: float) -> int:
    done = 0
    due = time.monotonic()
    try:
        while time.monotonic() < until:
            if pause:
                await asyncio.sleep(due - time.monotonic())
                due = max(due, time.monotonic() - pause) + pause
            await connection.ask()
            done += 1
    finally:
        connection.close()
    return done


async def ask_for(
    port: int, connections: int, seconds: float, path: str = "/", body: bytes = b"", rate: float | None = None
) -> int:
    """Ask on that many connections for that long; how many requests were answered.

    With a `rate` no more than that many a second are asked for, over all connections.
    """
    until = time.monotonic() + seconds
    pause = 0 if rate is None else connections / rate
    return sum(await asyncio.gather(*(_until(Connection(port, path, body), until, pause) for _ in range(connections))))


async def burst(port: int, connections: int, path: str = "/") -> float:
    """Seconds until one request on each of that many open connections is answered."""
    opened = [Connection(port, path) for _ in range(connections)]
    try:
        for connection in opened:
            await connection.open()
        began = time.perf_counter()
        await asyncio.gather(*(connection.ask() for connection in opened))
        return time.perf_counter() - began
    finally:
        for connection in opened:
            connection.close()
