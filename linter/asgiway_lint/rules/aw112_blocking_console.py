"""A synchronous wait for the console or the debugger in a coroutine.

## What it does
Reports `input`, `getpass.getpass`, reading from `sys.stdin`, and `breakpoint`, where they run on the event loop.

## Why is this bad?
A program that waits for a line does nothing else: timers do not fire, heartbeats are missed, servers drop the connection. A
forgotten `breakpoint()` stops the first process that reaches it in production.

## Example
```python
async def repl() -> None:
    while True:
        print(input("> "))
```

Use instead:
```python
import asyncio


async def repl() -> None:
    while True:
        print(await asyncio.to_thread(input, "> "))
```

## Limits
A thread that waits in `input` cannot be cancelled: Ctrl-C is noticed when the line has been typed. Programs that need more
read the terminal with `loop.connect_read_pipe` or a library such as prompt_toolkit. The type of `sys.stdin` is not followed
through other names.

## References
- [Python: `asyncio.to_thread`](https://docs.python.org/3/library/asyncio-task.html#asyncio.to_thread)
- [Python: `loop.connect_read_pipe`](https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.connect_read_pipe)
- [Python Prompt Toolkit: running on top of asyncio](https://python-prompt-toolkit.readthedocs.io/en/stable/pages/advanced_topics/asyncio.html)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(
    __name__,
    severity=Severity.WARNING,
    message="`{symbol}` makes the event loop wait for the console: use {replacement}",
    since="0.1.0",
)
