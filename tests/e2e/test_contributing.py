"""The README's steps for contributors, followed in a copy of the sources as far as a test can."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.e2e.readme import README, ROOT

PAGE = '''"""A call that knits in a coroutine.

## What it does
Reports knitting.

## Why is this bad?
It takes hours.

## Example
```python
import knitting


async def scarf() -> None:
    knitting.knit()
```

Use instead:
```python
import asyncio

import knitting


async def scarf() -> None:
    await asyncio.to_thread(knitting.knit)
```

## References
- [Python: `asyncio.to_thread`](https://docs.python.org/3/library/asyncio-task.html#asyncio.to_thread)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(
    __name__,
    severity=Severity.WARNING,
    message="`{symbol}` knits on the event loop: use {replacement}",
    since="0.2.0",
)
'''

CATALOGUE = """\
library = "Knitting"
url = "https://knitting.example/"
rule = "AW199"

[[functions]]
names = ["knit"]

[types.Machine]
object = "machine"

[[types.Machine.methods]]
names = ["start"]
"""

CODE = """\
import knitting


async def scarf():
    knitting.knit()
    machine = knitting.Machine()
    machine.start()
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "linter", tmp_path / "linter", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(copy: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(copy / "linter"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=copy, env=environment, capture_output=True, text=True, timeout=60
    )


def test_add_a_rule_and_catalogue_entries(copy: Path) -> None:
    package = copy / "linter" / "asgiway_lint"
    (package / "rules" / "aw199_knitting.py").write_text(PAGE)
    (package / "catalogue" / "knitting.toml").write_text(CATALOGUE)

    (copy / "scarf.py").write_text(CODE)
    checked = run(copy, "asgiway_lint", "check", "--isolated", "--no-cache", "scarf.py")
    assert checked.returncode == 1
    assert checked.stdout.splitlines()[:2] == [
        "scarf.py:5:5: AW199 `knitting.knit` knits on the event loop: use asyncio.to_thread(knitting.knit, ...)",
        "scarf.py:7:5: AW199 `knitting.Machine.start` knits on the event loop: use asyncio.to_thread(machine.start, ...)",
    ]

    shown = run(copy, "asgiway_lint", "rule", "AW199")
    assert (shown.returncode, "AW199 knitting" in shown.stdout) == (0, True)

    written = run(copy, "asgiway_lint.rules.docs", "linter/docs/rules")
    assert written.returncode == 0, written.stderr
    pages = copy / "linter" / "docs" / "rules"
    assert "knitting.Machine.start" in (pages / "AW199.md").read_text()
    assert "AW199" in (pages / "README.md").read_text()


def test_a_mistake_in_a_catalogue_file_is_named(copy: Path) -> None:
    (copy / "linter" / "asgiway_lint" / "catalogue" / "knitting.toml").write_text(
        CATALOGUE.replace("names", "nmaes", 1)
    )
    (copy / "scarf.py").write_text(CODE)
    checked = run(copy, "asgiway_lint", "check", "--isolated", "--no-cache", "scarf.py")
    assert checked.returncode == 2
    assert "knitting.toml" in checked.stderr
    assert "nmaes" in checked.stderr
    assert "Traceback" not in checked.stderr


def test_the_files_of_the_steps_exist() -> None:
    text = README.read_text("utf-8")
    for path in (
        "linter/asgiway_lint/catalogue/README.md",
        "tests/linter/fixtures",
        "tests/linter/catalogue",
        "tests/linter/analysis",
        "tests/adapter/wire_support/frameworks.py",
        ".ci/run",
    ):
        assert path.removeprefix("linter/asgiway_lint/") in text
        assert (ROOT / path).exists()


@pytest.mark.parametrize("framework", ["flask", "django", "bottle", "pyramid", "falcon"])
def test_add_a_framework_every_one_has_been_added_like_that(framework: str) -> None:
    tree = ast.parse((ROOT / "tests" / "adapter" / "wire_support" / "frameworks.py").read_text("utf-8"))
    names = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert framework in {name.lower() for name in names}
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert any(entry.startswith(framework) for extra in ("demo", "dev") for entry in extras[extra])
