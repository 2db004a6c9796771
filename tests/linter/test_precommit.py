"""The pre-commit hook, as a project that uses it meets it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BAD = """\
import requests


async def rates():
    return requests.get("https://rates.example")
"""
GOOD = """\
import httpx


async def rates():
    async with httpx.AsyncClient() as client:
        return await client.get("https://rates.example")
"""


def test_the_manifest_is_valid_and_promises_what_exists() -> None:
    manifest = ROOT / ".pre-commit-hooks.yaml"
    subprocess.run([sys.executable, "-m", "pre_commit", "validate-manifest", manifest], check=True)
    text = manifest.read_text()
    assert re.findall(r"^- id: (.*)$", text, re.MULTILINE) == ["asgiway-lint"]
    (entry,) = re.findall(r"^  entry: (.*)$", text, re.MULTILINE)
    program, *arguments = entry.split()
    assert program == "asgiway-lint"
    ran = subprocess.run(
        [sys.executable, "-m", "asgiway_lint", *arguments, "--show-files", __file__],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == f"{__file__}\n"


def git(*arguments: str | Path, cwd: Path) -> None:
    subprocess.run(["git", *arguments], cwd=cwd, check=True, capture_output=True)


def scratch(root: Path, **sources: str) -> Path:
    """Make a repository with these files, all of them staged."""
    root.mkdir()
    git("init", "-q", cwd=root)
    for name, source in sources.items():
        (root / f"{name}.py").write_text(source)
    (root / "pyproject.toml").write_text("[tool.asgiway-lint]\nextend-exclude = ['generated.py']\n")
    git("add", ".", cwd=root)
    return root


@pytest.mark.network
def test_try_repo_stops_a_bad_file_and_lets_a_good_one_pass(tmp_path: Path) -> None:
    """`pre-commit try-repo` of a clean clone of this repository (its last commit), in an environment of its own."""
    clone = tmp_path / "asgiway"
    git("clone", "-q", ROOT, clone, cwd=tmp_path)
    environment = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"), "PRE_COMMIT_COLOR": "never"}

    def try_repo(root: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", "try-repo", clone, "asgiway-lint", "--all-files"],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    bad = try_repo(scratch(tmp_path / "bad", bad=BAD, good=GOOD, generated=BAD))
    assert bad.returncode == 1, bad.stdout + bad.stderr
    assert "bad.py:5:12: AW102 `requests.get`" in bad.stdout
    assert "httpx.AsyncClient" in bad.stdout
    assert "Found 1 error." in bad.stdout
    assert "good.py" not in bad.stdout
    assert "generated.py" not in bad.stdout

    good = try_repo(scratch(tmp_path / "good", good=GOOD, generated=BAD))
    assert good.returncode == 0, good.stdout + good.stderr
    assert "Passed" in good.stdout
