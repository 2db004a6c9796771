"""Random functions on psycopg2: whatever a fixer does not refuse does the same on a real PostgreSQL afterwards."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from asgiway_lint.fixes.model import Fix
from tests.linter.fixes.psycopg_support import fixed, offers, run

NAMES = st.sampled_from(["'Oslo'", "'Moss'", "'Bodø'"])
SIMPLE = st.one_of(
    NAMES.map("cur.execute('INSERT INTO city (name) VALUES (%s)', ({},))".format),
    NAMES.map('cur.execute("INSERT INTO city (name, people) VALUES ({}, 1)")'.format),
    NAMES.map("cur.execute('UPDATE city SET people = %(n)s WHERE name = %(name)s', {{'n': 5, 'name': {}}})".format),
    NAMES.map("cur.execute('DELETE FROM city WHERE name = %s', [{}])  # gone".format),
    NAMES.map(
        "cur.execute('SELECT name FROM city WHERE name >= %s ORDER BY id', ({},))\nout.append(cur.fetchall())".format
    ),
    NAMES.map(
        "cur.execute('SELECT id, people FROM city WHERE name = %s', ({},))\n"
        "row = cur.fetchone()  # one\nout.append(row[1] if row else 'none')".format
    ),
    st.sampled_from(
        [
            "cur.execute('SELECT count(*), 5 % 3 FROM city')\nout.append(cur.fetchone()[0])",
            "cur.execute('SELECT id, name FROM city ORDER BY id')\nfor number, name in cur:\n    out.append(name)",
            "cur.execute('SELECT name FROM city ORDER BY id')\nout += [name for (name,) in cur]",
            "cur.executemany('INSERT INTO city (name, people) VALUES (%s, %s)', [('a', 1), ('b', None)])",
            "cur.execute('UPDATE city SET people = -1')",
            "cur.execute('SELECT nothing')",
            "out.append(len(out))",
            "conn.commit()",
            "conn.rollback()",
            "raise KeyError(1)",
            "return out",
        ]
    ),
)


def indented(text: str) -> str:
    return textwrap.indent(text, "    ")


def compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(inner, min_size=1, max_size=3).map("\n".join)
    return st.one_of(
        several.map(lambda body: f"if flag:\n{indented(body)}"),
        several.map(lambda body: f"for number in range(2):\n{indented(body)}"),
        several.map(lambda body: f"with conn:\n{indented(body)}"),
        several.map(lambda body: f"with conn.cursor() as cur:\n{indented(body)}"),
        several.map(lambda body: f"with conn, conn.cursor() as cur:\n{indented(body)}"),
        st.tuples(
            several, st.sampled_from(["pass", "conn.rollback()", "conn.rollback()\nraise", "out.append('error')"])
        ).map(lambda parts: f"try:\n{indented(parts[0])}\nexcept psycopg2.IntegrityError:\n{indented(parts[1])}"),
        several.map(lambda body: f"{body}\nconn.commit()"),
    )


STATEMENTS = st.lists(st.recursive(SIMPLE, compound, max_leaves=8), min_size=1, max_size=4).map("\n".join)
SHAPES = st.sampled_from(
    [
        "conn = psycopg2.connect(url)\ntry:\n    cur = conn.cursor()\n{}\nfinally:\n    conn.close()",
        "conn = psycopg2.connect(url)\ncur = conn.cursor()\ntry:\n{}\n    conn.commit()\nfinally:\n    cur.close()\n    conn.close()",
        "conn = psycopg2.connect(url)\ntry:\n    with conn.cursor() as cur:\n    {}\n    conn.commit()\nfinally:\n    conn.close()",
        "conn = psycopg2.connect(url)\nconn.autocommit = True\ntry:\n    cur = conn.cursor()\n{}\nfinally:\n    conn.close()",
        "with psycopg2.connect(url) as conn, conn.cursor() as cur:\n{}",
        "with psycopg2.connect(url) as conn:\n    cur = conn.cursor()\n{}",
    ]
)


@st.composite
def programs(draw: st.DrawFn) -> str:
    shape, body = draw(SHAPES), draw(STATEMENTS)
    deep = "cursor() as cur:\n    {}" in shape
    text = shape.replace("    {}", "{}").format(indented(indented(body) if deep else body))
    return f"import psycopg2\n\n\nasync def main(url, out, flag=True):\n{indented(text)}\n    return out\n"


@pytest.mark.parametrize("fixer", ["psycopg", "asyncpg"])
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    database=None,
)
@given(source=programs())
def test_what_is_not_refused_does_the_same(fixer: str, source: str) -> None:
    answers = offers(source, fixer, postgres=fixer)
    if not answers or not all(isinstance(answer, Fix) for answer in answers):
        event("refused")
        return
    event("fixed")
    after = fixed(source, fixer, "psycopg2.", postgres=fixer)
    was: list[object] = []
    now: list[object] = []
    before_outcome, after_outcome = run(source, was), run(after, now)
    assert now == was, after
    assert after_outcome.rows == before_outcome.rows, after
    assert after_outcome.result == before_outcome.result, after
    assert after_outcome.error.removesuffix("Error") == before_outcome.error.removesuffix("Error"), after
