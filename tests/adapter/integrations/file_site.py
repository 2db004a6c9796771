"""Serves files in every way that SendFile has to do with; what it saw of them is told at /seen."""

from __future__ import annotations

import asyncio
import io
import json
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route

from asgiway import WSGIMiddleware
from asgiway.integrations.uvicorn import SendFile

FOLDER = Path(os.environ.get("FILE_SITE", "."))
seen: dict[str, int] = {"opened": 0, "closed": 0, "read": 0, "offered": 0, "failed": 0}


class Watched(io.FileIO):
    """A file that counts what is done with it."""

    def readinto(self, buffer: Any, /) -> int:
        seen["read"] += 1
        return super().readinto(buffer)

    def read(self, size: int | None = -1, /) -> bytes:
        seen["read"] += 1
        return super().read(-1 if size is None else size)

    def close(self) -> None:
        if not self.closed:
            seen["closed"] += 1
        super().close()


def legacy(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The file that the path names; from `offset` on, if there is one."""
    query = parse_qs(environ["QUERY_STRING"])
    path = FOLDER / environ["PATH_INFO"][1:]
    if not path.is_file():
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"hello"]
    offset = int(query.get("offset", ["0"])[0])
    size = path.stat().st_size
    headers = [("Content-Length", str(size - offset))]
    if offset:
        headers.append(("Content-Range", f"bytes {offset}-{size - 1}/{size}"))
    start_response("206 Partial Content" if offset else "200 OK", headers)
    seen["opened"] += 1
    file = Watched(str(path))
    file.seek(offset)
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](file)
    return wrapped


async def native(request: Request) -> Response:
    return FileResponse(FOLDER / request.path_params["name"])


async def tell(request: Request) -> Response:
    """How the process is, besides what it has seen."""
    state = {
        **seen,
        "descriptors": len(os.listdir("/proc/self/fd")),
        "tasks": len(asyncio.all_tasks()) - 1,
        "threads": sum(thread.name.startswith("asgiway-sendfile") for thread in threading.enumerate()),
        "resident": int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGESIZE"),
    }
    return Response(json.dumps(state))


async def plain(scope: Any, receive: Any, send: Any) -> None:
    """ASGI without anything between: `length` is announced, then the messages in `order` are sent."""
    query = {key: values[0] for key, values in parse_qs(scope["query_string"].decode("ascii")).items()}
    if "http.response.pathsend" in scope.get("extensions", {}):
        seen["offered"] += 1
    headers = [(b"content-length", query["length"].encode("ascii"))] if "length" in query else []
    messages = {
        "start": {"type": "http.response.start", "status": int(query.get("status", "200")), "headers": headers},
        "path": {"type": "http.response.pathsend", "path": query.get("path", "")},
        "body": {"type": "http.response.body", "body": b"x", "more_body": True},
        "end": {"type": "http.response.body", "body": b"", "more_body": False},
    }
    try:
        for name in query["order"].split(","):
            await send(messages[name])
    except BaseException:
        seen["failed"] += 1
        raise


adapter = WSGIMiddleware(legacy)
site = Starlette(routes=[Route("/seen", tell), Route("/native/{name}", native), Mount("/", adapter)])


async def choose(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http" and scope["path"] == "/plain":
        await plain(scope, receive, send)
    else:
        await site(scope, receive, send)


app = SendFile(choose)
