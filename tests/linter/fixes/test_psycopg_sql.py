"""SQL as psycopg2 and PostgreSQL read it: placeholders, literals, comments; what is numbered is what PostgreSQL executes."""

from __future__ import annotations

import ast
import asyncio
import contextlib
from collections.abc import Generator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
import libcst as cst
import psycopg
import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asgiway_lint.config import Settings
from asgiway_lint.fixes.apply import apply_edits
from asgiway_lint.fixes.model import Edit
from asgiway_lint.fixes.psycopg.literals import literal_of
from asgiway_lint.fixes.psycopg.sql import scan
from asgiway_lint.fixes.source import FixSource
from tests.linter.fixes.psycopg_support import observer, postgresql, setup

# No control characters but line ends, nothing that psycopg2 cannot encode; and all signs that mean something to a lexer.
TEXT = st.text(st.sampled_from("ab'\"$%-/*\\();:é\n {}ES1?_"), max_size=12)


def doubled(text: str) -> str:
    return text.replace("%", "%%")


def literal(text: str) -> str:
    return "'" + doubled(text.replace("'", "''")) + "'"


def escaped(text: str) -> str:
    return "E'" + doubled(text.replace("\\", "\\\\").replace("'", "\\'")) + "'"


def dollar(text: str) -> str:
    return "$tag$" + doubled(text.replace("$", "")) + "$tag$"


def named(text: str) -> str:
    return '1 AS "x' + doubled(text.replace('"', '""')) + '"'


def line_comment(text: str) -> str:
    return f" --{doubled(text.replace(chr(10), ''))}\n"


def block_comment(text: str) -> str:
    return f"/*{doubled(text.replace('*', '').replace('/', ''))}/* '\" */*/"


ITEMS = st.one_of(
    TEXT.map(literal),
    TEXT.map(escaped),
    TEXT.map(dollar),
    TEXT.map(named),
    st.sampled_from(
        ["%s::text", "%s::text", "(%s::text)", "17 %% 5", "'a' || %s", "1.5e3", "(SELECT 1 WHERE 1=1--2\n)"]
    ),
)
GAPS = st.one_of(st.just(" "), st.just("\n"), TEXT.map(line_comment), TEXT.map(block_comment))


@st.composite
def statements(draw: st.DrawFn) -> str:
    items = draw(st.lists(ITEMS, min_size=1, max_size=6))
    return "SELECT " + ",".join(draw(GAPS) + item + draw(GAPS) for item in items)


@pytest.fixture(scope="module")
def loop() -> Generator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture(scope="module")
def connection(loop: asyncio.AbstractEventLoop) -> Generator[Any]:
    connection = loop.run_until_complete(asyncpg.connect(postgresql()))
    yield connection
    loop.run_until_complete(connection.close())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=statements(), values=st.lists(TEXT, min_size=6, max_size=6))
def test_postgresql_executes_the_same_with_numbers(
    loop: asyncio.AbstractEventLoop, connection: Any, text: str, values: list[str]
) -> None:
    sql = scan(text, parameters=True)
    assert (sql.problem, sql.statements, sql.verb) == ("", 1, "select")
    assert not any(placeholder.inside for placeholder in sql.placeholders)
    values = values[: len(sql.placeholders)]
    with observer().cursor() as cursor:
        # An empty tuple is no parameters for nobody: `%%` is one percent sign with it.
        cursor.execute(text, tuple(values))
        expected = cursor.fetchall()
        names = [column.name for column in cursor.description or ()]
    numbered = apply_edits(text, [Edit(*change) for change in sql.numbered()])
    rows = loop.run_until_complete(connection.fetch(numbered, *values))
    assert [tuple(row.values()) for row in rows] == expected
    assert [list(row.keys()) for row in rows] == [names]


@settings(max_examples=150, deadline=None)
@given(text=statements(), data=st.data())
def test_places_in_a_text_are_places_in_its_source(text: str, data: st.DataObject) -> None:
    """Whatever way the text is written as literals of Python, the same change of it can be made there."""
    cut = data.draw(st.integers(0, len(text)))
    forms = [data.draw(st.sampled_from(FORMS)) for _ in range(2)]
    parts = [form(part) for form, part in zip(forms, (text[:cut], text[cut:]), strict=True)]
    source = FixSource(f"x = ({parts[0]}\n  {parts[1]})\n", Path("/nowhere/x.py"), Settings(root=Path("/nowhere")))
    (assignment,) = source.find(cst.Assign)
    found = literal_of(source, assignment.value)
    assert found is not None
    assert found.text == text
    edits: list[Edit] = []
    changes = scan(text, parameters=True).numbered()
    for start, end, new in changes:
        span = found.span(start, end)
        if span is None:
            assert start < cut < end or continued in forms  # split in two
            return
        edits.append(Edit(*span, new))
    changed = apply_edits(source.text, edits)
    expected = apply_edits(text, [Edit(*change) for change in changes])
    assert ast.literal_eval(changed.removeprefix("x = ")) == expected


def triple(text: str) -> str:
    return '"""' + text.replace("\\", "\\\\").replace('"', '\\"') + '"""'


def raw(text: str) -> str:
    return repr(text) if {"'", "\\", "\n"} & set(text) else f"r'{text}'"


def hexadecimal(text: str) -> str:
    return '"' + "".join(f"\\x{ord(each):02x}" for each in text) + '"'


def continued(text: str) -> str:
    return '"' + "\\\n".join(repr(each)[1:-1].replace('"', '\\"') for each in text) + '"'


FORMS = [repr, triple, raw, hexadecimal, continued]


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("SELECT '%s'", "a literal"),
        ("SELECT 'it''s %s'", "a literal"),
        ("SELECT E'\\'%s'", "a literal"),
        ("SELECT $$%s$$", "a literal"),
        ("SELECT $a$ $$ %s $a$", "a literal"),
        ('SELECT "%s"', "a quoted name"),
        ("SELECT 1 -- %s", "a comment"),
        ("SELECT 1 /* /* */ %s */", "a comment"),
        ("SELECT E'\\\\' || %s", ""),
        ("SELECT '\\' || %s", ""),
        ("SELECT 1 /* */ + %s", ""),
        ("SELECT 1 --\n + %s", ""),
        ("SELECT 1 -%s", ""),
    ],
)
def test_a_placeholder_inside_of_something_is_told_apart(text: str, inside: str) -> None:
    assert [placeholder.inside for placeholder in scan(text, parameters=True).placeholders] == [inside]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("SELECT * FROM city WHERE id = %s AND c.name <> %(name)s", True),
        ("SELECT * FROM city c WHERE c.id >= %s ORDER BY 1 LIMIT %s OFFSET %s", True),
        ("SELECT * FROM city WHERE name NOT ILIKE %s OR id BETWEEN %s AND %s", True),
        ("SELECT * FROM city WHERE id IN (%s, %s) AND name NOT IN (%s) AND id = ANY(%s) AND id <> ALL(%s)", True),
        ("INSERT INTO city (a, b) VALUES (%s, now()), (%s, %s) ON CONFLICT (a) DO UPDATE SET b = %s RETURNING a", True),
        ('UPDATE city SET "name" = %s, people = %s WHERE id = %s', True),
        ("DELETE FROM city WHERE id = %s;", True),
        ("UPDATE city SET people = people + %s", False),
        ("SELECT %s", False),
        ("SELECT lower(%s)", False),
        ("INSERT INTO city VALUES (lower(%s))", False),
        ("INSERT INTO city SELECT * FROM (VALUES (%s)) AS v", False),
        ("SELECT * FROM city WHERE id = %s::int", False),
        ("SELECT * FROM city WHERE id = %s + 1", False),
        ("SELECT * FROM city WHERE 1 = %s", False),
        ("SELECT * FROM city WHERE lower(name) = %s", False),
        ("SELECT * FROM city WHERE name LIKE%s", False),
        ("SELECT * FROM city WHERE (%s, 1) IN (%s, 2)", False),
        ("VALUES (%s)", False),
        ("SET statement_timeout = %s", False),
        ("DELETE FROM city WHERE id = %s; DELETE FROM town WHERE id = %s", False),
    ],
)
def test_where_the_server_finds_the_type_of_a_parameter(text: str, plain: bool) -> None:
    assert scan(text, parameters=True).plain() is plain


COLUMNS = {
    "i": "integer",
    "n": "numeric(9, 2)",
    "f": "float8",
    "x": "text",
    "d": "date",
    "t": "timestamptz",
    "b": "boolean",
    "a": "text[]",
    "j": "jsonb",
    "u": "uuid",
}
ROW = """INSERT INTO typed VALUES (5, 5.5, 5.5, 'a', '2020-01-02', '2020-01-02 00:00+00', true, '{a}', '{"a": 1}',
    '00000000-0000-0000-0000-000000000001')"""
VALUES = [
    *(5, 70000, 5.5, Decimal("5.5"), "5", "a", "2020-01-02", "true", "{a}", '{"a": 1}', None, True),
    *(date(2020, 1, 2), datetime(2020, 1, 2, tzinfo=UTC), ["a"], [], str(UUID(int=1))),
]
PLAIN = [
    "INSERT INTO typed ({0}) VALUES (%s), (%s) RETURNING {0}::text",
    "UPDATE typed SET {0} = %s RETURNING {0}::text",
    "SELECT count(*) FROM typed WHERE {0} = %s OR {0} > %s OR {0} BETWEEN %s AND %s",
    "SELECT count(*) FROM typed WHERE {0} IN (%s, %s)",
    "SELECT count(*) FROM typed WHERE {0} LIKE %s",
    "SELECT count(*) FROM typed WHERE {0} = ANY(%s)",
    "SELECT {0}::text FROM typed ORDER BY 1 LIMIT %s OFFSET %s",
]


@pytest.mark.parametrize("template", PLAIN)
def test_what_is_plain_does_the_same_when_the_server_binds_it(template: str) -> None:
    """Whatever works with psycopg2 works with psycopg, for columns and values of many types."""
    setup(f"DROP TABLE IF EXISTS typed; CREATE TABLE typed ({', '.join(map(' '.join, COLUMNS.items()))}); {ROW}")
    seen = 0
    with contextlib.closing(psycopg2.connect(postgresql())) as old, psycopg.connect(postgresql()) as new:
        for column in COLUMNS:
            query = template.format(column)
            assert scan(query, parameters=True).plain()
            for value in VALUES:
                arguments = (value,) * query.count("%s")
                with old.cursor() as cursor:
                    try:
                        cursor.execute(query, arguments)
                    except psycopg2.Error:
                        continue
                    else:
                        expected = cursor.fetchall()
                    finally:
                        old.rollback()
                assert new.execute(query.encode(), arguments).fetchall() == expected, (query, value)
                new.rollback()
                seen += 1
    assert seen > 5


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        (";", 0),
        ("SELECT 1", 1),
        ("SELECT 1;", 1),
        ("SELECT ';'; ;", 1),
        ("SELECT 1; SELECT 2", 2),
        ("--;\nX;Y", 2),
    ],
)
def test_statements_are_counted(text: str, count: int) -> None:
    assert scan(text, parameters=False).statements == count


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("SELECT count(*), max(id) FROM city WHERE id IN (1, 2)", True),
        ("WITH x AS (SELECT 1) SELECT * FROM x", True),
        ("WITH x AS (DELETE FROM city RETURNING *) SELECT * FROM x", False),
        ("SELECT nextval('s')", False),
        ("SELECT * INTO t FROM city", False),
        ("SELECT grow (1)", False),
        ('SELECT "count"(1), "grow"(1)', False),
        ("SELECT * FROM city FOR SHARE", False),
        ("SELECT 1; DELETE FROM city", False),
    ],
)
def test_statements_that_change_nothing(text: str, harmless: bool) -> None:
    assert scan(text, parameters=False).reads_only() is harmless
