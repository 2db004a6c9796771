"""An event loop started or waited for in a coroutine.

## What it does
Reports `asyncio.run`, `loop.run_until_complete`, `loop.run_forever`, `anyio.run`, `trio.run`, `async_to_sync`, `uvicorn.run` and
`from_thread.run` where they are called from a coroutine.

## Why is this bad?
It does not work. A thread has one running loop: `asyncio.run` raises `RuntimeError: asyncio.run() cannot be called from a
running event loop`, so do `async_to_sync` and `trio.run`; `from_thread.run` would wait for the loop that is waiting for it.
Such calls are left over from the time when the function around them was synchronous. Under nest_asyncio they do run - the
tasks within each other, unable to be cancelled one by one.

## Example
```python
import asyncio


async def fetch() -> str:
    return "ok"


async def handler() -> str:
    return asyncio.run(fetch())
```

Use instead:
```python
async def fetch() -> str:
    return "ok"


async def handler() -> str:
    return await fetch()
```

A server that is to run inside an existing loop has a coroutine for it: `await uvicorn.Server(config).serve()`.

## References
- [Python: `asyncio.run`](https://docs.python.org/3/library/asyncio-runner.html#asyncio.run)
- [asgiref: `async_to_sync`](https://docs.djangoproject.com/en/stable/topics/async/#async-to-sync)
- [uvicorn: running programmatically](https://www.uvicorn.org/)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(
    __name__,
    severity=Severity.ERROR,
    message="`{symbol}` runs an event loop inside a running one: use {replacement}",
    since="0.1.0",
)
