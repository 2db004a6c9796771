"""A file opened, read, written or copied in a coroutine.

## What it does
Reports opening files, their `read`, `write` and `flush`, `Path.read_text` and its kin, `shutil`, archives, temporary files and
parsers that read from a file, where they run on the event loop.

## Why is this bad?
There is no non-blocking file I/O: the thread waits for the disk. Mostly the page cache answers in microseconds; sometimes it
is a network file system, a cold disk, an `fsync`, or a file of 200 MB, and then every request waits.

## Example
```python
from pathlib import Path


async def terms() -> str:
    return Path("terms.txt").read_text()
```

Use instead:
```python
import asyncio
from pathlib import Path


async def terms() -> str:
    return await asyncio.to_thread(Path("terms.txt").read_text)
```

Hand the whole piece of work to one thread - open, read, parse, close - instead of each call by itself: a hop to a thread
costs more than reading a page. For streaming there are `anyio.open_file` and aiofiles. A file that never changes is best read
once, at start-up.

## References
- [Python: `asyncio.to_thread`](https://docs.python.org/3/library/asyncio-task.html#asyncio.to_thread)
- [AnyIO: asynchronous file I/O](https://anyio.readthedocs.io/en/stable/fileio.html)
- [aiofiles](https://github.com/Tinche/aiofiles)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(
    __name__,
    severity=Severity.WARNING,
    message="`{symbol}` reads or writes a file on the event loop: use {replacement}",
    since="0.1.0",
)
