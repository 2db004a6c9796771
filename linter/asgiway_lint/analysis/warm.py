"""A run's reports, kept for the next run over the same files: what has not changed is not analysed again.

Reports follow from the sources that were read, from the folders that were looked into for modules, from the settings and from the tool.
The first two are kept with the reports as digests and compared before the reports are used; the others make the key. So what
comes back is what a new run would say. A file whose times, size and number are what they were when it was read is not read
again, unless it was so young then that it may have changed twice within one tick of the clock.

Beside the reports, in a record that only a changed project asks for, is kept what files asked each other and were told (`analysis.asked`).
"""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
import time
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from asgiway_lint import __version__
from asgiway_lint.config import Settings
from asgiway_lint.finding import Finding, Link, Severity
from asgiway_lint.project.cache import FactsCache, content_key
from asgiway_lint.suppress import Directive

__all__ = [
    "UNSURE",
    "FileReport",
    "Grounds",
    "Question",
    "Remembered",
    "Seen",
    "Told",
    "changed_names",
    "enlist",
    "folder_digest",
    "recall",
    "recall_folders",
    "recall_ties",
    "remember",
    "run_key",
    "seen",
    "similar",
]

_SIZE: Final = 16
_UNREADABLE: Final = b""
# Runs with the same settings that are remembered; and of so many files one may have come or gone between two that are alike.
_MOST_RUNS: Final = 10
# Between names of files: in none of them anywhere.
_BETWEEN: Final = "/"
# Of an array of numbers of files.
_NUMBER: Final = "I"
# More than there are files.
_STRIDE: Final = 1 << 32
# A file that has changed so recently may do so again without a trace in its times: the coarsest clock of a file system.
_YOUNG_NS: Final = 2_000_000_000

Seen = tuple[bytes, tuple[int, ...]]
"""The key of a source's content (empty: it cannot be read), and times, size and number of its file (empty: not to be relied on)."""

Question = tuple[Any, ...]
"""What one file wants to know of another: see `analysis.asked`."""

Told = tuple[bytes, bytes]
"""The digest of an answer, and the numbers of the files that rest on it."""

UNSURE: Final = b""
"""In the place of an answer that depends on who asks: it never is as before."""


@dataclass(frozen=True, slots=True)
class FileReport:
    """What one file gave, unfiltered.

    Args:
        path: the file, as the caller named it.
        findings: in order of their places.
        directives: its suppression comments, in order.
    """

    path: str
    findings: tuple[Finding, ...]
    directives: tuple[Directive, ...]


@dataclass(slots=True)
class Grounds:
    """What reports rest on.

    Args:
        sources: the sources that were read, by path.
        folders: digests of the folders that were looked into.
        listed: what is in them, as far as that is new.
        edges: from which file to which one imports led.
        packed_edges: the same from an earlier run, by the numbers of `files`: that of the importer times `_STRIDE` plus the other.
        answers: the questions about a file, what was told, and to whom.
        recalled: the same from an earlier run, the files as numbers.
        packed: the same, not decoded yet; `told` does so.
        files: the files that `recalled` and `packed_edges` know by number.
        worlds: who told it: source roots and settings that decide what names mean. Answers of several cannot be told apart.
    """

    sources: dict[str, Seen] = field(default_factory=dict[str, Seen])
    folders: dict[str, bytes] = field(default_factory=dict[str, bytes])
    listed: dict[str, str] = field(default_factory=dict[str, str])
    edges: dict[tuple[str, str], None] = field(default_factory=dict[tuple[str, str], None])
    answers: dict[str, dict[Question, tuple[bytes, set[str]]]] = field(default_factory=dict[str, Any])
    recalled: dict[str, dict[Question, Told]] = field(default_factory=dict[str, Any])
    packed_edges: list[int] = field(default_factory=list[int])
    packed: dict[str, bytes] = field(default_factory=dict[str, bytes])
    files: list[str] = field(default_factory=list[str])
    worlds: set[str] = field(default_factory=set[str])

    def numbers(self) -> dict[str, int]:
        """The numbers of `files`."""
        return {path: number for number, path in enumerate(self.files)}

    def askers(self, told: Told) -> list[str]:
        """The files that rest on an answer."""
        return [self.files[number] for number in array(_NUMBER, told[1])]

    def leading_to(self, changed: Iterable[str]) -> frozenset[str]:
        """The files from which imports led to one of some files in the earlier run, these included."""
        found = set(changed)
        numbers = self.numbers()
        pending = [numbers[path] for path in found if path in numbers]
        if {edge % _STRIDE for edge in self.packed_edges}.isdisjoint(pending):
            return frozenset(found)
        importers: dict[int, list[int]] = {}
        for edge in self.packed_edges:
            importer, imported = divmod(edge, _STRIDE)
            importers.setdefault(imported, []).append(importer)
        while pending:
            for importer in importers.get(pending.pop(), ()):
                path = self.files[importer]
                if path not in found:
                    found.add(path)
                    pending.append(importer)
        return frozenset(found)

    def told(self, path: str) -> dict[Question, Told]:
        """What the earlier run was told of a file; changes to it are kept."""
        found = self.recalled.get(path)
        if found is None:
            packed = self.packed.pop(path, None)
            found = self.recalled[path] = marshal.loads(packed) if packed is not None else {}
        return found

    def list_folder(self, folder: str, names: Iterable[str]) -> None:
        """Remember what is in a folder."""
        self.folders[folder] = folder_digest(names)
        self.listed[folder] = _BETWEEN.join(_modules(names))

    def ties(self) -> bool:
        """Whether files rest on others beyond what they asked (`ModuleFinder.tie`)."""
        mark = f"{os.sep}*"
        return any(path.endswith(mark) for path in self.files)

    def note(self, path: str, question: Question, digest: bytes, askers: Iterable[str]) -> None:
        """Remember what somebody was told of a file."""
        answers = self.answers.setdefault(path, {})
        known = answers.get(question)
        if known is None:
            answers[question] = digest, set(askers)
            return
        known[1].update(askers)
        if known[0] != digest:
            answers[question] = UNSURE, known[1]

    def add(self, other: Grounds) -> None:
        """Take over what another process, or an earlier run, rests on."""
        self.sources.update(other.sources)
        self.folders.update(other.folders)
        self.listed.update(other.listed)
        self.edges.update(other.edges)
        for path, answers in other.answers.items():
            for question, (digest, askers) in answers.items():
                self.note(path, question, digest, askers)
        self.worlds |= other.worlds


@dataclass(frozen=True, slots=True)
class Remembered:
    """An earlier run, and what has changed since.

    Args:
        reports: its reports, in the order of its files.
        grounds: its sources and folders, those that have changed as they are now.
        before: the keys of the contents of the sources that have changed, as they were.
        moved: the folders where modules have come or gone, and what is there now.
        restamp: files look different and are not: worth remembering.
    """

    reports: list[FileReport]
    grounds: Grounds
    before: Mapping[str, bytes]
    moved: Mapping[str, frozenset[str]]
    restamp: bool


def seen(path: str, key: bytes | None) -> Seen:
    """What is remembered of a source that has just been read; the `key` of its content is None for a file that cannot be read."""
    if key is None:
        return _UNREADABLE, ()
    try:
        stamp = _stamp(path)
    except (OSError, ValueError):
        return key, ()
    return key, () if max(stamp[:2]) > time.time_ns() - _YOUNG_NS else stamp


def _stamp(path: str) -> tuple[int, ...]:
    status = os.stat(path)  # noqa: PTH116  (twice as fast)
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def _modules(names: Iterable[str]) -> list[str]:
    """A folder's content, as far as modules may be found there: packages and Python files."""
    return sorted(name for name in names if "." not in name or name.endswith(".py"))


def folder_digest(names: Iterable[str]) -> bytes:
    """The digest of a folder's content, as far as modules may be found there."""
    modules = _modules(names)
    return hashlib.blake2b("\0".join(modules).encode("utf-8", "surrogateescape"), digest_size=_SIZE).digest()


def run_key(work: Sequence[tuple[str, int]], settings: Sequence[Settings], version: str) -> bytes:
    """The key of a run over these files with these settings."""
    described = [_described(one) for one in settings]
    # Not marshal: its bytes differ with the number of references to a value.
    text = repr((str(Path.cwd()), list(work), described))
    return content_key(text.encode("utf-8", "surrogatepass"), f"run {version}")


def _described(settings: Settings) -> tuple[object, ...]:
    """Everything in the settings that a report may depend on."""
    ignores = [(entry.glob.pattern, entry.negated, entry.selectors) for entry in settings.per_file_ignores]
    return (
        str(settings.root),
        [str(source) for source in settings.src],
        repr(settings.selections),
        ignores,
        settings.async_library,
        settings.http_client,
        settings.postgres,
        settings.transitive,
        settings.max_depth,
        [(pattern.text, pattern.value) for pattern in settings.blocking],
        settings.wrappers,
        [(pattern.text, pattern.value) for pattern in settings.replacements],
    )


def remember(
    cache: FactsCache, key: bytes, reports: Sequence[FileReport], grounds: Grounds, *, ties: bool = True
) -> None:
    """Keep a run's reports.

    Args:
        cache: where to.
        key: the run's key.
        reports: in the order of the run's files.
        grounds: what they rest on.
        ties: whether how the files depend on each other is new, too.
    """
    stored = {
        number: (
            [_finding_fields(finding) for finding in report.findings],
            [(d.line, d.column, d.end_column, d.codes, d.file_level, d.first) for d in report.directives],
        )
        for number, report in enumerate(reports)
        if report.findings or report.directives
    }
    cache.put_bytes(key, marshal.dumps((stored, grounds.sources, grounds.folders)))
    if not ties:
        return
    numbers = grounds.numbers()
    edges = dict.fromkeys(grounds.packed_edges)
    for importer, imported in grounds.edges:
        one, other = numbers.setdefault(importer, len(numbers)), numbers.setdefault(imported, len(numbers))
        edges[one * _STRIDE + other] = None
    answers: dict[str, bytes] = {}
    if len(grounds.worlds) == 1:
        for path, fresh in grounds.answers.items():
            _merge(grounds.told(path), fresh, numbers)
        answers.update((path, marshal.dumps(told)) for path, told in grounds.recalled.items())
        answers.update(grounds.packed)
    content = (list(numbers), list(edges), answers, sorted(grounds.worlds))
    cache.put_bytes(_ties_key(key), marshal.dumps(content))
    if grounds.listed:
        listed = {**_recall_listed(cache, key), **grounds.listed}
        cache.put_bytes(key + b" folders", marshal.dumps(listed))


def enlist(cache: FactsCache, family: bytes, key: bytes, work: Sequence[tuple[str, int]]) -> None:
    """Remember which files a run was about, for a run over nearly the same.

    Args:
        cache: where to.
        family: the key of all runs with the same settings (`run_key` of no files).
        key: the run's key.
        work: its files, and the numbers of their settings.
    """
    cache.put_bytes(key + b" work", marshal.dumps(list(work)))
    members = [key, *[one for one in _family(cache, family) if one != key]][:_MOST_RUNS]
    cache.put_bytes(family, marshal.dumps(members))


def similar(
    cache: FactsCache, family: bytes, work: Sequence[tuple[str, int]]
) -> tuple[bytes, list[tuple[str, int]]] | None:
    """The key and the files of an earlier run over nearly the same files; None if there was none."""
    wanted = set(work)
    for key in _family(cache, family):
        data = cache.get_bytes(key + b" work")
        if data is not None:
            with contextlib.suppress(ValueError, EOFError, TypeError):
                files = [
                    (str(name), int(number)) for name, number in cast("list[tuple[str, int]]", marshal.loads(data))
                ]
                if len(wanted.symmetric_difference(files)) * _MOST_RUNS <= len(wanted):
                    return key, files
    return None


def _family(cache: FactsCache, family: bytes) -> list[bytes]:
    data = cache.get_bytes(family)
    if data is None:
        return []
    try:
        return [bytes(key) for key in cast("list[bytes]", marshal.loads(data))]
    except (ValueError, EOFError, TypeError):
        return []


def recall_folders(cache: FactsCache, key: bytes, grounds: Grounds) -> None:
    """Complete the grounds of an earlier run by what was in the folders, as far as that is known."""
    grounds.listed = _recall_listed(cache, key)


def changed_names(grounds: Grounds, moved: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]] | None:
    """For each folder where modules have come or gone the names that may mean something else; None if that cannot be told.

    Args:
        grounds: those of the earlier run, with `recall_folders`; brought up to date.
        moved: the folders, and what is in them now.
    """
    found: dict[str, frozenset[str]] = {}
    for folder, now in moved.items():
        before = grounds.listed.get(folder)
        if before is None:
            return None
        grounds.listed[folder] = _BETWEEN.join(sorted(now))
        different = now.symmetric_difference(filter(None, before.split(_BETWEEN)))
        if "__init__.py" in different:
            return None  # where a package begins decides on all imports in it
        stems = {name.removesuffix(".py") for name in different}
        found[folder] = frozenset({*stems, folder.rpartition(os.sep)[2]})
    return found


def _recall_listed(cache: FactsCache, key: bytes) -> dict[str, str]:
    data = cache.get_bytes(key + b" folders")
    try:
        return dict(cast("dict[str, str]", marshal.loads(data))) if data is not None else {}
    except (ValueError, EOFError, TypeError):
        return {}


def _merge(
    told: dict[Question, Told], fresh: Mapping[Question, tuple[bytes, set[str]]], numbers: dict[str, int]
) -> None:
    """Add what was told in this run to what was told before."""
    for question, (digest, askers) in fresh.items():
        mine = {numbers.setdefault(asker, len(numbers)) for asker in askers}
        before = told.get(question)
        if before is not None:
            mine.update(array(_NUMBER, before[1]))
            digest = digest if digest == before[0] else UNSURE
        told[question] = digest, array(_NUMBER, sorted(mine)).tobytes()


def recall(cache: FactsCache, key: bytes, paths: list[str]) -> Remembered | None:
    """An earlier run over the same files with the same settings, and what has changed since; None if there was none.

    Args:
        cache: where it may be.
        key: the run's key.
        paths: its files, as the caller names them.
    """
    data = cache.get_bytes(key)
    if data is None:
        return None
    try:
        stored, sources, folders = cast(
            "tuple[dict[int, tuple[list[tuple[object, ...]], list[Any]]], dict[str, Seen], dict[str, bytes]]",
            marshal.loads(data),
        )
        reports = [FileReport(path, (), ()) for path in paths]
        for number, (findings, directives) in stored.items():
            reports[number] = FileReport(
                paths[number],
                tuple([_finding(fields) for fields in findings]),
                tuple([Directive(*fields) for fields in directives]),
            )
        moved = _compare_folders(folders)
        before, restamp = _compare_sources(sources)
    except (ValueError, EOFError, TypeError, AttributeError, IndexError):
        return None  # the right checksum over the wrong record: ours to write again
    return Remembered(reports, Grounds(sources, folders), before, moved, restamp)


def recall_ties(cache: FactsCache, key: bytes, grounds: Grounds) -> bool:
    """Complete the grounds of an earlier run; False if they are not to be had."""
    data = cache.get_bytes(_ties_key(key))
    if data is None:
        return False
    try:
        files, edges, answers, worlds = marshal.loads(data)
        grounds.files.extend(files)
        grounds.packed_edges.extend(edges)
        grounds.packed.update(answers)
        grounds.worlds.update(worlds)
    except (ValueError, EOFError, TypeError, AttributeError, IndexError):
        return False
    return True


def _ties_key(key: bytes) -> bytes:
    return key + b" told"


def _compare_folders(folders: dict[str, bytes]) -> dict[str, frozenset[str]]:
    """The folders where modules have come or gone, and what is there now; the digests are brought up to date."""
    moved: dict[str, frozenset[str]] = {}
    for folder, digest in folders.items():
        try:
            names = os.listdir(folder or os.sep)  # noqa: PTH208  (many times faster)
        except OSError:
            names = []
        now = folder_digest(names)
        if now != digest:
            folders[folder] = now
            moved[folder] = frozenset(_modules(names))
    return moved


def _compare_sources(sources: dict[str, Seen]) -> tuple[dict[str, bytes], bool]:
    """The former keys of the sources that have changed, and whether others look as if they had; both are brought up to date."""
    before: dict[str, bytes] = {}
    restamp = False
    for path, (key, stamp) in sources.items():
        try:
            if stamp and stamp == _stamp(path):
                continue
            source = Path(path).read_bytes()
        except (OSError, ValueError):
            now = seen(path, None)
        else:
            now = seen(path, content_key(source, __version__))
        if now[0] != key:
            before[path] = key
        elif now[1] == stamp:
            continue
        else:
            restamp = True
        sources[path] = now
    return before, restamp


def _finding_fields(finding: Finding) -> tuple[object, ...]:
    links = [(link.call, link.path, link.line, link.column) for link in finding.chain]
    return (
        *(finding.path, finding.code, finding.message, finding.severity.value),
        *(finding.line, finding.column, finding.end_line, finding.end_column),
        *(finding.symbol, finding.replacement, links),
    )


def _finding(fields: tuple[object, ...]) -> Finding:
    path, code, message, severity, line, column, end_line, end_column, symbol, replacement, links = cast(
        "tuple[str, str, str, str, int, int, int, int, str, str, list[tuple[str, str, int, int]]]", fields
    )
    return Finding(
        path=path,
        code=code,
        message=message,
        severity=Severity(severity),
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
        symbol=symbol,
        replacement=replacement,
        chain=tuple([Link(call=call, path=at, line=row, column=place) for call, at, row, place in links]),
    )
