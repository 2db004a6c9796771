"""A libcst tree -> an ``ast`` tree, for source that is newer than the running interpreter.

What the running ``ast`` lacks becomes its nearest older equivalent: type parameters are dropped, a ``type`` statement becomes
`collector.TypeAliasStatement`, a t-string an f-string, a lazy import an import. Columns are code points already, not bytes. The
collector then sees what `ast.parse` would have given it; a test holds the two against each other over real files.

The only module, with `positions` and `deep`, that imports libcst.
"""

from __future__ import annotations

import ast
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import libcst as cst

from asgiway_lint.facts.collector import TypeAliasStatement
from asgiway_lint.facts.deep import parse_module
from asgiway_lint.facts.positions import Position, positions

__all__ = ["lower"]

_BINARY: Final[dict[str, type[ast.operator]]] = {
    "Add": ast.Add,
    "BitAnd": ast.BitAnd,
    "BitOr": ast.BitOr,
    "BitXor": ast.BitXor,
    "Divide": ast.Div,
    "FloorDivide": ast.FloorDiv,
    "LeftShift": ast.LShift,
    "MatrixMultiply": ast.MatMult,
    "Modulo": ast.Mod,
    "Multiply": ast.Mult,
    "Power": ast.Pow,
    "RightShift": ast.RShift,
    "Subtract": ast.Sub,
}
_UNARY: Final[dict[str, type[ast.unaryop]]] = {
    "BitInvert": ast.Invert,
    "Minus": ast.USub,
    "Not": ast.Not,
    "Plus": ast.UAdd,
}
_COMPARISONS: Final[dict[str, type[ast.cmpop]]] = {
    "In": ast.In,
    "Is": ast.Is,
    "IsNot": ast.IsNot,
    "NotIn": ast.NotIn,
}
_NAMES: Final = ("id", "attr", "arg", "name", "asname", "module", "rest")
_NOWHERE: Final[Position] = (1, 0, 1, 0)


def lower(text: str) -> ast.Module | None:
    """The tree of a source text; None if libcst cannot parse it either."""
    module = parse_module(text)
    if module is None:
        return None
    tree = _Lowering(positions(module)).module(module)
    if not text.isascii():
        _normalise(tree)
    return tree


def _normalise(tree: ast.Module) -> None:
    """Names are compared in normal form NFKC (language reference, 2.3); libcst leaves them as they are written."""
    for node in ast.walk(tree):
        for field in _NAMES:
            name = getattr(node, field, None)
            if isinstance(name, str) and not name.isascii():
                setattr(node, field, unicodedata.normalize("NFKC", name))
        if isinstance(node, ast.Global | ast.Nonlocal):
            node.names = [unicodedata.normalize("NFKC", name) for name in node.names]


class _Lowering:
    def __init__(self, places: dict[int, Position]) -> None:
        self._places = places

    def module(self, module: cst.Module) -> ast.Module:
        return ast.Module(body=self._statements(module.body), type_ignores=[])

    # ---- places

    def _at(self, made: Any, node: cst.CSTNode, *, parens: bool = False) -> Any:
        """Give `made` the place of `node`; with `parens` its innermost parentheses count, as for tuples in ``ast``."""
        line, column, end_line, end_column = self._places.get(id(node), _NOWHERE)
        if parens:
            left: list[cst.LeftParen] = list(getattr(node, "lpar", ()))
            right: list[cst.RightParen] = list(getattr(node, "rpar", ()))
            if left:
                line, column, _, _ = self._places[id(left[-1])]
                _, _, end_line, end_column = self._places[id(right[0])]
        made.lineno, made.col_offset, made.end_lineno, made.end_col_offset = line, column, end_line, end_column
        return made

    # ---- statements

    def _statements(self, nodes: Iterable[Any]) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for node in nodes:
            if isinstance(node, cst.SimpleStatementLine | cst.SimpleStatementSuite):
                found += [self._statement(small) for small in node.body]
            else:
                found.append(self._statement(node))
        return found

    def _block(self, node: Any) -> list[ast.stmt]:
        """The statements of a suite, or of an ``else`` or ``finally`` that has one."""
        if node is None:
            return []
        body = node.body
        return (
            self._block(body)
            if isinstance(body, cst.BaseSuite)
            else self._statements((node,) if isinstance(node, cst.SimpleStatementSuite) else body)
        )

    def _statement(self, node: Any) -> ast.stmt:
        method: Callable[[Any], ast.stmt] = getattr(self, f"_do_{type(node).__name__}")
        made: ast.stmt = self._at(method(node), node)
        return made

    def _do_Expr(self, node: cst.Expr) -> ast.stmt:
        return ast.Expr(self._expr(node.value))

    def _do_Pass(self, node: cst.Pass) -> ast.stmt:
        return ast.Pass()

    def _do_Break(self, node: cst.Break) -> ast.stmt:
        return ast.Break()

    def _do_Continue(self, node: cst.Continue) -> ast.stmt:
        return ast.Continue()

    def _do_Return(self, node: cst.Return) -> ast.stmt:
        return ast.Return(self._maybe(node.value))

    def _do_Raise(self, node: cst.Raise) -> ast.stmt:
        return ast.Raise(self._maybe(node.exc), self._expr(node.cause.item) if node.cause is not None else None)

    def _do_Assert(self, node: cst.Assert) -> ast.stmt:
        return ast.Assert(self._expr(node.test), self._maybe(node.msg))

    def _do_Del(self, node: cst.Del) -> ast.stmt:
        target = self._expr(node.target)
        parenthesised = isinstance(node.target, cst.Tuple) and not node.target.lpar
        return ast.Delete(target.elts if parenthesised and isinstance(target, ast.Tuple) else [target])

    def _do_Global(self, node: cst.Global) -> ast.stmt:
        return ast.Global([item.name.value for item in node.names])

    def _do_Nonlocal(self, node: cst.Nonlocal) -> ast.stmt:
        return ast.Nonlocal([item.name.value for item in node.names])

    def _do_Import(self, node: cst.Import) -> ast.stmt:
        return ast.Import([self._alias(alias) for alias in node.names])

    def _do_ImportFrom(self, node: cst.ImportFrom) -> ast.stmt:
        names = (
            [ast.alias("*", None)] if isinstance(node.names, cst.ImportStar) else [self._alias(a) for a in node.names]
        )
        return ast.ImportFrom(_dotted(node.module) if node.module is not None else None, names, len(node.relative))

    _do_LazyImport = _do_Import
    _do_LazyImportFrom = _do_ImportFrom

    def _alias(self, node: cst.ImportAlias) -> ast.alias:
        return ast.alias(_dotted(node.name), node.asname.name.value if node.asname is not None else None)  # type: ignore[union-attr]

    def _do_Assign(self, node: cst.Assign) -> ast.stmt:
        return ast.Assign([self._expr(target.target) for target in node.targets], self._expr(node.value))

    def _do_AnnAssign(self, node: cst.AnnAssign) -> ast.stmt:
        target: Any = self._expr(node.target)
        return ast.AnnAssign(target, self._expr(node.annotation.annotation), self._maybe(node.value), 1)

    def _do_AugAssign(self, node: cst.AugAssign) -> ast.stmt:
        operator = _BINARY[type(node.operator).__name__.removesuffix("Assign")]()
        target: Any = self._expr(node.target)
        return ast.AugAssign(target, operator, self._expr(node.value))

    def _do_TypeAlias(self, node: cst.TypeAlias) -> ast.stmt:
        made = TypeAliasStatement()
        made.name, made.value = ast.Name(node.name.value), self._expr(node.value)
        return made

    def _do_If(self, node: cst.If) -> ast.stmt:
        return ast.If(self._expr(node.test), self._block(node.body), self._orelse(node.orelse))

    def _orelse(self, node: cst.If | cst.Else | None) -> list[ast.stmt]:
        return [self._statement(node)] if isinstance(node, cst.If) else self._block(node)

    def _do_While(self, node: cst.While) -> ast.stmt:
        return ast.While(self._expr(node.test), self._block(node.body), self._block(node.orelse))

    def _do_For(self, node: cst.For) -> ast.stmt:
        made = ast.For if node.asynchronous is None else ast.AsyncFor
        target, iterated = self._expr(node.target), self._expr(node.iter)
        return made(target, iterated, self._block(node.body), self._block(node.orelse))

    def _do_With(self, node: cst.With) -> ast.stmt:
        made = ast.With if node.asynchronous is None else ast.AsyncWith
        items = [
            ast.withitem(self._expr(item.item), self._expr(item.asname.name) if item.asname is not None else None)
            for item in node.items
        ]
        return made(items, self._block(node.body))

    def _do_Try(self, node: cst.Try | cst.TryStar) -> ast.stmt:
        made = ast.Try if isinstance(node, cst.Try) else ast.TryStar
        handlers = [
            ast.ExceptHandler(self._maybe(handler.type), _as_name(handler.name), self._block(handler.body))
            for handler in node.handlers
        ]
        return made(self._block(node.body), handlers, self._block(node.orelse), self._block(node.finalbody))

    _do_TryStar = _do_Try

    def _do_Match(self, node: cst.Match) -> ast.stmt:
        cases = [
            ast.match_case(_pattern(case.pattern), self._maybe(case.guard), self._block(case.body))
            for case in node.cases
        ]
        return ast.Match(self._expr(node.subject), cases)

    def _do_FunctionDef(self, node: cst.FunctionDef) -> ast.stmt:
        made = ast.FunctionDef if node.asynchronous is None else ast.AsyncFunctionDef
        decorators = [self._expr(decorator.decorator) for decorator in node.decorators]
        parameters = self._parameters(node.params)
        returns = self._expr(node.returns.annotation) if node.returns is not None else None
        return made(node.name.value, parameters, self._block(node.body), decorators, returns)

    def _do_ClassDef(self, node: cst.ClassDef) -> ast.stmt:
        decorators = [self._expr(decorator.decorator) for decorator in node.decorators]
        bases, keywords = self._arguments([*node.bases, *node.keywords])
        return ast.ClassDef(node.name.value, bases, keywords, self._block(node.body), decorators)

    def _parameters(self, node: cst.Parameters) -> ast.arguments:
        positional = [*node.posonly_params, *node.params]
        star = node.star_arg
        return ast.arguments(
            posonlyargs=[self._parameter(param) for param in node.posonly_params],
            args=[self._parameter(param) for param in node.params],
            vararg=self._parameter(star) if isinstance(star, cst.Param) else None,
            kwonlyargs=[self._parameter(param) for param in node.kwonly_params],
            kw_defaults=[self._maybe(param.default) for param in node.kwonly_params],
            kwarg=self._parameter(node.star_kwarg) if node.star_kwarg is not None else None,
            defaults=[self._expr(param.default) for param in positional if param.default is not None],
        )

    def _parameter(self, node: cst.Param) -> ast.arg:
        return ast.arg(node.name.value, self._expr(node.annotation.annotation) if node.annotation is not None else None)

    # ---- expressions

    def _maybe(self, node: cst.BaseExpression | None) -> ast.expr | None:
        return self._expr(node) if node is not None else None

    def _expr(self, node: Any) -> ast.expr:
        method: Callable[[Any], ast.expr] = getattr(self, f"_is_{type(node).__name__}")
        made: ast.expr = self._at(method(node), node, parens=isinstance(node, cst.Tuple | cst.GeneratorExp))
        return made

    def _is_Name(self, node: cst.Name) -> ast.expr:
        if node.value in ("None", "True", "False"):
            return ast.Constant({"None": None, "True": True, "False": False}[node.value])
        return ast.Name(node.value)

    def _is_Ellipsis(self, node: cst.Ellipsis) -> ast.expr:
        return ast.Constant(...)

    def _is_Integer(self, node: cst.Integer | cst.Float | cst.Imaginary) -> ast.expr:
        return ast.Constant(node.evaluated_value)

    _is_Float = _is_Integer
    _is_Imaginary = _is_Integer

    def _is_SimpleString(self, node: cst.SimpleString) -> ast.expr:
        return ast.Constant(node.evaluated_value)

    def _is_ConcatenatedString(self, node: cst.ConcatenatedString) -> ast.expr:
        value = node.evaluated_value
        if value is not None:
            return ast.Constant(value)
        return ast.JoinedStr([self._expr(node.left), self._expr(node.right)])

    def _is_FormattedString(self, node: cst.FormattedString | cst.TemplatedString) -> ast.expr:
        return ast.JoinedStr(self._string_parts(node.parts))

    _is_TemplatedString = _is_FormattedString

    def _string_parts(self, parts: Sequence[Any]) -> list[ast.expr]:
        return [
            self._at(
                ast.FormattedValue(
                    self._expr(part.expression),
                    -1,
                    ast.JoinedStr(self._string_parts(part.format_spec)) if part.format_spec is not None else None,
                ),
                part,
            )
            for part in parts
            if isinstance(part, cst.FormattedStringExpression | cst.TemplatedStringExpression)
        ]

    def _is_Attribute(self, node: cst.Attribute) -> ast.expr:
        return ast.Attribute(self._expr(node.value), node.attr.value)

    def _is_Subscript(self, node: cst.Subscript) -> ast.expr:
        value = self._expr(node.value)
        elements = [self._slice(element.slice) for element in node.slice]
        last = node.slice[-1]
        single = (
            len(elements) == 1 and not isinstance(last.comma, cst.Comma) and not isinstance(elements[0], ast.Starred)
        )
        index = elements[0] if single else ast.Tuple(elements)
        return ast.Subscript(value, index)

    def _slice(self, node: cst.BaseSlice) -> ast.expr:
        if isinstance(node, cst.Index):
            value = self._expr(node.value)
            return ast.Starred(value) if node.star else value
        assert isinstance(node, cst.Slice)
        return ast.Slice(self._maybe(node.lower), self._maybe(node.upper), self._maybe(node.step))

    def _is_Call(self, node: cst.Call) -> ast.expr:
        function = self._expr(node.func)
        return ast.Call(function, *self._arguments(node.args))

    def _arguments(self, nodes: Sequence[cst.Arg]) -> tuple[list[ast.expr], list[ast.keyword]]:
        positional: list[ast.expr] = []
        keywords: list[ast.keyword] = []
        for node in nodes:
            value = self._expr(node.value)
            if node.star == "**":
                keywords.append(ast.keyword(None, value))
            elif node.keyword is not None:
                keywords.append(ast.keyword(node.keyword.value, value))
            else:
                positional.append(ast.Starred(value) if node.star == "*" else value)
        return positional, keywords

    def _is_Await(self, node: cst.Await) -> ast.expr:
        return ast.Await(self._expr(node.expression))

    def _is_Yield(self, node: cst.Yield) -> ast.expr:
        if isinstance(node.value, cst.From):
            return ast.YieldFrom(self._expr(node.value.item))
        return ast.Yield(self._maybe(node.value))

    def _is_IfExp(self, node: cst.IfExp) -> ast.expr:
        return ast.IfExp(self._expr(node.test), self._expr(node.body), self._expr(node.orelse))

    def _is_Lambda(self, node: cst.Lambda) -> ast.expr:
        return ast.Lambda(self._parameters(node.params), self._expr(node.body))

    def _is_NamedExpr(self, node: cst.NamedExpr) -> ast.expr:
        target: Any = self._expr(node.target)
        return ast.NamedExpr(target, self._expr(node.value))

    def _is_BinaryOperation(self, node: cst.BinaryOperation) -> ast.expr:
        spine: list[cst.BinaryOperation] = [node]
        left = node.left
        while isinstance(left, cst.BinaryOperation):
            spine.append(left)
            left = left.left
        result = self._expr(left)
        for operation in reversed(spine):
            operator = _BINARY[type(operation.operator).__name__]()
            result = self._at(ast.BinOp(result, operator, self._expr(operation.right)), operation)
        return result

    def _is_BooleanOperation(self, node: cst.BooleanOperation) -> ast.expr:
        values = [node.right]
        left: cst.BaseExpression = node.left
        while isinstance(left, cst.BooleanOperation) and not left.lpar and type(left.operator) is type(node.operator):
            values.append(left.right)
            left = left.left
        values.append(left)
        operator = ast.And() if isinstance(node.operator, cst.And) else ast.Or()
        return ast.BoolOp(operator, [self._expr(value) for value in reversed(values)])

    def _is_UnaryOperation(self, node: cst.UnaryOperation) -> ast.expr:
        return ast.UnaryOp(_UNARY[type(node.operator).__name__](), self._expr(node.expression))

    def _is_Comparison(self, node: cst.Comparison) -> ast.expr:
        # The collector asks only for the operands, and for `is`, `in` and their negations.
        others = [self._expr(target.comparator) for target in node.comparisons]
        operators: list[ast.cmpop] = [
            _COMPARISONS.get(type(target.operator).__name__, ast.Eq)() for target in node.comparisons
        ]
        return ast.Compare(self._expr(node.left), operators, others)

    def _elements(self, nodes: Sequence[Any]) -> list[ast.expr]:
        return [
            ast.Starred(self._expr(node.value)) if isinstance(node, cst.StarredElement) else self._expr(node.value)
            for node in nodes
        ]

    def _is_Tuple(self, node: cst.Tuple) -> ast.expr:
        return ast.Tuple(self._elements(node.elements))

    def _is_List(self, node: cst.List) -> ast.expr:
        return ast.List(self._elements(node.elements))

    def _is_Set(self, node: cst.Set) -> ast.expr:
        return ast.Set(self._elements(node.elements))

    def _is_Dict(self, node: cst.Dict) -> ast.expr:
        keys = [self._expr(item.key) if isinstance(item, cst.DictElement) else None for item in node.elements]
        return ast.Dict(keys, [self._expr(item.value) for item in node.elements])

    def _is_StarredElement(self, node: cst.StarredElement) -> ast.expr:
        return ast.Starred(self._expr(node.value))

    def _is_ListComp(self, node: cst.ListComp) -> ast.expr:
        return ast.ListComp(self._expr(node.elt), self._generators(node.for_in))

    def _is_SetComp(self, node: cst.SetComp) -> ast.expr:
        return ast.SetComp(self._expr(node.elt), self._generators(node.for_in))

    def _is_GeneratorExp(self, node: cst.GeneratorExp) -> ast.expr:
        return ast.GeneratorExp(self._expr(node.elt), self._generators(node.for_in))

    def _is_DictComp(self, node: cst.DictComp) -> ast.expr:
        return ast.DictComp(self._expr(node.key), self._expr(node.value), self._generators(node.for_in))

    def _is_StarredDictComp(self, node: Any) -> ast.expr:
        return ast.ListComp(ast.Starred(self._expr(node.value)), self._generators(node.for_in))

    def _generators(self, node: cst.CompFor | None) -> list[ast.comprehension]:
        found: list[ast.comprehension] = []
        while node is not None:
            conditions = [self._expr(condition.test) for condition in node.ifs]
            found.append(
                ast.comprehension(
                    self._expr(node.target), self._expr(node.iter), conditions, int(node.asynchronous is not None)
                )
            )
            node = node.inner_for_in
        return found


def _dotted(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Attribute):
        return f"{_dotted(node.value)}.{node.attr.value}"
    assert isinstance(node, cst.Name)
    return node.value


def _as_name(node: cst.AsName | None) -> str | None:
    return node.name.value if node is not None and isinstance(node.name, cst.Name) else None


def _pattern(node: cst.CSTNode) -> ast.pattern:
    """A pattern that captures the same names; nothing else of it is of interest."""
    names: list[str] = []
    pending: list[cst.CSTNode] = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, cst.MatchAs | cst.MatchStar) and current.name is not None:
            names.append(current.name.value)
        elif isinstance(current, cst.MatchMapping) and current.rest is not None:
            names.append(current.rest.value)
        pending.extend(current.children)
    return ast.MatchSequence([ast.MatchAs(None, name) for name in names])
