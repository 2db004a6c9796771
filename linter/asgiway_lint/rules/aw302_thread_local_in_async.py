"""A thread's local data used in a coroutine.

## What it does
Reports attributes of `threading.local` objects (and of classes derived from it) that are read or set in a coroutine.

## Why is this bad?
All coroutines of an event loop run in one thread, so they share its local data: what one request puts there, the next one finds
after any `await`. In WSGI code the same object was private to a request.

## Example
```python
import threading

state = threading.local()


async def handler(user: str) -> None:
    state.user = user
```

Use instead:
```python
from contextvars import ContextVar

current_user: ContextVar[str] = ContextVar("current_user")


async def handler(user: str) -> None:
    current_user.set(user)
```

## Limits
Only what coroutines do themselves is reported, not what they reach through helpers.

## References
- [Python: `contextvars`](https://docs.python.org/3/library/contextvars.html)
- [PEP 567: context variables](https://peps.python.org/pep-0567/)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(
    __name__,
    severity=Severity.WARNING,
    message="`{symbol}` is shared by all coroutines of the thread: use {replacement}",
    since="0.1.0",
    preview=True,
)
