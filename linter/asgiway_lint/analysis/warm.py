"""A whole run's reports, kept for the next run over the same files: when nothing has changed, nothing has to be analysed.

Reports follow from the sources that were read, from the folders that were looked into for modules, from the settings and from the tool.
The first two are kept with the reports as digests and compared before the reports are used; the others make the key. So what
comes back is what a new run would say.
"""

from __future__ import annotations

import hashlib
import marshal
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from asgiway_lint.config import Settings
from asgiway_lint.finding import Finding, Link, Severity
from asgiway_lint.project.cache import FactsCache, content_key
from asgiway_lint.suppress import Directive

__all__ = ["FileReport", "Grounds", "folder_digest", "recall", "remember", "run_key", "source_digest"]

_SIZE: Final = 16
_UNREADABLE: Final = b""


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
    """What reports rest on: digests of sources and of folders, by path."""

    sources: dict[str, bytes] = field(default_factory=dict[str, bytes])
    folders: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def add(self, other: Grounds) -> None:
        """Take over what another process rests on."""
        self.sources.update(other.sources)
        self.folders.update(other.folders)


def source_digest(source: bytes | None) -> bytes:
    """The digest of a source; None for a file that cannot be read."""
    return hashlib.blake2b(source, digest_size=_SIZE).digest() if source is not None else _UNREADABLE


def folder_digest(names: Iterable[str]) -> bytes:
    """The digest of a folder's content, as far as modules may be found there."""
    modules = sorted(name for name in names if name[:1] != "." and name != "__pycache__")
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


def remember(cache: FactsCache, key: bytes, reports: Sequence[FileReport], grounds: Grounds) -> None:
    """Keep a run's reports."""
    stored = [
        (
            report.path,
            [_finding_fields(finding) for finding in report.findings],
            [(d.line, d.column, d.end_column, d.codes, d.file_level, d.first) for d in report.directives],
        )
        for report in reports
    ]
    cache.put_bytes(key, marshal.dumps((stored, grounds.sources, grounds.folders)))


def recall(cache: FactsCache, key: bytes) -> list[FileReport] | None:
    """The reports of a run, if all that they rest on is as it was."""
    data = cache.get_bytes(key)
    if data is None:
        return None
    try:
        stored, sources, folders = marshal.loads(data)
        if not _unchanged(sources, folders):
            return None
        return [
            FileReport(
                path,
                tuple([_finding(fields) for fields in findings]),
                tuple([Directive(*fields) for fields in directives]),
            )
            for path, findings, directives in stored
        ]
    except (ValueError, EOFError, TypeError):  # the right checksum over the wrong record: ours to write again
        return None


def _unchanged(sources: Mapping[str, bytes], folders: Mapping[str, bytes]) -> bool:
    for folder, digest in folders.items():
        try:
            names = os.listdir(folder or os.sep)  # noqa: PTH208  (many times faster)
        except OSError:
            names = []
        if folder_digest(names) != digest:
            return False
    for path, digest in sources.items():
        try:
            source = Path(path).read_bytes()
        except (OSError, ValueError):
            source = None
        if source_digest(source) != digest:
            return False
    return True


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
