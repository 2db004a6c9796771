"""A synchronous HTTP request in a coroutine.

## What it does
Reports requests made with Requests, the synchronous API of httpx, niquests and curl_cffi, urllib, urllib3, `http.client`,
pycurl and others, as functions and on sessions and clients, where they run on the event loop.

## Why is this bad?
The loop stands still until the other side has answered: DNS, connection, TLS and the server's own time. A slow upstream
then no longer makes one request slow but all of them, and when its timeout is 30 seconds, the health check fails too.

## Example
```python
import requests


async def rates() -> dict[str, float]:
    answer = requests.get("https://rates.example/latest", timeout=5)
    return answer.json()
```

Use instead:
```python
import httpx

client = httpx.AsyncClient(follow_redirects=True, timeout=5)


async def rates() -> dict[str, float]:
    answer = await client.get("https://rates.example/latest")
    return answer.json()
```

Keep one client for the life of the application and close it in the lifespan: a client per request throws its connections
away. httpx differs from Requests in places: redirects are not followed unless asked for, the default timeout is 5 seconds,
`data=b"..."` is `content=`. Where that is too much for now, a thread keeps the behaviour exactly:

```python
import asyncio

import requests


async def rates() -> dict[str, float]:
    answer = await asyncio.to_thread(requests.get, "https://rates.example/latest", timeout=5)
    return answer.json()
```

`http-client` in the configuration selects which client messages name.

## Limits
`Response.json()` and `.content` read nothing once the body is there, and are not reported; with `stream=True` they do.

## References
- [HTTPX: compatibility with Requests](https://www.python-httpx.org/compatibility/)
- [HTTPX: async support](https://www.python-httpx.org/async/)
- [AIOHTTP: client quickstart](https://docs.aiohttp.org/en/stable/client_quickstart.html)
- [Python: `asyncio.to_thread`](https://docs.python.org/3/library/asyncio-task.html#asyncio.to_thread)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(
    __name__,
    severity=Severity.ERROR,
    message="`{symbol}` waits for the HTTP answer on the event loop: use {replacement}",
    since="0.1.0",
)
