"""The half-migrated shop after `asgiway-lint check --fix --unsafe-fixes`: nothing is left to find, and it still works.

Issue 5, "Done when". The tests of the shop itself run against the repaired copy, on a real uvicorn with PostgreSQL.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOP_TESTS = "tests/e2e/test_shop_async.py"


def copied(folder: Path) -> Path:
    shutil.copytree(ROOT / "sample_apps", folder / "sample_apps", ignore=shutil.ignore_patterns("__pycache__"))
    return folder / "sample_apps"


def lint(apps: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "asgiway_lint", "check", "shop_async", "--isolated", "--no-cache", *options]
    return subprocess.run(command, cwd=apps, capture_output=True, text=True, timeout=120, check=False)


def shop_tests(apps: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the shop's tests against the shop in `apps`."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", f"pythonpath=. {apps}"]
    return subprocess.run(
        [*command, *options, SHOP_TESTS], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(("--unsafe-fixes",), id="all fixes"),
        pytest.param((), id="safe fixes", marks=pytest.mark.long),
    ],
)
def test_the_repaired_shop_passes_its_tests(tmp_path: Path, options: tuple[str, ...]) -> None:
    apps = copied(tmp_path)
    fixed = lint(apps, "--fix", "--min-severity", "info", *options)
    assert "the fix" not in fixed.stderr, "a fix broke its promise"
    if options:
        assert fixed.returncode == 0, fixed.stdout
        assert lint(apps, "--min-severity", "info").stdout == "All checks passed!\n"
    tested = shop_tests(apps)
    assert tested.returncode == 0, tested.stdout
    assert lint(apps, "--diff", *options).stdout == ""


def test_it_is_the_copy_that_is_tested(tmp_path: Path) -> None:
    apps = copied(tmp_path)
    main = apps / "shop_async" / "main.py"
    main.write_text(f"{main.read_text()}\nraise RuntimeError('this is the copy')\n")
    tested = shop_tests(apps, "--collect-only")
    assert tested.returncode != 0
    assert "this is the copy" in tested.stdout


def test_the_patches_touch_what_was_found_and_imports(tmp_path: Path) -> None:
    """Every comment is kept, every changed line is in a function with a finding or is an import, nothing is reformatted."""
    apps = copied(tmp_path)
    before = {path: path.read_text() for path in (apps / "shop_async").rglob("*.py")}
    lint(apps, "--fix", "--min-severity", "info")
    for path, old in before.items():
        new = path.read_text()
        assert [line.rpartition("  # ")[2] for line in old.splitlines() if "  # " in line] == [
            line.rpartition("  # ")[2] for line in new.splitlines() if "  # " in line
        ]
        gone = [line for line in old.splitlines() if line not in new.splitlines()]
        assert [line for line in gone if "# AW" not in line] == []
        come = [line for line in new.splitlines() if line not in old.splitlines()]
        assert [line for line in come if "# AW" not in line and line != "import asyncio"] == []
