"""Which places of a file mean the same variable; looked up in an index that is made once per file."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping

import libcst as cst

from asgiway_lint.fixes.source import FixSource

__all__ = ["handed_out", "uses_of"]


def uses_of(source: FixSource, name: str, place: cst.CSTNode) -> Iterator[cst.Name]:
    """Yield the names that mean the variable that a name means at a place, in order of the text, bindings included."""
    home = source.scopes.lookup(name, place)
    if home is None:
        return
    scope = home[0].node
    start, end = (0, len(source.text)) if isinstance(scope, cst.Module) else source.offset(scope)
    known = source.memo(_names).get(name, [])
    for offset, each in known[bisect.bisect_left(known, start, key=_offset) :]:
        if offset >= end:
            break
        other = source.scopes.lookup(name, each)
        if other is not None and other[0] is home[0]:
            yield each


def _offset(item: tuple[int, cst.Name]) -> int:
    return item[0]


def handed_out(source: FixSource, name: str) -> bool:
    """Whether a `global` or `nonlocal` anywhere hands a name to another scope, so that it may change behind one's back."""
    return name in source.memo(_handed_out)


def _names(source: FixSource) -> Mapping[str, list[tuple[int, cst.Name]]]:
    found: dict[str, list[tuple[int, cst.Name]]] = {}
    for each in source.find(cst.Name):
        if not _is_label(source, each):
            found.setdefault(each.value, []).append((source.offset(each)[0], each))
    for places in found.values():
        places.sort(key=_offset)
    return found


def _is_label(source: FixSource, name: cst.Name) -> bool:
    """Whether a name is the attribute of something or the keyword of an argument."""
    above = source.parent(name)
    if isinstance(above, cst.Attribute):
        return above.attr is name
    return isinstance(above, cst.Arg) and above.keyword is name


def _handed_out(source: FixSource) -> frozenset[str]:
    return frozenset(
        item.name.value
        for node in source.nodes()
        if isinstance(node, (cst.Global, cst.Nonlocal))
        for item in node.names
    )
