"""Rewritten functions keep what they don't change: line ends, indentation, comments, everything outside (contract of all fixes)."""

from __future__ import annotations

import ast
import io
import re
import tokenize

import pytest

from tests.linter.fixes import test_asyncpg_programs as asyncpg_programs
from tests.linter.fixes import test_psycopg_programs as psycopg_programs
from tests.linter.fixes.psycopg_support import fixed

CASES = [
    *(
        ("psycopg", name, psycopg_programs.program(name))
        for name in ("rollback", "loops", "in_tuple", "keywords", "types")
    ),
    *(("asyncpg", name, asyncpg_programs.program(name)) for name in asyncpg_programs.PROGRAMS),
]
BEFORE = "# é\n\x0cvalue = {  'a' :1,\n}  # untouched\n\n\n"
AFTER = "\n\nclass Other:  # neither\n\tdef  f ( self ) :\n\t\treturn '''\n  x'''\n"


def fix(fixer: str, source: str) -> str:
    return fixed(source, fixer, "psycopg2.", postgres=fixer)


def comments(source: str) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return sorted(token.string for token in tokens if token.type == tokenize.COMMENT)


@pytest.mark.parametrize(("fixer", "name", "source"), CASES, ids=[f"{fixer}-{name}" for fixer, name, _ in CASES])
def test_layout(fixer: str, name: str, source: str) -> None:
    after = fix(fixer, source)
    assert comments(after) == comments(source)
    ast.parse(after)

    windows = fix(fixer, source.replace("\n", "\r\n"))
    assert windows.count("\n") == windows.count("\r\n")
    assert windows.replace("\r\n", "\n") == after

    tabs = fix(fixer, re.sub(r"(?m)^(?:    )+", lambda match: "\t" * (len(match[0]) // 4), source))
    assert ast.dump(ast.parse(re.sub(r"(?m)^\t+", lambda match: "    " * len(match[0]), tabs))) == ast.dump(
        ast.parse(after)
    )

    head, _, rest = source.partition("import psycopg2\n")
    embedded = fix(fixer, f"{head}import psycopg2\n{BEFORE}{rest.rstrip(chr(10))}\n{AFTER}")
    assert BEFORE in embedded
    assert embedded.endswith(AFTER)
