"""What a test says of names, dotted or not, and of calls without arguments.

``x``, ``not x``, ``x is None``, ``x is not None``, ``x.y()``, several joined by ``and``.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Final

__all__ = ["OPPOSITES", "conditions"]

OPPOSITES: Final[Mapping[str, str]] = {"true": "false", "false": "true", "none": "some", "some": "none"}


def conditions(test: ast.expr) -> tuple[tuple[str, str], ...]:
    """The (name, condition) pairs that hold where a test is true, as `Block.guard` has them."""
    name = _dotted(test)
    if name is not None:
        return ((name, "true"),)
    if isinstance(test, ast.UnaryOp):
        inner = conditions(test.operand) if isinstance(test.op, ast.Not) else ()
        if len(inner) != 1 or isinstance(test.operand, ast.BoolOp):
            return ()
        return ((inner[0][0], OPPOSITES[inner[0][1]]),)
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return tuple([pair for part in test.values for pair in conditions(part)])
    if isinstance(test, ast.BoolOp):  # `x is None or x.is_stale()`: not sure, but telling
        return tuple([(name, "perhaps") for name, found in conditions(test.values[0]) if found in ("none", "false")])
    name = _dotted(test.left) if isinstance(test, ast.Compare) and len(test.ops) == 1 else None
    if name is not None and isinstance(test, ast.Compare):
        other = test.comparators[0]
        if isinstance(other, ast.Constant) and other.value is None:
            if isinstance(test.ops[0], ast.Is):
                return ((name, "none"),)
            if isinstance(test.ops[0], ast.IsNot):
                return ((name, "some"),)
    return ()


def _dotted(node: ast.expr) -> str | None:
    """``x``, ``x.y.z`` or, for a call without arguments, ``x.y()`` as text; None for anything else."""
    rest = ""
    if isinstance(node, ast.Call) and not node.args and not node.keywords:
        rest = "()"
        node = node.func
    while isinstance(node, ast.Attribute):
        rest = f".{node.attr}{rest}"
        node = node.value
    return node.id + rest if isinstance(node, ast.Name) else None
