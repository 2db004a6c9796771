"""Expressions and annotations of an ``ast`` tree -> `Expr` tuples, calls and events.

Written for speed, as is `collector`: most of a cold run is spent in these two.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeGuard

from asgiway_lint.facts import model
from asgiway_lint.facts.builder import Builder, ScopeBuilder
from asgiway_lint.facts.model import (
    ANY,
    ARM_LOOP,
    ATTR,
    AWAIT,
    AWAITED,
    BINARY,
    CALL,
    CONST,
    ITEM,
    MAP,
    NAME,
    OTHER_EXPR,
    SCOPE,
    SEQ,
    STAR,
    AttributeBinding,
    Binding,
    Call,
    Expr,
    Param,
    Result,
    new_tuple,
)

__all__ = ["OPERATORS", "Expressions"]

_MARKS: Final = (ast.expr_context, ast.operator, ast.cmpop)
_TEXTS: Final = (str, bytes)
_NO_VALUE: Final[Expr] = (CONST, None)
_PLAIN: Final = frozenset({bool, int, float})
_DOTTED: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\Z")
# Expressions whose value may be an object of a class with methods of its own.
_OPEN: Final = frozenset({NAME, ATTR, CALL, ITEM})
OPERATORS: Final[Mapping[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.LShift: "<<",
    ast.MatMult: "@",
    ast.Mod: "%",
    ast.Mult: "*",
    ast.Pow: "**",
    ast.RShift: ">>",
    ast.Sub: "-",
}


class Expressions(Builder):
    """Collects expressions; `expr` is the door."""

    # Assigned here too, so a type checker wants to be told again.
    scope: ScopeBuilder
    seq: int

    def expr(self, node: ast.expr) -> Expr:
        """The record of an expression; its calls and events are collected on the way."""
        if type(node) is ast.Name:  # every other expression is one
            return self.names.get(node.id) or self.name(node.id)
        handler = _EXPRESSIONS.get(type(node))
        if handler is not None:
            return handler(self, node)
        self.children(node)
        return OTHER_EXPR

    def children(self, node: ast.AST) -> None:
        """Collect from what a node holds that has no record of its own."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expr(child)
            elif not isinstance(child, _MARKS):
                self.children(child)

    def target(self, target: ast.expr, kind: str, a: Expr | None, path: tuple[int, ...] = ()) -> None:
        """Bind an assignment target to the part of `a` at `path`."""
        if isinstance(target, ast.Name):
            self.bind(target.id, kind, a, path if kind != "other" else None)
        elif isinstance(target, ast.Tuple | ast.List):
            starred = False
            for position, element in enumerate(target.elts):
                if isinstance(element, ast.Starred):
                    starred = True
                    self.target(element.value, "other", None)
                elif starred:  # counted from the end: not followed
                    self.target(element, "other", None)
                else:
                    self.target(element, kind, a, (*path, position))
        elif isinstance(target, ast.Attribute):
            base = self.base(target.value)
            self.seq += 1
            binding = new_tuple(Binding, (self.seq, self.block, kind, a, path if kind != "other" else None))
            self.scope.attributes.append(new_tuple(AttributeBinding, (base, target.attr, binding)))
            if kind != "other":
                self.event("store", (ATTR, base, target.attr), target)
        elif isinstance(target, ast.Subscript):
            self.of_subscript(target, "set item" if kind != "other" else "del item")
        else:
            self.expr(target)

    def narrow(self, test: ast.expr, *, truth: bool = True) -> None:
        """Bind the names that a `test` proves to be instances of a class by being true (or false)."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            self.narrow(test.operand, truth=not truth)
        elif isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And if truth else ast.Or):
            for part in test.values:
                self.narrow(part, truth=truth)
        elif truth and _asks_for_type(test):
            name = test.args[0]
            assert isinstance(name, ast.Name)
            self.bind(name.id, "narrow", self.quiet(test.args[1]))

    def of_name(self, node: ast.Name) -> Expr:
        """``x``"""
        return self.name(node.id)

    def of_constant(self, node: ast.Constant) -> Expr:
        """A literal."""
        value = node.value
        if value is None:
            return _NO_VALUE
        kind = type(value)
        if isinstance(value, _TEXTS):
            return (CONST, value) if len(value) <= model.MAX_TEXT else OTHER_EXPR
        return (CONST, value) if kind in _PLAIN else OTHER_EXPR

    def of_attribute(self, node: ast.Attribute) -> Expr:
        """``a.b``, read."""
        expr = self.base(node)
        self.event("load", expr, node)
        return expr

    def base(self, node: ast.expr) -> Expr:
        """As `_expr`, but an attribute makes no event: it is a part of a longer one that makes it."""
        if type(node) is ast.Attribute:
            return self.attribute(self.base(node.value), node.attr)
        return self.expr(node)

    def of_subscript(self, node: ast.Subscript, kind: str = "item") -> Expr:
        """``a[b]``, read or, by the `kind` of its event, set or deleted."""
        base = self.expr(node.value)
        index = self.expr(node.slice)
        if self.scope.outer is not None and base[0] in _OPEN and type(node.slice) is not ast.Slice:
            self.event(kind, base, node)
        return (ITEM, base, index)

    def of_starred(self, node: ast.Starred) -> Expr:
        """``*a``"""
        value = self.expr(node.value)
        self.event("iter", value, node.value)
        return (STAR, value)

    def of_sequence(self, node: ast.Tuple | ast.List | ast.Set) -> Expr:
        """``(a, b)``, ``[a, b]``, ``{a, b}``"""
        kind = "tuple" if type(node) is ast.Tuple else "list" if type(node) is ast.List else "set"
        elements = tuple([self.expr(element) for element in node.elts])
        # Tables of data are of no use, and long.
        return (SEQ, kind, elements[:20])

    def of_dict(self, node: ast.Dict) -> Expr:
        """``{a: b}``"""
        keys: list[Expr | None] = []
        values: list[Expr] = []
        for key, value in zip(node.keys, node.values, strict=True):
            keys.append(self.expr(key) if key is not None else None)
            values.append(self.expr(value))
        return (MAP, tuple(keys[:20]), tuple(values[:20]))

    def of_bool(self, node: ast.BoolOp) -> Expr:
        """``a and b``, ``a or b``"""
        if any(map(_proves, node.values[:-1])):
            return self.of_proving_bool(node)
        values = [self.test(value) for value in node.values[:-1]]
        return (ANY, (*values, self.expr(node.values[-1])))

    def of_proving_bool(self, node: ast.BoolOp) -> Expr:
        """``isinstance(a, T) and b``: what stands behind it knows the type."""
        outer = self.block
        values: list[Expr] = []
        for value in node.values[:-1]:
            values.append(self.test(value))
            if _proves(value):
                self.open_block()
                self.narrow(value, truth=isinstance(node.op, ast.And))
        values.append(self.expr(node.values[-1]))
        self.close_block(outer)
        return (ANY, tuple(values))

    def of_if_expression(self, node: ast.IfExp) -> Expr:
        """``a if b else c``"""
        self.test(node.test)
        if not _proves(node.test):
            return (ANY, (self.expr(node.body), self.expr(node.orelse)))
        arms: list[Expr] = []
        for arm, truth in ((node.body, True), (node.orelse, False)):
            outer = self.open_block()
            self.narrow(node.test, truth=truth)
            arms.append(self.expr(arm))
            self.close_block(outer)
        return (ANY, tuple(arms))

    def of_binary(self, node: ast.BinOp) -> Expr:
        """``a / b``"""
        spine: list[ast.BinOp] = [node]
        left = node.left
        while isinstance(left, ast.BinOp):  # "a" + "b" + ... may be thousands deep
            spine.append(left)
            left = left.left
        result = self.expr(left)
        for operation in reversed(spine):
            right = self.expr(operation.right)
            result = self.operation(operation, OPERATORS[type(operation.op)], result, right)
        return result

    def operation(self, node: ast.BinOp | ast.AugAssign, operator: str, left: Expr, right: Expr) -> Expr:
        """``left operator right``; arithmetic with a constant is nearly always just that, and makes no event."""
        expr = (BINARY, operator, left, right)
        open_operands = (left[0] in _OPEN) + (right[0] in _OPEN)
        if self.scope.outer is not None and open_operands > (operator[0] in "+-*%"):
            self.event("operator", expr, node)
        return expr if operator in "/|" else OTHER_EXPR

    def of_compare(self, node: ast.Compare) -> Expr:
        """``a in b``, ``a < b``"""
        self.expr(node.left)
        for operator, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.expr(comparator)
            if isinstance(operator, ast.In | ast.NotIn) and right[0] in _OPEN and self.scope.outer is not None:
                self.event("contains", right, node)
        return OTHER_EXPR

    def test(self, node: ast.expr) -> Expr:
        """An expression that is asked whether it is true."""
        value = self.expr(node)
        if value[0] in _OPEN and self.scope.outer is not None:
            self.event("truth", value, node)
        return value

    def of_unary(self, node: ast.UnaryOp) -> Expr:
        """``-a``, ``not a``"""
        value = self.test(node.operand) if type(node.op) is ast.Not else self.expr(node.operand)
        if isinstance(node.op, ast.USub) and value[0] == CONST and isinstance(value[1], int | float):
            return (CONST, -value[1])
        return OTHER_EXPR

    def of_named(self, node: ast.NamedExpr) -> Expr:
        """``(a := b)``"""
        value = self.expr(node.value)
        return self.bind_named(node, value)

    def bind_named(self, node: ast.NamedExpr, value: Expr) -> Expr:
        """Bind the name of a walrus, in the function around comprehensions; for them, too, as they begin before it."""
        inner = self.scope
        while self.scope.kind in ("comp", "gen") and self.scope.outer is not None:
            self.bind(node.target.id, "value", value, ())
            self.scope = self.scope.outer
        self.bind(node.target.id, "value", value, ())
        self.scope = inner
        return value

    def of_await(self, node: ast.Await) -> Expr:
        """``await a``"""
        return (AWAIT, self.awaited(node.value))

    def awaited(self, node: ast.expr) -> Expr:
        """An expression whose value is awaited at once."""
        if isinstance(node, ast.Call):
            return self.of_call(node, AWAITED)
        if isinstance(node, ast.NamedExpr):
            return self.bind_named(node, self.awaited(node.value))
        if isinstance(node, ast.IfExp):
            self.test(node.test)
            return (ANY, (self.awaited(node.body), self.awaited(node.orelse)))
        if isinstance(node, ast.BoolOp):
            return (ANY, tuple([self.awaited(value) for value in node.values]))
        value = self.expr(node)
        self.event("await", value, node)
        return value

    def of_yield(self, node: ast.Yield) -> Expr:
        """``yield a``"""
        value = self.expr(node.value) if node.value is not None else _NO_VALUE
        self.mark_generator(value)
        return OTHER_EXPR

    def of_yield_from(self, node: ast.YieldFrom) -> Expr:
        """``yield from a``"""
        value = self.expr(node.value)
        self.event("iter", value, node.value)
        self.mark_generator((STAR, value))
        return OTHER_EXPR

    def mark_generator(self, value: Expr) -> None:
        """The current function yields `value`."""
        self.seq += 1
        self.scope.generator = True
        self.scope.yields.append(Result(value, self.seq, self.block))

    def of_call(self, node: ast.Call, flags: int = 0) -> Expr:
        """``a(b)``"""
        function = node.func
        if type(function) is ast.Attribute:
            callee = self.attribute(self.expr(function.value), function.attr)
        else:
            callee = self.expr(function)
        arguments = node.args
        if not arguments:
            args: tuple[Expr, ...] = ()
        elif callee[-1] == "cast" and isinstance(arguments[0], ast.Constant):
            args = (self.annotation(arguments[0]), *[self.expr(argument) for argument in arguments[1:]])
        else:
            args = tuple([self.expr(argument) for argument in arguments])
        given = node.keywords
        keywords = tuple([(keyword.arg, self.expr(keyword.value)) for keyword in given]) if given else ()
        self.seq = seq = self.seq + 1
        line, end_line = node.lineno, node.end_lineno or node.lineno
        column, end_column = node.col_offset + 1, (node.end_col_offset or 0) + 1
        if not self.trivial:
            column = self.columns.column(line, column - 1)
            end_column = self.columns.column(end_line, end_column - 1)
        calls = self.calls
        calls.append(
            new_tuple(
                Call,
                (
                    callee,
                    args,
                    keywords,
                    self.scope.index,
                    self.block,
                    seq,
                    flags,
                    line,
                    column,
                    end_line,
                    end_column,
                ),
            )
        )
        return (CALL, len(calls) - 1)

    def of_lambda(self, node: ast.Lambda) -> Expr:
        """``lambda a: b``"""
        params = self.parameters(node.args)
        outer = self.enter_scope("lambda", "", node)
        self.bind_parameters(params)
        value = self.expr(node.body)
        self.scope.results.append(new_tuple(Result, (value, self.seq, self.block)))
        return (SCOPE, self.leave_scope(outer))

    def parameters(self, args: ast.arguments) -> tuple[Param, ...]:
        """A parameter list; defaults are evaluated here."""
        params: list[Param] = []
        positional = [*args.posonlyargs, *args.args]
        missing = len(positional) - len(args.defaults)
        for position, arg in enumerate(positional):
            default = self.expr(args.defaults[position - missing]) if position >= missing else None
            params.append(self.parameter(arg, "pos", default))
        if args.vararg is not None:
            params.append(self.parameter(args.vararg, "*", None))
        for arg, value in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            params.append(self.parameter(arg, "kw", self.expr(value) if value is not None else None))
        if args.kwarg is not None:
            params.append(self.parameter(args.kwarg, "**", None))
        return tuple(params)

    def parameter(self, arg: ast.arg, kind: str, default: Expr | None) -> Param:
        """One parameter."""
        annotation = self.annotation(arg.annotation) if arg.annotation is not None else None
        param: Param = new_tuple(Param, (arg.arg, kind, annotation, default))
        return param

    def bind_parameters(self, params: tuple[Param, ...]) -> None:
        """Bind the parameters inside their function."""
        self.scope.params = params
        for position, param in enumerate(params):
            self.bind(param.name, "param", position)

    def of_comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> Expr:
        """``[a for b in c]`` and its like."""
        lazy = isinstance(node, ast.GeneratorExp)
        first = node.generators[0]
        iterated = self.awaited(first.iter) if first.is_async else self.expr(first.iter)
        element = node.key if isinstance(node, ast.DictComp) else node.elt
        outer = self.enter_scope("gen" if lazy else "comp", "", element)
        self.open_block(0, ARM_LOOP)
        for generator in node.generators:
            if generator is not first:
                iterated = self.awaited(generator.iter) if generator.is_async else self.expr(generator.iter)
            kind = "aiter" if generator.is_async else "iter"
            self.scope.generator |= bool(generator.is_async)
            self.event(kind, iterated, generator.iter)
            self.target(generator.target, kind, iterated)
            for condition in generator.ifs:
                self.test(condition)
                self.narrow(condition)
        key = value = self.expr(element)
        if isinstance(node, ast.DictComp):
            value = self.expr(node.value)
        self.seq += 1
        self.scope.results.append(new_tuple(Result, (value, self.seq, self.block)))
        if isinstance(node, ast.DictComp):
            self.scope.results.append(new_tuple(Result, (key, self.seq, self.block)))
        return (SCOPE, self.leave_scope(outer))

    def annotation(self, node: ast.expr) -> Expr:
        """An annotation: strings in it are annotations, too."""
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                return self.text_annotation(node.value)
            return self.of_constant(node)
        if isinstance(node, ast.Subscript):
            base = self.quiet(node.value)
            name = base[-1]
            if name == "Literal":
                return OTHER_EXPR
            if isinstance(node.slice, ast.Tuple):
                elements = node.slice.elts
                if name == "Annotated":
                    items = [self.annotation(elements[0]), *[self.expr(element) for element in elements[1:]]]
                else:
                    items = [self.annotation(element) for element in elements]
                return (ITEM, base, (SEQ, "tuple", tuple(items)))
            return (ITEM, base, self.annotation(node.slice))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return (BINARY, "|", self.annotation(node.left), self.annotation(node.right))
        return self.quiet(node)

    def quiet(self, node: ast.expr) -> Expr:
        """A name or dotted name without events; anything else as `_expr`."""
        return self.base(node)

    def text_annotation(self, text: str) -> Expr:
        """An annotation that was written as a string."""
        if _DOTTED.match(text):
            first, *rest = text.split(".")
            expr = self.name(first)
            for part in rest:
                expr = self.attribute(expr, part)
            return expr if text != "None" else _NO_VALUE
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return OTHER_EXPR
        if any(isinstance(node, ast.Call | ast.Lambda | ast.comprehension | ast.NamedExpr) for node in ast.walk(tree)):
            return OTHER_EXPR  # it would make calls with places that are none of this file's
        return self.annotation(tree.body)


def _proves(test: ast.expr) -> bool:
    """Whether a condition may prove what class a name is an instance of."""
    if type(test) is ast.UnaryOp:
        test = test.operand
    if type(test) is ast.BoolOp:
        return any(map(_proves, test.values))
    return _asks_for_type(test)


def _asks_for_type(test: ast.expr) -> TypeGuard[ast.Call]:
    """``isinstance(name, T)``"""
    return (
        type(test) is ast.Call
        and type(test.func) is ast.Name
        and test.func.id == "isinstance"
        and len(test.args) == 2
        and type(test.args[0]) is ast.Name
    )


# By node type; outside the class, as a table of bound methods would make each collector a cycle of garbage.
_EXPRESSIONS: Final[Mapping[type[ast.AST], Callable[[Expressions, Any], Expr]]] = {
    ast.Attribute: Expressions.of_attribute,
    ast.Await: Expressions.of_await,
    ast.BinOp: Expressions.of_binary,
    ast.BoolOp: Expressions.of_bool,
    ast.Call: Expressions.of_call,
    ast.Compare: Expressions.of_compare,
    ast.Constant: Expressions.of_constant,
    ast.Dict: Expressions.of_dict,
    ast.DictComp: Expressions.of_comprehension,
    ast.GeneratorExp: Expressions.of_comprehension,
    ast.IfExp: Expressions.of_if_expression,
    ast.Lambda: Expressions.of_lambda,
    ast.List: Expressions.of_sequence,
    ast.ListComp: Expressions.of_comprehension,
    ast.Name: Expressions.of_name,
    ast.NamedExpr: Expressions.of_named,
    ast.Set: Expressions.of_sequence,
    ast.SetComp: Expressions.of_comprehension,
    ast.Starred: Expressions.of_starred,
    ast.Subscript: Expressions.of_subscript,
    ast.Tuple: Expressions.of_sequence,
    ast.UnaryOp: Expressions.of_unary,
    ast.Yield: Expressions.of_yield,
    ast.YieldFrom: Expressions.of_yield_from,
}
