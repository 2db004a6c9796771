"""A synchronous call to a cache or a message broker in a coroutine.

## What it does
Reports commands sent by synchronous clients of Redis, Memcached, Kafka, RabbitMQ, MQTT, ZeroMQ, Celery and RQ where they run
on the event loop.

## Why is this bad?
A cache is fast until its server is not: during a failover, a slow `KEYS` or a full broker queue, each command stops the
event loop for as long as the client's timeout allows, which by default is often for ever. Commands that wait on purpose,
such as `BLPOP` or a consumer's `poll`, stop it always.

## Example
```python
import redis

cache = redis.Redis()


async def price(sku: str) -> bytes | None:
    return cache.get(f"price:{sku}")
```

Use instead:
```python
import redis.asyncio

cache = redis.asyncio.Redis()


async def price(sku: str) -> bytes | None:
    return await cache.get(f"price:{sku}")
```

A client without an asynchronous side keeps its behaviour in a thread: `await asyncio.to_thread(client.get, key)`.

## Limits
Commands on a Redis pipeline only collect; its `execute()` is what is reported.

## References
- [redis-py: asyncio examples](https://redis.readthedocs.io/en/stable/examples/asyncio_examples.html)
- [aiokafka](https://aiokafka.readthedocs.io/en/stable/)
- [aio-pika](https://docs.aio-pika.com/)
- [Celery: calling tasks](https://docs.celeryq.dev/en/stable/userguide/calling.html)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(
    __name__,
    severity=Severity.ERROR,
    message="`{symbol}` waits for the cache or broker on the event loop: use {replacement}",
    since="0.1.0",
)
