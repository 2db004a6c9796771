"""What a rewrite of a whole function is put together from: edits, imports, notes; and where an `await` may be put."""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst

from asgiway_lint.finding import Finding
from asgiway_lint.fixes.awaits import interleaving
from asgiway_lint.fixes.contexts import await_refusal, parenthesised
from asgiway_lint.fixes.imports import reference
from asgiway_lint.fixes.model import Edit, NeededImport
from asgiway_lint.fixes.psycopg.literals import Literal
from asgiway_lint.fixes.psycopg.uses import Unprovable
from asgiway_lint.fixes.source import FixSource

__all__ = ["Draft", "exported_names", "findings_in", "is_private"]


@dataclass(slots=True)
class Draft:
    """A fix while it is made.

    Args:
        source: the file.
        edits: what changes.
        imports: what the new code needs.
        notes: what to look at afterwards.
    """

    source: FixSource
    edits: list[Edit] = field(default_factory=list[Edit])
    imports: list[NeededImport] = field(default_factory=list[NeededImport])
    notes: list[str] = field(default_factory=list[str])

    def name(self, node: cst.CSTNode, module: str, name: str) -> str:
        """Return how to write `module.name` at a node's place, and remember the import that it takes."""
        found = reference(self.source, node, module, name)
        if found is None:
            raise Unprovable(f"`{module}` is the name of something else in this file")
        self.imports += [needed for needed in found.imports if needed not in self.imports]
        return found.text

    def replace(self, node: cst.CSTNode, text: str) -> None:
        """Put another text in the place of a node; parentheses around it stay."""
        start, end = self.source.offset(node)
        self.edits.append(Edit(start, end, text))

    def insert(self, offset: int, text: str) -> None:
        """Insert a text."""
        self.edits.append(Edit(offset, offset, text))

    def awaited(self, call: cst.Call, *, closing: bool = False) -> None:
        """Put an `await` in front of a call, in parentheses where it takes some.

        Args:
            call: the call.
            closing: whether it ends the use of a connection of this function's own, which is done wherever it stands.
        """
        self.allowed(call, closing=closing)
        self.heed(call)
        before, _, after = parenthesised(self.source, call, "\0").partition("\0")
        start, end = self.source.offset(call)
        self.insert(start, f"{before}await ")
        if after:
            self.insert(end, after)

    def heed(self, node: cst.CSTNode) -> None:
        """Note what other tasks may do while a statement waits at a node."""
        if reason := interleaving(self.source, node):
            line = self.source.line_of(self.source.offset(node)[0])
            self.notes.append(f"line {line}: {reason}")

    def allowed(self, node: cst.CSTNode, *, closing: bool = False) -> None:
        """Make sure that an `await` may be put at a place."""
        reason = await_refusal(self.source, node)
        if reason and closing:
            around: cst.CSTNode | None = self.source.enclosing(node, cst.Finally, cst.ExceptHandler)
            while reason and around is not None:
                statement = self.source.parent(around)
                assert statement is not None
                reason = await_refusal(self.source, statement)
                around = self.source.enclosing(statement, cst.Finally, cst.ExceptHandler)
        if reason:
            line = self.source.line_of(self.source.offset(node)[0])
            raise Unprovable(f"line {line}: an `await` would be {reason}")

    def asynchronous_with(self, statement: cst.With, ours: set[int]) -> None:
        """Make `with` an `async with`, if all its items can be."""
        if statement.asynchronous is not None:
            raise Unprovable("psycopg2's connections and cursors cannot be used with `async with`")
        for item in statement.items:
            if id(item) not in ours:
                raise Unprovable(f"`with` also enters `{self.source.code(item.item)}`: give it a `with` of its own")
        self.allowed(statement)
        self.insert(self.source.offset(statement)[0], "async ")

    def asynchronous_for(self, loop: cst.For | cst.CompFor) -> None:
        """Make `for` an `async for`."""
        if isinstance(loop, cst.CompFor):
            comprehension = self.source.enclosing(loop, cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)
            assert comprehension is not None
            if isinstance(comprehension, cst.GeneratorExp):
                raise Unprovable("a generator expression over a cursor would become an asynchronous one")
            self.allowed(comprehension)
            gap = len(self.source.module.code_for_node(loop.whitespace_after_for))
            start = self.source.outer_offset(loop.target)[0] - gap - len("for")
        else:
            self.allowed(loop)
            start = self.source.offset(loop)[0]
        if not self.source.text.startswith("for", start):
            raise Unprovable("the `for` is not where it should be")
        self.insert(start, "async ")

    def literal(self, literal: Literal, start: int, end: int, text: str) -> None:
        """Change a piece of a text that stands in the source."""
        span = literal.span(start, end)
        if span is None:
            raise Unprovable("a piece of the SQL that has to change is split between two literals")
        edit = Edit(*span, text)
        if edit not in self.edits:  # a constant that is executed twice
            self.edits.append(edit)

    def finished(self) -> tuple[Edit, ...]:
        """Return the edits in order; insertions at one place in the order in which they were made."""
        return tuple(sorted(self.edits, key=lambda edit: (edit.start, edit.end)))


def findings_in(
    source: FixSource, function: cst.FunctionDef, findings: list[Finding], prefix: str
) -> tuple[Finding, ...]:
    """Return the findings of a function's own body whose symbol starts with a prefix, those through helpers left out."""
    return tuple(
        finding
        for finding in findings
        if finding.symbol.startswith(prefix)
        and not finding.chain
        and (node := source.node_at(finding)) is not None
        and source.enclosing_function(node) is function
    )


def is_private(source: FixSource, literal: Literal, users: set[int]) -> bool:
    """Whether a constant may change: everybody who reads it is one of these nodes.

    Args:
        source: the file.
        literal: a text that is bound to a name.
        users: ids of the expressions that read it and change with it.
    """
    assert literal.home is not None
    for node in source.find(cst.Name):
        if node.value != literal.name or id(node) in users:
            continue
        above = source.parent(node)
        if isinstance(above, (cst.AssignTarget, cst.AnnAssign)) and literal.home in (above, source.parent(above)):
            continue
        if isinstance(above, cst.Attribute) and above.attr is node:
            continue
        if isinstance(above, cst.Arg) and above.keyword is node:
            continue
        return False
    if source.enclosing_function(literal.home) is not None or literal.name.startswith("_"):
        return True
    exported = exported_names(source)
    return exported is not None and literal.name not in exported


def exported_names(source: FixSource) -> frozenset[str] | None:
    """Return the names in `__all__`; None if there is none that can be read."""
    for assignment in source.find(cst.Assign):
        target = assignment.targets[0].target
        if (
            isinstance(target, cst.Name)
            and target.value == "__all__"
            and isinstance(assignment.value, (cst.List, cst.Tuple))
        ):
            values = [element.value for element in assignment.value.elements]
            if all(isinstance(value, cst.SimpleString) for value in values):
                return frozenset(str(value.evaluated_value) for value in values if isinstance(value, cst.SimpleString))
    return None
