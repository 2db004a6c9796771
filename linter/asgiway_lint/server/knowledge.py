"""What the analysis thread knows: open buffers, facts of the project, settings; and what follows from it for one file.

A check uses facts that are kept, and an evaluator of its own: evaluating a file anew takes some milliseconds, reading its imports
anew would take seconds. A result carries its grounds (buffers, files, folders, settings), and is good until one of them changes;
so an unsaved edit in a helper finds the open files whose results rest on it, and no others.

Not thread-safe: everything here runs in one thread.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from asgiway_lint.analysis.session import Session
from asgiway_lint.baseline import Baseline
from asgiway_lint.baselinefiles import read_baseline
from asgiway_lint.config import Layer, Settings
from asgiway_lint.errors import UsageError
from asgiway_lint.facts.reader import quick_reading
from asgiway_lint.facts.text import decode
from asgiway_lint.filtering import filter_findings
from asgiway_lint.finding import Finding
from asgiway_lint.identity import identities
from asgiway_lint.server.settings import Places
from asgiway_lint.server.store import LiveStore, State, state_of
from asgiway_lint.server.texts import encode

__all__ = ["Checked", "Document", "Knowledge"]

log: logging.Logger = logging.getLogger(__name__)

# A full collection walks over every fact; after this many new files they are taken out of its sight.
_FREEZE: Final = 50


@dataclass(frozen=True, slots=True)
class Document:
    """An open buffer.

    Args:
        path: absolute path.
        version: the client's number for the text.
        text: the text.
    """

    path: str
    version: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What is known of one open file.

    Args:
        document: the text that was checked.
        source: its bytes.
        settings: what held for it.
        findings: what is to be shown, in order of their places.
        grounds: what the result rests on: state by path of file, folder or buffer.
        unsaved: the buffers whose files did not exist: modules can be imported from them all the same.
        seconds: how long it took.
    """

    document: Document
    source: bytes
    settings: Settings
    findings: tuple[Finding, ...]
    grounds: Mapping[str, State]
    unsaved: frozenset[str]
    seconds: float


@dataclass(slots=True)
class Knowledge:
    """See the module.

    Args:
        stop: set when a check is to end early; it raises `Cancelled` then.
        overrides: settings that the client has sent; they come before those of files.
    """

    stop: threading.Event
    overrides: tuple[Layer, ...] = ()
    complaints: list[str] = field(default_factory=list[str])
    _documents: dict[str, Document] = field(default_factory=dict[str, Document])
    _results: dict[str, Checked] = field(default_factory=dict[str, Checked])
    _baselines: dict[Path, tuple[State, Baseline]] = field(default_factory=dict[Path, "tuple[State, Baseline]"])
    _frozen: int = 0
    _store: LiveStore = field(init=False)
    _places: Places = field(init=False)

    def __post_init__(self) -> None:
        self._store = LiveStore(self.stop)
        self._places = Places(self.overrides, self.complaints)

    # ---- what the editor tells

    def folders(self, folders: Iterable[str]) -> None:
        """The folders of the workspace, absolute."""
        self._places.folders = tuple(folders)
        self._places.forget()

    def put(self, document: Document) -> None:
        """A buffer is open, or has a new text."""
        self._documents[document.path] = document
        self._store.put(document.path, encode(document.text))

    def drop(self, path: str) -> None:
        """A buffer is closed: the file on disk counts again."""
        self._documents.pop(path, None)
        self._results.pop(path, None)
        self._store.drop(path)

    # ---- what follows

    def current(self, path: str, *, disk: bool = False) -> Checked | None:
        """The result for an open file as it is now, from a check that still holds, or a new one; None if it is not to be checked.

        Args:
            path: absolute path.
            disk: whether changes on disk are looked for, too.

        Raises:
            Cancelled: `stop` was set.
        """
        result = self._results.get(path)
        document = self._documents.get(path)
        if result is not None and result.document is document and not self._is_stale(result, self._unsaved(), disk):
            return result
        return self.check(path)

    def check(self, path: str) -> Checked | None:
        """Check an open file; None if it is closed, or excluded by the settings.

        Raises:
            Cancelled: `stop` was set.
        """
        document = self._documents.get(path)
        if document is None:
            return None
        settings = self._places.settings(path)
        if self._places.excluded(path, settings):
            self._results.pop(path, None)
            return None
        begun = time.perf_counter()
        store = self._store
        store.begin()
        unsaved = self._unsaved()
        session = Session(store, unsaved)
        with quick_reading():
            report = session.check(path, settings)
        grounds = {**store.grounds(), **{folder or os.sep: state_of(folder or os.sep) for folder in session.folders()}}
        baseline = self._baseline(settings, grounds)
        shown = filter_findings(
            path,
            report.findings,
            report.directives,
            settings,
            known=None if baseline is None else lambda found: _known(baseline, path, found, document.text),
        )
        result = Checked(
            document=document,
            source=encode(document.text),
            settings=settings,
            findings=tuple(sorted(shown.findings, key=lambda each: (each.line, each.column, each.code))),
            grounds=grounds,
            unsaved=unsaved,
            seconds=time.perf_counter() - begun,
        )
        self._results[path] = result
        self._freeze()
        return result

    def recheck(self, document: Document, source: bytes) -> tuple[Finding, ...]:
        """What would be shown of an open file with another text; nothing is remembered of it."""
        settings = self._places.settings(document.path)
        with self._store.instead(document.path, source), quick_reading():
            report = Session(self._store, self._unsaved()).check(document.path, settings)
        return filter_findings(document.path, report.findings, report.directives, settings).findings

    def stale(self, *, disk: bool) -> list[str]:
        """The open files whose results have lost their grounds, the latest opened first.

        Args:
            disk: whether to ask for changed files and settings too, or for changed buffers only.
        """
        if disk:
            self._places.forget()
        found: list[str] = []
        unsaved = self._unsaved()
        for path in reversed(self._documents):
            result = self._results.get(path)
            if result is None:
                # Not checked, as it is excluded: maybe it is not any more.
                if disk and not self._places.excluded(path, self._places.settings(path)):
                    found.append(path)
            elif self._is_stale(result, unsaved, disk):
                found.append(path)
        return found

    def text(self, path: str) -> str:
        """The text of a file as the editor sees it; empty if it cannot be read."""
        document = self._documents.get(path)
        if document is not None:
            return document.text
        try:
            return decode(Path(path).read_bytes())
        except (OSError, ValueError, SyntaxError):
            return ""

    def _is_stale(self, result: Checked, unsaved: frozenset[str], disk: bool) -> bool:
        if unsaved != result.unsaved:
            return True
        if disk and self._places.settings(result.document.path) != result.settings:
            return True
        for path, state in result.grounds.items():
            now = self._store.state(path, disk=disk)
            if now is not None and now != state:
                return True
        return False

    def _unsaved(self) -> frozenset[str]:
        """The buffers whose files do not exist."""
        return frozenset(path for path in self._documents if path.endswith(".py") and state_of(path) == ())

    def _baseline(self, settings: Settings, grounds: dict[str, State]) -> Baseline | None:
        if settings.baseline is None:
            return None
        file = Path(os.path.normpath(settings.baseline))
        state = grounds[str(file)] = state_of(str(file))
        known = self._baselines.get(file)
        if known is None or known[0] != state:
            try:
                known = self._baselines[file] = (state, read_baseline(file))
            except UsageError as error:
                self.complaints.append(str(error))
                return None
        # A baseline is used up by a run; each check is a run.
        return Baseline(known[1].folder, known[1].entries)

    def _freeze(self) -> None:
        if len(self._store) >= self._frozen + _FREEZE:
            import gc

            self._frozen = len(self._store)
            gc.collect()
            gc.freeze()


def _known(baseline: Baseline, path: str, found: Sequence[Finding], text: str) -> list[bool]:
    if not baseline.covers(path):
        return [False] * len(found)
    return baseline.take(path, identities(found, text))
