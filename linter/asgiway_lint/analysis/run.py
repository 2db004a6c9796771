"""The engine's door: one source or many files in, a `FileReport` each out.

Nothing is filtered here: selection, severity and suppression are the caller's. One file that cannot be read is a finding and
never stops the others. A run over an unchanged project imports nothing of the engine.
"""

from __future__ import annotations

import dataclasses
import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from asgiway_lint import __version__
from asgiway_lint.analysis import warm
from asgiway_lint.analysis.pool import Dealer, forks, processes
from asgiway_lint.analysis.warm import FileReport, Grounds
from asgiway_lint.config import Settings
from asgiway_lint.facts.reader import quick_reading
from asgiway_lint.project.cache import FactsCache
from asgiway_lint.project.modules import absolute
from asgiway_lint.project.store import Store

if TYPE_CHECKING:
    from asgiway_lint.analysis.session import Session

__all__ = ["FileReport", "check_files", "check_source", "check_sources"]

# So many files are checked without the garbage collector: long enough to matter, short enough to report as one goes.
_BATCH: Final = 100
# So many files are checked before other processes start.
_FIRST: Final = 600
# When more files than this have changed, all are checked: asking who depends on them takes longer.
_FEW: Final = 200

_Work = Sequence[tuple[str, int]]
"""Names of files, and the numbers of their settings."""

_Result = tuple[FileReport, Grounds | None]
"""A report, and what it rests on that none before did."""


def check_source(source: bytes, path: Path, settings: Settings) -> FileReport:
    """Check a source in memory: stdin, an editor's buffer, a test.

    Args:
        source: its bytes.
        path: where it is, or is to be; imports are resolved from there. It need not exist.
        settings: the settings for it.
    """
    name = str(path)
    place = absolute(name)
    from asgiway_lint.analysis.session import Session

    store = Store(None, __version__, {place: source})
    return Session(store).check(name, settings)


def check_sources(
    sources: Mapping[Path, bytes], settings_for: Callable[[Path], Settings], *, cache: bool = True
) -> Iterator[FileReport]:
    """Check sources in memory that belong together, such as files with fixes that are not written yet.

    Args:
        sources: their bytes, by path; they see each other, and the files on disk that they import.
        settings_for: the settings for a path.
        cache: whether facts are taken from, and kept in, the cache folder of the first one's settings.
    """
    from asgiway_lint.analysis.session import Session

    paths = list(sources)
    folder = settings_for(paths[0]).cache_dir if paths and cache else None
    kept = FactsCache(folder) if folder is not None else None
    try:
        store = Store(kept, __version__, {absolute(str(path)): source for path, source in sources.items()})
        session = Session(store)
        with quick_reading():
            reports = [session.check(str(path), settings_for(path)) for path in paths]
    finally:
        if kept is not None:
            kept.close()
    yield from reports


def check_files(
    paths: Sequence[Path], settings_for: Callable[[Path], Settings], *, cache: bool = True, jobs: int | None = None
) -> Iterator[FileReport]:
    """Check files; one report each, in the order of `paths`.

    Args:
        paths: the files.
        settings_for: the settings for a file.
        cache: whether facts are kept in, and taken from, the cache folder of the first file's settings.
        jobs: processes to use; None for as many as there are CPUs when there is enough to do.
    """
    if not paths:
        return
    # Settings travel to other processes by number: there are few, and many files.
    known: dict[int, int] = {}
    distinct: list[Settings] = []
    work: list[tuple[str, int]] = []
    for path in paths:
        settings = settings_for(path)
        number = known.get(id(settings))
        if number is None:
            number = known[id(settings)] = len(distinct)
            distinct.append(settings)
        work.append((str(path), number))
    folder = distinct[0].cache_dir if cache else None
    if folder is not None:
        # One process tries it first: one warning, and one repair, instead of one in each.
        trial = FactsCache(folder)
        if trial.usable:
            yield from _check_changed(work, distinct, trial, folder, jobs)
            return
    for report, _ in _check_all(work, distinct, None, jobs):
        yield report


def _check_changed(
    work: _Work, settings: Sequence[Settings], cache: FactsCache, folder: Path, jobs: int | None
) -> Iterator[FileReport]:
    """Check the files that may have other findings than in the last run; the reports of all, and a note for the next run."""
    key = warm.run_key(work, settings, __version__)
    before = warm.recall(cache, key, [name for name, _ in work])
    earlier, added = key, set[str]()
    if before is None:
        family = warm.run_key((), settings, __version__)
        earlier, before, added = _nearly(work, cache, key, family)
        warm.enlist(cache, family, key, work)
    todo: list[int] | None = None
    session: Session | None = None
    if before is not None:
        if not before.before and not before.moved and earlier == key:
            if before.restamp:
                warm.remember(cache, key, before.reports, before.grounds, ties=False)
            cache.close()
            yield from before.reports
            return
        if len(before.before) <= _FEW and warm.recall_ties(cache, earlier, before.grounds):
            if before.moved or earlier != key:
                warm.recall_folders(cache, earlier, before.grounds)
            session = _session(cache)
            concerned = session.concerned(before, cache, settings[work[0][1]])
            if concerned is not None:
                todo = [n for n, (name, _) in enumerate(work) if name in added or absolute(name) in concerned]
                before.grounds.add(session.fresh_grounds() or Grounds())
    cache.close()
    if before is None or todo is None:
        session = None
        reports, grounds, todo = [FileReport(name, (), ()) for name, _ in work], Grounds(), list(range(len(work)))
    else:
        reports, grounds = before.reports, before.grounds
    results = _check_all([work[number] for number in todo], settings, folder, jobs, session)
    position = 0
    for number, (report, more) in zip(todo, results, strict=True):
        yield from reports[position:number]
        position = number + 1
        reports[number] = report
        if more is not None:
            grounds.add(more)
        yield report
    yield from reports[position:]
    after = FactsCache(folder)
    warm.remember(after, key, reports, grounds)
    after.close()


def _nearly(
    work: _Work, cache: FactsCache, key: bytes, family: bytes
) -> tuple[bytes, warm.Remembered | None, set[str]]:
    """An earlier run over nearly the same files, its reports in the order of these, and the files that it did not check."""
    found = warm.similar(cache, family, work)
    if found is None:
        return key, None, set()
    earlier, files = found
    before = warm.recall(cache, earlier, [name for name, _ in files])
    if before is None:
        return key, None, set()
    known = dict(zip(files, before.reports, strict=True))
    added = {item[0] for item in work if item not in known}
    reports = [known.get(item) or FileReport(item[0], (), ()) for item in work]
    return earlier, dataclasses.replace(before, reports=reports), added


def _check_all(
    work: _Work, settings: Sequence[Settings], folder: Path | None, jobs: int | None, session: Session | None = None
) -> Iterator[_Result]:
    """Check files in as many processes as it is worth; in this one with a `session` that knows something already."""
    count = processes(jobs, len(work))
    if count == 1 or not work:
        return _check_here(work, settings, folder, session)
    return _check_apart(work, settings, folder, count)


def _check_apart(work: _Work, settings: Sequence[Settings], folder: Path | None, count: int) -> Iterator[_Result]:
    """Check files in several processes.

    A few files from all over the project come first, in this process: what they import is what all import, and where processes
    are forked, they begin with the facts of that instead of reading it once more in each.
    """
    step = max(2, len(work) // _FIRST)
    cache = FactsCache(folder) if folder is not None else None
    session = _session(cache)
    try:
        with quick_reading():
            first = iter(_checked(session, work[::step], settings))
            gc.freeze()
        if cache is not None:
            cache.close()
        inherited = session if forks() else None
        rest = Dealer(_worker, (settings, folder, inherited), count).run(
            [item for number, item in enumerate(work) if number % step]
        )
        for number in range(len(work)):
            yield next(rest) if number % step else next(first)
    finally:
        gc.unfreeze()


def _check_here(
    work: _Work, settings: Sequence[Settings], folder: Path | None, session: Session | None
) -> Iterator[_Result]:
    cache = FactsCache(folder) if folder is not None else None
    try:
        if session is None:
            session = _session(cache)
        else:
            session.store.use(cache)
        for start in range(0, len(work), _BATCH):
            with quick_reading():
                results = _checked(session, work[start : start + _BATCH], settings)
                gc.freeze()  # or the collector would look at all facts again and again
            yield from results
    finally:
        gc.unfreeze()
        if cache is not None:
            cache.close()


def _worker(
    settings: Sequence[Settings], folder: Path | None, inherited: Session | None
) -> Callable[[_Work], list[_Result]]:
    """What one process of several does with some files."""
    cache = FactsCache(folder) if folder is not None else None
    if cache is not None:
        import multiprocessing.util

        # Not atexit: a worker of a pool leaves without it.
        multiprocessing.util.Finalize(cache, cache.close, exitpriority=10)
    session = inherited
    if session is None:
        session = _session(cache)
    else:
        session.store.use(cache)  # a connection must not be used on both sides of a fork
    return lambda work: _checked(session, work, settings)


def _checked(session: Session, work: _Work, settings: Sequence[Settings]) -> list[_Result]:
    """The reports of some files; the last of them comes with what they rest on."""
    reports = [session.check(name, settings[number]) for name, number in work]
    grounds = session.fresh_grounds()
    return [*[(report, None) for report in reports[:-1]], *[(report, grounds) for report in reports[-1:]]]


def _session(cache: FactsCache | None) -> Session:
    from asgiway_lint.analysis.session import Session  # the engine

    return Session(Store(cache, __version__))
