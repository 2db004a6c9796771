"""The cache of facts: damage, concurrency and read-only folders cost speed, never results."""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from asgiway_lint.facts import Facts, read
from asgiway_lint.project.cache import FactsCache, content_key
from asgiway_lint.project.store import Store

SOURCE = b"import time\nasync def f():\n    time.sleep(1)  # noqa\n"
KEY = content_key(SOURCE, "1")


def filled(folder: Path) -> Facts:
    cache = FactsCache(folder)
    facts = read(SOURCE)
    cache.put(KEY, facts)
    cache.close()
    return facts


def got(folder: Path) -> Facts | None:
    cache = FactsCache(folder)
    try:
        return cache.get(KEY)
    finally:
        cache.close()


def test_facts_come_back(tmp_path: Path) -> None:
    assert got(tmp_path / "c") is None
    facts = filled(tmp_path / "c")
    assert got(tmp_path / "c") == facts
    assert (tmp_path / "c" / ".gitignore").read_text() == "*\n"


def test_the_key_changes_with_content_and_version() -> None:
    assert len({KEY, content_key(SOURCE, "2"), content_key(SOURCE + b" ", "1")}) == 3
    assert content_key(SOURCE, "1") == KEY


def overwrite(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def damage_entry(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        (data,) = connection.execute("SELECT data FROM facts").fetchone()
        connection.execute("UPDATE facts SET data = ?", (data[:40] + b"\xff" + data[41:],))
    connection.close()


def wrong_type(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE facts SET data = 'text'")
    connection.close()


def other_tables(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE facts")
        connection.execute("CREATE TABLE facts (something)")
    connection.close()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(overwrite(b""), id="an empty file"),
        pytest.param(overwrite(b"no database" * 500), id="another file"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:5000]), id="cut off"),
        pytest.param(damage_entry, id="one byte of an entry"),
        pytest.param(wrong_type, id="an entry of another type"),
        pytest.param(other_tables, id="tables of another program"),
    ],
)
def test_damage_is_ignored_and_repaired(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    filled(tmp_path)
    damage(tmp_path / "facts.db")
    assert got(tmp_path) is None
    facts = filled(tmp_path)
    if got(tmp_path) is None:  # the damage showed only when the entry was written: that run threw the store away
        facts = filled(tmp_path)
    assert got(tmp_path) == facts


def test_a_folder_that_cannot_be_used_costs_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.WARNING):
        cache = FactsCache(tmp_path / "file" / "cache")
        cache.put(KEY, read(SOURCE))
        assert cache.get(KEY) is None
        cache.close()
    assert len(caplog.records) == 1
    assert "without a cache" in caplog.text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_costs_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tmp_path.chmod(0o500)
    with caplog.at_level(logging.WARNING):
        assert got(tmp_path / "cache") is None
    assert len(caplog.records) == 1


WRITER = """
import sys
from pathlib import Path
from asgiway_lint.facts import read
from asgiway_lint.project.cache import FactsCache, content_key
cache = FactsCache(Path(sys.argv[1]))
for number in range(300):
    source = f"x = {number} + {sys.argv[2]}".encode()
    cache.put(content_key(source, "1"), read(source))
cache.close()
"""


def test_two_runs_at_once_lose_nothing(tmp_path: Path) -> None:
    runs = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(n)]) for n in range(2)]
    assert [run.wait(timeout=120) for run in runs] == [0, 0]
    cache = FactsCache(tmp_path)
    for number in range(300):
        for run in range(2):
            assert cache.get(content_key(f"x = {number} + {run}".encode(), "1")) is not None
    cache.close()


def test_a_store_with_a_cache_gives_what_one_without_gives(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(SOURCE)
    plain = Store(None, "1").require(str(path))
    for _ in range(2):
        cache = FactsCache(tmp_path / "cache")
        assert Store(cache, "1").require(str(path)) == plain
        cache.close()
