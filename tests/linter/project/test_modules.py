"""Which file an import means: decided by the file system and the source roots alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from asgiway_lint.project.modules import ModuleFinder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in (
        "app/__init__.py",
        "app/db.py",
        "app/sub/__init__.py",
        "app/sub/redis.py",
        "src/lib/__init__.py",
        "src/lib/x.py",
        "ns/inner/mod.py",
        "redis/data.json",
        "deep/er/still/main.py",
        "deep/er/helper.py",
        "both.py",
        "both/__init__.py",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return tmp_path


def find(project: Path, importer: str, module: str, level: int = 0) -> str | None:
    finder = ModuleFinder(str(project), [str(project), str(project / "src")])
    found = finder.find(str(project / importer), module, level)
    return None if found is None else found.path.removeprefix(f"{project}/")


@pytest.mark.parametrize(
    ("importer", "module", "level", "found"),
    [
        pytest.param("app/sub/redis.py", "app.db", 0, "app/db.py", id="absolute, from inside the package"),
        pytest.param("app/sub/redis.py", "app", 0, "app/__init__.py", id="a package"),
        pytest.param("app/sub/redis.py", "db", 2, "app/db.py", id="relative, two dots"),
        pytest.param("app/sub/redis.py", "", 1, "app/sub/__init__.py", id="from . import"),
        pytest.param("app/sub/redis.py", "", 2, "app/__init__.py", id="from .. import"),
        pytest.param("app/db.py", "sub.redis", 1, "app/sub/redis.py", id="relative, deeper"),
        pytest.param("app/db.py", "lib.x", 0, "src/lib/x.py", id="src layout"),
        pytest.param("app/db.py", "ns.inner.mod", 0, "ns/inner/mod.py", id="namespace package"),
        pytest.param("app/db.py", "redis", 0, None, id="a folder without Python hides no library"),
        pytest.param("app/sub/redis.py", "redis", 0, None, id="a module of the library's name means the library"),
        pytest.param("deep/er/still/main.py", "helper", 0, "deep/er/helper.py", id="any folder up to the root"),
        pytest.param("app/db.py", "both", 0, "both/__init__.py", id="a package before a module"),
        pytest.param("app/db.py", "requests", 0, None, id="a library"),
        pytest.param("app/db.py", "missing", 1, None, id="a relative import of nothing"),
        pytest.param("app/db.py", "app.db.deeper", 0, None, id="a module has no submodules"),
        pytest.param("app/db.py", "x", 9, None, id="more dots than folders"),
    ],
)
def test_find(project: Path, importer: str, module: str, level: int, found: str | None) -> None:
    assert find(project, importer, module, level) == found


def test_files_that_exist_only_in_memory_are_found(tmp_path: Path) -> None:
    finder = ModuleFinder(str(tmp_path), [str(tmp_path)], [str(tmp_path / "new.py")])
    found = finder.find(str(tmp_path / "a.py"), "new", 0)
    assert found is not None
    assert found.path == str(tmp_path / "new.py")


def test_dotted_names_count_from_the_outermost_package(project: Path) -> None:
    finder = ModuleFinder(str(project), [])
    assert finder.dotted(str(project / "app/sub/redis.py")) == "app.sub.redis"
    assert finder.dotted(str(project / "app/__init__.py")) == "app"
    assert finder.dotted(str(project / "both.py")) == "both"


@pytest.mark.parametrize(
    ("importer", "module", "found"),
    [
        pytest.param("pkg/gap/mod.py", "pkg.db", "pkg/db.py", id="a folder without __init__.py inside a package"),
        pytest.param("pkg/gap/sub/mod.py", "pkg.gap.mod", "pkg/gap/mod.py", id="through that folder"),
        pytest.param("pkg/parts/redis/mod.py", "redis", None, id="a part that is named after a library"),
        pytest.param("plain/gap/mod.py", "plain.db", None, id="a folder of that name that is no package"),
    ],
)
def test_a_package_is_found_from_all_that_lies_in_it_wherever_the_run_was_started(
    tmp_path: Path, importer: str, module: str, found: str | None
) -> None:
    for name in (
        "pkg/__init__.py",
        "pkg/db.py",
        "pkg/gap/mod.py",
        "pkg/gap/sub/__init__.py",
        "pkg/gap/sub/mod.py",
        "pkg/parts/__init__.py",
        "pkg/parts/redis/__init__.py",
        "pkg/parts/redis/mod.py",
        "plain/db.py",
        "plain/gap/mod.py",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    elsewhere = str(tmp_path / "elsewhere")
    module_found = ModuleFinder(elsewhere, [elsewhere]).find(str(tmp_path / importer), module, 0)
    assert (module_found and module_found.path) == (found and str(tmp_path / found))
