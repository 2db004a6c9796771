"""The pre-commit hook, as a project that uses it meets it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

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


def manifest() -> list[dict[str, Any]]:
    return list(yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text()))


def test_the_manifest_is_valid_and_promises_what_exists() -> None:
    subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", ROOT / ".pre-commit-hooks.yaml"], check=True
    )
    hooks = manifest()
    assert [hook["id"] for hook in hooks] == ["asgiway-lint", "asgiway-lint-fix", "asgiway-lint-project"]
    assert [hook.get("pass_filenames", True) for hook in hooks] == [True, True, False]
    for hook in hooks:
        program, *arguments = hook["entry"].split()
        assert program == "asgiway-lint"
        ran = subprocess.run(
            [sys.executable, "-m", "asgiway_lint", *arguments, "--show-files", __file__],
            capture_output=True,
            text=True,
            check=True,
        )
        assert ran.stdout == f"{__file__}\n"


def test_usage_names_the_hooks_of_the_manifest() -> None:
    page = (ROOT / "linter" / "docs" / "usage.md").read_text().partition("## pre-commit\n")[2]
    assert re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE) == [hook["id"] for hook in manifest()]
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (repository,) = yaml.safe_load(block)["repos"]
    assert [hook["id"] for hook in repository["hooks"]] == [hook["id"] for hook in manifest()]


def test_the_fixing_hook_repairs_and_stops_the_commit_once(tmp_path: Path) -> None:
    """What pre-commit runs, without its environment: the entry with the staged files behind it."""
    (hook,) = [hook for hook in manifest() if hook["id"] == "asgiway-lint-fix"]
    (tmp_path / "bad.py").write_text(BAD)

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "asgiway_lint", *hook["entry"].split()[1:], "bad.py"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    first = run()
    assert (first.returncode, first.stdout) == (1, "Found 1 error (1 fixed, 0 remaining).\n")
    assert "await asyncio.to_thread(requests.get," in (tmp_path / "bad.py").read_text()
    assert run().returncode == 0


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


def environment_of(tmp_path: Path) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"),
        "PRE_COMMIT_COLOR": "never",
        **{f"GIT_{role}_{what}": "x@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }


HELPERS = "import requests\n\n\ndef load():\n    return 1\n"
ROUTES = "import helpers\n\n\nasync def handle():\n    return helpers.load()\n"


@pytest.mark.network
def test_try_repo_of_both_hooks_and_a_commit_that_they_stop(tmp_path: Path) -> None:
    """Issue 5, section 3: proved with `pre-commit try-repo` (a clean clone of the last commit, in an environment of its own) and
    with a real repository's commit being stopped: by the file that is staged, and by what it does to a file that is not.
    """
    clone = tmp_path / "asgiway"
    git("clone", "-q", ROOT, clone, cwd=tmp_path)
    environment = environment_of(tmp_path)

    def run(root: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=600, check=False
        )

    def try_repo(root: Path, hook: str) -> subprocess.CompletedProcess[str]:
        return run(root, sys.executable, "-m", "pre_commit", "try-repo", clone, hook, "--all-files")

    bad_root = scratch(tmp_path / "bad", bad=BAD, good=GOOD, generated=BAD)
    good_root = scratch(tmp_path / "good", good=GOOD, generated=BAD)
    for hook in ("asgiway-lint", "asgiway-lint-project"):
        bad = try_repo(bad_root, hook)
        assert bad.returncode == 1, bad.stdout + bad.stderr
        assert "bad.py:5:12: AW102 [*] `requests.get`" in bad.stdout
        assert "httpx.AsyncClient" in bad.stdout
        assert "Found 1 error." in bad.stdout
        assert "good.py" not in bad.stdout
        assert "generated.py" not in bad.stdout
        good = try_repo(good_root, hook)
        assert good.returncode == 0, good.stdout + good.stderr
        assert "Passed" in good.stdout

    repairable = scratch(tmp_path / "repairable", bad=BAD, good=GOOD, generated=BAD)
    repaired = try_repo(repairable, "asgiway-lint-fix")
    assert repaired.returncode == 1, repaired.stdout + repaired.stderr
    assert "files were modified by this hook" in repaired.stdout
    assert "await asyncio.to_thread(requests.get," in (repairable / "bad.py").read_text()
    assert (repairable / "generated.py").read_text() == BAD
    assert try_repo(repairable, "asgiway-lint-fix").returncode == 0

    # A repository that has both hooks installed.
    root = scratch(tmp_path / "shop", helpers=HELPERS, routes=ROUTES, good=GOOD)
    revision = run(clone, "git", "rev-parse", "HEAD").stdout.strip()
    hooks = [{"id": "asgiway-lint"}, {"id": "asgiway-lint-project"}]
    repository = {"repo": str(clone), "rev": revision, "hooks": hooks}
    (root / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [repository]}))
    git("add", ".", cwd=root)
    assert run(root, sys.executable, "-m", "pre_commit", "install").returncode == 0
    first = run(root, "git", "commit", "-q", "-m", "clean")
    assert first.returncode == 0, first.stdout + first.stderr

    (root / "bad.py").write_text(BAD)
    git("add", ".", cwd=root)
    stopped = run(root, "git", "commit", "-q", "-m", "blocking")
    assert stopped.returncode == 1
    assert "bad.py:5:12: AW102" in stopped.stdout + stopped.stderr
    assert run(root, "git", "log", "--format=%s").stdout == "clean\n"
    git("rm", "-q", "--cached", "bad.py", cwd=root)
    (root / "bad.py").unlink()

    # Only the helper is staged; the coroutine that it makes block stands in another file.
    (root / "helpers.py").write_text(HELPERS.replace("return 1", "return requests.get('https://rates.example')"))
    git("add", ".", cwd=root)
    stopped = run(root, "git", "commit", "-q", "-m", "a helper")
    said = stopped.stdout + stopped.stderr
    assert stopped.returncode == 1, said
    assert "routes.py:5:12: AW102" in said.partition("whole project")[2]
    assert "routes.py" not in said.partition("whole project")[0]
    assert run(root, "git", "log", "--format=%s").stdout == "clean\n"
