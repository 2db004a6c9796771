"""The README's blocks, for the tests that run them."""

from __future__ import annotations

from tests.e2e.pages import ROOT, Block, blocks_of

__all__ = ["README", "ROOT", "Block", "blocks", "line"]

README = ROOT / "README.md"


def blocks() -> list[Block]:
    """All blocks, in the README's order."""
    return blocks_of(README)


def line(name: str) -> str:
    """One of the two lines: "run" or "test"."""
    (text,) = [block.text.strip() for block in blocks() if block.line == name]
    return text
