"""Names, sizes, dates or permissions of files asked for or changed in a coroutine.

## What it does
Reports `os.stat`, `os.listdir`, `os.path.exists`, `Path.is_file`, `Path.mkdir`, `glob` and their kin where they run on the event
loop. Severity is info: shown with `--min-severity info`, or when the rule is selected by name.

## Why is this bad?
A single `stat` on a local disk takes microseconds and is cheaper than a hop to a thread: many of these findings can stay as
they are. They matter on network file systems, where each may take milliseconds or hang with the server, and in loops:
listing, globbing or walking a tree of thousands of files.

## Example
```python
import os


async def size(folder: str) -> int:
    return sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder))
```

Use instead:
```python
import asyncio
import os


def _size(folder: str) -> int:
    return sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder))


async def size(folder: str) -> int:
    return await asyncio.to_thread(_size, folder)
```

## Limits
Calls that practically never wait are off: `os.getcwd`, `os.path.abspath`, `Path.home`.

## References
- [Python: `asyncio.to_thread`](https://docs.python.org/3/library/asyncio-task.html#asyncio.to_thread)
- [AnyIO: asynchronous path operations](https://anyio.readthedocs.io/en/stable/fileio.html#asynchronous-path-operations)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(
    __name__,
    severity=Severity.INFO,
    message="`{symbol}` asks the file system on the event loop: use {replacement}",
    since="0.1.0",
)
