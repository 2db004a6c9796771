"""One analysis at a time, in a thread, the most urgent first: the event loop never waits for one.

An edited file comes first, then what a user waits for (a pulled report, a code action), then the files that call into an edited one.
An edit ends the check that is running, as its result would be outdated. A file is checked when it has not been edited for as long as
a check of it takes: that keeps up with typing in small files, and leaves half of a CPU free in large ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from asgiway_lint.config import Layer
from asgiway_lint.server.knowledge import Checked, Document, Knowledge
from asgiway_lint.server.store import Cancelled

__all__ = ["ANALYSIS", "Analyst", "Delivery"]

log: logging.Logger = logging.getLogger(__name__)

T = TypeVar("T")
Report = TypeVar("Report")

# What the thread is called.
ANALYSIS: Final = "asgiway-lint-analysis"

_BUG: Final = "this is a bug in asgiway-lint; please report it with the lines below"
# Seconds between an edit and its check.
_LEAST: Final = 0.02
_MOST: Final = 0.5
Job = Callable[[Knowledge], Any]


@dataclass(frozen=True, slots=True)
class Delivery(Generic[Report]):
    """What came of a check.

    Args:
        path: the file.
        version: the document's version; None if the file is not to be checked.
        report: what the reporter made of it; None if there is nothing to report on.
    """

    path: str
    version: int | None
    report: Report | None


class Analyst(Generic[Report]):
    """The analysis thread, seen from the event loop. All methods belong to the loop's thread.

    Args:
        report: what to make of a checked file, in the analysis thread.
        deliver: gets each check's outcome, on the loop; never that of an outdated text.
        complain: gets what is to be said about bad configurations, on the loop.
        overrides: settings that the client has sent.
    """

    def __init__(
        self,
        report: Callable[[Knowledge, Checked], Report],
        deliver: Callable[[Delivery[Report]], None],
        complain: Callable[[list[str]], None],
        overrides: tuple[Layer, ...] = (),
    ) -> None:
        self._report = report
        self._deliver = deliver
        self._complain = complain
        self._stop = threading.Event()
        self._knowledge = Knowledge(self._stop, overrides)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=ANALYSIS)
        self._wake = asyncio.Event()
        self._changes: list[Job] = []
        self._asked: deque[tuple[str, Job, asyncio.Future[Any]]] = deque()
        self._edited: dict[str, float] = {}
        self._affected: dict[str, None] = {}
        self._look = False
        self._checking = False
        self._versions: dict[str, int] = {}
        self._seconds: dict[str, float] = {}
        self._broken: dict[str, int] = {}
        self._task = asyncio.create_task(self._run())

    # ---- what the client tells and asks

    def folders(self, folders: tuple[str, ...]) -> None:
        """The workspace has these folders (absolute)."""
        self._change(lambda knowledge: knowledge.folders(folders))
        self.look()

    def open(self, document: Document) -> None:
        """A document is open, or has a new text: check it soon."""
        known = document.path in self._versions
        self._versions[document.path] = document.version
        self._change(lambda knowledge: knowledge.put(document))
        delay = min(max(self._seconds.get(document.path, 0.0), _LEAST), _MOST) if known else 0.0
        self._edited[document.path] = asyncio.get_running_loop().time() + delay
        self._interrupt()

    def close(self, path: str) -> None:
        """A document is closed: its file counts again."""
        for table in (self._versions, self._seconds, self._broken, self._edited, self._affected):
            table.pop(path, None)
        self._change(lambda knowledge: knowledge.drop(path))
        self.look()

    def look(self) -> None:
        """Files or settings may have changed on disk: check what rests on them."""
        self._look = True
        self._wake.set()

    async def ask(self, path: str, job: Callable[[Knowledge], T]) -> T:
        """The answer to a question, from the analysis thread, after everything that the client has told until now.

        Args:
            path: the file that it is about; if that waits for its check, it is checked first.
            job: what to ask.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._asked.append((path, job, future))
        self._interrupt()
        return await future

    async def close_down(self) -> None:
        """End the thread."""
        self._task.cancel()
        self.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def stop(self) -> None:
        """End what the thread is doing, and begin nothing more; needs no loop."""
        self._stop.set()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _change(self, change: Job) -> None:
        self._changes.append(change)
        self._wake.set()

    def _interrupt(self) -> None:
        if self._checking:
            self._stop.set()
        self._wake.set()

    # ---- the thread's work, one piece at a time

    async def _run(self) -> None:
        while True:
            try:
                await self._step()
            except Exception:
                log.exception(_BUG)

    async def _step(self) -> None:
        self._wake.clear()
        loop = asyncio.get_running_loop()
        path = min(self._edited, key=lambda each: self._edited[each], default=None)
        wait = None if path is None else self._edited[path] - loop.time()
        if self._asked and self._asked[0][0] in self._edited:
            path, wait = self._asked[0][0], 0.0
        if path is not None and wait is not None and wait <= 0:
            del self._edited[path]
            await self._check(path, self._edited)
        elif self._asked:
            _, job, future = self._asked.popleft()
            if not future.cancelled():
                await self._answer(job, future)
        elif self._look:
            self._look = False
            self._recheck(await self._work(lambda knowledge: knowledge.stale(disk=True)))
        elif self._affected:
            path = next(iter(self._affected))
            del self._affected[path]
            await self._check(path, self._affected)
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait)

    async def _answer(self, job: Job, future: asyncio.Future[Any]) -> None:
        try:
            result = await self._work(job)
        except Exception as error:
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(result)

    async def _check(self, path: str, queue: dict[str, Any]) -> None:
        """Check a file; if something comes up, it goes back into its queue."""

        def check(knowledge: Knowledge) -> tuple[Checked | None, Report | None, list[str]]:
            checked = knowledge.current(path, disk=True)
            report = None if checked is None else self._report(knowledge, checked)
            return checked, report, knowledge.stale(disk=False)

        self._checking = True
        try:
            checked, report, others = await self._work(check)
        except Cancelled:
            if path in self._versions:
                queue.setdefault(path, 0.0)
            return
        except Exception:  # a file that cannot be checked must not end the server
            if self._broken.get(path) != self._versions.get(path):  # said once per text
                self._broken[path] = self._versions.get(path, 0)
                log.exception("%s cannot be checked: %s", path, _BUG)
            return
        finally:
            self._checking = False
        self._recheck(others)
        if path in self._versions:
            self._seconds[path] = 0.0 if checked is None else checked.seconds
            version = None if checked is None else checked.document.version
            if version is None or version == self._versions[path]:
                self._deliver(Delivery(path, version, report))

    def _recheck(self, paths: list[str]) -> None:
        self._affected.update((path, None) for path in paths if path in self._versions)

    async def _work(self, job: Callable[[Knowledge], T]) -> T:
        """Run a job in the thread, after what has changed until now."""
        changes, self._changes = self._changes, []
        self._stop.clear()
        knowledge = self._knowledge

        def work() -> tuple[T, list[str]]:
            for change in changes:
                change(knowledge)
            result = job(knowledge)
            complaints = list(dict.fromkeys(knowledge.complaints))
            knowledge.complaints.clear()
            return result, complaints

        result, complaints = await asyncio.get_running_loop().run_in_executor(self._thread, work)
        if complaints:
            self._complain(complaints)
        return result
