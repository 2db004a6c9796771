"""psycopg2 -> psycopg 3: what cannot be shown to do the same is refused, with its reason (acceptance 5.2, 5.4)."""

from __future__ import annotations

import textwrap

import pytest

from asgiway_lint.fixes.model import Fix
from tests.linter.fixes.psycopg_support import offers, reason

HEAD = """
import contextlib
import threading
import psycopg2
import psycopg2.extras
from psycopg2.pool import SimpleConnectionPool
from psycopg2 import extensions, sql

QUERY = "SELECT name FROM city WHERE name IN %s"
ERRORS = (psycopg2.Error,)
DB = {"database": "shop", "host": "db"}
lock = threading.Lock()
pool = SimpleConnectionPool(1, 2, "dbname=shop")

"""


def used(statements: str) -> str:
    """A coroutine that does this with a connection and a cursor."""
    body = textwrap.indent(textwrap.dedent(statements), " " * 8)
    return (
        HEAD + "async def main(dsn, table, names):\n    conn = psycopg2.connect(dsn)\n    try:\n"
        f"        cur = conn.cursor()\n{body}\n    finally:\n        conn.close()\n"
    )


def whole(text: str) -> str:
    return HEAD + textwrap.dedent(text)


STATEMENTS = {
    'cur.callproc("f", [1])': "no `callproc`",
    'cur.execute("SELECT 1")\ncur.copy_from(names, "city")': "cursor.copy(...)",
    'cur.execute("SELECT 1")\ncur.copy_expert("COPY city TO STDOUT", names)': "cursor.copy(...)",
    'cur.execute("SELECT 1")\nprint(cur.mogrify("SELECT %s", (1,)))': "`mogrify`",
    'cur.execute("SELECT 1")\nprint(cur.lastrowid)': "RETURNING",
    'cur.execute("SELECT 1")\ncur.scroll(1)': "`scroll`",
    'cur.execute("SELECT 1")\nprint(cur.query)': "does not keep the text",
    'cur.execute("SELECT 1")\nprint(cur)': "`cur` is handed on (line 20)",
    'cur.execute("SELECT 1")\nreturn conn': "`conn` is handed on",
    'cur.execute("SELECT 1")\nnames.append(cur.fetchone)': "`cur.fetchone` is handed on",
    'cur.execute("SELECT 1")\nnames.append(conn.commit)': "`conn.commit` is handed on",
    'cur.execute("SELECT 1")\nreturn (row for row in cur)': "generator expression",
    'cur.execute("SELECT 1")\nreturn lambda: cur.fetchone()': "a function inside",
    'cur.execute("SELECT 1")\nconn.cancel()': "cancel the task",
    'cur.execute("SELECT 1")\nconn.notices.clear()': "add_notice_handler",
    'cur.execute("SELECT 1")\nconn.set_session(readonly=True)': "set_session",
    'named = conn.cursor("big")\nnamed.execute("SELECT 1")': "server-side",
    'named = conn.cursor(cursor_factory=psycopg2.extras.DictCursor)\nnamed.execute("SELECT 1")': "`DictCursor`",
    'psycopg2.extras.execute_values(cur, "INSERT INTO city (name) VALUES %s", names)\ncur.execute("SELECT 1")': "handed on",
    'cur.execute("INSERT INTO city VALUES (%s)", (psycopg2.extras.Json(names),))': "`Jsonb`",
    'cur.execute("INSERT INTO city VALUES (%s)", (psycopg2.Binary(names),))': "`Binary`",
    'cur.execute(f"SELECT * FROM {table}")\nreturn cur.fetchall()': "put together at run time",
    'cur.execute("DELETE FROM " + table + " WHERE name = %s", (names,))': "put together at run time",
    'cur.execute(sql.SQL("SELECT * FROM {} WHERE id IN %s").format(sql.Identifier(table)), (names,))': "is composed",
    'cur.execute(sql.SQL("SELECT {}").format(sql.Literal(1)))\nreturn cur.fetchall()': "put together at run time",
    'cur.execute(sql.SQL("DROP TABLE {}").format(sql.Literal(1)))': "only `SQL(",
    'q = sql.SQL("SELECT 1")\nprint(q)\ncur.execute(q)': "only `SQL(",
    'cur.execute(sql.SQL("SELECT 1 FROM {}; SELECT 2").format(sql.Identifier(table)))\nreturn cur.fetchall()': "last result",
    'cur.execute("SELECT 1; SELECT 2")\nreturn cur.fetchall()': "last result",
    "cur.execute(QUERY, (tuple(names),))": "`QUERY` has an `IN %s`",
    'cur.execute("SELECT 1 FROM city WHERE name IN %s", names)': "the tuple for `IN %s` cannot be seen",
    'cur.execute("SELECT 1 FROM city WHERE (name, id) IN %s", (tuple(names),))': "is no column",
    'cur.execute("INSERT INTO city (name) VALUES %s", (names,))': "composite",
    'cur.execute("SELECT (1, 2) = %s", ((1, 2),))': "composite",
    'cur.execute("SELECT 1 FROM city WHERE ids = %s", ([1, 2],))': "no `integer[]`",
    'cur.execute("UPDATE city SET a = %(a)s WHERE ids = %(ids)s", {"a": [1], "ids": [n for n in names]})': "no `integer[]`",
    'cur.execute("SELECT %s, %s", (1,))': "not those that the SQL has placeholders for",
    'cur.execute("SELECT 1", (1,))': "not those that the SQL has placeholders for",
    'cur.execute("SELECT 1", names)': "no placeholder",
    'cur.execute("SELECT %s", (names))': "parentheses alone",
    'cur.execute("SELECT %d", (1,))': "`%d` is no placeholder",
    'cur.execute("SELECT 5 % 3, %s", (1,))': "is no placeholder",
    'cur.execute("SELECT %(a)s, %s", {"a": 1})': "mixed",
    'cur.execute("SELECT $1, %s", (1,))': "another driver",
    'cur.execute("SELECT \'%s, 1", (1,))': "does not end",
    'result = cur.execute("SELECT 1")': "gives None",
    'cur.executemany("INSERT INTO city (name) VALUES (%s) RETURNING id", names)\nreturn cur.fetchall()': "returning=True",
    'conn.autocommit = True\ncur.executemany("INSERT INTO city (name) VALUES (%s)", names)': "one transaction",
    'cur.execute("SELECT 1")\nconn.set_isolation_level(extensions.ISOLATION_LEVEL_AUTOCOMMIT)': "ends a transaction",
    'with conn:\n    cur.execute("SELECT 1")\ncur.execute("SELECT 2")': "outside of `with conn`",
    'with conn:\n    cur.execute("SELECT 1")\n    conn.commit()': "no commit, rollback or close inside",
    'with conn as other:\n    cur.execute("SELECT 1")': "a second name",
    'with conn:\n    with conn:\n        cur.execute("SELECT 1")': "entered twice",
    'with open("x") as file, conn.cursor() as other:\n    other.execute("SELECT 1")': "`with` of its own",
    'with lock:\n    cur.execute("SELECT 1")': "wait for the thread lock",
    'try:\n    pass\nfinally:\n    cur.execute("SELECT 1")': "in a `finally` block",
    'try:\n    cur.execute("SELECT 1")\nexcept:\n    pass': "swallow a cancellation",
    'try:\n    cur.execute("SELECT 1")\nexcept ERRORS:\n    pass': "`except ERRORS`",
    'try:\n    cur.execute("SELECT 1")\nexcept psycopg2.InternalError:\n    pass': "`RAISE`",
    'try:\n    cur.execute("SELECT 1")\nexcept psycopg2.Error as error:\n    print(error.pgerror)': "`pgerror`",
    'cur.execute("SELECT 1")\nfor row in cur:\n    cur.execute("SELECT 2")': "the loop over `cur` executes",
    'conn = names\ncur.execute("SELECT 1")': "bound to something else",
}
PROGRAMS = {
    "parameter": (
        "async def main(conn: extensions.connection):\n    cur = conn.cursor()\n    cur.execute('SELECT 1')",
        "not made in this function",
    ),
    "pool": ("async def main():\n    conn = pool.getconn()", "AsyncConnectionPool"),
    "not_closed": ("async def main(dsn):\n    conn = psycopg2.connect(dsn)\n    conn.commit()", "is not closed"),
    "generator": (
        "async def main(dsn):\n    with psycopg2.connect(dsn) as conn:\n        conn.commit()\n        yield 1",
        "is a generator",
    ),
    "closing": (
        "async def main(dsn):\n    with contextlib.closing(psycopg2.connect(dsn)) as conn:\n        conn.commit()",
        "drops what is not committed",
    ),
    "used_after_with": (
        "async def main(dsn):\n    with psycopg2.connect(dsn) as conn:\n        conn.commit()\n    conn.rollback()",
        "closes the connection, and line",
    ),
    "closed_inside_with": (
        "async def main(dsn):\n    with psycopg2.connect(dsn) as conn:\n        conn.close()",
        "closed inside its own",
    ),
    "autocommit_inside_with": (
        "async def main(dsn):\n    with psycopg2.connect(dsn) as conn:\n        conn.autocommit = True\n        conn.commit()",
        "forbids to change `autocommit`",
    ),
    "unknown_settings": (
        "async def main(settings):\n    with psycopg2.connect(**settings) as conn:\n        conn.commit()",
        "cannot be seen here",
    ),
    "renamed_settings": (
        "async def main():\n    with psycopg2.connect(**DB) as conn:\n        conn.commit()",
        "holds `database`",
    ),
    "connection_factory": (
        "async def main(f):\n    with psycopg2.connect('', connection_factory=f) as conn:\n        conn.commit()",
        "no `connection_factory`",
    ),
    "registered": (
        "psycopg2.extras.register_uuid()\nasync def main(dsn):\n    with psycopg2.connect(dsn) as conn:\n        conn.commit()",
        "converts values in all of the program",
    ),
    "trio": (
        "import trio\nasync def main(dsn):\n    with psycopg2.connect(dsn) as conn:\n        conn.commit()",
        "for trio",
    ),
}


@pytest.mark.parametrize("statements", STATEMENTS)
def test_it_is_refused_with_its_reason(statements: str) -> None:
    assert STATEMENTS[statements] in reason(used(statements), "psycopg", postgres="psycopg")


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_connection_that_is_not_the_functions_own_is_refused(name: str) -> None:
    text, expected = PROGRAMS[name]
    assert expected in reason(whole(text), "psycopg", postgres="psycopg")


def test_what_is_not_about_psycopg2_is_left_to_others() -> None:
    source = HEAD + "import time\nasync def main():\n    time.sleep(1)\n"
    assert offers(source, "psycopg") == []


def test_a_list_may_be_assigned() -> None:
    source = used('cur.execute("UPDATE city SET ids = %s, a = %s WHERE id = %s", ([1, 2], [3], 4))')
    assert [type(offer) for offer in offers(source, "psycopg")] == [Fix]


def test_it_is_offered_when_asyncpg_is_preferred_and_not_possible() -> None:
    source = used('cur.execute("SELECT %s || 1", (names,))\nreturn cur.description')
    assert [type(offer) for offer in offers(source, "psycopg", postgres="asyncpg")] == [Fix]


def test_the_notes_name_what_else_uses_psycopg2() -> None:
    (fix,) = offers(used('cur.execute("SELECT 1")'), "psycopg")
    assert isinstance(fix, Fix)
    assert not any("import can go" in note for note in fix.notes)  # ERRORS and the pool do


def test_the_notes_tell_what_other_tasks_may_do() -> None:
    source = used('cur.execute("SELECT 1")\ntable.total += cur.fetchone()[0]\ndsn += cur.fetchone()[0]')
    (fix,) = offers(source, "psycopg")
    assert isinstance(fix, Fix)
    assert [note for note in fix.notes if "`table.total` is read before the `await`" in note]
    assert not [note for note in fix.notes if "`dsn`" in note]
