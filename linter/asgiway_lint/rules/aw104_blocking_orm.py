"""A synchronous ORM or framework data call in a coroutine.

## What it does
Reports the calls of SQLAlchemy, SQLModel, Django (ORM, cache, sessions, auth, mail, storage), peewee and MongoEngine that
talk to a server, where they run on the event loop: `session.execute`, `session.commit`, `Model.objects.get`, `obj.save`.

## Why is this bad?
An ORM hides that there is a database, not that one waits for it: each of these calls stops the event loop for a round
trip, and a lazy attribute in a loop for many. Django notices and raises `SynchronousOnlyOperation`; SQLAlchemy just waits.

## Example
```python
from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.models import Order


async def latest(session: Session) -> Order | None:
    return session.scalars(select(Order).order_by(Order.id.desc())).first()
```

Use instead:
```python
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shop.models import Order


async def latest(session: AsyncSession) -> Order | None:
    return (await session.scalars(select(Order).order_by(Order.id.desc()))).first()
```

In Django, put an `a` in front: `await Order.objects.aget(pk=1)`, `await order.asave()`, `async for order in orders`. What has
no such twin (transactions, above all) goes into a function behind `sync_to_async`. In FastAPI a handler with nothing to
await may simply be a `def`: it then runs in a thread, and a synchronous session is right there.

## Limits
`for book in queryset` is seen; other lazy evaluation is not: `list(queryset)`, `len(queryset)`, `queryset[0]`, and foreign key and
relationship attributes that load on access.

## References
- [SQLAlchemy: asynchronous I/O](https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html)
- [Django: asynchronous support](https://docs.djangoproject.com/en/stable/topics/async/)
- [Django: asynchronous queries](https://docs.djangoproject.com/en/stable/topics/db/queries/#asynchronous-queries)
- [FastAPI: concurrency and async / await](https://fastapi.tiangolo.com/async/)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(
    __name__,
    severity=Severity.ERROR,
    message="`{symbol}` waits for the database on the event loop: use {replacement}",
    since="0.1.0",
)
