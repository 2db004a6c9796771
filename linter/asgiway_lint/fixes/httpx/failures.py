"""What can go wrong with a request, and which exception each library raises then: the table that handlers are rewritten by.

A rewritten handler is right when it catches the same failures as before; `handler_of` says which of several handlers gets a failure.
Both hierarchies are the public ones of Requests 2.34 and httpx 0.28 (httpx2 2.16 has the same).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = [
    "COUNTERPARTS",
    "FAILURES",
    "NOTHING",
    "Cause",
    "Failure",
    "canonical",
    "covers",
    "handler_of",
    "without_covered",
]


class Cause(enum.Flag):
    """Which code can fail in a way."""

    REQUEST = enum.auto()
    UNPROVEN_URL = enum.auto()
    TLS = enum.auto()
    STATUS = enum.auto()
    JSON = enum.auto()


NOTHING: Final = Cause(0)


@dataclass(frozen=True, slots=True)
class Failure:
    """One way to fail.

    Args:
        name: what it is, for refusals.
        cause: what has to be there for it to happen.
        before: what Requests raises.
        after: what httpx raises.
        rare: whether a difference is worth a note only: no program decides on it.
    """

    name: str
    cause: Cause
    before: str
    after: str
    rare: bool = False


FAILURES: Final = (
    Failure("a refused connection", Cause.REQUEST, "requests.ConnectionError", "httpx.ConnectError"),
    Failure("a TLS error", Cause.TLS, "requests.SSLError", "httpx.ConnectError"),
    Failure("a proxy that fails", Cause.REQUEST, "requests.ProxyError", "httpx.ProxyError"),
    Failure("a connection that takes too long", Cause.REQUEST, "requests.ConnectTimeout", "httpx.ConnectTimeout"),
    Failure("an answer that takes too long", Cause.REQUEST, "requests.ReadTimeout", "httpx.ReadTimeout"),
    Failure("a body that takes too long", Cause.REQUEST, "requests.ConnectionError", "httpx.ReadTimeout", rare=True),
    Failure("a reset connection", Cause.REQUEST, "requests.ConnectionError", "httpx.ReadError"),
    Failure(
        "a connection closed without an answer", Cause.REQUEST, "requests.ConnectionError", "httpx.RemoteProtocolError"
    ),
    Failure(
        "a body that is cut off", Cause.REQUEST, "requests.ChunkedEncodingError", "httpx.RemoteProtocolError", rare=True
    ),
    Failure("a body that cannot be unpacked", Cause.REQUEST, "requests.ContentDecodingError", "httpx.DecodingError"),
    Failure("too many redirects", Cause.REQUEST, "requests.TooManyRedirects", "httpx.TooManyRedirects"),
    Failure("a URL without scheme", Cause.UNPROVEN_URL, "requests.MissingSchema", "httpx.UnsupportedProtocol"),
    Failure("a URL with another scheme", Cause.UNPROVEN_URL, "requests.InvalidSchema", "httpx.UnsupportedProtocol"),
    Failure("an invalid URL", Cause.UNPROVEN_URL, "requests.InvalidURL", "httpx.InvalidURL"),
    Failure("an error status", Cause.STATUS, "requests.HTTPError", "httpx.HTTPStatusError"),
    Failure("a body that is no JSON", Cause.JSON, "requests.JSONDecodeError", "json.JSONDecodeError"),
)

# Class -> its bases.
_BASES: Final[Mapping[str, tuple[str, ...]]] = {
    "requests.RequestException": ("builtins.OSError",),
    "requests.ConnectionError": ("requests.RequestException",),
    "requests.SSLError": ("requests.ConnectionError",),
    "requests.ProxyError": ("requests.ConnectionError",),
    "requests.Timeout": ("requests.RequestException",),
    "requests.ConnectTimeout": ("requests.ConnectionError", "requests.Timeout"),
    "requests.ReadTimeout": ("requests.Timeout",),
    "requests.HTTPError": ("requests.RequestException",),
    "requests.TooManyRedirects": ("requests.RequestException",),
    "requests.MissingSchema": ("requests.RequestException", "builtins.ValueError"),
    "requests.InvalidSchema": ("requests.RequestException", "builtins.ValueError"),
    "requests.InvalidURL": ("requests.RequestException", "builtins.ValueError"),
    "requests.ChunkedEncodingError": ("requests.RequestException",),
    "requests.ContentDecodingError": ("requests.RequestException",),
    "requests.InvalidJSONError": ("requests.RequestException",),
    "requests.JSONDecodeError": ("requests.InvalidJSONError", "json.JSONDecodeError"),
    "json.JSONDecodeError": ("builtins.ValueError",),
    "builtins.OSError": ("builtins.Exception",),
    "builtins.ValueError": ("builtins.Exception",),
    "builtins.Exception": ("builtins.BaseException",),
    "httpx.HTTPError": ("builtins.Exception",),
    "httpx.RequestError": ("httpx.HTTPError",),
    "httpx.HTTPStatusError": ("httpx.HTTPError",),
    "httpx.TransportError": ("httpx.RequestError",),
    "httpx.DecodingError": ("httpx.RequestError",),
    "httpx.TooManyRedirects": ("httpx.RequestError",),
    "httpx.TimeoutException": ("httpx.TransportError",),
    "httpx.NetworkError": ("httpx.TransportError",),
    "httpx.ProxyError": ("httpx.TransportError",),
    "httpx.UnsupportedProtocol": ("httpx.TransportError",),
    "httpx.RemoteProtocolError": ("httpx.TransportError",),
    "httpx.ConnectTimeout": ("httpx.TimeoutException",),
    "httpx.ReadTimeout": ("httpx.TimeoutException",),
    "httpx.ConnectError": ("httpx.NetworkError",),
    "httpx.ReadError": ("httpx.NetworkError",),
    "httpx.InvalidURL": ("builtins.Exception",),
}
# Class of Requests, or builtin, -> the classes of httpx that stand for it, of which those are used that a failure needs.
COUNTERPARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "requests.RequestException": ("httpx.HTTPError", "httpx.InvalidURL", "json.JSONDecodeError"),
    "requests.ConnectionError": (
        "httpx.NetworkError",
        "httpx.RemoteProtocolError",
        "httpx.ConnectTimeout",
        "httpx.ProxyError",
    ),
    "requests.SSLError": ("httpx.ConnectError",),
    "requests.ProxyError": ("httpx.ProxyError",),
    "requests.Timeout": ("httpx.TimeoutException",),
    "requests.ConnectTimeout": ("httpx.ConnectTimeout",),
    "requests.ReadTimeout": ("httpx.ReadTimeout",),
    "requests.HTTPError": ("httpx.HTTPStatusError",),
    "requests.TooManyRedirects": ("httpx.TooManyRedirects",),
    "requests.MissingSchema": ("httpx.UnsupportedProtocol",),
    "requests.InvalidSchema": ("httpx.UnsupportedProtocol",),
    "requests.InvalidURL": ("httpx.InvalidURL",),
    "requests.ChunkedEncodingError": ("httpx.RemoteProtocolError",),
    "requests.ContentDecodingError": ("httpx.DecodingError",),
    "requests.InvalidJSONError": ("json.JSONDecodeError",),
    "requests.JSONDecodeError": ("json.JSONDecodeError",),
    # What only a base class of Requests' made them catch.
    "builtins.OSError": ("builtins.OSError", "httpx.HTTPError", "httpx.InvalidURL", "json.JSONDecodeError"),
    "builtins.ValueError": ("builtins.ValueError", "httpx.UnsupportedProtocol", "httpx.InvalidURL"),
}
_ALIASES: Final = {
    "builtins.IOError": "builtins.OSError",
    "builtins.EnvironmentError": "builtins.OSError",
    "socket.error": "builtins.OSError",
    "select.error": "builtins.OSError",
    "json.decoder.JSONDecodeError": "json.JSONDecodeError",
}


def canonical(name: str) -> str:
    """Return the one name of a class: `requests.exceptions.Timeout` is `requests.Timeout`."""
    if name.startswith("requests.exceptions."):
        name = "requests." + name.removeprefix("requests.exceptions.")
    return _ALIASES.get(name, name)


def covers(outer: str, inner: str) -> bool:
    """Whether `except outer` catches an `inner`."""
    if outer == inner:
        return True
    return any(covers(outer, base) for base in _BASES.get(inner, ()))


def handler_of(raised: str, handlers: Sequence[Iterable[str]]) -> int | None:
    """Return the number of the first handler that catches an exception; None if none does."""
    for number, classes in enumerate(handlers):
        if any(covers(each, raised) for each in classes):
            return number
    return None


def without_covered(classes: Sequence[str]) -> list[str]:
    """Drop the classes that another one of them catches anyway, and repetitions; the order stays."""
    found = list(dict.fromkeys(classes))
    return [each for each in found if not any(other != each and covers(other, each) for other in found)]
