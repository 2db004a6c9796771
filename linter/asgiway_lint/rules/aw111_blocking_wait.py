"""A synchronous wait for a lock, queue, event, future, thread or signal in a coroutine.

## What it does
Reports waiting with the primitives of `threading`, `queue`, `concurrent.futures`, `multiprocessing`, `select`, `signal` and
file locks where it happens on the event loop. Calls that say they do not wait (`get(block=False)`, `acquire(timeout=0)`,
`get_nowait()`) are not reported.

## Why is this bad?
It is the one kind of blocking that can last for ever: when what the loop waits for can only be done by the loop itself - a
callback that sets the event, a coroutine that fills the queue - the process is dead, without a log line.

## Example
```python
import queue

jobs: queue.Queue[str] = queue.Queue()


async def next_job() -> str:
    return jobs.get()
```

Use instead:
```python
import asyncio

jobs: asyncio.Queue[str] = asyncio.Queue()


async def next_job() -> str:
    return await jobs.get()
```

Where the other side is a thread: `await asyncio.wrap_future(future)` for the result of an executor, and
`loop.call_soon_threadsafe(event.set)` for an `asyncio.Event` that a thread sets.

## Limits
Only objects whose type is known are reported, as `get`, `wait` and `join` mean harmless things on most others.
`with lock:` around a few lines without I/O is not reported.

## References
- [Python: asyncio synchronization primitives](https://docs.python.org/3/library/asyncio-sync.html)
- [Python: asyncio queues](https://docs.python.org/3/library/asyncio-queue.html)
- [Python: `asyncio.wrap_future`](https://docs.python.org/3/library/asyncio-future.html#asyncio.wrap_future)
- [AnyIO: working with threads](https://anyio.readthedocs.io/en/stable/threads.html)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(
    __name__,
    severity=Severity.WARNING,
    message="`{symbol}` makes the event loop wait for another thread or process: use {replacement}",
    since="0.1.0",
)
