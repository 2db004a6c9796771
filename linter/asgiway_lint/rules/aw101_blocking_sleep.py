"""A synchronous sleep in a coroutine.

## What it does
Reports `time.sleep`, and calls that sleep as part of their work (`psutil.cpu_percent(interval=1)`), where they run on the
event loop.

## Why is this bad?
The event loop is one thread. While it sleeps, no other request is accepted, read, answered or timed out: a one-second
sleep in one handler is a one-second outage of the process. `asyncio.sleep` suspends only the coroutine that awaits it.

## Example
```python
import time


async def wait_for_job(job) -> None:
    while not job.done:
        time.sleep(0.5)
```

Use instead:
```python
import asyncio


async def wait_for_job(job) -> None:
    while not job.done:
        await asyncio.sleep(0.5)
```

Better still, let whoever finishes the job set an `asyncio.Event`, and await that. `time.sleep(0)`, an old way to let other
threads run, becomes `await asyncio.sleep(0)`, which lets other tasks run.

## References
- [Python: `asyncio.sleep`](https://docs.python.org/3/library/asyncio-task.html#asyncio.sleep)
- [Python: developing with asyncio, running blocking code](https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code)
- [AnyIO: `anyio.sleep`](https://anyio.readthedocs.io/en/stable/api.html#anyio.sleep)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(
    __name__,
    severity=Severity.ERROR,
    message="`{symbol}` puts the whole event loop to sleep: use {replacement}",
    since="0.1.0",
)
