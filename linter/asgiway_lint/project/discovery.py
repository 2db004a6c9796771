"""Which files a run looks at: walks folders, leaves out what the settings and git leave out, in an order that never varies.

Named files are taken whatever their name; a walk takes `.py` and `.pyi`. Folders behind symbolic links are not entered (they are
walked where they really are, and loops cannot happen); links to files are followed, dangling ones (editors' lock files) passed by.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from asgiway_lint.config import Settings
from asgiway_lint.errors import MissingExtraError
from asgiway_lint.globs import AnyGlob

__all__ = ["Discovered", "Unlisted", "discover", "excluded_by_settings"]

log: logging.Logger = logging.getLogger(__name__)

_SUFFIXES = (".py", ".pyi")
_GIT = ".git"
_IGNORE = ".gitignore"


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A folder that could not be listed, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Discovered:
    """What a walk found.

    Args:
        files: absolute, normalised, sorted, without duplicates.
        missing: named paths that do not exist, as they were named.
        unlisted: folders that could not be listed.
    """

    files: tuple[Path, ...]
    missing: tuple[str, ...] = ()
    unlisted: tuple[Unlisted, ...] = ()


def discover(paths: Sequence[str], *, cwd: Path, settings_for: Callable[[Path], Settings]) -> Discovered:
    """Find the files to look at.

    Args:
        paths: files and folders as named on the command line, relative to `cwd` or absolute.
        cwd: absolute current folder.
        settings_for: the settings of the files in a folder (absolute).
    """
    walk = _Walk(settings_for)
    for name in paths:
        path = os.path.normpath(cwd / name)
        try:
            mode = os.stat(path).st_mode  # noqa: PTH116
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                walk.missing.append(name)
            else:
                walk.files.add(path)  # reading it will say what is wrong
            continue
        folder = Path(path) if stat.S_ISDIR(mode) else Path(path).parent
        if excluded_by_settings(path, settings_for(folder)):
            log.debug("%s is excluded, and force-exclude is on", path)
        elif stat.S_ISDIR(mode):
            walk.folder(path)
        else:
            walk.files.add(path)
    return Discovered(
        files=tuple(map(Path, sorted(walk.files))),
        missing=tuple(dict.fromkeys(walk.missing)),
        unlisted=tuple(sorted(walk.unlisted, key=lambda each: each.path)),
    )


def excluded_by_settings(path: str, settings: Settings) -> bool:
    """Whether a path that was named (not found by a walk) is left out: only with force-exclude, then by any of its folders."""
    if not settings.force_exclude:
        return False
    posix, root = path.replace(os.sep, "/"), str(settings.root).replace(os.sep, "/")
    return any(glob.covers(posix, root) for glob in settings.exclude)


@dataclass(slots=True)
class _Walk:
    settings_for: Callable[[Path], Settings]
    files: set[str] = field(default_factory=set[str])
    missing: list[str] = field(default_factory=list[str])
    unlisted: list[Unlisted] = field(default_factory=list[Unlisted])
    _walked: set[str] = field(default_factory=set[str])
    _exclusions: dict[int, tuple[Settings, AnyGlob]] = field(default_factory=dict[int, "tuple[Settings, AnyGlob]"])
    _ignored: dict[str, tuple[_GitIgnore, ...]] = field(default_factory=dict[str, "tuple[_GitIgnore, ...]"])

    def folder(self, start: str) -> None:
        pending = [start]
        while pending:
            folder = pending.pop()
            if folder in self._walked:
                continue
            self._walked.add(folder)
            try:
                with os.scandir(folder) as listing:
                    entries = list(listing)
            except OSError as error:
                self.unlisted.append(Unlisted(folder, error.strerror or str(error)))
                continue
            settings = self.settings_for(Path(folder))
            excluded = self._excluded(settings)
            ignores = self._ignores(folder, [entry.name for entry in entries]) if settings.respect_gitignore else ()
            for entry in entries:
                is_folder = entry.is_dir(follow_symlinks=False)
                if not is_folder and not entry.name.endswith(_SUFFIXES):
                    continue
                posix = entry.path.replace(os.sep, "/")
                if excluded.matches(entry.name, posix) or _is_ignored(posix, is_folder, ignores):
                    log.debug("%s is excluded", entry.path)
                elif is_folder:
                    pending.append(entry.path)
                elif _is_regular(entry):
                    self.files.add(entry.path)

    def _excluded(self, settings: Settings) -> AnyGlob:
        key = id(settings)  # the settings are kept beside it, so that no others can get this id
        if key not in self._exclusions:
            self._exclusions[key] = (settings, AnyGlob(settings.exclude))
        return self._exclusions[key][1]

    def _ignores(self, folder: str, names: Collection[str] = (_GIT, _IGNORE)) -> tuple[_GitIgnore, ...]:
        """Return the ignore files that hold in a folder, nearest first: up to the top of the repository, or its own only.

        Args:
            folder: its path.
            names: what is in it, if that is known: most folders have nothing to look at.
        """
        known = self._ignored.get(folder)
        if known is None:
            parent = os.path.dirname(folder)  # noqa: PTH120  (ten times faster)
            above: tuple[_GitIgnore, ...] = ()
            if _GIT in names and _has_repository(Path(folder)):
                above = _read_gitignore(Path(folder), ".git/info/exclude")
            elif parent in self._ignored:
                above = self._ignored[parent]
            elif any(map(_has_repository, Path(folder).parents)):
                above = self._ignores(parent)
            own = _read_gitignore(Path(folder), _IGNORE) if _IGNORE in names else ()
            known = self._ignored[folder] = own + above
        return known


def _is_regular(entry: os.DirEntry[str]) -> bool:
    """Whether the entry is a file or a link to one: no folder named like one, no pipe that would block, no dangling link."""
    try:
        return entry.is_file()
    except OSError:
        return False


def _has_repository(folder: Path) -> bool:
    try:
        return (folder / _GIT).exists()
    except OSError:  # the path is too long, or may not be looked at
        return False


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One line of an ignore file: whether it ignores (True) or takes back (False), and what."""

    include: bool
    regex: re.Pattern[str]
    by_name: bool  # no slash but a trailing one: it is about names anywhere below
    folders_only: bool

    def matches(self, relative: str, is_folder: bool) -> bool:
        """Whether it matches the path itself, as git asks; pathspec's expressions also match what lies in a matched folder.

        A walk has asked about each folder before it went in, so those above have been decided about (and whoever names an
        ignored folder on the command line means it).
        """
        if self.folders_only and not is_folder:
            return False
        target = relative.rpartition("/")[2] if self.by_name else relative
        if self.folders_only:
            target += "/"
        match = self.regex.search(target)
        # The only group with a name is the slash behind a matched folder: is there more behind it?
        return match is not None and (match.lastgroup is None or match.end() == len(target))


@dataclass(frozen=True, slots=True)
class _GitIgnore:
    """One ignore file.

    Args:
        base: the folder that its patterns start from.
        patterns: in the file's order.
        any_pattern: finds at least what they match: most paths match none, and asking them one by one is slow.
    """

    base: str
    patterns: tuple[_Pattern, ...]
    any_pattern: re.Pattern[str]

    def decides(self, path: str, is_folder: bool) -> bool | None:
        """Return whether it ignores (True) or takes back (False) a path; None if it says nothing of it."""
        relative = path[len(self.base.rstrip("/")) + 1 :]
        if self.any_pattern.search(relative + "/" if is_folder else relative) is None:
            return None
        return next((each.include for each in reversed(self.patterns) if each.matches(relative, is_folder)), None)


def _is_ignored(path: str, is_folder: bool, ignores: Iterable[_GitIgnore]) -> bool:
    """Ask the ignore files, nearest first: the first that says anything of the path decides, as in git."""
    for ignore in ignores:
        decision = ignore.decides(path, is_folder)
        if decision is not None:
            return decision
    return False


def _read_gitignore(folder: Path, name: str) -> tuple[_GitIgnore, ...]:
    try:
        lines = (folder / name).read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ()  # there is none, or git could not read it either
    try:
        from pathspec import GitIgnoreSpec  # 34 ms, and many trees have no ignore file
    except ImportError as error:
        raise MissingExtraError("pathspec") from error
    patterns: list[_Pattern] = []
    for line in lines:
        try:
            spec = GitIgnoreSpec.from_lines([line])
        except ValueError as error:
            log.warning("%s: the pattern '%s' is malformed and not used: %s", folder / name, line, error)
            continue
        text = line.strip().removeprefix("!")
        for pattern in cast("Iterable[Any]", spec.patterns):  # its patterns are typed as patterns of anything
            if pattern.include is not None and pattern.regex is not None:
                by_name = "/" not in text.removesuffix("/")
                patterns.append(_Pattern(pattern.include, pattern.regex, by_name, text.endswith("/")))
    if not patterns:
        return ()
    # Without the group's names, which may not occur twice in one expression.
    together = "|".join(f"(?:{re.sub(r'[(][?]P<[^>]*>', '(?:', each.regex.pattern)})" for each in patterns)
    return (_GitIgnore(str(folder).replace(os.sep, "/"), tuple(patterns), re.compile(together)),)
