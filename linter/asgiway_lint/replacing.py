"""Replace the content of a file all at once: afterwards it is the old one or the new one, never a part of either."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from io import FileIO
from pathlib import Path

__all__ = ["WriteError", "write_atomically"]


class WriteError(OSError):
    """A file could not be written and is as it was; the message says why, without the file's name."""


def write_atomically(path: Path, data: bytes, *, expected: bytes | None = None) -> None:
    """Write a file, through another one beside it that takes its place when it is complete and on disk.

    Mode, attributes and, where permitted, owner and group stay; a symbolic link stays one and its target is written. An
    interruption at any time, Ctrl-C included, leaves the original.

    A file with several names (hard links) is the exception: another one could take the place of one of them only. It is written
    itself, once there has been room for the new content, and put back if that fails; only SIGKILL or a crash of the machine could
    leave a part.

    Args:
        path: the file; it need not exist.
        data: its new content.
        expected: what it is supposed to contain so far; None: anything, or nothing.

    Raises:
        WriteError: it has other content than expected, is read-only, or the system refuses.
    """
    target = Path(os.path.realpath(path))
    try:
        status = _status(target)
        if status is not None and not status.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
            raise WriteError("it is read-only")  # replacing it would work all the same, and not only for root
        if status is not None and not os.access(target, os.W_OK):
            raise WriteError("permission denied")
        descriptor, name = _beside(target)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            _take_over(name, target, status)
            if expected is not None and target.read_bytes() != expected:
                raise WriteError("it has changed in the meantime")
            if status is not None and status.st_nlink > 1:
                os.unlink(name)  # noqa: PTH108
                _overwrite(target, data)
            else:
                os.replace(name, target)  # noqa: PTH105  the temporary name is text
        except BaseException:
            with contextlib.suppress(FileNotFoundError):  # interrupted when it was in place already
                os.unlink(name)  # noqa: PTH108
            raise
    except WriteError:
        raise
    except OSError as error:
        raise WriteError(error.strerror or str(error)) from error


def _status(target: Path) -> os.stat_result | None:
    try:
        return target.stat()
    except FileNotFoundError:
        return None


def _beside(target: Path) -> tuple[int, str]:
    try:
        return tempfile.mkstemp(prefix=f".{target.name[:80]}.", suffix=".tmp", dir=target.parent)
    except PermissionError as error:
        raise WriteError(f"its folder takes no new file: {error.strerror}") from error


def _overwrite(target: Path, data: bytes) -> None:
    with target.open("r+b", buffering=0) as stream:
        before = stream.read()
        try:
            _fill(stream, data)
        except BaseException:
            _fill(stream, before)
            raise


def _fill(stream: FileIO, data: bytes) -> None:
    stream.seek(0)
    left = memoryview(data)
    while left:
        left = left[stream.write(left) :]
    stream.truncate()
    os.fsync(stream.fileno())


def _take_over(name: str, target: Path, status: os.stat_result | None) -> None:
    """Give the new file mode, owner and attributes of the old one; a new one gets what `open` would give it."""
    if status is None:
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)  # noqa: PTH101
        return
    if hasattr(os, "chown"):
        # Only root may give files away: else it belongs to who wrote it, as with any editor.
        for owner in (status.st_uid, -1):
            with contextlib.suppress(PermissionError):
                os.chown(name, owner, status.st_gid)
                break
    shutil.copystat(target, name)
    os.utime(name)
