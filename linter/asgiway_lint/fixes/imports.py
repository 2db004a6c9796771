"""How new code names what it needs: through an import that is there already, else through one more at the top of the module.

`reference` decides at one place, and knows what else a name may mean there; `placement` (its own module) says where the statement goes.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from asgiway_lint.fixes.model import NeededImport
from asgiway_lint.fixes.scopes import Bound, Table, dotted_text
from asgiway_lint.fixes.source import FixSource

__all__ = ["Reference", "reference"]

# Packages that import these submodules of theirs, so that `import trio` is enough for `trio.to_thread`.
_EAGER = frozenset(["anyio.to_thread", "trio.to_thread", "os.path"])
# Modules whose functions everybody imports by name.
_BY_NAME = frozenset(["asgiref.sync", "psycopg.rows", "sqlalchemy.ext.asyncio", "sqlmodel.ext.asyncio.session"])


@dataclass(frozen=True, slots=True)
class Reference:
    """A spelling that works at a place: its text, and the imports that it needs."""

    text: str
    imports: tuple[NeededImport, ...] = ()


def reference(
    source: FixSource, node: cst.CSTNode, module: str, name: str, *, by_name: bool = False
) -> Reference | None:
    """Return how to write `module.name` at the place of a node; None if all spellings mean something else there.

    Args:
        source: the file.
        node: where it is to be written.
        module: dotted name of the module: `anyio.to_thread`.
        name: what is wanted of it: `run_sync`; may be dotted.
        by_name: whether a new import had better be of the name than of its module.
    """
    bound = max(_bound(source, node, module, name), key=lambda item: (len(item[1]), item[0]), default=None)
    if bound is not None:
        text, dotted = bound
        return Reference(text + f"{module}.{name}"[len(dotted) :])
    for needed in _spellings(module, name, by_name or module in _BY_NAME):
        if _free(source, node, needed):
            full = f"{needed.module}.{needed.name}" if needed.name else needed.binding
            return Reference(needed.binding + f"{module}.{name}"[len(full) :], (needed,))
    return None


def _spellings(module: str, name: str, prefer_name: bool) -> Iterator[NeededImport]:
    """The imports to choose from, the customary one first."""
    parent, _, last = module.rpartition(".")
    of_name = NeededImport(module=module, name=name.partition(".")[0])
    if module in _EAGER:
        of_module = NeededImport(module=parent)
    else:
        of_module = NeededImport(module=parent, name=last) if parent else NeededImport(module=module)
    yield from (of_name, of_module) if prefer_name else (of_module, of_name)


def _free(source: FixSource, node: cst.CSTNode, needed: NeededImport) -> bool:
    """Whether the name that an import binds means the same, or nothing yet, wherever the module might use it."""
    same = f"{needed.module}.{needed.name}" if needed.name else needed.module.partition(".")[0]
    if needed.name and hasattr(builtins, needed.binding):
        return False
    found = source.scopes.lookup(needed.binding, node)
    if found is not None and found[0] is not source.scopes.module:
        return False  # a function's own name, be it that of an import that has not been executed here
    return all(bound.dotted == same for bound in source.scopes.module.names.get(needed.binding, ()))


def _bound(source: FixSource, node: cst.CSTNode, module: str, name: str) -> Iterator[tuple[str, str]]:
    """The names visible at a node that are, or lead to, what is wanted, each with what it is bound to."""
    table: Table | None = source.scopes.of(node)
    wanted = f"{module}.{name}"
    while table is not None:
        for text, bounds in table.names.items():
            dotted = bounds[0].dotted
            if not dotted or not f"{wanted}.".startswith(f"{dotted}."):
                continue
            found = source.scopes.lookup(text, node)
            if found is None or found[0] is not table or any(bound.dotted != dotted for bound in bounds):
                continue
            usable = [bound for bound in bounds if _there(source, bound, node)]
            if any(_reaches(bound, dotted, module, wanted) for bound in usable):
                yield text, dotted
        table = table.parent


def _reaches(bound: Bound, dotted: str, module: str, wanted: str) -> bool:
    """Whether the attributes from what is bound to what is wanted exist: a package need not have imported its submodules."""
    if dotted in (module, wanted) or dotted.startswith(f"{module}.") or module in _EAGER:
        return True
    if not isinstance(bound.node, cst.Import):
        return False
    return any(alias.asname is None and dotted_text(alias.name) == module for alias in bound.node.names)


def _there(source: FixSource, bound: Bound, node: cst.CSTNode) -> bool:
    """Whether an import has certainly been executed when a node is."""
    if bound.typing_only:
        return False
    line = source.parent(bound.node)
    block = source.parent(line) if line is not None else None
    if isinstance(block, cst.Module):
        return True
    above = source.ancestors(node)
    return any(each is block for each in above) and source.offset(bound.node)[0] < source.offset(node)[0]
