"""Monkey-patching by gevent or eventlet.

## What it does
Reports calls of `gevent.monkey.patch_all` (and the other `patch_` functions) and of `eventlet.monkey_patch`.

## Why is this bad?
These replace sockets, locks and `sleep` of the standard library by versions that switch to another greenlet instead of
waiting. Under asyncio nobody runs those greenlets: the selector that the event loop waits with is replaced, too, threads are no
longer threads, and programs hang where they used to work. A process serves either greenlets or an event loop.

## Example
```python
from gevent import monkey

monkey.patch_all()
```

Use instead:
```python
import asyncio


async def both() -> list[str]:
    return await asyncio.gather(first(), second())


async def first() -> str:
    return "first"


async def second() -> str:
    return "second"
```

## Limits
A call is reported wherever it stands, as it holds for the whole process: a worker that still runs under gevent may keep it.

## References
- [gevent: `gevent.monkey`](https://www.gevent.org/api/gevent.monkey.html)
- [eventlet: migration to asyncio](https://eventlet.readthedocs.io/en/latest/asyncio/migration.html)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(
    __name__,
    severity=Severity.WARNING,
    message="`{symbol}` replaces what the event loop waits with: use {replacement}",
    since="0.1.0",
    preview=True,
)
