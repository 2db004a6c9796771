"""Write files with fixes: each one whole or not at all, none that has changed since it was checked, and say which were written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from asgiway_lint.replacing import WriteError, write_atomically

__all__ = ["Written", "write_all"]


@dataclass(slots=True)
class Written:
    """What has been written so far, by path.

    Args:
        wanted: everything that is to be written.
        done: what was.
        failed: what could not be, and why.
    """

    wanted: tuple[str, ...]
    done: list[str] = field(default_factory=list[str])
    failed: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def left(self) -> tuple[str, ...]:
        """What was not written, whether it failed or was not tried."""
        return tuple(path for path in self.wanted if path not in self.done)


def write_all(
    files: Mapping[str, tuple[bytes, bytes]], started: int, interrupted: Callable[[Written], None]
) -> Written:
    """Write files; one that cannot be written stays as it is and stops no other.

    Args:
        files: by path, the bytes that it is supposed to have, and the new ones.
        started: when they began to be checked, `time.time_ns()`: what has changed later may not have been checked.
        interrupted: told what was written when Ctrl-C comes, before the `KeyboardInterrupt` goes on.
    """
    written = Written(tuple(files))
    try:
        for path, (before, after) in files.items():
            try:
                _write(Path(path), before, after, started)
            except WriteError as error:
                written.failed[path] = str(error)
            else:
                written.done.append(path)
    except KeyboardInterrupt:
        _settle(files, written)
        interrupted(written)
        raise
    return written


def _write(path: Path, before: bytes, after: bytes, started: int) -> None:
    try:
        changed = path.stat().st_ctime_ns >= started
    except (OSError, ValueError) as error:
        raise WriteError(getattr(error, "strerror", None) or str(error)) from error
    if changed:
        raise WriteError("it has changed since it was checked; run again")
    write_atomically(path, after, expected=before)


def _settle(files: Mapping[str, tuple[bytes, bytes]], written: Written) -> None:
    """Find out about the file at which the interruption came: it has its old content or its new one."""
    for path, (_, after) in files.items():
        if path in written.done or path in written.failed:
            continue
        try:
            if Path(path).read_bytes() == after:
                written.done.append(path)
        except OSError:
            pass  # then it was not written
        return
