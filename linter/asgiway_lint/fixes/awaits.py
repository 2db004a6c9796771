"""What fixers of single calls share: which library the file is for, when a call cannot be edited, what an `await` in it lets happen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from asgiway_lint.analysis.libraries import async_library
from asgiway_lint.config import AsyncLibrary
from asgiway_lint.facts.reader import SourceProblem, read_text
from asgiway_lint.finding import Finding
from asgiway_lint.fixes.contexts import await_refusal
from asgiway_lint.fixes.model import Refusal
from asgiway_lint.fixes.source import FixSource

__all__ = ["Parts", "call_parts", "interleaving", "library", "writable_call"]

_PLACES = (cst.Name, cst.Attribute, cst.Subscript)
_SPACE = re.compile(r"\s*")


def library(source: FixSource) -> AsyncLibrary:
    """Return the asynchronous library that a file is for: as set, else as imported."""
    known = source.settings.async_library
    return known if known is not None else source.memo(_imported_library)


def _imported_library(source: FixSource) -> AsyncLibrary:
    try:
        return async_library(read_text(source.text))
    except SourceProblem:
        return "asyncio"


def writable_call(source: FixSource, finding: Finding, name: str) -> cst.Call | Refusal:
    """Return the call that a finding marks if an `await` can be put before it, else why not.

    Args:
        source: the file.
        finding: the finding.
        name: of the fixer.
    """
    node = source.node_at(finding)
    if node is None:
        return Refusal(name, "what blocks is no expression of its own")
    if not isinstance(node, cst.Call):
        return Refusal(name, "what blocks is an attribute or an operator, not a call")
    reason = await_refusal(source, node)
    return Refusal(name, reason) if reason else node


def interleaving(source: FixSource, node: cst.CSTNode) -> str:
    """Return why an `await` at a node's place lets other tasks spoil its statement; empty if it does not.

    In `self.total += await f()` the old total is read before the wait and written after it; `self.total = self.total + await f()` is
    the same.
    """
    statement = source.enclosing(node, cst.AugAssign, cst.Assign, cst.AnnAssign)
    if statement is None or source.enclosing_function(statement) is not source.enclosing_function(node):
        return ""
    if isinstance(statement, cst.AugAssign):
        targets: list[cst.BaseExpression] = [statement.target]
    else:
        assert isinstance(statement, (cst.Assign, cst.AnnAssign))
        written = (
            [each.target for each in statement.targets] if isinstance(statement, cst.Assign) else [statement.target]
        )
        value = statement.value or node
        read = {source.code(each) for each in source.nodes(value) if isinstance(each, _PLACES)}
        targets = [place for each in written for place in _places(each) if source.code(place) in read]
    for target in targets:
        if not isinstance(target, cst.Name) or not _is_local(source, target):
            return (
                f"`{source.code(target)}` is read before the `await` and written after it, so a change that another task makes"
                " in between would be lost"
            )
    return ""


def _places(target: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """What a target assigns to: itself, or the parts of `a, *b`."""
    if isinstance(target, (cst.Tuple, cst.List)):
        for element in target.elements:
            yield from _places(element.value)
    else:
        yield target


def _is_local(source: FixSource, name: cst.Name) -> bool:
    found = source.scopes.lookup(name.value, name)
    return found is not None and found[0] is source.scopes.of(name)


@dataclass(frozen=True, slots=True)
class Parts:
    """Places in a call, and text of it.

    Args:
        start: where it starts, parentheses around it excluded.
        function: the text of what is called.
        arguments: behind the opening parenthesis.
        space: the white space that stands there.
        end: behind the closing parenthesis.
    """

    start: int
    function: str
    arguments: int
    space: str
    end: int


def call_parts(source: FixSource, call: cst.Call) -> Parts | None:
    """Return the parts of a call; None if a comment stands between function and parenthesis."""
    start, end = source.offset(call)
    function_end = source.outer_offset(call.func)[1]
    opening = source.text.find("(", function_end, end)
    if opening < 0 or "#" in source.text[function_end:opening]:
        return None
    match = _SPACE.match(source.text, opening + 1)
    assert match is not None
    return Parts(start, source.text[start:function_end], opening + 1, match[0], end)
