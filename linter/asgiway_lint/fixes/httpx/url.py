"""What is known about a URL: its scheme, whether it can be invalid, whether it may have a query.

`requests` adds `params` to a query that the URL has; httpx puts them in its place.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import libcst as cst

from asgiway_lint.fixes.httpx.values import Values
from asgiway_lint.fixes.source import FixSource

__all__ = ["Scheme", "Url", "read_url"]


class Scheme(enum.Enum):
    """What a URL begins with."""

    HTTP = "http"
    HTTPS = "https"
    UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Url:
    """A URL that a request is made to.

    Args:
        scheme: its scheme, when the text shows it.
        whole: whether it is written out in full, so that it is what it is.
        query: whether it has a query; None: it may have one.
        annotated_other: whether it is a parameter annotated with another type than `str` (`HttpUrl`); Requests takes its `str()`.
    """

    scheme: Scheme = Scheme.UNKNOWN
    whole: bool = False
    query: bool | None = None
    annotated_other: bool = False


def read_url(source: FixSource, values: Values, node: cst.BaseExpression) -> Url:
    """Read a URL."""
    literal = values.literal(node)
    parts = _parts(values, literal, 0)
    first = parts[0] if parts else None
    scheme = Scheme.UNKNOWN
    if first is not None:
        scheme = next((each for each in (Scheme.HTTPS, Scheme.HTTP) if first.startswith(f"{each.value}://")), scheme)
    whole = len(parts) == 1 and first is not None
    return Url(scheme, whole and _is_plain(first or ""), _query(parts), _annotated_other(source, literal))


def _is_plain(text: str) -> bool:
    """Whether both libraries read the URL alike: a name or an address, perhaps a port, and a path without anything unusual."""
    return text.isascii() and text.isprintable() and not set(text) & set(" \"<>\\^`{|}[]'")


def _query(parts: list[str | None]) -> bool | None:
    """A piece that is not known can bring a query along, unless more of the path follows, or a slash stands before it."""
    if any(part is not None and ("?" in part or "#" in part) for part in parts):
        return True
    for number, part in enumerate(parts):
        if part is not None:
            continue
        before = parts[number - 1] if number else None
        follows = number + 1 < len(parts) and (parts[number + 1] or "").startswith(("/", ":", "."))
        segment = before is not None and before.endswith("/") and not before.endswith("://")
        if not follows and not segment:
            return None
    return False if parts else None


def _parts(values: Values, node: cst.BaseExpression, depth: int) -> list[str | None]:
    """Return the pieces of a text, those that are known as they are; None for the others."""
    node = values.literal(node)
    if depth > 8:
        return [None]
    if isinstance(node, cst.SimpleString):
        value = node.evaluated_value
        return [value if isinstance(value, str) else None]
    if isinstance(node, cst.ConcatenatedString):
        return _joined([*_parts(values, node.left, depth + 1), *_parts(values, node.right, depth + 1)])
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        return _joined([*_parts(values, node.left, depth + 1), *_parts(values, node.right, depth + 1)])
    if isinstance(node, cst.FormattedString):
        found: list[str | None] = []
        for part in node.parts:
            if isinstance(part, cst.FormattedStringText):
                found.append(part.value.replace("{{", "{").replace("}}", "}"))
            elif (
                isinstance(part, cst.FormattedStringExpression) and part.conversion is None and part.format_spec is None
            ):
                found += _parts(values, part.expression, depth + 1)
            else:
                found.append(None)
        return _joined(found)
    return [None]


def _joined(parts: list[str | None]) -> list[str | None]:
    """Join the known pieces that touch."""
    found: list[str | None] = []
    for part in parts:
        last = found[-1] if found else None
        if part is not None and last is not None:
            found[-1] = last + part
        else:
            found.append(part)
    return found


def _annotated_other(source: FixSource, node: cst.BaseExpression) -> bool:
    if not isinstance(node, cst.Name):
        return False
    found = source.scopes.lookup(node.value, node)
    if found is None or len(found[1]) != 1:
        return False
    parameter = source.parent(found[1][0].node)
    if not isinstance(parameter, cst.Param) or parameter.annotation is None:
        return False
    annotation = source.code(parameter.annotation.annotation).strip("'\"")
    return annotation.rpartition(".")[2].endswith("Url") or annotation in ("yarl.URL", "URL")
