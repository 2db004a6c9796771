"""What answers at once imports little: nobody waits for a parser, a language server or the catalogue to read a help text."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("libcst", "pathspec", "pygls", "lsprotocol", "rich", "asgiway", "anyio")
ENGINE = ("asgiway_lint.analysis", "asgiway_lint.catalogue", "asgiway_lint.facts", "sqlite3", "tomllib", "concurrent")


def imported(*arguments: str, cwd: Path, input: str = "") -> set[str]:
    """Return the modules, and the packages above them, that a run imported."""
    code = (
        "import sys\n"
        "from asgiway_lint.cli import main\n"
        f"code = main({list(arguments)!r})\n"
        "sys.stderr.write('\\n'.join(['imported:', *sys.modules]))\n"
        "sys.exit(code)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"],
        cwd=cwd,
        input=input,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode in (0, 1), ran.stderr
    modules = ran.stderr.partition("imported:\n")[2].splitlines()
    assert "asgiway_lint.cli" in modules
    return {".".join(name.split(".")[:depth]) for name in modules for depth in range(1, name.count(".") + 2)}


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["check", "--help"], ["rule", "AW102"], ["rules"]])
def test_help_version_and_rules_import_neither_libraries_nor_the_engine(tmp_path: Path, arguments: list[str]) -> None:
    modules = imported(*arguments, cwd=tmp_path)
    assert modules.isdisjoint(HEAVY)
    assert modules.isdisjoint(ENGINE)
    assert len(modules) < 220


def test_version_imports_no_rules(tmp_path: Path) -> None:
    assert imported("--version", cwd=tmp_path).isdisjoint(["asgiway_lint.rules", "logging", "dataclasses", "difflib"])


def test_checking_files_that_ast_can_parse_imports_no_libcst(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import time\n\n\nasync def f():\n    time.sleep(1)\n")
    for output_format in ("concise", "full", "json"):
        modules = imported("check", "--no-cache", "--output-format", output_format, cwd=tmp_path)
        assert "asgiway_lint.analysis" in modules
        assert modules.isdisjoint(HEAVY)


def test_pathspec_is_imported_where_there_is_an_ignore_file_only(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    assert "pathspec" not in imported("check", "--show-files", cwd=tmp_path)
    (tmp_path / ".gitignore").write_text("b.py\n")
    assert "pathspec" in imported("check", "--show-files", cwd=tmp_path)


def test_a_pyproject_without_our_table_does_not_cost_a_toml_parser(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert "tomllib" not in imported("check", "--show-files", cwd=tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.asgiway-lint]\n")
    assert "tomllib" in imported("check", "--show-files", cwd=tmp_path)
