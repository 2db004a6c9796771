"""`--output-file`: replaced as a whole, or as it was; pipes and devices are written to."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from asgiway_lint.errors import UsageError
from asgiway_lint.output import Output
from asgiway_lint.replacing import WriteError, write_atomically
from tests.linter.cli_support import BAD, Lint, write


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
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    assert lint("check", "-o", "pipe", "a.py").code == 1
    reader.join(30)
    assert read[0].startswith("a.py:8:5: AW101 ")


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
