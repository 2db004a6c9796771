"""The pages themselves: short recipes, links that lead somewhere, a table of rules and an example that are true."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from asgiway.conformance import RULES
from tests.adapter.integrations.conftest import Recipe
from tests.adapter.integrations.pages import DOCS, MOST_LINES, blocks, code_lines

PAGES = sorted(path.stem for path in (DOCS / "frameworks").glob("*.md"))
RULES_BLOCK = re.compile(r"(?<=<!-- rules -->\n).*?(?=<!-- /rules -->)", re.S)


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "frameworks.md").read_text("utf-8")
    assert sorted(re.findall(r"\(frameworks/([\w-]+)\.md\)", index)) == PAGES


@pytest.mark.parametrize("page", [*[f"frameworks/{page}" for page in PAGES], "frameworks"])
def test_links_lead_somewhere(page: str) -> None:
    file = DOCS / f"{page}.md"
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", file.read_text("utf-8")):
        assert (file.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES)
def test_recipes_are_short(page: str) -> None:
    """At most ten lines of code each; imports are not counted."""
    for block in blocks(f"frameworks/{page}"):
        if block.language == "python" and block.file in ("bridge.py", "beside.py", "fixed.py", "wsgi.py", "reports.py"):
            assert code_lines(block.text) <= MOST_LINES, block.file


@pytest.mark.parametrize("page", PAGES)
def test_python_blocks_have_a_file_or_parse(page: str) -> None:
    for block in blocks(f"frameworks/{page}"):
        if block.language == "python":
            assert block.file, "a block that no test could run"
            ast.parse(block.text)


def rules_table() -> str:
    rows = ["| rule | demands | source |", "|---|---|---|"]
    rows += [
        f"| {rule.name}{'' if rule.breach else ' (note)'} | {rule.text} | {rule.source} |" for rule in RULES.values()
    ]
    return "\n".join([*rows, ""])


def test_the_table_of_rules() -> None:
    """To write it anew: python -m tests.adapter.integrations.test_pages."""
    found = RULES_BLOCK.search((DOCS / "frameworks" / "check-your-app.md").read_text("utf-8"))
    assert found
    assert found[0] == rules_table()


def test_the_example_of_the_conformance_page(recipe: Callable[[str], Recipe]) -> None:
    made = recipe("check-your-app")
    (example,) = [block.text for block in blocks("frameworks/check-your-app") if block.language == "console"]
    command, _, output = example.partition("\n")
    assert command == "$ asgiway conformance legacy:app"
    done = subprocess.run(
        [sys.executable, "-m", "asgiway.cli", *command.split()[2:]],
        cwd=made.folder,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.stdout, done.returncode) == (output, 1), done.stderr


def main() -> None:
    page = Path(DOCS / "frameworks" / "check-your-app.md")
    text = page.read_text("utf-8")
    page.write_text(RULES_BLOCK.sub(lambda _: rules_table(), text), "utf-8")


if __name__ == "__main__":
    main()
