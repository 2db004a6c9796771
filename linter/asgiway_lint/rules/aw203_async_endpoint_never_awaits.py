"""An endpoint that is a coroutine, never awaits, and blocks.

## What it does
Reports `async def` endpoints of FastAPI (`@app.get`, `@router.post` ...) that block the event loop, directly or through
helpers, and contain no `await`, `async with` or `async for`.

## Why is this bad?
`async def` tells FastAPI that the function gives way by itself, so it runs on the event loop, and each call of it stops all
other requests. A plain `def` endpoint runs in a thread of the pool, where it may block. Until the calls in it have been made
asynchronous, taking `async` away is the whole repair.

## Example
```python
import requests
from fastapi import FastAPI

app = FastAPI()


@app.get("/rates")
async def rates() -> str:
    return requests.get("https://example.com/rates", timeout=5).text
```

Use instead:
```python
import requests
from fastapi import FastAPI

app = FastAPI()


@app.get("/rates")
def rates() -> str:
    return requests.get("https://example.com/rates", timeout=5).text
```

## Limits
Endpoints that use `asyncio`, `anyio` or `trio` without awaiting need the event loop and are not reported. The calls that block
are reported, too, by their own rules.

## References
- [FastAPI: concurrency and async / await](https://fastapi.tiangolo.com/async/)
- [Starlette: thread pool](https://www.starlette.io/threadpool/)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(
    __name__,
    severity=Severity.WARNING,
    message="`{symbol}` blocks and never awaits: make it `{replacement}`, which runs in a thread",
    since="0.1.0",
)
