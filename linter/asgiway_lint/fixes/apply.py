"""A source text with fixes: which of them go together, what the text is with them, and whether they have kept their word.

A pass takes the preferred fix of each finding; of two that touch the same text the second waits for the next pass. After each pass the
text has to parse, and whoever checks it again must not find any more what was fixed; what fails that is taken back and not tried again.
"""

from __future__ import annotations

import io
import tokenize
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from asgiway_lint.config import Settings
from asgiway_lint.facts.text import decode
from asgiway_lint.finding import Finding
from asgiway_lint.fixes.model import Applicability, Edit, Fix, NeededImport, Refusal
from asgiway_lint.fixes.placement import import_edits
from asgiway_lint.fixes.plan import fixes_of, is_native
from asgiway_lint.fixes.source import FixSource

__all__ = ["Applied", "Fixing", "apply_all", "apply_edits", "full_edits"]

_MOST_PASSES = 25


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of fixing one file.

    Args:
        source: its new bytes; the old ones if nothing could be done.
        fixes: the fixes that are in it, in the order in which they were applied.
        dropped: fixes that would have left something that cannot be parsed, or the finding.
        findings: what is left, places in the new source.
        refusals: for findings that are left, why; places in the new source.
    """

    source: bytes
    fixes: tuple[Fix, ...]
    dropped: tuple[Fix, ...]
    findings: tuple[Finding, ...]
    refusals: tuple[tuple[Finding, tuple[Fix | Refusal, ...]], ...]


def apply_all(
    source: bytes,
    path: Path,
    settings: Settings,
    findings: Sequence[Finding],
    *,
    unsafe: bool,
    recheck: Callable[[bytes], Sequence[Finding]],
) -> Applied:
    """Fix what can be fixed in one file.

    Args:
        source: its bytes.
        path: its absolute path (or `-`).
        settings: the settings that hold for it.
        findings: those that may be fixed.
        unsafe: whether unsafe fixes are wanted, too.
        recheck: finds what may be fixed in new bytes of the file.
    """
    fixing = Fixing(source, path, settings, findings, unsafe=unsafe)
    while (candidate := fixing.step()) is not None:
        fixing.settle(recheck(candidate))
    return fixing.result()


def full_edits(source: FixSource, fix: Fix) -> tuple[Edit, ...]:
    """Return the edits of a fix with those of its imports: what an editor applies."""
    return tuple(sorted((*fix.edits, *import_edits(source, fix.imports)))) if fix.imports else fix.edits


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with edits, which must not overlap."""
    parts: list[str] = []
    position = 0
    for edit in sorted(edits):
        if edit.start < position:
            raise ValueError(f"edits overlap at {edit.start}")
        parts += text[position : edit.start], edit.text
        position = edit.end
    return "".join((*parts, text[position:]))


_Key = tuple[str, str, str, str]
"""What a fix is recognised by in a later pass: its fixer, the finding's code and symbol, the text that it was for."""


@dataclass(slots=True)
class Fixing:
    """The fixing of one file, step by step, so that many files can be checked again together.

    `step` gives the bytes to check again, or None when nothing is left to do; `settle` takes what the check has found in them.
    With `only_these` what the first findings did not have stays as it is.
    """

    _source: bytes
    _path: Path
    _settings: Settings
    _findings: Sequence[Finding]
    unsafe: bool = field(kw_only=True)
    only_these: bool = field(default=False, kw_only=True)
    _fixes: list[Fix] = field(default_factory=list[Fix])
    _dropped: list[Fix] = field(default_factory=list[Fix])
    _refused: set[_Key] = field(default_factory=set[_Key])
    _trial: _Trial | None = None
    _passes: int = 0
    _alone: bool = False

    def step(self) -> bytes | None:
        """Apply one more round of fixes; None if there is none."""
        assert self._trial is None
        while self._passes < _MOST_PASSES:
            self._passes += 1
            file = _opened(self._source, self._path, self._settings)
            if file is None:
                return None
            chosen = self._chosen(file)
            if not chosen:
                return None
            trial = _tried(file, chosen, self._source)
            if trial is not None:
                self._trial = trial
                return trial.source
            # It does not parse: find out which one it is, one at a time.
            for fix in chosen:
                if _tried(file, [fix], self._source) is None:
                    self._refuse(file, fix)
            self._alone = True
        return None

    def settle(self, findings: Sequence[Finding]) -> None:
        """Keep the round if what it was to end is gone; else without those fixes that have ended nothing."""
        trial, self._trial = self._trial, None
        assert trial is not None
        others = trial.remaining(self._findings, findings)
        broken = [fix for fix in trial.fixes if trial.left(fix, [each for each in findings if each not in others])]
        if broken:
            for fix in broken:
                self._refuse(trial.file, fix)
            return
        self._fixes += trial.fixes
        self._source = trial.source
        self._findings = others if self.only_these else tuple(findings)
        self._alone = False

    def result(self) -> Applied:
        """What has come of it."""
        file = _opened(self._source, self._path, self._settings)
        offers = () if file is None else tuple(fixes_of(file, self._findings).items())
        left = tuple((finding, found) for finding, found in offers if found)
        return Applied(self._source, tuple(self._fixes), tuple(self._dropped), tuple(self._findings), left)

    def _refuse(self, file: FixSource, fix: Fix) -> None:
        self._refused.add(_key(file, fix))
        self._dropped.append(fix)

    def _chosen(self, file: FixSource) -> list[Fix]:
        """The preferred fixes that do not touch each other."""
        offers = fixes_of(file, self._findings)
        wanted = {
            finding: [
                offer
                for offer in found
                if isinstance(offer, Fix)
                and (self.unsafe or offer.applicability is Applicability.SAFE)
                and _key(file, offer) not in self._refused
            ]
            for finding, found in offers.items()
        }
        chosen: list[Fix] = []
        taken: list[tuple[int, int]] = []
        covered: set[Finding] = set()
        for finding in _whole_functions_first(self._findings, wanted):
            if finding in covered:
                continue
            for fix in wanted[finding]:
                if covered.intersection(fix.removes) or _needless(fix, wanted, self._settings):
                    continue
                start, end = fix.edits[0].start, max(edit.end for edit in fix.edits)
                if any(start <= other_end and other_start <= end for other_start, other_end in taken):
                    break  # its turn comes
                chosen.append(fix)
                taken.append((start, end))
                covered.update(fix.removes)
                break
            if self._alone and chosen:
                break
        return chosen


def _needless(fix: Fix, wanted: Mapping[Finding, Sequence[Fix]], settings: Settings) -> bool:
    """Whether a coroutine need not become a plain function, because every call in it can be repaired for good."""
    if fix.removes[0].code != "AW203":
        return False
    others = [wanted.get(finding, ()) for finding in fix.removes[1:]]
    return all(fixes and _for_good(fixes[0], settings) for fixes in others)


def _for_good(fix: Fix, settings: Settings) -> bool:
    native = is_native(fix.name) and settings.prefer_fix == "native"
    return native or fix.applicability is Applicability.SAFE


def _whole_functions_first(findings: Iterable[Finding], wanted: Mapping[Finding, Sequence[Fix]]) -> list[Finding]:
    """A fix that ends several findings comes before those that would end one of them in another way; of nested calls the inner one.

    Arguments of a call in a thread are still evaluated on the event loop.
    """
    return sorted(
        findings,
        key=lambda finding: (
            -len(wanted[finding][0].removes) if wanted[finding] else 0,
            finding.end_line,
            finding.end_column,
        ),
    )


def _key(file: FixSource, fix: Fix) -> _Key:
    first = fix.removes[0]
    start = file.offset_of(first.line, first.column)
    end = file.offset_of(first.end_line, first.end_column)
    return fix.name, first.code, first.symbol, file.text[max(start - 60, 0) : end]


@dataclass(frozen=True, slots=True)
class _Trial:
    """A round of fixes, not yet checked.

    Args:
        file: the file before.
        fixes: the fixes.
        edits: all edits, sorted.
        source: the bytes after.
        after: the file after.
    """

    file: FixSource
    fixes: tuple[Fix, ...]
    edits: tuple[Edit, ...]
    source: bytes
    after: FixSource

    def left(self, fix: Fix, findings: Sequence[Finding]) -> bool:
        """Whether one of the findings that a fix was to end is there still."""
        wanted = {(finding.code, finding.symbol) for finding in fix.removes}
        spans = [self._new_span(finding) for finding in fix.removes]
        for finding in findings:
            if (finding.code, finding.symbol) in wanted:
                start = self.after.offset_of(finding.line, finding.column)
                if any(low <= start < high for low, high in spans):
                    return True
        return False

    def remaining(self, before: Sequence[Finding], now: Sequence[Finding]) -> tuple[Finding, ...]:
        """Those findings of the new text that the old one had, too."""
        ended = {finding for fix in self.fixes for finding in fix.removes}
        starts = {
            (finding.code, finding.symbol, self._new_span(finding)[0]) for finding in before if finding not in ended
        }
        return tuple(
            finding
            for finding in now
            if (finding.code, finding.symbol, self.after.offset_of(finding.line, finding.column)) in starts
        )

    def _new_span(self, finding: Finding) -> tuple[int, int]:
        start = self.file.offset_of(finding.line, finding.column)
        end = self.file.offset_of(finding.end_line, finding.end_column)
        return self._moved(start, before=True), max(self._moved(end, before=False), self._moved(start, before=True) + 1)

    def _moved(self, offset: int, *, before: bool) -> int:
        """Where an offset of the old text is in the new one; an insertion at it lies behind, or before."""
        shift = 0
        for edit in self.edits:
            if edit.end < offset or (edit.end == offset and not (before and edit.start == offset)):
                shift += len(edit.text) - (edit.end - edit.start)
            elif edit.start < offset:
                return edit.start + shift if before else edit.start + shift + len(edit.text)
            else:
                break
        return offset + shift


def _opened(source: bytes, path: Path, settings: Settings) -> FixSource | None:
    try:
        return FixSource(decode(source).removeprefix("\ufeff"), path, settings)
    except SyntaxError:
        return None


def _tried(file: FixSource, fixes: Sequence[Fix], source: bytes) -> _Trial | None:
    """The text with fixes; None if it cannot be parsed or written."""
    needed: set[NeededImport] = {needed for fix in fixes for needed in fix.imports}
    edits = sorted(edit for fix in fixes for edit in fix.edits)
    try:
        edits = _joined(edits, import_edits(file, needed) if needed else ())
        text = apply_edits(file.text, edits)
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        data = text.encode(encoding)
    except (ValueError, SyntaxError):
        return None
    after = FixSource(text, file.path, file.settings)
    return _Trial(file, tuple(fixes), tuple(edits), data, after) if _sound(file, after) else None


def _joined(edits: Sequence[Edit], imports: Sequence[Edit]) -> list[Edit]:
    """All edits; those at the same place in one, or their order would be that of their texts."""
    joined: list[Edit] = []
    for edit in sorted([*imports, *edits], key=lambda edit: (edit.start, edit.end)):
        if joined and joined[-1].start == joined[-1].end == edit.start:
            joined[-1] = Edit(edit.start, edit.end, joined[-1].text + edit.text)
        else:
            joined.append(edit)
    return joined


def _sound(before: FixSource, after: FixSource) -> bool:
    """Whether the new text is a program, as far as the old one was for the interpreter that runs this."""
    if _compiles(after.text):
        return True
    if _compiles(before.text):
        return False
    from asgiway_lint.facts.reader import read_newer  # syntax newer than the interpreter's

    return read_newer(after.text) is not None


def _compiles(text: str) -> bool:
    """Unlike parsing this also knows where an `await` must not stand."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<fixed>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
