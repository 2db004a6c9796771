"""Are the arguments and the receiver of a call such that another thread may have them?

A string is. A lambda is code that would run in the thread; an open file may be somebody else's; a session that the coroutine has made
and shows to nobody is its own.
"""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from asgiway_lint.catalogue import load
from asgiway_lint.fixes.scopes import Table
from asgiway_lint.fixes.source import FixSource
from asgiway_lint.fixes.threads import Function

__all__ = ["owned", "unplain"]


def unplain(source: FixSource, call: cst.Call, function: Function | None = None) -> str:
    """Return why the arguments of a call are not plain; empty if they are.

    Args:
        source: the file.
        call: the call.
        function: what is known of the function; None: nothing.
    """
    for argument in call.args:
        keyword = argument.keyword.value if argument.keyword is not None else ""
        if function is not None and argument.star == "**" and (hidden := _hidden(argument.value, function)):
            return function.because.replace("{keyword}", hidden)
        if function is not None and keyword in function.unless:
            if not (function.constants and _constant(source, argument.value)):
                return function.because.replace("{keyword}", keyword)
        elif reason := _unplain(source, argument.value):
            return reason
    return ""


def _hidden(node: cst.BaseExpression, function: Function) -> str:
    """What `**options` may hand over that is not safe; of a dict that is written out, its key."""
    if not function.unless:
        return ""
    if not isinstance(node, cst.Dict):
        return f"**{node.value}" if isinstance(node, cst.Name) else "**"
    for element in node.elements:
        key = element.key if isinstance(element, cst.DictElement) else None
        name = key.evaluated_value if isinstance(key, cst.SimpleString) else None
        if not isinstance(name, str):
            return "**"
        if name in function.unless:
            return name
    return ""


def _constant(source: FixSource, node: cst.BaseExpression) -> bool:
    if isinstance(node, (cst.BaseString, cst.BaseNumber)):
        return True
    if isinstance(node, cst.Tuple):  # credentials
        return all(not _unplain(source, element.value) for element in node.elements)
    name = node.value if isinstance(node, cst.Name) else node.attr.value if isinstance(node, cst.Attribute) else ""
    return name in ("True", "False", "None") or (name.isupper() and bool(source.resolve(node)))


def _unplain(source: FixSource, node: cst.BaseExpression) -> str:
    for each in source.nodes(node):
        if isinstance(each, (cst.Lambda, cst.GeneratorExp)):
            kind = "lambda" if isinstance(each, cst.Lambda) else "generator"
            return f"the {kind} in its arguments would run in the thread, too"
    if isinstance(node, cst.Name):
        return _unplain_name(source, node)
    if isinstance(node, cst.Call) and _stateful(source, node):
        return f"`{source.code(node)}` would be used in the thread"
    return ""


def _unplain_name(source: FixSource, name: cst.Name) -> str:
    found = source.scopes.lookup(name.value, name)
    if found is None:
        return ""
    for bound in found[1]:
        if isinstance(bound.node, cst.FunctionDef):
            return f"`{name.value}` is a function that would run in the thread, too"
        value = value_of(source, bound.node)
        if isinstance(value, cst.Call) and _stateful(source, value):
            return f"`{name.value}` would be used in the thread while others may use it, too"
    return ""


def _stateful(source: FixSource, call: cst.Call) -> bool:
    """Whether a call makes an object that libraries' methods block on: a file, a client, a connection."""
    dotted = _made_by(source, call)
    made = load().result_type(dotted) if dotted else None
    return made is not None and not made.startswith("pathlib.")


def _made_by(source: FixSource, node: cst.BaseExpression) -> str:
    """The qualified name of what makes an object, also in a thread: of `await asyncio.to_thread(open, path)` it is `builtins.open`."""
    if isinstance(node, cst.Await):
        inner = node.expression
        if isinstance(inner, cst.Call) and inner.args:
            wrapper = load().wrapper(source.resolve(inner.func) or "-")
            if wrapper is not None and wrapper.kind == "call" and len(inner.args) > wrapper.position:
                return source.resolve(inner.args[wrapper.position].value)
        return ""
    return source.resolve(node.func) if isinstance(node, cst.Call) else ""


def value_of(source: FixSource, name: cst.CSTNode) -> cst.BaseExpression | None:
    """Return the expression that a `Name` in an assignment, a `with` or a walrus gets; None if it is bound in another way."""
    above = source.parent(name)
    if isinstance(above, cst.AssignTarget):
        above = source.parent(above)
        return above.value if isinstance(above, cst.Assign) and len(above.targets) == 1 else None
    if isinstance(above, (cst.AnnAssign, cst.NamedExpr)):
        return above.value
    if isinstance(above, cst.AsName):
        item = source.parent(above)
        return item.item if isinstance(item, cst.WithItem) else None
    return None


def owned(source: FixSource, receiver: cst.BaseExpression) -> bool:
    """Whether a coroutine has made an object itself and only uses its attributes, so that nobody else has it."""
    if not isinstance(receiver, cst.Name):
        return isinstance(receiver, cst.Call) and bool(load().result_type(_made_by(source, receiver)))
    found = source.scopes.lookup(receiver.value, receiver)
    if found is None or not isinstance(found[0].node, cst.FunctionDef):
        return False
    table, bounds = found
    if not all(_makes(source, bound.node) for bound in bounds):
        return False
    bindings = {id(bound.node) for bound in bounds}
    return all(id(use) in bindings or _harmless(source, use, table) for use in _uses(source, receiver.value, table))


def _makes(source: FixSource, name: cst.CSTNode) -> bool:
    value = value_of(source, name)
    dotted = _made_by(source, value) if value is not None else ""
    return bool(dotted) and load().result_type(dotted) is not None


def _uses(source: FixSource, name: str, table: Table) -> Iterable[cst.Name]:
    return (each for each in source.find(cst.Name, table.node) if each.value == name and _is_use(source, each))


def _is_use(source: FixSource, name: cst.Name) -> bool:
    """Not the name of an attribute or a keyword."""
    above = source.parent(name)
    if isinstance(above, cst.Attribute):
        return above.value is name
    return not (isinstance(above, cst.Arg) and above.keyword is name)


def _harmless(source: FixSource, use: cst.Name, table: Table) -> bool:
    if source.scopes.of(use) is not table and not _comprehension(source.scopes.of(use), table):
        return False
    above = source.parent(use)
    return isinstance(above, (cst.Attribute, cst.WithItem))


def _comprehension(inner: Table, table: Table) -> bool:
    """Whether a scope is a comprehension that runs in place, in the table's function."""
    current: Table | None = inner
    while current is not None and current is not table:
        if not isinstance(current.node, (cst.ListComp, cst.SetComp, cst.DictComp)):
            return False
        current = current.parent
    return current is table
