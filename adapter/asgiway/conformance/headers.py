"""PEP 3333's rules for status and headers, as functions that report instead of raising."""

from __future__ import annotations

import re
from typing import Protocol, cast
from wsgiref.util import is_hop_by_hop

from asgiway.conformance.findings import Place

__all__ = ["Add", "check_headers", "check_status", "content_lengths"]

_STATUS = re.compile(r"[1-9][0-9]{2} \S(?:.*\S)?")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110, 5.6.2
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Add(Protocol):
    """Findings.add."""

    def __call__(self, rule: str, message: str, place: Place | None = None) -> None:
        """Add what the request under way has shown."""


def check_status(status: object, place: Place | None, add: Add) -> str:
    """Check the status; returns it, or "" when it is no str."""
    if not isinstance(status, str):
        add("native-strings", f"the status is a {type(status).__name__}: {status!r:.60}", place)
        return ""
    if not _fits(status):
        add("native-strings", f"the status has characters beyond latin-1: {status!r:.60}", place)
    elif _CONTROL.search(status):
        add("status-line", f"the status has a control character in it: {status!r:.60}", place)
    elif not _STATUS.fullmatch(status):
        add("status-line", f'the status is not of the form "200 OK": {status!r:.60}', place)
    return status


def check_headers(headers: object, place: Place | None, add: Add) -> None:
    """Check the list and each of its fields."""
    kind: type[object] = type(headers)
    if kind is not list:
        add("headers-list", f"the headers are a {kind.__name__}, not a list", place)
    for item in _items(headers):
        if type(item) is not tuple or len(cast("tuple[object]", item)) != 2:
            add("headers-list", f"a header is not a (name, value) tuple: {item!r:.60}", place)
            continue
        name, value = cast("tuple[object, object]", item)
        if isinstance(name, str):
            if not _TOKEN.fullmatch(name):
                add("header-name", f"not a header name: {name!r:.60}", place)
            elif is_hop_by_hop(name):
                add("hop-by-hop", f"the application sets {name}", place)
        else:
            add("native-strings", f"a header name is a {type(name).__name__}: {name!r:.60}", place)
        if not isinstance(value, str):
            add("native-strings", f"the value of header {name!r:.60} is a {type(value).__name__}", place)
        elif not _fits(value):
            add("native-strings", f"the value of header {name!r:.60} has characters beyond latin-1", place)
        elif _CONTROL.search(value):
            add("header-value", f"the value of header {name!r:.60} has a control character in it: {value!r:.60}", place)


def content_lengths(headers: object, place: Place | None, add: Add) -> tuple[int | None, bool]:
    """The declared length of the body, and whether there is a Content-Type."""
    length: int | None = None
    typed = False
    for item in _items(headers):
        if not (isinstance(item, (tuple, list)) and len(cast("tuple[object]", item)) == 2):
            continue
        name, value = cast("tuple[object, object]", item)
        if not (isinstance(name, str) and isinstance(value, str)):
            continue
        typed = typed or name.lower() == "content-type"
        if name.lower() == "content-length":
            if not (value.isascii() and value.strip().isdigit()):
                add("content-length", f"Content-Length is not a decimal number: {value!r:.60}", place)
            elif length is not None and length != int(value):
                add("content-length", f"two different Content-Length headers: {length} and {value}", place)
            else:
                length = int(value)
    return length, typed


def _fits(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def _items(headers: object) -> list[object]:
    return list(cast("list[object]", headers)) if isinstance(headers, (list, tuple)) else []
