"""Which settings hold for a file in an editor: as for the command line, with the workspace's folder as the current one.

A file outside of every folder of the workspace counts from its own folder. A configuration that makes no sense does not end the
server: it is complained of once, and the last one that did make sense goes on.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from asgiway_lint.config import Layer, Settings
from asgiway_lint.configfiles import Resolver
from asgiway_lint.errors import ConfigError
from asgiway_lint.filtering import rule_codes
from asgiway_lint.project.modules import parent

__all__ = ["Places"]

_INSTALLED = frozenset({"site-packages", "dist-packages"})


@dataclass(slots=True)
class Places:
    """Settings by path.

    Args:
        overrides: layers above any file, lowest first.
        complaints: where sentences about bad configurations are put.
        folders: absolute folders of the workspace.
    """

    overrides: tuple[Layer, ...]
    complaints: list[str]
    folders: tuple[str, ...] = ()
    _resolvers: dict[str, Resolver] = field(default_factory=dict[str, Resolver])
    _good: dict[str, Settings] = field(default_factory=dict[str, Settings])

    def forget(self) -> None:
        """Configuration files may have changed."""
        self._resolvers.clear()

    def settings(self, path: str) -> Settings:
        """The settings of a file (absolute path)."""
        root = self._root(path)
        folder = parent(path)
        if root not in self._resolvers:
            self._resolvers[root] = Resolver(Path(root), rule_codes(), self.overrides)
        try:
            found = self._resolvers[root].for_folder(Path(folder))
        except ConfigError as error:
            self.complaints.append(str(error))
            return self._good.get(folder) or Settings.from_layers(Path(root), self.overrides)
        self._good[folder] = found
        return found

    def excluded(self, path: str, settings: Settings) -> bool:
        """Whether a file is none of ours: excluded by its settings, or somebody's installed package."""
        if self._folder(path) is None and settings.source is None:
            return not _INSTALLED.isdisjoint(Path(path).parts)
        posix, root = path.replace(os.sep, "/"), str(settings.root).replace(os.sep, "/")
        return any(glob.covers(posix, root) for glob in settings.exclude)

    def _root(self, path: str) -> str:
        return self._folder(path) or parent(path)

    def _folder(self, path: str) -> str | None:
        """The innermost folder of the workspace that a file is in."""
        around = [folder for folder in self.folders if path.startswith(folder.rstrip(os.sep) + os.sep)]
        return max(around, key=len, default=None)
