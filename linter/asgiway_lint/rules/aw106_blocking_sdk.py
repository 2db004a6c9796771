"""A synchronous call of a cloud or SaaS client library in a coroutine.

## What it does
Reports calls of client libraries that hide an HTTP API - AWS, Google Cloud, Azure, Kubernetes, Docker, OpenAI, Anthropic,
Stripe, Slack, Twilio, GitHub, browsers driven by Selenium and more - where they run on the event loop.

## Why is this bad?
It is an HTTP request under another name, often a slow one: an upload, a model that thinks for a minute, a payment that is
retried. Everything else in the process waits for it.

## Example
```python
from openai import OpenAI

client = OpenAI()


async def summary(text: str) -> str | None:
    answer = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": text}])
    return answer.choices[0].message.content
```

Use instead:
```python
from openai import AsyncOpenAI

client = AsyncOpenAI()


async def summary(text: str) -> str | None:
    answer = await client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": text}])
    return answer.choices[0].message.content
```

Where a library has no asynchronous client, `await asyncio.to_thread(client.call, ...)` keeps the loop free; look up whether
the client may be used from several threads (boto3's clients may, its resources and sessions may not).

## Limits
Only the calls listed below and, for clients whose methods are made at run time (boto3, XML-RPC), every public method. An SDK
that is not in the catalogue is not reported.

## References
- [OpenAI Python library: async usage](https://github.com/openai/openai-python#async-usage)
- [aioboto3](https://aioboto3.readthedocs.io/en/latest/)
- [boto3: clients and threads](https://boto3.amazonaws.com/v1/documentation/api/latest/guide/clients.html)
- [Azure libraries for Python: asynchronous operations](https://learn.microsoft.com/azure/developer/python/sdk/azure-sdk-library-usage-patterns)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(
    __name__,
    severity=Severity.ERROR,
    message="`{symbol}` waits for a remote service on the event loop: use {replacement}",
    since="0.1.0",
)
