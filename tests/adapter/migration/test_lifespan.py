"""Startup and shutdown of both sides as one, on asyncio, uvloop and trio."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette

from asgiway import MigrationRouter
from tests.adapter.migration.sites import ask, flask_site, native
from tests.adapter.support import WAIT

pytestmark = pytest.mark.anyio

Message = dict[str, Any]


class Server:
    """The server's side of a lifespan."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._stop = anyio.Event()
        self._asked = 0
        self.told: list[Message] = []
        self.state: dict[str, Any] = {}
        self.raised: BaseException | None = None

    async def _receive(self) -> Message:
        self._asked += 1
        if self._asked == 1:
            return {"type": "lifespan.startup"}
        await self._stop.wait()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: Message) -> None:
        self.told.append(message)

    async def _live(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": self.state}
        try:
            await self._app(scope, self._receive, self._send)
        except Exception as exc:
            self.raised = exc

    @property
    def types(self) -> list[str]:
        return [message["type"].removeprefix("lifespan.") for message in self.told]

    async def run(self, between: Callable[[], Awaitable[None]] | None = None) -> None:
        with anyio.fail_after(WAIT):
            async with anyio.create_task_group() as group:
                group.start_soon(self._live)
                while not self.told and self.raised is None:
                    await anyio.sleep(0.005)
                if between is not None:
                    await between()
                self._stop.set()


def router_around(app: Any) -> MigrationRouter:
    return MigrationRouter(flask_site(("/x", "x")), app, routes=[("GET", "/n")])


async def test_native_starts_first_and_ends_last() -> None:
    order: list[str] = []
    legacy = flask_site()

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncGenerator[dict[str, int]]:
        order.append("native up")
        yield {"answer": 42}
        order.append(f"native down, legacy threads: {legacy_threads()}")

    def view() -> str:
        order.append("legacy")
        return ""

    legacy.add_url_rule("/x", "x", view)
    site = MigrationRouter(legacy, Starlette(routes=[native("/n")], lifespan=lifespan))

    def legacy_threads() -> int:
        return site.legacy._pool.threads

    async def requests() -> None:
        assert (await ask(site, "GET", "/x")).status == 200
        assert legacy_threads() == 1

    server = Server(site)
    await server.run(requests)
    assert order == ["native up", "legacy", "native down, legacy threads: 0"]
    assert server.types == ["startup.complete", "shutdown.complete"]
    assert server.state == {"answer": 42}


async def test_shutdown_waits_for_legacy_requests() -> None:
    inside, leave = threading.Event(), threading.Event()
    legacy = flask_site()

    def slow() -> str:
        inside.set()
        assert leave.wait(WAIT)
        return "done"

    legacy.add_url_rule("/slow", "slow", slow)
    site = MigrationRouter(legacy, Starlette(routes=[native("/n")]))
    answers: list[str] = []

    async def request() -> None:
        answers.append((await ask(site, "GET", "/slow")).text)

    async with anyio.create_task_group() as group:

        async def between() -> None:
            group.start_soon(request)
            while not inside.is_set():
                await anyio.sleep(0.005)
            group.start_soon(release)

        async def release() -> None:
            while not site.legacy._bridge.draining:
                await anyio.sleep(0.005)
            leave.set()

        server = Server(site)
        await server.run(between)
        assert server.types == ["startup.complete", "shutdown.complete"]
    assert answers == ["done"]


async def test_a_failing_start_of_the_native_side_is_told() -> None:
    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncGenerator[None]:
        if app is not None:
            raise RuntimeError("no database")
        yield

    server = Server(MigrationRouter(flask_site(), Starlette(lifespan=lifespan)))
    await server.run()
    assert server.types == ["startup.failed"]
    assert "no database" in server.told[0]["message"]
    assert isinstance(server.raised, RuntimeError)


async def test_a_failing_end_of_the_native_side_is_told_after_legacy_has_drained() -> None:
    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncGenerator[None]:
        yield
        raise RuntimeError("cannot close")

    site = MigrationRouter(flask_site(), Starlette(lifespan=lifespan))
    server = Server(site)
    await server.run()
    assert server.types == ["startup.complete", "shutdown.failed"]
    assert site.legacy._bridge.draining


class TestNativeWithoutLifespan:
    async def check(self, app: Any) -> None:
        site = router_around(app)

        async def requests() -> None:
            assert (await ask(site, "GET", "/x")).text == "legacy x"

        server = Server(site)
        await server.run(requests)
        assert server.raised is None
        assert server.types == ["startup.complete", "shutdown.complete"]
        assert site.legacy._pool.threads == 0

    async def test_that_raises(self, caplog: pytest.LogCaptureFixture) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            assert scope["type"] == "http", "only http"

        with caplog.at_level("INFO", "asgiway"):
            await self.check(app)
        assert "only http" in caplog.text

    async def test_that_raises_after_it_has_received(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            raise KeyError((await receive())["type"])

        await self.check(app)

    async def test_that_returns(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            return

        await self.check(app)

    async def test_that_leaves_after_startup(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send({"type": "lifespan.startup.complete"})

        await self.check(app)

    async def test_that_leaves_without_answering_shutdown(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()

        await self.check(app)


async def test_an_error_while_it_runs_drains_legacy() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        raise OSError("lost")

    site = router_around(app)
    server = Server(site)
    await server.run()
    assert isinstance(server.raised, OSError)
    assert site.legacy._bridge.draining


async def test_websockets_are_native() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    scope = {"type": "websocket", "path": "/x"}

    async def unused(*_: Any) -> Any:
        raise AssertionError

    await router_around(app)(scope, unused, unused)
    assert seen == [scope]
