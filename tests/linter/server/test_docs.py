"""What README and editors.md say about editors is what the tests have run."""

from __future__ import annotations

import json
import re
from pathlib import Path

from asgiway_lint.server.client import OPTION_KEYS
from tests.e2e.readme import blocks

DOCS = Path(__file__).parents[3] / "linter" / "docs"


def test_the_setup_for_neovim_in_the_readme_is_the_one_that_is_tested() -> None:
    (lua,) = [block.text for block in blocks() if block.language == "lua"]
    tested = re.search(r"<!-- neovim 0.11 -->\n```lua\n(.*?)```", (DOCS / "editors.md").read_text("utf-8"), re.DOTALL)
    assert tested is not None
    assert tested[1].startswith(lua)


def test_the_problem_matcher_in_the_readme_is_the_one_that_is_tested_against_real_output() -> None:
    """`test_usage_docs.py` runs the command of the task in usage.md, and reads what it prints with the task's pattern."""
    (matcher,) = [json.loads(block.text) for block in blocks() if block.language == "json"]
    found = re.search(r"## VS Code\n.*?```json\n(.*?)```", (DOCS / "usage.md").read_text("utf-8"), re.DOTALL)
    assert found is not None
    assert matcher == json.loads(found[1])["tasks"][0]["problemMatcher"]


def test_every_initialization_option_is_documented() -> None:
    page = (DOCS / "editors.md").read_text("utf-8").partition("`initializationOptions`")[2].partition("## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == list(OPTION_KEYS)


def test_links_lead_somewhere() -> None:
    page = (DOCS / "editors.md").read_text("utf-8")
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page):
        assert (DOCS / target).exists(), target
