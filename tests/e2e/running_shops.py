"""Shops to test: Flask alone or behind the adapter on uvicorn, on SQLite or PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask

import asgiway
from flask_shop import create_app
from tests.e2e.serving import serve
from tests.e2e.shop_clients import FlaskShopClient, HttpxShopClient, ShopClient

__all__ = ["KINDS", "POSTGRESQL_KINDS", "RunningShop", "RunningShops", "run_shop"]

KINDS = ("flask", "uvicorn")
POSTGRESQL_KINDS = ("flask-postgresql", "uvicorn-postgresql")


@dataclass(frozen=True, slots=True)
class RunningShop:
    """A shop, and how to visit it."""

    kind: str
    app: Flask
    address: str | None
    new_client: Callable[[], ShopClient]


@contextmanager
def run_shop(kind: str, folder: Path, **config: Any) -> Generator[RunningShop]:
    """Run a shop with its data in ``folder``."""
    # None, not absent: the tests must not touch a database that the environment happens to name.
    app = create_app({"INSTANCE_FOLDER": folder, "DATABASE_URL": None, "RATES_URL": None, **config})
    try:
        if kind.startswith("flask"):
            yield RunningShop(kind, app, None, lambda: FlaskShopClient(app))
        else:
            with serve(asgiway.WSGIMiddleware(app)) as address:
                yield RunningShop(kind, app, address, lambda: HttpxShopClient(address))
    finally:
        app.extensions["shop"].close()


class RunningShops:
    """Starts each kind of shop once, when a test first wants it."""

    def __init__(self, folder: Path, postgresql_url: Callable[[str], str]) -> None:
        self._folder = folder
        self._postgresql_url = postgresql_url
        self._stack = ExitStack()
        self._running: dict[str, RunningShop] = {}

    def get(self, kind: str) -> RunningShop:
        if kind not in self._running:
            config: dict[str, Any] = {}
            if kind.endswith("postgresql"):
                config["DATABASE_URL"] = self._postgresql_url(kind.replace("-", "_"))
            self._running[kind] = self._stack.enter_context(run_shop(kind, self.fresh_folder(kind), **config))
        return self._running[kind]

    def fresh_folder(self, name: str) -> Path:
        """Return an instance folder with the data of the first day, copied from one that was seeded before."""
        seeded = self._folder / "seeded"
        if not seeded.exists():
            with run_shop("flask", seeded):
                pass
        return Path(shutil.copytree(seeded, self._folder / name))

    def close(self) -> None:
        self._stack.close()
