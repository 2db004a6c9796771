"""One walk over an ``ast`` tree that collects the `Facts` of a module.

Written for speed (a third of a cold run is spent here): dispatch by node type through a table, no `ast.NodeVisitor`, no second
pass. It knows the language and nothing else: no library, no rule.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, Final

from asgiway_lint.facts.builder import FUNCTIONS
from asgiway_lint.facts.conditions import OPPOSITES, conditions
from asgiway_lint.facts.expressions import OPERATORS, Expressions
from asgiway_lint.facts.model import (
    ARM_CALM,
    ARM_LOOP,
    ATTR,
    BINARY,
    CONST,
    ITEM,
    AttributeBinding,
    Binding,
    Block,
    Expr,
    Facts,
    Result,
    new_tuple,
)
from asgiway_lint.facts.text import Columns
from asgiway_lint.suppress import Directive

__all__ = ["TypeAliasStatement", "collect"]


_WOULD_WAIT: Final = frozenset({"BlockingIOError", "SSLWantReadError", "SSLWantWriteError"})


class TypeAliasStatement(ast.stmt):
    """``type name = value`` for interpreters whose ``ast`` has no such node."""

    _fields = ("name", "value")
    name: ast.Name
    value: ast.expr


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
        tuple(
            [
                new_tuple(Block, (parent, group, flags, collector.guards.get(index, ())))
                for index, (parent, group, flags) in enumerate(collector.blocks)
            ]
        ),
        tuple(collector.calls),
        tuple(collector.events),
        directives,
    )


class _Collector(Expressions):
    """Collects statements; `run` is the door."""

    def run(self, tree: ast.Module) -> None:
        self.body(tree.body)

    def body(self, statements: Sequence[ast.stmt]) -> bool:
        """Walk statements; True if control never reaches their end."""
        ends = False
        handlers = _STATEMENTS
        for statement in statements:
            handler = handlers.get(type(statement))
            if handler is not None:
                if handler(self, statement):
                    ends = True
            else:  # pass, break, continue: no expressions; newer statements: walk what they hold
                self.children(statement)
        return ends

    def arm(self, statements: Sequence[ast.stmt], group: int = 0, flags: int = 0) -> bool:
        """Walk statements in a block of their own."""
        outer = self.open_block(group, flags)
        return self.close_block(outer, self.body(statements))

    def on_expression(self, node: ast.Expr) -> bool:
        self.expr(node.value)
        return False

    def on_assign(self, node: ast.Assign) -> bool:
        value = self.expr(node.value)
        for target in node.targets:
            self.target(target, "value", value)
        return False

    def on_ann_assign(self, node: ast.AnnAssign) -> bool:
        annotation = self.annotation(node.annotation)
        value = self.expr(node.value) if node.value is not None else None
        if isinstance(node.target, ast.Name):
            self.bind(node.target.id, "ann", annotation, value)
        elif isinstance(node.target, ast.Attribute):
            base = self.base(node.target.value)
            self.seq += 1
            binding = new_tuple(Binding, (self.seq, self.block, "ann", annotation, value))
            self.scope.attributes.append(new_tuple(AttributeBinding, (base, node.target.attr, binding)))
            self.event("store", (ATTR, base, node.target.attr), node.target)
        else:
            self.expr(node.target)
        return False

    def on_aug_assign(self, node: ast.AugAssign) -> bool:
        left = self.expr(node.target)
        right = self.expr(node.value)
        operator = OPERATORS[type(node.op)]
        if left[0] == ITEM:  # its parts are evaluated once
            if self.scope.outer is not None:
                self.event("set item", left[1], node.target)
            return False
        self.operation(node, f"{operator}=", left, right)
        self.target(node.target, "value", (BINARY, operator, left, right))
        return False

    def on_type_alias(self, node: Any) -> bool:
        self.bind(node.name.id, "value", self.annotation(node.value), ())
        return False

    def on_delete(self, node: ast.Delete) -> bool:
        for target in node.targets:
            self.target(target, "other", None)
        return False

    def on_return(self, node: ast.Return) -> bool:
        value = self.expr(node.value) if node.value is not None else (CONST, None)
        self.seq += 1
        self.scope.results.append(new_tuple(Result, (value, self.seq, self.block)))
        return True

    def on_raise(self, node: ast.Raise) -> bool:
        if node.exc is not None:
            self.expr(node.exc)
        if node.cause is not None:
            self.expr(node.cause)
        return True

    def on_global(self, node: ast.Global) -> bool:
        for name in node.names:
            self.scope.elsewhere[name] = self.scopes[0]
        return False

    def on_nonlocal(self, node: ast.Nonlocal) -> bool:
        for name in node.names:
            outer = self.scope.outer
            while outer is not None and (outer.kind not in FUNCTIONS or name not in outer.bindings):
                outer = outer.outer
            if outer is not None:
                self.scope.elsewhere[name] = outer
        return False

    def on_import(self, node: ast.Import) -> bool:
        for alias in node.names:
            if alias.asname is not None:
                self.bind(alias.asname, "import", alias.name, True)
            else:
                self.bind(alias.name.partition(".")[0], "import", alias.name, False)
        return False

    def on_import_from(self, node: ast.ImportFrom) -> bool:
        module = node.module or ""
        for alias in node.names:
            if alias.name == "*":
                self.seq += 1
                self.scope.stars.append((self.seq, self.block, module, node.level))
            else:
                self.bind(alias.asname or alias.name, "from", (module, alias.name), node.level)
        return False

    def on_if(self, node: ast.If) -> bool:
        self.test(node.test)
        self.groups += 1
        group = self.groups
        outer = self.open_block(group)
        guard = conditions(node.test)
        if guard:
            self.guards[self.block] = guard
        self.narrow(node.test)
        ends = self.close_block(outer, self.body(node.body))
        if ends:
            self.narrow(node.test, truth=False)
        if not node.orelse:
            return False
        outer = self.open_block(group)
        if len(guard) == 1 and not isinstance(node.test, ast.BoolOp) and guard[0][1] in OPPOSITES:
            name, condition = guard[0]
            self.guards[self.block] = ((name, OPPOSITES[condition]),)
        self.narrow(node.test, truth=False)
        return self.close_block(outer, self.body(node.orelse)) and ends

    def on_assert(self, node: ast.Assert) -> bool:
        self.test(node.test)
        if node.msg is not None:
            self.expr(node.msg)
        self.narrow(node.test)
        return False

    def on_for(self, node: ast.For) -> bool:
        return self.loop(node, "iter", self.expr(node.iter))

    def on_async_for(self, node: ast.AsyncFor) -> bool:
        return self.loop(node, "aiter", self.awaited(node.iter))

    def loop(self, node: ast.For | ast.AsyncFor, kind: str, iterated: Expr) -> bool:
        self.event(kind, iterated, node.iter)
        outer = self.open_block(0, ARM_LOOP)
        self.target(node.target, kind, iterated)
        self.body(node.body)
        self.close_block(outer)
        if node.orelse:
            self.arm(node.orelse)
        return False

    def on_while(self, node: ast.While) -> bool:
        outer = self.open_block(0, ARM_LOOP)
        self.test(node.test)
        self.narrow(node.test)
        self.body(node.body)
        self.close_block(outer)
        if node.orelse:
            self.arm(node.orelse)
        return False

    def on_with(self, node: ast.With) -> bool:
        for item in node.items:
            context = self.expr(item.context_expr)
            self.event("enter", context, item.context_expr)
            if item.optional_vars is not None:
                self.target(item.optional_vars, "enter", context)
        return self.body(node.body)

    def on_async_with(self, node: ast.AsyncWith) -> bool:
        for item in node.items:
            context = self.awaited(item.context_expr)
            self.event("aenter", context, item.context_expr)
            if item.optional_vars is not None:
                self.target(item.optional_vars, "aenter", context)
        return self.body(node.body)

    def on_try(self, node: ast.Try | ast.TryStar) -> bool:
        # What the body binds may not be bound when a handler or the rest runs, so it is an arm; but if no handler lets
        # control go on, everything after runs behind the whole body.
        ends = self.arm(node.body, 0, ARM_CALM if any(map(_expects_no_wait, node.handlers)) else 0)
        handlers_end = True
        for handler in node.handlers:
            if handler.type is not None:
                self.expr(handler.type)
            outer = self.open_block()
            if handler.name is not None:
                self.bind(handler.name, "other", None)
            handlers_end &= self.close_block(outer, self.body(handler.body))
        if node.orelse:
            ends = self.arm(node.orelse) or ends
        return self.body(node.finalbody) or (ends and handlers_end)

    def on_match(self, node: ast.Match) -> bool:
        self.expr(node.subject)
        self.groups += 1
        group = self.groups
        for case in node.cases:
            outer = self.open_block(group)
            self.pattern(case.pattern)
            if case.guard is not None:
                self.expr(case.guard)
            self.close_block(outer, self.body(case.body))
        return False

    def pattern(self, pattern: ast.pattern) -> None:
        names: list[str] = []
        for node in ast.walk(pattern):
            if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name is not None:
                names.append(node.name)
            elif isinstance(node, ast.MatchMapping) and node.rest is not None:
                names.append(node.rest)
        for name in sorted(names):
            self.bind(name, "other", None)

    def on_function(self, node: ast.FunctionDef) -> bool:
        return self.define(node, "def")

    def on_async_function(self, node: ast.AsyncFunctionDef) -> bool:
        return self.define(node, "async")

    def define(self, node: ast.FunctionDef | ast.AsyncFunctionDef, kind: str) -> bool:
        decorators = tuple([self.expr(decorator) for decorator in node.decorator_list])
        params = self.parameters(node.args)
        annotation = self.annotation(node.returns) if node.returns is not None else None
        self.bind(node.name, "def", len(self.scopes))
        outer = self.enter_scope(kind, node.name, node)
        self.scope.decorators = decorators
        self.scope.annotation = annotation
        self.bind_parameters(params)
        self.body(node.body)
        self.leave_scope(outer)
        return False

    def on_class(self, node: ast.ClassDef) -> bool:
        decorators = tuple([self.expr(decorator) for decorator in node.decorator_list])
        bases = tuple([self.expr(base) for base in node.bases])
        keywords = tuple([(keyword.arg, self.expr(keyword.value)) for keyword in node.keywords])
        self.bind(node.name, "class", len(self.scopes))
        outer = self.enter_scope("class", node.name, node)
        self.scope.decorators = decorators
        self.scope.bases = bases
        self.scope.keywords = keywords
        self.body(node.body)
        self.leave_scope(outer)
        return False


def _expects_no_wait(handler: ast.ExceptHandler) -> bool:
    """Whether a handler is for calls on what does not wait: they say so instead."""
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(one, ast.Name | ast.Attribute) and _last_name(one) in _WOULD_WAIT for one in types)


def _last_name(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


# By node type; outside the class, as a table of bound methods would make each collector a cycle of garbage.
_STATEMENTS: Final[dict[type[ast.AST], Callable[[_Collector, Any], bool]]] = {
    ast.AnnAssign: _Collector.on_ann_assign,
    ast.Assert: _Collector.on_assert,
    ast.Assign: _Collector.on_assign,
    ast.AsyncFor: _Collector.on_async_for,
    ast.AsyncFunctionDef: _Collector.on_async_function,
    ast.AsyncWith: _Collector.on_async_with,
    ast.AugAssign: _Collector.on_aug_assign,
    ast.ClassDef: _Collector.on_class,
    ast.Delete: _Collector.on_delete,
    ast.Expr: _Collector.on_expression,
    ast.For: _Collector.on_for,
    ast.FunctionDef: _Collector.on_function,
    ast.Global: _Collector.on_global,
    ast.If: _Collector.on_if,
    ast.Import: _Collector.on_import,
    ast.ImportFrom: _Collector.on_import_from,
    ast.Match: _Collector.on_match,
    ast.Nonlocal: _Collector.on_nonlocal,
    ast.Raise: _Collector.on_raise,
    ast.Return: _Collector.on_return,
    ast.Try: _Collector.on_try,
    ast.TryStar: _Collector.on_try,
    ast.While: _Collector.on_while,
    ast.With: _Collector.on_with,
}
for _alias in (TypeAliasStatement, getattr(ast, "TypeAlias", TypeAliasStatement)):
    _STATEMENTS[_alias] = _Collector.on_type_alias
