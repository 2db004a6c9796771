"""The files of a documentation page, made in a folder of their own and imported from there."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.adapter.integrations.pages import write_files


class Recipe:
    """A page's files, in a folder that Python imports from."""

    def __init__(self, page: str, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self.files = write_files(f"frameworks/{page}", folder)
        for name in self.files:
            sys.modules.pop(Path(name).stem, None)
        importlib.invalidate_caches()

    def load(self, module: str) -> ModuleType:
        """Import one of the files."""
        assert f"{module}.py" in self.files
        found = importlib.import_module(module)
        assert Path(str(found.__file__)).parent == self.folder
        return found

    def forget(self) -> None:
        """Let the next page have the same names."""
        for name in self.files:
            sys.modules.pop(Path(name).stem, None)


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Recipe]]:
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[Recipe] = []

    def make(page: str) -> Recipe:
        made.append(Recipe(page, tmp_path))
        return made[-1]

    yield make
    for one in made:
        one.forget()
