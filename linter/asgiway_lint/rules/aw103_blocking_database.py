"""A call of a synchronous database driver in a coroutine.

## What it does
Reports connecting, executing, fetching and committing through synchronous drivers - psycopg2, psycopg, sqlite3, PyMySQL,
MySQL Connector, oracledb, PyMongo, Elasticsearch, Neo4j and more - where it runs on the event loop.

## Why is this bad?
The loop waits for the network, the query, the locks it needs and the disk. One slow report query stops every other
request; and as all queries now run one after the other, a connection pool is of no use.

## Example
```python
import psycopg2


async def names(dsn: str) -> list[tuple[str]]:
    connection = psycopg2.connect(dsn)
    cursor = connection.cursor()
    cursor.execute("SELECT name FROM customer WHERE city = %s", ("Oslo",))
    return cursor.fetchall()
```

Use instead:
```python
import psycopg


async def names(dsn: str) -> list[tuple[str]]:
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        cursor = await connection.execute("SELECT name FROM customer WHERE city = %s", ("Oslo",))
        return await cursor.fetchall()
```

psycopg 3 is psycopg2's successor: placeholders and DB-API stay. asyncpg is another API: `$1` placeholders, no
cursors, and autocommit unless there is a transaction. `postgres` in the configuration selects which one messages name.

A connection that stays synchronous can be used in `asyncio.to_thread`, as a whole: one function that connects, queries and
closes. Single calls on a shared connection must not go to threads; sqlite3 even forbids it (`check_same_thread`).

## Limits
What blocks is found on objects whose type is known: from a constructor, an annotation, a `with`, a project function's
return type. A connection that comes out of an untyped function is not followed.

## References
- [psycopg 3: differences from psycopg2](https://www.psycopg.org/psycopg3/docs/basic/from_pg2.html)
- [psycopg 3: asynchronous operations](https://www.psycopg.org/psycopg3/docs/advanced/async.html)
- [asyncpg: usage](https://magicstack.github.io/asyncpg/current/usage.html)
- [Python: `sqlite3.connect` and threads](https://docs.python.org/3/library/sqlite3.html#sqlite3.connect)
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
