"""Many files over several processes: contiguous chunks out, reports back in order.

A worker is a session of its own with its own connection to the cache, so results cannot depend on how the files are dealt out:
a finding is a function of its file, the files that imports lead to, and the settings.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from asgiway_lint.facts.reader import quick_reading

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

__all__ = ["Dealer", "forks", "processes"]

Item = TypeVar("Item")
Report = TypeVar("Report")

# Below this the start of a second process costs more than it saves.
_WORTHWHILE: Final = 100
_CHUNKS_PER_PROCESS: Final = 8
_MAX_PROCESSES: Final = 16
_SAFE_PATH: Final = "PYTHONSAFEPATH"


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
        """The reports of all items, in their order."""
        # Not above: with all that it imports it takes a tenth of a run that has nothing to do.
        from concurrent.futures import ProcessPoolExecutor

        size = max(1, min(64, -(-len(items) // (self._count * _CHUNKS_PER_PROCESS))))
        chunks = [items[start : start + size] for start in range(0, len(items), size)]
        with (
            _safe_path(),
            ProcessPoolExecutor(
                self._count, mp_context=_context(), initializer=_start, initargs=(self._make, self._arguments)
            ) as executor,
        ):
            for reports in executor.map(_work, chunks):
                yield from reports


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


def _context() -> BaseContext:
    import multiprocessing

    if forks():
        return multiprocessing.get_context("fork")
    return multiprocessing.get_context("spawn")


_function: Callable[[Sequence[Any]], list[Any]] | None = None


def _start(make: Callable[..., Callable[[Sequence[Any]], list[Any]]], arguments: tuple[Any, ...]) -> None:
    global _function
    threading.Thread(target=_end_with_parent, name="asgiway-parent", daemon=True).start()
    _function = make(*arguments)


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, even if it was killed.

    Waiting for work would not tell: each worker holds both ends of the pipe that work comes through.
    """
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(chunk: Sequence[Any]) -> list[Any]:
    assert _function is not None
    with quick_reading():
        reports = _function(chunk)
        gc.freeze()
        return reports
