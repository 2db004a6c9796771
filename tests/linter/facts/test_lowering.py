"""Both readers agree: facts through libcst equal facts through `ast`, over real files; and newer syntax than ours is read."""

from __future__ import annotations

import ast
import random
import re
import subprocess
import sys
import sysconfig
import warnings
from pathlib import Path

import pytest

from asgiway_lint.facts import read_text
from asgiway_lint.facts.collector import collect
from asgiway_lint.facts.model import ATTR, NAME, Facts
from asgiway_lint.facts.reader import quick_reading, read_newer
from asgiway_lint.facts.text import Columns, decode

PATHS = sysconfig.get_paths()
# Beyond this a file is a table of data; libcst needs a minute for some of them.
LONGEST = 200_000


def through_ast(text: str) -> Facts | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    return collect(tree, Columns(text), ())


def through_libcst(text: str) -> Facts | None:
    tree = read_newer(text)
    return None if tree is None else collect(tree, Columns(""), ())


def wide(source: str) -> str:
    """Names in full-width letters, which Python takes for the ordinary ones."""
    return re.sub(r"\b(?!def|global|import|as|class|pass)[a-zA-Z]+\b", _widened, source)


def _widened(match: re.Match[str]) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) for letter in match[0])


# libcst cannot parse them, though Python can: annotations of what stands in parentheses.
REFUSED = {"ann_module.py", "test_grammar.py"}


def differences(paths: list[Path]) -> tuple[int, list[str]]:
    compared, different = 0, []
    for path in paths:
        try:
            text = decode(path.read_bytes()).removeprefix("\ufeff")
        except SyntaxError:
            continue
        if len(text) > LONGEST:
            continue
        with quick_reading(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = through_ast(text)
            if expected is None:
                continue
            compared += 1
            lowered = through_libcst(text)
            if lowered is None and path.name in REFUSED:
                continue
            if lowered != expected:
                different.append(str(path))
    return compared, different


def files(folder: str) -> list[Path]:
    return sorted(Path(folder).rglob("*.py"))


def test_both_readers_agree_on_a_sample_of_real_files() -> None:
    chosen = random.Random(20261120)
    stdlib = [path for path in files(PATHS["stdlib"]) if "site-packages" not in path.parts]
    sample = chosen.sample(stdlib, 35) + chosen.sample(files(PATHS["purelib"]), 35)
    compared, different = differences(sample)
    assert compared > 50
    assert different == []


@pytest.mark.long
@pytest.mark.parametrize("folder", ["stdlib", "purelib"])
def test_both_readers_agree_on_all_files(folder: str) -> None:
    compared, different = differences(files(PATHS[folder]))
    assert compared > 1000
    assert different == []


@pytest.mark.parametrize(
    "source",
    [
        "f(x for x in y)\nfor a in (x for x in y): pass\nfor a in (1, 2): pass\nfor a in 1, 2: pass",
        "match x:\n    case {'a': b, **c} if d(): pass\n    case [e, *f] | (e as f): pass\n    case K(g, h=i): pass",
        "try: pass\nexcept* (A, B) as e: f()\nelse: g()\nfinally: h()",
        "with (open(a) as b, open(c) as d): pass\nwith (x): pass\nwith a() as (b, c): pass",
        "x[1:f(2):3, ...] = y[g()]\nx[*a]\nx[1,]\ndel x, y[f()]\ndel (x, y)",
        "lambda a, /, b=f(), *c, d, e=g(), **h: (yield)",
        "@a.b(c)\nasync def f(x: 'T', /, *a: A, y: 'U' = v(), **k: K) -> 'R':\n    nonlocal_ = yield x\n    yield from ()",
        "class A(B, *C, metaclass=D(), **E):\n    x: int\n    y: 'A' = 1\n    a.b: int = 3",
        "a = b = c, *d = e\na += b()\na: int\nassert a, b()\nraise A from b()\nglobal x\n",
        "not a and b or c and (d and e)\n-1 + ~2 ** 3 // 4 @ 5\na if b else c\na < b() <= c is not d not in e",
        "f'{a()!r:{b()}} {c=}' 'x' rf\"{d()}\" \nb'x' b'y'\n'x' 'y'\n1j\n0x_f\n1_0.5e3\n...\nNone",
        "{**a, b(): c}\n{*a, b}\n[*a, b]\n{a: b for a, b in c if d if e}\n{a async for a in b for c in d}",
        "import a.b.c, d as e\nfrom . import f\nfrom ..g.h import (i as j, k)\nfrom l import *",
        "if a: pass\nelif isinstance(b, C): pass\nelse: pass\nwhile x: pass\nelse: pass\nfor x in y: pass\nelse: pass",
        "async def f():\n    await (x := g())\n    async with a() as b, c: pass\n    async for d in e(): pass\n    return",
        "x = 'é'; f('€', g('😀'))\nx = ('é',\n h())",
        "try: f()\nexcept (A, BlockingIOError): g()\ntry: h()\nexcept ssl.SSLWantReadError: pass",
        wide("width = µ.ﬁ(x=1)\ndef f(a): global b\nimport c.d as e\nclass G: pass"),
    ],
)
def test_both_readers_agree_on_every_kind_of_node(source: str) -> None:
    expected = through_ast(source)
    assert expected is not None
    assert through_libcst(source) == expected


def callees(facts: Facts) -> set[str]:
    return {call.callee[-1] for call in facts.calls}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        pytest.param("type X = list[int]\nf()", {"f"}, id="3.12 type statement"),
        pytest.param(
            "def g[T: int](x: T) -> T:\n    return f(x)\nclass A[*Ts, **P]: pass", {"f"}, id="3.12 type parameters"
        ),
        pytest.param("x = f'{f('a' + \"b\")} {'\\n'.join(y)}'", {"f", "join"}, id="3.12 f-strings"),
        pytest.param("def g[T = int](): f()", {"f"}, id="3.13 defaults of type parameters"),
        pytest.param("x = t'{f()}'", {"f"}, id="3.14 t-strings"),
        pytest.param("try: f()\nexcept A, B: pass", {"f"}, id="3.14 except without parentheses"),
    ],
)
def test_syntax_newer_than_the_interpreter_is_read(source: str, found: set[str]) -> None:
    assert callees(read_text(source)) == found


def test_a_type_statement_binds_its_name_to_an_annotation() -> None:
    facts = read_text("type X = 'a.B'")
    (binding,) = facts.scopes[0].bindings["X"]
    assert (binding.kind, binding.a) == ("value", (ATTR, (NAME, "a"), "B"))


def test_parsable_files_do_not_import_libcst() -> None:
    code = (
        "import sys; from pathlib import Path; from asgiway_lint.analysis.run import check_source;"
        "from asgiway_lint.config import Settings;"
        "report = check_source(b'import time\\nasync def f(): time.sleep(1)', Path('x.py'), Settings());"
        "assert len(report.findings) == 1; sys.exit('libcst' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
