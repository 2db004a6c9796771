"""Source -> `Facts`, whichever reader it takes: the interpreter's own parser, or libcst for newer syntax.

`ast` reads ten times faster than libcst and reads nearly every file; both end in the same collector, so that they agree.
"""

from __future__ import annotations

import ast
import gc
import sys
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from asgiway_lint.facts.collector import collect
from asgiway_lint.facts.model import Facts
from asgiway_lint.facts.text import Columns, decode
from asgiway_lint.suppress import Directive, find_directives

__all__ = ["SourceProblem", "quick_reading", "read", "read_newer", "read_text"]

# Frames of Python code don't use the C stack on 3.11 and newer; a chain of 500 calls needs about 2,000 of them.
_RECURSION_LIMIT: Final = 20_000


class SourceProblem(Exception):
    """Why a source cannot be read.

    Attributes:
        message: what is wrong, as the parser says it.
        line, column: 1-based place of it; 1, 1 if unknown.
        text: the source is no text (its encoding is unknown or wrong) rather than no Python.
    """

    def __init__(self, message: str, line: int = 1, column: int = 1, *, encoding: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.encoding = encoding


def read(source: bytes) -> Facts:
    """The facts of a module.

    Raises:
        SourceProblem: it cannot be decoded, or neither reader can parse it.
    """
    try:
        text = decode(source)
    except SyntaxError as error:
        raise SourceProblem(error.msg or "cannot be decoded", encoding=True) from error
    return read_text(text)


def read_text(text: str) -> Facts:
    """The facts of a module whose text is decoded already (a leading byte order mark is ignored).

    Raises:
        SourceProblem: neither reader can parse it.
    """
    text = text.removeprefix("\ufeff")
    directives = find_directives(text)
    if _reading:
        return _read_quickly(text, directives)
    with quick_reading():
        return _read_quickly(text, directives)


def _read_quickly(text: str, directives: tuple[Directive, ...]) -> Facts:
    try:
        tree, columns = _parse(text)
        return collect(tree, columns, directives)
    except RecursionError as error:
        raise SourceProblem("nested too deeply to be read") from error


def _parse(text: str) -> tuple[ast.Module, Columns]:
    """The tree of a text, through libcst if the running interpreter cannot parse it, and how to read its columns.

    Raises:
        SourceProblem: neither can.
    """
    try:
        return ast.parse(text), Columns(text)
    except SyntaxError as error:
        problem = SourceProblem(error.msg or "invalid syntax", max(error.lineno or 1, 1), max(error.offset or 1, 1))
    except (RecursionError, MemoryError):
        raise SourceProblem("nested too deeply to be read") from None
    except ValueError as error:  # NUL bytes on early 3.11, lone surrogates
        raise SourceProblem(str(error)) from None
    tree = read_newer(text)
    if tree is None:
        # The interpreter's words are better than libcst's.
        raise problem
    return tree, Columns("")


def read_newer(text: str) -> ast.Module | None:
    """The tree of a text through libcst, with columns in code points; None if that cannot parse it either."""
    # Imported only when it is needed: libcst takes longer to import than a hundred files to check.
    from asgiway_lint.facts.lowering import lower

    return lower(text)


_reading = False


@contextmanager
def quick_reading() -> Generator[None, None, None]:
    """Read many sources at full speed.

    The garbage collector would walk over all those trees again and again (3.6 times slower), deep chains of calls need frames,
    and warnings of invalid escapes are none of our business. All is put back as it was.
    """
    global _reading
    if _reading:  # by whoever reads many: once for all of them
        yield
        return
    limit = sys.getrecursionlimit()
    enabled = gc.isenabled()
    gc.disable()
    sys.setrecursionlimit(max(limit, _RECURSION_LIMIT))
    _reading = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        _reading = False
        sys.setrecursionlimit(limit)
        if enabled:
            gc.enable()
