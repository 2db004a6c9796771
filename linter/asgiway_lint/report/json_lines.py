"""`--output-format json-lines`: the objects of `json`, one per line, for programs that read as they go."""

from __future__ import annotations

import json
from collections.abc import Iterable

from asgiway_lint.report import Results
from asgiway_lint.report.json import objects
from asgiway_lint.report.style import Style

__all__ = ["render"]


def render(results: Results, style: Style) -> Iterable[str]:
    """Yield a line per finding; nothing when nothing was found."""
    for each in objects(results):
        line = json.dumps(each, ensure_ascii=False, separators=(",", ":"))
        yield line.encode("utf-8", "replace").decode() + "\n"
