"""Parcel labels, printed by a program of its own on the old server."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

__all__ = ["LabelPrinter", "print_label"]


def print_label(folder: Path, text: str) -> str:
    """Typeset a label and keep it; return its name."""
    name = f"label-{abs(hash(text)) % 10_000:04}.txt"
    finished = subprocess.run(["tr", "a-z", "A-Z"], input=text, capture_output=True, text=True, check=True)
    with (folder / name).open("w") as file:
        file.write(finished.stdout)
    return name


class LabelPrinter:
    """Warms up when it is made, and cools down between labels."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        time.sleep(0.01)

    @property
    def count(self) -> int:
        """How many labels there are."""
        return len(list(self._folder.glob("label-*.txt")))

    def print(self, text: str) -> str:
        """Print one label."""
        self._cool_down()
        return print_label(self._folder, text)

    def _cool_down(self) -> None:
        time.sleep(0.01)
