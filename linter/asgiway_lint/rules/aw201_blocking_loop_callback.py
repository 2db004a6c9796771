"""A function that blocks, handed to the event loop as a callback.

## What it does
Reports functions handed to `loop.call_soon`, `call_soon_threadsafe`, `call_later`, `call_at`, `add_signal_handler`, `add_reader`,
`add_writer`, or to `add_done_callback` of a task or future of asyncio, that block: by themselves or through helpers.

## Why is this bad?
Such a callback is no coroutine, but it runs in the event loop's thread all the same: everything else waits until it returns.
There is no `await` in it by which it could give way.

## Example
```python
import asyncio

import requests


def report(task: asyncio.Task[str]) -> None:
    requests.post("https://example.com/done", data=task.result())


async def work() -> str:
    return "done"


async def start() -> None:
    task = asyncio.create_task(work())
    task.add_done_callback(report)
    await task
```

Use instead:
```python
import asyncio

import httpx


async def work() -> str:
    return "done"


async def work_and_report() -> None:
    result = await work()
    async with httpx.AsyncClient() as client:
        await client.post("https://example.com/done", content=result)


async def start() -> None:
    await asyncio.create_task(work_and_report())
```

## Limits
Reported only where the receiver is known to be an event loop (or is called `loop`) or a future of asyncio; a future of
`concurrent.futures` calls its callbacks in a worker thread. Callbacks whose blocking is `info` at most are not reported.

## References
- [Python: scheduling callbacks](https://docs.python.org/3/library/asyncio-eventloop.html#scheduling-callbacks)
- [Python: `Task.add_done_callback`](https://docs.python.org/3/library/asyncio-task.html#asyncio.Task.add_done_callback)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(
    __name__,
    severity=Severity.WARNING,
    message="`{symbol}` blocks the event loop from a callback: use {replacement}",
    since="0.1.0",
)
