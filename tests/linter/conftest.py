"""The fixture `lint`: the command line, in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from asgiway_lint.cli import main
from tests.linter.cli_support import Lint, Ran


@pytest.fixture
def lint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lint:
    """Run the command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "ASGIWAY_LINT_OUTPUT_FORMAT"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> Ran:
        code = main(arguments)
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return run
