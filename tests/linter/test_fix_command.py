"""`asgiway-lint check --fix` and its relatives as their users meet them: what is written, shown, counted, refused, and the exit codes.

Issue 5, sections 1 and 5. What single fixers do is in `fixes/`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from tests.linter.cli_support import BAD, GOOD, Lint, Ran, process, write

FIXED = """\
import asyncio
import os
import time

import requests


async def rates():
    await asyncio.sleep(1)
    os.stat("x")
    return await asyncio.to_thread(requests.get, "https://rates.example")
"""
# One safe fix, one unsafe, one refusal.
MIXED = """\
import queue
import sqlite3
import time

q = queue.Queue()


async def f():
    time.sleep(1)
    q.get()
    sqlite3.connect("x")
"""
UNSAFE = "the wait takes a thread of the pool until it ends"


# ---- --fix


def test_fix_writes_reports_the_rest_and_ends_with_0(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD, b_py=GOOD)
    ran = lint("check", "--fix")
    found = "Found 2 errors (2 fixed, 0 remaining) (1 info not shown; --min-severity info shows it).\n"
    assert ran == Ran(0, found, "")
    assert (tmp_path / "a.py").read_text() == FIXED
    assert (tmp_path / "b.py").read_text() == GOOD
    assert lint("check", "--fix").out.startswith("All checks passed!")
    assert (tmp_path / "a.py").read_text() == FIXED


def test_what_fix_leaves_makes_the_exit_code_1(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=MIXED)
    ran = lint("check", "--fix")
    assert ran.code == 1
    lines = ran.out.splitlines()
    assert [line.partition(" `")[0] for line in lines[:2]] == ["a.py:11:5: AW111", "a.py:12:5: AW103"]
    assert lines[2:] == [
        "Found 2 errors, 1 warning (1 fixed, 2 remaining).",
        "No safe fixes (1 with `--fix --unsafe-fixes`).",
    ]
    assert lint("check", "--fix", "--exit-zero").code == 0
    assert lint("check", "--no-fix").code == 1


def test_unsafe_fixes_have_to_be_asked_for(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=MIXED)
    assert lint("check").out.endswith("[*] 1 fixable with `--fix` (1 more with `--unsafe-fixes`).\n")
    assert lint("check", "--unsafe-fixes").out.endswith("[*] 2 fixable with `--fix`.\n")
    assert lint("check", "--unsafe-fixes").out.count("[*]") == 3
    ran = lint("check", "--fix", "--unsafe-fixes")
    assert ran.findings == ["a.py AW103"]
    assert "await asyncio.to_thread(q.get)" in (tmp_path / "a.py").read_text()
    assert "(2 fixed, 1 remaining).\n" in ran.out


def test_exit_non_zero_on_fix(lint: Lint, tmp_path: Path) -> None:
    """For hooks: whoever commits is to look at what was changed."""
    write(tmp_path, a_py=BAD)
    assert lint("check", "--fix", "--exit-non-zero-on-fix").code == 1
    assert lint("check", "--fix", "--exit-non-zero-on-fix").code == 0
    write(tmp_path, a_py=BAD)
    assert lint("check", "--fix-only", "--exit-non-zero-on-fix").code == 1
    write(tmp_path, a_py=BAD)
    assert lint("check", "--fix", "--exit-non-zero-on-fix", "--exit-zero").code == 0


def test_fix_only_repairs_and_reports_nothing(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=MIXED, b_py=BAD)
    assert lint("check", "--fix-only") == Ran(0, "", "Fixed 3 findings in 2 files (1 more with --unsafe-fixes).\n")
    assert (tmp_path / "b.py").read_text() == FIXED
    assert lint("check", "--fix-only") == Ran(0, "", "No safe fixes (1 with --unsafe-fixes).\n")
    assert lint("check", "--fix-only", "--quiet") == Ran(0, "", "")


def test_show_fixes_lists_what_is_fixed_and_why_the_rest_is_not(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=MIXED)
    ran = lint("check", "--fix", "--show-fixes")
    lines = ran.err.splitlines()
    assert lines[:4] == ["Fixed 1 finding:", "- a.py:", "    1 × AW101 (async-sleep)", "Not fixed:"]  # noqa: RUF001
    assert lines[4].startswith(f"    a.py:11:5: AW111 (to-thread) needs --unsafe-fixes: {UNSAFE}")
    assert lines[5].startswith("    a.py:12:5: AW103 (to-thread): an sqlite3 connection may be used in the thread only")
    assert len(lines) == 6
    ran = lint("check", "--fix", "--unsafe-fixes", "--show-fixes")
    assert f"    1 × AW111 (to-thread), unsafe: {UNSAFE}" in ran.err  # noqa: RUF001


def test_show_fixes_without_fix_puts_them_into_the_report(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=MIXED)
    out = lint("check", "--show-fixes", "--output-format", "full").out
    assert "= fix: Replace `time.sleep` by `await asyncio.sleep`\n" in out
    assert f"= unsafe fix: Run `q.get` in a thread with `asyncio.to_thread`; {UNSAFE}" in out
    assert "= no fix: to-thread: an sqlite3 connection" in out
    assert (tmp_path / "a.py").read_text() == MIXED


def test_json_has_the_preferred_fix_when_fixes_are_asked_for(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=MIXED)
    assert [each["fix"] for each in json.loads(lint("check", "--output-format", "json").out)] == [None] * 3
    sleep, get, connect = json.loads(lint("check", "--show-fixes", "--output-format", "json").out)
    assert sleep["fix"]["applicability"] == "safe"
    assert (get["fix"]["applicability"], connect["fix"]) == ("unsafe", None)
    assert get["fix"]["reason"].startswith(UNSAFE)
    assert _with_edits(MIXED, sleep["fix"]["edits"]) == MIXED.replace(
        "time.sleep(1)", "await asyncio.sleep(1)"
    ).replace("import queue", "import asyncio\nimport queue")


def test_sarif_has_all_fixes(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=MIXED)
    (run,) = json.loads(lint("check", "--output-format", "sarif").out)["runs"]
    sleep, get, connect = run["results"]
    assert "fixes" not in connect
    assert get["fixes"][0]["description"]["text"].startswith(
        "Run `q.get` in a thread with `asyncio.to_thread` (unsafe: "
    )
    (change,) = sleep["fixes"][0]["artifactChanges"]
    assert change["artifactLocation"] == {"uri": "a.py", "uriBaseId": "SRCROOT"}
    assert [each["insertedContent"]["text"] for each in change["replacements"]] == [
        "import asyncio\n",
        "await asyncio.sleep",
    ]


def test_rdjson_suggests_the_preferred_fix(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=MIXED)
    shown = json.loads(lint("check", "--show-fixes", "--output-format", "rdjson").out)["diagnostics"]
    assert [each["text"] for each in shown[0]["suggestions"]] == ["import asyncio\n", "await asyncio.sleep"]
    assert "suggestions" not in shown[2]


def _with_edits(text: str, edits: list[dict[str, object]]) -> str:
    lines = text.splitlines(keepends=True)
    starts = [sum(map(len, lines[:number])) for number in range(len(lines) + 1)]

    def offset(place: object) -> int:
        assert isinstance(place, dict)
        return int(starts[place["row"] - 1] + place["column"] - 1)

    for edit in reversed(edits):
        text = text[: offset(edit["location"])] + str(edit["content"]) + text[offset(edit["end_location"]) :]
    return text


# ---- --diff


def test_diff_shows_and_writes_nothing(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD, b_py=GOOD)
    ran = lint("check", "--diff")
    assert (ran.code, ran.err) == (1, "Would fix 2 findings in 1 file.\n")
    assert ran.out.startswith("--- a.py\n+++ a.py\n@@ ")
    assert (tmp_path / "a.py").read_text() == BAD
    assert lint("check", "--diff", "--exit-zero").code == 0
    assert lint("check", "--diff", "b.py") == Ran(0, "", "No fixes.\n")


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(BAD, id="plain"),
        pytest.param(BAD.rstrip("\n"), id="no line end at the end"),
        pytest.param(BAD.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(BAD.replace('"x"', '"ä\u2028日本"'), id="wide"),
        pytest.param("\f\n" + BAD, id="form feed"),
    ],
)
def test_a_diff_is_a_patch(lint: Lint, tmp_path: Path, source: str) -> None:
    (tmp_path / "a.py").write_bytes(source.encode())
    lint("check", "--diff", "-o", "fixes.patch")
    subprocess.run(["git", "apply", "-p0", "--whitespace=nowarn", "fixes.patch"], cwd=tmp_path, check=True)
    patched = (tmp_path / "a.py").read_bytes()
    assert patched != source.encode()
    (tmp_path / "a.py").write_bytes(source.encode())
    lint("check", "--fix")
    assert (tmp_path / "a.py").read_bytes() == patched


def test_a_coloured_diff(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD)
    out = lint("check", "--diff", "--color", "always").out
    assert "\x1b[32m+import asyncio\x1b[0m\n" in out
    assert "\x1b[31m-    time.sleep(1)\x1b[0m\n" in out


# ---- standard input


def test_standard_input_comes_back_fixed(tmp_path: Path) -> None:
    ran = process("check", "--fix", "-", cwd=tmp_path, input=MIXED)
    assert ran.returncode == 1
    assert ran.stdout == MIXED.replace("time.sleep(1)", "await asyncio.sleep(1)").replace(
        "import queue", "import asyncio\nimport queue"
    )
    assert ran.stderr.startswith("-:11:5: AW111 ")
    assert "(1 fixed, 2 remaining).\n" in ran.stderr
    clean = process("check", "--fix-only", "-", cwd=tmp_path, input=GOOD)
    assert (clean.returncode, clean.stdout) == (0, GOOD)


def test_a_diff_of_standard_input(tmp_path: Path) -> None:
    ran = process("check", "--diff", "--stdin-filename", "shop/a.py", "-", cwd=tmp_path, input=BAD)
    assert (ran.returncode, ran.stdout.splitlines()[:2]) == (1, ["--- shop/a.py", "+++ shop/a.py"])
    assert not (tmp_path / "shop").exists()


# ---- which findings


def test_fixable_and_unfixable(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD)
    assert lint("check", "--unfixable", "AW101").out.endswith("[*] 1 fixable with `--fix`.\n")
    assert lint("check", "--fix", "--unfixable", "AW101").findings == ["a.py AW101"]
    write(tmp_path, a_py=BAD)
    assert lint("check", "--fix", "--fixable", "AW101").findings == ["a.py AW102"]
    write(tmp_path, a_py=BAD)
    assert lint("check", "--fix", "--fixable", "AW101", "--extend-fixable", "AW102").findings == []
    ran = lint("check", "--fixable", "AW9")
    assert (ran.code, ran.err.startswith("error: --fixable: unknown rule code 'AW9'")) == (2, True)


def test_settings_of_files_decide(lint: Lint, tmp_path: Path) -> None:
    """`fix`, `unsafe-fixes`, `fixable` ... as ruff has them; the nearest file's hold for a file."""
    write(tmp_path, a_py=MIXED, b__a_py=MIXED, asgiway_lint_toml="fix = true\nshow-fixes = true\n")
    (tmp_path / "asgiway-lint.toml").write_text("fix = true\nshow-fixes = true\n")
    (tmp_path / "b" / "asgiway-lint.toml").write_text("unsafe-fixes = true\nunfixable = ['AW101']\n")
    ran = lint("check")
    assert ran.findings == ["a.py AW111", "a.py AW103", "b/a.py AW101", "b/a.py AW103"]
    assert "- b/a.py:\n    1 × AW111 (to-thread), unsafe" in ran.err  # noqa: RUF001
    write(tmp_path, a_py=MIXED)
    off = ("--no-fix", "--no-show-fixes", "--no-unsafe-fixes", "--no-fix-only")
    assert lint("check", *off, "a.py").findings == ["a.py AW101", "a.py AW111", "a.py AW103"]


def test_only_what_is_shown_is_fixed(lint: Lint, tmp_path: Path) -> None:
    source = BAD.replace("time.sleep(1)", "time.sleep(1)  # noqa: AW101")
    write(tmp_path, a_py=source)
    lint("check", "--fix")
    text = (tmp_path / "a.py").read_text()
    assert "time.sleep(1)  # noqa: AW101" in text
    assert 'os.stat("x")' in text
    lint("check", "--fix", "--min-severity", "info")
    assert 'await asyncio.to_thread(os.stat, "x")' in (tmp_path / "a.py").read_text()


def test_what_the_baseline_knows_is_not_fixed(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD)
    lint("baseline", "create", "--baseline", "known.json")
    (tmp_path / "a.py").write_text(BAD + "\n\nasync def more():\n    time.sleep(2)\n")
    ran = lint("check", "--fix", "--baseline", "known.json")
    assert ran.code == 0
    text = (tmp_path / "a.py").read_text()
    assert text.count("time.sleep(1)") == 1
    assert "await asyncio.sleep(2)" in text


def test_only_changed_lines_are_fixed(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD)
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "-mx"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    (tmp_path / "a.py").write_text(BAD + "\n\nasync def more():\n    time.sleep(2)\n")
    lint("check", "--fix", "--diff-base", "HEAD", "--no-cache")
    text = (tmp_path / "a.py").read_text()
    assert text.count("time.sleep(1)") == 1
    assert "await asyncio.sleep(2)" in text


def test_fix_and_add_noqa_contradict_each_other(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD)
    for option in ("--fix", "--diff", "--fix-only"):
        ran = lint("check", "--add-noqa", option)
        assert (ran.code, ran.err) == (
            2,
            "error: --add-noqa and --fix are two ways to deal with the same findings: run one after the other\n",
        )


def test_new_dependencies_are_named(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py='import stripe\n\n\nasync def f():\n    stripe.Customer.retrieve("x")\n')
    ran = lint("check", "--fix", "--unsafe-fixes")
    assert ran.err == "The new code needs httpx: add it to the dependencies.\n"
    assert 'await stripe.Customer.retrieve_async("x")' in (tmp_path / "a.py").read_text()


# ---- bytes


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"\xef\xbb\xbf" + BAD.encode(), b"\xef\xbb\xbf" + FIXED.encode(), id="byte order mark"),
        pytest.param(BAD.replace("\n", "\r\n").encode(), FIXED.replace("\n", "\r\n").encode(), id="CRLF"),
        pytest.param(
            b"# coding: latin-1\n" + BAD.replace('"x"', '"\xe4"').encode("latin-1"),
            b"# coding: latin-1\n" + FIXED.replace('"x"', '"\xe4"').encode("latin-1"),
            id="latin-1",
        ),
        pytest.param(BAD.replace("    ", "\t").encode(), FIXED.replace("    ", "\t").encode(), id="tabs"),
        pytest.param(
            BAD.replace("\n\n\n", "\n\f\n\n").encode(), FIXED.replace("\n\n\n", "\n\f\n\n").encode(), id="form feed"
        ),
        pytest.param(BAD.rstrip().encode(), FIXED.rstrip().encode(), id="no line end at the end"),
    ],
)
def test_everything_outside_the_edits_stays_byte_for_byte(
    lint: Lint, tmp_path: Path, before: bytes, after: bytes
) -> None:
    (tmp_path / "a.py").write_bytes(before)
    lint("check", "--fix")
    assert (tmp_path / "a.py").read_bytes() == after


# ---- bad input


def test_a_read_only_file_stays_and_the_others_are_written(lint: Lint, tmp_path: Path) -> None:
    """Issue 5, section 5."""
    write(tmp_path, a_py=BAD, b_py=BAD)
    (tmp_path / "a.py").chmod(0o444)
    ran = lint("check", "--fix")
    assert ran.code == 2
    assert ran.err.splitlines() == ["error: a.py is not written: it is read-only", "written: b.py", "not written: a.py"]
    assert ran.findings == ["a.py AW101", "a.py AW102"]
    assert "(2 fixed, 2 remaining)" in ran.out
    assert ((tmp_path / "a.py").read_text(), (tmp_path / "b.py").read_text()) == (BAD, FIXED)


CHANGING = """
import sys
from pathlib import Path
from asgiway_lint import fixing
from asgiway_lint.analysis import run
from asgiway_lint.cli import main
real = run.check_sources
def changing(*arguments, **options):
    Path("a.py").write_text("x = 1\\n")
    return real(*arguments, **options)
fixing.check_sources = changing
sys.exit(main(sys.argv[1:]))
"""


def test_a_file_that_changes_while_it_is_fixed_is_left_alone(tmp_path: Path) -> None:
    """Issue 5, section 5. Somebody saves it while the fixes are computed."""
    write(tmp_path, a_py=BAD, b_py=BAD)
    ran = _run(CHANGING, tmp_path)
    assert ran.returncode == 2
    assert "error: a.py is not written: it has changed since it was checked; run again\n" in ran.stderr
    assert "written: b.py\nnot written: a.py\n" in ran.stderr
    assert ((tmp_path / "a.py").read_text(), (tmp_path / "b.py").read_text()) == ("x = 1\n", FIXED)


DISK = """
import os, resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from asgiway_lint.cli import main
# Python takes a short write of bytecode for a whole one, and would leave damaged files to everyone.
sys.dont_write_bytecode, os.environ["PYTHONDONTWRITEBYTECODE"] = True, "1"
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
sys.exit(main(sys.argv[1:]))
"""
CTRL_C = """
import os, sys
from asgiway_lint.cli import main
real, left = os.{moment}, [1]
def interrupted(*arguments):
    if left:
        left.pop()
        return real(*arguments)
    {last}
    raise KeyboardInterrupt
os.{moment} = interrupted
sys.exit(main(sys.argv[1:]))
"""


def _run(program: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, "check", "--fix", "--no-cache"],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_when_the_disk_is_full_the_original_is_intact(tmp_path: Path) -> None:
    """Issue 5, section 5. A limit on the size of files stands for the disk: writing fails in the middle, for root, too."""
    big = "import time\n\n\n" + "".join(f"async def f{n}():\n    time.sleep({n})\n" for n in range(200))
    write(tmp_path, a_py=BAD, b_py=big, c_py=BAD)
    ran = _run(DISK, tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.splitlines()[-3:] == [
        "error: b.py is not written: File too large",
        "written: a.py, c.py",
        "not written: b.py",
    ]
    assert (tmp_path / "b.py").read_text() == big
    assert sorted(os.listdir(tmp_path)) == ["a.py", "b.py", "c.py"]


@pytest.mark.parametrize(
    ("moment", "last", "written"),
    [
        pytest.param("fsync", "pass", ["a.py"], id="before the second file is in place"),
        pytest.param("replace", "real(*arguments)", ["a.py", "b.py"], id="just when it is"),
    ],
)
def test_ctrl_c_in_the_middle_says_what_is_written(tmp_path: Path, moment: str, last: str, written: list[str]) -> None:
    """Issue 5, section 5."""
    write(tmp_path, a_py=BAD, b_py=BAD, c_py=BAD)
    ran = _run(CTRL_C.format(moment=moment, last=last), tmp_path)
    left = [name for name in ("a.py", "b.py", "c.py") if name not in written]
    assert ran.returncode == 130
    assert ran.stderr.splitlines() == [
        f"written: {', '.join(written)}",
        f"not written: {', '.join(left)}",
        "error: interrupted",
    ]
    assert [name for name in sorted(os.listdir(tmp_path)) if (tmp_path / name).read_text() == FIXED] == written
    assert sorted(os.listdir(tmp_path)) == ["a.py", "b.py", "c.py"]


def test_files_that_cannot_be_parsed_or_read_stop_nothing(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD, b_py="async def f(:\n")
    (tmp_path / "c.py").write_bytes(b"# coding: utf-8\nasync def f():\n    '\xff'\n")
    ran = lint("check", "--fix")
    assert ran.findings == ["b.py AW001", "c.py AW002"]
    assert (tmp_path / "a.py").read_text() == FIXED


def test_a_symbolic_link_stays_one(lint: Lint, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "code").write_text(BAD)
    (tmp_path / "a.py").symlink_to("real/code")
    lint("check", "--fix", "a.py")
    assert (tmp_path / "a.py").is_symlink()
    assert (tmp_path / "real" / "code").read_text() == FIXED


def test_json_names_the_line_that_has_room_for_a_comment(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py="import time\n\n\nasync def f():\n    time.sleep(1) or \\\n        1\n    time.sleep(2)\n")
    assert [each["noqa_row"] for each in json.loads(lint("check", "--output-format", "json").out)] == [6, 7]


def test_sarif_with_fixes_is_valid(lint: Lint, tmp_path: Path) -> None:
    """Against the official schema of OASIS."""
    write(tmp_path, a_py=MIXED, b_py=BAD)
    schema = json.loads((Path(__file__).parent / "data" / "sarif-2.1.0.schema.json").read_text())
    log = json.loads(lint("check", "--output-format", "sarif", "--min-severity", "info").out)
    assert [error.message for error in jsonschema.Draft4Validator(schema).iter_errors(log)] == []
    assert sum("fixes" in result for result in log["runs"][0]["results"]) == 5
