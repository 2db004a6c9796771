"""SQL that `psycopg2.sql` composes, as far as it can be read off: `sql.SQL("... {} ...").format(sql.Identifier(name))`.

psycopg's module has the same classes. Whatever name comes in, it is one quoted identifier, so the text around it can be checked.
"""

from __future__ import annotations

import string
from dataclasses import dataclass

import libcst as cst

from asgiway_lint.fixes.psycopg.literals import literal_of
from asgiway_lint.fixes.source import FixSource

__all__ = ["Composed", "composed_of"]


@dataclass(frozen=True, slots=True)
class Composed:
    """A composition.

    Args:
        text: its SQL, with `"x"` for each identifier.
        classes: the expressions that name `SQL` and `Identifier`.
    """

    text: str
    classes: tuple[cst.BaseExpression, ...]


def composed_of(source: FixSource, node: cst.BaseExpression) -> Composed | None:
    """Return what an expression composes, or the only value of its name; None if that cannot be read off."""
    if isinstance(node, cst.Name):
        value = _only_value(source, node)
        return None if value is None else composed_of(source, value)
    if not isinstance(node, cst.Call):
        return None
    if not (isinstance(node.func, cst.Attribute) and node.func.attr.value == "format"):
        return _template(source, node, braces=False)
    template = _template(source, node.func.value, braces=True)
    if template is None:
        return None
    classes: list[cst.BaseExpression] = []
    for arg in node.args:
        value = arg.value
        if arg.star or not isinstance(value, cst.Call) or source.resolve(value.func) != "psycopg2.sql.Identifier":
            return None
        classes.append(value.func)
    return Composed(template.text, (*template.classes, *classes))


def _template(source: FixSource, node: cst.BaseExpression, *, braces: bool) -> Composed | None:
    """`sql.SQL("...")`"""
    if not isinstance(node, cst.Call) or source.resolve(node.func) != "psycopg2.sql.SQL" or len(node.args) != 1:
        return None
    literal = literal_of(source, node.args[0].value)
    if literal is None:
        return None
    text = literal.text
    if braces:
        try:
            pieces = list(string.Formatter().parse(text))
        except ValueError:
            return None
        text = "".join(before + ('"x"' if name is not None else "") for before, name, _, _ in pieces)
    return Composed(text, (node.func,))


def _only_value(source: FixSource, name: cst.Name) -> cst.BaseExpression | None:
    """What a local name is assigned, once, if it is only ever executed."""
    found = source.scopes.lookup(name.value, name)
    if found is None or len(found[1]) != 1 or not isinstance(found[0].node, cst.FunctionDef):
        return None
    above = source.parent(found[1][0].node)
    home = source.parent(above) if isinstance(above, cst.AssignTarget) else None
    if not isinstance(home, cst.Assign) or len(home.targets) != 1 or isinstance(home.value, cst.Name):
        return None
    for node in source.find(cst.Name, found[0].node):
        if node.value != name.value or node is found[1][0].node:
            continue
        arg = source.parent(node)
        call = source.parent(arg) if isinstance(arg, cst.Arg) else None
        executed = isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute)
        if not executed or not isinstance(call, cst.Call) or call.args[0] is not arg or not _executes(call):
            return None
    return home.value


def _executes(call: cst.Call) -> bool:
    return isinstance(call.func, cst.Attribute) and call.func.attr.value in ("execute", "executemany")
