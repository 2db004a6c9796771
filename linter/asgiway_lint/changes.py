"""Which lines have changed since a branch began, by asking git: what `--diff-base main` restricts findings to.

Changed is what differs between the merge base of the revision and HEAD, and the files as they are on disk: commits of the branch,
staged and unstaged changes, and files that git does not know yet.
"""

from __future__ import annotations

import os
import re
import subprocess
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from asgiway_lint.errors import UsageError, nearest
from asgiway_lint.finding import Finding

__all__ = ["Changes", "changes_since", "parse_diff"]

_ALL = ((1, 1 << 60),)
_WHOLE_FILE = ("AW001", "AW002")  # about the file, wherever the parser noticed it
_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)")
_ESCAPES = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}

# First and last lines of the ranges that changed, in order.
Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """Changed lines.

    Args:
        top: absolute top folder of the working tree.
        ranges: absolute path -> its changed ranges.
    """

    top: Path
    ranges: dict[str, Ranges]
    _real: dict[str, str] = field(default_factory=dict[str, str])

    def concern(self, finding: Finding) -> bool:
        """Whether a finding has to do with the changes: its own lines, or a call on its way to what blocks.

        A change in a helper can make a coroutine block that nobody has touched.
        """
        if finding.code in _WHOLE_FILE:
            return bool(self._ranges(finding.path))
        return self._touches(finding.path, finding.line, finding.end_line) or any(
            self._touches(link.path, link.line, link.line) for link in finding.chain
        )

    def _ranges(self, path: str) -> Ranges:
        real = self._real.get(path)
        if real is None:
            real = self._real[path] = os.path.realpath(path)
        return self.ranges.get(real, ())

    def _touches(self, path: str, first: int, last: int) -> bool:
        ranges = self._ranges(path)
        index = bisect_right(ranges, (last, 1 << 60)) - 1
        return index >= 0 and ranges[index][1] >= first


def changes_since(revision: str, cwd: Path) -> Changes:
    """Ask git what has changed.

    Args:
        revision: a branch, tag or commit.
        cwd: absolute folder inside of a working tree.

    Raises:
        UsageError: there is no git, no working tree, no such revision, or no common ancestor.
    """
    top = _top(cwd)
    if revision.startswith("-") or _git(top, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") is None:
        branches = _git(top, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes", "refs/tags")
        known = (branches or b"").decode("utf-8", "replace").split("\n")
        raise UsageError(f"--diff-base: git knows no revision '{revision}'{nearest(revision, filter(None, known))}")
    base = _git(top, "merge-base", revision, "HEAD")
    if base is None:
        raise UsageError(
            f"--diff-base: git finds no common ancestor of '{revision}' and HEAD; if this is a shallow clone, fetch more of"
            " its history (git fetch --unshallow; fetch-depth: 0 of actions/checkout)"
        )
    diff = _git(
        top,
        *(
            "-c",
            "core.quotePath=false",
            "diff",
            "--unified=0",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "--text",
        ),
        *("--find-renames", "--no-relative", "--ignore-submodules", "--src-prefix=a/", "--dst-prefix=b/"),
        *("--diff-filter=d", base.strip().decode(), "--"),
    )
    new = _git(top, "ls-files", "--others", "--exclude-standard", "-z", "--full-name")
    if diff is None or new is None:
        raise UsageError(f"--diff-base: git diff does not work in {top}")
    ranges: dict[str, Ranges] = {_place(top, name): found for name, found in parse_diff(diff)}
    ranges.update((_place(top, name), _ALL) for name in new.split(b"\0") if name)
    return Changes(top, ranges)


def _top(cwd: Path) -> Path:
    try:
        answer = _git(cwd, "rev-parse", "--show-toplevel")
    except FileNotFoundError as error:
        raise UsageError("--diff-base needs git, and there is none on the PATH") from error
    if not answer or not answer.strip():
        raise UsageError(f"--diff-base: {cwd} is not inside of a git working tree (or git refuses to look into it)")
    return Path(os.fsdecode(answer.rstrip(b"\r\n")))


def _place(top: Path, name: bytes) -> str:
    return os.path.realpath(top / os.fsdecode(name))


def _git(cwd: Path, *arguments: str) -> bytes | None:
    """Return what git says; None if it fails."""
    ran = subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, check=False)
    return ran.stdout if ran.returncode == 0 else None


def parse_diff(diff: bytes) -> Iterator[tuple[bytes, Ranges]]:
    """Yield path (as git has it) and changed lines of each file in the output of `git diff --unified=0`."""
    lines = diff.split(b"\n")
    name: bytes | None = None
    ranges: list[tuple[int, int]] = []
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        if line.startswith(b"diff --git "):
            yield from _file(name, ranges)
            name, ranges = None, []
        elif line.startswith(b"+++ "):
            name = _name(line[4:])
        elif match := _HUNK.match(line):
            removed, start, added = (int(group) if group is not None else 1 for group in match.groups())
            if added:
                ranges.append((start, start + added - 1))
            # What the hunk holds may look like anything, also like the next file's header.
            rest = removed + added
            while rest and position < len(lines):
                rest -= not lines[position].startswith(b"\\")  # "\ No newline at end of file" does not count
                position += 1
    yield from _file(name, ranges)


def _file(name: bytes | None, ranges: Sequence[tuple[int, int]]) -> Iterator[tuple[bytes, Ranges]]:
    if name is not None and ranges:
        yield name, tuple(ranges)


def _name(text: bytes) -> bytes | None:
    text = text.removesuffix(b"\r")
    text = text.removesuffix(b"\t")  # git's mark behind a name with spaces
    if text[:1] == b'"' == text[-1:]:
        text = _ESCAPE.sub(_unescaped, text[1:-1])
    return text[2:] if text.startswith(b"b/") else None  # /dev/null


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code, 8)]) if len(code) == 3 else _ESCAPES.get(code, code)
