"""What a test says of plain names: ``x``, ``not x``, ``x is None``, ``x is not None``, and several of them joined by ``and``."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Final

__all__ = ["OPPOSITES", "conditions"]

OPPOSITES: Final[Mapping[str, str]] = {"true": "false", "false": "true", "none": "some", "some": "none"}


def conditions(test: ast.expr) -> tuple[tuple[str, str], ...]:
    """The (name, condition) pairs that hold where a test is true, as `Block.guard` has them."""
    if isinstance(test, ast.Name):
        return ((test.id, "true"),)
    if isinstance(test, ast.UnaryOp):
        inner = conditions(test.operand) if isinstance(test.op, ast.Not) else ()
        if len(inner) != 1 or isinstance(test.operand, ast.BoolOp):
            return ()
        return ((inner[0][0], OPPOSITES[inner[0][1]]),)
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return tuple([pair for part in test.values for pair in conditions(part)])
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.left, ast.Name):
        other = test.comparators[0]
        if isinstance(other, ast.Constant) and other.value is None:
            if isinstance(test.ops[0], ast.Is):
                return ((test.left.id, "none"),)
            if isinstance(test.ops[0], ast.IsNot):
                return ((test.left.id, "some"),)
    return ()
