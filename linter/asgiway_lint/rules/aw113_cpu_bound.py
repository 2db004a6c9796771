"""A long computation in a coroutine.

## What it does
Reports password hashing, compression, image processing, spreadsheets, PDFs and data frames where they run on the event loop.
Severity is info: shown with `--min-severity info`, or when the rule is selected by name.

## Why is this bad?
Computing blocks as waiting does. Password hashing is slow by design, 50 to 300 ms, so that a handful of logins a second
is enough to make every other request late.

## Example
```python
import bcrypt


async def login(password: str, digest: bytes) -> bool:
    return bcrypt.checkpw(password.encode(), digest)
```

Use instead:
```python
import asyncio

import bcrypt


async def login(password: str, digest: bytes) -> bool:
    return await asyncio.to_thread(bcrypt.checkpw, password.encode(), digest)
```

A thread helps where the work is done by C code that releases the GIL: hashing, compression, Pillow, much of NumPy. Work in
Python itself needs a process: `loop.run_in_executor(process_pool, f)`, `anyio.to_process.run_sync`.

## Limits
How long a call takes depends on the data, which a linter does not see. Calls that are mostly short (`json.loads`,
`hashlib.sha256`) are off.

## References
- [Python: `loop.run_in_executor`](https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.run_in_executor)
- [AnyIO: working with subprocesses, `to_process`](https://anyio.readthedocs.io/en/stable/subprocesses.html#running-functions-in-worker-processes)
- [OWASP: password storage cheat sheet](https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(
    __name__,
    severity=Severity.INFO,
    message="`{symbol}` computes on the event loop: use {replacement}",
    since="0.1.0",
)
