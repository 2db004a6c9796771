"""Request ids: what is taken, what is made, and every place where they appear; on asyncio, uvloop and trio."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiway import SettingsError, WSGIMiddleware, request_id
from asgiway.file_response import FileWrapper
from asgiway.request_id import RequestIdFilter, RequestIdMiddleware
from tests.adapter.support import WAIT, Connection, Message, call, http_scope

Environ = dict[str, Any]

MADE = re.compile(r"[0-9a-f]{32}")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01".encode()


class Seen:
    """An application that notes where it sees the id."""

    def __init__(self) -> None:
        self.ids: list[tuple[Any, Any, Any]] = []

    def __call__(self, environ: Environ, start_response: Any) -> Iterator[bytes]:
        self.note(environ)
        start_response("200 OK", [("X-Other", "1")])
        yield b"first"
        self.note(environ)
        yield b"second"

    def note(self, environ: Environ) -> None:
        self.ids.append((environ["asgiway.request_id"], environ["HTTP_X_REQUEST_ID"], request_id.current()))


async def ids(*headers: tuple[bytes, bytes], trust: bool = True) -> str:
    """The id that a request with these headers has, the same everywhere."""
    seen = Seen()
    app = RequestIdMiddleware(WSGIMiddleware(seen), trust=trust)
    connection = await call(app, headers=[(b"host", b"test"), *headers])
    (everywhere,) = {one for place in seen.ids for one in place} | {connection.headers[b"x-request-id"].decode()}
    assert len(seen.ids) == 2  # in the call and in the iteration
    assert request_id.current() is None
    return str(everywhere)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "given_id",
    [
        b"a",
        b"2c1f0e6e-7c3b-4b0e-9a53-2f6e0d2b8f11",
        b"Root=1-67891233-abcdef012345678912345678",
        b"dGhlIGlk+/==",
        b"x" * 128,
    ],
)
async def test_a_sound_id_is_taken(given_id: bytes) -> None:
    assert await ids((b"x-request-id", given_id)) == given_id.decode()
    assert await ids((b"X-Request-ID", given_id), (b"traceparent", PARENT)) == given_id.decode()


@pytest.mark.anyio
@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"x-request-id", b"")],
        [(b"x-request-id", b"x" * 129)],
        [(b"x-request-id", b"two words")],
        [(b"x-request-id", b"line\nbreak")],
        [(b"x-request-id", b'"quoted"')],
        [(b"x-request-id", b"\x1b[31m")],
        [(b"x-request-id", b"caf\xc3\xa9")],
        [(b"x-request-id", b"one"), (b"x-request-id", b"two")],
        [(b"traceparent", PARENT.upper())],
        [(b"traceparent", b"00-" + b"0" * 32 + b"-00f067aa0ba902b7-01")],
        [(b"traceparent", f"00-{TRACE}-{'0' * 16}-01".encode())],
        [(b"traceparent", PARENT.replace(b"00", b"ff", 1))],
        [(b"traceparent", PARENT + b"-more")],
        [(b"traceparent", PARENT[:-1])],
        [(b"traceparent", PARENT), (b"traceparent", PARENT)],
    ],
)
async def test_otherwise_one_is_made(headers: list[tuple[bytes, bytes]]) -> None:
    first = await ids(*headers)
    assert MADE.fullmatch(first)
    assert await ids(*headers) != first


@pytest.mark.anyio
async def test_the_trace_id_of_traceparent_is_taken() -> None:
    assert await ids((b"traceparent", PARENT)) == TRACE
    assert await ids((b"traceparent", PARENT), (b"x-request-id", b"not sound")) == TRACE
    assert await ids((b"traceparent", PARENT.replace(b"00", b"cc", 1) + b"-what-comes-later")) == TRACE


@pytest.mark.anyio
async def test_without_trust_nothing_is_taken() -> None:
    got = await ids((b"x-request-id", b"abc"), (b"traceparent", PARENT), trust=False)
    assert MADE.fullmatch(got)
    assert got != TRACE


@given(st.binary(max_size=200))
def test_whatever_is_sent_the_id_is_short_and_harmless(value: bytes) -> None:
    async def main() -> str:
        return await ids((b"x-request-id", value))

    assert re.fullmatch(r"[A-Za-z0-9._~:+/=@-]{1,128}", anyio.run(main))


@pytest.mark.anyio
async def test_another_header() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})
        fields.append(scope["headers"])

    fields: list[Any] = []
    connection = await call(
        RequestIdMiddleware(app, header="X-Correlation-Id"),
        headers=[(b"x-correlation-id", b"a"), (b"x-request-id", b"b")],
    )
    assert connection.headers == {b"x-correlation-id": b"a"}
    assert fields == [[(b"x-correlation-id", b"a"), (b"x-request-id", b"b")]]


@pytest.mark.parametrize("header", ["", "X Request", "X_Request_ID", "X-Request-ID\n", "Kennung-Ä"])
def test_a_header_that_cannot_be(header: str) -> None:
    with pytest.raises(SettingsError, match="such as 'X-Request-ID'"):
        RequestIdMiddleware(WSGIMiddleware(Seen()), header=header)


@pytest.mark.anyio
async def test_the_applications_own_header_stays_the_only_one() -> None:
    def app(environ: Environ, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("X-Request-Id", "mine")])
        return []

    connection = await call(RequestIdMiddleware(WSGIMiddleware(app)))
    assert [value for name, value in connection.sent[0]["headers"] if name == b"x-request-id"] == [b"mine"]


@pytest.mark.anyio
async def test_the_servers_scope_and_the_applications_messages_are_not_changed() -> None:
    start: Message = {"type": "http.response.start", "status": 200, "headers": ((b"a", b"b"),)}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start)
        await send({"type": "http.response.body"})

    scope = http_scope(headers=[(b"host", b"test")])
    connection = Connection()
    await RequestIdMiddleware(app)(scope, connection.receive, connection.send)
    assert scope == http_scope(headers=[(b"host", b"test")])
    assert start["headers"] == ((b"a", b"b"),)
    assert len(connection.sent[0]["headers"]) == 2


@pytest.mark.anyio
async def test_environ_entries_of_others_are_kept() -> None:
    environs: list[Environ] = []

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        environs.append(environ)
        start_response("200 OK", [])
        return []

    scope = http_scope() | {"asgiway.environ": {"other.key": 1}}
    connection = Connection()
    await RequestIdMiddleware(WSGIMiddleware(app))(scope, connection.receive, connection.send)
    assert environs[0]["other.key"] == 1
    assert MADE.fullmatch(environs[0]["asgiway.request_id"])


@pytest.mark.anyio
async def test_pieces_pass_as_they_are_produced() -> None:
    sent_at_second: list[int] = []
    connection = Connection()
    go_on = anyio.Event()

    class Chunks:
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
            sent_at_second.append(len(connection.sent))
            await go_on.wait()
            await send({"type": "http.response.body", "body": b"second"})

    with anyio.fail_after(WAIT):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(RequestIdMiddleware(Chunks()), http_scope(), connection.receive, connection.send)
            while len(connection.sent) < 2:
                await anyio.sleep(0.005)
            go_on.set()
    assert sent_at_second == [2]
    assert connection.body == b"firstsecond"


@pytest.mark.anyio
async def test_files_are_still_sent_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(300_000))

    def app(environ: Environ, start_response: Any) -> Any:
        start_response("200 OK", [])
        return FileWrapper((tmp_path / "file").open("rb"))

    connection = await call(RequestIdMiddleware(WSGIMiddleware(app)), extensions={"http.response.pathsend": {}})
    assert [message["type"] for message in connection.sent] == ["http.response.start", "http.response.pathsend"]
    assert connection.sent[1]["path"] == str(tmp_path / "file")
    assert b"x-request-id" in connection.headers


@pytest.mark.anyio
async def test_websockets_have_one_and_lifespan_passes() -> None:
    scopes: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        if scope["type"] == "websocket":
            assert request_id.current() == "ws"
            await send({"type": "websocket.accept"})

    connection = Connection()
    socket = {"type": "websocket", "path": "/", "headers": [(b"x-request-id", b"ws")]}
    await RequestIdMiddleware(app)(socket, connection.receive, connection.send)
    assert connection.sent == [{"type": "websocket.accept", "headers": [(b"x-request-id", b"ws")]}]
    lifespan = {"type": "lifespan"}
    await RequestIdMiddleware(app)(lifespan, connection.receive, connection.send)
    assert scopes[1] is lifespan


@pytest.mark.anyio
async def test_requests_at_the_same_time_keep_their_ids_apart() -> None:
    seen = Seen()
    app = RequestIdMiddleware(WSGIMiddleware(seen, workers=4))

    async def one(number: int) -> None:
        connection = await call(app, headers=[(b"x-request-id", b"%d" % number)])
        assert connection.headers[b"x-request-id"] == b"%d" % number

    async with anyio.create_task_group() as tasks:
        for number in range(40):
            tasks.start_soon(one, number)
    assert sorted(int(a) for a, b, c in seen.ids if a == b == c) == sorted([*range(40), *range(40)])


@pytest.mark.anyio
async def test_log_records_carry_it() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RequestIdFilter(missing="none"))
    handler.setFormatter(logging.Formatter("%(request_id)s %(message)s"))
    logger = logging.Logger("application")
    logger.addHandler(handler)

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        logger.info("in the view")
        start_response("200 OK", [])
        return []

    logger.info("before")
    logger.info("set already", extra={"request_id": "own"})
    await call(RequestIdMiddleware(WSGIMiddleware(app)), headers=[(b"x-request-id", b"id-1")])
    assert stream.getvalue().splitlines() == ["none before", "own set already", "id-1 in the view"]
