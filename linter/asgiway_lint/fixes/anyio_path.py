"""`path.read_text()` -> `await anyio.Path(path).read_text()`, `for p in path.iterdir():` -> `async for`: unsafe (trio's likewise).

Only in files that use anyio or trio: elsewhere `asyncio.to_thread` does the same without a dependency, as a safe fix.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from asgiway_lint.finding import Finding
from asgiway_lint.fixes.awaits import writable_call
from asgiway_lint.fixes.contexts import text_refusal
from asgiway_lint.fixes.drafting import AwaitDraft, Unclear, is_others, is_use, leaves_early
from asgiway_lint.fixes.flavours import anyio_or_trio, imports
from asgiway_lint.fixes.imports import Reference, reference
from asgiway_lint.fixes.model import Applicability, Fix, Refusal
from asgiway_lint.fixes.source import FixSource

__all__ = ["NAME", "NATIVE", "offer"]

NAME = "anyio-path"
NATIVE = True

_PREFIX = "pathlib.Path."
# What gives no path, so that the result is the same object as before.
_VALUES = frozenset(
    [
        *("exists", "is_file", "is_dir", "is_symlink", "is_mount", "is_socket", "is_fifo", "is_block_device"),
        *("is_char_device", "stat", "lstat", "chmod", "mkdir", "rmdir", "unlink", "touch", "symlink_to", "hardlink_to"),
        *("owner", "group", "samefile", "read_text", "read_bytes", "write_text", "write_bytes"),
    ]
)
# What gives a path, which is another kind of path afterwards: right only where nobody takes it.
_MOVES = frozenset(["rename", "replace"])
_ITERATORS = frozenset(["iterdir", "glob", "rglob"])
# Newer Pythons have more parameters than anyio passes on.
_KEYWORDS = {
    "stat": ("follow_symlinks",),
    "chmod": ("mode", "follow_symlinks"),
    "mkdir": ("mode", "parents", "exist_ok"),
    "unlink": ("missing_ok",),
    "touch": ("mode", "exist_ok"),
    "symlink_to": ("target_is_directory",),
    "read_text": ("encoding", "errors"),
    "write_text": ("encoding", "errors", "newline"),
}
# What both kinds of path have, computed from the text alone.
_TEXTS = frozenset(["name", "stem", "suffix", "suffixes", "parts", "anchor", "drive", "root"])
_TEXT_METHODS = frozenset(["as_posix", "as_uri", "is_absolute", "is_relative_to"])
_TAKE_ANY_PATH = frozenset(
    [
        *(
            "builtins.str",
            "builtins.open",
            "io.open",
            "os.fspath",
            "os.path.getsize",
            "os.stat",
            "os.remove",
            "os.unlink",
        ),
        *("os.path.exists", "os.path.isfile", "os.path.isdir", "os.path.getmtime"),
        *("anyio.Path", "anyio.open_file", "aiofiles.open", "pathlib.Path", "pathlib.PurePath"),
    ]
)
_REASON = (
    "`{module}.Path` takes a path for a plain `pathlib.Path`: make sure that it is no subclass with methods of its own, and that nobody"
    " relies on nothing happening before the next call"
)


def offer(source: FixSource, finding: Finding, findings: Sequence[Finding]) -> Fix | Refusal | None:
    """Return the fix of a method of a path, or of the loop that has made the path."""
    method = finding.symbol.removeprefix(_PREFIX)
    if finding.chain or method == finding.symbol or method not in _VALUES | _MOVES | _ITERATORS:
        return None
    module = anyio_or_trio(source)
    if not module:
        return None
    call = writable_call(source, finding, NAME)
    if isinstance(call, Refusal):
        return call
    if not isinstance(call.func, cst.Attribute) or call.func.attr.value != method:
        return Refusal(NAME, f"`{source.code(call.func)}` is not called on a path")
    found = reference(source, call, module, "Path")
    if found is None:
        return Refusal(NAME, f"`{module}` is the name of something else here")
    try:
        if method in _ITERATORS:
            return _looped(source, call, found, module, findings)
        if isinstance(call.func.value, cst.Name) and (home := _loop_of(source, call.func.value, findings)) is not None:
            try:
                return _looped(source, home, found, module, findings)
            except Unclear:
                pass  # the loop stays; the path can be wrapped for this call
        return _called(source, call, found, module, finding)
    except Unclear as reason:
        return Refusal(NAME, str(reason))


def _called(source: FixSource, call: cst.Call, found: Reference, module: str, finding: Finding) -> Fix:
    assert isinstance(call.func, cst.Attribute)
    draft, method = AwaitDraft(source), call.func.attr.value
    _check_arguments(call)
    if method in _MOVES and not isinstance(source.parent(call), cst.Expr):
        raise Unclear(f"`{method}` would give a `{module}.Path`, which others may not take")
    if refusal := text_refusal(source, call, found.text):
        raise Unclear(refusal)
    draft.awaited(call)
    _wrap(draft, call, found)
    return _fix(draft, f"Replace `{method}` by that of `{module}.Path`", found, module, [finding])


def _check_arguments(call: cst.Call) -> None:
    assert isinstance(call.func, cst.Attribute)
    method = call.func.attr.value
    for argument in call.args:
        if argument.keyword is not None and argument.keyword.value not in _KEYWORDS.get(method, ()):
            raise Unclear(f"`{method}` of an asynchronous path may have no `{argument.keyword.value}`")
        if argument.star:
            raise Unclear(f"what `{method}` is given cannot be told")


def _wrap(draft: AwaitDraft, call: cst.Call, found: Reference) -> None:
    """`path.x()` -> `anyio.Path(path).x()`; of `Path(p).x()` only the name changes."""
    assert isinstance(call.func, cst.Attribute)
    source, receiver = draft.source, call.func.value
    if isinstance(receiver, cst.Call) and source.resolve(receiver.func) == "pathlib.Path":
        draft.replace(source.offset(receiver)[0], source.outer_offset(receiver.func)[1], found.text)
        return
    start, end = source.outer_offset(receiver)
    own = bool(receiver.lpar)
    draft.insert(start, found.text if own else f"{found.text}(")
    draft.insert(end, "" if own else ")")


def _fix(draft: AwaitDraft, title: str, found: Reference, module: str, removes: Sequence[Finding]) -> Fix:
    return Fix(
        name=NAME,
        title=title,
        applicability=Applicability.UNSAFE,
        reason="; ".join([_REASON.replace("{module}", module), *draft.reasons]),
        edits=draft.edits(),
        imports=found.imports,
        requires=() if imports(draft.source, module) else (module,),
        removes=tuple(removes),
    )


# ---- loops over folders


def _loop_of(source: FixSource, name: cst.Name, findings: Sequence[Finding]) -> cst.Call | None:
    """The `folder.iterdir()` whose loop binds the path that a name is."""
    below: cst.CSTNode = name
    left: cst.CSTNode | None = None
    for above in source.ancestors(name):
        loop = above.for_in if isinstance(above, (cst.ListComp, cst.SetComp, cst.DictComp)) else above
        if isinstance(above, cst.CompFor) and below is above.iter:
            left = source.parent(above)
        elif isinstance(loop, (cst.For, cst.CompFor)) and above is not left and below is not loop.iter:
            target, listed = loop.target, loop.iter
            if isinstance(target, cst.Name) and target.value == name.value:
                known = any(source.node_at(each) is listed for each in findings if _is_iterator(each))
                return listed if isinstance(listed, cst.Call) and known else None
        if isinstance(above, (cst.FunctionDef, cst.Lambda)):
            return None
        below = above
    return None


def _is_iterator(finding: Finding) -> bool:
    return finding.symbol.removeprefix(_PREFIX) in _ITERATORS and not finding.chain


def _looped(source: FixSource, call: cst.Call, found: Reference, module: str, findings: Sequence[Finding]) -> Fix:
    """The loop over what a folder has in it, and all that is done with each path."""
    assert isinstance(call.func, cst.Attribute)
    method = call.func.attr.value
    loop = source.parent(call)
    if module != "anyio":
        raise Unclear("trio reads the whole folder before the first path is handled, as `to_thread` does")
    if not isinstance(loop, (cst.For, cst.CompFor)) or loop.iter is not call or loop.asynchronous is not None:
        raise Unclear(f"the result of `{method}` is not looped over at once")
    if len(call.args) > 1 or any(argument.keyword is not None or argument.star for argument in call.args):
        raise Unclear(f"`{method}` of an asynchronous path does not take these arguments")
    if not isinstance(loop.target, cst.Name):
        raise Unclear("the loop takes the paths to pieces")
    if isinstance(loop, cst.For) and leaves_early(source, loop):
        raise Unclear("a `return` or `break` would leave the asynchronous generator unfinished, of which trio warns")
    draft = AwaitDraft(source)
    draft.asynchronous_for(loop)
    _wrap(draft, call, found)
    removes: list[Finding] = [each for each in findings if _is_iterator(each) and source.node_at(each) is call]
    marked = {
        id(node): each
        for each in findings
        if each.symbol.startswith(_PREFIX) and not each.chain and (node := source.node_at(each)) is not None
    }
    for use in _uses(source, loop, loop.target):
        awaited = _use(draft, use)
        if awaited is not None and id(awaited) in marked:
            removes.append(marked[id(awaited)])
    return _fix(draft, f"Loop over `{method}` of `{module}.Path` with `async for`", found, module, removes)


def _uses(source: FixSource, loop: cst.For | cst.CompFor, target: cst.Name) -> Iterator[cst.Name]:
    """The places where the path of a loop is used; none of them is outside of the loop, and nothing else is bound to its name there."""
    found = source.scopes.lookup(target.value, target)
    if found is None or isinstance(found[0].node, cst.Module | cst.ClassDef):
        raise Unclear(f"`{target.value}` is a name that others see, too")
    bindings = {id(bound.node) for bound in found[1]}
    inside = {id(node) for node in source.nodes(loop)} if isinstance(loop, cst.For) else None
    for use in source.find(cst.Name, found[0].node):
        if use.value != target.value or use is target or not is_use(source, use):
            continue
        seen = source.scopes.lookup(use.value, use)
        if seen is None or seen[0] is not found[0]:
            continue
        if inside is not None and id(use) not in inside:
            if not is_others(source, use, loop):
                raise Unclear(f"`{target.value}` is also used outside of the loop")
        elif id(use) in bindings:
            raise Unclear(f"`{target.value}` is also bound to something else")
        else:
            yield use


def _use(draft: AwaitDraft, use: cst.Name) -> cst.Call | None:
    """Change a use of a path, and return the call that is awaited now; None if nothing has to be."""
    source = draft.source
    above = source.parent(use)
    if isinstance(above, cst.Attribute):
        name, call = above.attr.value, source.parent(above)
        called = isinstance(call, cst.Call) and call.func is above
        if name in _TEXTS or (name in _TEXT_METHODS and called):
            return None
        if isinstance(call, cst.Call) and called and name in _VALUES | _MOVES:
            _check_arguments(call)
            if name in _MOVES and not isinstance(source.parent(call), cst.Expr):
                raise Unclear(f"`{name}` would give another kind of path")
            draft.awaited(call)
            return call
        raise Unclear(f"`{use.value}.{name}` is not the same for an asynchronous path")
    if isinstance(above, cst.FormattedStringExpression) and above.conversion is None and above.equal is None:
        return None
    call = source.parent(above) if isinstance(above, cst.Arg) else None
    if isinstance(call, cst.Call) and source.resolve(call.func) in _TAKE_ANY_PATH:
        return None
    raise Unclear(
        f"`{use.value}` would be an asynchronous path, and is handed on in line {source.line_of(source.offset(use)[0])}"
    )
