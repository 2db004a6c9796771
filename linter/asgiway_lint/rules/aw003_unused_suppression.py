"""A suppression comment that suppresses nothing.

## What it does
Reports a `# noqa: AW...` or `# asgiway-lint: noqa: AW...` that names a code of asgiway-lint although nothing is reported
there under this code. Codes of other linters and a blanket `# noqa`, which may serve them, are left alone, and so are
codes of rules that are switched off in this run.

## Why is this bad?
A suppression is a debt: it says "this call still blocks". When the call has been made asynchronous, the comment that
stayed behind hides the next blocking call that somebody writes on this line.

## Example
```python
import asyncio


async def poll() -> None:
    await asyncio.sleep(1)  # noqa: AW101
```

Use instead:
```python
import asyncio


async def poll() -> None:
    await asyncio.sleep(1)
```

## References
- [Flake8: selecting and ignoring violations](https://flake8.pycqa.org/en/latest/user/violations.html)
- [Ruff: `lint.external`](https://docs.astral.sh/ruff/settings/#lint_external), which keeps its RUF100 from removing `AW` codes
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(__name__, severity=Severity.WARNING, message="Unused suppression: {symbol}", since="0.1.0")
