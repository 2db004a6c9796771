"""The PostgreSQL of the database fixers' tests ends with the session; workers of pytest-xdist leave without `atexit`."""

from __future__ import annotations

import sys
from collections.abc import Generator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _postgresql_stops() -> Generator[None]:
    yield
    support = sys.modules.get("tests.linter.fixes.psycopg_support")
    if support is not None:
        support.stop()
