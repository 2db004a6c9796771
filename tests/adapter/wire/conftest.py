"""Servers for the wire tests: each kind is started when its first test needs it, and must leave nothing behind at the end."""

from __future__ import annotations

import uuid
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.adapter.wire_support.deviations import DEVIATIONS
from tests.adapter.wire_support.servers import KINDS, ServerKind, ServerProcess

HERE = Path(__file__).parent
CROSSED = ("uvicorn-h11-uvloop", "uvicorn-httptools-asyncio")


class Fleet:
    """The processes of one kind of server, by application."""

    def __init__(self, kind: ServerKind, folder: Path) -> None:
        self.kind = kind
        self.folder = folder
        self._running: dict[tuple[str, str, bool], ServerProcess] = {}

    def get(self, app: str, root_path: str = "", *, unix: bool = False) -> ServerProcess:
        """The process that serves this application; started with the first call.

        What has a root path runs in asyncio's debug mode: it complains in the log of what touches a loop from a thread.
        """
        server = self._running.get((app, root_path, unix))
        if server is None:
            options = (self.kind.root_path, root_path) if root_path else ()
            debug = {"PYTHONASYNCIODEBUG": "1"} if root_path else {}
            server = ServerProcess(self.kind, app, self.folder, options, unix=unix, **debug)
            self._running[app, root_path, unix] = server
        return server

    def close(self) -> None:
        """End all, by force if a test has left one in a bad state."""
        servers = list(self._running.values())
        self._running.clear()
        try:
            for server in servers:
                server.check_idle()
                server.log.begin()
                server.terminate()
            for server in servers:
                server.wait()
                server.log.check()
        finally:
            for server in servers:
                server.kill()


@pytest.fixture(
    scope="session",
    params=[pytest.param(name, marks=pytest.mark.long if name in CROSSED else ()) for name in KINDS],
)
def fleet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Fleet]:
    fleet = Fleet(KINDS[request.param], tmp_path_factory.mktemp("wire"))
    yield fleet
    fleet.close()


@pytest.fixture
def key() -> str:
    """Return what the events of this test's requests are kept under."""
    return uuid.uuid4().hex


def _watched(server: ServerProcess, node: pytest.Item) -> Generator[ServerProcess]:
    server.log.begin()
    if node.get_closest_marker("xfail") is not None:
        server.log.allow_noise()
    yield server
    server.log.check()


@pytest.fixture
def server(fleet: Fleet, request: pytest.FixtureRequest) -> Generator[ServerProcess]:
    """Return a server with the conformance application and nothing in between."""
    yield from _watched(fleet.get("alone:app"), request.node)


@pytest.fixture
def sites(fleet: Fleet, request: pytest.FixtureRequest) -> Generator[ServerProcess]:
    """Return a server with many adapters, chosen by the Host header; see ``sites``."""
    yield from _watched(fleet.get("sites:app"), request.node)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the wire tests, leave out what a server does not have, and expect the failures that servers cause.

    A module about something that only some servers have names them in SERVERS.
    """
    left_out: list[pytest.Item] = []
    for item in items:
        if not isinstance(item, pytest.Function) or not item.path.is_relative_to(HERE):
            continue
        item.add_marker(pytest.mark.wire)
        if not hasattr(item, "callspec") or "fleet" not in item.callspec.params:
            continue
        kind = str(item.callspec.params["fleet"])
        if kind not in getattr(item.module, "SERVERS", KINDS):
            left_out.append(item)
        for deviation in DEVIATIONS:
            if deviation.concerns(item.originalname, kind, item.callspec.id):
                # A failing test raises AssertionError; anything else is an error of the test.
                reason = f"{kind}: {deviation.behaviour}"
                item.add_marker(pytest.mark.xfail(strict=True, raises=AssertionError, reason=reason))
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
