"""What the benchmarks serve: each load as a WSGI application, and as the ASGI application that is its ceiling."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from asgiway.environ import EnvironBuilder
from asgiway.response import Response, Start

MEBIBYTE = 1024 * 1024
BLOCK = 64 * 1024
FILE_SIZE = 50 * MEBIBYTE


def hello(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "13")])
    return [b"Hello, world!"]


def chunks(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    for _ in range(1000):
        yield b"x" * 100


def flask() -> Any:
    from flask import Flask, jsonify

    app = Flask(__name__)

    @app.get("/flask")
    def index() -> Any:
        return jsonify(items=[{"id": number, "name": f"item {number}"} for number in range(10)])

    return app


def echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def stream(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    """10 MiB in 64 KiB chunks."""
    start_response("200 OK", [("Content-Length", str(10 * MEBIBYTE))])
    block = b"x" * BLOCK
    for _ in range(10 * MEBIBYTE // BLOCK):
        yield block


def slow_stream(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    """50 MiB in 64 KiB chunks, for readers that take their time."""
    start_response("200 OK", [("Content-Length", str(FILE_SIZE))])
    for _ in range(FILE_SIZE // BLOCK):
        yield bytes(BLOCK)


def upload(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Reads the body in 64 KiB pieces and forgets them."""
    stream = environ["wsgi.input"]
    total = 0
    while piece := stream.read(BLOCK):
        total += len(piece)
    body = b"%d" % total
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def sleep100(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    time.sleep(0.1)
    return hello(environ, start_response)


def big_file() -> Path:
    """A file of FILE_SIZE that is made once for all processes of a run."""
    path = Path(tempfile.gettempdir()) / f"asgiway-benchmark-{os.getuid()}.bin"
    if not path.exists() or path.stat().st_size != FILE_SIZE:
        path.write_bytes(os.urandom(MEBIBYTE) * (FILE_SIZE // MEBIBYTE))
    return path


def file(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", str(FILE_SIZE))])
    opened = big_file().open("rb")
    wrapper = environ.get("wsgi.file_wrapper")
    return wrapper(opened, BLOCK) if wrapper is not None else iter(lambda: opened.read(BLOCK), b"")


LOADS: dict[str, Callable[..., Iterable[bytes]]] = {
    "hello": hello,
    "chunks": chunks,
    "echo": echo,
    "stream": stream,
    "slow_stream": slow_stream,
    "upload": upload,
    "sleep100": sleep100,
    "file": file,
}


def application(name: str) -> Any:
    """The WSGI application of a load."""
    return flask() if name == "flask" else LOADS[name]


class Inline:
    """The floor: the same rules of PEP 3333, but the application called on the loop itself, which no adapter may do."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.environs = EnvironBuilder({})

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        import io

        if scope["type"] != "http":
            return
        environ, _ = self.environs.build(scope)
        pieces: list[bytes] = []
        if "CONTENT_LENGTH" in environ:
            more = True
            while more:
                message = await receive()
                pieces.append(message.get("body", b""))
                more = message.get("more_body", False)
        environ["wsgi.input"] = io.BytesIO(b"".join(pieces))
        response = InlineResponse(scope["method"] == "HEAD")
        iterable = self.app(environ, response.start_response)
        try:
            # Piece by piece, so that each of 1000 chunks is sent as any other adapter on a loop would do it.
            for _ in response.pieces(iterable):
                for message in response.messages:
                    await send(message)
                response.messages.clear()
        finally:
            close = getattr(iterable, "close", None)
            if close is not None:
                close()


class InlineResponse(Response):
    """Collects what is to be sent."""

    __slots__ = ("messages",)

    def __init__(self, head: bool) -> None:
        super().__init__(head)
        self.messages: list[dict[str, Any]] = []

    def emit(self, start: Start | None, data: bytes, final: bool) -> None:
        if start is not None:
            self.messages.append({"type": "http.response.start", "status": start[0], "headers": start[1]})
        self.messages.append({"type": "http.response.body", "body": data, "more_body": not final})

    def pieces(self, iterable: Iterable[bytes]) -> Iterator[None]:
        """Once for each step of the response."""
        if type(iterable) is list:
            self.consume_whole(iterable)
        else:
            for chunk in iterable:
                self.write(chunk)
                yield
            self.finish()
        yield


async def pure(scope: Any, receive: Any, send: Any) -> None:
    """The ceiling: no WSGI at all. The path's last part names the load."""
    if scope["type"] != "http":
        return
    load = scope["path"].rpartition("/")[2]
    if load in ("stream", "slow_stream", "file"):
        size = 10 * MEBIBYTE if load == "stream" else FILE_SIZE
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(size).encode())]})
        if load == "file":
            with big_file().open("rb") as opened:
                while block := opened.read(BLOCK):
                    await send({"type": "http.response.body", "body": block, "more_body": True})
        else:
            block = b"x" * BLOCK
            for _ in range(size // BLOCK):
                await send({"type": "http.response.body", "body": block, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return
    body = b"Hello, world!"
    if load in ("echo", "upload"):
        pieces: list[bytes] = []
        total, more = 0, True
        while more:
            message = await receive()
            piece = message.get("body", b"")
            total += len(piece)
            if load == "echo":
                pieces.append(piece)
            more = message.get("more_body", False)
        body = b"".join(pieces) if load == "echo" else b"%d" % total
    elif load == "sleep100":
        import asyncio

        await asyncio.sleep(0.1)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


async def file_response(scope: Any, receive: Any, send: Any) -> None:
    """The big file by Starlette's own means."""
    from starlette.responses import FileResponse

    if scope["type"] == "http":
        await FileResponse(big_file())(scope, receive, send)
