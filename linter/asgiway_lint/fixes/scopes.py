"""Which names are bound where in a libcst tree: what an import gives, what something else takes.

The engine has such a table for its facts; fixes need one of the tree that they edit, with the statements that bind.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import libcst as cst

if TYPE_CHECKING:
    from asgiway_lint.fixes.source import FixSource

__all__ = ["Bound", "ScopeNode", "Scopes", "Table", "dotted_text", "is_typing_only"]

ScopeNode = (
    cst.Module
    | cst.FunctionDef
    | cst.ClassDef
    | cst.Lambda
    | cst.ListComp
    | cst.SetComp
    | cst.DictComp
    | cst.GeneratorExp
)
_BINDING = frozenset(
    [
        *(cst.Global, cst.Nonlocal, cst.Import, cst.ImportFrom, cst.Param, cst.FunctionDef, cst.ClassDef),
        *(cst.Assign, cst.Del, cst.AnnAssign, cst.AugAssign, cst.For, cst.CompFor, cst.NamedExpr, cst.AsName),
        *(cst.MatchAs, cst.MatchStar, cst.MatchMapping, cst.TypeVar, cst.TypeVarTuple, cst.ParamSpec, cst.TypeAlias),
    ]
)
_COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)


@dataclass(frozen=True, slots=True)
class Bound:
    """One binding of a name.

    Args:
        dotted: what an absolute import binds (`anyio.Path`; of `import a.b` it is `a`); empty for everything else.
        node: the node that binds: an import statement, or the `Name` (parameter, `def`, `class` ...).
        typing_only: under `if TYPE_CHECKING:`, so not there at run time.
    """

    dotted: str
    node: cst.CSTNode
    typing_only: bool = False


@dataclass(slots=True)
class Table:
    """The names of one scope.

    Args:
        node: the scope.
        parent: the scope around it.
        names: name -> its bindings.
        outer: names that `global` or `nonlocal` hand to another scope -> whether it is `global`.
        star: whether it has a `from m import *`.
    """

    node: ScopeNode
    parent: Table | None
    names: dict[str, list[Bound]] = field(default_factory=dict[str, list[Bound]])
    outer: dict[str, bool] = field(default_factory=dict[str, bool])
    star: bool = False


class Scopes:
    """The tables of a file."""

    def __init__(self, source: FixSource) -> None:
        self._source = source
        self._tables: dict[int, Table] = {}
        self.module: Table = self._table(source.module, None)
        for node in source.nodes():
            if type(node) in _BINDING:
                self._bind(node)

    def of(self, node: cst.CSTNode) -> Table:
        """Return the scope that evaluates a node: for defaults, decorators and first iterables the one around theirs."""
        below = node
        left: cst.CSTNode | None = None
        for above in self._source.ancestors(node):
            if isinstance(above, ScopeNode) and above is not left and _inside(above, below):
                known = self._tables.get(id(above))
                return known if known is not None else self._table(above, self.of(above))
            if isinstance(above, cst.CompFor) and below is above.iter:
                left = self._source.parent(above)  # the first iterable; a further one stands below another CompFor
            below = above
        return self.module

    def lookup(self, name: str, node: cst.CSTNode) -> tuple[Table, list[Bound]] | None:
        """Return the scope in which a name is found from a node, and its bindings there; None if nobody binds it."""
        table: Table | None = self.of(node)
        first = True
        while table is not None:
            if name in table.outer:
                table = self.module if table.outer[name] else _function_above(table, name)
                first = False
                continue
            if name in table.names and (first or not isinstance(table.node, cst.ClassDef)):
                return table, table.names[name]
            table, first = table.parent, False
        return None

    def dotted(self, node: cst.Name) -> str:
        """Return what a name stands for, if imports (or builtins) alone decide; else empty."""
        found = self.lookup(node.value, node)
        if found is None:
            known = hasattr(builtins, node.value) and not self.module.star
            return f"builtins.{node.value}" if known else ""
        names = {bound.dotted for bound in found[1]}
        return names.pop() if len(names) == 1 else ""

    # ---- making the tables

    def _table(self, node: ScopeNode, parent: Table | None) -> Table:
        known = self._tables.get(id(node))
        if known is None:
            known = self._tables[id(node)] = Table(node, parent)
        return known

    def _add(self, table: Table, name: str, bound: Bound) -> None:
        if name in table.outer:
            home = self.module if table.outer[name] else _function_above(table, name)
            table = home or self.module
        table.names.setdefault(name, []).append(bound)

    def _names(self, target: cst.CSTNode, table: Table) -> None:
        for name in _target_names(target):
            self._add(table, name.value, Bound("", name))

    def _bind(self, node: cst.CSTNode) -> None:
        if isinstance(node, (cst.Global, cst.Nonlocal)):
            table = self.of(node)
            for item in node.names:
                table.outer[item.name.value] = isinstance(node, cst.Global)
        elif isinstance(node, (cst.Import, cst.ImportFrom)):
            self._imports(node)
        elif isinstance(node, cst.Param):
            function = self._source.enclosing(node, cst.FunctionDef, cst.Lambda)
            assert isinstance(function, (cst.FunctionDef, cst.Lambda))
            self._add(self._table(function, self.of(function)), node.name.value, Bound("", node.name))
        elif isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            self._table(node, self.of(node))
            self._add(self.of(node), node.name.value, Bound("", node))
        elif isinstance(node, (cst.Assign, cst.Del)):
            targets = [each.target for each in node.targets] if isinstance(node, cst.Assign) else [node.target]
            for target in targets:
                self._names(target, self.of(node))
        elif isinstance(node, (cst.AnnAssign, cst.AugAssign, cst.For)):
            self._names(node.target, self.of(node))
        elif isinstance(node, cst.CompFor):
            home = self._source.enclosing(node, *_COMPREHENSIONS)
            assert isinstance(home, _COMPREHENSIONS)
            self._names(node.target, self._table(home, self.of(home)))
        elif isinstance(node, cst.NamedExpr):
            table = self.of(node)
            while isinstance(table.node, _COMPREHENSIONS) and table.parent is not None:
                table = table.parent
            self._names(node.target, table)
        elif isinstance(node, cst.AsName):
            if not isinstance(self._source.parent(node), cst.ImportAlias):
                self._names(node.name, self.of(node))
        elif isinstance(node, (cst.MatchAs, cst.MatchStar, cst.MatchMapping)):
            captured = node.rest if isinstance(node, cst.MatchMapping) else node.name
            if captured is not None:
                self._add(self.of(node), captured.value, Bound("", captured))
        elif isinstance(node, (cst.TypeVar, cst.TypeVarTuple, cst.ParamSpec, cst.TypeAlias)):
            self._add(self.of(node), node.name.value, Bound("", node.name))

    def _imports(self, node: cst.Import | cst.ImportFrom) -> None:
        table, typing_only = self.of(node), is_typing_only(self._source, node)
        module = ""
        if isinstance(node, cst.ImportFrom):
            module = "" if node.relative or node.module is None else dotted_text(node.module)
            if isinstance(node.names, cst.ImportStar):
                table.star = True
                return
        assert not isinstance(node.names, cst.ImportStar)
        for alias in node.names:
            name = dotted_text(alias.name)
            asname = alias.asname.name if alias.asname is not None else None
            if isinstance(node, cst.ImportFrom):
                dotted = f"{module}.{name}" if module else ""
                bound = asname.value if isinstance(asname, cst.Name) else name
            elif isinstance(asname, cst.Name):
                dotted, bound = name, asname.value
            else:
                dotted = bound = name.partition(".")[0]
            self._add(table, bound, Bound(dotted, node, typing_only))


def dotted_text(node: cst.CSTNode) -> str:
    """Return `a.b.c` for the names of an import or an attribute chain; empty if it is anything else."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        base = dotted_text(node.value)
        return f"{base}.{node.attr.value}" if base else ""
    return ""


def is_typing_only(source: FixSource, node: cst.CSTNode) -> bool:
    """Whether a statement stands under `if TYPE_CHECKING:`."""
    below = node
    for above in source.ancestors(node):
        if isinstance(above, cst.If) and below is above.body:
            test = dotted_text(above.test)
            if test in ("TYPE_CHECKING", "typing.TYPE_CHECKING", "t.TYPE_CHECKING"):
                return True
        below = above
    return False


def _inside(scope: ScopeNode, below: cst.CSTNode) -> bool:
    """Whether what stands directly below a scope's node is evaluated in the scope, and not in the one around it."""
    return not isinstance(scope, (cst.FunctionDef, cst.ClassDef, cst.Lambda)) or below is scope.body


def _function_above(table: Table, name: str) -> Table | None:
    above = table.parent
    while above is not None:
        if isinstance(above.node, (cst.FunctionDef, cst.Lambda)) and name in above.names:
            return above
        above = above.parent
    return None


def _target_names(target: cst.CSTNode) -> Iterator[cst.Name]:
    if isinstance(target, cst.Name):
        yield target
    elif isinstance(target, (cst.Tuple, cst.List)):
        for element in target.elements:
            yield from _target_names(element.value)
    elif isinstance(target, (cst.Element, cst.StarredElement)):
        yield from _target_names(target.value)
