"""The engine's door: one source or many files in, a `FileReport` each out.

Nothing is filtered here: selection, severity and suppression are the caller's. One file that cannot be read is a finding and
never stops the others.
"""

from __future__ import annotations

import gc
import itertools
import multiprocessing.util
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from asgiway_lint import __version__
from asgiway_lint.analysis import warm
from asgiway_lint.analysis.check import check_module
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.hazards import CODES
from asgiway_lint.analysis.pool import Dealer, processes
from asgiway_lint.analysis.warm import FileReport, Grounds, folder_digest, source_digest
from asgiway_lint.catalogue import load
from asgiway_lint.catalogue.custom import CustomCatalogue, Customs
from asgiway_lint.config import Settings
from asgiway_lint.facts import SourceProblem
from asgiway_lint.facts.reader import quick_reading
from asgiway_lint.facts.text import decode
from asgiway_lint.filtering import enabled_for
from asgiway_lint.finding import Finding
from asgiway_lint.project.cache import FactsCache
from asgiway_lint.project.modules import ModuleFinder, absolute
from asgiway_lint.project.store import Problem, Store, may_be_hazardous, may_run_on_loop
from asgiway_lint.rules import rule_for
from asgiway_lint.suppress import Directive, find_directives

__all__ = ["FileReport", "Session", "check_files", "check_source"]

# So many files are checked without the garbage collector: long enough to matter, short enough to report as one goes.
_BATCH: Final = 100

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
    key = b""
    if folder is not None:
        # One process tries it first: one warning, and one repair, instead of one in each.
        trial = FactsCache(folder)
        folder = folder if trial.usable else None
        key = warm.run_key(work, distinct, __version__)
        recalled = warm.recall(trial, key)
        trial.close()
        if recalled is not None:
            yield from recalled
            return
    count = processes(jobs, len(work))
    results = (
        _check_here(work, distinct, folder) if count == 1 else Dealer(_worker, (distinct, folder), count).run(work)
    )
    if folder is None:
        for report, _ in results:
            yield report
        return
    reports: list[FileReport] = []
    grounds = Grounds()
    for report, more in results:
        reports.append(report)
        if more is not None:
            grounds.add(more)
        yield report
    after = FactsCache(folder)
    warm.remember(after, key, reports, grounds)
    after.close()


def _check_here(
    work: Sequence[tuple[str, int]], settings: Sequence[Settings], folder: Path | None
) -> Iterator[_Result]:
    cache = FactsCache(folder) if folder is not None else None
    try:
        session = Session(Store(cache, __version__))
        for start in range(0, len(work), _BATCH):
            with quick_reading():
                results = [
                    (session.check(name, settings[number]), session.fresh_grounds())
                    for name, number in work[start : start + _BATCH]
                ]
                gc.freeze()  # or the collector would look at all facts again and again
            yield from results
    finally:
        gc.unfreeze()
        if cache is not None:
            cache.close()


def _worker(settings: Sequence[Settings], folder: Path | None) -> Callable[[tuple[str, int]], _Result]:
    """What one process of several does with each file."""
    cache = FactsCache(folder) if folder is not None else None
    if cache is not None:
        # Not atexit: a worker of a pool leaves without it.
        multiprocessing.util.Finalize(cache, cache.close, exitpriority=10)
    session = Session(Store(cache, __version__))

    def check(item: tuple[str, int]) -> _Result:
        name, number = item
        return session.check(name, settings[number]), session.fresh_grounds()

    return check


class Session:
    """What checks of the same sources share: facts, and an evaluator for each set of source roots.

    Args:
        store: the facts; what it answers must not change while the session lives.
        extra: absolute paths of files that are in the store only, such as new ones in an editor.
    """

    def __init__(self, store: Store, extra: Iterable[str] = ()) -> None:
        self._store = store
        self._extra = tuple(extra)
        self._evaluators: dict[tuple[object, ...], Evaluator] = {}
        self._catalogue = load()
        self._fresh: Grounds | None = None
        self._reported: dict[tuple[object, ...], int] = {}
        if store.cached:
            self._fresh = Grounds()
            store.on_read = self._note

    def _note(self, path: str, source: bytes | None) -> None:
        assert self._fresh is not None
        self._fresh.sources[path] = source_digest(source)

    def fresh_grounds(self) -> Grounds | None:
        """What results rest on beyond what was told before; None if nobody is going to keep them."""
        fresh = self._fresh
        if fresh is None:
            return None
        for key, evaluator in self._evaluators.items():
            folders = evaluator.finder.folders()
            before = self._reported.get(key, 0)
            if len(folders) > before:
                for folder, names in itertools.islice(folders.items(), before, None):
                    fresh.folders[folder] = folder_digest(names)
                self._reported[key] = len(folders)
        self._fresh = Grounds()
        return fresh

    def folders(self) -> frozenset[str]:
        """The folders that were looked into for modules so far, also those that do not exist."""
        return frozenset(folder for evaluator in self._evaluators.values() for folder in evaluator.finder.folders())

    def check(self, name: str, settings: Settings) -> FileReport:
        """Check one file."""
        path = absolute(name)
        try:
            source = self._store.source(path)
        except Problem as problem:
            return FileReport(name, (_file_finding(name, "AW002", problem.message),), ())
        if not may_run_on_loop(source) and not (
            may_be_hazardous(source) and not enabled_for(path, settings).codes.isdisjoint(CODES)
        ):
            return FileReport(name, (), _directives(source))
        try:
            facts = self._store.require(path, source)
        except SourceProblem as problem:
            code = "AW002" if problem.encoding else "AW001"
            return FileReport(
                name, (_file_finding(name, code, problem.message, problem.line, problem.column),), _directives(source)
            )
        findings = check_module(self._evaluator(settings), path, facts, settings)
        if path != name:
            findings = tuple(_renamed(finding, name) for finding in findings)
        return FileReport(name, findings, facts.directives)

    def _evaluator(self, settings: Settings) -> Evaluator:
        root = absolute(str(settings.root))
        sources = tuple(absolute(str(source)) for source in settings.src)
        customs = Customs(settings.blocking, settings.wrappers, settings.replacements)
        key = (root, sources, customs)
        if key not in self._evaluators:
            catalogue = CustomCatalogue(self._catalogue, customs) if customs else self._catalogue
            self._evaluators[key] = Evaluator(self._store.facts, ModuleFinder(root, sources, self._extra), catalogue)
        return self._evaluators[key]


def _renamed(finding: Finding, name: str) -> Finding:
    # dataclasses.replace imports nothing new, but is slow enough to matter over thousands.
    return Finding(
        path=name,
        code=finding.code,
        message=finding.message,
        severity=finding.severity,
        line=finding.line,
        column=finding.column,
        end_line=finding.end_line,
        end_column=finding.end_column,
        symbol=finding.symbol,
        replacement=finding.replacement,
        chain=finding.chain,
    )


def _directives(source: bytes) -> tuple[Directive, ...]:
    if b"noqa" not in source.lower():
        return ()
    try:
        return find_directives(decode(source).removeprefix("\ufeff"))
    except SyntaxError:
        return ()


def _file_finding(name: str, code: str, what: str, line: int = 1, column: int = 1) -> Finding:
    rule = rule_for(code)
    return Finding(
        path=name,
        code=code,
        message=rule.message(what, ""),
        severity=rule.severity,
        line=line,
        column=column,
        end_line=line,
        end_column=column,
        symbol="",
    )
