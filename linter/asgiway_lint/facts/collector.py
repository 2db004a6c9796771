"""One walk over an ``ast`` tree that collects the `Facts` of a module.

Written for speed (a third of a cold run is spent here): dispatch by node type through a table, no `ast.NodeVisitor`, no second
pass. It knows the language and nothing else: no library, no rule.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from asgiway_lint.facts import model
from asgiway_lint.facts.model import (
    ANY,
    ARM_ENDS,
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
    Block,
    Call,
    Event,
    Expr,
    Facts,
    Param,
    Result,
    Scope,
)
from asgiway_lint.facts.text import Columns
from asgiway_lint.suppress import Directive

__all__ = ["TypeAliasStatement", "collect"]

_DOTTED: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\Z")
_OPERATORS: Final[Mapping[type[ast.operator], str]] = {
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
_FUNCTIONS: Final = ("def", "async", "lambda")


class TypeAliasStatement(ast.stmt):
    """``type name = value`` for interpreters whose ``ast`` has no such node."""

    _fields = ("name", "value")


def collect(tree: ast.Module, columns: Columns, directives: tuple[Directive, ...]) -> Facts:
    """The facts of a module.

    Args:
        tree: its tree, from `ast.parse` or from `lowering.lower`.
        columns: turns the tree's offsets into columns.
        directives: its suppression comments.

    Raises:
        RecursionError: the code is nested deeper than the interpreter's recursion limit allows.
    """
    collector = _Collector(columns)
    collector.run(tree)
    return Facts(
        tuple([scope.finish() for scope in collector.scopes]),
        tuple([Block(*block) for block in collector.blocks]),
        tuple(collector.calls),
        tuple(collector.events),
        directives,
    )


class _Scope:
    """A scope that is still being filled; `finish` makes the record."""

    __slots__ = (
        "annotation", "attributes", "bases", "bindings", "block", "body", "column", "decorators", "elsewhere", "generator",
        "index", "keywords", "kind", "line", "name", "outer", "params", "qualname", "results", "seq", "stars", "yields",
    )  # fmt: skip

    def __init__(
        self,
        index: int,
        kind: str,
        name: str,
        outer: _Scope | None,
        seq: int,
        block: int,
        body: int,
        line: int,
        column: int,
    ) -> None:
        self.index = index
        self.kind = kind
        self.name = name
        self.outer = outer
        prefix = outer.qualname if outer is not None else ""
        self.qualname = f"{prefix}.{name}" if prefix and name else prefix or name
        self.seq = seq
        self.block = block
        self.body = body
        self.line = line
        self.column = column
        self.decorators: tuple[Expr, ...] = ()
        self.params: tuple[Param, ...] = ()
        self.annotation: Expr | None = None
        self.bases: tuple[Expr, ...] = ()
        self.keywords: tuple[tuple[str | None, Expr], ...] = ()
        self.generator = False
        self.bindings: dict[str, list[Binding]] = {}
        self.attributes: list[AttributeBinding] = []
        self.results: list[Result] = []
        self.yields: list[Result] = []
        self.stars: list[tuple[int, int, str, int]] = []
        self.elsewhere: dict[str, _Scope] = {}  # names declared global or nonlocal, and the scope that holds them

    def finish(self) -> Scope:
        return Scope(
            self.kind,
            self.name,
            self.qualname,
            self.outer.index if self.outer is not None else -1,
            self.seq,
            self.block,
            self.line,
            self.column,
            self.decorators,
            self.params,
            self.annotation,
            self.bases,
            self.keywords,
            self.generator,
            {name: tuple(found) for name, found in self.bindings.items()},
            tuple(self.attributes),
            tuple(self.results),
            tuple(self.yields),
            tuple(self.stars),
            self.body,
        )


class _Collector:
    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.scopes: list[_Scope] = []
        self.blocks: list[list[int]] = [[-1, 0, 0]]
        self.calls: list[Call] = []
        self.events: list[Event] = []
        self.block = 0
        self.seq = 0
        self.groups = 0
        self.scope = _Scope(0, "module", "", None, 0, 0, 0, 1, 1)
        self.scopes.append(self.scope)
        self._interned: dict[Expr, Expr] = {}

    # ---- scopes, blocks, bindings

    def run(self, tree: ast.Module) -> None:
        self._body(tree.body)

    def _body(self, statements: Sequence[ast.stmt]) -> bool:
        """Walk statements; True if control never reaches their end."""
        ends = False
        handlers = _STATEMENTS
        for statement in statements:
            handler = handlers.get(type(statement))
            if handler is not None:
                if handler(self, statement):
                    ends = True
            else:  # pass, break, continue: no expressions; assert and newer statements: walk what they hold
                self._children(statement)
        return ends

    def _arm(self, statements: Sequence[ast.stmt], group: int = 0, flags: int = 0) -> bool:
        """Walk statements in a block of their own."""
        outer = self._open(group, flags)
        return self._close(outer, self._body(statements))

    def _open(self, group: int = 0, flags: int = 0) -> int:
        outer = self.block
        self.block = len(self.blocks)
        self.blocks.append([outer, group, flags])
        return outer

    def _close(self, outer: int, ends: bool = False) -> bool:
        if ends:
            self.blocks[self.block][2] |= ARM_ENDS
        self.block = outer
        return ends

    def _enter_scope(self, kind: str, name: str, node: ast.expr | ast.stmt) -> tuple[_Scope, int]:
        outer_scope, outer_block = self.scope, self.block
        self.seq += 1
        self._open()
        scope = _Scope(
            len(self.scopes),
            kind,
            name,
            outer_scope,
            self.seq,
            outer_block,
            self.block,
            node.lineno,
            self.columns.column(node.lineno, node.col_offset),
        )
        self.scopes.append(scope)
        self.scope = scope
        return outer_scope, outer_block

    def _leave_scope(self, outer: tuple[_Scope, int]) -> int:
        index = self.scope.index
        self.scope, self.block = outer
        return index

    def _bind(self, name: str, kind: str, a: object, b: object = None) -> None:
        self.seq += 1
        scope = self.scope.elsewhere.get(name, self.scope) if self.scope.elsewhere else self.scope
        scope.bindings.setdefault(name, []).append(Binding(self.seq, self.block, kind, a, b))

    def _target(self, target: ast.expr, kind: str, a: Expr | None, path: tuple[int, ...] = ()) -> None:
        if isinstance(target, ast.Name):
            self._bind(target.id, kind, a, path if kind != "other" else None)
        elif isinstance(target, ast.Tuple | ast.List):
            starred = False
            for position, element in enumerate(target.elts):
                if isinstance(element, ast.Starred):
                    starred = True
                    self._target(element.value, "other", None)
                elif starred:  # counted from the end: not followed
                    self._target(element, "other", None)
                else:
                    self._target(element, kind, a, (*path, position))
        elif isinstance(target, ast.Attribute):
            base = self._base(target.value)
            self.seq += 1
            binding = Binding(self.seq, self.block, kind, a, path if kind != "other" else None)
            self.scope.attributes.append(AttributeBinding(base, target.attr, binding))
        else:
            self._expr(target)

    def _event(self, kind: str, expr: Expr, node: ast.expr) -> None:
        self.seq += 1
        column = self.columns.column
        end_line = node.end_lineno or node.lineno
        self.events.append(
            Event(
                kind,
                expr,
                self.scope.index,
                self.block,
                self.seq,
                node.lineno,
                column(node.lineno, node.col_offset),
                end_line,
                column(end_line, node.end_col_offset or node.col_offset),
            )
        )

    # ---- statements

    def _expression(self, node: ast.Expr) -> bool:
        self._expr(node.value)
        return False

    def _assign(self, node: ast.Assign) -> bool:
        value = self._expr(node.value)
        for target in node.targets:
            self._target(target, "value", value)
        return False

    def _ann_assign(self, node: ast.AnnAssign) -> bool:
        annotation = self._annotation(node.annotation)
        value = self._expr(node.value) if node.value is not None else None
        if isinstance(node.target, ast.Name):
            self._bind(node.target.id, "ann", annotation, value)
        elif isinstance(node.target, ast.Attribute):
            base = self._base(node.target.value)
            self.seq += 1
            binding = Binding(self.seq, self.block, "ann", annotation, value)
            self.scope.attributes.append(AttributeBinding(base, node.target.attr, binding))
        else:
            self._expr(node.target)
        return False

    def _aug_assign(self, node: ast.AugAssign) -> bool:
        left = self._expr(node.target)
        right = self._expr(node.value)
        self._target(node.target, "value", (BINARY, _OPERATORS[type(node.op)], left, right))
        return False

    def _type_alias(self, node: Any) -> bool:
        self._bind(node.name.id, "value", self._annotation(node.value), ())
        return False

    def _delete(self, node: ast.Delete) -> bool:
        for target in node.targets:
            self._target(target, "other", None)
        return False

    def _return(self, node: ast.Return) -> bool:
        value = self._expr(node.value) if node.value is not None else (CONST, None)
        self.seq += 1
        self.scope.results.append(Result(value, self.seq, self.block))
        return True

    def _raise(self, node: ast.Raise) -> bool:
        if node.exc is not None:
            self._expr(node.exc)
        if node.cause is not None:
            self._expr(node.cause)
        return True

    def _global(self, node: ast.Global) -> bool:
        for name in node.names:
            self.scope.elsewhere[name] = self.scopes[0]
        return False

    def _nonlocal(self, node: ast.Nonlocal) -> bool:
        for name in node.names:
            outer = self.scope.outer
            while outer is not None and (outer.kind not in _FUNCTIONS or name not in outer.bindings):
                outer = outer.outer
            if outer is not None:
                self.scope.elsewhere[name] = outer
        return False

    def _import(self, node: ast.Import) -> bool:
        for alias in node.names:
            if alias.asname is not None:
                self._bind(alias.asname, "import", alias.name, True)
            else:
                self._bind(alias.name.partition(".")[0], "import", alias.name, False)
        return False

    def _import_from(self, node: ast.ImportFrom) -> bool:
        module = node.module or ""
        for alias in node.names:
            if alias.name == "*":
                self.seq += 1
                self.scope.stars.append((self.seq, self.block, module, node.level))
            else:
                self._bind(alias.asname or alias.name, "from", (module, alias.name), node.level)
        return False

    def _if(self, node: ast.If) -> bool:
        self._expr(node.test)
        self.groups += 1
        group = self.groups
        outer = self._open(group)
        self._narrow(node.test)
        ends = self._close(outer, self._body(node.body))
        if isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not):
            if ends:
                self._narrow(node.test.operand)
        if not node.orelse:
            return False
        return self._arm(node.orelse, group) and ends

    def _narrow(self, test: ast.expr) -> None:
        """Bind the names that a true `test` proves to be instances of a class."""
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
            for part in test.values:
                self._narrow(part)
        elif (
            isinstance(test, ast.Call)
            and isinstance(test.func, ast.Name)
            and test.func.id == "isinstance"
            and len(test.args) == 2
            and isinstance(test.args[0], ast.Name)
        ):
            self._bind(test.args[0].id, "narrow", self._quiet(test.args[1]))

    def _for(self, node: ast.For) -> bool:
        return self._loop(node, "iter", self._expr(node.iter))

    def _async_for(self, node: ast.AsyncFor) -> bool:
        return self._loop(node, "aiter", self._awaited(node.iter))

    def _loop(self, node: ast.For | ast.AsyncFor, kind: str, iterated: Expr) -> bool:
        self._event(kind, iterated, node.iter)
        outer = self._open(0, ARM_LOOP)
        self._target(node.target, kind, iterated)
        self._body(node.body)
        self._close(outer)
        if node.orelse:
            self._arm(node.orelse)
        return False

    def _while(self, node: ast.While) -> bool:
        outer = self._open(0, ARM_LOOP)
        self._expr(node.test)
        self._narrow(node.test)
        self._body(node.body)
        self._close(outer)
        if node.orelse:
            self._arm(node.orelse)
        return False

    def _with(self, node: ast.With) -> bool:
        for item in node.items:
            context = self._expr(item.context_expr)
            self._event("enter", context, item.context_expr)
            if item.optional_vars is not None:
                self._target(item.optional_vars, "enter", context)
        return self._body(node.body)

    def _async_with(self, node: ast.AsyncWith) -> bool:
        for item in node.items:
            context = self._awaited(item.context_expr)
            self._event("aenter", context, item.context_expr)
            if item.optional_vars is not None:
                self._target(item.optional_vars, "aenter", context)
        return self._body(node.body)

    def _try(self, node: ast.Try | ast.TryStar) -> bool:
        # What the body binds may not be bound when a handler or the rest runs, so it is an arm; but if no handler lets
        # control go on, everything after runs behind the whole body.
        ends = self._arm(node.body)
        handlers_end = True
        for handler in node.handlers:
            if handler.type is not None:
                self._expr(handler.type)
            outer = self._open()
            if handler.name is not None:
                self._bind(handler.name, "other", None)
            handlers_end &= self._close(outer, self._body(handler.body))
        if node.orelse:
            ends = self._arm(node.orelse) or ends
        return self._body(node.finalbody) or (ends and handlers_end)

    def _match(self, node: ast.Match) -> bool:
        self._expr(node.subject)
        self.groups += 1
        group = self.groups
        for case in node.cases:
            outer = self._open(group)
            self._pattern(case.pattern)
            if case.guard is not None:
                self._expr(case.guard)
            self._close(outer, self._body(case.body))
        return False

    def _pattern(self, pattern: ast.pattern) -> None:
        names: list[str] = []
        for node in ast.walk(pattern):
            if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name is not None:
                names.append(node.name)
            elif isinstance(node, ast.MatchMapping) and node.rest is not None:
                names.append(node.rest)
        for name in sorted(names):
            self._bind(name, "other", None)

    # ---- functions and classes

    def _function(self, node: ast.FunctionDef) -> bool:
        return self._define(node, "def")

    def _async_function(self, node: ast.AsyncFunctionDef) -> bool:
        return self._define(node, "async")

    def _define(self, node: ast.FunctionDef | ast.AsyncFunctionDef, kind: str) -> bool:
        decorators = tuple([self._expr(decorator) for decorator in node.decorator_list])
        params = self._params(node.args)
        annotation = self._annotation(node.returns) if node.returns is not None else None
        self._bind(node.name, "def", len(self.scopes))
        outer = self._enter_scope(kind, node.name, node)
        self.scope.decorators = decorators
        self.scope.annotation = annotation
        self._bind_params(params)
        self._body(node.body)
        self._leave_scope(outer)
        return False

    def _params(self, args: ast.arguments) -> tuple[Param, ...]:
        params: list[Param] = []
        positional = [*args.posonlyargs, *args.args]
        missing = len(positional) - len(args.defaults)
        for position, arg in enumerate(positional):
            default = self._expr(args.defaults[position - missing]) if position >= missing else None
            params.append(self._param(arg, "pos", default))
        if args.vararg is not None:
            params.append(self._param(args.vararg, "*", None))
        for arg, value in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            params.append(self._param(arg, "kw", self._expr(value) if value is not None else None))
        if args.kwarg is not None:
            params.append(self._param(args.kwarg, "**", None))
        return tuple(params)

    def _param(self, arg: ast.arg, kind: str, default: Expr | None) -> Param:
        return Param(arg.arg, kind, self._annotation(arg.annotation) if arg.annotation is not None else None, default)

    def _bind_params(self, params: tuple[Param, ...]) -> None:
        self.scope.params = params
        for position, param in enumerate(params):
            self._bind(param.name, "param", position)

    def _lambda(self, node: ast.Lambda) -> Expr:
        params = self._params(node.args)
        outer = self._enter_scope("lambda", "", node)
        self._bind_params(params)
        value = self._expr(node.body)
        self.scope.results.append(Result(value, self.seq, self.block))
        return (SCOPE, self._leave_scope(outer))

    def _class(self, node: ast.ClassDef) -> bool:
        decorators = tuple([self._expr(decorator) for decorator in node.decorator_list])
        bases = tuple([self._expr(base) for base in node.bases])
        keywords = tuple([(keyword.arg, self._expr(keyword.value)) for keyword in node.keywords])
        self._bind(node.name, "class", len(self.scopes))
        outer = self._enter_scope("class", node.name, node)
        self.scope.decorators = decorators
        self.scope.bases = bases
        self.scope.keywords = keywords
        self._body(node.body)
        self._leave_scope(outer)
        return False

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> Expr:
        lazy = isinstance(node, ast.GeneratorExp)
        first = node.generators[0]
        iterated = self._awaited(first.iter) if first.is_async else self._expr(first.iter)
        element = node.key if isinstance(node, ast.DictComp) else node.elt
        outer = self._enter_scope("gen" if lazy else "comp", "", element)
        self._open(0, ARM_LOOP)
        for generator in node.generators:
            if generator is not first:
                iterated = self._awaited(generator.iter) if generator.is_async else self._expr(generator.iter)
            kind = "aiter" if generator.is_async else "iter"
            self.scope.generator |= bool(generator.is_async)
            self._event(kind, iterated, generator.iter)
            self._target(generator.target, kind, iterated)
            for condition in generator.ifs:
                self._expr(condition)
                self._narrow(condition)
        value = self._expr(element)
        if isinstance(node, ast.DictComp):
            value = self._expr(node.value)
        self.seq += 1
        self.scope.results.append(Result(value, self.seq, self.block))
        return (SCOPE, self._leave_scope(outer))

    # ---- expressions

    def _expr(self, node: ast.expr) -> Expr:
        handler = _EXPRESSIONS.get(type(node))
        if handler is not None:
            return handler(self, node)
        self._children(node)
        return OTHER_EXPR

    def _children(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._expr(child)
            elif not isinstance(child, ast.expr_context | ast.operator | ast.cmpop):
                self._children(child)

    def _intern(self, expr: Expr) -> Expr:
        return self._interned.setdefault(expr, expr)

    def _name(self, node: ast.Name) -> Expr:
        return self._intern((NAME, node.id))

    def _constant(self, node: ast.Constant) -> Expr:
        value = node.value
        if isinstance(value, str | bytes):
            return (CONST, value) if len(value) <= model.MAX_TEXT else OTHER_EXPR
        if value is None or isinstance(value, bool | int | float):
            return (CONST, value)
        return OTHER_EXPR

    def _attribute(self, node: ast.Attribute) -> Expr:
        expr = self._base(node)
        self._event("load", expr, node)
        return expr

    def _base(self, node: ast.expr) -> Expr:
        """As `_expr`, but an attribute makes no event: it is a part of a longer one that makes it."""
        if type(node) is ast.Attribute:
            return self._intern((ATTR, self._base(node.value), node.attr))
        return self._expr(node)

    def _subscript(self, node: ast.Subscript) -> Expr:
        return (ITEM, self._expr(node.value), self._expr(node.slice))

    def _starred(self, node: ast.Starred) -> Expr:
        value = self._expr(node.value)
        self._event("iter", value, node.value)
        return (STAR, value)

    def _sequence(self, node: ast.Tuple | ast.List | ast.Set) -> Expr:
        kind = "tuple" if type(node) is ast.Tuple else "list" if type(node) is ast.List else "set"
        elements = tuple([self._expr(element) for element in node.elts])
        # Tables of data are of no use, and long.
        return (SEQ, kind, elements[:20])

    def _dict(self, node: ast.Dict) -> Expr:
        keys: list[Expr | None] = []
        values: list[Expr] = []
        for key, value in zip(node.keys, node.values, strict=True):
            keys.append(self._expr(key) if key is not None else None)
            values.append(self._expr(value))
        return (MAP, tuple(keys[:20]), tuple(values[:20]))

    def _bool(self, node: ast.BoolOp) -> Expr:
        return (ANY, tuple([self._expr(value) for value in node.values]))

    def _if_expression(self, node: ast.IfExp) -> Expr:
        self._expr(node.test)
        return (ANY, (self._expr(node.body), self._expr(node.orelse)))

    def _binary(self, node: ast.BinOp) -> Expr:
        spine: list[ast.BinOp] = [node]
        left = node.left
        while isinstance(left, ast.BinOp):  # "a" + "b" + ... may be thousands deep
            spine.append(left)
            left = left.left
        result = self._expr(left)
        for operation in reversed(spine):
            right = self._expr(operation.right)
            operator = _OPERATORS[type(operation.op)]
            result = (BINARY, operator, result, right) if operator in "/|" else OTHER_EXPR
        return result

    def _unary(self, node: ast.UnaryOp) -> Expr:
        value = self._expr(node.operand)
        if isinstance(node.op, ast.USub) and value[0] == CONST and isinstance(value[1], int | float):
            return (CONST, -value[1])
        return OTHER_EXPR

    def _named(self, node: ast.NamedExpr) -> Expr:
        value = self._expr(node.value)
        return self._bind_named(node, value)

    def _bind_named(self, node: ast.NamedExpr, value: Expr) -> Expr:
        inner = self.scope
        while self.scope.kind in ("comp", "gen") and self.scope.outer is not None:
            self.scope = self.scope.outer
        self._bind(node.target.id, "value", value, ())
        self.scope = inner
        return value

    def _await(self, node: ast.Await) -> Expr:
        return (AWAIT, self._awaited(node.value))

    def _awaited(self, node: ast.expr) -> Expr:
        """An expression whose value is awaited at once."""
        if isinstance(node, ast.Call):
            return self._call(node, AWAITED)
        if isinstance(node, ast.NamedExpr):
            return self._bind_named(node, self._awaited(node.value))
        if isinstance(node, ast.IfExp):
            self._expr(node.test)
            return (ANY, (self._awaited(node.body), self._awaited(node.orelse)))
        if isinstance(node, ast.BoolOp):
            return (ANY, tuple([self._awaited(value) for value in node.values]))
        value = self._expr(node)
        self._event("await", value, node)
        return value

    def _yield(self, node: ast.Yield) -> Expr:
        value = self._expr(node.value) if node.value is not None else (CONST, None)
        self._mark_generator(value)
        return OTHER_EXPR

    def _yield_from(self, node: ast.YieldFrom) -> Expr:
        value = self._expr(node.value)
        self._event("iter", value, node.value)
        self._mark_generator((STAR, value))
        return OTHER_EXPR

    def _mark_generator(self, value: Expr) -> None:
        self.seq += 1
        self.scope.generator = True
        self.scope.yields.append(Result(value, self.seq, self.block))

    def _call(self, node: ast.Call, flags: int = 0) -> Expr:
        function = node.func
        if type(function) is ast.Attribute:
            callee: Expr = self._intern((ATTR, self._expr(function.value), function.attr))
        else:
            callee = self._expr(function)
        arguments = node.args
        if arguments and callee[-1] == "cast" and isinstance(arguments[0], ast.Constant):
            args = (self._annotation(arguments[0]), *[self._expr(argument) for argument in arguments[1:]])
        else:
            args = tuple([self._expr(argument) for argument in arguments])
        keywords = tuple([(keyword.arg, self._expr(keyword.value)) for keyword in node.keywords])
        self.seq += 1
        line, end_line = node.lineno, node.end_lineno or node.lineno
        end_offset = node.end_col_offset or 0
        if self.columns.trivial:
            column, end_column = node.col_offset + 1, end_offset + 1
        else:
            column, end_column = self.columns.column(line, node.col_offset), self.columns.column(end_line, end_offset)
        self.calls.append(
            Call(
                callee,
                args,
                keywords,
                self.scope.index,
                self.block,
                self.seq,
                flags,
                line,
                column,
                end_line,
                end_column,
            )
        )
        return (CALL, len(self.calls) - 1)

    # ---- annotations

    def _annotation(self, node: ast.expr) -> Expr:
        """An annotation: strings in it are annotations, too."""
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                return self._text_annotation(node.value)
            return self._constant(node)
        if isinstance(node, ast.Subscript):
            base = self._quiet(node.value)
            name = base[-1]
            if name == "Literal":
                return OTHER_EXPR
            if isinstance(node.slice, ast.Tuple):
                elements = node.slice.elts
                if name == "Annotated":
                    items = [self._annotation(elements[0]), *[self._expr(element) for element in elements[1:]]]
                else:
                    items = [self._annotation(element) for element in elements]
                return (ITEM, base, (SEQ, "tuple", tuple(items)))
            return (ITEM, base, self._annotation(node.slice))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return (BINARY, "|", self._annotation(node.left), self._annotation(node.right))
        return self._quiet(node)

    def _quiet(self, node: ast.expr) -> Expr:
        """A name or dotted name without events; anything else as `_expr`."""
        return self._base(node)

    def _text_annotation(self, text: str) -> Expr:
        if _DOTTED.match(text):
            first, *rest = text.split(".")
            expr: Expr = (NAME, first)
            for part in rest:
                expr = (ATTR, expr, part)
            return self._intern(expr) if text != "None" else (CONST, None)
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return OTHER_EXPR
        if any(isinstance(node, ast.Call | ast.Lambda | ast.comprehension | ast.NamedExpr) for node in ast.walk(tree)):
            return OTHER_EXPR  # it would make calls with places that are none of this file's
        return self._annotation(tree.body)


# By node type; outside the class, as a table of bound methods would make each collector a cycle of garbage.
_STATEMENTS: Final[dict[type[ast.AST], Callable[[_Collector, Any], bool]]] = {
    ast.AnnAssign: _Collector._ann_assign,
    ast.Assign: _Collector._assign,
    ast.AsyncFor: _Collector._async_for,
    ast.AsyncFunctionDef: _Collector._async_function,
    ast.AsyncWith: _Collector._async_with,
    ast.AugAssign: _Collector._aug_assign,
    ast.ClassDef: _Collector._class,
    ast.Delete: _Collector._delete,
    ast.Expr: _Collector._expression,
    ast.For: _Collector._for,
    ast.FunctionDef: _Collector._function,
    ast.Global: _Collector._global,
    ast.If: _Collector._if,
    ast.Import: _Collector._import,
    ast.ImportFrom: _Collector._import_from,
    ast.Match: _Collector._match,
    ast.Nonlocal: _Collector._nonlocal,
    ast.Raise: _Collector._raise,
    ast.Return: _Collector._return,
    ast.Try: _Collector._try,
    ast.TryStar: _Collector._try,
    ast.While: _Collector._while,
    ast.With: _Collector._with,
}
for _alias in (TypeAliasStatement, getattr(ast, "TypeAlias", TypeAliasStatement)):
    _STATEMENTS[_alias] = _Collector._type_alias
_EXPRESSIONS: Final[Mapping[type[ast.AST], Callable[[_Collector, Any], Expr]]] = {
    ast.Attribute: _Collector._attribute,
    ast.Await: _Collector._await,
    ast.BinOp: _Collector._binary,
    ast.BoolOp: _Collector._bool,
    ast.Call: _Collector._call,
    ast.Constant: _Collector._constant,
    ast.Dict: _Collector._dict,
    ast.DictComp: _Collector._comprehension,
    ast.GeneratorExp: _Collector._comprehension,
    ast.IfExp: _Collector._if_expression,
    ast.Lambda: _Collector._lambda,
    ast.List: _Collector._sequence,
    ast.ListComp: _Collector._comprehension,
    ast.Name: _Collector._name,
    ast.NamedExpr: _Collector._named,
    ast.Set: _Collector._sequence,
    ast.SetComp: _Collector._comprehension,
    ast.Starred: _Collector._starred,
    ast.Subscript: _Collector._subscript,
    ast.Tuple: _Collector._sequence,
    ast.UnaryOp: _Collector._unary,
    ast.Yield: _Collector._yield,
    ast.YieldFrom: _Collector._yield_from,
}
