"""Many files over several processes: contiguous chunks out, reports back in order.

A worker is a session of its own with its own connection to the cache, so results cannot depend on how the files are dealt out:
a finding is a function of its file, the files that imports lead to, and the settings. So the process that deals them out can also
do the rest itself, when a worker is killed (a container short of memory, say) or cannot be started at all.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from asgiway_lint.errors import CrashError
from asgiway_lint.facts.reader import quick_reading
from asgiway_lint.process import ENDING

if TYPE_CHECKING:
    from multiprocessing.context import ForkContext, SpawnContext
    from multiprocessing.process import BaseProcess

__all__ = ["Dealer", "forks", "processes"]

_LOGGER: Final = logging.getLogger(__name__)

Item = TypeVar("Item")
Report = TypeVar("Report")

# Below this the start of a second process costs more than it saves.
_WORTHWHILE: Final = 100
_CHUNKS_PER_PROCESS: Final = 8
_MAX_PROCESSES: Final = 16
_SAFE_PATH: Final = "PYTHONSAFEPATH"
# What a worker ends with that has run out of memory.
_NO_MEMORY: Final = 3
# By these a process ends that has come upon a bug of the interpreter or of a library; the file would end another one, too.
_CRASHES: Final = frozenset({"SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL", "SIGFPE"})


def processes(jobs: int | None, files: int) -> int:
    """How many processes to use for so many files; `jobs` is the user's wish, None for none."""
    if jobs is not None:
        return max(1, min(jobs, files))
    if files < _WORTHWHILE:
        return 1
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(available, _MAX_PROCESSES, files // (_WORTHWHILE // 2)))


class Dealer(Generic[Item, Report]):
    """Runs one function over chunks of items in several processes.

    Args:
        make: makes the function that turns items into as many reports; called once in each process, importable by name.
        arguments: what `make` is called with.
        count: number of processes.
    """

    def __init__(
        self, make: Callable[..., Callable[[Sequence[Item]], list[Report]]], arguments: tuple[Any, ...], count: int
    ) -> None:
        self._make = make
        self._arguments = arguments
        self._count = count

    def run(self, items: Sequence[Item]) -> Iterator[Report]:
        """The reports of all items, in their order.

        Raises:
            CrashError: a worker has crashed.
        """
        size = max(1, min(64, -(-len(items) // (self._count * _CHUNKS_PER_PROCESS))))
        chunks = [items[start : start + size] for start in range(0, len(items), size)]
        done = 0
        try:
            for reports in self._apart(chunks):
                done += 1
                yield from reports
        except _StoppedError as error:
            _LOGGER.warning("%s; going on with one process", error)
        else:
            return
        function = self._make(*self._arguments)
        for chunk in chunks[done:]:
            yield from _reports(function, chunk)

    def _apart(self, chunks: Sequence[Sequence[Item]]) -> Generator[list[Report]]:
        from multiprocessing.connection import wait  # with what it imports a tenth of a run that has nothing to do

        crew = _Crew()
        numbers = iter(range(len(chunks)))
        done: dict[int, list[Any]] = {}
        try:
            crew.start(self._count, (self._make, self._arguments, chunks))
            connections = list(crew.workers)
            # Two each: one to work at, one for when that is done.
            for connection, number in zip([*connections, *connections], numbers, strict=False):
                crew.send(connection, number)
            for wanted in range(len(chunks)):
                while wanted not in done:
                    for connection in wait(connections):
                        finished, answer = crew.receive(connection)
                        if isinstance(answer, Exception):
                            raise answer
                        done[finished] = answer
                        for number in itertools.islice(numbers, 1):
                            crew.send(connection, number)
                yield done.pop(wanted)
            crew.dismiss()
        finally:
            crew.kill()


class _Crew:
    """The workers: each has a connection of its own, so that one that ends in the middle of an answer holds up nobody.

    (An executor of `concurrent.futures` waits for the rest of that answer for ever: its processes write into one pipe, which stays
    open as long as any of them, or itself, lives.)
    """

    def __init__(self) -> None:
        self.workers: dict[Any, BaseProcess] = {}

    def start(self, count: int, arguments: tuple[Any, ...]) -> None:
        """Start so many workers.

        Raises:
            _StoppedError: the system does not allow it.
        """
        context = _context()
        try:
            with _safe_path(), _signals_held():
                for _ in range(count):
                    ours, theirs = context.Pipe()
                    worker = context.Process(target=_serve, args=(theirs, *arguments), daemon=True)
                    self.workers[ours] = worker
                    worker.start()
                    theirs.close()
        except OSError as error:
            raise _StoppedError(f"no more processes can be started ({error.strerror or error})") from error

    def send(self, connection: Any, number: int | None) -> None:
        """Give a worker the number of a chunk, or None: nothing more."""
        try:
            connection.send(number)
        except OSError as error:
            raise self._lost(connection) from error

    def receive(self, connection: Any) -> tuple[int, list[Any] | Exception]:
        """Take the answer of a worker that has one."""
        try:
            answer: tuple[int, list[Any] | Exception] = connection.recv()
        except (EOFError, OSError) as error:
            raise self._lost(connection) from error
        return answer

    def dismiss(self) -> None:
        """Let the workers put their caches in order and end."""
        for connection in self.workers:
            with contextlib.suppress(OSError):  # it has gone already, and everything is there
                connection.send(None)
        for worker in self.workers.values():
            worker.join()

    def kill(self) -> None:
        """End the workers, as nobody waits for what they do; those that have ended are not bothered."""
        for connection, worker in self.workers.items():
            if worker.pid is not None:
                worker.kill()
                worker.join()
            connection.close()

    def _lost(self, connection: Any) -> Exception:
        worker = self.workers[connection]
        worker.join()
        if worker.exitcode == _NO_MEMORY:
            return _StoppedError("there is not enough memory for another process")
        end = _name(worker.exitcode or 0)
        if end in _CRASHES:
            return CrashError(f"a process that checks files has crashed ({end})")
        reason = ", perhaps as there was not enough memory" if end == "SIGKILL" else ""
        return _StoppedError(f"a process that checks files has ended ({end}){reason}")


class _StoppedError(Exception):
    """There are no more workers; the message says why."""


def _name(code: int) -> str:
    """What an exit code says."""
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit code {code}"


@contextmanager
def _safe_path() -> Generator[None, None, None]:
    """A fresh interpreter looks for its own modules in the current folder first: a project with a ``json.py`` would end it."""
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SAFE_PATH]
        else:
            os.environ[_SAFE_PATH] = before


def forks() -> bool:
    """Whether new processes inherit what this one has: where that is safe, as a fresh interpreter takes its time to start."""
    return sys.platform == "linux" and threading.active_count() == 1


def _context() -> ForkContext | SpawnContext:
    import multiprocessing

    if forks():
        return multiprocessing.get_context("fork")
    return multiprocessing.get_context("spawn")


@contextmanager
def _signals_held() -> Generator[None, None, None]:
    """Hold back the signals that end a run while processes are started: they begin with the handlers of this one."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    if not forks():
        from multiprocessing import resource_tracker

        resource_tracker.ensure_running()  # started later, it would let Ctrl-C through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(
    connection: Any,
    make: Callable[..., Callable[[Sequence[Any]], list[Any]]],
    arguments: tuple[Any, ...],
    chunks: Sequence[Sequence[Any]],
) -> None:
    """The worker: takes numbers of chunks, gives their reports or what went wrong."""
    number = -1
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the run has ended
        try:
            _settle()
            function = make(*arguments)
            while (number := connection.recv()) is not None:
                connection.send((number, _reports(function, chunks[number])))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise
        except MemoryError:
            os._exit(_NO_MEMORY)  # nothing that takes any can be relied on
        except Exception as error:
            import traceback

            error.add_note(f"in a process that checks files:\n{traceback.format_exc()}")
            connection.send((number, error))


def _settle() -> None:
    """Make this process a worker: one that ends when it is told to, and with the one that started it."""
    # A terminal sends Ctrl-C to all processes; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in ENDING:
        if number != signal.SIGINT and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    try:
        threading.Thread(target=_end_with_parent, name="asgiway-parent", daemon=True).start()
    except RuntimeError:  # a thread's stack finds no room
        raise MemoryError from None
    # What there is to say of the cache, the first process says.
    logging.getLogger("asgiway_lint").setLevel(logging.ERROR)


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, even if it was killed.

    Waiting for work would not tell: a worker that was forked later holds the other end of the pipe that work comes through.
    """
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _reports(function: Callable[[Sequence[Any]], list[Any]], chunk: Sequence[Any]) -> list[Any]:
    with quick_reading():
        reports = function(chunk)
        gc.freeze()
        return reports
