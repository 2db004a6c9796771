"""What an expression is, as far as the file shows: text, a number, a literal dictionary, None, or who knows.

Requests and httpx treat None, booleans, bytes and text differently in the same argument, so a rewrite has to know.
"""

from __future__ import annotations

import enum

import libcst as cst

from asgiway_lint.fixes.httpx.names import handed_out, uses_of
from asgiway_lint.fixes.scopes import Bound
from asgiway_lint.fixes.source import FixSource

__all__ = ["Kind", "Values"]


class Kind(enum.Enum):
    """The type of a value."""

    TEXT = "str"
    BYTES = "bytes"
    NUMBER = "int or float"
    BOOL = "bool"
    NONE = "None"
    DICT = "dict"
    LIST = "list or tuple"
    UNKNOWN = "unknown"


_NAMES = {"str": Kind.TEXT, "bytes": Kind.BYTES, "int": Kind.NUMBER, "float": Kind.NUMBER, "bool": Kind.BOOL}
_CALLS = {
    "builtins.str": Kind.TEXT,
    "builtins.repr": Kind.TEXT,
    "builtins.bytes": Kind.BYTES,
    "builtins.int": Kind.NUMBER,
    "builtins.float": Kind.NUMBER,
    "builtins.len": Kind.NUMBER,
    "builtins.round": Kind.NUMBER,
    "builtins.bool": Kind.BOOL,
    "builtins.isinstance": Kind.BOOL,
    "time.time": Kind.NUMBER,
    "json.dumps": Kind.TEXT,
    "urllib.parse.urlencode": Kind.TEXT,
    "urllib.parse.quote": Kind.TEXT,
    "urllib.parse.quote_plus": Kind.TEXT,
    "urllib.parse.urljoin": Kind.TEXT,
}
# Methods that only text has, or that give the same type whatever has them.
_METHODS = {
    "join": Kind.TEXT,
    "format": Kind.TEXT,
    "strip": Kind.TEXT,
    "lstrip": Kind.TEXT,
    "rstrip": Kind.TEXT,
    "lower": Kind.TEXT,
    "upper": Kind.TEXT,
    "title": Kind.TEXT,
    "decode": Kind.TEXT,
    "hexdigest": Kind.TEXT,
    "isoformat": Kind.TEXT,
    "strftime": Kind.TEXT,
    "encode": Kind.BYTES,
    "timestamp": Kind.NUMBER,
    "total_seconds": Kind.NUMBER,
}

# What may be given a dictionary and leaves it as it is.
_READERS = frozenset(["json.dumps", "builtins.print", "builtins.len", "builtins.str", "urllib.parse.urlencode"])
_HTTP = frozenset(["get", "post", "put", "patch", "delete", "head", "options", "request"])
_LOGGING = frozenset(["debug", "info", "warning", "error", "exception", "critical", "log"])


class Values:
    """What the expressions of one file are.

    Args:
        source: the file.
    """

    def __init__(self, source: FixSource) -> None:
        self._source = source
        self._busy: set[int] = set()

    def kind(self, node: cst.BaseExpression) -> Kind:
        """Return the type of an expression; UNKNOWN unless it is certain."""
        if id(node) in self._busy:
            return Kind.UNKNOWN
        self._busy.add(id(node))
        try:
            return self._kind(node)
        finally:
            self._busy.discard(id(node))

    def literal(self, node: cst.BaseExpression) -> cst.BaseExpression:
        """Follow names that are bound once, by an assignment, to what they are bound to; the node itself if that ends nowhere."""
        seen = 0
        while isinstance(node, cst.Name) and seen < 10:
            bound = self._bound_once(node)
            if bound is None:
                break
            node, seen = bound, seen + 1
        return node

    def may_be_none(self, node: cst.BaseExpression) -> bool:
        """Whether an expression is, or looks like something that is often None (`d.get(k)`, `x or None`)."""
        node = self.literal(node)
        if isinstance(node, cst.Name):
            return node.value == "None" or self._bound_to_none(node)
        if isinstance(node, cst.Call):
            name = self._source.resolve(node.func)
            method = node.func.attr.value if isinstance(node.func, cst.Attribute) else ""
            return (name == "os.getenv" or method == "get") and len(node.args) == 1
        if isinstance(node, cst.IfExp):
            return self.may_be_none(node.body) or self.may_be_none(node.orelse)
        return isinstance(node, cst.BooleanOperation) and self.may_be_none(node.right)

    def entries(self, node: cst.BaseExpression) -> list[tuple[cst.BaseExpression, cst.BaseExpression]] | None:
        """Return keys and values of a dictionary that is written out; None if there may be others.

        A name counts when it is bound once, to such a dictionary, and nothing but `d[key] = value` can have changed it.
        """
        literal = self.literal(node)
        if not isinstance(literal, cst.Dict):
            return None
        found = [(item.key, item.value) for item in literal.elements if isinstance(item, cst.DictElement)]
        if len(found) < len(literal.elements):
            return None
        if isinstance(node, cst.Name):
            for use in uses_of(self._source, node.value, node):
                if use is node:
                    continue
                change = self._change(use)
                if change is None:
                    return None
                found += change
        return found

    def _change(self, use: cst.Name) -> list[tuple[cst.BaseExpression, cst.BaseExpression]] | None:
        """Return what a use of a dictionary's name adds to it; None if nobody can say."""
        above = self._source.parent(use)
        if isinstance(above, (cst.AssignTarget, cst.AnnAssign)) and above.target is use:
            return []
        if isinstance(above, cst.Subscript) and above.value is use:
            target = self._source.parent(above)
            if not isinstance(target, cst.AssignTarget):
                return [] if not isinstance(target, (cst.AugAssign, cst.Del)) else None
            assignment = self._source.parent(target)
            index = above.slice[0].slice
            if isinstance(assignment, cst.Assign) and isinstance(index, cst.Index):
                return [(index.value, assignment.value)]
            return None
        if isinstance(above, cst.Attribute) and above.attr.value in ("get", "items", "keys", "values", "copy"):
            return []
        if isinstance(above, cst.Arg):
            call = self._source.parent(above)
            if isinstance(call, cst.Call):
                name = self._source.resolve(call.func)
                method = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
                harmless = name.startswith("requests.") or name in _READERS or method in _HTTP or method in _LOGGING
                return [] if harmless else None
        return [] if isinstance(above, (cst.FormattedStringExpression, cst.ComparisonTarget, cst.Comparison)) else None

    def _kind(self, node: cst.BaseExpression) -> Kind:
        if isinstance(node, (cst.SimpleString, cst.FormattedString, cst.ConcatenatedString)):
            return Kind.BYTES if _is_bytes(node) else Kind.TEXT
        if isinstance(node, (cst.Integer, cst.Float)):
            return Kind.NUMBER
        if isinstance(node, (cst.Dict, cst.DictComp)):
            return Kind.DICT
        if isinstance(node, (cst.List, cst.Tuple, cst.ListComp)):
            return Kind.LIST
        if isinstance(node, cst.Comparison):
            return Kind.BOOL
        if isinstance(node, cst.UnaryOperation):
            return Kind.BOOL if isinstance(node.operator, cst.Not) else self._number(node.expression)
        if isinstance(node, cst.IfExp):
            return _same(self.kind(node.body), self.kind(node.orelse))
        if isinstance(node, cst.BooleanOperation):
            return _same(self.kind(node.left), self.kind(node.right))
        if isinstance(node, cst.BinaryOperation):
            return self._operation(node)
        if isinstance(node, cst.Subscript):
            return Kind.TEXT if self._source.resolve(node.value) == "os.environ" else Kind.UNKNOWN
        if isinstance(node, cst.Call):
            return self._call(node)
        return self._name(node) if isinstance(node, cst.Name) else Kind.UNKNOWN

    def _number(self, node: cst.BaseExpression) -> Kind:
        return Kind.NUMBER if self.kind(node) is Kind.NUMBER else Kind.UNKNOWN

    def _operation(self, node: cst.BinaryOperation) -> Kind:
        left, right = self.kind(node.left), self.kind(node.right)
        if isinstance(node.operator, cst.Modulo) and left is Kind.TEXT:
            return Kind.TEXT
        if isinstance(node.operator, cst.Add) and Kind.TEXT in (left, right):
            return Kind.TEXT  # text can be added to nothing else
        return left if left is right and left in (Kind.NUMBER, Kind.BYTES) else Kind.UNKNOWN

    def _call(self, node: cst.Call) -> Kind:
        known = _CALLS.get(self._source.resolve(node.func))
        if known is not None:
            return known
        if isinstance(node.func, cst.Attribute) and node.func.attr.value in _METHODS:
            if self.kind(node.func.value) is Kind.BYTES and node.func.attr.value not in ("decode", "hexdigest"):
                return Kind.BYTES
            return _METHODS[node.func.attr.value]
        return Kind.UNKNOWN

    def _name(self, node: cst.Name) -> Kind:
        if node.value in ("True", "False"):
            return Kind.BOOL
        if node.value == "None":
            return Kind.NONE
        found = self._source.scopes.lookup(node.value, node)
        if found is None:
            return Kind.UNKNOWN
        bounds = found[1]
        if handed_out(self._source, node.value):
            return Kind.UNKNOWN
        kinds = {self._bound_kind(bound) for bound in bounds}
        return kinds.pop() if len(kinds) == 1 else Kind.UNKNOWN

    def _bound_kind(self, bound: Bound) -> Kind:
        node = bound.node
        above = self._source.parent(node)
        if isinstance(above, cst.Param):
            return self._parameter(above)
        if isinstance(above, cst.AssignTarget):
            assignment = self._source.parent(above)
            assert isinstance(assignment, cst.Assign)
            return self.kind(assignment.value)
        if isinstance(above, (cst.AnnAssign, cst.NamedExpr)) and above.value is not None:
            return self.kind(above.value)
        if isinstance(above, (cst.For, cst.CompFor)) and isinstance(above.iter, cst.Call):
            ranged = self._source.resolve(above.iter.func) == "builtins.range"
            return Kind.NUMBER if ranged and above.target is node else Kind.UNKNOWN
        return Kind.UNKNOWN

    def _parameter(self, parameter: cst.Param) -> Kind:
        if parameter.annotation is None or parameter.star or _defaults_to_none(parameter):
            return Kind.UNKNOWN
        return self._annotated(parameter.annotation.annotation)

    def _annotated(self, node: cst.BaseExpression) -> Kind:
        if isinstance(node, cst.Name):
            return _NAMES.get(node.value, Kind.UNKNOWN)
        if isinstance(node, cst.Subscript):
            name = self._source.resolve(node.value)
            index = node.slice[0].slice
            if name.endswith(".Annotated") and isinstance(index, cst.Index):
                return self._annotated(index.value)
            if name in ("builtins.dict", "typing.Dict"):
                return Kind.DICT
        return Kind.UNKNOWN

    def dict_of_text(self, node: cst.Name) -> bool:
        """Whether a name is a parameter annotated `dict[str, str]`, or the like, so without None in it."""
        found = self._source.scopes.lookup(node.value, node)
        if found is None or len(found[1]) != 1:
            return False
        parameter = self._source.parent(found[1][0].node)
        if not isinstance(parameter, cst.Param) or parameter.annotation is None:
            return False
        text = self._source.code(parameter.annotation.annotation).replace(" ", "")
        return text.removeprefix("typing.") in ("dict[str,str]", "Dict[str,str]", "Mapping[str,str]")

    def _bound_to_none(self, node: cst.Name) -> bool:
        """Whether one of the bindings of a name is None, or a parameter that says so."""
        found = self._source.scopes.lookup(node.value, node)
        for bound in found[1] if found is not None else ():
            above = self._source.parent(bound.node)
            if isinstance(above, cst.Param):
                text = self._source.code(above.annotation.annotation) if above.annotation is not None else ""
                if "None" in text or "Optional" in text or _defaults_to_none(above):
                    return True
            statement = self._source.parent(above) if isinstance(above, cst.AssignTarget) else above
            if isinstance(statement, (cst.Assign, cst.AnnAssign)) and _is_none(statement.value):
                return True
        return False

    def _bound_once(self, node: cst.Name) -> cst.BaseExpression | None:
        found = self._source.scopes.lookup(node.value, node)
        if found is None or len(found[1]) != 1:
            return None
        (bound,) = found[1]
        if handed_out(self._source, node.value):
            return None
        above = self._source.parent(bound.node)
        if isinstance(above, cst.AssignTarget):
            assignment = self._source.parent(above)
            return assignment.value if isinstance(assignment, cst.Assign) else None
        return above.value if isinstance(above, cst.AnnAssign) else None


def _defaults_to_none(parameter: cst.Param) -> bool:
    """Whether a parameter may be None whatever its annotation says: `q: str = None`, `q: str = Query(None)`."""
    default = parameter.default
    if isinstance(default, cst.Call):
        if not default.args or (default.args[0].keyword is not None and default.args[0].keyword.value != "default"):
            return False
        default = default.args[0].value
    return _is_none(default)


def _is_none(node: cst.BaseExpression | None) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"


def _same(one: Kind, other: Kind) -> Kind:
    return one if one is other else Kind.UNKNOWN


def _is_bytes(node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.ConcatenatedString):
        return _is_bytes(node.left)
    return isinstance(node, cst.SimpleString) and "b" in node.prefix.lower()
