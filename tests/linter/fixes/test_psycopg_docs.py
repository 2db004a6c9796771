"""The pages about the database fixes: their examples are what the fixers do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.linter.fixes.psycopg_support import fixed

PAGES = Path(__file__).parents[3] / "linter" / "docs" / "fixes"
IMPORTS = {
    "psycopg": "import psycopg2\n\n\n",
    "asyncpg": "import psycopg2\n\n\n",
    "sqlalchemy": "from sqlalchemy import select\nfrom sqlalchemy.orm import Session\n\n\n",
}


@pytest.mark.parametrize("name", IMPORTS)
def test_the_example_of_the_page(name: str) -> None:
    before, after = re.findall(r"```python\n(.*?)```", (PAGES / f"{name}.md").read_text(), re.DOTALL)
    options = {"postgres": name} if name != "sqlalchemy" else {}
    symbols = "sqlalchemy." if name == "sqlalchemy" else "psycopg2."
    result = fixed(IMPORTS[name] + before, name, symbols, **options)
    assert result.partition("\n\n\n")[2] == after
