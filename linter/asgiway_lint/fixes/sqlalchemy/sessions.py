"""The session parameters that have to change together, and everything that is done with them.

A parameter's annotation can only say `AsyncSession` when every caller in the file hands one over, and every function that the session
is handed to takes one: so functions of a file change in groups, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import libcst as cst

from asgiway_lint.fixes.psycopg.editing import exported_names
from asgiway_lint.fixes.psycopg.uses import Unprovable
from asgiway_lint.fixes.source import FixSource
from asgiway_lint.fixes.sqlalchemy.dependencies import gives_asynchronous

__all__ = ["Group", "Parameter", "group_of", "parameter_of"]

# The synchronous classes, and their twins.
SESSIONS: Final = {
    "sqlalchemy.orm.Session": ("sqlalchemy.ext.asyncio", "AsyncSession"),
    "sqlalchemy.orm.session.Session": ("sqlalchemy.ext.asyncio", "AsyncSession"),
    "sqlmodel.Session": ("sqlmodel.ext.asyncio.session", "AsyncSession"),
}
_DEPENDS = frozenset(["fastapi.Depends", "fastapi.params.Depends", "fastapi.Security"])
_PASSIVE = frozenset(
    [
        "builtins.staticmethod",
        "builtins.classmethod",
        "abc.abstractmethod",
        "typing.override",
        "typing_extensions.override",
    ]
)


@dataclass(slots=True, eq=False)
class Parameter:
    """A parameter that takes a session.

    Args:
        function: whose it is.
        name: its name.
        annotation: the expression that names the class.
        module: where the class's twin is.
        twin: what it is called.
        alias: the name of the annotation that others have, too; empty if it stands in the parameter.
        uses: the names in the body that are this parameter.
    """

    function: cst.FunctionDef
    name: str
    annotation: cst.Name | cst.Attribute
    module: str
    twin: str
    alias: str = ""
    uses: list[cst.Name] = field(default_factory=list[cst.Name])


@dataclass(slots=True)
class Group:
    """Parameters that change together.

    Args:
        parameters: all of them.
        handed: names that are handed on to another of them.
    """

    parameters: list[Parameter]
    handed: set[int]


def parameter_of(source: FixSource, name: cst.BaseExpression, function: cst.FunctionDef) -> Parameter:
    """Return the parameter that a session's name stands for.

    Raises:
        Unprovable: it is none, or something else decides what it is.
    """
    if not isinstance(name, cst.Name):
        raise Unprovable(
            f"`{source.code(name)}` is no parameter of `{function.name.value}`, and may be used elsewhere, too"
        )
    found = source.scopes.lookup(name.value, name)
    if found is None or found[0].node is not function:
        raise Unprovable(f"`{name.value}` is no parameter of `{function.name.value}`")
    params = [param for bound in found[1] if isinstance(param := source.parent(bound.node), cst.Param)]
    if not params:
        raise Unprovable(
            f"`{name.value}` is made on a synchronous engine: `async_sessionmaker` makes one on an asynchronous engine"
        )
    if len(found[1]) != 1:
        raise Unprovable(f"`{name.value}` is bound to something else, too")
    (param,) = params
    return _parameter(source, function, param)


def _parameter(source: FixSource, function: cst.FunctionDef, param: cst.Param) -> Parameter:
    name = param.name.value
    if param.annotation is None:
        raise Unprovable(f"the parameter `{name}` has no annotation")
    annotation = param.annotation.annotation
    injected = False
    if param.default is not None:
        injected = True
        _check_dependency(source, name, param.default)
    node = annotation
    if isinstance(node, cst.Subscript) and source.resolve(node.value) in (
        "typing.Annotated",
        "typing_extensions.Annotated",
    ):
        inner = [element.slice.value for element in node.slice if isinstance(element.slice, cst.Index)]
        for extra in inner[1:]:
            injected = True
            _check_dependency(source, name, extra)
        node = inner[0]
    alias = _alias(source, node) if isinstance(node, cst.Name) else None
    if alias is not None:
        inner = [element.slice.value for element in alias.slice if isinstance(element.slice, cst.Index)]
        for extra in inner[1:]:
            injected = True
            _check_dependency(source, name, extra)
        assert isinstance(node, cst.Name)
        shared, node = node.value, inner[0]
        if not _is_own(source, shared):
            raise Unprovable(f"`{shared}` may be imported by other files, whose functions would get another session")
    else:
        shared = ""
    if isinstance(node, (cst.Name, cst.Attribute)) and (twin := SESSIONS.get(source.resolve(node))) is not None:
        if not injected:
            _check_callers(source, function, name)
        found = Parameter(function, name, node, *twin, shared)
        found.uses = list(_uses(source, function, name))
        return found
    raise Unprovable(f"the annotation of `{name}` is not simply the class of the session")


def _is_own(source: FixSource, name: str) -> bool:
    """Whether a name of the module is nobody else's, as far as the file says."""
    exported = exported_names(source)
    return name.startswith("_") or (exported is not None and name not in exported)


def _sharers(source: FixSource, alias: str) -> Iterator[Parameter]:
    """The parameters that are annotated with an alias, which changes for all of them."""
    for node in source.find(cst.Name):
        if node.value != alias:
            continue
        above = source.parent(node)
        if isinstance(above, (cst.AssignTarget, cst.TypeAlias)) or (
            isinstance(above, cst.AnnAssign) and above.target is node
        ):
            continue
        param = source.parent(above) if isinstance(above, cst.Annotation) else None
        function = source.enclosing(param, cst.FunctionDef) if isinstance(param, cst.Param) else None
        if not isinstance(param, cst.Param) or function is None:
            raise Unprovable(f"`{alias}` is used for something else than parameters, too")
        if function.asynchronous is None:
            raise Unprovable(f"`{function.name.value}` has `{alias}`, too, and is synchronous")
        yield _parameter(source, function, param)


def _check_callers(source: FixSource, function: cst.FunctionDef, name: str) -> None:
    """Somebody who looks at names and annotations may give the session, and give a synchronous one."""
    if function.name.value.startswith("test"):
        raise Unprovable(f"a fixture gives `{name}`, and decides what it is")
    for decorator in function.decorators:
        if source.resolve(decorator.decorator) not in _PASSIVE:
            raise Unprovable(f"`@{source.code(decorator.decorator)}` may give `{name}`, and decide what it is")


def _alias(source: FixSource, node: cst.Name) -> cst.Subscript | None:
    """`SessionDep = Annotated[Session, Depends(get_session)]`"""
    found = source.scopes.lookup(node.value, node)
    for bound in found[1] if found is not None else ():
        above = source.parent(bound.node)
        made = source.parent(above) if isinstance(above, cst.AssignTarget) else above
        if isinstance(made, (cst.Assign, cst.AnnAssign, cst.TypeAlias)) and isinstance(made.value, cst.Subscript):
            return made.value
    return None


def _check_dependency(source: FixSource, name: str, node: cst.BaseExpression) -> None:
    """A dependency decides what the session is: it must be one that gives asynchronous ones."""
    if not isinstance(node, cst.Call) or source.resolve(node.func) not in _DEPENDS:
        raise Unprovable(f"`{name}` has a default value")
    if not node.args:
        raise Unprovable(f"`{name}` has a default value")
    dependency = node.args[0].value
    if not gives_asynchronous(source, dependency):
        raise Unprovable(
            f"`{source.code(dependency)}` gives the session, a synchronous one as far as can be seen: let it yield an "
            "`AsyncSession` first, and say so in its annotation"
        )


def _function(source: FixSource, node: cst.BaseExpression) -> cst.FunctionDef | None:
    """The function of this file that a name stands for, and nothing else does."""
    if not isinstance(node, cst.Name):
        return None
    found = source.scopes.lookup(node.value, node)
    if found is None or len(found[1]) != 1 or not isinstance(found[1][0].node, cst.FunctionDef):
        return None
    return found[1][0].node


def _uses(source: FixSource, function: cst.FunctionDef, name: str) -> Iterator[cst.Name]:
    for node in source.find(cst.Name, function.body):
        if node.value != name:
            continue
        above = source.parent(node)
        if (isinstance(above, cst.Attribute) and above.attr is node) or (
            isinstance(above, cst.Arg) and above.keyword is node
        ):
            continue
        found = source.scopes.lookup(name, node)
        if found is None or found[0].node is not function:
            continue
        for between in source.ancestors(node):
            if between is function:
                break
            if isinstance(between, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
                raise Unprovable(f"a function inside `{function.name.value}` uses `{name}`")
        yield node


def group_of(source: FixSource, first: Parameter) -> Group:
    """Return a parameter with all that have to change with it.

    Raises:
        Unprovable: one of them cannot.
    """
    group = Group([], set())
    waiting = [first]
    while waiting:
        parameter = waiting.pop()
        if any(known.function is parameter.function and known.name == parameter.name for known in group.parameters):
            continue
        if parameter.function.asynchronous is None:
            raise Unprovable(f"`{parameter.function.name.value}` in this file is synchronous, and shares the session")
        group.parameters.append(parameter)
        for use in parameter.uses:
            arg = source.parent(use)
            call = source.parent(arg) if isinstance(arg, cst.Arg) else None
            if isinstance(arg, cst.Arg) and isinstance(call, cst.Call) and not _is_method(call, parameter):
                waiting.append(_receiver(source, use, arg, call))
                group.handed.add(id(use))
        waiting += _givers(source, parameter)
        if parameter.alias:
            waiting += _sharers(source, parameter.alias)
    group.parameters.sort(key=lambda each: source.offset(each.annotation))
    return group


def _is_method(call: cst.Call, parameter: Parameter) -> bool:
    """`session.execute(...)`: what its arguments are is no concern here."""
    return (
        isinstance(call.func, cst.Attribute)
        and isinstance(call.func.value, cst.Name)
        and call.func.value.value == parameter.name
    )


def _receiver(source: FixSource, use: cst.Name, arg: cst.Arg, call: cst.Call) -> Parameter:
    function = _function(source, call.func)
    problem = Unprovable(
        f"`{use.value}` is handed on to `{source.code(call.func)}`, which may expect a synchronous session"
    )
    if function is None or source.enclosing(function, cst.ClassDef, cst.FunctionDef) is not None:
        raise problem
    param = _taken_by(function, arg, call)
    if param is None:
        raise problem
    if function.asynchronous is None:
        raise Unprovable(f"`{use.value}` is handed on to `{function.name.value}`, which is synchronous")
    return _parameter(source, function, param)


def _taken_by(function: cst.FunctionDef, arg: cst.Arg, call: cst.Call) -> cst.Param | None:
    """The parameter that an argument becomes."""
    params = [*function.params.posonly_params, *function.params.params]
    if arg.star or any(each.star for each in call.args):
        return None
    if arg.keyword is not None:
        wanted = arg.keyword.value
        return next((each for each in (*params, *function.params.kwonly_params) if each.name.value == wanted), None)
    position = next(index for index, each in enumerate(call.args) if each is arg)
    return params[position] if position < len(params) else None


def _givers(source: FixSource, parameter: Parameter) -> Iterator[Parameter]:
    """The parameters of other functions that become this one, by calls in this file."""
    function = parameter.function
    owner = source.enclosing(function, cst.ClassDef, cst.FunctionDef)
    for call in source.find(cst.Call):
        if isinstance(owner, cst.ClassDef):
            if isinstance(call.func, cst.Attribute) and call.func.attr.value == function.name.value:
                raise Unprovable(
                    f"`{source.code(call.func)}` is called in this file, with a session that may be synchronous"
                )
            continue
        if not isinstance(call.func, cst.Name) or call.func.value != function.name.value:
            continue
        found = source.scopes.lookup(call.func.value, call.func)
        bounds = [] if found is None else [bound.node for bound in found[1]]
        if not any(bound is function for bound in bounds):
            continue
        if len(bounds) > 1:
            raise Unprovable(f"`{function.name.value}` is the name of several things in this file")
        arg = next(
            (
                each
                for each in call.args
                if _taken_by(function, each, call) is not None and _is(function, each, call, parameter)
            ),
            None,
        )
        giver = source.enclosing_function(call)
        if arg is None or giver is None or not isinstance(arg.value, cst.Name):
            raise Unprovable(f"`{function.name.value}` is called in this file with a session that may be synchronous")
        yield parameter_of(source, arg.value, giver)


def _is(function: cst.FunctionDef, arg: cst.Arg, call: cst.Call, parameter: Parameter) -> bool:
    taken = _taken_by(function, arg, call)
    return taken is not None and taken.name.value == parameter.name
