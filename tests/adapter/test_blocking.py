"""The detector of blocking calls detects them: without this, its silence in the other tests would mean nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from asgiway import WSGIMiddleware
from asgiway.observe import Event
from tests.adapter.blocking import blocking_calls
from tests.adapter.support import call


@pytest.fixture
def seen() -> Iterator[list[str]]:
    with blocking_calls() as calls:
        yield calls


def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    time.sleep(0.001)  # in its thread, where it may
    start_response("200 OK", [])
    return [b"done"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "anyio_backend", [("asyncio", {"use_uvloop": False}), ("asyncio", {"use_uvloop": True})], ids=["asyncio", "uvloop"]
)
async def test_a_blocking_call_under_the_adapter_is_seen_though_its_exception_is_caught(seen: list[str]) -> None:
    def blocks(event: Event) -> None:
        time.sleep(0.001)
        os.stat(".")

    assert (await call(WSGIMiddleware(app))).body == b"done"
    assert seen == []
    assert (await call(WSGIMiddleware(app, on_event=blocks))).body == b"done"
    assert seen == ["time.sleep"]
