"""What a FastAPI dependency gives, by the annotation of its function, which may stand in another file of the project."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import libcst as cst

from asgiway_lint.facts.text import decode
from asgiway_lint.fixes.scopes import dotted_text
from asgiway_lint.fixes.source import FixSource, UnparsableError
from asgiway_lint.project.modules import ModuleFinder

__all__ = ["gives_asynchronous"]

_ASYNC: Final = frozenset(["sqlalchemy.ext.asyncio.AsyncSession", "sqlmodel.ext.asyncio.session.AsyncSession"])
_DEEPEST: Final = 5  # re-exports


def gives_asynchronous(source: FixSource, dependency: cst.BaseExpression) -> bool:
    """Whether the annotation of a dependency says `AsyncSession`, or an iterator of such."""
    found = _function(source, dependency, _DEEPEST)
    if found is None:
        return False
    home, function = found
    result = function.returns.annotation if function.returns is not None else None
    if isinstance(result, cst.Subscript) and isinstance(result.slice[0].slice, cst.Index):
        result = result.slice[0].slice.value  # AsyncIterator[AsyncSession]
    return result is not None and home.resolve(result) in _ASYNC


def _function(source: FixSource, node: cst.BaseExpression, depth: int) -> tuple[FixSource, cst.FunctionDef] | None:
    """The function that an expression names, and its file."""
    if isinstance(node, cst.Attribute):
        module, _, name = source.resolve(node).rpartition(".")
        return _imported(source, module, 0, name, depth) if module else None
    if not isinstance(node, cst.Name):
        return None
    found = source.scopes.lookup(node.value, node)
    if found is None or len(found[1]) != 1:
        return None
    bound = found[1][0].node
    if isinstance(bound, cst.FunctionDef):
        return source, bound
    return _through(source, bound, node.value, depth)


def _through(source: FixSource, bound: cst.CSTNode, name: str, depth: int) -> tuple[FixSource, cst.FunctionDef] | None:
    """The function that `from module import name` brings."""
    if not isinstance(bound, cst.ImportFrom) or isinstance(bound.names, cst.ImportStar):
        return None
    for alias in bound.names:
        known_as = alias.asname.name if alias.asname is not None else alias.name
        if isinstance(known_as, cst.Name) and known_as.value == name:
            module = dotted_text(bound.module) if bound.module is not None else ""
            return _imported(source, module, len(bound.relative), dotted_text(alias.name), depth)
    return None


def _imported(
    source: FixSource, module: str, level: int, name: str, depth: int
) -> tuple[FixSource, cst.FunctionDef] | None:
    if depth == 0:
        return None
    settings = source.settings
    finder = ModuleFinder(str(settings.root), [str(folder) for folder in settings.src])
    found = finder.find(str(source.path), module, level)
    if found is None or not found.path:
        return None
    try:
        text = decode(Path(found.path).read_bytes()).removeprefix("\ufeff")
        other = FixSource(text, Path(found.path), settings)
        bounds = other.scopes.module.names.get(name, [])
    except (OSError, SyntaxError, UnparsableError):
        return None  # then nobody can say what it gives
    if len(bounds) != 1:
        return None
    if isinstance(bounds[0].node, cst.FunctionDef):
        return other, bounds[0].node
    return _through(other, bounds[0].node, name, depth - 1)
