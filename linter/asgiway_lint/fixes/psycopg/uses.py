"""What a function does with psycopg2: its connections, cursors and calls, each use accounted for.

A rewrite is only right when nothing is left over, so whatever is not understood ends in `Unprovable` with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import libcst as cst

from asgiway_lint.fixes.psycopg.composed import composed_of
from asgiway_lint.fixes.psycopg.literals import Literal, literal_of
from asgiway_lint.fixes.psycopg.names import FACTORIES, WITHOUT_TWIN, why_not
from asgiway_lint.fixes.psycopg.sql import Sql, scan
from asgiway_lint.fixes.source import FixSource

__all__ = ["Connection", "Cursor", "Execute", "Unprovable", "Uses", "argument", "uses_of"]

_DRAINS = frozenset(f"builtins.{name}" for name in ("list", "tuple", "set", "frozenset", "sorted", "dict"))
_READS = frozenset(["rowcount", "description", "statusmessage"])
_FETCHES = frozenset(["fetchone", "fetchmany", "fetchall"])
_AUTOCOMMIT = "psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT"


class Unprovable(Exception):
    """Why it cannot be shown that a rewrite would do the same."""


@dataclass(slots=True, eq=False)
class Execute:
    """A call of `execute` or `executemany`.

    Args:
        call: the call.
        query: the expression of the SQL.
        literal: its text, if that stands in the file.
        sql: what there is to know about the text.
        arguments: the expression of the parameters; None if there are none.
        many: whether it is `executemany`.
        composers: what names `psycopg2.sql.SQL` and `Identifier`, if the SQL is composed.
    """

    call: cst.Call
    query: cst.BaseExpression
    literal: Literal | None
    sql: Sql | None
    arguments: cst.BaseExpression | None
    many: bool
    composers: tuple[cst.BaseExpression, ...] = ()


@dataclass(slots=True, eq=False)
class Cursor:
    """A name that cursors of one connection are bound to.

    Args:
        name: the name.
        connection: their connection.
        opened: the calls of `connection.cursor`.
        factory: dotted name of their class; empty for the connection's.
        executes: what is executed, in order of the source.
        fetches: calls of `fetchone`, `fetchmany`, `fetchall`.
        closes: calls of `close`.
        loops: `for` loops and comprehensions over it.
        drained: places where `list(cursor)` and its like take all rows.
        reads: attributes that are read: `rowcount`.
        items: `with cursor`.
    """

    name: str
    connection: Connection
    opened: list[cst.Call] = field(default_factory=list[cst.Call])
    factory: str = ""
    executes: list[Execute] = field(default_factory=list[Execute])
    fetches: list[cst.Call] = field(default_factory=list[cst.Call])
    closes: list[cst.Call] = field(default_factory=list[cst.Call])
    loops: list[cst.For | cst.CompFor] = field(default_factory=list[cst.For | cst.CompFor])
    drained: list[cst.Name] = field(default_factory=list[cst.Name])
    reads: list[cst.Attribute] = field(default_factory=list[cst.Attribute])
    items: list[cst.WithItem] = field(default_factory=list[cst.WithItem])

    @property
    def looks(self) -> bool:
        """Whether anybody looks at what came of the statements."""
        return bool(self.fetches or self.loops or self.drained or self.reads)


@dataclass(slots=True, eq=False)
class Connection:
    """A connection that the function makes.

    Args:
        name: what it is bound to.
        call: the call of `psycopg2.connect`.
        item: the item of the `with` that it is made in; None if it is assigned.
        blocks: items of the form `with connection`.
        commits, rollbacks, closes: the calls.
        autocommit: what turns autocommit on or off -> the expression that says which (None: on).
        tests: reads of `closed`.
    """

    name: str
    call: cst.Call
    item: cst.WithItem | None
    blocks: list[cst.WithItem] = field(default_factory=list[cst.WithItem])
    commits: list[cst.Call] = field(default_factory=list[cst.Call])
    rollbacks: list[cst.Call] = field(default_factory=list[cst.Call])
    closes: list[cst.Call] = field(default_factory=list[cst.Call])
    autocommit: list[tuple[cst.Assign | cst.Call, cst.BaseExpression | None]] = field(
        default_factory=list[tuple["cst.Assign | cst.Call", "cst.BaseExpression | None"]]
    )
    tests: list[cst.Attribute] = field(default_factory=list[cst.Attribute])


@dataclass(slots=True)
class Uses:
    """Everything of psycopg2 in one function.

    Args:
        function: the function.
        connections: its connections, in order of the source.
        cursors: its cursors.
        references: names of psycopg2 that stand in it, with what they stand for.
    """

    function: cst.FunctionDef
    connections: list[Connection]
    cursors: list[Cursor]
    references: list[tuple[cst.Name | cst.Attribute, str]]


def uses_of(source: FixSource, function: cst.FunctionDef) -> Uses:
    """Account for every use of psycopg2 in a function.

    Args:
        source: the file.
        function: an `async def`.

    Raises:
        Unprovable: something cannot be followed.
    """
    return _Reader(source, function).read()


def argument(call: cst.Call, position: int, name: str) -> cst.BaseExpression | None:
    """Return an argument of a call by position or name; None if it is not given."""
    positional = [arg for arg in call.args if arg.keyword is None and not arg.star]
    if position < len(positional):
        return positional[position].value
    return next((arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == name), None)


class _Reader:
    def __init__(self, source: FixSource, function: cst.FunctionDef) -> None:
        self._source = source
        self._function = function
        self._connections: dict[str, Connection] = {}
        self._cursors: dict[str, Cursor] = {}
        self._targets: set[int] = set()

    def read(self) -> Uses:
        source, function = self._source, self._function
        nodes = list(source.nodes(function.body))
        self._global_changes()
        if any(isinstance(node, cst.Yield) and source.enclosing_function(node) is function for node in nodes):
            raise Unprovable("the function is a generator, which may be left in the middle")
        for call in nodes:
            if isinstance(call, cst.Call) and source.resolve(call.func) == "psycopg2.connect":
                self._connection(call)
        if not self._connections:
            raise Unprovable(
                "the connection is not made in this function, and everything that makes and uses it must change at once"
            )
        for call in nodes:
            if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute):
                owner = call.func.value
                name = owner.value if isinstance(owner, cst.Name) else ""
                if name in self._connections and call.func.attr.value == "cursor":
                    self._cursor(self._connections[name], call)
        for name in (*self._connections, *self._cursors):
            self._check_bindings(name)
        for node in nodes:
            if isinstance(node, cst.Name) and id(node) not in self._targets and self._is_use(node):
                if node.value in self._connections:
                    self._connection_use(self._connections[node.value], node)
                elif node.value in self._cursors:
                    self._cursor_use(self._cursors[node.value], node)
        for cursor in self._cursors.values():
            cursor.executes.sort(key=lambda each: source.offset(each.call))
        return Uses(function, list(self._connections.values()), list(self._cursors.values()), list(self._references()))

    # ---- where names get their values

    def _global_changes(self) -> None:
        for call in self._source.find(cst.Call):
            name = self._source.resolve(call.func)
            if name.startswith(("psycopg2.extensions.register_", "psycopg2.extras.register_")):
                raise Unprovable(
                    f"`{self._source.code(call.func)}` changes how psycopg2 converts values in all of the program"
                )

    def _connection(self, call: cst.Call) -> None:
        target, item = self._target(call, "the connection")
        if target.value in self._connections:
            raise Unprovable(f"`{target.value}` is bound to several connections")
        self._connections[target.value] = Connection(target.value, call, item)

    def _cursor(self, connection: Connection, call: cst.Call) -> None:
        if not self._is_use(call.func.value if isinstance(call.func, cst.Attribute) else call):
            return
        target, item = self._target(call, "the cursor")
        if target.value in self._connections:
            raise Unprovable(f"`{target.value}` is bound to a connection and a cursor")
        factory = ""
        for arg in call.args:
            if arg.star or arg.keyword is None:
                raise Unprovable("named (server-side) cursors are made in another way in psycopg")
            if arg.keyword.value != "cursor_factory":
                raise Unprovable(
                    f"`{arg.keyword.value}=` is for named (server-side) cursors, which psycopg makes in another way"
                )
            factory = self.factory(arg.value)
        cursor = self._cursors.setdefault(target.value, Cursor(target.value, connection, factory=factory))
        if cursor.connection is not connection or cursor.factory != factory:
            raise Unprovable(f"`{target.value}` is bound to cursors of several kinds")
        cursor.opened.append(call)
        if item is not None:
            cursor.items.append(item)

    def factory(self, node: cst.BaseExpression) -> str:
        """Return the dotted name of a cursor class that has a twin."""
        name = self._source.resolve(node)
        if name not in FACTORIES:
            raise Unprovable(
                why_not(name)
                if name.startswith("psycopg2.")
                else f"`{self._source.code(node)}` is no known cursor class"
            )
        return name

    def _target(self, call: cst.Call, what: str) -> tuple[cst.Name, cst.WithItem | None]:
        source = self._source
        self._same_function(call)
        above = source.parent(call)
        target: cst.BaseExpression | None = None
        item: cst.WithItem | None = None
        if isinstance(above, cst.Assign) and len(above.targets) == 1:
            target = above.targets[0].target
        elif isinstance(above, cst.AnnAssign):
            target = above.target
        elif isinstance(above, cst.WithItem) and above.asname is not None:
            item, target = above, above.asname.name
        if isinstance(target, cst.Name):
            self._targets.add(id(target))
            return target, item
        outer = source.parent(above) if isinstance(above, cst.Arg) else None
        if isinstance(outer, cst.Call) and source.resolve(outer.func) == "contextlib.closing":
            raise Unprovable("`contextlib.closing` drops what is not committed, and `async with` of psycopg commits it")
        raise Unprovable(f"{what} is not kept in a name of its own ({self._line(call)}), so it may be used elsewhere")

    def _check_bindings(self, name: str) -> None:
        source = self._source
        found = source.scopes.lookup(name, self._function.body.body[0])
        if found is None or found[0].node is not self._function:
            raise Unprovable(f"`{name}` is not a name of this function alone")
        for bound in found[1]:
            node = bound.node
            if id(node) in self._targets:
                continue
            above = source.parent(node)
            assignment = source.parent(above) if isinstance(above, cst.AssignTarget) else above
            value = assignment.value if isinstance(assignment, (cst.Assign, cst.AnnAssign)) else None
            if not (isinstance(value, cst.Name) and value.value == "None"):
                raise Unprovable(f"`{name}` is bound to something else, too")
            self._targets.add(id(node))

    # ---- uses

    def _is_use(self, node: cst.CSTNode) -> bool:
        """Whether a name is a variable's, and that variable is this function's."""
        if not isinstance(node, cst.Name):
            return False
        above = self._source.parent(node)
        if isinstance(above, cst.Attribute) and above.attr is node:
            return False
        if isinstance(above, cst.Arg) and above.keyword is node:
            return False
        if isinstance(above, (cst.ImportAlias, cst.Param)):
            return False
        found = self._source.scopes.lookup(node.value, node)
        return found is not None and found[0].node is self._function

    def _same_function(self, node: cst.CSTNode) -> None:
        for above in self._source.ancestors(node):
            if above is self._function:
                return
            if isinstance(above, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
                raise Unprovable(f"a function inside the function uses it ({self._line(node)})")

    def _connection_use(self, connection: Connection, node: cst.Name) -> None:
        source = self._source
        self._same_function(node)
        above = source.parent(node)
        if isinstance(above, cst.WithItem):
            connection.blocks.append(above)
            return
        if self._is_test(node):
            return
        if not isinstance(above, cst.Attribute):
            raise self._handed_on(node)
        name, call = above.attr.value, self._called(above)
        if call is None and name in ("cursor", "commit", "rollback", "close"):
            raise self._handed_on(above)
        if name == "cursor":
            return  # found before
        if name in ("commit", "rollback", "close") and call is not None and not call.args:
            {"commit": connection.commits, "rollback": connection.rollbacks, "close": connection.closes}[name].append(
                call
            )
        elif name == "autocommit" and call is None:
            self._autocommit(connection, above)
        elif name in ("set_session", "set_isolation_level") and call is not None:
            self._session(connection, call, name)
        elif name == "closed" and self._is_test(above):
            connection.tests.append(above)
        else:
            raise Unprovable(WITHOUT_TWIN.get(name, f"psycopg has no `connection.{name}` that is known to do the same"))

    def _autocommit(self, connection: Connection, node: cst.Attribute) -> None:
        target = self._source.parent(node)
        if not isinstance(target, cst.AssignTarget):
            return  # reading it is the same
        assignment = self._source.parent(target)
        if not isinstance(assignment, cst.Assign) or len(assignment.targets) != 1:
            raise self._handed_on(node)
        connection.autocommit.append((assignment, assignment.value))

    def _session(self, connection: Connection, call: cst.Call, name: str) -> None:
        if len(call.args) == 1 and not call.args[0].star:
            (arg,) = call.args
            keyword = arg.keyword.value if arg.keyword is not None else ""
            if name == "set_session" and keyword == "autocommit":
                connection.autocommit.append((call, arg.value))
                return
            if name == "set_isolation_level" and not keyword and self._source.resolve(arg.value) == _AUTOCOMMIT:
                connection.autocommit.append((call, None))
                return
        raise Unprovable(f"psycopg has no `{name}`, but one method for each of its settings")

    def _cursor_use(self, cursor: Cursor, node: cst.Name) -> None:
        source = self._source
        self._same_function(node)
        above = source.parent(node)
        if isinstance(above, (cst.For, cst.CompFor)) and above.iter is node:
            cursor.loops.append(above)
        elif isinstance(above, cst.WithItem):
            cursor.items.append(above)
        elif isinstance(above, cst.Attribute):
            self._cursor_attribute(cursor, above)
        elif self._drains(above):
            cursor.drained.append(node)
        elif not self._is_test(node):
            raise self._handed_on(node)

    def _cursor_attribute(self, cursor: Cursor, node: cst.Attribute) -> None:
        name, call = node.attr.value, self._called(node)
        if call is None:
            above = self._source.parent(node)
            if name in _READS and not isinstance(above, cst.AssignTarget):
                cursor.reads.append(node)
                return
            if name == "closed" and self._is_test(node):
                return
            if name in _FETCHES or name in ("execute", "executemany", "close"):
                raise self._handed_on(node)
        elif name in ("execute", "executemany"):
            cursor.executes.append(self._execute(call, name == "executemany"))
            return
        elif name in _FETCHES:
            cursor.fetches.append(call)
            return
        elif name == "close" and not call.args:
            cursor.closes.append(call)
            return
        raise Unprovable(WITHOUT_TWIN.get(name, f"psycopg has no `cursor.{name}` that is known to do the same"))

    def _execute(self, call: cst.Call, many: bool) -> Execute:
        if not isinstance(self._source.parent(call), cst.Expr):
            raise Unprovable("`execute` gives None in psycopg2, and the cursor in psycopg")
        if any(arg.star for arg in call.args):
            raise Unprovable("the arguments of `execute` are unpacked")
        query = argument(call, 0, "query")
        if query is None:
            raise Unprovable("`execute` has no SQL")
        arguments = argument(call, 1, "vars_list" if many else "vars")
        if isinstance(arguments, cst.Name) and arguments.value == "None":
            arguments = None
        literal = literal_of(self._source, query)
        composed = composed_of(self._source, query) if literal is None else None
        text = literal.text if literal is not None else None if composed is None else composed.text
        sql = None if text is None else scan(text, parameters=arguments is not None)
        return Execute(call, query, literal, sql, arguments, many, () if composed is None else composed.classes)

    # ---- small questions

    def _called(self, node: cst.Attribute) -> cst.Call | None:
        above = self._source.parent(node)
        return above if isinstance(above, cst.Call) and above.func is node else None

    def _drains(self, above: cst.CSTNode | None) -> bool:
        if not isinstance(above, cst.Arg) or above.keyword is not None or above.star:
            return False
        call = self._source.parent(above)
        return isinstance(call, cst.Call) and call.args[0] is above and self._source.resolve(call.func) in _DRAINS

    def _is_test(self, node: cst.BaseExpression) -> bool:
        """Whether only the truth of a value matters, or whether it is None."""
        above = self._source.parent(node)
        if isinstance(above, (cst.If, cst.While, cst.IfExp, cst.Assert)):
            return above.test is node
        if isinstance(above, cst.UnaryOperation):
            return isinstance(above.operator, cst.Not)
        if isinstance(above, cst.BooleanOperation):
            return self._is_test(above)
        if isinstance(above, cst.Comparison) and above.left is node and len(above.comparisons) == 1:
            (target,) = above.comparisons
            against = target.comparator
            return (
                isinstance(target.operator, (cst.Is, cst.IsNot))
                and isinstance(against, cst.Name)
                and against.value == "None"
            )
        return False

    def _handed_on(self, node: cst.CSTNode) -> Unprovable:
        name = self._source.code(node)
        return Unprovable(f"`{name}` is handed on ({self._line(node)}), to code that expects psycopg2's")

    def _line(self, node: cst.CSTNode) -> str:
        return f"line {self._source.line_of(self._source.offset(node)[0])}"

    def _references(self) -> Iterator[tuple[cst.Name | cst.Attribute, str]]:
        for node in self._source.nodes(self._function):
            if not isinstance(node, (cst.Name, cst.Attribute)):
                continue
            above = self._source.parent(node)
            if isinstance(above, (cst.Attribute, cst.ImportAlias, cst.Import, cst.ImportFrom, cst.AsName)):
                continue
            if isinstance(above, cst.Arg) and above.keyword is node:
                continue
            name = self._source.resolve(node)
            if name.startswith("psycopg2."):
                yield node, name
