"""asyncio's form: the process is started and waited for above the statement, which then uses what has come of it.

process = await asyncio.create_subprocess_exec("git", "log", stdout=subprocess.PIPE)
stdout, _ = await process.communicate()
"""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from asgiway_lint.finding import Finding
from asgiway_lint.fixes.create_subprocess.command import Command, input_of, text_of
from asgiway_lint.fixes.drafting import Unclear, is_use, shown
from asgiway_lint.fixes.imports import reference
from asgiway_lint.fixes.model import Applicability, Edit, Fix, NeededImport
from asgiway_lint.fixes.source import FixSource

__all__ = ["execed"]

_REASON = "a task that is cancelled leaves the process running: kill it then, if it must not outlive the task"
_DECODED = "text is decoded as UTF-8, whatever the locale says, and `\\r\\n` stays what it is"
_RESULTS = frozenset(["returncode", "stdout", "stderr"])


@dataclass(slots=True)
class _Names:
    """Names that are free in the function, and imports."""

    source: FixSource
    call: cst.Call
    taken: frozenset[str]
    imports: list[NeededImport]

    def free(self, name: str) -> str:
        number = 2
        chosen = name
        while chosen in self.taken:
            chosen = f"{name}_{number}"
            number += 1
        return chosen

    def of(self, module: str, name: str) -> str:
        found = reference(self.source, self.call, module, name)
        if found is None:
            raise Unclear(f"`{module}` is the name of something else here")
        self.imports += found.imports
        return found.text


def execed(source: FixSource, command: Command, finding: Finding) -> Fix:
    """Return the fix of a call; its statement has to begin with it, so that nothing else is evaluated before."""
    call = command.call
    statement = _statement(source, call)
    function = source.enclosing_function(call)
    assert function is not None
    names = _Names(
        source, call, frozenset(name.value for name in source.find(cst.Name, function) if is_use(source, name)), []
    )
    target, attribute = _target(source, command)
    alone = isinstance(source.parent(target), cst.Expr)
    start, end = source.offset(statement)[0], source.offset(target)[1]
    head = source.text[start : source.offset(target)[0]]
    if "\n" in head or "\r" in head or "#" in head:
        raise Unclear("the statement begins in another line than the call")
    whole = command.function == "run" and not attribute and not alone
    streams = [name for name in ("stdout", "stderr") if command.captured(name)]
    wanted = [name for name in streams if command.check or whole or name == attribute]
    if command.function == "check_output" and not alone:
        wanted = wanted or ["stdout"]
    process = names.free("process")
    bound = {name: names.free(name) for name in wanted}
    texts = {
        name: text + (f".decode({command.decode})" if command.decode is not None else "")
        for name, text in bound.items()
    }
    lines: list[str] = []
    program = _program(source, command, names, lines, again=command.check or whole)
    lines.append(_started(source, command, names, process, program))
    lines.append(_waited(source, command, process, bound, streams, names))
    if command.check:
        error = names.of("subprocess", "CalledProcessError")
        unit = _unit(source, function)
        lines += [
            f"if {process}.returncode:",
            f"{unit}raise {error}({process}.returncode, {program.again}{_results(texts)})",
        ]
    if not alone:
        if whole:
            made = names.of("subprocess", "CompletedProcess")
            result = f"{made}({program.again}, {process}.returncode{_results(texts)})"
        elif attribute == "returncode" or command.function in ("call", "check_call"):
            result = f"{process}.returncode"
        else:
            result = texts[attribute or "stdout"]
        lines.append(head + result)
    indent, newline = source.indent_at(start), source.newline
    return Fix(
        name="create-subprocess",
        title=f"Replace `subprocess.{command.function}` by `asyncio.{program.function}`",
        applicability=Applicability.UNSAFE,
        reason=_REASON,
        edits=(Edit(start, end, f"{newline}{indent}".join(lines)),),
        imports=tuple(dict.fromkeys(names.imports)),
        notes=(_DECODED,) if command.decode is not None else (),
        removes=(finding,),
    )


# ---- the pieces


@dataclass(frozen=True, slots=True)
class _Program:
    """The command as arguments of the function that starts it, and as it is written once more."""

    function: str
    arguments: list[str]
    again: str


def _program(source: FixSource, command: Command, names: _Names, lines: list[str], *, again: bool) -> _Program:
    node = command.program
    text = text_of(source, node)
    function = "create_subprocess_shell" if command.shell else "create_subprocess_exec"
    if isinstance(node, cst.Name):
        return _Program(function, [f"*{text}"], text)
    plain = "\n" not in text and "\r" not in text and len(text) <= 60
    if isinstance(node, (cst.List, cst.Tuple)):
        plain = plain and all(isinstance(each.value, (cst.SimpleString, cst.Name)) for each in node.elements)
        plain = plain and not any(isinstance(each, cst.StarredElement) for each in node.elements)
        elements = [_element(source, each) for each in node.elements]
    else:
        elements = [text]
    if not again or plain:
        return _Program(function, elements, text)
    name = names.free("command")
    lines.append(f"{name} = {_moved(source, command.call, node)}")
    return _Program(function, [name if command.shell else f"*{name}"], name)


def _moved(source: FixSource, call: cst.Call, node: cst.BaseExpression) -> str:
    """The text of a list in lines of its own, as far to the left as the call."""
    text = text_of(source, node)
    first = source.indent_at(source.outer_offset(node)[0])
    deeper = first.removeprefix(source.indent_at(source.offset(call)[0]))
    lines = text.splitlines(keepends=True)
    in_string = any("\n" in string.value for string in source.find(cst.SimpleString, node))
    if (
        in_string
        or any(source.find(cst.FormattedString, node))
        or not all(line.startswith(first) for line in lines[1:])
    ):
        return text
    outer = first.removesuffix(deeper)
    return "".join([lines[0], *(outer + line.removeprefix(first) for line in lines[1:])])


def _element(source: FixSource, element: cst.BaseElement) -> str:
    text = text_of(source, element.value)
    return f"*{text}" if isinstance(element, cst.StarredElement) else text


def _started(source: FixSource, command: Command, names: _Names, process: str, program: _Program) -> str:
    arguments = list(program.arguments)
    for name in ("stdin", "stdout", "stderr"):
        if name == "stdin" and command.input is not None:
            arguments.append(f"stdin={names.of('subprocess', 'PIPE')}")
        elif name in command.streams:
            text = command.stream_texts.get(name) or names.of("subprocess", command.streams[name])
            arguments.append(f"{name}={text}")
    for each in command.passed:
        assert each.keyword is not None
        arguments.append(f"{each.keyword.value}={text_of(source, each.value)}")
    function = names.of("asyncio", program.function)
    return f"{process} = await {function}({', '.join(arguments)})"


def _waited(
    source: FixSource, command: Command, process: str, bound: dict[str, str], streams: list[str], names: _Names
) -> str:
    if not streams and command.input is None:
        return f"await {process}.wait()"
    wait = f"await {process}.communicate({input_of(source, command)})"
    if not bound:
        return wait
    nothing = names.free("_")
    return f"{bound.get('stdout', nothing)}, {bound.get('stderr', nothing)} = {wait}"


def _results(texts: dict[str, str]) -> str:
    if "stdout" in texts:
        return "".join(f", {texts[name]}" for name in ("stdout", "stderr") if name in texts)
    return f", stderr={texts['stderr']}" if "stderr" in texts else ""


def _unit(source: FixSource, function: cst.FunctionDef) -> str:
    """What a block is indented by in this function."""
    body = function.body
    indent = body.indent if isinstance(body, cst.IndentedBlock) else None
    return indent if indent is not None else source.module.default_indent


# ---- the place


def _target(source: FixSource, command: Command) -> tuple[cst.BaseExpression, str]:
    """The expression to replace: the call, or the attribute that is read of its result at once; and that attribute."""
    call = command.call
    above = source.parent(call)
    if command.function == "run" and isinstance(above, cst.Attribute) and above.value is call and not call.lpar:
        name = above.attr.value
        if name in _RESULTS and (name == "returncode" or command.captured(name)):
            return above, name
    return call, ""


def _statement(source: FixSource, call: cst.Call) -> cst.CSTNode:
    """The statement that begins with evaluating the call."""
    node: cst.CSTNode = call
    above = source.parent(node)
    while above is not None and _is_first(source, above, node):
        node, above = above, source.parent(above)
    if isinstance(above, (cst.Expr, cst.Assign, cst.AnnAssign, cst.Return)):
        line = source.parent(above)
        if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1:
            _check_block(source, line)
            return above
        raise Unclear("the statement has no line of its own")
    if (isinstance(above, cst.If) and above.test is node) or (isinstance(above, cst.For) and above.iter is node):
        _check_block(source, above)
        return above
    raise Unclear(f"other things in the statement come before it: `{shown(source.code(above or call))}`")


def _check_block(source: FixSource, statement: cst.CSTNode) -> None:
    if not isinstance(source.parent(statement), cst.IndentedBlock):
        raise Unclear("it is the test of an `elif`, or has no line of its own")


def _is_first(source: FixSource, above: cst.CSTNode, node: cst.CSTNode) -> bool:
    """Whether an expression evaluates one of its parts before anything else."""
    if isinstance(above, (cst.Attribute, cst.Subscript)):
        return above.value is node
    if isinstance(above, (cst.BinaryOperation, cst.BooleanOperation, cst.Comparison)):
        return above.left is node
    if isinstance(above, cst.Call):
        return above.func is node or (
            above.args[0] is node and (isinstance(above.func, cst.Name) or bool(source.resolve(above.func)))
        )
    if isinstance(above, cst.Arg):
        return not above.star
    if isinstance(above, (cst.Tuple, cst.List)):
        return above.elements[0] is node
    return isinstance(above, (cst.UnaryOperation, cst.Await, cst.Element)) or (
        isinstance(above, cst.NamedExpr) and above.value is node
    )
