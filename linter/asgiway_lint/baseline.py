"""The baseline: findings of yesterday, so that only those of today are shown. A list that may get shorter, never longer.

It is a JSON file with a line per finding, sorted, so that it can be reviewed and merged like code. An entry fits a finding by its
file and `identity`, not by its line; `count` says how many alike there are. Nothing here touches the file system.
"""

from __future__ import annotations

import json
import os.path
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from asgiway_lint.errors import UsageError
from asgiway_lint.identity import Identity

__all__ = ["DEFAULT_NAME", "Baseline", "Entry", "dump", "key_of", "parse"]

DEFAULT_NAME = "asgiway-lint-baseline.json"
_VERSION = 1
_FIELDS = ("path", "code", "symbol", "function", "source")

# (path relative to the baseline's folder with slashes, identity)
Entry = tuple[str, Identity]


@dataclass(slots=True)
class Baseline:
    """Entries and how many findings each stands for; `take` uses them up.

    Args:
        folder: absolute folder that paths are relative to: that of the file.
        entries: the entries with their counts.
    """

    folder: Path
    entries: Mapping[Entry, int]
    _left: Counter[Entry] = field(default_factory=Counter[Entry])
    _paths: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        self._left.update(self.entries)
        self._paths.update(path for path, _ in self.entries)

    def covers(self, path: str) -> bool:
        """Whether there is any entry for a file (absolute path)."""
        return key_of(path, self.folder) in self._paths

    def take(self, path: str, found: Sequence[Identity]) -> list[bool]:
        """Tell which findings of a file are known. Each entry is good for as many as its count says.

        Args:
            path: absolute path of the file.
            found: the identities of all its findings.
        """
        key = key_of(path, self.folder)
        known: list[bool] = []
        for identity in found:
            entry = (key, identity)
            fits = self._left[entry] > 0
            self._left[entry] -= fits
            known.append(fits)
        return known

    def stale(self, checked: Collection[str]) -> dict[Entry, int]:
        """Return what is left of the entries after the run, with counts: findings that are gone.

        Args:
            checked: keys (`key_of`) of the files that were checked, or are gone; nothing is known of the others.
        """
        return {entry: count for entry, count in sorted(self._left.items()) if count > 0 and entry[0] in checked}


def key_of(path: str, folder: Path) -> str:
    """Return a path as the baseline has it: relative to the baseline's folder, with slashes."""
    try:
        relative = os.path.relpath(path, folder)
    except ValueError:  # another drive
        relative = path
    return relative.replace(os.sep, "/")


def dump(entries: Mapping[Entry, int] | Iterable[Entry]) -> str:
    """Return the text of a baseline file."""
    counts = Counter(entries)
    lines = [
        json.dumps({**dict(zip(_FIELDS, (path, *identity), strict=True)), "count": counts[path, identity]})
        for path, identity in sorted(counts)
        if counts[path, identity] > 0
    ]
    body = ",\n    ".join(lines)
    listed = f"[\n    {body}\n  ]" if lines else "[]"
    return f'{{\n  "version": {_VERSION},\n  "findings": {listed}\n}}\n'


def parse(text: str, file: Path) -> Baseline:
    """Read the text of a baseline file.

    Raises:
        UsageError: it is none.
    """
    try:
        data: object = json.loads(text)
    except ValueError as error:
        raise _wrong(file, f"it is no JSON: {error}") from error
    table = cast("dict[str, object]", data) if isinstance(data, dict) else {}
    if table.get("version") != _VERSION:
        raise _wrong(file, f"its version is {table.get('version')!r}, not {_VERSION}")
    findings = table.get("findings")
    if not isinstance(findings, list):
        raise _wrong(file, "'findings' is no list")
    entries: Counter[Entry] = Counter()
    for number, item in enumerate(cast("list[object]", findings), 1):
        entry, count = _entry(item)
        if entry is None:
            raise _wrong(file, f"finding {number} needs the texts {', '.join(_FIELDS)} and a count above 0")
        entries[entry] += count
    return Baseline(file.parent, entries)


def _entry(item: object) -> tuple[Entry | None, int]:
    table = cast("dict[str, object]", item) if isinstance(item, dict) else {}
    path, *rest = (table.get(name) for name in _FIELDS)
    texts = [value for value in rest if isinstance(value, str)]
    count = table.get("count", 1)
    if not isinstance(path, str) or len(texts) < len(rest) or type(count) is not int or count < 1:
        return None, 0
    return (path, Identity(*texts)), count


def _wrong(file: Path, problem: str) -> UsageError:
    return UsageError(
        f"{file} is no baseline of asgiway-lint: {problem}; make a new one with: asgiway-lint baseline create --force"
    )
