"""`with open(p) as f:` -> `async with await anyio.open_file(p) as f:`, where nobody but the block has the file: unsafe.

The whole block changes at once: each call awaited, each loop over lines an `async for`. A file that is handed on stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from asgiway_lint.finding import Finding
from asgiway_lint.fixes.awaits import call_parts, library
from asgiway_lint.fixes.drafting import AwaitDraft, Unclear, is_others, is_use, leaves_early, shown
from asgiway_lint.fixes.flavours import anyio_or_trio, imports
from asgiway_lint.fixes.imports import reference
from asgiway_lint.fixes.model import Applicability, Fix, Refusal
from asgiway_lint.fixes.source import FixSource

__all__ = ["NAME", "NATIVE", "offer"]

NAME = "open-file"
NATIVE = True

_OPENS = frozenset(["builtins.open", "io.open", "pathlib.Path.open"])
# The most arguments that anyio's method takes; `readline(size)` is the file's alone.
_METHODS = {
    "read": 1,
    "readline": 0,
    "readlines": 0,
    "write": 1,
    "writelines": 1,
    "seek": 2,
    "tell": 0,
    "truncate": 1,
    "flush": 0,
}
_PLAIN = frozenset(["name", "mode", "encoding", "closed"])
_CONSUMERS = frozenset(f"builtins.{name}" for name in ("list", "sorted", "set", "tuple", "frozenset"))


def offer(source: FixSource, finding: Finding, findings: Sequence[Finding]) -> Fix | Refusal | None:
    """Return the fix of the block that opens the file which a finding is about."""
    if finding.code != "AW108" or finding.chain:
        return None
    opens = finding.symbol in _OPENS
    if not opens and not finding.symbol.startswith("io."):
        return None
    node = source.node_at(finding)
    statement = _block(source, node, opens) if node is not None else None
    if statement is None:
        return None
    try:
        return _rewritten(source, statement, findings)
    except Unclear as reason:
        return Refusal(NAME, str(reason)) if opens else None


@dataclass(slots=True)
class _Draft(AwaitDraft):
    """The fix while it is made; whether lines are read one by one."""

    by_line: bool = False


def _block(source: FixSource, node: cst.BaseExpression, opens: bool) -> cst.With | None:
    """The `with` that opens the file which is opened, called or iterated over at a place."""
    if opens:
        item = source.parent(node)
        statement = source.parent(item) if isinstance(item, cst.WithItem) and item.item is node else None
        return statement if isinstance(statement, cst.With) else None
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        node = node.func.value
    if not isinstance(node, cst.Name):
        return None
    below: cst.CSTNode = node
    for above in source.ancestors(node):
        binds = isinstance(above, cst.With) and any(name.value == node.value for name in _names(above))
        if isinstance(above, cst.With) and binds and below is above.body:
            return above
        below = above
    return None


def _names(statement: cst.With) -> Iterator[cst.Name]:
    for item in statement.items:
        if item.asname is not None and isinstance(item.asname.name, cst.Name):
            yield item.asname.name


def _rewritten(source: FixSource, statement: cst.With, findings: Sequence[Finding]) -> Fix:
    draft = _Draft(source)
    opened = {
        id(node): finding
        for finding in findings
        if finding.symbol in _OPENS and not finding.chain and (node := source.node_at(finding)) is not None
    }
    if statement.asynchronous is not None:
        raise Unclear("it is an `async with` already")
    draft.allowed(statement)
    module, name = _flavour(source)
    writes = False
    found = reference(source, statement, module, name)
    if found is None:
        raise Unclear(f"`{module}` is the name of something else here")
    draft.insert(source.offset(statement)[0], "async ")
    for item in statement.items:
        if not isinstance(item.item, cst.Call) or id(item.item) not in opened:
            raise Unclear(f"`with` also enters `{shown(source.code(item.item))}`: give it a `with` of its own")
        if item.asname is None or not isinstance(item.asname.name, cst.Name):
            raise Unclear("the file has no name of its own")
        writes = _open(draft, item.item, found.text if module == "aiofiles" else f"await {found.text}") or writes
    for file in list(_names(statement)):
        _uses(draft, statement, file)
    what = (
        "writes: make sure that nobody reads the file half-written"
        if writes
        else "reads: make sure that they do not change the file"
    )
    reason = f"other tasks run, and this one can be cancelled, between its {what}"
    return Fix(
        name=NAME,
        title=f"Open the file with `{module}.{name}`, and await what is done with it",
        applicability=Applicability.UNSAFE,
        reason="; ".join([reason, *draft.reasons]),
        edits=draft.edits(),
        imports=found.imports,
        requires=() if imports(source, module) else (module,),
        notes=("every line takes a turn of a thread: of a file with many lines read more at once",)
        if draft.by_line
        else (),
        removes=tuple(_ended(source, statement, findings)),
    )


def _flavour(source: FixSource) -> tuple[str, str]:
    used = anyio_or_trio(source)
    if not used and imports(source, "aiofiles"):
        return "aiofiles", "open"
    return used or "anyio", "open_file"


def _open(draft: _Draft, call: cst.Call, function: str) -> bool:
    """Change the call that opens, and return whether the file may be written to."""
    source = draft.source
    for argument in call.args:
        if argument.keyword is not None and argument.keyword.value == "opener":
            raise Unclear("the function in `opener` would run in a thread")
    resolved = source.resolve(call.func)
    if resolved in ("builtins.open", "io.open"):
        draft.replace(source.offset(call)[0], source.outer_offset(call.func)[1], function)
        return _writes(call, 1)
    parts = call_parts(source, call)
    if resolved or parts is None or not isinstance(call.func, cst.Attribute) or call.func.attr.value != "open":
        raise Unclear(f"`{shown(source.code(call.func))}` may stand for something else than `open`")
    path = source.outer_offset(call.func.value)[1]
    if "#" in source.text[path : parts.arguments]:
        raise Unclear("a comment stands between the path and `open`")
    draft.insert(parts.start, f"{function}(")
    separator = "" if not call.args else "," if "\n" in parts.space or "\r" in parts.space else ", "
    end = parts.arguments if separator == "," else parts.arguments + len(parts.space)
    draft.replace(path, end, separator)
    return _writes(call, 0)


def _writes(call: cst.Call, position: int) -> bool:
    modes = [each.value for each in call.args if each.keyword is not None and each.keyword.value == "mode"]
    if not modes and len(call.args) > position and call.args[position].keyword is None:
        modes = [call.args[position].value]
    if not modes:
        return False
    mode = modes[0].evaluated_value if isinstance(modes[0], cst.SimpleString) else "w"
    return not isinstance(mode, str) or bool(set(mode) & set("wax+"))


# ---- what is done with the file


def _uses(draft: _Draft, statement: cst.With, file: cst.Name) -> None:
    """Change every use of the file's name in the block; there must be none that is not understood, and none after it."""
    source, name = draft.source, file.value
    found = source.scopes.lookup(name, statement)
    function = source.enclosing_function(statement)
    if found is None or function is None or found[0].node is not function:
        raise Unclear(f"`{name}` is a name that others see, too")
    bindings = {id(bound.node) for bound in found[1]}
    inside = {id(node) for node in source.nodes(statement.body)}
    for use in source.find(cst.Name, function):
        if use.value != name or use is file or not is_use(source, use) or _is_shadowed(source, use, function):
            continue
        if id(use) not in inside:
            if not is_others(source, use, statement):
                raise Unclear(f"`{name}` is also used outside of the block")
        elif id(use) in bindings:
            raise Unclear(f"`{name}` is bound to something else in the block")
        else:
            _use(draft, use)


def _is_shadowed(source: FixSource, use: cst.Name, function: cst.CSTNode) -> bool:
    """Whether a scope inside or outside of the function has another such name."""
    found = source.scopes.lookup(use.value, use)
    return found is None or found[0].node is not function


def _use(draft: _Draft, use: cst.Name) -> None:
    source = draft.source
    above = source.parent(use)
    if isinstance(above, cst.Attribute):
        _attribute(draft, use, above)
    elif isinstance(above, (cst.For, cst.CompFor)) and above.iter is use and above.asynchronous is None:
        if isinstance(above, cst.For) and library(source) == "anyio" and leaves_early(source, above):
            raise Unclear(
                "a `return` or `break` would leave anyio's generator of lines unfinished, of which trio warns"
            )
        draft.asynchronous_for(above)
        draft.by_line = True
    elif isinstance(above, cst.Arg):
        _argument(draft, use, above)
    else:
        raise Unclear(f"`{use.value}` is not only read and written: {_line(source, use)}")


def _attribute(draft: _Draft, use: cst.Name, attribute: cst.Attribute) -> None:
    source, name = draft.source, attribute.attr.value
    call = source.parent(attribute)
    if name in _PLAIN and not (isinstance(call, cst.Call) and call.func is attribute):
        return
    if not isinstance(call, cst.Call) or call.func is not attribute:
        raise Unclear(f"`{use.value}.{name}` is handed on: {_line(source, use)}")
    if name == "fileno":
        return
    most = _METHODS.get(name)
    if most is None:
        raise Unclear(f"asynchronous files have no `{name}` that does the same: {_line(source, use)}")
    if len(call.args) > most or any(each.keyword is not None or each.star for each in call.args):
        raise Unclear(f"`{name}` of an asynchronous file does not take these arguments: {_line(source, use)}")
    if name == "writelines" and any(isinstance(call.args[0].value, kind) for kind in (cst.GeneratorExp, cst.Call)):
        raise Unclear(f"the generator given to `writelines` may run in the thread: {_line(source, use)}")
    draft.by_line = draft.by_line or name == "readline"
    draft.awaited(call)


def _argument(draft: _Draft, use: cst.Name, argument: cst.Arg) -> None:
    """`list(f)` reads all lines at once; what else gets the file may do anything."""
    source = draft.source
    call = source.parent(argument)
    plain = isinstance(call, cst.Call) and argument is call.args[0] and argument.keyword is None and not argument.star
    if not plain or not isinstance(call, cst.Call) or source.resolve(call.func) not in _CONSUMERS:
        raise Unclear(f"`{use.value}` is handed on: {_line(source, use)}")
    draft.allowed(use)
    start, end = source.offset(use)
    draft.replace(start, end, f"await {use.value}.readlines()")


def _line(source: FixSource, node: cst.CSTNode) -> str:
    start = source.offset(node)[0]
    line = source.line_of(start)
    return f"line {line}, `{shown(source.text[source.offset_of(line, 1) : source.offset_of(line + 1, 1)])}`"


def _ended(source: FixSource, statement: cst.With, findings: Sequence[Finding]) -> Iterator[Finding]:
    """The findings about the files of a block."""
    names = {name.value for name in _names(statement)}
    for finding in findings:
        node = source.node_at(finding) if finding.code == "AW108" and not finding.chain else None
        if node is None:
            continue
        if finding.symbol in _OPENS:
            if _block(source, node, True) is statement:
                yield finding
        elif finding.symbol.startswith("io.") and _block(source, node, False) is statement:
            target = node.func.value if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) else node
            if isinstance(target, cst.Name) and target.value in names:
                yield finding
