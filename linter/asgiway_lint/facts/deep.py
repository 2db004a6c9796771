"""libcst's parser on deeply nested source, without the crash.

The parser recurses on the C stack and has no limit: 2,000 nested brackets, or 4,000 terms of one sum, end the process with
a segmentation fault, and 5,000 brackets take it minutes. So brackets are counted beforehand, and what else may be long is parsed
in a thread with a big stack. Imported by `lowering` only.
"""

from __future__ import annotations

import re
import threading
from typing import Final

import libcst as cst

__all__ = ["bracket_depth", "longest_statement", "parse_module"]

# The interpreter's own parser gives up at 200 nested brackets.
_MAX_BRACKETS: Final = 300
# Measured with libcst 1.9: at most 2 KiB of stack for each operator of a statement.
_ORDINARY_OPERATORS: Final = 1000
_STACK_BYTES: Final = 512 * 1024 * 1024
_MAX_OPERATORS: Final = 150_000
_BRACKET: Final = re.compile(r"[(\[{]|[)\]}]")
_OPERATOR: Final = re.compile(r"[-+*/%@&|^~<>=.:]|\b(?:not|lambda|if|elif|and|or|await|in|is)\b")
# Where a statement of the module begins: a line that starts with nothing that could continue one.
_STATEMENT: Final = re.compile(r"^(?!elif\b|else\b|except\b|finally\b|[\s)\]}#'\"]|\\)", re.MULTILINE)


def bracket_depth(text: str) -> int:
    """How deep brackets are nested, those in strings and comments included."""
    depth = deepest = 0
    for match in _BRACKET.finditer(text):
        if match[0] in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif depth:
            depth -= 1
    return deepest


def longest_statement(text: str) -> int:
    """The number of operators in the module's longest statement (a class counts with all it holds)."""
    starts = [match.start() for match in _STATEMENT.finditer(text)]
    return max(
        (
            len(_OPERATOR.findall(text, start, end))
            for start, end in zip([0, *starts], [*starts, len(text)], strict=True)
        ),
        default=0,
    )


def parse_module(text: str) -> cst.Module | None:
    """The libcst tree of a text; None if it cannot be parsed, or not safely."""
    if bracket_depth(text) > _MAX_BRACKETS:
        return None
    operators = longest_statement(text)
    if operators <= _ORDINARY_OPERATORS:
        return _parse(text)
    if operators > _MAX_OPERATORS:
        return None
    found: list[cst.Module | None] = []
    before = threading.stack_size(_STACK_BYTES)
    try:
        thread = threading.Thread(target=lambda: found.append(_parse(text)))
        thread.start()
    except RuntimeError:  # no address space for such a stack
        return None
    finally:
        threading.stack_size(before)
    thread.join()
    return found[0] if found else None


def _parse(text: str) -> cst.Module | None:
    try:
        return cst.parse_module(text)
    except (cst.ParserSyntaxError, cst.CSTLogicError, ValueError, RecursionError, MemoryError):
        return None
