"""How the new code of one function names what it needs of httpx (or httpx2)."""

from __future__ import annotations

import re
from collections.abc import Iterable

import libcst as cst

from asgiway_lint.fixes.httpx.arguments import Unfit
from asgiway_lint.fixes.imports import reference
from asgiway_lint.fixes.model import Edit, NeededImport
from asgiway_lint.fixes.source import FixSource

__all__ = ["Spelling"]

_WORD = re.compile(r"\w+")


class Spelling:
    """Spells names at one place, and remembers the imports that they need.

    Args:
        source: the file.
        node: the place.
        module: `httpx` or `httpx2`.
    """

    def __init__(self, source: FixSource, node: cst.CSTNode, module: str) -> None:
        self._source = source
        self._node = node
        self.module = module
        self._imports: set[NeededImport] = set()

    def __call__(self, name: str) -> str:
        """Return how to write a name of the library: `AsyncClient` is `httpx.AsyncClient`.

        Raises:
            Unfit: everything that it could be called means something else here.
        """
        return self._spell(self.module, name)

    def dotted(self, name: str) -> str:
        """Return how to write a class of the tables: `httpx.HTTPError`, `json.JSONDecodeError`."""
        module, _, last = name.rpartition(".")
        if module == "builtins":
            return last
        return self._spell(self.module if module == "httpx" else module, last)

    def imports_of(self, edits: Iterable[Edit]) -> tuple[NeededImport, ...]:
        """Return the imports that edits need: what is refused in the end may have asked for others."""
        words = {word for edit in edits for word in _WORD.findall(edit.text)}
        return tuple(sorted(each for each in self._imports if each.binding in words))

    def _spell(self, module: str, name: str) -> str:
        found = reference(self._source, self._node, module, name)
        if found is None:
            raise Unfit(f"`{module}` means something else here")
        self._imports.update(found.imports)
        return found.text
