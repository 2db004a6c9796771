"""A request id for every request: taken from the client where it is sound, made otherwise, and shown wherever it helps.

``RequestIdMiddleware`` goes around the adapter, or around the whole ASGI application. The id is then

* in the WSGI environ, as ``environ["asgiway.request_id"]`` and as the request header (``HTTP_X_REQUEST_ID``);
* in a context variable, ``asgiway.request_id.current()``, on the loop and in the worker thread;
* in the response header, unless the application sets that header itself;
* in log records, through ``RequestIdFilter``, and in the access log.

Sources: W3C Trace Context, 3.2 (``traceparent``); ``X-Request-ID`` is a convention without a standard.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextvars import ContextVar
from typing import Any

from asgiway.errors import SettingsError

__all__ = ["ENVIRON_KEY", "MAX_LENGTH", "RequestIdFilter", "RequestIdMiddleware", "current"]

ENVIRON_KEY = "asgiway.request_id"
"""Where the id stands, both in the ASGI scope and in the WSGI environ."""

MAX_LENGTH = 128
"""Characters of an id that is taken from a client."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]
Field = tuple[bytes, bytes]

# UUIDs, ULIDs, base64, and the ids of the usual proxies; nothing that needs escaping in a log, a header or a shell.
_SOUND = re.compile(rb"[A-Za-z0-9._~:+/=@-]{1,%d}" % MAX_LENGTH)
# version "-" trace-id "-" parent-id "-" flags; versions after 00 may append fields; ff is forbidden.
_TRACEPARENT = re.compile(rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_TOKEN = re.compile(
    r"[!#$%&'*+\-.^`|~0-9A-Za-z]+"
)  # RFC 9110, 5.6.2, without the underscore that WSGI can't tell apart

# The messages that carry a response's headers: ASGI HTTP and WebSocket, and the Websocket Denial Response extension.
_STARTS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})

_current: ContextVar[str | None] = ContextVar("asgiway.request_id", default=None)


def current() -> str | None:
    """The id of the request that is being served here, None outside of one."""
    return _current.get()


class RequestIdMiddleware:
    """Gives every request an id: ``app = RequestIdMiddleware(WSGIMiddleware(flask_app))``.

    Only the message that starts a response is touched; everything else passes through as it is, so streaming and the
    server's ``http.response.pathsend`` work as without it. Lifespan is passed on.

    Parameters:
        app: the ASGI application.
        header: the header that carries the id, in both directions. Default "X-Request-ID".
        trust: take the id from the request's header, or else from its ``traceparent``, where it has 1 to 128 harmless
            characters and is there once; False makes a new one always, for an edge that strangers reach. Default True.

    Raises:
        SettingsError: `header` is not a header name, or has an underscore, which WSGI can't tell from a hyphen.
    """

    def __init__(self, app: ASGIApp, *, header: str = "X-Request-ID", trust: bool = True) -> None:
        if not _TOKEN.fullmatch(header):
            raise SettingsError(
                f"header={header!r} can't carry the request id; give a header name of letters, digits and hyphens, "
                "such as 'X-Request-ID'"
            )
        self.app = app
        self._name = header.lower().encode("ascii")
        self._trust = trust

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI 3."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        name = self._name
        headers: list[Field] = list(scope["headers"])
        given = [value for key, value in headers if key.lower() == name]
        request_id = (self._taken(given, headers) if self._trust else None) or secrets.token_hex(16)
        encoded = request_id.encode("ascii")
        if given != [encoded]:
            # What is not taken must not reach the application either: it would end up in logs all the same.
            headers = [field for field in headers if field[0].lower() != name]
            headers.append((name, encoded))
        field = (name, encoded)

        async def send_with_id(message: Message) -> None:
            if message["type"] in _STARTS:
                sent: list[Field] = list(message.get("headers") or ())
                if not any(key.lower() == name for key, _ in sent):
                    message = {**message, "headers": [*sent, field]}
            await send(message)

        inner = {
            **scope,
            "headers": headers,
            ENVIRON_KEY: request_id,
            "asgiway.environ": {**scope.get("asgiway.environ", {}), ENVIRON_KEY: request_id},
        }
        token = _current.set(request_id)
        try:
            await self.app(inner, receive, send_with_id)
        finally:
            _current.reset(token)

    def _taken(self, given: list[bytes], headers: Iterable[Field]) -> str | None:
        """The id that the client sent, None if there is none that can be taken."""
        if len(given) == 1 and _SOUND.fullmatch(given[0]):
            return given[0].decode("ascii")
        parents = [value for key, value in headers if key.lower() == b"traceparent"]
        if len(parents) != 1:
            return None
        parent = _TRACEPARENT.fullmatch(parents[0])
        if parent is None or (parent[1] == b"00" and parent[3] is not None):
            return None
        return parent[2].decode("ascii")


class RequestIdFilter(logging.Filter):
    """Adds ``request_id`` to log records, for formats with ``%(request_id)s``; add it to handlers, not to loggers.

    Parameters:
        missing: what stands there outside of requests. Default "-".
    """

    def __init__(self, missing: str = "-") -> None:
        super().__init__()
        self._missing = missing

    def filter(self, record: logging.LogRecord) -> bool:
        """Never rejects a record; one that has a ``request_id`` already keeps it."""
        if getattr(record, "request_id", None) is None:
            record.request_id = _current.get() or self._missing
        return True
