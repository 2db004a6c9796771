"""What a test says of names, dotted or not, and of calls without arguments.

``x``, ``not x``, ``x is None``, ``x is not None``, ``x.y()``, ``not hasattr(x, "y")``, several joined by ``and``.
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
        missing = _asked(test.operand) if isinstance(test.op, ast.Not) else None
        if missing is not None:  # what is there may be empty all the same, so that the opposite says nothing
            return ((missing, "perhaps"),)
        inner = conditions(test.operand) if isinstance(test.op, ast.Not) else ()
        if len(inner) != 1 or isinstance(test.operand, ast.BoolOp) or inner[0][1] not in OPPOSITES:
            return ()
        return ((inner[0][0], OPPOSITES[inner[0][1]]),)
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return tuple([pair for part in test.values for pair in conditions(part)])
    if isinstance(test, ast.BoolOp):  # `x is None or x.is_stale()`: not sure, but telling
        return tuple([(name, "perhaps") for name, found in conditions(test.values[0]) if found not in ("some", "true")])
    name = _dotted(test.left) if isinstance(test, ast.Compare) and len(test.ops) == 1 else None
    if name is not None and isinstance(test, ast.Compare):
        other = test.comparators[0]
        if isinstance(other, ast.Constant) and other.value is None:
            if isinstance(test.ops[0], ast.Is):
                return ((name, "none"),)
            if isinstance(test.ops[0], ast.IsNot):
                return ((name, "some"),)
    return ()


def _asked(node: ast.expr) -> str | None:
    """``x.y`` for ``hasattr(x, "y")``."""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "hasattr"
        and len(node.args) == 2
    ):
        owner, name = _dotted(node.args[0]), node.args[1]
        if owner is not None and isinstance(name, ast.Constant) and isinstance(name.value, str):
            return f"{owner}.{name.value}"
    return None


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
