"""`asgiway-lint` as its users meet it: every option, every exit code, every way to get it wrong."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from asgiway_lint import __version__
from asgiway_lint.arguments import COMMANDS, build
from tests.linter.cli_support import BAD, GOOD, Lint, Ran, process, write

SLEEP = "a.py:8:5: AW101 "
HTTP = "a.py:10:12: AW102 "
STAT = "a.py:9:5: AW109 "


# --- exit codes -------------------------------------------------------------------------------------------------------


def test_clean_is_0(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=GOOD)
    assert lint("check") == Ran(0, "All checks passed!\n", "")


def test_findings_are_1(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD)
    ran = lint("check")
    assert (ran.code, ran.err) == (1, "")
    lines = ran.out.splitlines()
    assert lines[0].startswith(SLEEP)
    assert lines[1].startswith(HTTP)
    assert lines[2:] == [
        "Found 2 errors (1 info not shown; --min-severity info shows it).",
        "[*] 2 fixable with `--fix`.",
    ]


def test_exit_zero(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD)
    for option in ("-e", "--exit-zero"):
        ran = lint("check", option)
        assert (ran.code, len(ran.findings)) == (0, 2)
    assert lint("check", "--exit-zero", "nope").code == 2


def test_a_file_that_cannot_be_parsed_or_read_is_a_finding_and_stops_nothing(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD, b_py="async def f(:\n", c_py=GOOD)
    (tmp_path / "d.py").write_bytes(b"# coding: utf-8\nasync def f():\n    '\xff'\n")
    ran = lint("check")
    assert ran.code == 1
    assert ran.findings == ["a.py AW101", "a.py AW102", "b.py AW001", "d.py AW002"]
    assert ran.out.splitlines()[2].startswith("b.py:1:")


def test_a_folder_that_cannot_be_listed_is_a_finding_and_stops_nothing(lint: Lint, tmp_path: Path) -> None:
    """A path beyond the system's limit, as permissions mean nothing to root."""
    write(tmp_path, a_py=BAD)
    for _ in range(20):
        os.mkdir("d" * 250)
        os.chdir("d" * 250)
    os.chdir(tmp_path)
    ran = lint("check", "--no-cache")
    assert (ran.code, ran.err) == (1, "")
    assert ran.out.splitlines()[2].endswith("d:1:1: AW002 Cannot be read: File name too long (folder)")
    assert lint("check", "--no-cache", "--ignore", "AW002").findings == ["a.py AW101", "a.py AW102"]


def test_a_missing_path_is_2_and_the_others_are_checked(lint: Lint, tmp_path: Path) -> None:
    """Issue 5: an unknown path gives one sentence that names the nearest valid one, and exit code 2."""
    write(tmp_path, a_py=BAD, src__x_py=GOOD)
    ran = lint("check", "scr", "a.py")
    assert (ran.code, ran.findings) == (2, ["a.py AW101", "a.py AW102"])
    assert ran.err == "error: no such file or folder: 'scr' (did you mean 'src'?)\n"
    assert lint("check", "nope/x.py") == Ran(2, "", "error: no such file or folder: 'nope/x.py'\n")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--config", "lint.tml"], "(did you mean 'lint.toml'?)"),
        (["--config", "extended.toml"], "names {cwd}/lnt.toml, which is no file (did you mean 'lint.toml'?)"),
        (["--baseline", "knwon.json"], "there is no baseline {cwd}/knwon.json (did you mean 'known.json'?); make it"),
    ],
)
def test_paths_of_options_that_do_not_exist_are_2_and_name_the_nearest_one(
    lint: Lint, tmp_path: Path, arguments: list[str], hint: str
) -> None:
    """Issue 5, section 5."""
    write(tmp_path, a_py=BAD, lint_toml="", extended_toml="extend = 'lnt.toml'\n")
    (tmp_path / "known.json").touch()
    ran = lint("check", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert hint.format(cwd=tmp_path) in ran.err


def test_nothing_to_check_is_said(lint: Lint) -> None:
    assert lint("check") == Ran(0, "All checks passed!\n", "warning: no Python files found under the given path(s)\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            ["chekc"], "unknown command 'chekc' (did you mean 'check'?); see asgiway-lint --help", id="command"
        ),
        pytest.param(
            ["a.py"], "unknown command 'a.py'; to check this path: asgiway-lint check a.py", id="forgot check"
        ),
        pytest.param(["--select", "AW1"], "unknown option '--select'; options follow the command", id="option first"),
        pytest.param(["check", "--selct", "AW1"], "unknown option '--selct' (did you mean '--select'?)", id="option"),
        pytest.param(
            ["check", "--selct=AW1"], "unknown option '--selct' (did you mean '--select'?)", id="option with value"
        ),
        pytest.param(["check", "--sel", "AW1"], "unknown option '--sel'", id="no abbreviations"),
        pytest.param(["check", "--select"], "--select: expected one argument", id="value missing"),
        pytest.param(
            ["check", "--select", "AW9"], "--select: unknown rule code 'AW9' (did you mean 'AW109'?)", id="code"
        ),
        pytest.param(["check", "--ignore", "E501"], "--ignore: unknown rule code 'E501'", id="another tool's code"),
        pytest.param(["check", "--per-file-ignores", "x"], "'x' is not of the form PATTERN:CODE", id="per-file"),
        pytest.param(
            ["check", "--per-file-ignores", "x:AW9"], "--per-file-ignores.x: unknown rule code", id="per-file code"
        ),
        pytest.param(["check", "--exclude", "a["], "--exclude: '[' without ']'", id="pattern"),
        pytest.param(
            ["check", "--output-format", "jsn"],
            "'jsn' is none of full, concise, grouped, json, json-lines, sarif, github, gitlab, junit, rdjson, pylint"
            " (did you mean 'json'?)",
            id="format",
        ),
        pytest.param(["check", "--min-severity", "warn"], "(did you mean 'warning'?)", id="severity"),
        pytest.param(["check", "--color", "yes"], "'yes' is none of auto, always, never", id="colour"),
        pytest.param(["check", "--jobs", "0"], "'0' is not a whole number above 0", id="jobs"),
        pytest.param(["check", "--jobs", "two"], "'two' is not a whole number above 0", id="jobs in words"),
        pytest.param(
            ["check", "--config", "nope.toml"], "cannot read the configuration file {cwd}/nope.toml", id="config"
        ),
        pytest.param(
            ["check", "--config", "slect=['AW1']"], "unknown key 'slect' (did you mean 'select'?)", id="inline key"
        ),
        pytest.param(["check", "--config", "b.toml", "--isolated"], "leave one of them out", id="config and isolated"),
        pytest.param(["check", "--config", "a.toml", "--config", "b.toml"], "names two files", id="two configs"),
        pytest.param(["x" * 5000], "unknown command 'xxx", id="a very long command"),
        pytest.param(
            ["check", "--config", "select=[" + "'X'," * 2000 + "]"], "unknown rule code 'X'", id="a long setting"
        ),
        pytest.param(["check", "-", "a.py"], "'-' (standard input) cannot be combined", id="stdin and paths"),
        pytest.param(["check", "--stdin-filename", "x.py"], "--stdin-filename is for standard input", id="no stdin"),
        pytest.param(
            ["check", "-o", "no/such/folder"], "cannot write to no/such/folder: No such file", id="output file"
        ),
        pytest.param(["rule"], "name one rule (asgiway-lint rule AW102) or --all", id="no rule"),
        pytest.param(["rule", "AW102", "--all"], "name one rule", id="a rule and all"),
        pytest.param(["rule", "AW999"], "unknown rule 'AW999' (did you mean 'AW109'?)", id="rule"),
        pytest.param(["rule", "blocking-htp"], "(did you mean 'blocking-http'?)", id="rule by name"),
        pytest.param(["rule", "AW102", "AW103"], "unexpected argument 'AW103'", id="two rules"),
        pytest.param(["rules", "--json"], "unknown option '--json'", id="rules with an option"),
    ],
)
def test_mistakes_are_2_and_one_sentence(lint: Lint, tmp_path: Path, arguments: list[str], message: str) -> None:
    write(tmp_path, a_py=GOOD, a_toml="", b_toml="")
    ran = lint(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message.format(cwd=tmp_path) in ran.err
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1


def test_a_mistake_in_a_configuration_file_is_2(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD, pyproject_toml="[tool.asgiway-lint]\nslect = []\n")
    ran = lint("check")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"error: {tmp_path}/pyproject.toml, [tool.asgiway-lint]: unknown key 'slect' (did you mean 'select'?)\n"
    )


def test_ctrl_c_ends_it_with_one_line(tmp_path: Path) -> None:
    """A named pipe that nobody writes to: the run waits until it is interrupted. A shell calls that 130, and ends its loop."""
    os.mkfifo(tmp_path / "pipe.py")
    with subprocess.Popen(
        [sys.executable, "-m", "asgiway_lint", "check", "-v", "pipe.py"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            writing = open_when_read(tmp_path / "pipe.py")
            out, err = interrupted(running)
            os.close(writing)
        finally:
            running.kill()  # or a failure would wait for it for ever
    assert (running.returncode, out) == (-signal.SIGINT, "")
    assert err.endswith("error: interrupted\n")
    assert "Traceback" not in err


def interrupted(running: subprocess.Popen[str]) -> tuple[str, str]:
    """Press Ctrl-C until it is heeded: a signal that comes between two system calls does not end the second one."""
    for _ in range(12):
        time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        try:
            return running.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError("not interrupted within a minute")


def open_when_read(pipe: Path) -> int:
    """Open a named pipe for writing as soon as somebody reads it, who then waits for data."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_reader_that_has_had_enough_is_no_error(tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD * 2000)
    with subprocess.Popen(
        [sys.executable, "-m", "asgiway_lint", "check", "--output-format", "full"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith(SLEEP)
        running.stdout.close()
        assert running.stderr is not None
        assert running.stderr.read() == ""
        assert running.wait(60) == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux")
@pytest.mark.parametrize(
    "arguments",
    [["check", "-o", "/dev/full"], ["check"], ["rule", "--all"], ["--help"], ["check", "--help"], ["--version"]],
)
def test_a_full_disk_is_2(tmp_path: Path, arguments: list[str]) -> None:
    write(tmp_path, a_py=BAD)
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "asgiway_lint", *arguments],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ran.returncode == 2
    assert ran.stderr.endswith(f": {os.strerror(errno.ENOSPC)}\n")
    assert ran.stderr.count("\n") == 1


def test_a_bug_is_2_and_asks_for_a_report(lint: Lint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not 1, which would say "findings"; the current folder being gone stands for anything unforeseen."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    ran = lint("check")
    monkeypatch.chdir(tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert "Traceback" in ran.err
    assert ran.err.endswith("please report it with the lines above\n")


@pytest.mark.parametrize(
    ("library", "source"), [("libcst", "async def f(:\n"), ("pathspec", GOOD)], ids=["libcst", "pathspec"]
)
def test_a_missing_extra_is_2_and_says_what_to_install(tmp_path: Path, library: str, source: str) -> None:
    """In a process in which the library cannot be imported."""
    write(tmp_path, a_py=source)
    (tmp_path / ".gitignore").write_text("x\n")
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.modules[{library!r}] = None\n"
            "from asgiway_lint.cli import main\n"
            "sys.exit(main(['check', '--no-cache']))",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == f"error: {library} is not installed; install it with: pip install 'asgiway[lint]'\n"


# --- help, version, rules ---------------------------------------------------------------------------------------------


def test_help(lint: Lint) -> None:
    for option in ("-h", "--help"):
        ran = lint(option)
        assert (ran.code, ran.err) == (0, "")
        assert all(f"\n  {command} " in ran.out for command in COMMANDS)
    without = lint()
    assert (without.code, without.out, without.err) == (2, "", ran.out)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_names_all_its_options(lint: Lint, command: str) -> None:
    ran = lint(command, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"usage: asgiway-lint {command} [OPTIONS]")
    for option in build(command).options():
        assert option in ran.out
    assert max(map(len, ran.out.splitlines())) <= 120


def test_version(lint: Lint) -> None:
    for arguments in (["--version"], ["-V"], ["version"]):
        assert lint(*arguments) == Ran(0, f"asgiway-lint {__version__}\n", "")


def test_rules(lint: Lint) -> None:
    ran = lint("rules")
    assert (ran.code, ran.err) == (0, "")
    assert any(line.startswith("AW102  blocking-http ") and " error " in line for line in ran.out.splitlines())
    assert len(ran.out.splitlines()) == len(json.loads(lint("rule", "--all", "--output-format", "json").out))


@pytest.mark.parametrize("name", ["AW102", "aw102", "blocking-http"])
def test_rule(lint: Lint, name: str) -> None:
    ran = lint("rule", name)
    assert ran.code == 0
    assert ran.out.startswith("AW102 blocking-http\n\n")
    assert "\nWHY IS THIS BAD?\n" in ran.out
    assert "```" not in ran.out
    assert "\n    import requests\n" in ran.out


def test_rule_in_other_formats(lint: Lint) -> None:
    page = lint("rule", "AW102", "--output-format", "markdown").out
    assert page.startswith("# AW102 blocking-http\n\n")
    assert "## Why is this bad?" in page
    assert "```python" in page
    one = json.loads(lint("rule", "AW102", "--output-format", "json").out)
    assert one["code"] == "AW102"
    assert set(one) == {
        "name",
        "code",
        "linter",
        "summary",
        "message_formats",
        "fix",
        "fix_availability",
        "explanation",
        "severity",
        "preview",
        "status",
        "source_location",
    }
    everything = json.loads(lint("rule", "--all", "--output-format", "json").out)
    assert one in everything
    assert lint("rule", "--all", "--output-format", "markdown").out.count("\n# AW") == len(everything) - 1
    assert all(f"{rule['code']} {rule['name']}\n" in lint("rule", "--all").out for rule in everything)


# --- what is checked --------------------------------------------------------------------------------------------------


def test_paths(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD, one__b_py=BAD, two__c_py=BAD)
    assert lint("check", "two", "a.py", "--select", "AW101", "one").findings == [
        "a.py AW101",
        "one/b.py AW101",
        "two/c.py AW101",
    ]


def test_paths_outside_of_the_current_folder_are_absolute(
    lint: Lint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, one__a_py=BAD, two__b_py="")
    monkeypatch.chdir(tmp_path / "two")
    assert lint("check", "../one").findings[0] == f"{tmp_path}/one/a.py AW101"


def test_standard_input(tmp_path: Path) -> None:
    ran = process("check", "-", cwd=tmp_path, input=BAD)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout.splitlines()[0].startswith("-:8:5: AW101 ")
    assert "    time.sleep(1)\n" in process("check", "-", "--output-format", "full", cwd=tmp_path, input=BAD).stdout


def test_standard_input_with_a_name_is_treated_as_that_file(tmp_path: Path) -> None:
    """Its settings, its exclusions, its suppressions; the file need not exist."""
    write(
        tmp_path, src__asgiway_lint_toml="", pyproject_toml="[tool.asgiway-lint.per-file-ignores]\n'a.py' = ['AW102']\n"
    )
    (tmp_path / "src" / "asgiway_lint.toml").unlink()
    ran = process("check", "-", "--stdin-filename", "src/a.py", cwd=tmp_path, input=BAD)
    assert ran.stdout.splitlines()[0].startswith("src/a.py:8:5: AW101 ")
    assert "AW102" not in ran.stdout
    arguments = ["check", "-", "--stdin-filename", "src/a.py", "--exclude", "src"]
    assert process(*arguments, cwd=tmp_path, input=BAD).returncode == 1
    assert process(*arguments, "--force-exclude", cwd=tmp_path, input=BAD).returncode == 0
    assert process("check", "-", "--show-files", cwd=tmp_path, input="").stdout == "-\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["--select", "AW101"], ["a.py AW101"], id="a code"),
        pytest.param(["--select", "aw101"], ["a.py AW101"], id="lower case"),
        pytest.param(["--select", "AW101,AW109"], ["a.py AW101", "a.py AW109"], id="codes, one of them info"),
        pytest.param(["--select", "AW101", "--select=AW102"], ["a.py AW101", "a.py AW102"], id="repeated"),
        pytest.param(["--select", "AW1"], ["a.py AW101", "a.py AW102"], id="a prefix"),
        pytest.param(["--select", "ALL"], ["a.py AW101", "a.py AW102"], id="all"),
        pytest.param(["--select", "AW0"], [], id="others"),
        pytest.param(["--ignore", "AW102"], ["a.py AW101"], id="ignore"),
        pytest.param(["--ignore", "ALL"], [], id="ignore all"),
        pytest.param(["--select", "AW101", "--extend-select", "AW102"], ["a.py AW101", "a.py AW102"], id="extend"),
        pytest.param(["--extend-select", "AW109"], ["a.py AW101", "a.py AW109", "a.py AW102"], id="extend the default"),
        pytest.param(["--per-file-ignores", "a.py:AW101"], ["a.py AW102"], id="per file"),
        pytest.param(["--per-file-ignores", "b.py:AW101"], ["a.py AW101", "a.py AW102"], id="per other file"),
        pytest.param(["--per-file-ignores", "b.py:ALL,{a,c}.py:AW101,AW102"], [], id="per file, several"),
        pytest.param(["--min-severity", "info"], ["a.py AW101", "a.py AW109", "a.py AW102"], id="info"),
    ],
)
def test_rule_selection(lint: Lint, tmp_path: Path, arguments: list[str], expected: list[str]) -> None:
    write(tmp_path, a_py=BAD)
    ran = lint("check", *arguments)
    assert ran.findings == expected
    assert ran.code == bool(expected)


def test_min_severity_decides_about_the_exit_code(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py='async def f():\n    open("x")\n')
    assert lint("check").code == 1
    ran = lint("check", "--min-severity", "error")
    assert (ran.code, ran.findings) == (0, [])
    assert "1 warning" in ran.out


def test_info_alone_is_shown_on_request_and_exits_with_0(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py='import os\n\n\nasync def f():\n    os.stat("x")\n')
    ran = lint("check", "--min-severity", "info")
    assert (ran.code, ran.findings) == (0, ["a.py AW109"])
    assert lint("check", "--select", "AW109").code == 1


def test_the_command_line_replaces_the_selection_of_the_configuration(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD, pyproject_toml="[tool.asgiway-lint]\nselect = ['AW101']\n")
    assert lint("check").findings == ["a.py AW101"]
    assert lint("check", "--select", "AW102").findings == ["a.py AW102"]
    assert lint("check", "--extend-select", "AW102").findings == ["a.py AW101", "a.py AW102"]
    assert lint("check", "--ignore", "AW101").findings == []


def test_suppression(lint: Lint, tmp_path: Path) -> None:
    source = BAD.replace("time.sleep(1)", "time.sleep(1)  # noqa: AW101").replace(
        "    return requests.get(", "    return requests.get(  # noqa: AW102, E501\n        "
    )
    write(tmp_path, a_py=source)
    assert lint("check").findings == []
    assert lint("check", "--ignore-noqa").findings == ["a.py AW101", "a.py AW102"]
    write(tmp_path, a_py=GOOD.replace("sleep(1)", "sleep(1)  # noqa: AW101"))
    ran = lint("check")
    assert (ran.code, ran.out.splitlines()[0]) == (1, "a.py:5:29: AW003 [*] Unused suppression: AW101")
    write(tmp_path, a_py="# asgiway-lint: noqa\n" + BAD)
    assert lint("check").findings == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param([], ["a.py", "src/b.py"], id="defaults"),
        pytest.param(["--exclude", "src"], ["a.py", "build/c.py"], id="exclude replaces the default"),
        pytest.param(["--extend-exclude", "src,x"], ["a.py"], id="extend-exclude adds"),
        pytest.param(["--extend-exclude", "src/{b,x}.py"], ["a.py"], id="braces are no separators"),
        pytest.param(["--no-respect-gitignore"], ["a.py", "ignored.py", "src/b.py"], id="gitignore off"),
        pytest.param(["--respect-gitignore"], ["a.py", "src/b.py"], id="gitignore on"),
        pytest.param(["build", "ignored.py"], ["build/c.py", "ignored.py"], id="named"),
        pytest.param(["build", "a.py", "--force-exclude"], ["a.py"], id="named, but excluded by force"),
        pytest.param(["build", "--force-exclude", "--no-force-exclude"], ["build/c.py"], id="the last one counts"),
    ],
)
def test_file_selection(lint: Lint, tmp_path: Path, arguments: list[str], expected: list[str]) -> None:
    write(tmp_path, a_py="", src__b_py="", build__c_py="", ignored_py="")
    (tmp_path / ".gitignore").write_text("ignored.py\n")
    ran = lint("check", "--show-files", *arguments)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [str(tmp_path / name) for name in expected]


# --- configuration ----------------------------------------------------------------------------------------------------


def test_config_by_path_by_setting_and_not_at_all(lint: Lint, tmp_path: Path) -> None:
    write(
        tmp_path, a_py=BAD, pyproject_toml="[tool.asgiway-lint]\nselect = ['AW101']\n", ci_toml="select = ['AW102']\n"
    )
    assert lint("check").findings == ["a.py AW101"]
    assert lint("check", "--config", "ci.toml").findings == ["a.py AW102"]
    assert lint("check", "--config", "select = ['AW109']").findings == ["a.py AW109"]
    assert lint("check", "--config", "ci.toml", "--config", "extend-select=['AW109']").findings == [
        "a.py AW109",
        "a.py AW102",
    ]
    assert lint("check", "--isolated").findings == ["a.py AW101", "a.py AW102"]
    assert lint("check", "--isolated", "--config", "ignore=['AW101']").findings == ["a.py AW102"]


def test_each_file_is_checked_with_the_nearest_configuration(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD, sub__a_py=BAD, pyproject_toml="[tool.asgiway-lint]\nselect = ['AW101']\n")
    (tmp_path / "sub" / "asgiway-lint.toml").write_text("select = ['AW102']\n")
    assert lint("check").findings == ["a.py AW101", "sub/a.py AW102"]


def test_settings_reach_the_messages(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD)
    assert "httpx.AsyncClient" in lint("check").out
    assert "aiohttp.ClientSession" in lint("check", "--config", "http-client = 'aiohttp'").out
    assert "trio.sleep" in lint("check", "--config", "async-library = 'trio'").out
    write(tmp_path, a_py='import psycopg2\n\n\nasync def f():\n    psycopg2.connect("")\n')
    assert "asyncpg" in lint("check").out
    other = lint("check", "--config", "postgres = 'psycopg'").out
    assert "asyncpg" not in other
    assert "psycopg.AsyncConnection" in other


def test_show_settings_is_toml_that_says_where_it_comes_from(lint: Lint, tmp_path: Path) -> None:
    write(
        tmp_path,
        sub__a_py="",
        pyproject_toml="[tool.asgiway-lint]\nselect = ['AW101', 'AW102']\nasync-library = 'anyio'\noutput-format = 'json'\n"
        "[tool.asgiway-lint.per-file-ignores]\n'!sub/*' = ['AW1']\n'b.py' = ['AW102']\n",
    )
    ran = lint("check", "--show-settings", "--ignore", "AW102", "--extend-exclude", "gen")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[:2] == [f"# Settings for {tmp_path}/sub/a.py", f"# from {tmp_path}/pyproject.toml"]
    shown = tomllib.loads(ran.out)
    assert shown["select"] == ["AW101"]
    assert shown["exclude"][-1] == "gen"
    assert (shown["async-library"], shown["output-format"], shown["min-severity"]) == ("anyio", "json", "warning")
    assert shown["per-file-ignores"] == {"!sub/*": ["AW1"], "b.py": ["AW102"]}
    # What it prints is a configuration file that means the same.
    (tmp_path / "again.toml").write_text(ran.out)
    again = lint("check", "--show-settings", "--config", "again.toml")
    assert tomllib.loads(again.out) == shown


# --- cache and processes ------------------------------------------------------------------------------------------------


def test_cache_and_clean(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD, sub__a_py=BAD)
    default = tmp_path / ".asgiway_lint_cache"
    for option in ("-n", "--no-cache"):
        lint("check", option)
        assert not default.exists()
    first = lint("check")
    assert (default / ".gitignore").read_text().strip() == "*"
    assert lint("check") == first
    lint("check", "--cache-dir", "elsewhere", "--config", "select=['AW101']")
    assert (tmp_path / "elsewhere" / ".gitignore").is_file()
    write(tmp_path, pyproject_toml="[tool.asgiway-lint]\ncache-dir = 'elsewhere'\n")
    (tmp_path / "sub" / ".asgiway_lint_cache").mkdir()
    ran = lint("clean")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        f"Removed {folder}"
        for folder in sorted([default, tmp_path / "elsewhere", tmp_path / "sub" / ".asgiway_lint_cache"])
    ]
    assert not default.exists()
    assert not (tmp_path / "elsewhere").exists()
    assert lint("clean") == Ran(0, "", "")


def test_clean_leaves_alone_what_is_no_cache(lint: Lint, tmp_path: Path) -> None:
    write(tmp_path, src__a_py=GOOD, pyproject_toml="[tool.asgiway-lint]\ncache-dir = 'src'\n")
    (tmp_path / "src" / ".gitignore").write_text("*\n")
    ran = lint("clean")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == f"warning: {tmp_path}/src does not look like a cache of asgiway-lint and stays\n"
    assert (tmp_path / "src" / "a.py").exists()


def test_jobs_do_not_change_the_result(tmp_path: Path) -> None:
    for number in range(12):
        write(tmp_path, **{f"m{number}_py": BAD})
    one, two = (process("check", "--jobs", jobs, "--no-cache", cwd=tmp_path) for jobs in ("1", "2"))
    assert (one.returncode, one.stdout, one.stderr) == (two.returncode, two.stdout, two.stderr)
    assert one.stdout.count("AW101") == 12


def test_the_installed_command_and_the_module_are_the_same(tmp_path: Path) -> None:
    write(tmp_path, a_py=BAD)
    command = Path(sys.executable).with_name("asgiway-lint")
    ran = subprocess.run([command, "check"], cwd=tmp_path, capture_output=True, text=True, check=False)
    module = process("check", cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (module.returncode, module.stdout) == (1, ran.stdout)


def test_every_option_of_check_occurs_in_these_tests() -> None:
    source = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert [option for option in build("check").options() if f'"{option}' not in source] == []


def test_calls_are_followed_through_helpers_as_far_as_one_says(lint: Lint, tmp_path: Path) -> None:
    """Issue 4: `--max-depth`, `transitive = false`."""
    lines = [
        *("import time", "def near():", "    time.sleep(1)", "def far():", "    near()"),
        *("async def f():", "    near()", "    far()", "    time.sleep(1)"),
    ]
    (tmp_path / "a.py").write_text("\n".join(lines))

    def found(*options: str) -> list[int]:
        shown = json.loads(lint("check", "--output-format", "json", *options).out)
        return [finding["location"]["row"] for finding in shown]

    assert found() == found("--transitive") == found("--max-depth", "2") == [7, 8, 9]
    assert found("--max-depth", "1") == [7, 9]
    assert found("--no-transitive") == found("--config", "transitive = false") == [9]
    assert lint("check", "--config", "max-depth = 0").err.endswith(
        "'max-depth' must be a whole number above 0, not 0\n"
    )
