"""The new code's own clock: a coroutine with the name of a function that blocks."""

from __future__ import annotations

import asyncio

__all__ = ["sleep"]


async def sleep(seconds: float) -> None:
    """Let others run for that long."""
    await asyncio.sleep(seconds)
