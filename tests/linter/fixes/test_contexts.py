"""Where an `await` must not be put, and how it is written where it may: linter-acceptance 5.4, each of the peers' bugs a case."""

from __future__ import annotations

import ast
import sys

import libcst as cst
import pytest

from asgiway_lint.fixes.contexts import text_refusal
from asgiway_lint.fixes.source import FixSource
from tests.linter.fixes.support import PATH, SETTINGS, fixed, in_coroutine, refused

SLEEP = "time.sleep(1)"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param(in_coroutine("(lambda: time.sleep(1))()"), "inside a lambda", id="lambda"),
        pytest.param(
            in_coroutine("any(time.sleep(y) for y in x)"), "inside a generator expression", id="generator expression"
        ),
        pytest.param(
            in_coroutine("any(y for y in x if time.sleep(y))"), "inside a generator", id="condition of a generator"
        ),
        pytest.param(
            in_coroutine("any(z for y in x for z in [time.sleep(1)])"), "inside a generator", id="second iterable"
        ),
        pytest.param(in_coroutine("class A:", "    y = time.sleep(1)"), "in a class body", id="class body"),
        pytest.param(
            in_coroutine("class A:", "    y = [time.sleep(z) for z in (1,)]"), "in a class body", id="in a class body"
        ),
        pytest.param(in_coroutine("def g(y=time.sleep(1)): ..."), "in a default value", id="default"),
        pytest.param(in_coroutine("@time.sleep(1)", "def g(): ..."), "in a decorator", id="decorator"),
        pytest.param(in_coroutine("print(f'{time.sleep(1)=}')"), "prints the source text", id="f-string with ="),
        pytest.param(
            in_coroutine("with lock:", "    time.sleep(1)", imports="import threading, time\nlock = threading.Lock()"),
            "inside `with lock`: other tasks would run",
            id="thread lock",
        ),
        pytest.param(
            in_coroutine("with self._guard:", "    time.sleep(1)").replace("(x)", "(self)")
            + "\n\ndef make(self):\n    import threading\n    self._guard = threading.RLock()\n",
            "inside `with self._guard`",
            id="thread lock with any name",
        ),
        pytest.param(in_coroutine("with x.read_lock:", "    time.sleep(1)"), "inside `with x.read_lock`", id="by name"),
        pytest.param(
            in_coroutine("with threading.Lock():", "    time.sleep(1)", imports="import threading, time"),
            "inside `with threading.Lock()`",
            id="made in place",
        ),
        pytest.param(
            in_coroutine("with x.file, x.lock:", "    time.sleep(1)"), "inside `with x.lock`", id="second item"
        ),
        pytest.param(
            in_coroutine("if x.lock.acquire(False):", "    pass", "time.sleep(1)", "x.lock.release()"),
            "while `x.lock` is held",
            id="acquired",
        ),
        pytest.param(
            in_coroutine("with contextlib.chdir(x):", "    time.sleep(1)", imports="import contextlib, time"),
            "inside `with contextlib.chdir(x)`",
            id="working directory",
        ),
        pytest.param(
            in_coroutine("try:", "    await x", "finally:", "    time.sleep(1)"), "in a `finally` block", id="finally"
        ),
        pytest.param(
            in_coroutine("try:", "    await x", "except asyncio.CancelledError:", "    time.sleep(1)", imports="import asyncio, time"),
            "in a handler that also runs when the task is cancelled",
            id="except CancelledError",
        ),
        pytest.param(
            in_coroutine("try:", "    await x", "except:", "    time.sleep(1)", "    raise"),
            "in a handler that also runs when the task is cancelled",
            id="bare except",
        ),
        pytest.param(
            in_coroutine("try:", "    time.sleep(1)", "except:", "    pass"),
            "under an `except` that would swallow a cancellation",
            id="swallowed",
        ),
        pytest.param(
            in_coroutine("try:", "    time.sleep(1)", "except (OSError, BaseException):", "    x()"),
            "under an `except` that would swallow a cancellation",
            id="swallowed by BaseException",
        ),
        pytest.param(in_coroutine("while not x.ready():", "    time.sleep(1)"), "an `Event` would say", id="busy wait"),
        pytest.param(in_coroutine("while x: time.sleep(1)"), "an `Event` would say", id="busy wait in one line"),
    ],
)  # fmt: skip
def test_refused(source: str, reason: str) -> None:
    assert fixed(source) == source
    (given,) = [each for each in refused(source) if reason in each]
    assert given


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["x = [time.sleep(1) for _ in x]"], id="list comprehension"),
        pytest.param(["x = {y: time.sleep(1) for y in x if time.sleep(2)}"], id="dict comprehension"),
        pytest.param(["x = [[time.sleep(1) for _ in y] for y in x]"], id="nested comprehension"),
        pytest.param(["any(y for y in [time.sleep(1)])"], id="first iterable of a generator"),
        pytest.param(["async with x.lock:", "    time.sleep(1)"], id="asynchronous lock"),
        pytest.param(["with x.clock, x.block:", "    time.sleep(1)"], id="words that contain lock"),
        pytest.param(["await x.lock.acquire()", "time.sleep(1)"], id="an awaited acquire"),
        pytest.param(["x.lock.acquire()", "x.lock.release()", "time.sleep(1)"], id="released"),
        pytest.param(["try:", "    time.sleep(1)", "finally:", "    x()"], id="try with finally"),
        pytest.param(["try:", "    time.sleep(1)", "except:", "    x()", "    raise"], id="raised again"),
        pytest.param(["try:", "    x()", "except Exception:", "    time.sleep(1)"], id="except Exception"),
        pytest.param(["try:", "    x()", "except (OSError, ValueError):", "    time.sleep(1)"], id="except tuple"),
        pytest.param(["while True:", "    time.sleep(1)"], id="for ever"),
        pytest.param(["while x:", "    x.poll()", "    time.sleep(1)"], id="a loop that does something"),
        pytest.param(["def g(): return 1", "time.sleep(g())"], id="after a function"),
        pytest.param(["match x:", "    case y if time.sleep(1): pass"], id="guard"),
        pytest.param(["yield time.sleep(1)"], id="asynchronous generator"),
    ],
)
def test_allowed(lines: list[str]) -> None:
    new = fixed(in_coroutine(*lines))
    assert "time.sleep" not in new
    assert new == "import asyncio\n" + in_coroutine(*lines).replace("time.sleep", "await asyncio.sleep")
    compile(new, "<new>", "exec")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("print(time.sleep(1).x)", "print((await asyncio.sleep(1)).x)", id="attribute"),
        pytest.param("print(time.sleep(1)[0])", "print((await asyncio.sleep(1))[0])", id="item"),
        pytest.param("time.sleep(1)(2)", "(await asyncio.sleep(1))(2)", id="called"),
        pytest.param("(time.sleep(1)).x", "(await asyncio.sleep(1)).x", id="in parentheses already"),
        pytest.param("-time.sleep(1) ** 2", "-await asyncio.sleep(1) ** 2", id="operators bind less"),
        pytest.param("await x(time.sleep(1))", "await x(await asyncio.sleep(1))", id="argument"),
        pytest.param("x[time.sleep(1)]", "x[await asyncio.sleep(1)]", id="index"),
        pytest.param("f'{time.sleep(1)!r:>4}'", "f'{await asyncio.sleep(1)!r:>4}'", id="f-string"),
        pytest.param("return(time.sleep(1))", "return(await asyncio.sleep(1))", id="no space"),
        pytest.param("x = (1,time.sleep(1))", "x = (1,await asyncio.sleep(1))", id="behind a comma"),
        pytest.param("print(*time.sleep(1))", "print(*await asyncio.sleep(1))", id="star"),
        pytest.param("x = not time.sleep(1)", "x = not await asyncio.sleep(1)", id="not"),
        pytest.param("with time.sleep(1) as y: pass", "with await asyncio.sleep(1) as y: pass", id="with"),
        pytest.param("time . sleep (  1 )", "await asyncio.sleep (  1 )", id="spaces"),
        pytest.param("time.sleep(  # why\n    1\n)", "await asyncio.sleep(  # why\n    1\n)", id="comment inside"),
        pytest.param("time\\\n  .sleep(1)", "await asyncio.sleep(1)", id="backslash"),
    ],
)
def test_precedence(old: str, new: str) -> None:
    """`await f().x` awaits the attribute."""
    result = fixed(in_coroutine(*old.split("\n")))
    assert result == "import asyncio\n" + in_coroutine(*new.split("\n"))
    (function,) = [node for node in ast.parse(result).body if isinstance(node, ast.AsyncFunctionDef)]
    assert [ast.unparse(node.value) for node in ast.walk(function) if isinstance(node, ast.Await)][
        -1
    ] == "asyncio.sleep(1)"


def test_a_synchronous_function_is_left_alone() -> None:
    """agno#7112: somebody replaced time.sleep by an un-awaited asyncio.sleep in synchronous functions."""
    source = "import time\n\n\ndef g():\n    time.sleep(1)\n\n\nasync def f():\n    def h():\n        time.sleep(1)\n"
    assert fixed(source, unsafe=True) == source


@pytest.mark.parametrize(
    ("string", "text", "fits"),
    [
        pytest.param("f'{f()}'", 'g("x")', True, id="other quotes"),
        pytest.param("f'{f()}'", "g('x')", False, id="the same quotes"),
        pytest.param("f'{f()}'", "g(\n1)", False, id="a line end"),
        pytest.param("f'''{f()}'''", "g(\n'x')", True, id="in triple quotes"),
        pytest.param("f'''{f()}'''", "g('''x''')", False, id="triple quotes in triple quotes"),
        pytest.param("f'{f()}'", "g('\\n')", False, id="a backslash"),
        pytest.param("f'''{f()}'''", "g(  # why\n)", False, id="a comment"),
        pytest.param("(f())", "g('x', '\\n')", True, id="no f-string"),
    ],
)
def test_what_fits_into_an_f_string_before_python_3_12(string: str, text: str, fits: bool) -> None:
    source = FixSource(f"x = {string}\n", PATH, SETTINGS)
    (call,) = source.find(cst.Call)
    assert (text_refusal(source, call, text) == "") is fits
    new = source.text.replace("f()", text)
    if sys.version_info < (3, 12):
        try:
            ast.parse(new)
        except SyntaxError:
            assert not fits
        else:
            assert fits
