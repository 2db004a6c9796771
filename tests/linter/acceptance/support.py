"""What the acceptance tests share: a source says at its line ends what has to be reported there, and nothing else may be."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

from asgiway_lint.analysis.run import check_files, check_source
from asgiway_lint.config import Settings
from asgiway_lint.finding import Finding

_EXPECTED = re.compile(r"#! (.*)$", re.MULTILINE)
_ROOT = Path("/project")


def findings(source: str, **settings: Any) -> tuple[Finding, ...]:
    """The findings of a module by itself."""
    text = textwrap.dedent(source)
    return check_source(text.encode(), _ROOT / "module.py", Settings(root=_ROOT, **settings)).findings


def holds(source: str, **settings: Any) -> tuple[Finding, ...]:
    """Check that a module gets exactly the findings that its comments ``#! requests.get, time.sleep`` name; returns them."""
    text = textwrap.dedent(source)
    expected = [
        (number, symbol.strip())
        for number, line in enumerate(text.splitlines(), 1)
        for match in _EXPECTED.finditer(line)
        for symbol in match[1].split(", ")
    ]
    found = findings(source, **settings)
    reported = sorted((finding.line, finding.symbol) for finding in found)
    assert reported == sorted(expected), set(reported) ^ set(expected)
    return found


def silent(source: str, **settings: Any) -> None:
    """Check that nothing is found, and that something would be: the source has to hold what looks like a finding."""
    assert "#! " not in source
    assert "async" in source
    assert findings(source, **settings) == ()


def project(folder: Path, files: dict[str, str]) -> dict[str, list[tuple[int, str]]]:
    """Line and symbol of the findings in each file of a project, by its name."""
    for name, source in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source), "utf-8")
    paths = sorted(folder.rglob("*.py"))
    settings = Settings(root=folder, src=(folder,))
    return {
        str(path.relative_to(folder)): [(finding.line, finding.symbol) for finding in report.findings]
        for path, report in zip(paths, check_files(paths, lambda _: settings, cache=False), strict=True)
    }
