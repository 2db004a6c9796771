"""Where a client is opened: around the fewest statements that hold all requests, but never inside a loop.

The statements move to the right by one level. Strings that run over several lines, comments and blank lines stay what they are.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import libcst as cst

from asgiway_lint.fixes.httpx.arguments import Unfit
from asgiway_lint.fixes.httpx.draft import Region
from asgiway_lint.fixes.source import FixSource

__all__ = ["free_name", "in_loop", "indent_unit", "region_around", "region_of"]

_NAMES = ("client", "http_client", "httpx_client", "async_client")
_LOOPS = (cst.For, cst.While)
_REPEATED = (*_LOOPS, cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)


def free_name(source: FixSource, function: cst.FunctionDef) -> str:
    """Return a name for a client that nothing in the function, or visible from it, has."""
    taken = {name.value for name in source.find(cst.Name, function)}
    for name in itertools.chain(_NAMES, (f"client_{number}" for number in itertools.count(2))):
        if name not in taken and source.scopes.lookup(name, function.body) is None:
            return name
    raise AssertionError("there are numbers without end")


def in_loop(source: FixSource, function: cst.FunctionDef, node: cst.CSTNode) -> bool:
    """Whether a node can be evaluated more than once in a call of the function."""
    for above in source.ancestors(node):
        if above is function:
            return False
        if isinstance(above, _REPEATED):
            return True
    return False


def region_around(source: FixSource, function: cst.FunctionDef, nodes: Sequence[cst.CSTNode], header: str) -> Region:
    """Return the lines that have to be inside the client's `async with`.

    Args:
        source: the file.
        function: the function.
        nodes: the requests.
        header: the `async with` without indentation and line end.

    Raises:
        Unfit: there is no place for it.
    """
    paths = [_path(source, function, node) for node in nodes]
    if not all(paths):
        raise Unfit("the function's body stands in the line of its `def`")
    depth = 0
    while all(len(path) > depth and path[depth][0] is paths[0][depth][0] for path in paths):
        depth += 1
    block = paths[0][depth - 1][0]
    statements = [path[depth - 1][1] for path in paths]
    numbers = [index for index, each in enumerate(block.body) if any(each is statement for statement in statements)]
    chosen = block.body[numbers[0] : numbers[-1] + 1]
    return region_of(source, chosen, header)


def _path(
    source: FixSource, function: cst.FunctionDef, node: cst.CSTNode
) -> list[tuple[cst.IndentedBlock, cst.BaseStatement]]:
    """Return the blocks and statements down to a node, outermost first, down to the first loop."""
    found: list[tuple[cst.IndentedBlock, cst.BaseStatement]] = []
    below = node
    for above in source.ancestors(node):
        if isinstance(above, cst.IndentedBlock) and isinstance(below, cst.BaseStatement):
            found.append((above, below))
        if above is function:
            break
        below = above
    found.reverse()
    for number, (_, statement) in enumerate(found):
        if isinstance(statement, _LOOPS):
            return found[: number + 1]
    return found


def region_of(source: FixSource, statements: Sequence[cst.BaseStatement], header: str) -> Region:
    """Return the lines of statements of one block as a region.

    Raises:
        Unfit: their indentation mixes tabs and blanks.
    """
    first, last = source.offset(_first_token(statements[0]))[0], source.offset(statements[-1])[1]
    start = source.line_start(first)
    base = source.indent_at(first)
    unit = indent_unit(source, base)
    while last > start and source.text[last - 1] in "\r\n":
        last -= 1
    end = _line_end(source, last)
    inside = _inside_strings(source, statements)
    starts: list[int] = []
    line = source.line_of(start)
    while True:
        begin = source.offset_of(line, 1)
        if begin > end or (begin == len(source.text) and begin > start):
            break
        if begin not in inside and source.text[begin : _line_end(source, begin)].strip():
            starts.append(begin)
        line += 1
    text = f"{base}{header}{source.newline}" if header else ""
    return Region(start, end, text, unit, tuple(starts))


def _first_token(statement: cst.BaseStatement) -> cst.CSTNode:
    """A decorated definition starts with its decorators."""
    if isinstance(statement, (cst.FunctionDef, cst.ClassDef)) and statement.decorators:
        return statement.decorators[0].decorator
    return statement


def indent_unit(source: FixSource, base: str) -> str:
    """Return what one more level of indentation is, next to lines that have one or more.

    Raises:
        Unfit: tabs and blanks are mixed, so that nobody can say what a level looks like.
    """
    if base.strip(" ") and base.strip("\t"):
        raise Unfit("the indentation mixes tabs and blanks")
    default = source.module.default_indent
    return "\t" if base.startswith("\t") else default if not default.strip(" ") else "    "


def _line_end(source: FixSource, offset: int) -> int:
    end = offset
    while end < len(source.text) and source.text[end] not in "\r\n":
        end += 1
    return end


def _inside_strings(source: FixSource, statements: Iterable[cst.BaseStatement]) -> set[int]:
    """Offsets of the lines that begin inside a string."""
    found: set[int] = set()
    for statement in statements:
        for node in source.nodes(statement):
            if isinstance(node, (cst.SimpleString, cst.FormattedString, cst.TemplatedString)):
                start, end = source.offset(node)
                for line in range(source.line_of(start) + 1, source.line_of(end) + 1):
                    found.add(source.offset_of(line, 1))
    return found
