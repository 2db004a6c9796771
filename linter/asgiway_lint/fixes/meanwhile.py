"""What an inserted `await` lets other tasks do, or keeps the coroutine from doing: with such a reason a fix is not safe.

Between two `await`s nobody else runs, and code relies on that without saying so: what an `if` has asked still holds in its body, a dict
does not grow while a loop goes through it, nobody sees a file that is open for writing. Where there is an `await` already, none of it
was so before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import libcst as cst

from asgiway_lint.fixes.awaits import interleaving
from asgiway_lint.fixes.plainness import value_of
from asgiway_lint.fixes.source import FixSource

__all__ = ["meanwhile"]

_VIEWS = frozenset(["items", "keys", "values"])
_LAZY = frozenset(f"builtins.{name}" for name in ("enumerate", "zip", "reversed", "filter", "map", "iter"))
_MUTATORS = frozenset(
    ["add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem", "popleft", "remove"]
).union(["setdefault", "update"])
_CHECKS = frozenset(["exists", "lexists", "isfile", "isdir", "islink", "is_file", "is_dir", "is_symlink"])
_MAKERS = frozenset(["mkdir", "makedirs", "rmdir", "removedirs", "remove", "unlink", "symlink_to"])
_AGAIN = "`{place}` is read before the `await` and changed after it, so that another task may find it as it was and do the same"
_PROCESS_WIDE = frozenset(["os.chdir", "os.fchdir", "os.umask"])
_COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.DictComp)


def meanwhile(source: FixSource, node: cst.BaseExpression) -> str:
    """Return why an `await` at a node's place is not safe; empty if it is.

    Args:
        source: the file.
        node: the call that is to be awaited.
    """
    if reason := interleaving(source, node) or _receiver(source, node):
        return reason
    below: cst.CSTNode = node
    for above in source.ancestors(node):
        if isinstance(above, cst.FunctionDef):
            return _leaving(above) or _process_wide(source, above, node)
        for question in _QUESTIONS:
            if reason := question(source, above, below, node):
                return reason
        below = above
    return ""


def _leaving(function: cst.FunctionDef) -> str:
    if function.name.value != "__aexit__":
        return ""
    return "`__aexit__` also runs when the task is cancelled, and might not finish any more"


def _process_wide(source: FixSource, function: cst.FunctionDef, node: cst.BaseExpression) -> str:
    """`os.chdir(there)`, the call, `os.chdir(back)`."""
    calls = [call for call in source.find(cst.Call, function.body) if source.resolve(call.func) in _PROCESS_WIDE]
    place = source.offset(node)[0]
    before = [call for call in calls if source.offset(call)[0] < place]
    if not before or len(before) == len(calls):
        return ""
    last = max(before, key=lambda call: source.offset(call)[0])
    start, home = source.offset(last)[0], source.enclosing_function(node)
    end = min(source.offset(call)[0] for call in calls if call not in before)
    for each in source.find(cst.Await, function.body):
        if start < source.offset(each)[0] < end and source.enclosing_function(each) is home:
            return ""
    return f"`{source.code(last)}` is in force for the whole process, also for the tasks that run in the meantime"


# ---- asked before, set after


def _asked(source: FixSource, above: cst.CSTNode, below: cst.CSTNode, node: cst.BaseExpression) -> str:
    if not isinstance(above, (cst.If, cst.While)):
        return ""
    branches = [above.body, above.orelse] if below is above.test else [below]
    parts = [above.test, *(branch for branch in branches if branch is not None)]
    asked = {source.code(each) for each in source.nodes(above.test) if _shared(source, each)}
    start = source.offset(node)[0]
    for part in parts[1:] if asked else ():
        for statement, place in _changes(source, part):
            end = source.offset(statement)[1]
            if place in asked and end > start and not _waits(source, parts, before=end):
                return _AGAIN.replace("{place}", place)
    return ""


def _read_before(source: FixSource, above: cst.CSTNode, below: cst.CSTNode, node: cst.BaseExpression) -> str:
    """`if self.started: return` or `count = self.count`, the call, `self.started = True` or `self.count = count + 1`."""
    if not isinstance(above, cst.IndentedBlock) or not isinstance(below, cst.BaseStatement):
        return ""
    position, start = list(above.body).index(below), source.offset(node)[0]
    earlier, later = above.body[:position], above.body[position:]
    read: dict[str, int] = {}  # place -> the offset of its last reading
    for statement in earlier:
        for each in _readings(source, statement):
            read.update(
                (source.code(node), source.offset(node)[0]) for node in source.nodes(each) if _shared(source, node)
            )
    for part in later if read else ():
        for change, place in _changes(source, part):
            end = source.offset(change)[1]
            if place in read and end > start and not _waits(source, above.body, before=end, after=read[place]):
                return _AGAIN.replace("{place}", place)
    return ""


def _readings(source: FixSource, statement: cst.BaseStatement) -> Iterator[cst.BaseExpression]:
    """The test of an `if` that leaves; what a name of the function's own gets."""
    if isinstance(statement, cst.If):
        last = statement.body.body[-1] if statement.body.body else None
        small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
        if isinstance(small, (cst.Return, cst.Raise, cst.Continue, cst.Break)):
            yield statement.test
    elif isinstance(statement, cst.SimpleStatementLine):
        for each in statement.body:
            if isinstance(each, cst.Assign) and all(isinstance(target.target, cst.Name) for target in each.targets):
                yield each.value


def _there(source: FixSource, above: cst.CSTNode, below: cst.CSTNode, node: cst.BaseExpression) -> str:
    """`if os.path.exists(path): os.remove(path)`, where nobody catches the error."""
    if not isinstance(above, cst.If):
        return ""
    asked = {place for each in source.find(cst.Call, above.test) if (place := _file(source, each, _CHECKS))}
    branches = [above.body, above.orelse] if below is above.test else [below]
    parts = [above.test, *(branch for branch in branches if branch is not None)]
    for part in parts[1:] if asked else ():
        for call in source.find(cst.Call, part):
            place, end = _file(source, call, _MAKERS), source.offset(call)[1]
            if place not in asked or end <= source.offset(node)[0] or _forgiving(source, call):
                continue
            if not _waits(source, parts, before=end):
                return f"`{place}` is asked for before the `await`: another task may have made or removed it in between"
    return ""


def _file(source: FixSource, call: cst.Call, names: frozenset[str]) -> str:
    """What a function of `os` or a method of a path with one of these names is about; empty if the call is another one."""
    name = source.resolve(call.func)
    if name.startswith("os."):
        return source.code(call.args[0].value) if call.args and name.rpartition(".")[2] in names else ""
    known = isinstance(call.func, cst.Attribute) and call.func.attr.value in names
    return source.code(call.func.value) if known and isinstance(call.func, cst.Attribute) else ""


def _forgiving(source: FixSource, call: cst.Call) -> bool:
    if any(each.keyword is not None and each.keyword.value in ("exist_ok", "missing_ok") for each in call.args):
        return True
    home = source.enclosing_function(call)
    below: cst.CSTNode = call
    for above in source.ancestors(call):
        if above is home:
            break
        if isinstance(above, (cst.Try, cst.TryStar)) and below is above.body and above.handlers:
            return True
        below = above
    return False


def _changes(source: FixSource, root: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, str]]:
    """The statements that change a place, and the place as it is written: `self.users` of `self.users[name] = user`."""
    for each in source.nodes(root):
        targets: list[cst.BaseExpression] = []
        if isinstance(each, cst.Assign):
            targets = [target.target for target in each.targets]
        elif isinstance(each, (cst.AugAssign, cst.AnnAssign, cst.Del)):
            targets = [each.target]
        elif isinstance(each, cst.Call) and isinstance(each.func, cst.Attribute) and each.func.attr.value in _MUTATORS:
            place = each.func.value
            targets = [] if source.resolve(place) == "os" else [place]  # `os.remove` removes a file
        for target in targets:
            yield each, source.code(target)
            if isinstance(target, cst.Subscript):
                yield each, source.code(target.value)


def _shared(source: FixSource, node: cst.CSTNode) -> bool:
    """Whether another task may have what an expression names: not a name of the function's own, nor an item of that."""
    while isinstance(node, cst.Subscript):
        node = node.value
    return isinstance(node, cst.Attribute) or (isinstance(node, cst.Name) and not _local(source, node))


def _local(source: FixSource, name: cst.Name) -> bool:
    found = source.scopes.lookup(name.value, name)
    return found is None or not isinstance(found[0].node, cst.Module)


# ---- what a loop goes through


def _iterated(source: FixSource, above: cst.CSTNode, below: cst.CSTNode, node: cst.BaseExpression) -> str:
    if isinstance(above, cst.For) and below is above.body:
        loops = [above.iter]
        waits = _waits(source, [above.body])
    elif isinstance(above, _COMPREHENSIONS):
        loops = [each.iter for each in source.find(cst.CompFor, above.for_in)]
        first = {id(each) for each in source.nodes(above.for_in.iter)}  # evaluated once, before the loop
        if id(node) in first:
            return ""
        waits = any(isinstance(each, cst.Await) and id(each) not in first for each in source.nodes(above))
    else:
        return ""
    place = next((source.code(each) for loop in loops for each in _gone_through(source, loop)), "")
    if not place or waits:
        return ""
    return f"the loop goes through `{place}`, which other tasks may change in the meantime"


def _gone_through(source: FixSource, node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """The containers of the object or the module that a loop goes through itself, not a copy; constants do not change."""
    if isinstance(node, cst.Call):
        if isinstance(node.func, cst.Attribute) and node.func.attr.value in _VIEWS and not node.args:
            yield from _gone_through(source, node.func.value)
        elif source.resolve(node.func) in _LAZY:
            for argument in node.args:
                yield from _gone_through(source, argument.value)
        return
    root = node
    while isinstance(root, (cst.Attribute, cst.Subscript)):
        root = root.value
    last = node.attr if isinstance(node, cst.Attribute) else node
    if not isinstance(root, cst.Name) or (isinstance(last, cst.Name) and last.value.isupper()):
        return
    if (root is not node and root.value in ("self", "cls")) or not _local(source, root):
        yield node


# ---- files that others see


def _written(source: FixSource, above: cst.CSTNode, below: cst.CSTNode, node: cst.BaseExpression) -> str:
    if not isinstance(above, cst.With) or below is not above.body or _waits(source, [above.body]):
        return ""
    return next((reason for item in above.items if (reason := _half_written(source, item.item))), "")


def _receiver(source: FixSource, node: cst.BaseExpression) -> str:
    """`file.write(text)` after `file = open(path, "w")`."""
    if not (
        isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and isinstance(node.func.value, cst.Name)
    ):
        return ""
    name = node.func.value
    found = source.scopes.lookup(name.value, name)
    for bound in found[1] if found is not None else ():
        value = value_of(source, bound.node)
        if value is None or isinstance(source.parent(value), cst.WithItem):
            continue
        if reason := _half_written(source, value):
            return reason
    return ""


def _half_written(source: FixSource, node: cst.BaseExpression) -> str:
    if not isinstance(node, cst.Call):
        return ""
    if source.resolve(node.func) in ("builtins.open", "io.open"):
        position = 1
    elif isinstance(node.func, cst.Attribute) and node.func.attr.value == "open" and not source.resolve(node.func):
        position = 0  # of a path
    else:
        return ""
    modes = [each.value for each in node.args if each.keyword is not None and each.keyword.value == "mode"]
    modes += [each.value for each in node.args[position : position + 1] if each.keyword is None]
    mode = modes[0].evaluated_value if modes and isinstance(modes[0], cst.SimpleString) else ""
    if not isinstance(mode, str) or not set(mode) & set("wx+"):
        return ""
    return f"other tasks may now see the file half-written: the `await` comes between `{source.code(node)}` and its end"


# ---- interrupts


def _interrupted(source: FixSource, above: cst.CSTNode, below: cst.CSTNode, node: cst.BaseExpression) -> str:
    if not isinstance(above, (cst.Try, cst.TryStar)) or below is not above.body:
        return ""
    for handler in above.handlers:
        kinds = handler.type.elements if isinstance(handler.type, cst.Tuple) else [handler.type]
        for kind in kinds:
            value = kind.value if isinstance(kind, cst.BaseElement) else kind
            if value is not None and source.resolve(value) == "builtins.KeyboardInterrupt":
                return (
                    "at an `await` an interrupt ends the event loop or cancels the task: `except KeyboardInterrupt` no longer"
                    " sees it"
                )
    return ""


def _waits(source: FixSource, parts: Iterable[cst.CSTNode], before: int | None = None, after: int = 0) -> bool:
    """Whether other tasks come in anyway; where asked, between two offsets."""
    for part in parts:
        home = source.enclosing_function(part)
        for each in source.nodes(part):
            if not isinstance(each, (cst.Await, cst.Asynchronous)) or isinstance(source.parent(each), cst.FunctionDef):
                continue
            if source.enclosing_function(each) is home and (before is None or after < source.offset(each)[0] < before):
                return True
    return False


_QUESTIONS: tuple[Callable[[FixSource, cst.CSTNode, cst.CSTNode, cst.BaseExpression], str], ...] = (
    _asked,
    _read_before,
    _there,
    _iterated,
    _written,
    _interrupted,
)
