"""psycopg2 -> asyncpg: programs that do the same on a real PostgreSQL before and after (acceptance 5.2, row 43)."""

from __future__ import annotations

import dataclasses
import textwrap

import pytest

from asgiway_lint.fixes.model import Fix
from tests.linter.fixes.psycopg_support import Outcome, fixed, offers, reason, run

HEAD = """\
import psycopg2
import psycopg2.errors
import psycopg2.extras
from psycopg2.extras import RealDictCursor

__all__ = ["main"]

ONE = "SELECT name, people FROM city WHERE id = %s AND name <> '100%%'"
QUERY = \"\"\"
    SELECT name -- each city's own
    FROM city
    WHERE people >= %s ORDER BY id
\"\"\"


"""
PROGRAMS = {
    "read": """
        async def main(db_url):
            conn = psycopg2.connect(db_url)
            try:
                cur = conn.cursor()  # one for all
                cur.execute(ONE, (1,))  # Oslo
                row = cur.fetchone()  # or None
                name = row[0] if row else None
                # all of them
                cur.execute(QUERY, [100])
                names = [name for (name,) in cur.fetchall()]
                cur.execute("SELECT id, name FROM city ORDER BY id")
                for number, town in cur:
                    names.append(f"{number} {town}")
                cur.close()
                return name, names
            finally:
                conn.close()
        """,
    "rows_as_they_were": """
        async def main(url):
            conn = psycopg2.connect(url)
            try:
                with conn.cursor() as cur:
                    cur.execute("SELECT name, area FROM city ORDER BY id LIMIT %s OFFSET %s", (2, 1))
                    return cur.fetchall()
            finally:
                conn.close()
        """,
    "dictionaries": """
        async def main(url):
            conn = psycopg2.connect(dsn=url)
            try:
                with conn.cursor(cursor_factory=RealDictCursor) as cur:
                    cur.execute("SELECT * FROM city WHERE name = %(name)s OR id = %(id)s OR name = %(name)s",
                                {"id": 2, "name": "Oslo"})
                    rows = cur.fetchall()
                    cur.execute("SELECT name FROM city WHERE id = %s", (3,))
                    one = cur.fetchone()
                    cur.execute("SELECT id, name FROM city ORDER BY id")
                    more = cur.fetchall()
                return [dict(row) for row in rows], one["name"], one.get("x"), more
            finally:
                conn.close()
        """,
    "committed": """
        async def main(url):
            conn = psycopg2.connect(url)
            try:
                cur = conn.cursor()
                cur.execute("UPDATE city SET people = %s WHERE name = %s", (1, "Oslo"))
                values = ("Moss", 50)
                cur.execute(
                    "INSERT INTO city (name, people) "  # two
                    "VALUES (%s, %s) RETURNING id",
                    values,
                )
                number = cur.fetchone()[0]
                text = \"\"\"
            kept
        as it is\"\"\"
                conn.commit()
                return number, text
            finally:
                conn.close()
        """,
    "committed_after_with": """
        async def main(url):
            conn = psycopg2.connect(url)
            try:
                with conn.cursor() as cur:
                    cur.execute("DELETE FROM city WHERE name LIKE %s AND id BETWEEN %s AND %s", ("O%", 1, 5))
                conn.commit()  # for good
            finally:
                conn.close()
        """,
    "committed_in_with": """
        async def main(url):
            conn = psycopg2.connect(url)
            try:
                with conn.cursor() as cur:
                    for name in ("Moss", "Halden"):
                        cur.execute("INSERT INTO city (name) VALUES (%s)", (name,))
                    conn.commit()
            finally:
                conn.close()
        """,
    "rolled_back": """
        async def main(url):
            conn = psycopg2.connect(url)
            cur = conn.cursor()
            try:
                cur.execute("INSERT INTO city (name) VALUES (%s)", ("Moss",))
                cur.execute("INSERT INTO city (name) VALUES (%s)", ("Oslo",))
                conn.commit()
            except psycopg2.IntegrityError as error:
                conn.rollback()
                return error.pgcode
            except ValueError:
                conn.rollback()
            finally:
                cur.close()
                conn.close()
        """,
    "error_leaves": """
        async def main(url):
            conn = psycopg2.connect(url)
            try:
                cur = conn.cursor()
                cur.execute("INSERT INTO city (name) VALUES ('Moss')")
                cur.execute("INSERT INTO city (name, people) VALUES ('Halden', -1)")
                conn.commit()
            finally:
                conn.close()
        """,
    "with_connection": """
        async def main(url):
            with psycopg2.connect(url) as conn:  # commits
                with conn.cursor() as cur:
                    cur.execute("INSERT INTO city (name) VALUES (%s) RETURNING id, name", ("Moss",))
                    number, name = cur.fetchone()
                    return number, name
        """,
    "with_connection_and_cursor": """
        async def main(url):
            with psycopg2.connect(url) as conn, conn.cursor() as cur:
                cur.executemany("INSERT INTO city (name, people) VALUES (%s, %s)", [("Moss", 1), ("Halden", None)])
                note = '''
          as it is
        '''
                # and
                if note:
                    cur.execute("DELETE FROM city WHERE id = ANY(%s)", ([1, 2],))
            return note
        """,
    "with_connection_rolls_back": """
        async def main(url):
            with psycopg2.connect(url) as conn:
                cur = conn.cursor()
                cur.execute("DELETE FROM city")
                cur.execute("INSERT INTO city (name, people) VALUES (%s, %s)", ("x", -1))""",
    "blocks": """
        async def main(url):
            conn = psycopg2.connect(url)
            try:
                with conn, conn.cursor() as cur:
                    cur.execute("INSERT INTO city (name) VALUES ('Narvik')")
                try:
                    with conn:
                        with conn.cursor() as cur:
                            cur.execute("INSERT INTO city (name) VALUES ('Hamar')")
                            cur.execute("INSERT INTO city (name) VALUES ('Oslo')")
                except psycopg2.errors.UniqueViolation:
                    return "twice"
            finally:
                conn.close()
        """,
    "autocommit": """
        async def main(url):
            conn = psycopg2.connect(url)
            conn.autocommit = True
            try:
                with conn.cursor() as cur:
                    cur.execute("INSERT INTO city (name) VALUES ('Narvik')")
                    try:
                        cur.execute("INSERT INTO city (name) VALUES ('Oslo')")
                    except psycopg2.errors.UniqueViolation:
                        cur.execute("INSERT INTO city (name) VALUES ('Hamar')")
            finally:
                conn.close()
        """,
    "dictionaries_that_change": """
        async def main(url):
            conn = psycopg2.connect(url)
            try:
                with conn.cursor(cursor_factory=RealDictCursor) as cur:
                    cur.execute("SELECT name, people FROM city ORDER BY id")
                    for row in cur:
                        row["people"] += 1
                    cur.execute("SELECT name, people FROM city ORDER BY id")
                    rows = cur.fetchall()
                    for row in rows:
                        row["more"], _ = row["name"], 1
                    cur.execute("SELECT name, people FROM city ORDER BY id")
                    third = cur.fetchall()
                    return rows, [list(each.keys()) for each in third], [each.get("name") for each in third]
            finally:
                conn.close()
        """,
    "percent": """
        async def main(url):
            conn = psycopg2.connect(url)
            try:
                cur = conn.cursor()
                cur.execute("SELECT '%s', '100%', 5 % 3, name /* %s */ FROM city WHERE name LIKE '%e%'")
                rows = cur.fetchall()
                cur.execute("SELECT '100%%', 5 %% 3, $$a%%b$$, E'\\\\x41' FROM city WHERE name LIKE '%%e%%' AND id > %s", (0,))
                rows += cur.fetchall()
                cur.execute(r"SELECT '\\d', name FROM city WHERE id IN (%s, %s) ORDER BY id;", (1, 2))
                rows += cur.fetchall()
                return rows
            finally:
                conn.close()
        """,
    "optional": """
        async def main(url):
            conn = None
            try:
                conn = psycopg2.connect(url)
                cur = conn.cursor()
                cur.execute("CREATE TABLE village (name text); INSERT INTO village VALUES ('x')")
                conn.commit()
                return True
            finally:
                if conn is not None:
                    conn.close()
        """,
    "nothing_found": """
        async def main(url):
            conn = psycopg2.connect(url)
            try:
                cur = conn.cursor()
                cur.execute("SELECT 1 FROM city WHERE name = %s", ("Moss",))
                if cur.fetchone() is None:
                    return "none"
            finally:
                conn.close()
        """,
}
REFUSALS = {
    'cur.execute("SELECT 1")\nreturn cur.fetchone()': "neither a tuple nor a dictionary",
    'cur.execute("SELECT 1")\nreturn cur.rowcount': "no `cur.rowcount`",
    'cur.execute("SELECT 1")\nreturn cur.fetchmany(2)': "no `fetchmany`",
    'cur.execute("SELECT 1")\nx = 1\nrows = cur.fetchall()': "not right above",
    'cur.execute("SELECT 1")\nrows = cur.fetchall() if names else []': "several times, or never",
    'cur.execute("SELECT 1")\nwhile names:\n    rows = cur.fetchall()': "not right above",
    'cur.execute("DELETE FROM city")': "drops what is never committed",
    'cur.execute("SELECT grow(id) FROM city")\nx = cur.fetchall()': "drops what is never committed",
    'cur.execute("SELECT 1 FROM city FOR UPDATE")': "drops what is never committed",
    'cur.execute("DELETE FROM city")\nif names:\n    return\nconn.commit()': "left before the `commit`",
    'cur.execute("DELETE FROM city")\nconn.commit()\ncur.execute("DELETE FROM city")': "elsewhere than above",
    'for name in names:\n    cur.execute("DELETE FROM city")\n    conn.commit()\nconn.commit()': "several commits",
    'if names:\n    cur.execute("DELETE FROM city")\n    conn.rollback()\nconn.commit()': "a rollback stands elsewhere",
    'cur.execute("DELETE FROM city")\nx = cur.fetchall()\nconn.commit()': "without rows",
    'cur.execute("SELECT %s", (1,))\nx = cur.fetchall()': "needs the type of each value",
    'cur.execute("SELECT 1 WHERE names LIKE%s", (1,))': "needs the type of each value",
    'cur.execute("SELECT 1 WHERE id = %s::int", (1,))': "needs the type of each value",
    "cur.execute(\"SELECT 1 FROM city WHERE name = '%s'\", (1,))": "stands in a literal",
    'cur.execute("SELECT 1 FROM city /* %s */", (1,))': "stands in a comment",
    'cur.execute("SELECT 1 FROM city WHERE id IN %s", (tuple(names),))': "no tuple for `IN`",
    'cur.execute("SELECT 1 FROM city WHERE id = %(id)s", names)': "no named parameters",
    'cur.execute("SELECT 1 FROM city WHERE id = %(id)s", {"id": names.pop()})': "in another order",
    'cur.execute("SELECT 1 FROM city WHERE id = %s", (*names,))': "cannot be seen here",
    'cur.execute(f"SELECT 1 FROM {table}")': "put together at run time",
    "cur.execute(SHARED, (1,))": "`SHARED` has psycopg2's placeholders",
    'try:\n    cur.execute("SELECT 1")\nexcept psycopg2.OperationalError:\n    pass': "no class that says the same",
    'try:\n    cur.execute("SELECT 1")\nexcept psycopg2.IntegrityError as error:\n    print(error.diag)': "no `diag`",
    'try:\n    cur.execute("SELECT 1")\nexcept ValueError:\n    cur.execute("SELECT 2")': "a part of the transaction",
    'try:\n    cur.execute("SELECT 1")\nexcept ValueError:\n    pass\ncur.execute("SELECT 2")': "a part of the transaction",
    'c2 = conn.cursor(cursor_factory=psycopg2.extras.NamedTupleCursor)\nc2.execute("SELECT 1")': "no attributes",
    'cur.execute("SELECT 1"); cur.execute("SELECT 2")': "several things at once",
    'cur.execute("SELECT 1")\nx = f"{cur.fetchone()[0]}"': "inside an f-string that has no room",
    'with conn.cursor() as k:\n    k.execute("SELECT 1")\nk.execute("SELECT 2")': "is used behind its `with`",
    'with conn.cursor() as cur:\n    cur.execute("SELECT 1")': "bound to several cursors",
    'cur.execute("SELECT 1")\ncur.close()\ncur.execute("SELECT 2")': "used after it was closed",
    'd = conn.cursor(cursor_factory=psycopg2.extras.RealDictCursor)\nd.execute("SELECT 1")\nr = d.fetchone()\n'
    "r['x'] = 1": "neither a tuple nor a dictionary",
    'if cur:\n    cur.execute("SELECT 1")': "is tested or entered",
}


def program(name: str) -> str:
    return HEAD + textwrap.dedent(PROGRAMS[name])


def used(statements: str, dsn: str = "db_url") -> str:
    body = textwrap.indent(textwrap.dedent(statements), " " * 8)
    return (
        "import psycopg2, psycopg2.extras\nSHARED = 'SELECT 1 FROM city WHERE id = %s'\n"
        f"async def main({dsn}, table, names):\n    conn = psycopg2.connect({dsn})\n    try:\n"
        f"        cur = conn.cursor()\n{body}\n    finally:\n        conn.close()\n"
    )


def told(outcome: Outcome) -> Outcome:
    """asyncpg's classes are named in another way."""
    return dataclasses.replace(outcome, error=outcome.error.removesuffix("Error"))


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_does_the_same_before_and_after(name: str) -> None:
    before = program(name)
    after = fixed(before, "asyncpg", "psycopg2.")
    assert told(run(after)) == told(run(before))
    assert before.count("#") == after.count("#")


@pytest.mark.parametrize("statements", REFUSALS)
def test_it_is_refused_with_its_reason(statements: str) -> None:
    assert REFUSALS[statements] in reason(used(statements), "asyncpg")


def test_a_dsn_that_is_no_uri_is_refused() -> None:
    assert "takes a URI only" in reason(used('cur.execute("SELECT 1")', "dsn"), "asyncpg")


def test_a_connection_that_may_stay_open_is_refused() -> None:
    source = "import psycopg2\nasync def main(url):\n    c = psycopg2.connect(url)\n    k = c.cursor()\n    k.execute('SELECT 1')\n    c.close()\n"
    assert "not closed in a `finally`" in reason(source, "asyncpg")


def test_only_where_asyncpg_is_the_projects_driver() -> None:
    source = used('cur.execute("SELECT 1")')
    assert [type(offer) for offer in offers(source, "asyncpg")] == [Fix]
    assert offers(source, "asyncpg", postgres="psycopg") == []
