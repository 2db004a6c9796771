"""A process started or awaited synchronously in a coroutine.

## What it does
Reports `subprocess`, `os.system`, `os.spawn*`, `os.wait*`, `multiprocessing`, pexpect and GitPython where they run on the event
loop, and standard functions that run a command behind the scenes, such as `webbrowser.open`.

## Why is this bad?
`subprocess.run` returns when the command has ended; until then the loop does nothing else. Starting alone takes
milliseconds: fork, exec, and the parent waits until the child has got that far. A child that fills its output pipe while
nobody reads it never ends.

## Example
```python
import subprocess


async def thumbnail(path: str) -> None:
    subprocess.run(["convert", path, "-resize", "200x200", f"{path}.png"], check=True)
```

Use instead:
```python
import asyncio


async def thumbnail(path: str) -> None:
    process = await asyncio.create_subprocess_exec("convert", path, "-resize", "200x200", f"{path}.png")
    if await process.wait() != 0:
        raise RuntimeError("convert failed")
```

With AnyIO it is one call: `await anyio.run_process(["convert", ...])`, which raises on failure like `check=True`.

## References
- [Python: asyncio subprocesses](https://docs.python.org/3/library/asyncio-subprocess.html)
- [AnyIO: using subprocesses](https://anyio.readthedocs.io/en/stable/subprocesses.html)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(
    __name__,
    severity=Severity.ERROR,
    message="`{symbol}` starts or awaits a process on the event loop: use {replacement}",
    since="0.1.0",
)
