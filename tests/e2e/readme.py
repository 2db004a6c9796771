"""Reads the README's code blocks, for the tests that run them.

```LANGUAGE FILE     a file that the reader makes; FILE is its name
```console           commands behind "$ ", each followed by what it prints
```sh                the two lines; the comment in front of each names it
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"

_FENCE = re.compile(
    r"(?:<!-- line: (?P<line>\w+) -->\n)?^```(?P<language>\w+)(?: (?P<file>\S+))?\n(?P<text>.*?)^```$", re.M | re.S
)


@dataclass(frozen=True)
class Block:
    """One fenced block of the README."""

    language: str
    file: str
    line: str
    text: str

    @property
    def commands(self) -> list[tuple[str, str]]:
        """Of a console block: the commands with what each is said to print."""
        steps: list[tuple[str, str]] = []
        for row in self.text.splitlines(keepends=True):
            if row.startswith("$ "):
                steps.append((row[2:].rstrip("\n"), ""))
            else:
                command, output = steps[-1]
                steps[-1] = (command, output + row)
        return steps


def blocks() -> list[Block]:
    """All blocks, in the README's order."""
    return [
        Block(found["language"], found["file"] or "", found["line"] or "", found["text"])
        for found in _FENCE.finditer(README.read_text("utf-8"))
    ]


def line(name: str) -> str:
    """One of the two lines: "run" or "test"."""
    (text,) = [block.text.strip() for block in blocks() if block.line == name]
    return text
