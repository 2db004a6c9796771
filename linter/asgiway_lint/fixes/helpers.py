"""What the helper is that a coroutine calls: an ordinary function can move to a thread whole, a generator runs where it is iterated over.

A chain tells where the helper makes its own call; its definition stands around that place, often in another file.
"""

from __future__ import annotations

import ast
import functools
import warnings
from pathlib import Path

from asgiway_lint.facts.text import decode
from asgiway_lint.finding import Finding
from asgiway_lint.fixes.source import FixSource

__all__ = ["unmovable"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def unmovable(source: FixSource, finding: Finding) -> str:
    """Return why calling the first helper of a finding's chain in a thread would not move what blocks; empty if it would.

    Args:
        source: the file of the finding.
        finding: a finding with a chain.
    """
    called = finding.chain[0].call.removesuffix("()").rpartition(".")[2]
    if called.startswith("__") and called not in ("__init__", "__new__", "__post_init__", "__call__"):
        return f"what blocks is `{called}`, which the statement around runs, not the call"
    if len(finding.chain) < 2:
        return ""
    inside = finding.chain[1]
    same = inside.path == finding.path
    function = _function_at(source.text if same else _text(inside.path), inside.line)
    if function is not None and _is_generator(function):
        return f"`{function.name}` is a generator: its body would run on the event loop all the same"
    return ""


@functools.lru_cache(maxsize=64)
def _text(path: str) -> str:
    try:
        return decode(Path(path).read_bytes())
    except (OSError, ValueError, SyntaxError):
        return ""


@functools.lru_cache(maxsize=64)
def _functions(text: str) -> tuple[_Function, ...]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()  # newer than the interpreter: then nobody knows
    return tuple(node for node in ast.walk(tree) if isinstance(node, _Function))


def _function_at(text: str, line: int) -> _Function | None:
    """The innermost function around a line."""
    around = [each for each in _functions(text) if each.lineno <= line <= (each.end_lineno or each.lineno)]
    return max(around, key=lambda each: each.lineno, default=None)


def _is_generator(function: _Function) -> bool:
    stack: list[ast.AST] = list(function.body)
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            stack += ast.iter_child_nodes(node)
    return False
