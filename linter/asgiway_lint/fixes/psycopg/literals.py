"""From an expression of the Python source to the text that it is, and from places in the text back to the source.

Only what can be read off: a literal, adjacent literals, or a name that is bound once, to such.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import libcst as cst

from asgiway_lint.fixes.source import FixSource

__all__ = ["Literal", "literal_of"]

_ESCAPE: Final = re.compile(
    r"\\(?:\r\n|[\r\n]|[\\'\"abfnrtv]|[0-7]{1,3}|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|N\{[^}]+\})"
)


@dataclass(frozen=True, slots=True)
class Literal:
    """A text that stands in the source.

    Args:
        text: its value.
        starts: for each character where it starts in the source.
        ends: for each character where it ends there.
        raws: the parts of the source in which backslashes mean nothing, as (start, end).
        name: the name that it is bound to, if the expression was a name.
        home: the assignment of that name.
    """

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    raws: tuple[tuple[int, int], ...]
    name: str
    home: cst.CSTNode | None

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """Return where a piece of the text stands in the source; None if something else stands in between."""
        if any(self.ends[index] != self.starts[index + 1] for index in range(start, end - 1)):
            return None
        return self.starts[start], self.ends[end - 1]


def literal_of(source: FixSource, node: cst.BaseExpression) -> Literal | None:
    """Return the text that an expression is; None if that cannot be read off."""
    if isinstance(node, cst.Name):
        return _bound(source, node)
    parts = _parts(node)
    if parts is None:
        return None
    text: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    raws: list[tuple[int, int]] = []
    for part in parts:
        value = part.evaluated_value
        if not isinstance(value, str):
            return None
        begin = source.offset(part)[0] + len(part.prefix) + len(part.quote)
        body = source.text[begin : source.offset(part)[1] - len(part.quote)]
        raw = "r" in part.prefix.lower()
        if raw:
            raws.append((begin, begin + len(body)))
        spans = _characters(body, raw)
        if len(spans) != len(value):
            return None
        text.append(value)
        starts += [begin + start for start, _ in spans]
        ends += [begin + end for _, end in spans]
    return Literal("".join(text), tuple(starts), tuple(ends), tuple(raws), "", None)


def _characters(body: str, raw: bool) -> list[tuple[int, int]]:
    """Where each character of the value stands in the body of the literal."""
    spans: list[tuple[int, int]] = []
    position = 0
    while position < len(body):
        end = position + 1
        if body[position] == "\r" and body[end : end + 1] == "\n":
            end += 1  # Python reads one line feed
        elif body[position] == "\\" and not raw and (match := _ESCAPE.match(body, position)):
            end = match.end()
            if match[0][1] in "\r\n":  # continued in the next line: no character
                position = end
                continue
        spans.append((position, end))
        position = end
    return spans


def _parts(node: cst.BaseExpression) -> list[cst.SimpleString] | None:
    if isinstance(node, cst.SimpleString):
        return None if "b" in node.prefix.lower() else [node]
    if isinstance(node, cst.ConcatenatedString):
        left, right = _parts(node.left), _parts(node.right)
        return None if left is None or right is None else left + right
    return None


def _bound(source: FixSource, name: cst.Name) -> Literal | None:
    found = source.scopes.lookup(name.value, name)
    if found is None or len(found[1]) != 1:
        return None
    table, (bound,) = found
    if not isinstance(table.node, (cst.Module, cst.FunctionDef)) or not isinstance(bound.node, cst.Name):
        return None
    above = source.parent(bound.node)
    home = source.parent(above) if isinstance(above, cst.AssignTarget) else above
    if isinstance(home, cst.Assign) and len(home.targets) == 1 and home.targets[0].target is bound.node:
        value: cst.BaseExpression | None = home.value
    elif isinstance(home, cst.AnnAssign) and home.target is bound.node:
        value = home.value
    else:
        return None
    if value is None or isinstance(value, cst.Name):
        return None
    literal = literal_of(source, value)
    if literal is None:
        return None
    return Literal(literal.text, literal.starts, literal.ends, literal.raws, name.value, home)
