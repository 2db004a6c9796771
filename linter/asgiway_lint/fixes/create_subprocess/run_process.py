"""anyio's and trio's form: one call in the place of the other, `await anyio.run_process([...], check=False)`."""

from __future__ import annotations

import libcst as cst

from asgiway_lint.finding import Finding
from asgiway_lint.fixes.contexts import text_refusal
from asgiway_lint.fixes.create_subprocess.command import Command, input_of, text_of
from asgiway_lint.fixes.drafting import AwaitDraft, Unclear, is_use
from asgiway_lint.fixes.flavours import imports
from asgiway_lint.fixes.imports import reference
from asgiway_lint.fixes.model import Applicability, Fix
from asgiway_lint.fixes.source import FixSource

__all__ = ["run_process"]

_REASON = "a task that is cancelled kills the process now, which a call that blocks cannot"
_BYTES = "; the `output` and `stderr` of a `CalledProcessError` are bytes now"
_DECODED = "text is decoded as UTF-8, whatever the locale says, and `\\r\\n` stays what it is"
_RESULTS = {"check_output": "stdout", "call": "returncode", "check_call": "returncode"}


def run_process(source: FixSource, command: Command, module: str, finding: Finding) -> Fix:
    """Return the fix of a call.

    Args:
        source: the file.
        command: what the call asks for.
        module: `anyio` or `trio`.
        finding: the finding.
    """
    call = command.call
    found = reference(source, call, module, "run_process")
    if found is None:
        raise Unclear(f"`{module}` is the name of something else here")
    draft = AwaitDraft(source)
    arguments = _anyio(source, command) if module == "anyio" else _trio(source, command)
    arguments += [f"{each.keyword.value}={text_of(source, each.value)}" for each in command.passed if each.keyword]
    program = text_of(source, command.program)
    text = f"{found.text}({_laid_out(source, call, [program, *arguments])})"
    if refusal := text_refusal(source, call, text):
        raise Unclear(refusal)
    start, end = source.offset(call)
    decode = f".decode({command.decode})" if command.decode is not None else ""
    alone = isinstance(source.parent(call), cst.Expr)
    result = "" if alone else _RESULTS.get(command.function, "")
    if result:
        draft.allowed(call)
        draft.insert(start, "(await ")
        draft.replace(start, end, text)
        draft.insert(end, f").{result}{decode if result == 'stdout' else ''}")
    else:
        draft.awaited(call)
        draft.replace(start, end, text)
        if decode and not alone:
            _decoded(draft, command, decode)
    checked = command.check and decode and (command.captured("stdout") or command.captured("stderr"))
    return Fix(
        name="create-subprocess",
        title=f"Replace `subprocess.{command.function}` by `{module}.run_process`",
        applicability=Applicability.UNSAFE,
        reason="; ".join([_REASON + (_BYTES if checked else ""), *draft.reasons]),
        edits=draft.edits(),
        imports=found.imports,
        requires=() if imports(source, module) else (module,),
        notes=(_DECODED,) if decode else (),
        removes=(finding,),
    )


def _anyio(source: FixSource, command: Command) -> list[str]:
    """It captures both streams and raises, unless told otherwise."""
    if command.input is not None:
        raise Unclear(
            "`anyio.run_process` gives an empty `input=` the program's own input, and fails if it is not read"
        )
    arguments: list[str] = []
    for name in ("stdin", "stdout", "stderr"):
        if command.captured(name):
            continue
        if name in command.stream_texts:
            arguments.append(f"{name}={command.stream_texts[name]}")
        elif name != "stdin":
            arguments.append(f"{name}=None")
    return arguments if command.check else [*arguments, "check=False"]


def _trio(source: FixSource, command: Command) -> list[str]:
    """It gives an empty input and raises, unless told otherwise."""
    arguments: list[str] = ["shell=True"] if command.shell else []
    if command.input is not None:
        arguments.append(f"stdin={input_of(source, command)}")
    else:
        arguments.append(f"stdin={command.stream_texts.get('stdin', 'None')}")
    for name in ("stdout", "stderr"):
        if command.captured(name):
            arguments.append(f"capture_{name}=True")
        elif name in command.stream_texts:
            arguments.append(f"{name}={command.stream_texts[name]}")
    return arguments if command.check else [*arguments, "check=False"]


def _laid_out(source: FixSource, call: cst.Call, arguments: list[str]) -> str:
    """The arguments, each in a line of its own where the first one had one."""
    first = source.outer_offset(call.args[0].value)[0]
    if source.line_of(first) == source.line_of(source.outer_offset(call.func)[1]):
        return ", ".join(arguments)
    newline = source.newline
    inner, outer = source.indent_at(first), source.indent_at(source.offset(call)[0])
    return "".join(f"{newline}{inner}{argument}," for argument in arguments) + f"{newline}{outer}"


def _decoded(draft: AwaitDraft, command: Command, decode: str) -> None:
    """Decode what is read of the result of `run`: its name must have no other use than reading attributes."""
    source, call = draft.source, command.call
    above = source.parent(call)
    if isinstance(above, cst.Attribute):
        _attribute(draft, above, command, decode)
        return
    target = source.parent(above.targets[0].target) if isinstance(above, cst.Assign) else None
    name = target.target if isinstance(target, cst.AssignTarget) else None
    if not isinstance(above, cst.Assign) or len(above.targets) != 1 or not isinstance(name, cst.Name):
        raise Unclear("with `text=True` its result has to be decoded, and it is not only given a name")
    found = source.scopes.lookup(name.value, name)
    if found is None or len(found[1]) != 1 or not isinstance(found[0].node, cst.FunctionDef):
        raise Unclear(
            f"with `text=True` its result has to be decoded, and `{name.value}` is also bound to something else"
        )
    for use in source.find(cst.Name, found[0].node):
        if use.value != name.value or use is name or not is_use(source, use):
            continue
        seen = source.scopes.lookup(use.value, use)
        if seen is None or seen[0] is not found[0]:
            continue
        attribute = source.parent(use)
        if not isinstance(attribute, cst.Attribute):
            raise Unclear(f"with `text=True` its result has to be decoded, and `{name.value}` is handed on")
        _attribute(draft, attribute, command, decode)


def _attribute(draft: AwaitDraft, attribute: cst.Attribute, command: Command, decode: str) -> None:
    source, name = draft.source, attribute.attr.value
    if name in ("stdout", "stderr"):
        if isinstance(source.parent(attribute), (cst.AssignTarget, cst.Del)):
            raise Unclear(f"`{source.code(attribute)}` is assigned to")
        if command.captured(name):
            if refusal := text_refusal(source, attribute, decode):
                raise Unclear(refusal)
            draft.insert(source.offset(attribute)[1], decode)
    elif name not in ("returncode", "args"):
        raise Unclear(f"with `text=True` its result has to be decoded, and `{name}` of it is used")
