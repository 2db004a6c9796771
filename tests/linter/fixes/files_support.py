"""Programs on real files and processes, before and after a fix: what the tests of `open-file`, `anyio-path`, `create-subprocess` share."""

from __future__ import annotations

import shutil
import subprocess
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio

from asgiway_lint.config import Settings
from tests.linter.fixes.support import SETTINGS, applied, with_library

BACKENDS = ("asyncio", "trio")


def settings_for(library: str) -> Settings:
    """`default`: nothing is set, and nothing but the imports says which library it is."""
    return SETTINGS if library == "default" else with_library(library)


def program(body: str, imports: str, signature: str = "folder: Path") -> str:
    """A module whose `main` gets a folder."""
    return f"{imports}\n\n\nasync def main({signature}):\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"


def outcome(text: str, folder: Path, backend: str = "asyncio") -> tuple[Any, dict[str, bytes]]:
    """What a program returns or raises, and what the folder has in it afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "in.txt").write_bytes(b"one\ntwo\r\n\nfour\xc3\xa9")
    (folder / "empty.txt").touch()
    (folder / "sub").mkdir()
    (folder / "sub" / "deep.txt").write_text("deep")
    names: dict[str, Any] = {}
    exec(compile(text, "<program>", "exec"), names)
    try:
        result: Any = anyio.run(names["main"], folder, backend=backend)
    except Exception as error:
        result = _described(error)
    if isinstance(result, subprocess.CompletedProcess):
        result = "completed", result.args, result.returncode, result.stdout, result.stderr
    return result, {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _described(error: Exception) -> tuple[Any, ...]:
    if isinstance(error, subprocess.CalledProcessError):
        return type(error), error.returncode, error.cmd, error.output, error.stderr
    return type(error), error.args, getattr(error, "filename", None)


def rewritten(text: str, name: str, library: str = "default", **changes: Any) -> str:
    """The text after the unsafe fixes, of which one at least is the named fixer's; a second run changes nothing."""
    chosen = replace(settings_for(library), **changes)
    result = applied(text, unsafe=True, settings=chosen)
    assert result.dropped == ()
    assert name in {fix.name for fix in result.fixes}, result.refusals
    new = result.source.decode()
    assert applied(new, unsafe=True, settings=chosen).source == result.source
    return new
