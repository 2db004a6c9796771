"""Resident memory of a server under large bodies: an upload of 1 GB, 100 readers that take their time, a file of 50 MiB.

    python -m tests.benchmarks.adapter.memory [--ways asgiway a2wsgi ...]

Growth is the most above what the server used before, sampled every 20 ms, in MiB.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import time

from tests.benchmarks.adapter.applications import BLOCK, FILE_SIZE, MEBIBYTE
from tests.benchmarks.adapter.client import ask_for
from tests.benchmarks.adapter.servers import WAYS, PeakMemory, Server, running

UPLOAD = 1_000_000_000
READERS = 100


def upload(server: Server) -> float:
    """Growth while UPLOAD bytes are sent to a handler that reads them in pieces."""
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        with PeakMemory(server) as memory:
            connection.sendall(b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % UPLOAD)
            block, left = bytes(BLOCK), UPLOAD
            while left:
                left -= connection.send(block[: min(left, BLOCK)])
            answer = b""
            while not answer.endswith(str(UPLOAD).encode()):
                piece = connection.recv(4096)
                assert piece, answer
                answer += piece
        return memory.growth / MEBIBYTE


def slow_readers(server: Server, seconds: float = 5.0) -> float:
    """Growth for each of READERS clients that ask for 50 MiB and read 64 KiB of it a second.

    What the kernel's socket buffers hold is not the server's memory.
    """
    connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(READERS)]
    try:
        with PeakMemory(server) as memory:
            for connection in connections:
                connection.sendall(b"GET /slow_stream HTTP/1.1\r\nHost: x\r\n\r\n")
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                for connection in connections:
                    connection.setblocking(False)
                    try:
                        connection.recv(BLOCK)
                    except BlockingIOError:
                        continue
                time.sleep(1)
        return memory.growth / MEBIBYTE / READERS
    finally:
        for connection in connections:
            connection.close()


def file(server: Server) -> float:
    """Growth while two clients fetch a file of FILE_SIZE for three seconds."""
    assert FILE_SIZE == 50 * MEBIBYTE
    with PeakMemory(server) as memory:
        asyncio.run(ask_for(server.port, 2, 3.0, "/file"))
    return memory.growth / MEBIBYTE


CASES = {"upload": upload, "slow_stream": slow_readers, "file": file}


def measure(way: str, load: str) -> float:
    """MiB of growth: of the whole server, for slow readers for each of them."""
    with running(way, load) as server:
        # Once as a warm-up: threads and allocator arenas that stay are not what is measured.
        asyncio.run(ask_for(server.port, 4, 0.3, f"/{load}", b"x" if load == "upload" else b""))
        return CASES[load](server)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ways", nargs="+", default=[*WAYS, "pure asgi"])
    parser.add_argument("--load", nargs="+", default=list(CASES), choices=list(CASES))
    options = parser.parse_args()
    print(f"{'MiB of growth':16}" + "".join(f"{load:>14}" for load in options.load))
    for way in options.ways:
        figures = [measure(way, load) for load in options.load]
        print(f"{way:16}" + "".join(f"{figure:14.2f}" for figure in figures), flush=True)


if __name__ == "__main__":
    main()
