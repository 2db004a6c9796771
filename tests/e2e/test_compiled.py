"""A wheel whose engine mypyc has compiled (``ASGIWAY_COMPILE=1``): it says the same as the sources, for every file of some packages."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import anyio
import hypercorn
import litestar
import pytest
import sqlalchemy
import starlette

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 900
OPTIONS = ["--isolated", "--no-cache", "--select", "ALL", "--min-severity", "info", "--output-format", "json"]
PACKAGES = [anyio, hypercorn, litestar, sqlalchemy, starlette]

pytestmark = [
    pytest.mark.long,  # and the build fetches mypy and libcst from a package index
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the compiled packages, to be put on PYTHONPATH."""
    folder = tmp_path_factory.mktemp("compiled")
    source = folder / "source"
    ignored = shutil.ignore_patterns(".*", "__pycache__")
    shutil.copytree(ROOT, source, ignore=ignored)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(source)],
        check=True,
        timeout=SECONDS,
        env={**os.environ, "ASGIWAY_COMPILE": "1"},
    )
    (wheel,) = folder.glob("*.whl")
    assert not wheel.name.endswith("-none-any.whl")
    target = folder / "target"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def findings(path: Path, packages: Path) -> list[Any]:
    """What the linter of one of both says of a folder."""
    done = subprocess.run(
        [sys.executable, "-m", "asgiway_lint", "check", *OPTIONS, str(path)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        cwd=path,
        env={**os.environ, "PYTHONPATH": str(packages)},
    )
    assert done.returncode in (0, 1), done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def test_the_language_server_runs_on_it(compiled: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/linter/server/test_diagnostics.py"],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(compiled)},
    )
    assert done.returncode == 0, done.stdout


def test_the_engine_is_compiled(compiled: Path) -> None:
    code = (
        "import asgiway_lint.analysis.evaluate as e, asgiway_lint.facts.collector as c; print(e.__file__, c.__file__)"
    )
    environment = {**os.environ, "PYTHONPATH": str(compiled)}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert [Path(name).suffix for name in said.stdout.split()] == [".so", ".so"]


@pytest.mark.parametrize("package", [*PACKAGES, None], ids=lambda package: getattr(package, "__name__", "sample apps"))
def test_it_finds_the_same(package: Any, compiled: Path) -> None:
    folder = ROOT / "sample_apps" if package is None else Path(package.__path__[0])
    found = findings(folder, compiled)
    assert found == findings(folder, ROOT / "linter")
    assert found or package is not None
