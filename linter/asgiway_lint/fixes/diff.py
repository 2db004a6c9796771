"""A change of a file as a unified diff that `patch -p0` and `git apply -p0` accept, for people and for review bots."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

__all__ = ["unified_diff"]

_RED, _GREEN, _CYAN, _RESET = "\x1b[31m", "\x1b[32m", "\x1b[36m", "\x1b[0m"


def unified_diff(before: str, after: str, name: str, *, colour: bool = False) -> Iterator[str]:
    """Yield the lines, with their ends.

    Args:
        before: old text.
        after: new text.
        name: path of the file, as it is shown.
        colour: whether to colour it.
    """
    # A file name with a tab or line end would end early; no tool can read such a diff, quoted or not.
    shown = name.replace("\n", "?").replace("\r", "?").replace("\t", "?")
    for number, line in enumerate(difflib.unified_diff(_lines(before), _lines(after), shown, shown)):
        text = line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        yield _coloured(text, number) if colour else text


def _lines(text: str) -> list[str]:
    """Split as patch does: at line feeds only, which keeps a carriage return in its line."""
    return [f"{line}\n" for line in text.split("\n")[:-1]] + ([last] if (last := text.rpartition("\n")[2]) else [])


def _coloured(text: str, number: int) -> str:
    if number < 2:
        return text
    colour = {"+": _GREEN, "-": _RED, "@": _CYAN}.get(text[:1], "")
    body = text.rstrip("\n")
    return f"{colour}{body}{_RESET}{text[len(body) :]}" if colour else text
