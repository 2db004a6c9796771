"""A synchronous wait for a socket, a name server, mail, FTP, SSH or LDAP in a coroutine.

## What it does
Reports `socket` and `ssl`, name resolution, `smtplib`, `imaplib`, `poplib`, `ftplib`, paramiko, ldap3, dnspython, serial ports, SOAP
and other RPC where they run on the event loop.

## Why is this bad?
The loop waits for another machine. Name resolution is the one that surprises: `socket.getaddrinfo` of a name whose server is
gone takes 5 to 30 seconds, and no timeout argument changes that.

## Example
```python
import smtplib
from email.message import EmailMessage


async def send(message: EmailMessage) -> None:
    with smtplib.SMTP("mail.example") as server:
        server.send_message(message)
```

Use instead:
```python
import asyncio
import smtplib
from email.message import EmailMessage


def _send(message: EmailMessage) -> None:
    with smtplib.SMTP("mail.example") as server:
        server.send_message(message)


async def send(message: EmailMessage) -> None:
    await asyncio.to_thread(_send, message)
```

Asynchronous libraries exist for most protocols: aiosmtplib, asyncssh, aioftp, `dns.asyncresolver`; plain sockets become
`asyncio.open_connection` or `anyio.connect_tcp`, and names are resolved by `await loop.getaddrinfo(...)`.

## Limits
A socket in non-blocking mode does not block; the mode is seen only when it is set in the same function.

## References
- [Python: asyncio streams](https://docs.python.org/3/library/asyncio-stream.html)
- [Python: `loop.getaddrinfo`](https://docs.python.org/3/library/asyncio-eventloop.html#dns)
- [aiosmtplib](https://aiosmtplib.readthedocs.io/en/stable/)
- [AsyncSSH](https://asyncssh.readthedocs.io/en/stable/)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(
    __name__,
    severity=Severity.ERROR,
    message="`{symbol}` waits for the network on the event loop: use {replacement}",
    since="0.1.0",
)
