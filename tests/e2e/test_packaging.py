"""What is installed: two import packages and nothing called adapter or linter; and what runs without the extras."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import asgiway
import asgiway_lint
from tests.e2e.readme import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SECONDS = 300


def sources() -> list[Path]:
    return [
        path
        for folder in ("adapter", "linter", "tests", "sample_apps")
        for path in (ROOT / folder).rglob("*.py")
        if "fixtures" not in path.parts
    ]


def test_versions_agree() -> None:
    assert asgiway.__version__ == asgiway_lint.__version__ == PROJECT["version"]


def test_the_core_needs_nothing_but_anyio_and_asgiref() -> None:
    assert [re.split(r"[<>=~!\[; ]", need)[0] for need in PROJECT["dependencies"]] == ["anyio", "asgiref"]


def test_the_source_roots_are_no_packages_and_never_imported_as_such() -> None:
    assert not (ROOT / "adapter" / "__init__.py").exists()
    assert not (ROOT / "linter" / "__init__.py").exists()
    wrong = re.compile(r"^\s*(from|import)\s+(adapter|linter)\b", re.MULTILINE)
    assert [path for path in sources() if wrong.search(path.read_text("utf-8"))] == []


@pytest.mark.parametrize("package", ["asgiway", "asgiway_lint"])
def test_importing_the_package_imports_no_framework_and_no_parser(package: str) -> None:
    heavy = ["libcst", "pygls", "pathspec", "flask", "starlette", "fastapi", "uvicorn", "trio", "prometheus_client"]
    code = f"import sys, {package}; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sdist, and the wheel made from the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    copy = folder / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(copy)], check=True, timeout=SECONDS)
    subprocess.run(
        [sys.executable, "-c", "import hatchling.build as b; b.build_sdist(r'" + str(folder) + "')"],
        cwd=copy,
        check=True,
        timeout=SECONDS,
    )
    (sdist,) = folder.glob("*.tar.gz")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(sdist)],
        check=True,
        timeout=SECONDS,
    )
    (wheel,) = folder.glob("*.whl")
    return sdist, wheel


@pytest.mark.network
def test_the_wheel_holds_the_two_packages_and_their_data(distributions: tuple[Path, Path]) -> None:
    sdist, wheel = distributions
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "asgiway",
        "asgiway_lint",
        f"asgiway-{PROJECT['version']}.dist-info",
    }
    assert {"asgiway/py.typed", "asgiway_lint/py.typed", "asgiway_lint/catalogue/requests.toml"} <= set(names)
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"README.md", "LICENSE", "CHANGELOG.md", "adapter/asgiway/__init__.py", "sample_apps/bridge.py"} <= inside


@pytest.mark.network
def test_without_extras_the_adapter_runs_and_the_linter_says_what_is_missing(
    distributions: tuple[Path, Path], tmp_path: Path
) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    binaries = home / "bin"
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=SECONDS)

    python = str(binaries / "python")
    assert run(python, "-m", "pip", "install", "-q", str(distributions[1])).returncode == 0
    installed = run(python, "-m", "pip", "list", "--format=freeze").stdout
    names = {line.partition("==")[0].lower() for line in installed.splitlines()}
    assert names <= {"asgiway", "anyio", "asgiref", "idna", "sniffio", "typing_extensions", "pip", "setuptools"}
    assert run(python, "-c", "from asgiway import WSGIMiddleware; WSGIMiddleware(lambda e, s: [])").returncode == 0
    assert run(str(binaries / "asgiway"), "--help").returncode == 0
    assert run(str(binaries / "asgiway-lint"), "version").stdout.strip().endswith(PROJECT["version"])
    (tmp_path / "code.py").write_text("import time\n\n\nasync def f():\n    time.sleep(1)\n")
    # A file that the running Python can parse needs neither library ...
    found = run(str(binaries / "asgiway-lint"), "check", "code.py")
    assert (found.returncode, "AW101" in found.stdout) == (1, True)
    # ... a folder with a .gitignore does.
    (tmp_path / ".gitignore").write_text("venv/\n")
    refused = run(str(binaries / "asgiway-lint"), "check", ".")
    assert refused.returncode == 2
    assert "pip install 'asgiway[lint]'" in refused.stderr
    demo = run(str(binaries / "asgiway"), "demo")
    assert demo.returncode == 2
    assert "Traceback" not in demo.stderr
