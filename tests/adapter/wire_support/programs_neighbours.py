"""Programs that use what is around them: the request's context, the event loop, other async code, the server itself."""

from __future__ import annotations

import asyncio
import pydoc_data.topics
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from io import FileIO
from wsgiref.types import StartResponse, WSGIEnvironment

import anyio.from_thread
import httpx
from asgiref.sync import async_to_sync

from tests.adapter.wire_support.journal import PATIENCE, journal
from tests.adapter.wire_support.programs import OK, TEXT, NotedBody, as_json, key_of, program

__all__ = ["LARGE_FILE", "VISITOR"]

VISITOR: ContextVar[str] = ContextVar("VISITOR", default="nobody")
"""Set by middleware around the adapter."""

LARGE_FILE: str = pydoc_data.topics.__file__
"""Some hundred KiB that every Python has."""


@program
def context_variable(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Tell what the variable is everywhere, and change it on the way."""
    key = key_of(environ)
    journal.note(key, "call", VISITOR.get())
    VISITOR.set("set by the application")
    start_response(OK, TEXT)

    def chunks() -> Iterator[bytes]:
        for _ in range(2):
            journal.note(key, "iteration", VISITOR.get())
            yield b"x"

    return NotedBody(key, chunks(), lambda: journal.note(key, "close", VISITOR.get()))


@program
def calls_the_loop(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Run something on the loop that serves this request; what it finds there."""

    async def on_the_loop() -> list[object]:
        await anyio.sleep(0.001)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return ["trio", None]
        return ["asyncio", loop.get_debug()]

    return as_json(start_response, anyio.from_thread.run(on_the_loop, token=environ["asgiway.loop_token"]))


@program
def calls_async_to_sync(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    async def elsewhere() -> bytes:
        await asyncio.sleep(0.001)
        return b"from a loop of its own"

    start_response(OK, TEXT)
    return [async_to_sync(elsewhere)()]


@program
def calls_itself(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Ask the same server for something, as services do that were split only on paper; its status."""
    address = f"http://{environ['SERVER_NAME']}:{environ['SERVER_PORT']}/"
    with httpx.Client(timeout=PATIENCE, trust_env=False) as client:
        reply = client.get(address, headers={"Host": environ["HTTP_HOST"]})
    start_response(OK, TEXT)
    return [str(reply.status_code).encode()]


class _WatchedFile(FileIO):
    """Tells of being read and closed."""

    def __init__(self, path: str, key: str) -> None:
        super().__init__(path)
        self._key = key

    def read(self, size: int | None = -1, /) -> bytes:
        journal.note(self._key, "read")
        return super().read(size)

    def close(self) -> None:
        if not self.closed:
            journal.note(self._key, "closed")
        super().close()


@program
def file_by_name(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """A file with a name: a server that offers http.response.pathsend can send it without the application."""
    start_response(OK, TEXT)
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](_WatchedFile(LARGE_FILE, key_of(environ)))
    return wrapped
