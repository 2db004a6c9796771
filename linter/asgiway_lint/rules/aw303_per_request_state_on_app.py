"""A request's data kept on the application object.

## What it does
Reports attributes that are set on `flask.current_app` or `quart.current_app`, and on `request.app.state` of Starlette and FastAPI.

## Why is this bad?
The application lives as long as the process and belongs to all requests. A worker that serves one request at a time hides that;
on an event loop many requests are under way at once, and each overwrites what the others have put there.

## Example
```python
from flask import current_app


def load_user(name: str) -> None:
    current_app.user = name
```

Use instead:
```python
from flask import g


def load_user(name: str) -> None:
    g.user = name
```

## Limits
Only attributes set by an assignment on these names are seen. Data that really belongs to the application is better set once, where it is
made, or in its lifespan.

## References
- [Flask: the application context](https://flask.palletsprojects.com/en/stable/appcontext/)
- [Starlette: storing state](https://www.starlette.io/requests/#other-state)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(
    __name__,
    severity=Severity.WARNING,
    message="`{symbol}` outlives the request, and other requests see it: use {replacement}",
    since="0.1.0",
    preview=True,
)
