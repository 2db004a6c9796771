"""Reports of an unchanged run come from the cache; of a changed one never."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from asgiway_lint import __version__
from asgiway_lint.analysis import warm
from asgiway_lint.analysis.check import check_module
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.run import FileReport, check_files
from asgiway_lint.config import NamePattern, Settings
from asgiway_lint.facts import Facts
from asgiway_lint.finding import Finding
from asgiway_lint.project.cache import FactsCache

APP = "from helpers.io import load\n\nasync def f():\n    load()  # noqa: AW999\n"
HELPER = "import time\n\ndef load():\n    time.sleep(1)\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "helpers").mkdir()
    (tmp_path / "helpers" / "__init__.py").write_text("")
    (tmp_path / "helpers" / "io.py").write_text(HELPER)
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def check(project: Path, *, jobs: int = 1, **options: object) -> list[FileReport]:
    settings = Settings(root=project, src=(project,), cache_dir=project / ".cache", **options)  # type: ignore[arg-type]
    return list(check_files([project / "app.py"], lambda _: settings, jobs=jobs))


@pytest.fixture
def analysed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were analysed, not recalled."""
    seen: list[str] = []

    def counted(evaluator: Evaluator, path: str, facts: Facts, settings: Settings) -> tuple[Finding, ...]:
        seen.append(Path(path).name)
        return check_module(evaluator, path, facts, settings)

    monkeypatch.setattr("asgiway_lint.analysis.session.check_module", counted)
    return seen


def test_nothing_has_changed(project: Path, analysed: list[str]) -> None:
    first = check(project)
    assert [finding.chain != () for finding in first[0].findings] == [True]
    assert first[0].directives != ()
    assert check(project) == first
    assert analysed == ["app.py"]


def _package(folder: Path) -> None:
    folder.mkdir()
    (folder / "__init__.py").write_text("def load(): pass\n")


CHANGES: dict[str, Callable[[Path], object]] = {
    "the file": lambda root: (root / "app.py").write_text(APP.replace("load()", "load(), load()")),
    "a helper": lambda root: (root / "helpers" / "io.py").write_text(HELPER.replace("time.sleep(1)", "pass")),
    "a helper is gone": lambda root: (root / "helpers" / "io.py").unlink(),
    "a module that hides the library's": lambda root: (root / "time.py").write_text("def sleep(x): pass\n"),
    "a package that hides a module": lambda root: _package(root / "helpers" / "io"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_something_has_changed(project: Path, analysed: list[str], change: str) -> None:
    check(project)
    CHANGES[change](project)
    after = check(project)
    assert analysed == ["app.py", "app.py"]
    settings = Settings(root=project, src=(project,))
    assert after == list(check_files([project / "app.py"], lambda _: settings, cache=False))


def test_a_change_that_is_taken_back_is_none(project: Path, analysed: list[str]) -> None:
    first = check(project)
    (project / "helpers" / "io.py").write_text("")
    check(project)
    (project / "helpers" / "io.py").write_text(HELPER)
    os.utime(project / "helpers" / "io.py", (1, 1))
    assert check(project) == first


@pytest.mark.parametrize(
    "options",
    [
        {"transitive": False},
        {"max_depth": 1},
        {"async_library": "trio"},
        {"blocking": (NamePattern("time.sleep", ""),)},
        {"replacements": (NamePattern("time.sleep", "x"),)},
        {"wrappers": ("a.b",)},
        {"src": ()},
    ],
    ids=lambda options: next(iter(options)),
)
def test_other_settings_are_another_run(project: Path, analysed: list[str], options: dict[str, object]) -> None:
    check(project)
    settings = Settings(**{"root": project, "src": (project,), "cache_dir": project / ".cache", **options})  # type: ignore[arg-type]
    list(check_files([project / "app.py"], lambda _: settings))
    assert analysed == ["app.py", "app.py"]


def test_several_processes_remember_the_same(project: Path, analysed: list[str]) -> None:
    for number in range(6):
        (project / f"other{number}.py").write_text(APP)
    settings = Settings(root=project, src=(project,), cache_dir=project / ".cache")
    files = sorted(project.glob("*.py"))
    first = list(check_files(files, lambda _: settings, jobs=2))
    analysed.clear()
    assert list(check_files(files, lambda _: settings, jobs=1)) == first
    assert analysed == []
    (project / "helpers" / "io.py").write_text("def load(): pass\n")
    assert all(report.findings == () for report in check_files(files, lambda _: settings, jobs=1))


def recalled(project: Path, cache: FactsCache, key: bytes) -> list[FileReport] | None:
    found = warm.recall(cache, key, [str(project / "app.py")])
    return None if found is None or found.before or found.moved else found.reports


def test_a_record_that_makes_no_sense_is_as_good_as_none(project: Path) -> None:
    settings = Settings(root=project, src=(project,), cache_dir=project / ".cache")
    key = warm.run_key([(str(project / "app.py"), 0)], [settings], __version__)
    first = check(project)
    cache = FactsCache(project / ".cache")
    assert recalled(project, cache, key) == first
    for data in (b"", b"no marshal", b"i\x01\x00\x00\x00"):
        cache.put_bytes(key, data)
        cache.close()
        cache = FactsCache(project / ".cache")
        assert recalled(project, cache, key) is None
    cache.close()
    assert check(project) == first
