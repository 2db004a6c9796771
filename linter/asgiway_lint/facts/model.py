"""What is remembered of one module: plain records that `marshal` can store and everything after reading works on.

Expressions are small tuples, first their tag; a reader of facts never needs more than this table:

=========== ==================================== =====================================================================
tag         then                                 source
=========== ==================================== =====================================================================
``NAME``    name                                 ``x``
``ATTR``    base, name                           ``base.name``
``CALL``    index into `Facts.calls`             ``f(x)``
``ITEM``    base, index                          ``base[index]``
``CONST``   value                                ``"text"``, ``3``, ``None``; texts longer than `MAX_TEXT` are `OTHER`
``AWAIT``   expression                           ``await e``
``ANY``     expressions                          ``a or b``, ``a if c else b``: the value is one of these
``BINARY``  operator, left, right                ``left / right``
``SEQ``     "tuple" | "list" | "set", elements   ``(a, b)``, ``[a, b]``
``MAP``     keys, values                         ``{"a": 1}``; the key of ``**rest`` is None
``SCOPE``   index into `Facts.scopes`            ``lambda: e``, ``[e for ...]``: its value is the scope's only result;
                                                 ``{k: e for ...}``: has two, the value and the key
``STAR``    expression                           ``*args``
``OTHER``                                        everything else
=========== ==================================== =====================================================================

Order matters to whoever asks which binding a use sees, so calls, bindings and events share one counter, ``seq``, that grows in
order of evaluation; and each stands in a ``block``, an arm of an ``if``, a loop body and so on (see `Block`).
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

from asgiway_lint.suppress import Directive

__all__ = [
    "ANY",
    "ARM_CALM",
    "ARM_ENDS",
    "ARM_LOOP",
    "ATTR",
    "AWAIT",
    "AWAITED",
    "BINARY",
    "CALL",
    "CONST",
    "FORMAT",
    "ITEM",
    "MAP",
    "MAX_TEXT",
    "NAME",
    "OTHER",
    "OTHER_EXPR",
    "SCOPE",
    "SEQ",
    "STAR",
    "AttributeBinding",
    "Binding",
    "Block",
    "Call",
    "Event",
    "Expr",
    "Facts",
    "Param",
    "Result",
    "Scope",
    "new_tuple",
]  # fmt: skip

# Raise it whenever a record changes its meaning or shape: cached facts of other formats are never read.
FORMAT: Final = 13

Expr = tuple[Any, ...]

# The constructor of a named tuple is a Python function around this one; where millions are made that is a tenth of the time.
new_tuple: Callable[..., Any] = cast("Callable[..., Any]", tuple.__new__)  # pyright: ignore[reportUnknownMemberType]

NAME: Final = "n"
ATTR: Final = "."
CALL: Final = "c"
ITEM: Final = "["
CONST: Final = "k"
AWAIT: Final = "w"
ANY: Final = "|"
BINARY: Final = "b"
SEQ: Final = "q"
MAP: Final = "m"
SCOPE: Final = "s"
STAR: Final = "*"
OTHER: Final = "?"
OTHER_EXPR: Final[Expr] = (OTHER,)

# String annotations and getattr names are short; whole SQL statements and prompts are of no use here.
MAX_TEXT: Final = 200

# Flags of a call.
AWAITED: Final = 1  # its result is awaited at once: `await f()`, `async with f()`, `async for x in f()`

# Flags of a block.
ARM_LOOP: Final = 1  # the body of a loop: what is bound below may reach above
ARM_CALM: Final = 4  # the body of a `try` that expects a call not to wait: `except BlockingIOError`
ARM_ENDS: Final = 2  # control never leaves it at its end: return, raise, continue or break


class Block(NamedTuple):
    """A stretch of statements that run together.

    Attributes:
        parent: the block around it; -1 for the module's own.
        group: number of the statement that makes alternatives (``if``, ``match``); 0 for none. Of two blocks with the same
            group only one runs.
        flags: `ARM_LOOP`, `ARM_ENDS`, `ARM_CALM`.
        guard: (dotted name, or with a ``()`` behind it, condition) pairs that all hold inside: "none" and "some" (it is None, it is not), "true" and
            "false"; "perhaps" is no condition: the name may be empty, or something else holds.
    """

    parent: int
    group: int
    flags: int
    guard: tuple[tuple[str, str], ...] = ()


class Param(NamedTuple):
    """A parameter; ``kind`` is one of "pos", "kw", "*", "**"."""

    name: str
    kind: str
    annotation: Expr | None
    default: Expr | None


class Binding(NamedTuple):
    """One place that may give a name (or an attribute) its value.

    ``kind`` says what ``a`` and ``b`` are:

    ========== =========================== ==================================================================
    kind       a                           b
    ========== =========================== ==================================================================
    value      expression                  path through tuple targets, ``()`` for a plain target
    ann        annotation                  expression or None
    iter       iterated expression         path
    aiter      the same, ``async for``     path
    enter      expression of ``with``      path
    aenter     the same, ``async with``    path
    import     dotted module               True if the name is bound to all of it (``import a.b as c``)
    from       (module, name)              level: number of leading dots
    def, class scope                       None
    param      index into the parameters   None
    narrow     type expression             None: true inside the block only (``if isinstance(x, T)``, ``isinstance(x, T) and ...``)
    other      None                        None: bound to something that is not followed (``except as``, ``del``)
    ========== =========================== ==================================================================
    """

    seq: int
    block: int
    kind: str
    a: Any
    b: Any


class AttributeBinding(NamedTuple):
    """``base.name = ...``"""

    base: Expr
    name: str
    binding: Binding


class Result(NamedTuple):
    """An expression that a function returns or yields."""

    expr: Expr
    seq: int
    block: int


class Event(NamedTuple):
    """Something other than a call that may run code.

    ``kind``: "iter" (``for``, comprehensions, ``*x``, ``yield from``), "aiter", "enter" (``with``), "aenter", "await" (of
    something that is not a call), "load" (an attribute is read: it may be a property), "store" (an attribute is set). Inside
    functions also "item", "set item", "del item" (``expr[...]``, but for slices), "contains" (``x in expr``), "truth" (``if expr``)
    and "operator" (a `BINARY`; with an ``=`` behind its operator for ``x += y``).
    """

    kind: str
    expr: Expr
    scope: int
    block: int
    seq: int
    line: int
    column: int
    end_line: int
    end_column: int


class Call(NamedTuple):
    """One call. Lines and columns are 1-based, columns count code points, the end is exclusive.

    Attributes:
        callee: what is called.
        args: positional arguments.
        keywords: (name, expression) pairs; the name of ``**rest`` is None.
        scope: the scope that makes it.
        flags: `AWAITED`.
    """

    callee: Expr
    args: tuple[Expr, ...]
    keywords: tuple[tuple[str | None, Expr], ...]
    scope: int
    block: int
    seq: int
    flags: int
    line: int
    column: int
    end_line: int
    end_column: int


class Scope(NamedTuple):
    """A namespace: the module, a class, a function, a lambda, a comprehension.

    Attributes:
        kind: "module", "class", "def", "async", "lambda", "comp" (runs in place) or "gen" (a generator expression).
        name: its own name, ``""`` if it has none.
        qualname: dotted name from the module on, as ``__qualname__`` without ``<locals>``.
        parent: enclosing scope; -1 for the module.
        seq, block: when and where it is created in the parent.
        line, column: where its ``def``, ``class`` or first token stands.
        decorators, params, annotation (of the return value), bases, keywords (of a class): as written.
        generator: it contains a ``yield`` (or, in a comprehension, an ``async for``).
        bindings: name -> its bindings, in order.
        attributes: bindings of attributes in this scope.
        results: returned expressions; of a lambda or comprehension its element.
        yields: yielded expressions.
        stars: (seq, block, module, level) of each ``from m import *``.
        body: the block of its statements.
    """

    kind: str
    name: str
    qualname: str
    parent: int
    seq: int
    block: int
    line: int
    column: int
    decorators: tuple[Expr, ...]
    params: tuple[Param, ...]
    annotation: Expr | None
    bases: tuple[Expr, ...]
    keywords: tuple[tuple[str | None, Expr], ...]
    generator: bool
    bindings: Mapping[str, tuple[Binding, ...]]
    attributes: tuple[AttributeBinding, ...]
    results: tuple[Result, ...]
    yields: tuple[Result, ...]
    stars: tuple[tuple[int, int, str, int], ...]
    body: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is remembered of one module. Scope 0 and block 0 are the module's own."""

    scopes: tuple[Scope, ...]
    blocks: tuple[Block, ...]
    calls: tuple[Call, ...]
    events: tuple[Event, ...]
    directives: tuple[Directive, ...]

    def dump(self) -> bytes:
        """The record as bytes for the cache."""
        # `marshal` refuses subclasses of tuple, so named tuples travel as plain ones.
        scopes = [
            (
                *scope[:9],
                tuple(map(tuple, scope.params)),
                *scope[10:14],
                {name: tuple(map(tuple, found)) for name, found in scope.bindings.items()},
                tuple((base, name, tuple(binding)) for base, name, binding in scope.attributes),
                tuple(map(tuple, scope.results)),
                tuple(map(tuple, scope.yields)),
                *scope[18:],
            )
            for scope in self.scopes
        ]
        return marshal.dumps(
            (
                scopes,
                list(map(tuple, self.blocks)),
                list(map(tuple, self.calls)),
                list(map(tuple, self.events)),
                [(d.line, d.column, d.end_column, d.codes, d.file_level, d.first) for d in self.directives],
            )
        )

    @classmethod
    def load(cls, data: bytes) -> Facts:
        """The record that `dump` made.

        Raises:
            ValueError, EOFError, TypeError: `data` is not such a record.
        """
        scopes, blocks, calls, events, directives = marshal.loads(data)
        return cls(
            tuple([_load_scope(scope) for scope in scopes]),
            tuple([Block(*block) for block in blocks]),
            tuple([Call(*call) for call in calls]),
            tuple([Event(*event) for event in events]),
            tuple([Directive(*directive) for directive in directives]),
        )


def _load_scope(stored: tuple[Any, ...]) -> Scope:
    fields = list(stored)
    fields[9] = tuple([Param(*param) for param in stored[9]])
    fields[14] = {name: tuple([Binding(*item) for item in found]) for name, found in stored[14].items()}
    fields[15] = tuple([AttributeBinding(base, name, Binding(*binding)) for base, name, binding in stored[15]])
    fields[16] = tuple([Result(*item) for item in stored[16]])
    fields[17] = tuple([Result(*item) for item in stored[17]])
    return Scope._make(fields)
