"""A method or function that its library has twice, `book.save()` -> `await book.asave()`: same object, same arguments.

`twins` says which twins are exact.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from asgiway_lint.finding import Finding
from asgiway_lint.fixes.awaits import writable_call
from asgiway_lint.fixes.contexts import brackets
from asgiway_lint.fixes.imports import Reference, reference
from asgiway_lint.fixes.meanwhile import meanwhile
from asgiway_lint.fixes.model import Applicability, Edit, Fix, Refusal
from asgiway_lint.fixes.source import FixSource
from asgiway_lint.fixes.twins import LIBRARIES, twin_of

__all__ = ["NAME", "offer"]

NAME = "async-twin"


def offer(source: FixSource, finding: Finding, findings: Sequence[Finding]) -> Fix | Refusal | None:
    """Return the fix of a call that has an exact twin."""
    twin = "" if finding.chain or not finding.code.startswith("AW1") else twin_of(finding.symbol)
    if not twin:
        return None
    call = writable_call(source, finding, NAME)
    if isinstance(call, Refusal):
        return call
    name = finding.symbol.rpartition(".")[2]
    start, end = source.offset(call)
    before, after = brackets(source, call)
    if isinstance(call.func, cst.Attribute) and call.func.attr.value == name:
        place = source.offset(call.func.attr)
        edits = [Edit(start, start, f"{before}await "), Edit(*place, twin)]
        new = Reference("")
    else:
        module = finding.symbol.rpartition(".")[0]
        found = reference(source, call, module, twin, by_name=isinstance(call.func, cst.Name))
        if found is None or source.resolve(call.func) != finding.symbol:
            return Refusal(NAME, f"`{source.code(call.func)}` may stand for something else than `{finding.symbol}`")
        new = found
        edits = [Edit(start, source.outer_offset(call.func)[1], f"{before}await {new.text}")]
    if after:
        edits.append(Edit(end, end, after))
    needs, reason = LIBRARIES[finding.symbol.partition(".")[0]]
    reason = reason or meanwhile(source, call)
    return Fix(
        name=NAME,
        title=f"Replace `{name}` by `await ...{twin}`",
        applicability=Applicability.UNSAFE if reason else Applicability.SAFE,
        reason=reason,
        edits=tuple(edits),
        imports=new.imports,
        requires=(needs,) if needs else (),
        removes=(finding,),
    )
