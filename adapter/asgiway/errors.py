"""Every error asgiway raises, sorted by whose fault it is: the application's, the client's, or the caller's.

The application's errors also derive from the builtin a WSGI author expects (``AssertionError`` for a protocol
breach, ``TypeError`` for a value of the wrong type, ``ValueError`` for a bad value), so that existing ``except``
clauses and PEP 3333 test suites keep working. ``status_hint`` is the HTTP status that describes the error to a client.
"""

from __future__ import annotations

__all__ = [
    "AdapterError",
    "AppExitError",
    "AppProtocolError",
    "AppTypeError",
    "AppValueError",
    "BadRequestError",
    "ClientDisconnected",
    "DrainingError",
    "QueueTimeoutError",
    "RequestTimeoutError",
    "RequestTooLargeError",
    "ResponseTruncatedError",
    "SettingsError",
    "UnsupportedScopeError",
]


class AdapterError(Exception):
    """Base of all errors that asgiway raises itself; never raised directly."""

    status_hint: int = 500


class AppProtocolError(AdapterError, AssertionError):
    """The WSGI application broke the order of calls that PEP 3333 prescribes (start_response twice, never, ...)."""


class AppTypeError(AdapterError, TypeError):
    """The WSGI application passed a value of a type that PEP 3333 does not allow (a str chunk, an int status, ...)."""


class AppValueError(AdapterError, ValueError):
    """The WSGI application passed a value that cannot be sent (a bad status line, a header with a line break, ...)."""


class AppExitError(AdapterError, RuntimeError):
    """The WSGI application raised SystemExit, KeyboardInterrupt, GeneratorExit or StopIteration.

    None of these may reach the event loop: the first three would end the server, the last one cannot cross an ``await``.
    The original exception is the ``__cause__``.
    """


class ResponseTruncatedError(AdapterError):
    """The application's body ended before its Content-Length; the connection is cut so that the client notices (RFC 9112, 8)."""


class BadRequestError(AdapterError, ValueError):
    """The client's request contradicts itself (two different Content-Length fields, too many repeated fields)."""

    status_hint: int = 400

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status_hint = status


class RequestTooLargeError(BadRequestError):
    """The request body is larger than ``max_body_size`` (413, RFC 9110, 15.5.14)."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 413)


class ClientDisconnected(AdapterError, ConnectionError):
    """The client left: raised by ``wsgi.input`` reads and by ``write()`` from then on.

    It is an OSError, the type that frameworks expect from a broken input stream.
    """

    status_hint: int = 499


class DrainingError(ClientDisconnected):
    """Shutdown reached ``drain_timeout``: the request is interrupted at its next read or write."""

    status_hint: int = 503


class QueueTimeoutError(AdapterError):
    """The request has waited for a thread longer than ``queue_timeout``."""

    status_hint: int = 503


class RequestTimeoutError(AdapterError, TimeoutError):
    """The application has not answered within ``request_timeout``."""

    status_hint: int = 504


class SettingsError(AdapterError, ValueError):
    """A setting of the adapter has a value that cannot be used; the message names the setting and what is allowed."""


class UnsupportedScopeError(AdapterError, RuntimeError):
    """The server passed a scope type that the ASGI specification does not define for applications like this one."""
