"""Patterns of `exclude` and `per-file-ignores`, with the meaning that they have in ruff.

A pattern without a slash (`migrations`, `*_pb2.py`) matches the name of a file or folder anywhere; one with a slash (`tests/**`,
`src/*/legacy.py`) matches a path below the folder that the setting belongs to. `*` crosses slashes, as in ruff; `?`, `[abc]` and
`{a,b}` work too. A folder that matches takes everything below it along.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

__all__ = ["AnyGlob", "Glob", "GlobError", "compile_glob"]


class GlobError(ValueError):
    """A pattern is malformed; the message says why."""


@dataclass(frozen=True, slots=True)
class Glob:
    """A compiled pattern.

    Args:
        pattern: as the user wrote it.
        regex: matches a whole name (`by_name`) or a whole absolute path with `/` between its parts.
        by_name: whether the pattern has no slash.
    """

    pattern: str
    regex: re.Pattern[str]
    by_name: bool

    def matches(self, path: str) -> bool:
        """Whether this very path (absolute, `/` between its parts) matches; its parents are not asked."""
        return self.regex.fullmatch(path.rpartition("/")[2] if self.by_name else path) is not None

    def covers(self, path: str, root: str) -> bool:
        """Whether the path, or one of its parents below `root`, matches."""
        while True:
            if self.matches(path):
                return True
            parent = path.rpartition("/")[0]
            if not parent or parent in (path, root):
                return False
            path = parent


class AnyGlob:
    """Several patterns as two expressions, one for names and one for paths: a walk asks about every entry.

    Args:
        globs: the patterns.
    """

    __slots__ = ("_name", "_path")

    def __init__(self, globs: Sequence[Glob]) -> None:
        self._name = _joined(glob for glob in globs if glob.by_name)
        self._path = _joined(glob for glob in globs if not glob.by_name)

    def matches(self, name: str, path: str) -> bool:
        """Whether one of the patterns matches this very path, whose last part is `name`."""
        if self._name is not None and self._name.fullmatch(name) is not None:
            return True
        return self._path is not None and self._path.fullmatch(path) is not None


def _joined(globs: Iterable[Glob]) -> re.Pattern[str] | None:
    expressions = [f"(?:{glob.regex.pattern})" for glob in globs]
    return re.compile("|".join(expressions), re.DOTALL) if expressions else None


@functools.cache
def compile_glob(pattern: str, root: str) -> Glob:
    """Compile one pattern.

    Args:
        pattern: as the user wrote it; a trailing slash says "folder" and is dropped.
        root: absolute path of the folder that relative patterns start from.

    Raises:
        GlobError: unbalanced brackets or braces, or an empty pattern.
    """
    text = pattern.replace(os.sep, "/").removeprefix("./").rstrip("/")
    if not text:
        raise GlobError(f"empty pattern '{pattern}'")
    by_name = "/" not in text
    expression = _translate(text)
    if not by_name and not PurePath(text).is_absolute():
        expression = re.escape(root.replace(os.sep, "/").rstrip("/")) + "/" + expression
    return Glob(pattern, re.compile(expression, re.DOTALL), by_name)


def _translate(text: str) -> str:
    out: list[str] = []
    position, braces = 0, 0
    while position < len(text):
        character = text[position]
        if text.startswith("**/", position) and (position == 0 or text[position - 1] == "/"):
            out.append("(?:.*/)?")
            position += 3
            continue
        if character == "*":
            while text.startswith("*", position + 1):
                position += 1
            out.append(".*")
        elif character == "?":
            out.append("[^/]")
        elif character == "[":
            end = text.find("]", position + 2)
            if end < 0:
                raise GlobError(f"'[' without ']' in the pattern '{text}'")
            inside = text[position + 1 : end].replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^")
            out.append(f"[{'^' + inside[1:] if inside.startswith('!') else inside}]")
            position = end
        elif character == "{":
            braces += 1
            out.append("(?:")
        elif character == "}" and braces:
            braces -= 1
            out.append(")")
        elif character == "," and braces:
            out.append("|")
        else:
            out.append(re.escape(character))
        position += 1
    if braces:
        raise GlobError(f"'{{' without '}}' in the pattern '{text}'")
    expression = "".join(out)
    try:
        re.compile(expression)
    except re.error as error:
        raise GlobError(f"malformed pattern '{text}': {error}") from error
    return expression
