"""Calls, wrappers and replacements that a project adds in its settings (issue 4, section 2)."""

from __future__ import annotations

from pathlib import Path

import pytest

from asgiway_lint.analysis.run import check_files, check_source
from asgiway_lint.config import NamePattern, Settings

PATTERNS = (
    NamePattern("acme.db.*", "AW103"),
    NamePattern("acme.db.quick", ""),
    NamePattern("acme.sdk.Client.*", "AW106"),
    NamePattern("requests.get", ""),
    NamePattern("*.sleepy", "AW101"),
)


def found(source: str, tmp_path: Path, **options: object) -> list[tuple[int, str, str, str]]:
    settings = Settings(root=tmp_path, src=(tmp_path,), **options)  # type: ignore[arg-type]
    report = check_source(source.encode(), tmp_path / "module.py", settings)
    return [(f.line, f.code, f.symbol, f.replacement) for f in report.findings]


LIBRARIES = """\
import acme.db, acme.sdk, requests, other

async def f(client: acme.sdk.Client):
    acme.db.query("q")
    acme.db.quick("q")
    acme.sdk.Client().fetch()
    client.close()
    await client.fetch()
    requests.get("u")
    requests.post("u")
    other.thing.sleepy()
"""


def test_library_calls_that_the_settings_name(tmp_path: Path) -> None:
    assert found(LIBRARIES, tmp_path, blocking=PATTERNS) == [
        (4, "AW103", "acme.db.query", "asyncio.to_thread(acme.db.query, ...)"),
        (6, "AW106", "acme.sdk.Client.fetch", "asyncio.to_thread(acme.sdk.Client.fetch, ...)"),
        (7, "AW106", "acme.sdk.Client.close", "asyncio.to_thread(acme.sdk.Client.close, ...)"),
        (10, "AW102", "requests.post", "httpx.AsyncClient"),
        (11, "AW101", "other.thing.sleepy", "asyncio.to_thread(other.thing.sleepy, ...)"),
    ]
    assert [line for line, *_ in found(LIBRARIES, tmp_path)] == [9, 10]


def test_replacements_that_the_settings_name(tmp_path: Path) -> None:
    patterns = (NamePattern("requests.*", "acme.http"), NamePattern("requests.post", "acme.post"))
    assert [replacement for *_, replacement in found(LIBRARIES, tmp_path, replacements=patterns)] == [
        "acme.http",
        "acme.post",
    ]


PROJECT = """\
import time
from acme.threads import offload

def query(): ...

def harmless():
    time.sleep(1)

def helper():
    query()

def own_wrapper(function):
    def wrapper():
        return function()
    return wrapper

@own_wrapper
def wrapped():
    time.sleep(1)

async def f():
    query()
    harmless()
    helper()
    wrapped()
    await offload(lambda: time.sleep(1))
"""


def test_functions_of_the_project_that_the_settings_name(tmp_path: Path) -> None:
    plain = found(PROJECT, tmp_path)
    assert [(line, symbol) for line, _, symbol, _ in plain] == [(23, "time.sleep"), (25, "time.sleep")]
    blocking = (NamePattern("module.query", "AW103"), NamePattern("module.harmless", ""))
    custom = found(PROJECT, tmp_path, blocking=blocking, wrappers=("module.own_wrapper", "acme.threads.offload"))
    assert [(line, code, symbol) for line, code, symbol, _ in custom] == [
        (22, "AW103", "module.query"),
        (24, "AW103", "module.query"),
    ]


@pytest.mark.parametrize("jobs", [1, 2])
def test_files_with_other_settings_get_other_findings(tmp_path: Path, jobs: int) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "m.py").write_text(LIBRARIES)
    settings = {
        "a": Settings(root=tmp_path, src=(tmp_path,), blocking=PATTERNS),
        "b": Settings(root=tmp_path, src=(tmp_path,)),
    }
    files = [tmp_path / "a" / "m.py", tmp_path / "b" / "m.py"]
    reports = check_files(files, lambda path: settings[path.parent.name], cache=False, jobs=jobs)
    assert [len(report.findings) for report in reports] == [5, 2]
