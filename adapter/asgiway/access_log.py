"""One log line for each request of an adapter: what was asked, what was answered, how long it waited and worked.

Off unless asked for: ``WSGIMiddleware(app, on_event=AccessLog())``. Lines go to the logger ``asgiway.access`` at INFO, made
from the events that end a request; what a client chose (method, path) is escaped, see ``asgiway.printable``.
"""

from __future__ import annotations

import json
import logging
from typing import Any, Literal, get_args

from asgiway.errors import SettingsError
from asgiway.observe import Event, RequestEnded, RequestRejected
from asgiway.printable import printable
from asgiway.request_id import ENVIRON_KEY

__all__ = ["AccessLog", "Format"]

Format = Literal["text", "json"]


class AccessLog:
    """Writes the access log; pass it as ``on_event``.

    A line is written when the request has ended, its ``close()`` included: for one that ran into ``request_timeout`` that
    is when its thread came back. Fields, in this order:

    * ``method``, ``path`` (percent-encoded, without the query, which may hold secrets), ``status`` (none was sent: "-");
    * ``bytes_in``, ``bytes_out``: bytes of body received, and sent for the application (0 for what the adapter answers);
    * ``queue_ms``, ``app_ms``: milliseconds of waiting for a thread, and from there to the end of ``close()``;
    * ``outcome``: one of ``asgiway.observe.Outcome``, or "rejected", then followed by its ``reason``;
    * ``request_id``: see ``asgiway.request_id``; "-" without it;
    * ``backend``: who answered.

    Each record also carries the fields as a dictionary, ``record.access``, for formatters of your own.

    Parameters:
        format: "text" for ``key=value`` pairs (default), "json" for one JSON object, with null for "-".
        backend: the value of ``backend``. Default "legacy".
        logger: where to log. Default ``logging.getLogger("asgiway.access")``.

    Raises:
        SettingsError: `format` is neither of the two.
    """

    def __init__(
        self, format: Format = "text", *, backend: str = "legacy", logger: logging.Logger | None = None
    ) -> None:
        if format not in get_args(Format):
            raise SettingsError(f"format={format!r} is no format of the access log; use 'text' or 'json'")
        self._json = format == "json"
        self._backend = backend
        self._logger = logging.getLogger("asgiway.access") if logger is None else logger

    def __call__(self, event: Event) -> None:
        """Write a line if `event` ends a request."""
        if not isinstance(event, (RequestEnded, RequestRejected)) or not self._logger.isEnabledFor(logging.INFO):
            return
        fields = self._fields(event)
        line = json.dumps(fields) if self._json else " ".join(f"{key}={_text(fields[key])}" for key in fields)
        self._logger.info("%s", line, extra={"access": fields, "request_id": fields["request_id"]})

    def _fields(self, event: RequestEnded | RequestRejected) -> dict[str, Any]:
        scope = event.scope
        fields: dict[str, Any] = {
            "method": printable(scope["method"]),
            "path": printable(scope["path"]),
            "status": event.status,
            "bytes_in": 0,
            "bytes_out": 0,
            "queue_ms": _milliseconds(event.queue_seconds),
            "app_ms": 0.0,
            "outcome": "rejected",
        }
        if isinstance(event, RequestEnded):
            fields |= {
                "bytes_in": event.bytes_in,
                "bytes_out": event.bytes_out,
                "app_ms": _milliseconds(event.app_seconds),
                "outcome": event.outcome,
            }
        else:
            fields["reason"] = event.reason
        fields["request_id"] = scope.get(ENVIRON_KEY)
        fields["backend"] = self._backend
        return fields


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _text(value: object) -> str:
    """A field of a text line; "timed out" and the like in quotes, so that a line can be taken apart at its spaces."""
    if value is None:
        return "-"
    text = str(value)
    return f'"{text}"' if " " in text else text
