"""`linter/docs/fixes.md` says what the fixers do: each has its row or page, the examples are true, links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from asgiway_lint.fixes.registry import fixers
from tests.linter.fixes.support import fixed, in_coroutine

DOCS = Path(__file__).parents[3] / "linter" / "docs"
PAGE = (DOCS / "fixes.md").read_text()


def test_every_fixer_is_documented() -> None:
    assert len(fixers()) >= 5
    pages = {path.stem for path in (DOCS / "fixes").glob("*.md")}
    assert [each.NAME for each in fixers() if f"`{each.NAME}`" not in PAGE and each.NAME not in pages] == []


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", PAGE)
    assert len(links) >= 4
    assert [link for link in links if not (DOCS / link).exists()] == []


IMPORTS = "import requests\nimport time\nfrom blog import Book\nfrom django.contrib.auth.models import User"


def _examples() -> list[tuple[str, str]]:
    rows = re.findall(r"^\| `[\w-]+` \| `([^`]+)` \| `([^`]+)` \|", PAGE.partition("## Unsafe")[0], re.MULTILINE)
    return [(before.replace("Book", "User"), after.replace("Book", "User")) for before, after in rows]


def test_there_are_examples() -> None:
    assert len(_examples()) == 4


@pytest.mark.parametrize(("before", "after"), _examples())
def test_the_examples_are_true(before: str, after: str) -> None:
    assert f"    {after}\n" in fixed(in_coroutine(before.replace("url", "x"), imports=IMPORTS)).replace(
        ", x,", ", url,"
    )
