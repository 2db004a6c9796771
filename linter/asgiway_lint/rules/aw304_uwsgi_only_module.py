"""A module that exists under uWSGI only.

## What it does
Reports calls of `uwsgi` and `uwsgidecorators`: timers, spoolers, locks, caches, signals.

## Why is this bad?
The module `uwsgi` is made by the uWSGI server in its own process; under any ASGI server the import fails. Code that guards the import does
run, but its timers never fire, and its cache and locks are gone.

## Example
```python
import uwsgi


def remember(key: str, value: bytes) -> None:
    uwsgi.cache_set(key, value)
```

Use instead:
```python
from redis.asyncio import Redis

cache = Redis()


async def remember(key: str, value: bytes) -> None:
    await cache.set(key, value)
```

## Limits
The import itself is not reported, nor is a decorator that is not called (`@uwsgidecorators.postfork`).

## References
- [uWSGI: the `uwsgi` Python module](https://uwsgi-docs.readthedocs.io/en/latest/PythonModule.html)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(
    __name__,
    severity=Severity.WARNING,
    message="`{symbol}` exists under uWSGI only: use {replacement}",
    since="0.1.0",
    preview=True,
)
