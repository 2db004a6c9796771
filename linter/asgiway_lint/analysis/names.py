"""What a name may be: scopes, imports, star imports, parameters, builtins."""

from __future__ import annotations

import builtins
import os
from typing import TYPE_CHECKING, Final

from asgiway_lint.analysis import calls, declared
from asgiway_lint.analysis.reach import END, reaching
from asgiway_lint.analysis.values import (
    AWAITABLE,
    CLASS,
    EXT,
    INSTANCE,
    ITEMS,
    MAPPING,
    MODULE,
    NOTHING,
    OBJECT,
    Place,
    Value,
    Values,
    union,
)
from asgiway_lint.facts import model
from asgiway_lint.facts.model import Expr, Facts, Scope
from asgiway_lint.project.modules import Module, parent

if TYPE_CHECKING:
    from asgiway_lint.analysis.evaluate import Evaluator

__all__ = [
    "find",
    "imported",
    "imported_from",
    "imports_of",
    "is_fixed",
    "lookup",
    "member",
    "module_of",
    "module_value",
    "parameter",
]

_BUILTINS: Final = frozenset(dir(builtins))
_DEPENDS: Final = frozenset(
    {"fastapi.Depends", "fastapi.Security", "fastapi.params.Depends", "fastapi.param_functions.Depends"}
)
# Parameters that pytest fills by their name, and the classes of what it gives.
_FIXTURES: Final = {"tmp_path": "pathlib.Path"}
_MAKES_FIXTURES: Final = frozenset({"pytest.fixture", "pytest_asyncio.fixture"})


def lookup(evaluator: Evaluator, name: str, place: Place, *, within: bool = True) -> Values:
    """What `name` may be at `place`; not `within` for code that runs later, in a function inside of that scope."""
    facts = evaluator.facts(place.path)
    if facts is None:
        return NOTHING
    scopes = facts.scopes
    index, seq, block = place.scope, place.seq, place.block
    first = within
    while index >= 0:
        scope = scopes[index]
        if scope.kind != "class" or first:
            bindings = scope.bindings.get(name)
            if bindings is not None:
                seen = reaching(facts.blocks, bindings, seq, block)
                # A class body falls back to what is outside; everywhere else a name that is bound is local.
                if len(seen) == 1:
                    return evaluator.binding(place.path, index, seen[0])
                # A name of which only conditions say something is bound further out.
                if seen or (scope.kind != "class" and any(binding.kind != "narrow" for binding in bindings)):
                    return union([evaluator.binding(place.path, index, binding) for binding in seen])
            if scope.stars:
                found = _from_stars(evaluator, place.path, scope, name)
                if found:
                    return found
        if scope.kind in ("comp", "gen", "class"):  # runs where it stands
            if seq > scope.seq and seq != END:
                seq, block = scope.seq, scope.block
            first = scope.kind != "class" and first
        elif scope.parent >= 0:  # runs later
            return evaluator.outside(name, place.path, scope.parent)
        index = scope.parent
    return ((EXT, f"builtins.{name}"),) if name in _BUILTINS else NOTHING


def is_fixed(evaluator: Evaluator, expr: Expr, place: Place) -> bool:
    """Whether a dotted name means the same wherever it stands in its function: it begins with a parameter that stays what it is."""
    while expr[0] == model.ATTR:
        expr = expr[1]
    facts = evaluator.facts(place.path) if expr[0] == model.NAME else None
    if facts is None:
        return False
    bindings = facts.scopes[place.scope].bindings.get(expr[1], ())
    return len(bindings) == 1 and bindings[0].kind == "param"


def _from_stars(evaluator: Evaluator, path: str, scope: Scope, name: str) -> Values:
    if name.startswith("_"):
        return NOTHING
    for _, _, module, level in reversed(scope.stars):
        found = find(evaluator, path, module, level)
        if found is not None:
            values = member(evaluator, found, name)
            if values:
                return values
        elif not level:
            dotted = f"{module}.{name}"
            catalogue = evaluator.catalogue
            if (
                catalogue.find(dotted)
                or catalogue.is_type(dotted)
                or catalogue.result_type(dotted)
                or catalogue.wrapper(dotted)
            ):
                return ((EXT, dotted),)
    return NOTHING


def module_value(module: Module) -> Value:
    """The value that a module of the project is."""
    return (MODULE, module.path, module.folder)


def find(evaluator: Evaluator, path: str, module: str, level: int) -> Module | None:
    """The module that an import in the file `path` means; None if it is not in the project."""
    if evaluator.kept:
        evaluator.ask(imports_of(module), ("find", importer(path, module), module, level))
    return evaluator.finder.find(path, module, level)


def imports_of(module: str) -> str:
    """In the place of a file, what questions about the imports of a module are about: that may come or go with any file."""
    return f"\0{module}"


def module_of(subject: str) -> str | None:
    """The module that `imports_of` was asked for; None for a file."""
    return subject[1:] if subject.startswith("\0") else None


def importer(path: str, module: str) -> str:
    """What it depends on what an import means: the folder; of a file with the module's name, which does not import itself, the file."""
    folder, _, name = path.rpartition(os.sep)
    last = module.rpartition(".")[2]
    if last in (name.removesuffix(".py"), folder.rpartition(os.sep)[2]):
        return path
    return f"{folder}{os.sep}?"


def imported(evaluator: Evaluator, path: str, dotted: str, *, whole: bool) -> Values:
    """What ``import dotted`` binds: its first part, or all of it with an ``as``."""
    module = find(evaluator, path, dotted, 0)
    top = dotted.partition(".")[0]
    if module is None:
        if "." in dotted and not whole:
            # `import package.missing` of a package that is in the project
            outer = find(evaluator, path, top, 0)
            if outer is not None:
                return (module_value(outer),)
        return ((EXT, dotted if whole else top),)
    if whole or "." not in dotted:
        return (module_value(module),)
    outer = find(evaluator, path, top, 0)
    if outer is not None:
        return (module_value(outer),)
    # The outermost folder is a namespace package: as many folders up as there are dots.
    folder = module.folder or module.path
    for _ in range(dotted.count(".")):
        folder = parent(folder)
    return ((MODULE, "", folder),)


def imported_from(evaluator: Evaluator, path: str, module: str, name: str, level: int) -> Values:
    """What ``from module import name`` binds."""
    found = find(evaluator, path, module, level)
    if found is None:
        # `from package import name`, where the package is a folder without __init__.py
        if not level:
            whole = find(evaluator, path, f"{module}.{name}", 0)
            return (module_value(whole),) if whole is not None else ((EXT, f"{module}.{name}"),)
        return NOTHING
    return member(evaluator, found, name)


def member(evaluator: Evaluator, module: Module, name: str) -> Values:
    """What `name` in a module of the project may be, from outside.

    Args:
        evaluator: the run's evaluator.
        module: the module.
        name: the name.
    """
    path = module.path or module.folder
    evaluator.ask(path, ("member", module.path, module.folder, name))
    return evaluator.once(("member", path, module.folder, name), lambda: _member(evaluator, module, name))


def _member(evaluator: Evaluator, module: Module, name: str) -> Values:
    facts: Facts | None = evaluator.facts(module.path) if module.path else None
    if facts is not None:
        scope = facts.scopes[0]
        bindings = scope.bindings.get(name)
        if bindings is not None:
            seen = reaching(facts.blocks, bindings, END, 0)
            found = union([evaluator.binding(module.path, 0, binding) for binding in seen])
            if found or not module.folder:
                return found
        elif scope.stars:
            found = _from_stars(evaluator, module.path, scope, name)
            if found:
                return found
    inner = evaluator.finder.submodule(module, name)
    return (module_value(inner),) if inner is not None else NOTHING


def parameter(evaluator: Evaluator, path: str, index: int, position: int) -> Values:
    """What a parameter may be: by its annotation, as ``self`` or ``cls``, by FastAPI's ``Depends``, by its default."""
    facts = evaluator.facts(path)
    assert facts is not None
    scope = facts.scopes[index]
    param = scope.params[position]
    # Annotations and defaults are evaluated outside; names of later code count, as annotations may be strings.
    place = evaluator.end_of(path, scope.parent)
    if position == 0 and param.kind == "pos" and facts.scopes[scope.parent].kind == "class":
        static = False
        for decorator in scope.decorators:
            for name in evaluator.names_of(evaluator.values(decorator, place)):
                if name == "builtins.classmethod":
                    return ((CLASS, path, scope.parent),)
                static |= name == "builtins.staticmethod"
        if not static:
            if scope.name in ("__new__", "__init_subclass__", "__class_getitem__"):
                return ((CLASS, path, scope.parent),)
            return ((OBJECT, path, scope.parent),)
    found = NOTHING
    if param.annotation is not None:
        found = declared.instances(evaluator, param.annotation, place)
    if param.kind == "*":
        return ((ITEMS, found),)
    if param.kind == "**":
        return ((MAPPING, found),)
    if not found and param.default is not None:
        found = depended(evaluator, param.default, path)
        if not found and param.default[0] != model.CONST:
            found = evaluator.values(param.default, place)
    if not found and param.name in _FIXTURES and param.annotation is None and param.default is None:
        found = _of_pytest(evaluator, scope, param.name, place)
    return found


def _of_pytest(evaluator: Evaluator, scope: Scope, name: str, place: Place) -> Values:
    """What pytest hands to a test or a fixture for a parameter by this name, unless the file has a fixture of that name."""
    if lookup(evaluator, name, place):
        return NOTHING
    given = scope.name.startswith("test_")
    for decorator in scope.decorators:
        expr = evaluator.call(place.path, decorator[1]).callee if decorator[0] == model.CALL else decorator
        given |= not _MAKES_FIXTURES.isdisjoint(evaluator.names_of(evaluator.values(expr, place)))
    return ((INSTANCE, _FIXTURES[name]),) if given else NOTHING


def depended(evaluator: Evaluator, expr: Expr, path: str) -> Values:
    """What FastAPI hands over for ``Depends(function)``: its result, or what it yields; nothing if `expr` is no such call."""
    if expr[0] != model.CALL:
        return NOTHING
    call = evaluator.call(path, expr[1])
    if not any(name in _DEPENDS for name in evaluator.names_of(evaluator.callee(path, call))):
        return NOTHING
    place = Place(path, call.scope, call.seq, call.block)
    given = call.args[0] if call.args else next((value for name, value in call.keywords if name == "dependency"), None)
    if given is None:
        return NOTHING
    parts: list[Values] = []
    for function in evaluator.values(given, place):
        for result in calls.called(evaluator, function, None, path):
            if result[0] in (AWAITABLE, ITEMS):
                parts.append(result[1])
            else:
                parts.append((result,))
    return union(parts)
