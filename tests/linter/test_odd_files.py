"""Files that no one would write on purpose, and that every big folder has: each is checked, or is said to be unreadable, and stops nothing.

The list of issue 4, section 4, through the command line.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from asgiway_lint.analysis.run import check_files
from asgiway_lint.config import Settings
from tests.linter.cli_support import Lint

BLOCKS = "import time\n\n\nasync def f():\n    time.sleep(1)\n"


def places(lint: Lint, *arguments: str) -> list[str]:
    """``path:line:column code`` of what is found."""
    out = lint("check", "--isolated", "--no-cache", "--output-format", "concise", *(arguments or (".",))).out
    return [
        f"{place.rstrip(':')} {code}" for place, code in re.findall(r"^(\S[^\n]*?:\d+:\d+:) (AW\d+)", out, re.MULTILINE)
    ]


@pytest.mark.parametrize(
    ("source", "place"),
    [
        pytest.param(b"\xef\xbb\xbf" + BLOCKS.encode(), "5:5", id="byte order mark"),
        pytest.param(BLOCKS.replace("\n", "\r\n").encode(), "5:5", id="CRLF"),
        pytest.param(BLOCKS.replace("\n", "\r").encode(), "5:5", id="CR"),
        pytest.param(BLOCKS.replace("    ", "\t").encode(), "5:2", id="tabs"),
        pytest.param(BLOCKS.replace("async", "\fasync").encode(), "5:5", id="form feed before a statement"),
        pytest.param(
            BLOCKS.replace("import time\n", "import time\n\f\n").encode(), "6:5", id="form feed in a line of its own"
        ),
        pytest.param(f"# coding: latin-1\nx = 'é'\n{BLOCKS}".encode("latin-1"), "7:5", id="latin-1 cookie"),
        pytest.param(
            f"# -*- coding: cp1252 -*-\nx = '€'; {BLOCKS[:11]}\n{BLOCKS[12:]}".encode("cp1252"), "6:5", id="cp1252"
        ),
        pytest.param(
            f"#!/usr/bin/env python\n# vim: set fileencoding=utf-16-le :\n{BLOCKS}".encode(), None, id="wrong cookie"
        ),
        pytest.param(BLOCKS.encode("utf-16"), None, id="UTF-16"),
        pytest.param(BLOCKS.encode() + b"\x00", None, id="NUL byte at the end"),
        pytest.param(b"\x00" * 1000 + b"async", None, id="NUL bytes"),
        pytest.param(BLOCKS.replace("(1)", "(1)  # é\x00").encode(), "5:5", id="NUL byte in a comment"),
        pytest.param(BLOCKS.encode()[:-1], "5:5", id="no newline at the end"),
        pytest.param(BLOCKS.encode() + b"\x1a", None, id="end of file as DOS has it"),
        pytest.param(f"{BLOCKS}# \x0c\x1c\x85\u2028é\n{BLOCKS[13:]}".encode(), "5:5", id="line separators of Unicode"),
        pytest.param(
            "async def f():\n    'é'; time.sleep(1)\nimport time\n".encode(), "2:10", id="columns behind an accent"
        ),
    ],
)
def test_bytes(lint: Lint, tmp_path: Path, source: bytes, place: str | None) -> None:
    (tmp_path / "odd.py").write_bytes(source)
    (tmp_path / "plain.py").write_text(BLOCKS, "utf-8")
    found = places(lint)
    assert found[-1] == "plain.py:5:5 AW101"
    if place is None:
        assert [re.sub(r":\d+:\d+", "", line) for line in found[:-1]] in (["odd.py AW001"], ["odd.py AW002"])
    else:
        assert found[0] == f"odd.py:{place} AW101"


def test_fifty_thousand_lines(lint: Lint, tmp_path: Path) -> None:
    body = "".join(f"x{number} = {number}\n" for number in range(50_000))
    (tmp_path / "long.py").write_text(f"{body}{BLOCKS}", "utf-8")
    assert places(lint) == ["long.py:50005:5 AW101"]


def test_one_long_line(lint: Lint, tmp_path: Path) -> None:
    (tmp_path / "wide.py").write_text(f"x = '{'a' * 2_000_000}'\n{BLOCKS}", "utf-8")
    assert places(lint) == ["wide.py:6:5 AW101"]


@pytest.mark.parametrize(
    "nested",
    [
        pytest.param(f"x = {'f(' * 90}{')' * 90}\n", id="90 calls"),
        pytest.param(f"x = {'a.b().' * 500}c\n", id="500 calls in a chain"),
        pytest.param(f"x = {'a + ' * 5000}a\n", id="5000 terms"),
        pytest.param("".join(f"{' ' * depth}if x:\n" for depth in range(90)) + f"{' ' * 90}pass\n", id="90 blocks"),
        pytest.param(f"x = {'not ' * 500}a\n", id="500 negations"),
        pytest.param(f"x = {'lambda: ' * 90}a\n", id="90 lambdas"),
        pytest.param(f"x = {'a if b else ' * 500}c\n", id="500 conditions"),
    ],
)
def test_deep_nesting_that_python_takes(lint: Lint, tmp_path: Path, nested: str) -> None:
    (tmp_path / "deep.py").write_text(f"{BLOCKS}{nested}", "utf-8")
    assert places(lint) == ["deep.py:5:5 AW101"]


@pytest.mark.parametrize(
    "nested",
    [
        pytest.param(f"x = {'(' * 500}{')' * 500}\n", id="500 parentheses"),
        pytest.param(f"x = {'[' * 500}{']' * 500}\n", id="500 brackets"),
        pytest.param(f"x = {'f(' * 500}{')' * 500}\n", id="500 calls"),
        pytest.param("".join(f"{' ' * depth}if x:\n" for depth in range(500)) + f"{' ' * 500}pass\n", id="500 blocks"),
        pytest.param(
            "".join(f"{' ' * depth}class A:\n" for depth in range(500)) + f"{' ' * 500}pass\n", id="500 classes"
        ),
        pytest.param(f"x = {'-' * 500_000}1\n", id="500,000 signs"),
    ],
)
def test_nesting_that_python_refuses(lint: Lint, tmp_path: Path, nested: str) -> None:
    """500 levels deep: no crash; a finding says that the file cannot be parsed, or it is checked."""
    (tmp_path / "deep.py").write_text(f"{BLOCKS}{nested}", "utf-8")
    (tmp_path / "plain.py").write_text(BLOCKS, "utf-8")
    found = places(lint)
    assert found[-1] == "plain.py:5:5 AW101"
    assert len(found) == 2
    assert found[0] == "deep.py:5:5 AW101" or re.fullmatch(r"deep\.py:\d+:\d+ AW001", found[0])


def test_loops_of_symbolic_links(lint: Lint, tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text(BLOCKS, "utf-8")
    (tmp_path / "itself.py").symlink_to("itself.py")
    (tmp_path / "a.py").symlink_to("b.py")
    (tmp_path / "b.py").symlink_to("a.py")
    (tmp_path / "dangling.py").symlink_to("nowhere.py")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "up").symlink_to("..")
    found = places(lint)
    assert found.count("plain.py:5:5 AW101") == 1
    assert {line.partition(":")[0] for line in found} <= {"plain.py", "itself.py", "a.py", "b.py", "dangling.py"}
    assert {line.rpartition(" ")[2] for line in found if not line.startswith("plain")} <= {"AW002"}
    assert places(lint, "itself.py", "a.py") == ["a.py:1:1 AW002", "itself.py:1:1 AW002"]


def test_imports_that_go_in_a_circle_through_links(lint: Lint, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("from shop.shop import wait\n", "utf-8")
    (tmp_path / "shop" / "shop").symlink_to("../shop")
    (tmp_path / "app.py").write_text("from shop import wait\n\n\nasync def f():\n    wait()\n", "utf-8")
    assert places(lint) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_what_may_not_be_read(lint: Lint, tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text(BLOCKS, "utf-8")
    (tmp_path / "secret.py").write_text(BLOCKS, "utf-8")
    (tmp_path / "secret.py").chmod(0)
    assert places(lint) == ["plain.py:5:5 AW101", "secret.py:1:1 AW002"]


def test_folders_and_pipes_with_the_name_of_a_module(lint: Lint, tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text(BLOCKS, "utf-8")
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "folder.py" / "inner.py").write_text(BLOCKS, "utf-8")
    os.mkfifo(tmp_path / "pipe.py")
    assert "plain.py:5:5 AW101" in (found := places(lint))
    assert all(line.endswith("AW002") for line in found if line.startswith("pipe.py"))


def test_a_file_that_vanishes_between_the_listing_and_the_reading(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"m{number}.py").write_text(BLOCKS, "utf-8")
    paths = sorted(tmp_path.glob("*.py"))
    (tmp_path / "m2.py").unlink()
    reports = list(check_files(paths, lambda _: Settings(root=tmp_path), cache=False))
    assert [[finding.code for finding in report.findings] for report in reports] == [["AW101"]] * 2 + [["AW002"]] + [
        ["AW101"]
    ] * 2


def test_files_that_come_and_go_during_the_run(tmp_path: Path) -> None:
    """Whatever the moment, each file is checked or said to be unreadable."""
    for number in range(60):
        (tmp_path / f"m{number}.py").write_text(f"from m{(number + 1) % 60} import f as g\n{BLOCKS}", "utf-8")
    paths = sorted(tmp_path.glob("*.py"))
    stop = threading.Event()

    def disturb() -> None:
        while not stop.is_set():
            for path in paths[::3]:
                path.unlink(missing_ok=True)
                path.write_text(BLOCKS, "utf-8")

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        reports = list(check_files(paths, lambda _: Settings(root=tmp_path), cache=False, jobs=1))
    finally:
        stop.set()
        thread.join()
    assert [Path(report.path) for report in reports] == paths
    assert {finding.code for report in reports for finding in report.findings} <= {"AW101", "AW002"}


def test_names_with_spaces_quotes_and_line_ends(lint: Lint, tmp_path: Path) -> None:
    names = ["with space.py", "quote'.py", 'double".py', "semi;colon.py", "dollar$HOME.py", "-dash.py", "émoji🎉.py"]
    for name in names:
        (tmp_path / name).write_text(BLOCKS, "utf-8")
    assert sorted(places(lint)) == sorted(f"{name}:5:5 AW101" for name in names)
    (tmp_path / "two\nlines.py").write_text(BLOCKS, "utf-8")
    ran = lint("check", "--isolated", "--no-cache", "--output-format", "json-lines", "two\nlines.py")
    assert ran.out.count("\n") == 1
    assert "two\\nlines.py" in ran.out


def test_names_that_are_not_utf_8(tmp_path: Path) -> None:
    name = os.fsdecode(b"latin-\xe9.py")
    (tmp_path / name).write_text(BLOCKS, "utf-8")
    (tmp_path / "plain.py").write_text(f"import requests\n{BLOCKS}", "utf-8")
    command = [sys.executable, "-m", "asgiway_lint", "check", "--isolated", "."]

    def run(*options: str) -> str:
        done = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, timeout=60, check=False)
        assert done.returncode == 1, done.stderr
        assert b"Traceback" not in done.stderr
        return os.fsdecode(done.stdout)

    for form in ("concise", "full", "json", "sarif", "github", "junit"):
        assert run("--no-cache", "--output-format", form).count("AW101") >= 2
    cold = run("--output-format", "concise")
    assert name in cold
    assert run("--output-format", "concise") == cold
