"""How text looks on its way out: colours when wanted, paths as people read them, no control characters, columns of a terminal."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path

from asgiway_lint.finding import Severity

__all__ = ["Style", "shown_path", "visible", "width_of"]

_TAB = 4  # columns that a tab takes in a source frame, wherever it stands
_RESET = "\x1b[0m"
_COLOURS = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m", Severity.INFO: "\x1b[1;36m"}


@dataclass(frozen=True, slots=True)
class Style:
    """Colours and width of the output.

    Args:
        colour: whether to colour.
        width: columns of a source frame's line.
    """

    colour: bool = False
    width: int = 140

    def severity(self, text: str, severity: Severity) -> str:
        """Colour text by how bad a finding is."""
        return self._wrap(text, _COLOURS[severity])

    def strong(self, text: str) -> str:
        """Make text stand out."""
        return self._wrap(text, "\x1b[1m")

    def frame(self, text: str) -> str:
        """Colour what surrounds source text: line numbers and bars."""
        return self._wrap(text, "\x1b[1;34m")

    def faint(self, text: str) -> str:
        """Set back what only separates."""
        return self._wrap(text, "\x1b[36m")

    def _wrap(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_RESET}" if self.colour and text.strip() else text


def shown_path(path: str, cwd: Path) -> str:
    """Return a path the way it is printed: relative to the current folder if it is below it, else as it is."""
    if path == "-":
        return path
    try:
        relative = Path(path).relative_to(cwd)
    except ValueError:
        return path
    return str(relative)


def visible(text: str) -> str:
    """Replace what would move the cursor, colour the terminal or reorder the line (tabs: by spaces).

    Every character stays one character, except a tab, which becomes four.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible_character, text))


def _visible_character(character: str) -> str:
    if character == "\t":
        return " " * _TAB
    if character < " ":
        return chr(0x2400 + ord(character))  # the control pictures
    if character == "\x7f":
        return "\u2421"
    if unicodedata.category(character) == "Cc" or character in _REORDERING:
        return "\ufffd"
    return character


# Bidirectional controls: with them code can look like other code (CVE-2021-42574); and Unicode's own line ends.
_REORDERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")


def width_of(text: str) -> int:
    """Return how many columns a terminal gives to text that `visible` has seen."""
    if text.isascii():
        return len(text)
    return sum(map(_width_of_character, text))


def _width_of_character(character: str) -> int:
    if character < "\x80":
        return 1
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
