"""`asgiway-lint clean`: removes cache folders, and only what certainly is one."""

from __future__ import annotations

import logging
import os
import shutil
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from asgiway_lint.config import CACHE_FOLDER, DEFAULT_EXCLUDE
from asgiway_lint.configfiles import Resolver
from asgiway_lint.errors import UsageError
from asgiway_lint.filtering import rule_codes
from asgiway_lint.output import Output

__all__ = ["run"]

log: logging.Logger = logging.getLogger(__name__)

# What every cache folder holds: an ignore file of this content, so that git never sees it, and the facts.
_IGNORE_FILE, _IGNORE_TEXT, _FACTS = ".gitignore", "*", "facts.db"


def run(arguments: Namespace) -> int:
    """Remove the configured cache folder and every default one in the current folder and below; return 0.

    Raises:
        UsageError: a folder cannot be removed.
    """
    cwd = Path.cwd()
    configured = Resolver(cwd, rule_codes()).for_folder(cwd).cache_dir
    for folder in sorted({*_below(cwd), configured}):
        if not folder.is_dir() or folder.is_symlink():
            continue
        if not _is_cache(folder):
            log.warning("%s does not look like a cache of asgiway-lint and stays", folder)
            continue
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise UsageError(f"cannot remove {folder}: {error.strerror or error}") from error
        with Output() as output:
            output.write([f"Removed {folder}\n"])
    return 0


def _below(top: Path) -> Iterator[Path]:
    skipped = set(DEFAULT_EXCLUDE)
    for folder, names, _ in os.walk(top):
        if CACHE_FOLDER in names:
            yield Path(folder, CACHE_FOLDER)
        names[:] = [name for name in names if name not in skipped]


def _is_cache(folder: Path) -> bool:
    """Whether the folder may go: `cache-dir` could name any folder by mistake, a virtual environment or the project itself."""
    if folder.name == CACHE_FOLDER:
        return True
    try:
        ignored = (folder / _IGNORE_FILE).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return ignored.strip() == _IGNORE_TEXT and (folder / _FACTS).is_file()
