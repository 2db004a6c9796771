"""Facts: what is recorded, where it stands, and how it is stored. Linter acceptance: positions in code points, tolerant reading."""

from __future__ import annotations

import gc
import sys

import pytest

from asgiway_lint.facts import Facts, SourceProblem, read, read_text
from asgiway_lint.facts.model import ATTR, AWAITED, CONST, NAME


def the_call(source: str | bytes, name: str) -> tuple[int, int, int, int]:
    facts = read(source if isinstance(source, bytes) else source.encode())
    (found,) = [call for call in facts.calls if call.callee[-1] == name]
    return found.line, found.column, found.end_line, found.end_column


@pytest.mark.parametrize(
    ("source", "place"),
    [
        pytest.param("f()", (1, 1, 1, 4), id="at the start"),
        pytest.param("'é€😀', f(1)", (1, 8, 1, 12), id="behind characters of 2, 3 and 4 bytes"),
        pytest.param("x = (\n    a\n    .f(\n    )\n)", (2, 5, 4, 6), id="over several lines"),
        pytest.param("\ufeff'é', f()", (1, 6, 1, 9), id="behind a byte order mark"),
        pytest.param("if x:\r\n\tf()\r\n", (2, 2, 2, 5), id="CRLF and a tab"),
        pytest.param("x\r\rf()", (3, 1, 3, 4), id="old Mac line ends"),
        pytest.param("\x0cf()", (1, 2, 1, 5), id="behind a form feed"),
        pytest.param("(a / 'b').f()", (1, 1, 1, 14), id="parentheses belong to the receiver"),
        pytest.param("f'''\né {f(1)!r:>{3}}'''", (2, 4, 2, 8), id="in an f-string"),
        pytest.param("('é' f'{1}'\n 'x' f'é{f(2)}')", (2, 10, 2, 14), id="in joined f-strings"),
        pytest.param(b"# coding: latin-1\n'\xe9', f()", (2, 6, 2, 9), id="in latin-1"),
    ],
)
def test_a_call_stands_where_an_editor_shows_it(source: str | bytes, place: tuple[int, int, int, int]) -> None:
    assert the_call(source, "f") == place


def test_calls_keep_their_arguments() -> None:
    (call,) = read_text("a.f(1, x, -2, *y, k='v', **z)").calls
    assert call.callee == (ATTR, (NAME, "a"), "f")
    assert call.args == ((CONST, 1), (NAME, "x"), (CONST, -2), ("*", (NAME, "y")))
    assert call.keywords == (("k", (CONST, "v")), (None, (NAME, "z")))


@pytest.mark.parametrize(
    ("code", "awaited"),
    [
        ("await f()", True),
        ("await (f())", True),
        ("await (x := f())", True),
        ("await (f() if y else z)", True),
        ("async with f() as x: pass", True),
        ("async for x in f(): pass", True),
        ("[x async for x in f()]", True),
        ("await g(f())", False),
        ("await f().g()", False),
        ("(await g)(f())", False),
        ("with f(): pass", False),
        ("for x in f(): pass", False),
    ],
)
def test_a_call_knows_whether_it_is_awaited(code: str, awaited: bool) -> None:
    facts = read_text(f"async def a():\n    {code}")
    (found,) = [call for call in facts.calls if call.callee == (NAME, "f")]
    assert bool(found.flags & AWAITED) is awaited


def test_string_annotations_are_annotations() -> None:
    facts = read_text("def f(a: 'x.Y', b: 'Optional[Y]', c: Optional['Y'], d: 'no annotation', e: Literal['Y']): ...")
    a, b, c, d, e = (param.annotation for param in facts.scopes[1].params)
    assert a == (ATTR, (NAME, "x"), "Y")
    assert b == c == ("[", (NAME, "Optional"), (NAME, "Y"))
    assert d == e == ("?",)


def test_directives_travel_with_the_facts() -> None:
    (directive,) = read_text("x = 1  # noqa: AW102\n").directives
    assert directive.codes == ("AW102",)


def test_facts_survive_the_cache() -> None:
    facts = read_text(
        "import a.b as c\nfrom . import d\nfrom e import *\n"
        "@dec\nclass K(Base, metaclass=M):\n    x: int = field()\n"
        "    async def m(self, p: 'T' = 3, *args, k=None, **kw) -> R:\n"
        "        self.y = [z for z in p if z]\n        async with p as q: yield q\n        return lambda: q  # noqa\n"
    )
    assert Facts.load(facts.dump()) == facts


@pytest.mark.parametrize(
    ("source", "line"),
    [
        pytest.param(b"x = 1\ndef f(:\n", 2, id="a syntax error"),
        pytest.param(b"x = (\n", 1, id="an open parenthesis"),
        pytest.param(b"print 'x'\n", 1, id="Python 2"),
        pytest.param(b"x = 1\n\x00\n", 1, id="a NUL byte"),
        pytest.param(b"if x:\n\ty\n        z\n", 3, id="tabs and spaces"),
    ],
)
def test_what_is_no_python_is_a_problem_with_a_place(source: bytes, line: int) -> None:
    with pytest.raises(SourceProblem) as caught:
        read(source)
    assert caught.value.line >= line
    assert caught.value.message
    assert not caught.value.encoding


def test_what_is_no_text_is_another_problem() -> None:
    with pytest.raises(SourceProblem) as caught:
        read(b"# coding: martian\n")
    assert caught.value.encoding


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("x = " + "(" * 90 + "1" + ")" * 90, id="parentheses"),
        pytest.param("x = a" + ".b()" * 500, id="a chain of 500 calls"),
        pytest.param("x = " + " + ".join(["'a'"] * 5000), id="a sum of 5000"),
        pytest.param("x = " + "not " * 500 + "y", id="500 nots"),
        pytest.param("x = " + "[" * 90 + "]" * 90, id="lists"),
        pytest.param("\n".join("    " * n + "if x:" for n in range(95)) + "\n" + "    " * 95 + "y = 1", id="ifs"),
        pytest.param("x = " + "lambda: " * 300 + "1", id="lambdas"),
        pytest.param("\n".join(f"x{n} = f({n})" for n in range(50_000)), id="50,000 lines"),
    ],
)
def test_deep_and_long_code_is_read(source: str) -> None:
    limit = sys.getrecursionlimit()
    assert read_text(source).scopes[0].bindings
    assert sys.getrecursionlimit() == limit
    assert gc.isenabled()


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("x = " + "(" * 50_000 + "1" + ")" * 50_000, id="brackets"),
        pytest.param("x = " + "[" * 5_000, id="open brackets"),
        pytest.param("x = " + "not " * 200_000 + "y", id="nots"),
    ],
)
def test_code_too_deep_for_the_parsers_is_a_problem_and_no_crash(source: str) -> None:
    with pytest.raises(SourceProblem):
        read_text(source)


def test_long_statements_in_newer_syntax_are_read_on_a_bigger_stack() -> None:
    facts = read_text("type X = int\ny = " + "a + " * 6_000 + "f()")
    assert [call.callee for call in facts.calls] == [(NAME, "f")]
