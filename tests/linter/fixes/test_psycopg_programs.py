"""psycopg2 -> psycopg 3: programs that do the same on a real PostgreSQL before and after (acceptance 5.2, row 43)."""

from __future__ import annotations

import textwrap

import pytest

from tests.linter.fixes.psycopg_support import fixed, run

HEAD = (
    "import psycopg2\nimport psycopg2.errors\nimport psycopg2.extras\nfrom psycopg2.extras import RealDictCursor\n\n\n"
)
PROGRAMS = {
    "try_finally": """
        async def main(dsn):
            conn = psycopg2.connect(dsn)
            try:
                cur = conn.cursor()
                cur.execute("SELECT name, area FROM city WHERE people > %s ORDER BY id", (100,))  # the big ones
                rows = cur.fetchall()
                cur.close()
                return rows
            finally:
                conn.close()
        """,
    "committed": """
        async def main(dsn):
            conn = psycopg2.connect(dsn)
            try:
                with conn.cursor() as cur:
                    cur.execute("INSERT INTO city (name, people) VALUES (%s, %s) RETURNING id", ("Bodø", 52))
                    number = cur.fetchone()[0]
                conn.commit()
                return number
            finally:
                conn.close()
        """,
    "not_committed": """
        async def main(dsn):
            conn = psycopg2.connect(dsn)
            cur = conn.cursor()
            cur.execute("DELETE FROM city")
            count = cur.rowcount
            conn.close()
            return count
        """,
    "with_connection": """
        async def main(dsn):
            with psycopg2.connect(dsn) as conn, conn.cursor() as cur:
                cur.execute("UPDATE city SET people = people + %s WHERE name = %s", (1, "Oslo"))
                return cur.rowcount
        """,
    "with_connection_rolls_back": """
        async def main(dsn):
            with psycopg2.connect(dsn) as conn:
                with conn.cursor() as cur:
                    cur.execute("DELETE FROM city WHERE name = 'Oslo'")
                    raise ValueError("no")
        """,
    "with_connection_then_close": """
        async def main(dsn):
            with psycopg2.connect(dsn) as conn:
                with conn.cursor() as cur:
                    cur.execute("DELETE FROM city WHERE name = 'Oslo'")
            conn.close()
        """,
    "blocks": """
        async def main(dsn):
            conn = psycopg2.connect(dsn)
            try:
                with conn, conn.cursor() as cur:
                    cur.execute("INSERT INTO city (name) VALUES ('Narvik')")
                try:
                    with conn:
                        with conn.cursor() as cur:
                            cur.execute("INSERT INTO city (name) VALUES ('Hamar')")
                            cur.execute("INSERT INTO city (name) VALUES ('Oslo')")
                except psycopg2.IntegrityError as error:
                    return error.pgcode
            finally:
                conn.close()
        """,
    "blocks_swallow": """
        async def main(dsn):
            conn = psycopg2.connect(dsn)
            try:
                with conn, conn.cursor() as cur:
                    cur.execute("INSERT INTO city (name) VALUES ('Hamar')")
                    try:
                        cur.execute("INSERT INTO city (name) VALUES ('Oslo')")
                    except psycopg2.errors.UniqueViolation:
                        pass
            finally:
                conn.close()
        """,
    "blocks_with_autocommit": """
        async def main(dsn):
            conn = psycopg2.connect(dsn)
            conn.autocommit = True
            try:
                with conn, conn.cursor() as cur:
                    cur.execute("INSERT INTO city (name) VALUES ('Hamar')")
                    cur.execute("INSERT INTO city (name) VALUES ('Oslo')")
            finally:
                conn.close()
        """,
    "rollback": """
        async def main(dsn):
            conn = psycopg2.connect(dsn)
            cur = conn.cursor()
            try:
                cur.execute("INSERT INTO city (name, people) VALUES (%s, %s)", ["Bodø", 52])
                cur.execute("INSERT INTO city (name, people) VALUES (%s, %s)", ["Moss", -1])
                conn.commit()
            except psycopg2.errors.UniqueViolation:
                raise
            except psycopg2.Error as error:
                conn.rollback()
                cur.execute("SELECT count(*) FROM city")
                return type(error).__name__, error.diag.constraint_name, cur.fetchone()[0]
            finally:
                cur.close()
                conn.close()
        """,
    "connect_fails": """
        async def main(dsn):
            conn = None
            try:
                conn = psycopg2.connect(dsn, dbname="nowhere")
            except psycopg2.OperationalError as error:
                return "nowhere" in str(error)
            finally:
                if conn is not None:
                    conn.close()
        """,
    "commit_of_failed_transaction": """
        async def main(dsn):
            conn = psycopg2.connect(dsn)
            cur = conn.cursor()
            cur.execute("INSERT INTO city (name) VALUES ('Bodø')")
            try:
                cur.execute("SELECT 1 / 0")
            except psycopg2.DataError:
                pass
            conn.commit()
            conn.close()
        """,
    "error_leaves": """
        async def main(dsn):
            conn = psycopg2.connect(dsn)
            try:
                cur = conn.cursor()
                cur.execute("SELECT nothing FROM city")
            finally:
                conn.close()
        """,
    "no_results": """
        async def main(dsn):
            conn = psycopg2.connect(dsn)
            try:
                cur = conn.cursor()
                cur.execute("DELETE FROM city")
                return cur.fetchall()
            finally:
                conn.close()
        """,
    "dicts": """
        async def main(dsn):
            conn = psycopg2.connect(dsn)
            try:
                with conn.cursor(cursor_factory=RealDictCursor) as cur:
                    cur.execute("SELECT * FROM city WHERE name = %(name)s", {"name": "Oslo", "more": 1})
                    return [dict(row) for row in cur.fetchall()]
            finally:
                conn.close()
        """,
    "dicts_by_connection": """
        async def main(dsn):
            conn = psycopg2.connect(dsn=dsn, cursor_factory=psycopg2.extras.RealDictCursor)
            cur = conn.cursor()
            cur.execute("SELECT name AS town, area FROM city ORDER BY id")
            rows = cur.fetchmany(2)
            rest = list(cur)
            conn.close()
            return rows, rest, [column[0] for column in cur.description]
        """,
    "named_tuples": """
        async def main(dsn):
            conn = psycopg2.connect(dsn)
            cur = conn.cursor(cursor_factory=psycopg2.extras.NamedTupleCursor)
            cur.execute('SELECT name, area AS "total area", 1 FROM city ORDER BY id')
            first = cur.fetchone()
            conn.close()
            return first.name, first._fields, tuple(first)
        """,
    "loops": """
        async def main(dsn):
            conn = psycopg2.connect(dsn)
            cur = conn.cursor()
            other = conn.cursor()
            cur.execute("SELECT id, name FROM city ORDER BY id")
            seen = []
            for number, name in cur:
                other.execute("SELECT %s || '!' WHERE %s > 1", (name, number))
                seen += other.fetchall()
            cur.execute("SELECT name FROM city ORDER BY id")
            names = [name for (name,) in cur]
            cur.execute("SELECT name, id FROM city ORDER BY id")
            numbers = dict(cur)
            conn.close()
            return seen, names, numbers
        """,
    "while_loop": """
        async def main(dsn):
            conn = psycopg2.connect(dsn)
            cur = conn.cursor()
            cur.execute("SELECT name FROM city ORDER BY id")
            names = ""
            while row := cur.fetchone():
                names += row[0]
            conn.close()
            return names
        """,
    "many": """
        async def main(dsn):
            rows = [("Moss", 50), ("Halden", None)]
            with psycopg2.connect(dsn) as conn:
                cur = conn.cursor()
                cur.executemany("INSERT INTO city (name, people) VALUES (%s, %s)", rows)
                return cur.rowcount
        """,
    "many_fail": """
        async def main(dsn):
            with psycopg2.connect(dsn) as conn:
                with conn.cursor() as cur:
                    cur.executemany("INSERT INTO city (name) VALUES (%s)", [("Moss",), ("Oslo",)])
        """,
    "in_tuple": """
        async def main(dsn):
            names = {"Oslo", "Bergen"}
            conn = psycopg2.connect(dsn)
            cur = conn.cursor()
            cur.execute(
                "SELECT name FROM city "
                "WHERE name IN %s AND people NOT IN %s ORDER BY id",
                (tuple(names), (1, 280)),
            )
            rows = cur.fetchall()
            few = (3, 2)
            cur.execute("SELECT name FROM city WHERE id in %(ids)s", {"ids": few})
            rows += cur.fetchall()
            conn.close()
            return rows
        """,
    "client_binding": """
        async def main(dsn):
            conn = psycopg2.connect(dsn)
            cur = conn.cursor()
            cur.execute("SET statement_timeout = %s", ("10s",))
            cur.execute("SELECT DATE %s, concat(%s, 'x'), 7 / %s", ("2020-01-31", "a", 2.0))
            row = cur.fetchone()
            cur.execute("SELECT 1 WHERE 1 = %s AND NULL IS NOT DISTINCT FROM %s", (1, None))
            row += cur.fetchone()
            other = conn.cursor()
            other.execute("INSERT INTO city (name) VALUES (%s); DELETE FROM city WHERE name = %s", ("x", "Oslo"))
            conn.commit()
            conn.close()
            return row
        """,
    "argument_names": """
        async def main(dsn):
            with psycopg2.connect(dsn) as conn:
                cur = conn.cursor()
                cur.executemany(query="INSERT INTO city (name) VALUES (%s)", vars_list=[("Moss",)])
                reading = conn.cursor()
                reading.execute("SELECT id FROM city WHERE name = %(name)s", vars={"name": "Oslo"})
                return f"{reading.fetchone()[0]}"
        """,
    "composed": """
        from psycopg2 import sql
        from psycopg2.sql import Identifier

        async def main(dsn, table="city", column="name"):
            conn = psycopg2.connect(dsn)
            try:
                with conn.cursor() as cur:
                    query = sql.SQL("SELECT {}, '{{}}' FROM {schema}.{table} WHERE {} = %s AND '%%' = '%%'").format(
                        sql.Identifier(column), Identifier(column), schema=Identifier("public"), table=sql.Identifier(table)
                    )
                    cur.execute(query, ("Oslo",))
                    rows = cur.fetchall()
                    cur.execute(sql.SQL("SELECT '{}'"))
                    rows += cur.fetchall()
                    cur.execute(sql.SQL("SELECT concat({}, %s) FROM city").format(sql.Identifier("city", column)), ("!",))
                    return rows + cur.fetchall()
            finally:
                conn.close()
        """,
    "percent": """
        async def main(dsn):
            conn = psycopg2.connect(dsn)
            cur = conn.cursor()
            cur.execute("SELECT '%s', '100%', 5 % 3, name FROM city WHERE name LIKE '%e%'")
            rows = cur.fetchall()
            cur.execute("SELECT '100%%', 5 %% 3, name FROM city WHERE name LIKE '%%e%%' AND id > %s", (0,))
            rows += cur.fetchall()
            conn.close()
            return rows
        """,
    "autocommit": """
        async def main(dsn):
            conn = psycopg2.connect(dsn)
            conn.set_session(autocommit=True)
            cur = conn.cursor()
            cur.execute("INSERT INTO city (name) VALUES ('Moss')")
            conn.autocommit = (False)
            cur.execute("INSERT INTO city (name) VALUES ('Halden')")
            conn.close()
        """,
    "isolation_level": """
        async def main(dsn):
            conn = psycopg2.connect(dsn)
            conn.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT)
            cur = conn.cursor()
            cur.execute("VACUUM city")
            conn.close()
        """,
    "keywords": """
        SETTINGS = {"host": None, "connect_timeout": 3}

        async def main(dsn):
            conn = psycopg2.connect(dsn, application_name="town hall", **SETTINGS)
            cur = conn.cursor()
            cur.execute("SHOW application_name")
            shown = cur.fetchone()
            conn.close()
            return shown
        """,
    "database": """
        async def main(dsn):
            conn = psycopg2.connect(host=dsn.partition("host=")[2], user="postgres", database="postgres")
            cur = conn.cursor()
            cur.execute("SELECT current_database()")
            (name,) = cur.fetchone()
            conn.close()
            return name
        """,
    "two_connections": """
        async def main(dsn):
            with psycopg2.connect(dsn) as left, psycopg2.connect(dsn) as right:
                with left.cursor() as reading, right.cursor() as writing:
                    reading.execute("SELECT name FROM city WHERE id < %s", (3,))
                    for (name,) in reading.fetchall():
                        writing.execute("UPDATE city SET people = 0 WHERE name = %s", (name,))
        """,
    "constants": """
        _CITIES = "SELECT name FROM city WHERE name IN %s"

        async def main(dsn):
            conn = psycopg2.connect(dsn)
            try:
                cur = conn.cursor()
                cur.execute(_CITIES, (("Oslo", "Moss"),))
                return [name for name, in cur.fetchall()]
            finally:
                conn.close()
        """,
    "run_time_sql": """
        async def main(dsn):
            conn = psycopg2.connect(dsn)
            try:
                cur = conn.cursor()
                cur.execute(f"CREATE TABLE {'village'} (name text)")
                conn.commit()
            finally:
                conn.close()
        """,
    "types": """
        from datetime import date, datetime, timedelta, timezone
        from decimal import Decimal

        async def main(dsn):
            conn = psycopg2.connect(dsn)
            cur = conn.cursor()
            cur.execute(
                "SELECT %s, %s, %s, %s, %s, %s, %s, %s, %s",
                (1, 2.5, Decimal("1.10"), "é", None, True, date(2020, 1, 2), timedelta(hours=3), [1, None]),
            )
            row = cur.fetchone()
            cur.execute("SELECT '{\\"a\\": [1]}'::jsonb, ARRAY['x'], %s = now()", (datetime.now(timezone.utc),))
            row += cur.fetchone()
            conn.close()
            return row
        """,
}


def program(name: str) -> str:
    return HEAD + textwrap.dedent(PROGRAMS[name])


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_does_the_same_before_and_after(name: str) -> None:
    before = program(name)
    after = fixed(before, "psycopg", "psycopg2.", postgres="psycopg")
    assert "psycopg2." not in after.removeprefix(HEAD).partition("async def")[2]
    assert run(after) == run(before)
