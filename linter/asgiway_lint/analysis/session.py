"""Checks of files that share facts: what one process does with the files that it is given."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar, cast

from asgiway_lint.analysis import asked, changed
from asgiway_lint.analysis.check import check_module
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.hazards import CODES
from asgiway_lint.analysis.suspects import Suspects, suspects
from asgiway_lint.analysis.warm import FileReport, Grounds, Question, Remembered, changed_names, seen
from asgiway_lint.catalogue import load
from asgiway_lint.catalogue.custom import CustomCatalogue, Customs
from asgiway_lint.config import Settings
from asgiway_lint.facts import SourceProblem
from asgiway_lint.facts.reader import quick_reading
from asgiway_lint.facts.text import decode
from asgiway_lint.filtering import enabled_for
from asgiway_lint.finding import Finding
from asgiway_lint.project.cache import FactsCache
from asgiway_lint.project.modules import ModuleFinder, absolute, whole
from asgiway_lint.project.store import Problem, Store, may_be_hazardous, may_run_on_loop
from asgiway_lint.rules import rule_for
from asgiway_lint.suppress import Directive, find_directives

__all__ = ["Session"]

K = TypeVar("K")
V = TypeVar("V")


class _Told(NamedTuple):
    """How much of what an evaluator knows has been told."""

    folders: int = 0
    edges: int = 0
    asked: int = 0


def _newer(mapping: Mapping[K, V], before: int) -> list[tuple[K, V]]:
    """The items that have been added since there were `before` of them."""
    items = reversed(cast("dict[K, V]", mapping).items())
    return list(itertools.islice(items, len(mapping) - before))[::-1]


class Session:
    """What checks of the same sources share: facts, and an evaluator for each set of source roots.

    Args:
        store: the facts; what it answers must not change while the session lives.
        extra: absolute paths of files that are in the store only, such as new ones in an editor.
    """

    def __init__(self, store: Store, extra: Iterable[str] = ()) -> None:
        self.store = store
        self._extra = tuple(extra)
        self._evaluators: dict[tuple[object, ...], Evaluator] = {}
        # By identity, as settings are long to compare; kept alive, so that none takes another's place.
        self._by_settings: dict[int, tuple[Settings, Evaluator]] = {}
        self._catalogue = load()
        self._fresh: Grounds | None = None
        self._told: dict[tuple[object, ...], _Told] = {}
        if store.cached:
            self._fresh = Grounds()
            store.on_read = self._note

    def _note(self, path: str, key: bytes | None) -> None:
        assert self._fresh is not None
        self._fresh.sources[path] = seen(path, key)

    def fresh_grounds(self) -> Grounds | None:
        """What results rest on beyond what was told before; None if nobody is going to keep them."""
        fresh = self._fresh
        if fresh is None:
            return None
        for key, evaluator in self._evaluators.items():
            told = self._told.setdefault(key, _Told())
            fresh.worlds.add(repr(key))
            finder = evaluator.finder
            done = self._tell(evaluator, fresh, told.asked)
            for folder, names in _newer(finder.folders(), told.folders):
                fresh.list_folder(folder, names)
            fresh.edges.update(_newer(finder.edges(), told.edges))
            self._told[key] = _Told(len(finder.folders()), len(finder.edges()), done)
        self._fresh = Grounds()
        return fresh

    def _tell(self, evaluator: Evaluator, fresh: Grounds, done: int) -> int:
        """Write down what files were told of each other, from a number of questions on; how many they are now."""
        while done < len(evaluator.asked):  # to answer them once more may lead to others
            newer = _newer(evaluator.asked, done)
            done += len(newer)
            askers: dict[tuple[str, Question], list[str]] = {}
            for (path, question, asker), _ in newer:
                askers.setdefault((path, question), []).append(asker)
            for (path, question), some in askers.items():
                fresh.note(path, *asked.answered(evaluator, path, question), some)
        return done

    def concerned(self, before: Remembered, cache: FactsCache, settings: Settings) -> frozenset[str] | None:
        """The files that changes since an earlier run concern; None if it is not worth it to tell them from the others.

        What that run rested on is brought up to date as far as the other files go.

        Args:
            before: the earlier run, with all that it rested on.
            cache: where the facts of the sources before the change are.
            settings: those of any file.
        """
        grounds = before.grounds
        self.store.expect(grounds.sources)
        evaluator = self._evaluator(settings)
        if grounds.worlds != {repr(key) for key in self._evaluators}:
            return None if before.moved else grounds.leading_to([*before.before, *map(whole, before.before)])
        edited: dict[str, Suspects | None] = {}
        if before.moved:
            names = changed_names(grounds, before.moved) if not grounds.ties() else None
            if names is None:
                return None
            edited.update(changed.by_imports(grounds, names))
        with quick_reading():
            for path, content in before.before.items():
                old, new = cache.get(content) if content else None, self.store.facts(path)
                edited[path] = suspects(old, new) if old is not None and new is not None else None
            found = changed.concerned_by(evaluator, grounds, edited)
        if found is None:
            return None
        if not grounds.ties():
            return found
        folders = [path for path in found if path not in grounds.sources]
        return grounds.leading_to([*folders, *map(whole, found)]) | found

    def folders(self) -> frozenset[str]:
        """The folders that were looked into for modules so far, also those that do not exist."""
        return frozenset(folder for evaluator in self._evaluators.values() for folder in evaluator.finder.folders())

    def edges(self) -> Iterator[tuple[str, str]]:
        """From which file to which one imports have led so far."""
        for evaluator in self._evaluators.values():
            yield from evaluator.finder.edges()

    def check(self, name: str, settings: Settings) -> FileReport:
        """Check one file."""
        path = absolute(name)
        try:
            source = self.store.source(path)
        except Problem as problem:
            return FileReport(name, (_file_finding(name, "AW002", problem.message),), ())
        if not may_run_on_loop(source) and not (
            may_be_hazardous(source) and not enabled_for(path, settings).codes.isdisjoint(CODES)
        ):
            return FileReport(name, (), _directives(source))
        try:
            facts = self.store.require(path, source)
        except SourceProblem as problem:
            code = "AW002" if problem.encoding else "AW001"
            return FileReport(
                name, (_file_finding(name, code, problem.message, problem.line, problem.column),), _directives(source)
            )
        if path.endswith(".pyi"):  # never run, whatever its bodies say
            return FileReport(name, (), facts.directives)
        evaluator = self._evaluator(settings)
        evaluator.current = path
        findings = check_module(evaluator, path, facts, settings)
        if path != name:
            findings = tuple(_renamed(finding, name) for finding in findings)
        return FileReport(name, findings, facts.directives)

    def _evaluator(self, settings: Settings) -> Evaluator:
        known = self._by_settings.get(id(settings))
        if known is not None:
            return known[1]
        root = absolute(str(settings.root))
        sources = tuple(absolute(str(source)) for source in settings.src)
        customs = Customs(settings.blocking, settings.wrappers, settings.replacements)
        key = (root, sources, customs)
        if key not in self._evaluators:
            catalogue = CustomCatalogue(self._catalogue, customs) if customs else self._catalogue
            self._evaluators[key] = Evaluator(self.store, ModuleFinder(root, sources, self._extra), catalogue)
        self._by_settings[id(settings)] = (settings, self._evaluators[key])
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
