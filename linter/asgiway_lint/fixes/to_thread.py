"""`f(x)` -> `await asyncio.to_thread(f, x)` (anyio's, trio's; Django's `sync_to_async`): what can run in a thread as it is.

Safe for what `to_thread.toml` lists, with plain arguments; unsafe, with the reason, for the rest. A call behind helpers moves whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from asgiway_lint.catalogue import load
from asgiway_lint.finding import Finding
from asgiway_lint.fixes.awaits import Parts, call_parts, library, writable_call
from asgiway_lint.fixes.contexts import await_refusal, brackets, text_refusal
from asgiway_lint.fixes.helpers import unmovable
from asgiway_lint.fixes.imports import Reference, reference
from asgiway_lint.fixes.meanwhile import meanwhile
from asgiway_lint.fixes.model import Applicability, Edit, Fix, NeededImport, Refusal
from asgiway_lint.fixes.plainness import owned, unplain
from asgiway_lint.fixes.source import FixSource
from asgiway_lint.fixes.threads import threads

__all__ = ["NAME", "offer"]

NAME = "to-thread"
_CONSUMERS = frozenset(f"builtins.{name}" for name in ("list", "sorted", "set", "tuple", "frozenset"))
_WRAPPERS = {
    "asyncio": ("asyncio", "to_thread"),
    "anyio": ("anyio.to_thread", "run_sync"),
    "trio": ("trio.to_thread", "run_sync"),
    "django": ("asgiref.sync", "sync_to_async"),
}


def offer(source: FixSource, finding: Finding, findings: Sequence[Finding]) -> Fix | Refusal | None:
    """Return the fix of a blocking call, direct or behind helpers."""
    if not finding.code.startswith("AW1") or (finding.symbol == "time.sleep" and not finding.chain):
        return None
    call = writable_call(source, finding, NAME)
    if isinstance(call, Refusal):
        return call
    reason = threads().never(finding.symbol, behind_helpers=bool(finding.chain))
    if not reason:
        reason = unmovable(source, finding) if finding.chain else _never(finding)
    if reason:
        return Refusal(NAME, reason)
    if any(isinstance(argument.value, cst.GeneratorExp) and not argument.value.lpar for argument in call.args):
        return Refusal(NAME, "its argument is a generator expression, which the thread would run")
    if finding.symbol in threads().iterators and not finding.chain:
        outer = _consumer(source, finding, call)
        if outer is None:
            return _listed(source, finding, call)
        call = outer
    flavour = _flavour(source, finding)
    found = reference(source, call, *_WRAPPERS[flavour])
    parts = call_parts(source, call)
    if found is None or parts is None:
        return Refusal(NAME, f"`{'.'.join(_WRAPPERS[flavour])}` cannot be named here")
    edits = _edits(source, call, parts, flavour, found)
    if isinstance(edits, str):
        return Refusal(NAME, edits)
    made, imports = edits
    if refusal := next((text for edit in made if (text := text_refusal(source, call, edit.text))), ""):
        return Refusal(NAME, refusal)
    why = _why_unsafe(source, finding, call) or meanwhile(source, call)
    return Fix(
        name=NAME,
        title=f"Run `{_short(parts.function)}` in a thread with `{found.text}`",
        applicability=Applicability.UNSAFE if why else Applicability.SAFE,
        reason=why,
        edits=made,
        imports=imports,
        removes=(finding,),
    )


def _never(finding: Finding) -> str:
    entry = load().find(finding.symbol)
    if entry is not None and entry.kind == "context_manager":
        return "what blocks is entering or leaving the `with` block, not the call"
    return ""


def _flavour(source: FixSource, finding: Finding) -> str:
    """The ORM's connections belong to Django's own thread, which only `sync_to_async` runs things in."""
    if finding.symbol.startswith("django."):
        return "django"
    if finding.chain and any(name.startswith("django.") for name in source.memo(_imported)):
        return "django"
    return library(source)


def _imported(source: FixSource) -> frozenset[str]:
    return frozenset(
        f"{bound.dotted}." for bounds in source.scopes.module.names.values() for bound in bounds if bound.dotted
    )


def _why_unsafe(source: FixSource, finding: Finding, call: cst.Call) -> str:
    known, receiver = threads(), call.func.value if isinstance(call.func, cst.Attribute) else call.func
    if finding.chain:
        return (
            f"all that `{_short(source.code(call.func))}` does moves to the thread, `{finding.symbol}` and everything else: make sure"
            " that it touches neither the event loop nor objects that other tasks use in the meantime"
        )
    if finding.symbol in known.iterators:
        return ""  # read to its end in one call
    function = known.functions.get(finding.symbol)
    if function is not None:
        if (
            source.resolve(call.func) in ("", finding.symbol)
            or load().canonical(source.resolve(call.func)) == finding.symbol
        ):
            return unplain(source, call, function)
        return f"`{_short(source.code(call.func))}` may stand for something else than `{finding.symbol}`"
    if finding.symbol in known.values:
        return unplain(source, call)
    if finding.symbol in known.owned and isinstance(call.func, cst.Attribute) and owned(source, call.func.value):
        return unplain(source, call)
    if finding.symbol in ("builtins.open", "io.open") and _only_reads(call):
        return unplain(source, call)
    return known.unsafe(finding.symbol, finding.code, _short(source.code(receiver)))


def _only_reads(call: cst.Call) -> bool:
    """Whether a file is opened for reading: then nothing is written when it is closed."""
    modes = [
        argument.value for argument in call.args if argument.keyword is not None and argument.keyword.value == "mode"
    ]
    if not modes and len(call.args) > 1 and call.args[1].keyword is None and not call.args[1].star:
        modes = [call.args[1].value]
    if not modes:
        return not any(argument.star for argument in call.args)
    mode = modes[0].evaluated_value if isinstance(modes[0], cst.SimpleString) else "w"
    return isinstance(mode, str) and not set(mode) & set("wax+")


def _edits(
    source: FixSource, call: cst.Call, parts: Parts, flavour: str, found: Reference
) -> tuple[tuple[Edit, ...], tuple[NeededImport, ...]] | str:
    """The edits and imports of one call; or why not."""
    before, after = brackets(source, call)
    end = [Edit(parts.end, parts.end, after)] if after else []
    if flavour == "django":
        head = f"{before}await {found.text}({parts.function})"
        return (Edit(parts.start, parts.start + len(parts.function), head), *end), found.imports
    imports = found.imports
    opening, closing = f"{before}await {found.text}(", after
    if flavour != "asyncio" and any(_by_keyword(argument) for argument in call.args):
        partial = reference(source, call, "functools", "partial")
        if partial is None:
            return "`functools.partial` cannot be named here"
        imports = (*imports, *partial.imports)
        opening, closing = f"{opening}{partial.text}(", f"){after}"
    multiline = "\n" in parts.space or "\r" in parts.space
    if not call.args:
        edits = [Edit(parts.start, parts.arguments, f"{opening}{parts.function}")]
    elif multiline:
        edits = [Edit(parts.start, parts.arguments, f"{opening}{parts.space}{parts.function},")]
    elif source.text.startswith("#", parts.arguments + len(parts.space)):
        edits = [Edit(parts.start, parts.arguments, f"{opening}{parts.function},")]
    else:
        edits = [Edit(parts.start, parts.arguments + len(parts.space), f"{opening}{parts.function}, ")]
    if closing:
        edits.append(Edit(parts.end, parts.end, closing))
    return tuple(edits), imports


def _by_keyword(argument: cst.Arg) -> bool:
    return argument.keyword is not None or argument.star == "**"


def _consumer(source: FixSource, finding: Finding, call: cst.Call) -> cst.Call | None:
    """`sorted(path.glob("*"))`: the call that reads an iterator to its end at once, which a thread can do as well."""
    argument = source.parent(call)
    outer = source.parent(argument) if isinstance(argument, cst.Arg) else None
    if not isinstance(outer, cst.Call) or outer.args[0].value is not call or outer.args[0].star:
        return None
    if source.resolve(outer.func) not in _CONSUMERS or await_refusal(source, outer):
        return None
    return outer if finding.symbol in threads().lists and not unplain(source, outer) else None


def _listed(source: FixSource, finding: Finding, call: cst.Call) -> Fix | Refusal:
    """`path.glob("*")` -> `await asyncio.to_thread(list, path.glob("*"))`."""
    if finding.symbol not in threads().lists:
        return Refusal(NAME, "it reads while one iterates; put the loop into a function and run that in a thread")
    used = library(source)
    found = reference(source, call, *_WRAPPERS[used])
    if found is None or source.scopes.lookup("list", call) is not None:
        return Refusal(NAME, f"`{used}` or `list` means something else here")
    before, after = brackets(source, call)
    start, end = source.offset(call)
    return Fix(
        name=NAME,
        title=f"Read all of `{_short(source.code(call.func))}` in a thread",
        applicability=Applicability.UNSAFE,
        reason="all of it is read before the first item is handled: what changes in the meantime, or a `break`, comes too late",
        edits=(Edit(start, start, f"{before}await {found.text}(list, "), Edit(end, end, f"){after}")),
        imports=found.imports,
        removes=(finding,),
    )


def _short(text: str) -> str:
    """The name of what is called, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."
