"""May an `await` be put at a place, and how must it be written there?

Each refusal is one that some other tool got wrong, or that changes what a program does without anybody noticing: an `await` in a
generator expression makes it asynchronous, one inside `with lock:` lets other tasks in, one in `finally` may be cancelled.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from asgiway_lint.fixes.source import FixSource

__all__ = ["await_refusal", "brackets", "is_lock", "parenthesised", "text_refusal"]

_LOCKS = frozenset(
    f"{module}.{name}"
    for module in ("threading", "multiprocessing")
    for name in ("Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore")
)
_LOCK_WORDS = frozenset(["lock", "rlock", "mutex", "semaphore", "sem", "cond", "condition"])
# Context managers that change something for the whole process: what other tasks do in the meantime would meet it.
_PROCESS_WIDE = frozenset(
    [
        "contextlib.chdir",
        "contextlib.redirect_stdout",
        "contextlib.redirect_stderr",
        "contextlib.redirect_stdin",
        "warnings.catch_warnings",
        "django.db.transaction.atomic",
    ]
)
_CANCELLED = frozenset(
    ["builtins.BaseException", "asyncio.CancelledError", "asyncio.exceptions.CancelledError", "trio.Cancelled"]
)


def await_refusal(source: FixSource, node: cst.CSTNode) -> str:
    """Return why no `await` can be put at a node's place; empty if one can."""
    below = node
    left: cst.CSTNode | None = None
    for above in source.ancestors(node):
        if isinstance(above, cst.FunctionDef):
            if below is not above.body:
                return _outside_of_body(above, below)
            return "" if above.asynchronous is not None else "inside a function that is not `async def`"
        if above is not left and (reason := _refusal(source, above, below)):
            return reason
        if isinstance(above, cst.CompFor) and below is above.iter:
            left = source.parent(above)  # the first iterable is evaluated at once, by whoever makes the generator
        below = above
    return "outside of any coroutine"


def _outside_of_body(function: cst.FunctionDef, below: cst.CSTNode) -> str:
    if below is function.params:
        return "in a default value of a parameter, which is evaluated when the function is defined"
    return "in a decorator" if isinstance(below, cst.Decorator) else "in an annotation"


def _refusal(source: FixSource, above: cst.CSTNode, below: cst.CSTNode) -> str:
    if isinstance(above, cst.Lambda):
        return "inside a lambda"
    if isinstance(above, cst.ClassDef):
        return "in a class body"
    if isinstance(above, cst.GeneratorExp):
        return "inside a generator expression, which would become an asynchronous one"
    if isinstance(above, (cst.TypeAlias, cst.TypeParameters, cst.Annotation)):
        return "in an annotation"
    if isinstance(above, cst.FormattedStringExpression) and above.equal is not None:
        return "in an f-string's `{...=}`, which prints the source text"
    if isinstance(above, cst.With) and below is above.body and above.asynchronous is None:
        return _with_refusal(source, above)
    if isinstance(above, cst.Finally):
        return "in a `finally` block, which a cancelled task might not finish any more"
    if isinstance(above, cst.ExceptHandler) and below is above.body and _catches_cancellation(source, above):
        return "in a handler that also runs when the task is cancelled, and might not finish any more"
    if isinstance(above, (cst.Try, cst.TryStar)) and below is above.body:
        return _try_refusal(source, above)
    return _acquired(source, above, below) if isinstance(above, cst.IndentedBlock) else ""


def _with_refusal(source: FixSource, statement: cst.With) -> str:
    for item in statement.items:
        node = item.item
        name = source.resolve(node.func if isinstance(node, cst.Call) else node)
        if name in _PROCESS_WIDE:
            return (
                f"inside `with {source.code(node)}`, which the tasks that run in the meantime would be inside of, too"
            )
        suppressed = node.args if name == "contextlib.suppress" and isinstance(node, cst.Call) else ()
        if any(source.resolve(each.value) == "builtins.BaseException" for each in suppressed):
            return "under a `suppress` that would swallow a cancellation"
        if is_lock(source, node):
            return f"inside `with {source.code(node)}`: other tasks would run, and wait for the thread lock, while it is held"
    return ""


def is_lock(source: FixSource, node: cst.BaseExpression) -> bool:
    """Whether an expression is, or by its name must be taken for, a thread lock."""
    if isinstance(node, cst.Call):
        return source.resolve(node.func) in _LOCKS
    if isinstance(node, cst.Name):
        name = node.value
    elif isinstance(node, cst.Attribute):
        name = node.attr.value
    else:
        return False
    return not _LOCK_WORDS.isdisjoint(name.lower().split("_")) or source.code(node) in _made_locks(source)


def _made_locks(source: FixSource) -> frozenset[str]:
    """What the file assigns a thread lock to, as it is written: `self._guard`."""
    return source.memo(_find_made_locks)


def _find_made_locks(source: FixSource) -> frozenset[str]:
    return frozenset(
        source.code(target.target)
        for assignment in source.find(cst.Assign)
        if isinstance(assignment.value, cst.Call) and source.resolve(assignment.value.func) in _LOCKS
        for target in assignment.targets
    )


def _caught(handler: cst.ExceptHandler) -> list[cst.BaseExpression]:
    if isinstance(handler.type, cst.Tuple):
        return [element.value for element in handler.type.elements]
    return [] if handler.type is None else [handler.type]


def _catches_cancellation(source: FixSource, handler: cst.ExceptHandler) -> bool:
    return handler.type is None or any(source.resolve(each) in _CANCELLED for each in _caught(handler))


def _try_refusal(source: FixSource, statement: cst.Try | cst.TryStar) -> str:
    """A handler that takes everything and raises nothing would swallow the cancellation that an `await` can end in."""
    for handler in statement.handlers:
        if isinstance(handler, cst.ExceptHandler) and _catches_cancellation(source, handler):
            names = [source.resolve(each) for each in _caught(handler)]
            meant = bool(names) and "builtins.BaseException" not in names  # somebody has thought of cancellation
            if meant or any(source.find(cst.Raise, handler.body)):
                return ""
            return "under an `except` that would swallow a cancellation"
    return ""


def _acquired(source: FixSource, block: cst.IndentedBlock, below: cst.CSTNode) -> str:
    """`lock.acquire()` above in the same block, and no release in between."""
    held: dict[str, bool] = {}
    for statement in block.body:
        if statement is below:
            break
        for name, kind in _lock_calls(source, statement):
            held[name] = kind == "acquire"
    name = next((name for name, yes in held.items() if yes), "")
    return f"while `{name}` is held: other tasks would run, and wait for the thread lock" if name else ""


def _lock_calls(source: FixSource, statement: cst.CSTNode) -> Iterator[tuple[str, str]]:
    if not isinstance(statement, (cst.SimpleStatementLine, cst.If)):
        return
    for method in source.find(cst.Attribute, statement):
        if method.attr.value in ("acquire", "release") and is_lock(source, method.value):
            call = source.parent(method)  # or the argument of `to_thread(lock.acquire)`
            if call is not None and not isinstance(source.parent(call), cst.Await):
                yield source.code(method.value), method.attr.value


def parenthesised(source: FixSource, node: cst.BaseExpression, text: str) -> str:
    """Return an `await ...` that replaces a node, in parentheses where it would otherwise bind to something else.

    Args:
        source: the file.
        node: the expression that is replaced, without parentheses around it, if there are any.
        text: the new expression.
    """
    before, after = brackets(source, node)
    return f"{before}{text}{after}"


def brackets(source: FixSource, node: cst.BaseExpression) -> tuple[str, str]:
    """Return what has to stand before and behind an `await ...` in a node's place: parentheses, a space, or nothing."""
    if node.lpar:
        return "", ""
    parent = source.parent(node)
    binds = (
        (isinstance(parent, (cst.Attribute, cst.Subscript)) and parent.value is node)
        or (isinstance(parent, cst.Call) and parent.func is node)
        or isinstance(parent, cst.Await)
    )
    if binds:
        return "(", ")"
    start = source.offset(node)[0]
    # `return"".join(...)` needs no space before, `returnawait` does.
    return (" " if start and _word(source.text[start - 1]) else ""), ""


def _word(character: str) -> bool:
    return character.isalnum() or character == "_"


def text_refusal(source: FixSource, node: cst.CSTNode, text: str) -> str:
    """Return why new text cannot stand at a node's place because of an f-string around it; empty if it can.

    Before Python 3.12 the expressions of an f-string have neither its quotes nor backslashes, comments or (unless it is
    triple-quoted) line ends.
    """
    string = source.enclosing(node, cst.FormattedString)
    if string is None:
        return ""
    quote = string.quote
    wrong = quote in text or "\\" in text or "#" in text or (len(quote) == 1 and ("\n" in text or "\r" in text))
    return "inside an f-string that has no room for it" if wrong else ""
