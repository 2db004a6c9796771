"""Suppressions that suppress nothing go, without what else their comment says."""

from __future__ import annotations

import pytest

from tests.linter.fixes.support import fixed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("x = 1  # noqa: AW101", "x = 1", id="all of it"),
        pytest.param("x = 1 # noqa:AW101   ", "x = 1", id="blanks"),
        pytest.param("x = 1  # noqa: AW101, E501", "x = 1  # noqa: E501", id="the codes of others stay"),
        pytest.param("x = 1  # noqa: E501,AW101,AW102,S100", "x = 1  # noqa: E501,S100", id="their separator, too"),
        pytest.param("x = 1  # noqa: aw101 E501", "x = 1  # noqa: E501", id="lower case"),
        pytest.param("x = 1  # noqa: AW101 because of the old API", "x = 1  # because of the old API", id="a reason"),
        pytest.param("x = 1  # why  # noqa: AW101", "x = 1  # why", id="a comment before"),
        pytest.param("x = 1  # noqa: AW101  # why", "x = 1  # why", id="a comment behind"),
        pytest.param("x = 1\n# noqa: AW101\ny = 2", "x = 1\ny = 2", id="a line of its own"),
        pytest.param("# asgiway-lint: noqa: AW101\nx = 1", "x = 1", id="file level"),
        pytest.param("# asgiway-lint: noqa: AW101, AW102\nasync def f():\n    time.sleep(1)", None, id="half used"),
        pytest.param("x = 1  # noqa: AW999", "x = 1", id="no such rule"),
        pytest.param("x = 1  # noqa: AW101\r\ny = 2", "x = 1\r\ny = 2", id="CRLF"),
        pytest.param("x = '''\n'''  # noqa: AW101", "x = '''\n'''", id="behind a string"),
        pytest.param("x = '# noqa: AW101'", "x = '# noqa: AW101'", id="in a string"),
        pytest.param("x = 1  # noqa", "x = 1  # noqa", id="blanket ones may be others'"),
    ],
)
def test_what_is_left(old: str, new: str | None) -> None:
    source = f"import time\n{old}\n"
    if new is None:
        new = old.replace("AW101, AW102", "AW101")
    assert fixed(source) == f"import time\n{new}\n"


def test_one_that_a_fix_makes_superfluous_goes_in_the_same_run() -> None:
    source = (
        "import sqlite3\nfrom fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/')\nasync def f():\n"
        "    sqlite3.connect('x')\n    sqlite3.connect('y')  # noqa: AW103\n"
    )
    new = fixed(source, unsafe=True)
    assert "\ndef f():\n    sqlite3.connect('x')\n    sqlite3.connect('y')\n" in new
