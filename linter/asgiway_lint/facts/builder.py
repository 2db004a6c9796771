"""The growing record of a module: scopes, blocks, bindings and events, in order of evaluation.

Knows nothing of syntax but line and column; `expressions` and `collector` build on it.
"""

from __future__ import annotations

import ast

from asgiway_lint.facts.model import (
    ARM_ENDS,
    ATTR,
    NAME,
    AttributeBinding,
    Binding,
    Call,
    Event,
    Expr,
    Param,
    Result,
    Scope,
    new_tuple,
)
from asgiway_lint.facts.text import Columns

__all__ = ["FUNCTIONS", "Builder", "ScopeBuilder"]

FUNCTIONS = ("def", "async", "lambda")

_SHARED = (NAME, ATTR)


class ScopeBuilder:
    """A scope that is still being filled; `finish` makes the record."""

    __slots__ = (
        "annotation", "attributes", "bases", "bindings", "block", "body", "column", "decorators", "elsewhere", "generator",
        "index", "keywords", "kind", "line", "name", "outer", "params", "qualname", "results", "seq", "stars", "yields",
    )  # fmt: skip

    def __init__(
        self,
        index: int,
        kind: str,
        name: str,
        outer: ScopeBuilder | None,
        seq: int,
        block: int,
        body: int,
        line: int,
        column: int,
    ) -> None:
        self.index: int = index
        self.kind: str = kind
        self.name: str = name
        self.outer: ScopeBuilder | None = outer
        prefix = outer.qualname if outer is not None else ""
        self.qualname: str = f"{prefix}.{name}" if prefix and name else prefix or name
        self.seq: int = seq
        self.block: int = block
        self.body: int = body
        self.line: int = line
        self.column: int = column
        self.decorators: tuple[Expr, ...] = ()
        self.params: tuple[Param, ...] = ()
        self.annotation: Expr | None = None
        self.bases: tuple[Expr, ...] = ()
        self.keywords: tuple[tuple[str | None, Expr], ...] = ()
        self.generator: bool = False
        self.bindings: dict[str, list[Binding]] = {}
        self.attributes: list[AttributeBinding] = []
        self.results: list[Result] = []
        self.yields: list[Result] = []
        self.stars: list[tuple[int, int, str, int]] = []
        self.elsewhere: dict[str, ScopeBuilder] = {}  # names declared global or nonlocal, and the scope that holds them

    def finish(self) -> Scope:
        """The finished record."""
        finished: Scope = new_tuple(
            Scope,
            (
                self.kind,
                self.name,
                self.qualname,
                self.outer.index if self.outer is not None else -1,
                self.seq,
                self.block,
                self.line,
                self.column,
                self.decorators,
                self.params,
                self.annotation,
                self.bases,
                self.keywords,
                self.generator,
                {name: tuple(found) for name, found in self.bindings.items()},
                tuple(self.attributes),
                tuple(self.results),
                tuple(self.yields),
                tuple(self.stars),
                self.body,
            ),
        )
        return finished


class Builder:
    """What has been collected so far, and where the walk is.

    Args:
        columns: turns the tree's offsets into columns.
    """

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.trivial: bool = columns.trivial
        self.scopes: list[ScopeBuilder] = []
        self.blocks: list[list[int]] = [[-1, 0, 0]]
        self.guards: dict[int, tuple[tuple[str, str], ...]] = {}
        self.calls: list[Call] = []
        self.events: list[Event] = []
        self.block: int = 0
        self.seq: int = 0
        self.groups = 0
        self.scope: ScopeBuilder = ScopeBuilder(0, "module", "", None, 0, 0, 0, 1, 1)
        self.scopes.append(self.scope)
        # One object for equal names and attributes: less memory, smaller cache entries.
        self.names: dict[str, Expr] = {}
        self._attributes: dict[tuple[int, str], Expr] = {}

    def open_block(self, group: int = 0, flags: int = 0) -> int:
        """Begin a block inside the current one; returns the latter for `close_block`."""
        outer = self.block
        self.block = len(self.blocks)
        self.blocks.append([outer, group, flags])
        return outer

    def close_block(self, outer: int, ends: bool = False) -> bool:
        """End the current block; `ends` says that control never reaches its end, and is handed back."""
        if ends:
            self.blocks[self.block][2] |= ARM_ENDS
        self.block = outer
        return ends

    def enter_scope(self, kind: str, name: str, node: ast.expr | ast.stmt) -> tuple[ScopeBuilder, int]:
        """Begin a scope inside the current one; returns what `leave_scope` needs."""
        outer_scope, outer_block = self.scope, self.block
        self.seq += 1
        self.open_block()
        scope = ScopeBuilder(
            len(self.scopes),
            kind,
            name,
            outer_scope,
            self.seq,
            outer_block,
            self.block,
            node.lineno,
            self.columns.column(node.lineno, node.col_offset),
        )
        self.scopes.append(scope)
        self.scope = scope
        return outer_scope, outer_block

    def leave_scope(self, outer: tuple[ScopeBuilder, int]) -> int:
        """End the current scope; returns its index."""
        index = self.scope.index
        self.scope = outer[0]
        self.block = outer[1]
        return index

    def bind(self, name: str, kind: str, a: object, b: object = None) -> None:
        """Record a binding of a name, in the scope that holds the name."""
        self.seq += 1
        scope = self.scope
        if scope.elsewhere:
            scope = scope.elsewhere.get(name, scope)
        binding = new_tuple(Binding, (self.seq, self.block, kind, a, b))
        found = scope.bindings.get(name)
        if found is None:
            scope.bindings[name] = [binding]
        else:
            found.append(binding)

    def event(self, kind: str, expr: Expr, node: ast.expr | ast.stmt) -> None:
        """Record an event at the place of `node`."""
        self.seq = seq = self.seq + 1
        line = node.lineno
        end_line = node.end_lineno or line
        if self.trivial:
            column = node.col_offset + 1
            end_column = (node.end_col_offset or node.col_offset) + 1
        else:
            column = self.columns.column(line, node.col_offset)
            end_column = self.columns.column(end_line, node.end_col_offset or node.col_offset)
        self.events.append(
            new_tuple(Event, (kind, expr, self.scope.index, self.block, seq, line, column, end_line, end_column))
        )

    def name(self, name: str) -> Expr:
        """``name``"""
        found = self.names.get(name)
        if found is None:
            found = self.names[name] = (NAME, name)
        return found

    def attribute(self, base: Expr, name: str) -> Expr:
        """``base.name``"""
        if base[0] not in _SHARED:
            return (ATTR, base, name)
        key = (id(base), name)  # what it is the number of lives on in the value
        found = self._attributes.get(key)
        if found is None:
            found = self._attributes[key] = (ATTR, base, name)
        return found
