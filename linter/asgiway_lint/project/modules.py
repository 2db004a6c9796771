"""Which file of the project an import means.

Decided by the file system and the source roots alone, never by the list of files under check: a finding must be the same
whether one file is named or all of them. Installed packages are not looked for: whatever is not in the project is external.
"""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["Module", "ModuleFinder", "absolute", "parent", "whole"]

_INIT: Final = "__init__.py"
# The standard library is a library also where somebody checks it: the catalogue knows what it does.
_STANDARD: Final = frozenset({sysconfig.get_paths()["stdlib"], sysconfig.get_paths()["platstdlib"]})


def absolute(path: str) -> str:
    """The path from the root on, without ``.`` and ``..``, symbolic links as they are: one file has one such name."""
    return os.path.abspath(path)


def whole(path: str) -> str:
    """The name in edges for all of a file, rather than for what its importers see of it."""
    return f"{path}{os.sep}*"


def parent(path: str) -> str:
    """The folder around a file or folder."""
    return path.rpartition(os.sep)[0]


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the project.

    Attributes:
        path: its file; ``""`` for a namespace package.
        folder: where its submodules lie; ``""`` for a module that is no package.
    """

    path: str
    folder: str


class ModuleFinder:
    """Finds modules; remembers folders for as long as it lives, so make one per run.

    Args:
        root: the project's folder: roots are looked for from a file's folder up to here.
        sources: configured source roots, absolute, most important first.
        extra: paths of files that exist only in memory.
    """

    def __init__(self, root: str, sources: Iterable[str], extra: Iterable[str] = ()) -> None:
        self._root = root
        self._sources = tuple(sources)
        self._folders: dict[str, frozenset[str]] = {}
        self._roots: dict[str, tuple[str, ...]] = {}
        self._found: dict[tuple[str, str], Module | None] = {}
        self._edges: dict[tuple[str, str], None] = {}
        self._extra: dict[str, set[str]] = {}
        for path in extra:
            folder, _, name = path.rpartition(os.sep)
            self._extra.setdefault(folder, set()).add(name)

    def folders(self) -> Mapping[str, frozenset[str]]:
        """The folders that have been looked into so far, and the names in them; in the order of looking."""
        return self._folders

    @property
    def root(self) -> str:
        """The project's folder."""
        return self._root

    def names(self, folder: str) -> frozenset[str]:
        """The names in a folder; none if it is no folder."""
        return self._list(folder)

    def edges(self) -> Mapping[tuple[str, str], None]:
        """From which file (or package) to which one imports have led so far; in the order of asking.

        Whoever looks into a module got it from here, or said so by `tie`: what a file's findings rest on lies along these edges.
        """
        return self._edges

    def tie(self, path: str, other: str) -> None:
        """Record that findings in the file (or about the folder) `path` rest on the whole of another file, imported or not."""
        self._edges[path, other] = None
        self._edges[path, whole(other)] = None

    def find(self, importer: str, module: str, level: int) -> Module | None:
        """The module that ``from <level dots><module> import ...`` means in the file `importer`; None if not in the project."""
        found = self.locate(importer, module, level)
        if found is not None:
            self._edges[importer, found.path or found.folder] = None
        return found

    def locate(self, importer: str, module: str, level: int) -> Module | None:
        """What `find` finds, for somebody who does not look into it."""
        folder = importer.rpartition(os.sep)[0]
        if level:
            for _ in range(level - 1):
                folder = folder.rpartition(os.sep)[0]
            return self._walk(folder, module) if module else self._package(folder)
        key = (folder, module)
        if key not in self._found:
            self._found[key] = self._absolute(folder, module)
        found = self._found[key]
        if found is not None and found.path == importer:
            # redis.py that says `import redis` means the library (and would not work if it were run as a script).
            return None
        return found

    def submodule(self, module: Module, name: str) -> Module | None:
        """The module `name` inside the package `module`, or None."""
        found = self._walk(module.folder, name) if module.folder else None
        if found is not None:
            self._edges[module.path or module.folder, found.path or found.folder] = None
        return found

    def dotted(self, path: str) -> str:
        """The dotted name of a file under its nearest root, for people to read."""
        folder, _, name = path.rpartition(os.sep)
        parts = [] if name == _INIT else [name.removesuffix(".py")]
        while _INIT in self._list(folder):
            folder, _, name = folder.rpartition(os.sep)
            parts.append(name)
        return ".".join(reversed(parts))

    def _absolute(self, folder: str, module: str) -> Module | None:
        for root in self._search_path(folder):
            if root in _STANDARD:
                continue
            found = self._walk(root, module)
            # A folder without Python in it must not hide a library of the same name.
            if found is not None and found.path:
                return found
        return self._around(folder, module)

    def _around(self, folder: str, module: str) -> Module | None:
        """The module in the outermost package around a folder, if that has the name: a folder without ``__init__.py`` in
        between is a part of it, wherever the project's folder is."""
        name = f"{os.sep}{module.partition('.')[0]}{os.sep}"
        place = f"{folder}{os.sep}".find(name)
        while place >= 0:
            package, outer = folder[: place + len(name) - 1], folder[:place]
            if _INIT in self._list(package) and _INIT not in self._list(outer):
                return self._walk(outer, module)
            place = f"{folder}{os.sep}".find(name, place + 1)
        return None

    def _search_path(self, folder: str) -> tuple[str, ...]:
        known = self._roots.get(folder)
        if known is not None:
            return known
        top = folder
        while _INIT in self._list(top) and os.sep in top:
            top = top.rpartition(os.sep)[0]
        roots = [top, *self._sources]
        # Packages without __init__.py: any folder between the file and the project's own may be the root.
        while top.startswith(self._root + os.sep):
            top = top.rpartition(os.sep)[0]
            roots.append(top)
        known = self._roots[folder] = tuple(dict.fromkeys(roots))
        return known

    def _walk(self, folder: str, dotted: str) -> Module | None:
        module: Module | None = None
        for part in dotted.split("."):
            if not folder:
                return None
            names = self._list(folder)
            inner = f"{folder}{os.sep}{part}"
            if part in names and _INIT in self._list(inner):
                module = Module(f"{inner}{os.sep}{_INIT}", inner)
            elif f"{part}.py" in names:
                module = Module(f"{inner}.py", "")
            elif part in names and self._list(inner):
                module = Module("", inner)
            else:
                return None
            folder = module.folder
        return module

    def _package(self, folder: str) -> Module | None:
        names = self._list(folder)
        if _INIT in names:
            return Module(f"{folder}{os.sep}{_INIT}", folder)
        return Module("", folder) if names else None

    def _list(self, folder: str) -> frozenset[str]:
        known = self._folders.get(folder)
        if known is None:
            try:
                names = os.listdir(folder or os.sep)
            except OSError:  # no folder, or not ours to read: nothing can be imported from it
                names = []
            known = self._folders[folder] = frozenset(names).union(self._extra.get(folder, ()))
        return known
