"""Where a new import goes: after docstring and `__future__`, among its like, in sorted position where the block is sorted.

The order is isort's and ruff's default: standard library, third party, first party, relative; in each `import x` before `from x`.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import libcst as cst

from asgiway_lint.fixes.model import Edit, NeededImport
from asgiway_lint.fixes.scopes import dotted_text
from asgiway_lint.fixes.source import FixSource

__all__ = ["import_edits"]

_LONGEST = 88
_FUTURE, _STANDARD, _THIRD, _FIRST, _RELATIVE = range(5)


@dataclass(frozen=True, slots=True)
class _Line:
    """A top-level import statement."""

    node: cst.SimpleStatementLine
    module: str
    category: int
    of_names: bool

    @property
    def key(self) -> tuple[bool, str]:
        return self.of_names, self.module.lower()


@dataclass(frozen=True, slots=True)
class _New:
    """A statement to insert."""

    text: str
    module: str
    category: int
    of_names: bool

    @property
    def key(self) -> tuple[bool, str]:
        return self.of_names, self.module.lower()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where to insert: the offset of a line's start; with an empty line before or after, or not."""

    offset: int
    before: bool = False
    after: bool = False


def import_edits(source: FixSource, imports: Iterable[NeededImport]) -> tuple[Edit, ...]:
    """Return the edits that add imports to a file, each once."""
    lines = _block(source)
    edits: list[Edit] = []
    new: list[_New] = []
    modules: dict[str, list[NeededImport]] = {}
    for needed in sorted(set(imports)):
        if needed.name:
            modules.setdefault(needed.module, []).append(needed)
        else:
            new.append(_New(needed.statement, needed.module, _category(needed.module, source), False))
    for module, names in modules.items():
        texts = [f"{each.name} as {each.alias}" if each.alias else each.name for each in names]
        edit = _extended(source, lines, module, texts)
        if edit is not None:
            edits.append(edit)
        else:
            text = f"from {module} import {', '.join(sorted(texts, key=_name_key))}"
            new.append(_New(text, module, _category(module, source), True))
    new.sort(key=lambda each: (each.category, each.key))
    placed = [(_place(source, lines, each), each) for each in new]
    placed.sort(key=lambda item: (item[0].offset, item[1].category, item[1].key))
    for _, group in itertools.groupby(placed, key=lambda item: item[0].offset):
        edits.append(_inserted(source, list(group)))
    return tuple(sorted(edits))


def _inserted(source: FixSource, items: Sequence[tuple[_Place, _New]]) -> Edit:
    """One edit for all statements that go to the same place."""
    newline = source.newline
    offset = items[0][0].offset
    parts: list[str] = []
    if offset and source.text[offset - 1] not in "\r\n":
        parts.append(newline)  # the last line has no end
    previous: tuple[_Place, _New] | None = None
    for place, new in items:
        apart = place.before if previous is None else new.category != previous[1].category
        if apart:
            parts.append(newline)
        parts.append(new.text + newline)
        previous = place, new
    if items[-1][0].after:
        parts.append(newline)
    return Edit(offset, offset, "".join(parts))


def _block(source: FixSource) -> list[_Line]:
    """The first run of import statements that has more than `__future__` in it; else that one."""
    first: list[_Line] = []
    current: list[_Line] = []
    for statement in source.module.body:
        line = _line(source, statement)
        if line is not None:
            current.append(line)
            continue
        if any(each.category != _FUTURE for each in current):
            return current
        first, current = first or current, []
    return current if any(each.category != _FUTURE for each in current) else first or current


def _line(source: FixSource, statement: cst.BaseStatement | cst.BaseSmallStatement) -> _Line | None:
    if not isinstance(statement, cst.SimpleStatementLine):
        return None
    if not all(isinstance(small, (cst.Import, cst.ImportFrom)) for small in statement.body):
        return None
    small = statement.body[0]
    if isinstance(small, cst.ImportFrom):
        module = dotted_text(small.module) if small.module is not None else ""
        category = _RELATIVE if small.relative else _category(module, source)
        return _Line(statement, module, category, True)
    assert isinstance(small, cst.Import)
    module = dotted_text(small.names[0].name)
    return _Line(statement, module, _category(module, source), False)


def _category(module: str, source: FixSource) -> int:
    top = module.partition(".")[0]
    if top == "__future__":
        return _FUTURE
    if top in sys.stdlib_module_names:
        return _STANDARD
    return _FIRST if _in_project(top, source) else _THIRD


def _in_project(top: str, source: FixSource) -> bool:
    roots = (*source.settings.src, source.path.parent) if source.path.is_absolute() else source.settings.src
    return any(_exists(root / top) or _exists(root / f"{top}.py") for root in roots)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


# ---- where


def _place(source: FixSource, lines: Sequence[_Line], new: _New) -> _Place:
    same = [line for line in lines if line.category == new.category]
    if same:
        return _among(source, same, new)
    below = next((line for line in lines if line.category > new.category), None)
    if below is not None:
        start = _attached(source, below)
        # A file that parts nothing gets no empty line either.
        return _Place(start, after=True)
    if lines:
        return _behind(source, lines[-1].node)
    return _at_top(source)


def _among(source: FixSource, same: Sequence[_Line], new: _New) -> _Place:
    keys = [line.key for line in same]
    names = [key[1] for key in keys]
    if keys == sorted(keys):
        following = next((line for line in same if line.key > new.key), None)
    elif names == sorted(names):  # `force-sort-within-sections`
        following = next((line for line in same if line.key[1] > new.key[1]), None)
    else:
        following = None
    if following is None:
        return _Place(_line_end(source, same[-1].node))
    if following is same[0]:
        return _Place(source.line_start(source.offset(following.node.body[0])[0]))  # below the heading, if there is one
    return _Place(_attached(source, following))


def _behind(source: FixSource, statement: cst.BaseStatement) -> _Place:
    end = _line_end(source, statement)
    return _Place(end, before=True, after=not _blank_at(source, end))


def _at_top(source: FixSource) -> _Place:
    """In a file without imports: below docstring, else below what the file begins with, such as a shebang or a licence."""
    body = source.module.body
    if body and isinstance(body[0], cst.SimpleStatementLine) and source.module.get_docstring(clean=False) is not None:
        return _behind(source, body[0])
    text = source.text
    offset = kept = 0
    number = 0
    while text.startswith("#", offset):
        end = _next_line(source, offset)
        number += 1
        if number <= 2 and (text.startswith("#!", offset) or "coding" in text[offset:end]):
            kept = end
        offset = end
    if offset and _blank_at(source, offset) and offset < len(text):
        kept = offset
    return _Place(kept, before=kept > 0, after=not _blank_at(source, kept))


def _attached(source: FixSource, line: _Line) -> int:
    """The offset where the comments directly above a statement start, or else its line."""
    start = source.line_start(source.offset(line.node.body[0])[0])
    while start:
        previous = source.line_start(start - 1)
        if not source.text[previous:start].lstrip().startswith("#"):
            break
        start = previous
    return start


def _line_end(source: FixSource, statement: cst.BaseStatement) -> int:
    """The offset where the line after a simple statement starts."""
    assert isinstance(statement, cst.SimpleStatementLine)
    return _next_line(source, source.offset(statement.body[-1])[1])


def _next_line(source: FixSource, offset: int) -> int:
    return source.offset_of(source.line_of(offset) + 1, 1)


def _blank_at(source: FixSource, offset: int) -> bool:
    return not source.text[offset : _next_line(source, offset)].strip()


# ---- one more name in a statement that is there


def _extended(source: FixSource, lines: Sequence[_Line], module: str, names: Sequence[str]) -> Edit | None:
    for line in lines:
        small = line.node.body[0]
        if line.module != module or not isinstance(small, cst.ImportFrom) or line.category == _RELATIVE:
            continue
        if len(line.node.body) > 1 or isinstance(small.names, cst.ImportStar):
            continue
        start, end = source.offset(small)
        text = source.text[start:end]
        head, found, tail = text.partition(" import ")
        if not found or "#" in text:
            continue
        if "\n" not in text and "\r" not in text and not tail.startswith("("):
            merged = sorted([*(part.strip() for part in tail.split(",")), *names], key=_name_key)
            new = f"{head} import {', '.join(merged)}"
            if len(new) <= _LONGEST and "\\" not in text:
                return Edit(start, end, new)
        elif tail.startswith("(") and tail.rstrip(")").rstrip().endswith(","):
            return _in_parentheses(source, small, names)
    return None


def _in_parentheses(source: FixSource, statement: cst.ImportFrom, names: Sequence[str]) -> Edit | None:
    """One name per line, each with its comma."""
    assert not isinstance(statement.names, cst.ImportStar)
    present = [(source.code(alias.name), source.offset(alias.name)[0]) for alias in statement.names]
    if len({source.line_of(offset) for _, offset in present}) != len(present) or len(names) != 1:
        return None
    indent, newline = source.indent_at(present[0][1]), source.newline
    following = next((offset for name, offset in present if _name_key(name) > _name_key(names[0])), None)
    if following is None:
        following = _next_line(source, present[-1][1])
    start = source.line_start(following)
    return Edit(start, start, f"{indent}{names[0]},{newline}")


def _name_key(name: str) -> tuple[int, str, str]:
    """isort's `order-by-type`: constants, classes, the rest."""
    bare = name.partition(" ")[0]
    kind = 0 if bare.isupper() and len(bare) > 1 else 1 if bare[:1].isupper() else 2
    return kind, bare.lower(), bare
