"""One file while its fixes are computed: its text, its libcst tree, and quick answers about both.

Everything is made when it is first asked for. Nodes are compared by identity; hold the `FixSource` as long as you hold a node.
"""

from __future__ import annotations

import ast
import bisect
import dataclasses
import functools
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar, cast

import libcst as cst

from asgiway_lint.config import Settings
from asgiway_lint.facts.positions import Position, positions
from asgiway_lint.facts.reader import quick_reading
from asgiway_lint.finding import Finding
from asgiway_lint.fixes.scopes import Scopes

__all__ = ["FixSource", "UnparsableError", "children"]

# Levels of the interpreter's tree; a call of a method takes two. libcst bears three times as many.
_DEEPEST = 1_200
_NEWLINE = re.compile(r"\r\n?|\n")
_Node = TypeVar("_Node", bound=cst.CSTNode)
_Answer = TypeVar("_Answer")


class UnparsableError(Exception):
    """libcst cannot parse the file, so nobody can say what an edit would do."""


class FixSource:
    """A source text and its tree.

    Args:
        text: decoded text without byte order mark.
        path: its absolute path (or `-`).
        settings: the settings that hold for it.

    Raises:
        UnparsableError: by everything that needs the tree.
    """

    def __init__(self, text: str, path: Path, settings: Settings) -> None:
        self.text = text
        self.path = path
        self.settings = settings
        self._memory: dict[object, object] = {}

    def memo(self, question: Callable[[FixSource], _Answer]) -> _Answer:
        """Return the answer to a question about the file, asked once; for the analyses of single fixers."""
        if question not in self._memory:
            self._memory[question] = question(self)
        return cast("_Answer", self._memory[question])

    @functools.cached_property
    def module(self) -> cst.Module:
        """The tree."""
        if _too_deep(self.text):
            raise UnparsableError("it is nested too deeply")
        try:
            with quick_reading():
                return cst.parse_module(self.text)
        except (cst.ParserSyntaxError, RecursionError, ValueError) as error:
            raise UnparsableError(str(error).partition("\n")[0]) from error

    @functools.cached_property
    def scopes(self) -> Scopes:
        """Which names are bound where."""
        return Scopes(self)

    # ---- places

    @functools.cached_property
    def _positions(self) -> dict[int, Position]:
        with quick_reading():
            return positions(self.module)

    @functools.cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in _NEWLINE.finditer(self.text))]

    def offset_of(self, line: int, column: int) -> int:
        """Return the offset of a place (line and column 1-based, in code points), at most the text's length."""
        starts = self._line_starts
        return min(starts[line - 1] + column - 1, len(self.text)) if line <= len(starts) else len(self.text)

    def line_of(self, offset: int) -> int:
        """Return the 1-based line of an offset."""
        return bisect.bisect_right(self._line_starts, offset)

    def line_start(self, offset: int) -> int:
        """Return the offset where the line of an offset starts."""
        return self._line_starts[self.line_of(offset) - 1]

    def indent_at(self, offset: int) -> str:
        """Return the white space that the line of an offset starts with."""
        start = self.line_start(offset)
        end = start
        while end < len(self.text) and self.text[end] in " \t\f":
            end += 1
        return self.text[start:end]

    @property
    def newline(self) -> str:
        """The line end that the text uses first; `\\n` if it has none."""
        match = _NEWLINE.search(self.text)
        return match[0] if match else "\n"

    def offset(self, node: cst.CSTNode) -> tuple[int, int]:
        """Return where an expression, statement or parenthesis starts and ends in the text; without parentheses around it.

        Raises:
            KeyError: it has no place of its own (white space, commas).
        """
        line, column, end_line, end_column = self._positions[id(node)]
        return self.offset_of(line, column + 1), self.offset_of(end_line, end_column + 1)

    def outer_offset(self, node: cst.BaseExpression) -> tuple[int, int]:
        """Return where an expression starts and ends, parentheses around it included."""
        start, end = self.offset(node)
        if node.lpar:
            start, end = self.offset(node.lpar[0])[0], self.offset(node.rpar[-1])[1]
        return start, end

    def code(self, node: cst.CSTNode) -> str:
        """Return the text of a node as it stands in the file, comments included; without parentheses around it."""
        start, end = self.offset(node)
        return self.text[start:end]

    # ---- nodes

    @functools.cached_property
    def _tree(self) -> tuple[list[cst.CSTNode], dict[int, cst.CSTNode]]:
        """All nodes, each before what is below it, and the node above each."""
        nodes: list[cst.CSTNode] = []
        parents: dict[int, cst.CSTNode] = {}
        stack: list[cst.CSTNode] = [self.module]
        while stack:
            node = stack.pop()
            nodes.append(node)
            below = children(node)
            for child in below:
                parents[id(child)] = node
            stack += reversed(below)
        return nodes, parents

    @functools.cached_property
    def _expressions(self) -> dict[Position, list[cst.BaseExpression]]:
        found: dict[Position, list[cst.BaseExpression]] = {}
        places = self._positions
        for node in self.nodes():
            if id(node) in places and isinstance(node, cst.BaseExpression):
                found.setdefault(places[id(node)], []).append(node)
        return found

    def nodes(self, root: cst.CSTNode | None = None) -> Iterator[cst.CSTNode]:
        """Yield a node (default: the module) and everything below it, each before what is below it."""
        if root is None:
            yield from self._tree[0]
            return
        stack = [root]
        while stack:
            node = stack.pop()
            yield node
            stack += reversed(children(node))

    def find(self, kind: type[_Node], root: cst.CSTNode | None = None) -> Iterator[_Node]:
        """Yield the nodes of one type; sort them by `offset` where their order matters."""
        return (node for node in self.nodes(root) if isinstance(node, kind))

    def node_at(self, finding: Finding) -> cst.BaseExpression | None:
        """Return the expression that a finding marks; None if it marks something else."""
        place = (finding.line, finding.column - 1, finding.end_line, finding.end_column - 1)
        found = self._expressions.get(place, ())
        return found[0] if found else None

    def call_at(self, finding: Finding) -> cst.Call | None:
        """Return the call that a finding marks; None if it marks something else."""
        node = self.node_at(finding)
        return node if isinstance(node, cst.Call) else None

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """Return the node directly above; None for the module."""
        return self._tree[1].get(id(node))

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yield the nodes above, nearest first, the module last."""
        parents = self._tree[1]
        above = parents.get(id(node))
        while above is not None:
            yield above
            above = parents.get(id(above))

    def enclosing(self, node: cst.CSTNode, *kinds: type[_Node]) -> _Node | None:
        """Return the nearest node above of one of these types."""
        return next((above for above in self.ancestors(node) if isinstance(above, kinds)), None)

    def enclosing_function(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """Return the function in whose body a node stands (lambdas do not count; nor does the function of a default or decorator)."""
        below = node
        for above in self.ancestors(node):
            if isinstance(above, cst.FunctionDef) and below is above.body:
                return above
            below = above
        return None

    def statement(self, node: cst.CSTNode) -> cst.BaseStatement | None:
        """Return the statement (a simple line or a compound one) that a node stands in."""
        if isinstance(node, cst.BaseStatement):
            return node
        return next((above for above in self.ancestors(node) if isinstance(above, cst.BaseStatement)), None)

    def resolve(self, node: cst.CSTNode) -> str:
        """Return the dotted name of a `Name` or `Attribute` through the file's imports: `requests.exceptions.Timeout`.

        Builtins are `builtins.x`. Empty if any of it is bound to something else, or in several ways.
        """
        if isinstance(node, cst.Name):
            return self.scopes.dotted(node)
        if isinstance(node, cst.Attribute):
            base = self.resolve(node.value)
            return f"{base}.{node.attr.value}" if base else ""
        return ""


def _too_deep(text: str) -> bool:
    """Whether libcst's parser would overflow its stack, and end the process: it asks nobody how deep it may go."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except SyntaxError:
        return False  # newer than the interpreter
    except (ValueError, RecursionError, MemoryError):
        return True
    level: list[ast.AST] = [tree]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return False
    return True


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """Return the nodes directly below, in order of the fields, white space included."""
    found: list[cst.CSTNode] = []
    for name in _fields(type(node)):
        value: object = getattr(node, name)
        if _is_node(value):
            found.append(cast("cst.CSTNode", value))
        elif isinstance(value, (tuple, list)):
            found += [cast("cst.CSTNode", item) for item in cast("Sequence[object]", value) if _is_node(item)]
    return found


# Asking an abstract class takes four times as long as remembering its answer.
_NODES: dict[type[object], bool] = {}


def _is_node(value: object) -> bool:
    kind = value.__class__
    known = _NODES.get(kind)
    if known is None:
        known = _NODES[kind] = issubclass(kind, cst.CSTNode)
    return known


@functools.cache
def _fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))
