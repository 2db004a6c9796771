"""The smoke set on every other supported Python that this machine has."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.readme import ROOT

SUPPORTED = ["3.11", "3.12", "3.13", "3.14"]
PURE_DEPENDENCIES = ["anyio", "asgiref", "idna", "sniffio", "typing_extensions", "pathspec"]


def interpreter(version: str) -> str | None:
    """A working interpreter of that version: on the PATH, or one of pyenv's that is not switched on."""
    candidates = [shutil.which(f"python{version}")]
    if root := os.environ.get("PYENV_ROOT") or _output("pyenv", "root"):
        candidates += [str(path) for path in sorted(Path(root).glob(f"versions/{version}.*/bin/python"))]
    for candidate in candidates:
        if candidate and _output(candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])") == version:
            return candidate
    return None


def _output(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.strip()


@pytest.mark.parametrize("version", SUPPORTED)
def test_smoke(version: str, tmp_path: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    # The dependencies of the running interpreter, as far as they are pure Python, serve the others too.
    for name in PURE_DEPENDENCIES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            continue  # sniffio, say, is needed by some versions of anyio only
        source = Path(spec.origin)
        source = source.parent if source.name == "__init__.py" else source
        (tmp_path / source.name).symlink_to(source)
    path = os.pathsep.join(str(folder) for folder in (ROOT / "adapter", ROOT / "linter", tmp_path))
    done = subprocess.run(
        [python, "-W", "error", str(ROOT / "tests" / "e2e" / "smoke.py")],
        env={"PYTHONPATH": path, "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() == f"smoke passed {version}"


def test_this_python_is_supported() -> None:
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in SUPPORTED
