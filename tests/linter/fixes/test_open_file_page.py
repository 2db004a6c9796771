"""The examples of `linter/docs/fixes/files.md` are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.linter.fixes.support import SETTINGS, fixed, in_coroutine, with_library

PAGE = (Path(__file__).parents[3] / "linter" / "docs" / "fixes" / "files.md").read_text("utf-8")
EXAMPLES = [block.rstrip("\n") for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)]


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 7


@pytest.mark.parametrize(("before", "after", "library"), [(0, 1, None), (2, 3, "anyio"), (4, 5, None), (4, 6, "anyio")])
def test_an_example_is_true(before: int, after: int, library: str | None) -> None:
    chosen = SETTINGS if library is None else with_library(library)
    imports = "import asyncio\nimport subprocess\nfrom pathlib import Path\n\nimport anyio"
    if library is None and "subprocess" in EXAMPLES[before]:
        imports = "import asyncio\nimport subprocess"

    def text(lines: str) -> str:
        return in_coroutine(*lines.split("\n"), imports=imports).replace("f(x)", "f(folder: Path, target: Path)")

    assert fixed(text(EXAMPLES[before]), unsafe=True, settings=chosen) == text(EXAMPLES[after])
