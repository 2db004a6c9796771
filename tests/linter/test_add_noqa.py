"""`--add-noqa`: a comment in the right place for every finding, the same program, and files that are whole whatever happens."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiway_lint.addnoqa import add_noqa, check_reason
from asgiway_lint.check import Outcome
from asgiway_lint.commands.common import run_check
from asgiway_lint.errors import UsageError
from asgiway_lint.finding import Finding, Severity
from asgiway_lint.suppress import apply, find_directives
from tests.linter.cli_support import BAD, Lint, process, write


def body(*lines: str) -> str:
    return "import os, requests, time\n\n\nasync def f(x):\n" + "".join(f"    {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("time.sleep(1)", "time.sleep(1)  # noqa: AW101", id="one line"),
        pytest.param("time.sleep(1)   ", "time.sleep(1)  # noqa: AW101", id="blanks at the end"),
        pytest.param("time.sleep(1)  # why", "time.sleep(1)  # why  # noqa: AW101", id="behind a comment"),
        pytest.param("time.sleep(1)  # noqa: E501", "time.sleep(1)  # noqa: E501, AW101", id="codes of others"),
        pytest.param(
            "time.sleep(1)  # noqa: E501 too long",
            "time.sleep(1)  # noqa: E501, AW101 too long",
            id="codes and a reason",
        ),
        pytest.param(
            "time.sleep(1)  # noqa: because", "time.sleep(1)  # noqa: because  # noqa: AW101", id="no directive"
        ),
        pytest.param(
            "requests.get(\n        x,\n    )", "requests.get(\n        x,\n    )  # noqa: AW102", id="on the last line"
        ),
        pytest.param(
            "requests.get(\n        x,\n    ) or \\\n        1",
            "requests.get(  # noqa: AW102\n        x,\n    ) or \\\n        1",
            id="a backslash behind the last line: on the first",
        ),
        pytest.param(
            'requests.get("""\n  x\n""") + """\n"""',
            'requests.get("""\n  x\n""") + """\n"""  # noqa: AW102',
            id="first line ends in a string, last line, too: behind all strings, as in ruff",
        ),
        pytest.param(
            "time.sleep(1) or \\\n        1",
            "time.sleep(1) or \\\n        1  # noqa: AW101",
            id="a backslash: behind the continued lines, as in ruff",
        ),
        pytest.param(
            'x = """a\n{" time.sleep(1)"}\n"""; time.sleep(1)',
            'x = """a\n{" time.sleep(1)"}\n"""; time.sleep(1)  # noqa: AW101',
            id="a string on the line",
        ),
        pytest.param(
            "time.sleep(1); requests.get(x)", "time.sleep(1); requests.get(x)  # noqa: AW101, AW102", id="two rules"
        ),
        pytest.param(
            "time.sleep(1); time.sleep(1)", "time.sleep(1); time.sleep(1)  # noqa: AW101", id="twice the same"
        ),
        pytest.param(
            "x = '# noqa: AW101'; time.sleep(1)", "x = '# noqa: AW101'; time.sleep(1)  # noqa: AW101", id="in text"
        ),
        pytest.param(
            "requests.get(\n        time.sleep(1),\n    )",
            "requests.get(\n        time.sleep(1),  # noqa: AW101\n    )  # noqa: AW102",
            id="one in the other",
        ),
    ],
)
def test_where_the_comment_goes(lint: Lint, tmp_path: Path, old: str, new: str) -> None:
    """Issue 5, section 3: never inside strings and continuations, the right place for calls that span lines, idempotent."""
    file = tmp_path / "a.py"
    file.write_text(body(old))
    first = lint("check", "--add-noqa")
    assert file.read_text() == body(new)
    assert first.out == ""
    if old == new:
        assert re.search(r"AW10\d stays: a comment can stand neither", first.err)
        assert first.code == 1
    else:
        assert (first.code, lint("check").code) == (0, 0)
    again = lint("check", "--add-noqa")
    assert file.read_text() == body(new)
    assert again.err.endswith("Added 0 noqa directives in 0 files.\n")


@pytest.mark.parametrize("reason", ["until the httpx migration", "wegen Größe", "see issue 12 (AW102 comes later)"])
def test_a_reason(lint: Lint, tmp_path: Path, reason: str) -> None:
    file = tmp_path / "a.py"
    file.write_text(body("time.sleep(1)", "requests.get(x)  # noqa: E501"))
    assert lint("check", f"--add-noqa={reason}").err == "Added 2 noqa directives in 1 file.\n"
    assert file.read_text() == body(
        f"time.sleep(1)  # noqa: AW101 {reason}", f"requests.get(x)  # noqa: E501, AW102 {reason}"
    )
    assert lint("check").code == 0


@pytest.mark.parametrize("reason", ["AW102", "E501 is too long", "two\nlines", "a # b", "\x1b[31m"])
def test_reasons_that_would_be_misread(lint: Lint, tmp_path: Path, reason: str) -> None:
    write(tmp_path, a_py=BAD)
    ran = lint("check", f"--add-noqa={reason}")
    assert ran.code == 2
    assert ran.err.startswith("error: --add-noqa: ")
    assert (tmp_path / "a.py").read_text() == BAD


def test_the_option_does_not_eat_the_path_behind_it(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD, b_py=BAD)
    assert lint("check", "--add-noqa", "a.py").err == "Added 2 noqa directives in 1 file.\n"
    assert (tmp_path / "b.py").read_text() == BAD


def test_only_what_would_be_shown_gets_a_comment(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD)
    lint("check", "--add-noqa", "--select", "AW101")
    assert (tmp_path / "a.py").read_text() == BAD.replace("sleep(1)", "sleep(1)  # noqa: AW101")
    lint("baseline", "create", "--baseline", "known.json")
    assert "Added 0" in lint("check", "--add-noqa", "--baseline", "known.json").err


def test_line_ends_encodings_and_byte_order_marks_stay(lint: Lint, tmp_path: Path) -> None:
    def source(text: str) -> str:
        return f"import time\r\n\r\n\r\nasync def f():\r\n    time.sleep(1){text}; 'ü'\r\n    x = 1"

    for encoding, head in (("utf-8-sig", ""), ("latin-1", "# coding: latin-1\r"), ("utf-8", "\f\r\n")):
        before = (head + source("")).encode(encoding)
        (tmp_path / "a.py").write_bytes(before)
        assert lint("check", "--add-noqa").code == 0
        after = (tmp_path / "a.py").read_bytes()
        assert after == (head + source("")).replace("'ü'", "'ü'  # noqa: AW101").encode(encoding)


def test_a_reason_that_the_encoding_lacks(lint: Lint, tmp_path: Path) -> None:
    data = b"# coding: ascii\nimport time\nasync def f():\n    time.sleep(1)\n"
    (tmp_path / "a.py").write_bytes(data)
    ran = lint("check", "--add-noqa=später")
    assert ran.code == 2
    assert ran.err.splitlines()[0] == "error: a.py is not written: its encoding, ascii, has no place for the reason"
    assert (tmp_path / "a.py").read_bytes() == data


def test_findings_about_files_and_suppressions_get_no_comment(lint: Lint, tmp_path: Path) -> None:
    files = {"a_py": "async def f(:\n", "b_py": "x = 1  # noqa: AW101\n"}
    write(tmp_path, **files)
    ran = lint("check", "--add-noqa")
    assert ran.code == 1
    assert ran.err.splitlines() == [
        "warning: a.py:1:13: AW001 stays: the file has to be repaired",
        "warning: b.py:1:8: AW003 stays: remove the comment that suppresses nothing",
        "Added 0 noqa directives in 0 files.",
    ]
    assert [(tmp_path / name).read_text() for name in ("a.py", "b.py")] == list(files.values())


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["-", "--add-noqa"], id="standard input"),
        pytest.param(["--add-noqa", "--ignore-noqa"], id="ignore-noqa"),
        pytest.param(["--add-noqa", "-o", "x.txt"], id="output file"),
    ],
)
def test_contradictions(lint: Lint, tmp_path: Path, arguments: list[str]) -> None:
    write(tmp_path, a_py=BAD)
    ran = lint("check", *arguments)
    assert ran.code == 2
    assert ran.err.startswith("error: --add-noqa ")
    assert (tmp_path / "a.py").read_text() == BAD


# --- what can go wrong while writing -------------------------------------------------------------------------------------


def test_a_read_only_file_stays_and_the_others_are_written(lint: Lint, tmp_path: Path) -> None:
    """Issue 5, section 5."""
    write(tmp_path, a_py=BAD, b_py=BAD)
    (tmp_path / "a.py").chmod(0o444)
    ran = lint("check", "--add-noqa")
    assert ran.code == 2
    assert ran.err.splitlines() == [
        "error: a.py is not written: it is read-only",
        "Added 2 noqa directives in 1 file.",
        "written: b.py",
    ]
    assert (tmp_path / "a.py").read_text() == BAD
    assert (tmp_path / "b.py").read_text() != BAD


def test_a_file_that_changes_while_it_is_checked_stays(
    lint: Lint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, a_py=BAD)

    def edited_at_the_end(*arguments: Any) -> Outcome:
        outcome = run_check(*arguments)
        (tmp_path / "a.py").write_text("\n" + BAD)
        return outcome

    monkeypatch.setattr("asgiway_lint.commands.check.run_check", edited_at_the_end)
    ran = lint("check", "--add-noqa")
    assert (ran.code, ran.err.splitlines()[0]) == (
        2,
        "error: a.py is not written: it has changed since it was checked; run again",
    )
    assert (tmp_path / "a.py").read_text() == "\n" + BAD


ENDPOINTS = """\
import time

from fastapi import FastAPI

app = FastAPI()


@app.get("/one")
async def one():
    time.sleep(1)


@app.get("/two")
async def two():
    time.sleep(1) or \\
        2
"""


def test_an_endpoint_that_blocks_no_more_needs_no_comment(lint: Lint, tmp_path: Path) -> None:
    """AW203 is about calls that no comment suppresses: where all have one, its own would be unused."""
    write(tmp_path, a_py=ENDPOINTS)
    ran = lint("check", "--add-noqa")
    assert (ran.code, ran.err) == (0, "Added 2 noqa directives in 1 file.\n")
    assert (tmp_path / "a.py").read_text() == ENDPOINTS.replace("sleep(1)\n", "sleep(1)  # noqa: AW101\n", 1).replace(
        "        2\n", "        2  # noqa: AW101\n"
    )
    assert lint("check").findings == []
    write(tmp_path, a_py=ENDPOINTS)
    assert lint("check", "--add-noqa", "--select", "AW203").err == "Added 2 noqa directives in 1 file.\n"


DISK = """
import os, resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from asgiway_lint.cli import main
# Python takes a short write of bytecode for a whole one, and would leave damaged files to everyone.
sys.dont_write_bytecode, os.environ["PYTHONDONTWRITEBYTECODE"] = True, "1"
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
@pytest.mark.parametrize(
    ("arguments", "untouched"),
    [
        pytest.param(["check", "--add-noqa", "--no-cache"], "big.py", id="noqa"),
        pytest.param(["baseline", "create", "--force", "--no-cache"], "asgiway-lint-baseline.json", id="baseline"),
        pytest.param(["check", "--output-format", "sarif", "-o", "out.sarif", "--no-cache"], "out.sarif", id="output"),
    ],
)
def test_when_the_disk_is_full_the_original_is_intact(tmp_path: Path, arguments: list[str], untouched: str) -> None:
    """Issue 5, section 5. A limit on the size of files stands for the disk: writing fails in the middle, for root, too."""
    big = "import time\n\n\n" + "".join(f"async def f{n}():\n    time.sleep({n})\n" for n in range(200))
    write(tmp_path, a_py=BAD, big_py=big)
    (tmp_path / "asgiway-lint-baseline.json").write_text("old")
    (tmp_path / "out.sarif").write_text("old")
    before = (tmp_path / untouched).read_bytes()
    names = sorted(path.name for path in tmp_path.iterdir())
    ran = subprocess.run(
        [sys.executable, "-c", DISK, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 2, ran.stderr
    assert (tmp_path / untouched).read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == names, "nothing is left lying around"
    assert "File too large" in ran.stderr
    if untouched == "big.py":
        assert "big.py is not written: File too large" in ran.stderr
        assert "written: a.py" in ran.stderr
        assert "# noqa: AW101" in (tmp_path / "a.py").read_text()
    else:
        assert ran.stderr.endswith("; it is as it was before\n")


CTRL_C = """
import os, sys
from asgiway_lint import replacing
from asgiway_lint.cli import main
real, left = os.fsync, [1]
def interrupted(descriptor):
    if not left:
        raise KeyboardInterrupt
    left.pop()
    real(descriptor)
os.fsync = interrupted
sys.exit(main(sys.argv[1:]))
"""


def test_ctrl_c_in_the_middle_says_what_is_written(tmp_path: Path) -> None:
    """Issue 5, section 5. The interruption comes at the worst moment: the second file's new content is there, but not in place."""
    write(tmp_path, a_py=BAD, b_py=BAD, c_py=BAD)
    ran = subprocess.run(
        [sys.executable, "-c", CTRL_C, "check", "--add-noqa", "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 130
    assert ran.stderr.splitlines() == ["written: a.py", "not written: b.py, c.py", "error: interrupted"]
    assert [(tmp_path / name).read_text() == BAD for name in ("a.py", "b.py", "c.py")] == [False, True, True]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.py", "b.py", "c.py"]


def test_modes_and_links_stay(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, real__a_py=BAD)
    (tmp_path / "real" / "a.py").chmod(0o750)
    (tmp_path / "link.py").symlink_to("real/a.py")
    assert lint("check", "--add-noqa", "link.py").code == 0
    assert (tmp_path / "link.py").is_symlink()
    assert "# noqa" in (tmp_path / "real" / "a.py").read_text()
    assert (tmp_path / "real" / "a.py").stat().st_mode & 0o777 == 0o750


def test_in_a_process_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD)
    ran = process("check", "--add-noqa=for now", cwd=tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "Added 2 noqa directives in 1 file.\n")
    assert process("check", "--add-noqa", "-q", cwd=tmp_path).stderr == ""
    assert process("check", cwd=tmp_path).returncode == 0


# --- properties -----------------------------------------------------------------------------------------------------------

STATEMENTS = st.sampled_from(
    [
        "x = 1",
        "x = 'a # b'",
        'x = """a\n  # noqa: AW101\n"""',
        "x = 1 + \\\n    2",
        "f(\n    a,  # one\n    b,\n)",
        "f(a)  # noqa: E501",
        "f(a)  # noqa",
        "x = f'{a}' 'b'",
        "x = [\n    1,\n\n]",
        "if a: b = '''\n'''; c = 2",
        "",
        "# comment",
    ]
)


@given(st.lists(STATEMENTS, min_size=1, max_size=8), st.data(), st.sampled_from(["\n", "\r\n", "\r"]))
def test_the_program_stays_the_same_and_every_finding_is_suppressed_or_returned(
    statements: list[str], data: st.DataObject, newline: str
) -> None:
    source = newline.join(statements).replace("\n", newline)
    lines = len(source.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    findings: list[Finding] = []
    for _ in range(data.draw(st.integers(1, 3))):
        first = data.draw(st.integers(1, lines))
        last = data.draw(st.integers(first, lines))
        code = data.draw(st.sampled_from(["AW101", "AW102"]))
        findings.append(
            Finding(
                path="a.py",
                code=code,
                message="m",
                severity=Severity.ERROR,
                line=first,
                column=1,
                end_line=last,
                end_column=1,
            )
        )
    findings = list(apply(findings, find_directives(source)).findings)
    added = add_noqa(source, findings, "why")
    assert ast.dump(ast.parse(added.text)) == ast.dump(ast.parse(source))
    assert set(apply(findings, find_directives(added.text)).findings) == set(added.left)
    assert add_noqa(added.text, added.left, "why").text == added.text


def test_check_reason_returns_it_trimmed() -> None:
    assert check_reason("  so far ") == "so far"
    with pytest.raises(UsageError):
        check_reason("AW101")


def test_nothing_is_written_when_nothing_is_found(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py="x = 1\n")
    before = os.stat(tmp_path / "a.py").st_ino
    assert lint("check", "--add-noqa").code == 0
    assert os.stat(tmp_path / "a.py").st_ino == before


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        pytest.param(["check", "-o", "out.sarif", "--output-format", "sarif", "--no-cache"], "out.sarif", id="output"),
        pytest.param(["baseline", "create", "--no-cache"], "asgiway-lint-baseline.json", id="baseline"),
        pytest.param(
            ["baseline", "create", "--force", "--no-cache", "--baseline", "old.json"], "old.json", id="an old baseline"
        ),
    ],
)
def test_ctrl_c_names_the_report_or_baseline_that_is_not_written(
    tmp_path: Path, arguments: list[str], name: str
) -> None:
    """Issue 5, section 5."""
    write(tmp_path, a_py=BAD)
    (tmp_path / "old.json").write_text("old")
    before = sorted(path.name for path in tmp_path.iterdir())
    ran = subprocess.run(
        [sys.executable, "-c", CTRL_C.replace("[1]", "[]"), *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (130, f"not written: {name}\nerror: interrupted\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert (tmp_path / "old.json").read_text() == "old"
