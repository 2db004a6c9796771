"""Edits of a document: the smallest ones that turn a text into another, for one version of it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Final

from lsprotocol import types

from asgiway_lint.fixes.model import Edit
from asgiway_lint.server.positions import Text

__all__ = ["difference", "workspace_edit"]

_LINES: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")


def difference(old: str, new: str) -> list[Edit]:
    """The edits that turn one text into another: each is no longer than the words that differ."""
    if old == new:
        return []
    before, after = _LINES.findall(old), _LINES.findall(new)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line))
    return [
        edit
        for kind, i1, i2, j1, j2 in matcher.get_opcodes()
        if kind != "equal"
        for edit in _shrunk(starts[i1], "".join(before[i1:i2]), "".join(after[j1:j2]))
    ]


def _shrunk(start: int, old: str, new: str) -> Iterator[Edit]:
    """The replacement of one stretch of text, without what both have at their ends."""
    prefix = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        prefix += 1
    if old[prefix - 1 : prefix] == "\r" and "\n" in (old[prefix : prefix + 1], new[prefix : prefix + 1]):
        prefix -= 1  # a client cannot point between the two
    suffix = 0
    most = min(len(old), len(new)) - prefix
    while suffix < most and old[-1 - suffix] == new[-1 - suffix]:
        suffix += 1
    if suffix and old[len(old) - suffix] == "\n" and "\r" in (old[-suffix - 1 : -suffix], new[-suffix - 1 : -suffix]):
        suffix -= 1
    yield Edit(start + prefix, start + len(old) - suffix, new[prefix : len(new) - suffix])


def workspace_edit(
    edits: Sequence[Edit], text: Text, uri: str, version: int, *, versioned: bool
) -> types.WorkspaceEdit:
    """The edits of one document.

    Args:
        edits: sorted, not overlapping; offsets into the text.
        text: the document's text.
        uri: the client's name for it.
        version: the version that the edits are for.
        versioned: whether the client refuses edits for another version than it has; else it cannot be told.
    """
    changes = [types.TextEdit(text.span(edit.start, edit.end), edit.text) for edit in edits]
    if not versioned:
        return types.WorkspaceEdit(changes={uri: changes})
    identifier = types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version)
    return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(identifier, changes)])
