"""The command that writes generated pages of documentation into a folder; rules and catalogue each have one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

__all__ = ["write_pages"]


def write_pages(
    argv: Sequence[str] | None, program: str, usual: str, pages: Callable[[], Mapping[str, str]], ours: str = "*.md"
) -> int:
    """Write all pages into the folder that the command line names, and remove the pages there that are no longer among them.

    Args:
        argv: the arguments, without the program's name; `sys.argv` when None.
        program: what the command is called in its help.
        usual: the folder that it is made for.
        pages: makes the pages: file name -> text.
        ours: glob of the files in the folder that may be removed.

    Returns:
        0; 2 when the folder cannot be written.
    """
    parser = argparse.ArgumentParser(prog=program, description="Write generated pages of the documentation.")
    parser.add_argument("folder", type=Path, help=f"where the pages go, {usual}")
    folder: Path = parser.parse_args(argv).folder
    found = pages()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.glob(ours):
            if stale.name not in found:
                stale.unlink()
        for name, text in found.items():
            (folder / name).write_text(text, "utf-8")
    except OSError as error:
        print(f"{error.filename}: cannot be written: {error.strerror}", file=sys.stderr)  # noqa: T201
        return 2
    return 0
