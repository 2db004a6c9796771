"""What is printed, where, and how: formats, colours, summaries, names of files; `--output-file`, which is written whole or not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from asgiway_lint.config import OUTPUT_FORMATS
from asgiway_lint.errors import UsageError
from asgiway_lint.output import Output
from asgiway_lint.replacing import WriteError, write_atomically
from tests.linter.cli_support import BAD, GOOD, Lint, Ran, in_terminal, write

SLEEP = "a.py:8:5: AW101 "
HTTP = "a.py:10:12: AW102 "


def test_output_formats_and_who_decides(lint: Lint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Option before variable before configuration before default."""
    write(tmp_path, a_py=BAD)
    concise, full, as_json = (lint("check", "--output-format", name).out for name in ("concise", "full", "json"))
    assert lint("check").out == concise
    assert "\n  |\n" not in concise
    assert "   = help: use httpx.AsyncClient\n" in full
    assert [each["code"] for each in json.loads(as_json)] == ["AW101", "AW102"]
    write(tmp_path, pyproject_toml="[tool.asgiway-lint]\noutput-format = 'full'\n")
    assert lint("check").out == full
    monkeypatch.setenv("ASGIWAY_LINT_OUTPUT_FORMAT", "json")
    assert lint("check").out == as_json
    assert lint("check", "--output-format", "concise").out == concise
    monkeypatch.setenv("ASGIWAY_LINT_OUTPUT_FORMAT", "jsn")
    assert lint("check").err == (
        "error: ASGIWAY_LINT_OUTPUT_FORMAT='jsn' is none of full, concise, grouped, json, json-lines, sarif, github,"
        " gitlab, junit, rdjson, pylint (did you mean 'json'?)\n"
    )


def test_json_names_files_absolutely(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD)
    first = json.loads(lint("check", "--output-format", "json").out)[0]
    assert first["filename"] == str(tmp_path / "a.py")
    assert (first["location"], first["end_location"]) == ({"row": 8, "column": 5}, {"row": 8, "column": 18})
    assert (first["symbol"], first["replacement"], first["severity"]) == ("time.sleep", "asyncio.sleep", "error")


@pytest.mark.parametrize("option", ["-o", "--output-file"])
def test_output_file(lint: Lint, tmp_path: Path, option: str) -> None:
    write(tmp_path, a_py=BAD)
    expected = lint("check").out
    ran = lint("check", option, "out.txt")
    assert ran == Ran(1, "", "")
    assert (tmp_path / "out.txt").read_text() == expected


def test_statistics(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD, b_py=BAD.replace("time.sleep(1)", ""))
    assert lint("check", "--statistics").out.splitlines() == [
        "2\tAW102\t[*] blocking-http",
        "1\tAW101\t[*] blocking-sleep",
        "Found 3 errors (2 info not shown; --min-severity info shows them).",
        "[*] 3 fixable with `--fix`.",
    ]
    assert json.loads(lint("check", "--statistics", "--output-format", "json").out)[0] == {
        "code": "AW102",
        "name": "blocking-http",
        "count": 2,
    }


def test_quiet_and_verbose(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD, build__b_py="")
    for option in ("-q", "--quiet"):
        ran = lint("check", option)
        assert len(ran.out.splitlines()) == len(ran.findings) == 2
    assert lint("check", "-q", "build", "--exclude", "build", "--force-exclude") == Ran(0, "", "")
    for option in ("-v", "--verbose"):
        assert f"debug: {tmp_path}/build is excluded\n" in lint("check", option).err


@pytest.mark.parametrize(
    ("arguments", "variables", "coloured"),
    [
        pytest.param([], {}, False, id="no terminal"),
        pytest.param(["--color", "always"], {}, True, id="always"),
        pytest.param(["--color", "never"], {"FORCE_COLOR": "1"}, False, id="never"),
        pytest.param([], {"FORCE_COLOR": "1"}, True, id="FORCE_COLOR"),
        pytest.param([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, id="NO_COLOR wins"),
        pytest.param(["--color", "always"], {"NO_COLOR": "1"}, True, id="the option wins"),
        pytest.param([], {"FORCE_COLOR": ""}, False, id="an empty variable is none"),
    ],
)
def test_colours(
    lint: Lint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    variables: dict[str, str],
    coloured: bool,
) -> None:
    write(tmp_path, a_py=BAD)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b[" in lint("check", *arguments).out) is coloured


def test_on_a_terminal_it_is_full_coloured_and_as_wide_as_the_terminal(tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD.replace("time.sleep(1)", "time.sleep(1)" + "; x = 1" * 30))
    text = in_terminal(["check"], tmp_path)
    assert "\x1b[" in text
    plain = in_terminal(["check"], tmp_path, NO_COLOR="1")
    assert "\x1b[" not in plain
    assert " 8 |     time.sleep(1); x = 1" in plain
    assert all(len(line) <= 60 for line in plain.splitlines() if " | " in line)
    assert any(line.endswith("…") for line in plain.splitlines())
    assert "\x1b[" not in in_terminal(["check"], tmp_path, TERM="dumb")


def test_names_that_are_not_utf8_come_out_as_they_are(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/\xff.py", "w") as file:
        file.write(BAD)
    ran = subprocess.run(
        [sys.executable, "-m", "asgiway_lint", "check"],
        cwd=tmp_path,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (1, b"")
    assert ran.stdout.startswith(b"\xff.py:8:5: AW101 ")
    ascii_only = subprocess.run(
        [sys.executable, "-m", "asgiway_lint", "check", "--output-format", "full"],
        cwd=tmp_path,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert ascii_only.stdout.startswith(b"\\udcff.py:8:5: AW101 ")


@pytest.mark.parametrize("name", OUTPUT_FORMATS)
def test_every_format_as_it_comes_out(lint: Lint, tmp_path: Path, name: str) -> None:
    """Only the formats for people end with a summary; the others are nothing but what they are, also into a file."""
    write(tmp_path, a_py=BAD)
    ran = lint("check", "--output-format", name)
    assert (ran.code, ran.err) == (1, "")
    assert ("Found 2 errors" in ran.out) == (name in ("full", "concise", "grouped"))
    assert lint("check", "--output-format", name, "-o", "report").code == 1
    assert (tmp_path / "report").read_text() == ran.out
    match name:
        case "json" | "gitlab":
            assert len(json.loads(ran.out)) == 2
        case "json-lines":
            assert [json.loads(line)["code"] for line in ran.out.splitlines()] == ["AW101", "AW102"]
        case "sarif":
            assert [each["ruleId"] for each in json.loads(ran.out)["runs"][0]["results"]] == ["AW101", "AW102"]
        case "rdjson":
            assert len(json.loads(ran.out)["diagnostics"]) == 2
        case "junit":
            assert ElementTree.fromstring(ran.out).get("failures") == "2"
        case _:
            assert [code in ran.out for code in ("AW101", "AW102", "AW109")] == [True, True, False]
    write(tmp_path, a_py=GOOD)
    assert lint("check", "--output-format", name).code == 0


@pytest.mark.parametrize(
    ("name", "variable"), [("github", "GITHUB_WORKSPACE"), ("sarif", "GITHUB_WORKSPACE"), ("gitlab", "CI_PROJECT_DIR")]
)
def test_paths_in_ci_are_counted_from_the_top_of_the_checkout(
    lint: Lint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, variable: str
) -> None:
    """A job that works in a folder of the checkout: annotations have to find the file all the same."""
    write(tmp_path, backend__a_py=BAD)
    monkeypatch.chdir(tmp_path / "backend")
    monkeypatch.delenv(variable, raising=False)
    assert "backend/a.py" not in lint("check", "--output-format", name).out
    monkeypatch.setenv(variable, str(tmp_path))
    assert "backend/a.py" in lint("check", "--output-format", name).out
    assert lint("check", "--output-format", "concise").out.startswith("a.py:")
    monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
    assert "backend/a.py" not in lint("check", "--output-format", name).out


def test_sarif_has_what_comments_and_the_baseline_silence(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD)
    lint("baseline", "create", "--baseline", "known.json", "--select", "AW102")
    write(tmp_path, a_py=BAD.replace("sleep(1)", "sleep(1)  # noqa: AW101"))
    ran = lint("check", "--baseline", "known.json", "--output-format", "sarif")
    assert ran.code == 0
    results = json.loads(ran.out)["runs"][0]["results"]
    assert [(each["ruleId"], each["suppressions"][0]["kind"]) for each in results] == [
        ("AW101", "inSource"),
        ("AW102", "external"),
    ]


# --- --output-file ----------------------------------------------------------------------------------------------------------


def test_an_error_in_the_middle_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "out.txt"
    file.write_text("old")
    with pytest.raises(ZeroDivisionError), Output(str(file)) as output:  # noqa: PT012
        output.write(["new"])
        output.write(str(1 // number) for number in (1, 0))
    assert file.read_text() == "old"
    with Output(str(file)) as output:
        output.write(["new"])
    assert file.read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out.txt"]


def test_a_new_file_has_the_usual_mode_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    usual = tmp_path / "usual"
    usual.touch()
    write_atomically(tmp_path / "new", b"x")
    assert (tmp_path / "new").stat().st_mode == usual.stat().st_mode
    usual.chmod(0o600)
    write_atomically(usual, b"x")
    assert usual.stat().st_mode & 0o777 == 0o600


def test_pipes_and_devices_are_not_replaced(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD)
    assert lint("check", "-o", os.devnull).code == 1
    assert not Path(os.devnull).is_file()
    os.mkfifo(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDWR | os.O_NONBLOCK)  # so that nobody waits for anybody
    try:
        assert lint("check", "-o", "pipe", "a.py").code == 1
        assert os.read(reading, 65536).startswith(b"a.py:8:5: AW101 ")
    finally:
        os.close(reading)


@pytest.mark.parametrize("name", ["folder", "no/such/file"])
def test_what_cannot_be_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match=f"cannot write to .*{name}: "), Output(str(tmp_path / name)) as output:
        output.write(["x"])


def test_a_file_that_is_not_what_was_expected(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"new")
    with pytest.raises(WriteError, match="it has changed in the meantime"):
        write_atomically(file, b"newer", expected=b"old")
    assert file.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_read_only_output_file_stays(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD)
    (tmp_path / "out").write_text("old")
    (tmp_path / "out").chmod(0o444)
    assert lint("check", "-o", "out").err == "error: cannot write to out: it is read-only; it is as it was before\n"
    assert (tmp_path / "out").read_text() == "old"


def test_a_long_name(tmp_path: Path) -> None:
    """The temporary name beside it must not be too long for the system."""
    file = tmp_path / ("x" * 250)
    write_atomically(file, b"x")
    assert file.read_bytes() == b"x"
