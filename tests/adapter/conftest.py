"""Every test marked anyio runs on the three event loops that asgiway supports, and none of them may be blocked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.adapter.blocking import blocking_calls

NEVER_BLOCK = frozenset(
    {
        "test_bridge",
        "test_bridge_ends",
        "test_bridge_overload",
        "test_observe",
        "test_health",
        "test_metrics",
        "test_request_id",
        "test_access_log",
    }
)
"""Test modules during which a call of the adapter's that blocks the event loop is a failure."""


@pytest.fixture(
    params=[
        pytest.param(("asyncio", {"use_uvloop": False, "debug": True}), id="asyncio"),
        pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"),
        pytest.param(("trio", {}), id="trio"),
    ]
)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(autouse=True)
def _loop_is_never_blocked(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.module.__name__.rpartition(".")[2] not in NEVER_BLOCK:
        yield
        return
    with blocking_calls() as seen:
        yield
    assert seen == [], "the adapter called these on the event loop"
