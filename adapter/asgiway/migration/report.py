"""A survey as text and as JSON."""

from __future__ import annotations

import json
from typing import Any

from asgiway.migration.conflicts import Conflict
from asgiway.migration.survey import Row, Survey

__all__ = ["as_json", "as_text"]

_HEADINGS = ("METHOD", "PATH", "SERVED BY", "ENDPOINT", "REPLACES")
_IMPLIED = {"HEAD", "OPTIONS"}


def as_text(found: Survey) -> str:
    """A table of the routes, the conflicts, and one line that sums up."""
    lines = [_HEADINGS, *(_cells(row) for row in sorted(found.rows, key=_order))]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    if found.legacy_framework is None:
        text += ["", "The routes of the legacy application are not known: what is not native goes there."]
    if found.conflicts:
        text.append("")
    for conflict in found.conflicts:
        text += [f"{conflict.severity}: {conflict.message} [{conflict.kind}]", f"  for example {conflict.example}"]
    native = sum(row.served_by == "native" for row in found.rows)
    counted = f"{_plural(native, 'native route')}, {_plural(len(found.rows) - native, 'legacy route')}"
    text += ["", f"{counted}; {_counts(found.conflicts)}"]
    return "\n".join(text) + "\n"


def as_json(found: Survey) -> str:
    """An object with ``routes`` and ``conflicts``; ``version`` grows when a key changes its meaning."""
    document = {
        "version": 1,
        "legacy_framework": found.legacy_framework,
        "routes": [_row(row) for row in found.rows],
        "conflicts": [_conflict(conflict) for conflict in found.conflicts],
    }
    return json.dumps(document, indent=2) + "\n"


def _order(row: Row) -> tuple[str, str, bool, tuple[str, ...]]:
    return row.host, row.path.replace("<", "{"), row.served_by == "legacy", row.methods


def _cells(row: Row) -> tuple[str, ...]:
    shown = [method for method in row.methods if method not in _IMPLIED] or list(row.methods) or ["*"]
    return ",".join(shown), row.host + row.path, row.served_by, row.endpoint, ", ".join(row.replaces)


def _counts(conflicts: tuple[Conflict, ...]) -> str:
    counts = {
        severity: sum(conflict.severity == severity for conflict in conflicts) for severity in ("error", "warning")
    }
    parts = [_plural(count, severity) for severity, count in counts.items() if count]
    notes = len(conflicts) - sum(counts.values())
    return ", ".join([*parts, f"{notes} info"] if notes else parts) or "no conflicts"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _row(row: Row) -> dict[str, Any]:
    return {
        "methods": list(row.methods),
        "path": row.path,
        "host": row.host,
        "served_by": row.served_by,
        "endpoint": row.endpoint,
        "replaces": list(row.replaces),
    }


def _conflict(conflict: Conflict) -> dict[str, Any]:
    native, legacy = conflict.native, conflict.legacy
    return {
        "kind": conflict.kind,
        "severity": conflict.severity,
        "message": conflict.message,
        "example": conflict.example,
        "native": {"methods": sorted(native.methods), "path": native.path, "endpoint": native.endpoint},
        "legacy": None
        if legacy is None
        else {"methods": sorted(legacy.methods), "path": legacy.path, "endpoint": legacy.endpoint},
    }
