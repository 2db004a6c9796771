"""What a call of `subprocess.run`, `call`, `check_call` or `check_output` asks for, as far as every word of it is understood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import libcst as cst

from asgiway_lint.fixes.drafting import Unclear, shown
from asgiway_lint.fixes.plainness import value_of
from asgiway_lint.fixes.source import FixSource

__all__ = ["Command", "command_of", "input_of", "text_of"]

_PASSED = frozenset(["cwd", "env", "start_new_session", "user", "group", "extra_groups", "umask"])
_STREAMS = frozenset(["stdin", "stdout", "stderr"])
_LISTS = frozenset(["list", "List", "tuple", "Tuple", "Sequence"])
_MAKES_LISTS = frozenset(["shlex.split", "builtins.list", "builtins.sorted", "builtins.tuple"])


@dataclass(slots=True, kw_only=True)
class Command:
    """A command.

    Args:
        call: the call.
        function: `run`, `call`, `check_call` or `check_output`.
        program: the expression of the command: a list or a tuple, the name of one, or with `shell` a literal.
        shell: whether a shell runs it.
        streams: `stdin`, `stdout`, `stderr` -> `PIPE`, `DEVNULL`, `STDOUT`; those left out are inherited.
        stream_texts: how they are written in the file, where they are.
        check: whether a failure raises.
        decode: the arguments of `decode`, if text is wanted; None for bytes.
        input: what the process reads.
        passed: arguments that mean the same in every library.
    """

    call: cst.Call
    function: str
    program: cst.BaseExpression
    shell: bool = False
    streams: dict[str, str] = field(default_factory=dict[str, str])
    stream_texts: dict[str, str] = field(default_factory=dict[str, str])
    check: bool = False
    decode: str | None = None
    input: cst.BaseExpression | None = None
    passed: list[cst.Arg] = field(default_factory=list[cst.Arg])

    def captured(self, stream: str) -> bool:
        """Whether what the process writes comes back."""
        return self.streams.get(stream) == "PIPE"


def text_of(source: FixSource, node: cst.BaseExpression) -> str:
    """Return the text of an expression with the parentheses around it."""
    start, end = source.outer_offset(node)
    return source.text[start:end]


def input_of(source: FixSource, command: Command) -> str:
    """Return the text of what the process reads, as bytes; empty if that is nothing of its own."""
    if command.input is None:
        return ""
    text = text_of(source, command.input)
    if command.decode is None:
        return text
    if isinstance(command.input, cst.BinaryOperation) and not command.input.lpar:
        text = f"({text})"
    return f"{text}.encode({command.decode})"


def command_of(source: FixSource, call: cst.Call) -> Command:
    """Return what a call asks for.

    Raises:
        Unclear: something of it is not understood, or another library has nothing that does the same.
    """
    if not call.args or call.args[0].keyword is not None or call.args[0].star:
        raise Unclear("the command is not its first argument")
    if any(source.find(cst.Comment, call)):
        raise Unclear("comments stand between its arguments")
    if any(argument.keyword is None for argument in call.args[1:]):
        raise Unclear("it has arguments that cannot be told, or an old-fashioned `bufsize`")
    function = source.resolve(call.func).removeprefix("subprocess.")
    command = Command(call=call, function=function, program=call.args[0].value)
    command.check = function in ("check_call", "check_output")
    if function == "check_output":
        command.streams["stdout"] = "PIPE"
    words: dict[str, cst.BaseExpression] = {}
    for argument in call.args[1:]:
        assert argument.keyword is not None
        if argument.keyword.value in _PASSED:
            command.passed.append(argument)
        else:
            words[argument.keyword.value] = argument.value
    _read_streams(source, command, words)
    _read_switches(source, command, words)
    _read_text(source, command, words)
    if words:
        raise Unclear(f"`{next(iter(words))}=` has no counterpart that does the same")
    _check_program(source, command)
    if command.input is not None:
        _check_input(source, command)
    return command


def _read_streams(source: FixSource, command: Command, words: dict[str, cst.BaseExpression]) -> None:
    for name in [name for name in words if name in _STREAMS]:
        value = words.pop(name)
        if isinstance(value, cst.Name) and value.value == "None":
            continue
        constant = source.resolve(value).removeprefix("subprocess.")
        if constant not in ("PIPE", "DEVNULL", "STDOUT") or (name == "stdin" and constant == "PIPE"):
            raise Unclear(f"`{name}={shown(source.code(value))}` may be used by others while the process runs")
        if constant == "PIPE" and command.function in ("call", "check_call"):
            raise Unclear(
                f"`{command.function}` with `{name}={source.code(value)}` waits for ever when the pipe is full"
            )
        command.streams[name] = constant
        command.stream_texts[name] = source.code(value)
    if _switch(source, words, "capture_output"):
        command.streams["stdout"] = command.streams["stderr"] = "PIPE"


def _read_switches(source: FixSource, command: Command, words: dict[str, cst.BaseExpression]) -> None:
    if command.function == "run":
        command.check = _switch(source, words, "check")
    command.shell = _switch(source, words, "shell")
    if "timeout" in words and source.code(words["timeout"]) != "None":
        raise Unclear("`timeout=` also kills the process and tells what it has written until then; a thread keeps that")
    words.pop("timeout", None)
    given = words.pop("input", None)
    if given is not None and source.code(given) != "None":
        command.input = given


def _read_text(source: FixSource, command: Command, words: dict[str, cst.BaseExpression]) -> None:
    texts = [_switch(source, words, name) for name in ("text", "universal_newlines")]
    how: list[str] = []
    for name in ("encoding", "errors"):
        value = words.pop(name, None)
        if value is None or source.code(value) == "None":
            continue
        if not isinstance(value, cst.SimpleString):
            raise Unclear(f"`{name}=` is no literal")
        how.append(source.code(value) if name == "encoding" else f"errors={source.code(value)}")
    if any(texts) or how:
        command.decode = ", ".join(how)


def _switch(source: FixSource, words: dict[str, cst.BaseExpression], name: str) -> bool:
    """Whether a keyword is `True`."""
    value = words.pop(name, None)
    text = "None" if value is None else source.code(value)
    if text not in ("True", "False", "None"):
        raise Unclear(f"`{name}={shown(text)}` may be true or not")
    return text == "True"


def _check_program(source: FixSource, command: Command) -> None:
    program = command.program
    if command.shell:
        if not isinstance(program, (cst.SimpleString, cst.ConcatenatedString)) or any(
            source.find(cst.FormattedString, program)
        ):
            raise Unclear("a shell runs a text that is not a literal")
        return
    if isinstance(program, (cst.List, cst.Tuple)):
        if not program.elements:
            raise Unclear("the command is empty")
        return
    if isinstance(program, cst.Name) and _is_list(source, program):
        return
    raise Unclear(f"`{shown(source.code(program))}` is not certainly a list of arguments")


def _is_list(source: FixSource, name: cst.Name, depth: int = 0) -> bool:
    """Whether a name is bound to nothing but lists and tuples; `depth`: how many other names have been followed."""
    found = source.scopes.lookup(name.value, name)
    if found is None or depth > 3:
        return False
    for bound in found[1]:
        above = source.parent(bound.node)
        annotation = above.annotation if isinstance(above, (cst.Param, cst.AnnAssign)) else None
        if annotation is not None and _listed(annotation.annotation):
            continue
        if isinstance(above, cst.AugAssign) and isinstance(above.value, (cst.List, cst.Tuple)):
            continue
        value = value_of(source, bound.node)
        if value is None or not _makes_list(source, value, depth):
            return False
    return True


def _listed(annotation: cst.BaseExpression) -> bool:
    base = annotation.value if isinstance(annotation, cst.Subscript) else annotation
    text = base.attr.value if isinstance(base, cst.Attribute) else base.value if isinstance(base, cst.Name) else ""
    return text in _LISTS


def _makes_list(source: FixSource, value: cst.BaseExpression, depth: int) -> bool:
    if isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.Add):
        return _makes_list(source, value.left, depth) or _makes_list(source, value.right, depth)
    if isinstance(value, cst.Call):
        return source.resolve(value.func) in _MAKES_LISTS
    if isinstance(value, cst.Name):
        return _is_list(source, value, depth + 1)
    return isinstance(value, (cst.List, cst.Tuple, cst.ListComp))


def _check_input(source: FixSource, command: Command) -> None:
    """`communicate(None)` leaves a pipe open, so it has to be certain that there is something."""
    assert command.input is not None
    wanted = "bytes" if command.decode is None else "str"
    if not _is_a(source, command.input, wanted):
        raise Unclear(f"`input={shown(source.code(command.input))}` is not certainly {wanted}")


def _is_a(source: FixSource, node: cst.BaseExpression, wanted: str) -> bool:
    if isinstance(node, cst.SimpleString):
        return isinstance(node.evaluated_value, str) == (wanted == "str")
    if isinstance(node, cst.FormattedString):
        return wanted == "str"
    if isinstance(node, cst.BinaryOperation):
        known = isinstance(node.operator, (cst.Add, cst.Multiply)) and not isinstance(node.left, cst.Name)
        return known and _is_a(source, node.left, wanted)
    if isinstance(node, cst.Call):
        return wanted == "bytes" and isinstance(node.func, cst.Attribute) and node.func.attr.value == "encode"
    if not isinstance(node, cst.Name):
        return False
    found = source.scopes.lookup(node.value, node)
    bounds: Sequence[cst.CSTNode] = [bound.node for bound in found[1]] if found is not None else []
    return bool(bounds) and all(_binds(source, bound, wanted) for bound in bounds)


def _binds(source: FixSource, name: cst.CSTNode, wanted: str) -> bool:
    above = source.parent(name)
    if isinstance(above, (cst.Param, cst.AnnAssign)) and above.annotation is not None:
        return source.code(above.annotation.annotation) == wanted and getattr(above, "default", None) is None
    value = value_of(source, name)
    return value is not None and not isinstance(value, cst.Name) and _is_a(source, value, wanted)
