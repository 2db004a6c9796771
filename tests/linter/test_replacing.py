"""What a file keeps when its content is replaced: all its names, its mode, owner and attributes; and what it never has: half a content."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from asgiway_lint.replacing import WriteError, write_atomically

OLD, NEW = b"old content\n", b"the new content, which is longer\n"

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX")
root = pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root may become somebody else")


@contextmanager
def user(uid: int, *groups: int) -> Generator[None]:
    """Be somebody else for a while."""
    before = os.getgroups()
    os.setgroups(groups)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setgroups(before)


def made(folder: Path, name: str = "a.py") -> Path:
    path = folder / name
    path.write_bytes(OLD)
    return path


@posix
def test_all_names_of_a_file_get_the_new_content(tmp_path: Path) -> None:
    """Hard links: the working tree of some tools, and of some people."""
    path = made(tmp_path)
    other = tmp_path / "other"
    os.link(path, other)
    number = path.stat().st_ino
    write_atomically(path, NEW, expected=OLD)
    assert path.read_bytes() == other.read_bytes() == NEW
    assert path.stat().st_ino == other.stat().st_ino == number
    write_atomically(other, OLD)
    assert path.read_bytes() == OLD
    with pytest.raises(WriteError, match="changed in the meantime"):
        write_atomically(path, NEW, expected=b"something else")
    assert path.read_bytes() == other.read_bytes() == OLD
    assert sorted(os.listdir(tmp_path)) == ["a.py", "other"]


INTERRUPTED = """
import os, sys
from pathlib import Path
from asgiway_lint.replacing import write_atomically
real, calls = os.fsync, []
def fsync(number):
    calls.append(number)
    if len(calls) == 2:
        {what}
    return real(number)
os.fsync = fsync
write_atomically(Path(sys.argv[1]), b"new" * 1000)
"""


@posix
@pytest.mark.parametrize("what", ["raise KeyboardInterrupt", "raise OSError(28, 'full')"])
def test_a_file_of_several_names_is_put_back_when_it_cannot_be_written(tmp_path: Path, what: str) -> None:
    path = made(tmp_path)
    os.link(path, tmp_path / "other")
    code = INTERRUPTED.format(what=what)
    ran = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert ran.returncode != 0
    assert ("KeyboardInterrupt" in ran.stderr) or ("WriteError: full" in ran.stderr)
    assert path.read_bytes() == OLD
    assert sorted(os.listdir(tmp_path)) == ["a.py", "other"]


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="Linux")
def test_attributes_stay(tmp_path: Path) -> None:
    path = made(tmp_path)
    try:
        os.setxattr(path, "user.note", b"mine")
    except OSError as error:
        pytest.skip(f"this file system has none: {error}")
    os.utime(path, (1000, 1000))
    write_atomically(path, NEW)
    assert os.getxattr(path, "user.note") == b"mine"
    assert path.stat().st_mtime > 1_000_000  # but not the time: tools would take it for unchanged


@root
def test_mode_owner_and_group_stay(tmp_path: Path) -> None:
    path = made(tmp_path)
    os.chown(path, 1234, 4321)
    path.chmod(0o2751)
    write_atomically(path, NEW)
    status = path.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (1234, 4321, 0o2751)


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that everybody can get to; those of the tests are for their user alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


@root
def test_the_group_stays_where_the_owner_cannot(shared: Path) -> None:
    """A file of a colleague that the group may write."""
    os.chown(shared, 0, 4321)
    shared.chmod(0o770)
    path = made(shared)
    os.chown(path, 1234, 4321)
    path.chmod(0o664)
    with user(1235, 4321):
        write_atomically(path, NEW)
    status = path.stat()
    assert (path.read_bytes(), status.st_gid, status.st_mode & 0o7777) == (NEW, 4321, 0o664)


@root
def test_a_folder_that_takes_no_new_file_is_told(shared: Path) -> None:
    path = made(shared)
    path.chmod(0o666)
    shared.chmod(0o555)
    with user(1235), pytest.raises(WriteError) as caught:
        write_atomically(path, NEW)
    assert str(caught.value) == "its folder takes no new file: Permission denied"
    assert path.read_bytes() == OLD
