"""Facts as the editor sees the project: buffers first, files after that, each looked at once per round.

A round is one check of one file. A file on disk is asked for its date once in a round and read again if that has changed, so no
result rests on the word of a file watcher. What a round has used, and in which state, is written down: these are the grounds of
its result, and the result stands as long as they do.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Final

from asgiway_lint import __version__
from asgiway_lint.facts import Facts, SourceProblem, read
from asgiway_lint.project.store import Problem, Store

__all__ = ["Cancelled", "LiveStore", "State", "state_of"]

State = tuple[int, ...]
"""What changes when a file does: time, size, inode; of a buffer a number that grows when its facts change. Empty: no file."""

_GONE: Final[State] = ()


class Cancelled(Exception):
    """Something more urgent has come up; what has been read so far stays read."""


@dataclass(slots=True)
class _Buffer:
    """A text in the editor.

    Attributes:
        source: its bytes.
        facts: what the last text that could be read says: whoever calls into a half-typed file is judged by that.
        problem: why the present one cannot be read.
        state: a number that grows when the facts do change.
        fresh: whether facts, problem and state belong to `source`.
    """

    source: bytes
    facts: Facts | None
    problem: SourceProblem | None
    state: State
    fresh: bool = False


class LiveStore(Store):
    """A store that outlives changes.

    Args:
        stop: set when the round is to end; `facts` raises `Cancelled` then.
    """

    def __init__(self, stop: threading.Event) -> None:
        super().__init__(None, __version__)
        self._stop = stop
        self._buffers: dict[str, _Buffer] = {}
        self._files: dict[str, tuple[State, Facts | SourceProblem | Problem]] = {}
        self._round: dict[str, Facts | None] = {}
        self._grounds: dict[str, State] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._files) + len(self._buffers)

    def put(self, path: str, source: bytes) -> None:
        """A buffer's text, instead of the file's."""
        known = self._buffers.get(path)
        if known is None:
            on_disk = self._files.get(path)
            facts = on_disk[1] if on_disk is not None and isinstance(on_disk[1], Facts) else None
            self._count += 1
            self._buffers[path] = _Buffer(source, facts, None, (self._count,))
        elif known.source != source:
            known.source, known.fresh = source, False

    def drop(self, path: str) -> None:
        """The buffer is closed: the file counts again."""
        self._buffers.pop(path, None)

    @contextlib.contextmanager
    def instead(self, path: str, source: bytes) -> Generator[None]:
        """A round in which a buffer has another text; afterwards nothing has happened."""
        before = self._buffers.get(path)
        self._buffers[path] = _Buffer(source, None, None, (0,))
        self.begin()
        try:
            yield
        finally:
            self.begin()
            if before is None:
                del self._buffers[path]
            else:
                self._buffers[path] = before

    def begin(self) -> None:
        """Begin a round."""
        self._round.clear()
        self._grounds = {}

    def grounds(self) -> Mapping[str, State]:
        """What the round has used, and its state."""
        return self._grounds

    def state(self, path: str, *, disk: bool = True) -> State | None:
        """The present state of a file or buffer; None if it is a file and the disk is not to be asked."""
        buffer = self._buffers.get(path)
        if buffer is not None:
            self._read_buffer(buffer)
            return buffer.state
        return state_of(path) if disk else None

    # ---- what the engine asks

    def source(self, path: str) -> bytes:
        """The bytes of a buffer or file.

        Raises:
            Problem: it cannot be read.
        """
        buffer = self._buffers.get(path)
        if buffer is None:
            self._grounds[path] = state_of(path)
            return super().source(path)
        self._grounds.setdefault(path, buffer.state)
        return buffer.source

    def facts(self, path: str) -> Facts | None:
        """The facts of a buffer or file; None if it cannot be read or parsed, and never could.

        Raises:
            Cancelled: see `LiveStore`.
        """
        try:
            return self._round[path]
        except KeyError:
            pass
        if self._stop.is_set():
            raise Cancelled
        buffer = self._buffers.get(path)
        if buffer is not None:
            self._read_buffer(buffer)
            self._grounds[path] = buffer.state
            found = buffer.facts
        else:
            known = self._read_file(path)
            found = known if isinstance(known, Facts) else None
        self._round[path] = found
        return found

    def require(self, path: str, source: bytes | None = None) -> Facts:
        """The facts of a buffer or file as it is now.

        Raises:
            Problem: it cannot be read.
            SourceProblem: it cannot be decoded or parsed.
        """
        buffer = self._buffers.get(path)
        if buffer is not None:
            self._read_buffer(buffer)
            self._grounds[path] = buffer.state
            if buffer.problem is not None:
                raise buffer.problem
            assert buffer.facts is not None
            return buffer.facts
        known = self._read_file(path)
        if isinstance(known, Facts):
            return known
        raise known

    # ---- reading

    def _read_buffer(self, buffer: _Buffer) -> None:
        if buffer.fresh:
            return
        found = _facts(buffer.source)
        if isinstance(found, SourceProblem):
            buffer.problem = found
        else:
            buffer.problem = None
            if found != buffer.facts:
                buffer.facts = found
                self._count += 1
                buffer.state = (self._count,)
        buffer.fresh = True

    def _read_file(self, path: str) -> Facts | SourceProblem | Problem:
        state = state_of(path)
        known = self._files.get(path)
        if known is None or known[0] != state:
            known = self._files[path] = (state, self._facts_of_file(path))
        self._grounds[path] = state
        return known[1]

    def _facts_of_file(self, path: str) -> Facts | SourceProblem | Problem:
        try:
            source = super().source(path)
        except Problem as problem:
            return problem.with_traceback(None)
        return _facts(source)


def _facts(source: bytes) -> Facts | SourceProblem:
    try:
        return read(source)
    except SourceProblem as problem:
        return problem.with_traceback(None)  # its frames hold the source and the tree


def state_of(path: str) -> State:
    """The state of a file or folder on disk."""
    try:
        found = os.stat(path)  # noqa: PTH116  (by the thousand)
    except (OSError, ValueError):
        return _GONE
    return found.st_mtime_ns, found.st_size, found.st_ino
