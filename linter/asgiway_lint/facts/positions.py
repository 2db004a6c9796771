"""Places of the nodes of a libcst tree, in one pass over its tokens.

libcst's own provider copies the tree and builds an object per node and whitespace (6,000 lines/s); this one keeps two pairs of
numbers for the nodes that the lowering asks for. Imported by `lowering` only.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

import libcst as cst
from libcst._nodes.internal import CodegenState

__all__ = ["Position", "positions"]

# (line, column, end line, end column): lines from 1, columns from 0, in code points.
Position = tuple[int, int, int, int]


class _State(CodegenState):
    """Writes the module into nothing and remembers where it was."""

    def __init__(self, module: cst.Module) -> None:
        super().__init__(default_indent=module.default_indent, default_newline=module.default_newline)
        self.line = 1
        self.column = 0
        self.found: dict[int, Position] = {}
        self.starts: dict[int, tuple[int, int]] = {}

    def add_indent_tokens(self) -> None:
        for token in self.indent_tokens:
            self.column += len(token)

    def add_token(self, value: str) -> None:
        if "\n" in value or "\r" in value:
            lines = value.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            self.line += len(lines) - 1
            self.column = len(lines[-1])
        else:
            self.column += len(value)

    def pop_trailing_newline(self) -> None:
        """Nothing was written, so there is nothing to take back."""

    def before_codegen(self, node: cst.CSTNode) -> None:
        if isinstance(node, cst.LeftParen):
            self.found[id(node)] = (self.line, self.column, self.line, self.column)

    def after_codegen(self, node: cst.CSTNode) -> None:
        if isinstance(node, cst.RightParen):
            self.found[id(node)] = (self.line, self.column, self.line, self.column)

    def record_syntactic_position(self, node: cst.CSTNode, **_: Any) -> Any:
        return _Span(self, node)


class _Span:
    __slots__ = ("_node", "_start", "_state")

    def __init__(self, state: _State, node: cst.CSTNode) -> None:
        self._state = state
        self._node = node

    def __enter__(self) -> None:
        self._start = (self._state.line, self._state.column)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        state = self._state
        state.found[id(self._node)] = (*self._start, state.line, state.column)


def positions(module: cst.Module) -> dict[int, Position]:
    """The place of each expression, statement and parenthesis, by the node's `id`; hold the module while you use it."""
    state = _State(module)
    module._codegen(state)  # pyright: ignore[reportPrivateUsage]  # the only way to a node's own text
    return state.found
