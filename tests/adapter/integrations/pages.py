"""Reads the code blocks of the pages in adapter/docs, so that the tests run exactly what users copy.

```python FILE    a file that the reader makes; FILE is its name
```sh             commands
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.e2e.pages import ROOT, Block, blocks_of

__all__ = ["DOCS", "MOST_LINES", "Block", "blocks", "code_lines", "command", "write_files"]

DOCS = ROOT / "adapter" / "docs"
MOST_LINES = 10
"""A recipe has no more lines of code."""

_NO_CODE = re.compile(r"\s*#|import |from \S+ import ")


def blocks(page: str) -> list[Block]:
    """The blocks of adapter/docs/PAGE.md, in their order."""
    return blocks_of(DOCS / f"{page}.md")


def code_lines(text: str) -> int:
    """Lines that are neither empty, nor a comment, nor an import."""
    return sum(1 for line in text.splitlines() if line.strip() and not _NO_CODE.match(line))


def write_files(page: str, folder: Path) -> list[str]:
    """Make the page's files in `folder`; returns their names."""
    written: list[str] = []
    for block in blocks(page):
        if block.file:
            (folder / block.file).write_text(block.text, "utf-8")
            written.append(block.file)
    return written


def command(page: str, program: str) -> list[str]:
    """The words of the page's command that starts with `program`."""
    for block in blocks(page):
        if block.language == "sh":
            for line in block.text.splitlines():
                words = line.split()
                if words and words[0] == program:
                    return words
    raise LookupError(f"adapter/docs/{page}.md has no command {program!r}")
