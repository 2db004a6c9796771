"""Session -> AsyncSession: programs that do the same on SQLite and PostgreSQL before and after (acceptance 5.3, row 25)."""

from __future__ import annotations

import asyncio
import textwrap
import types
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from asgiway_lint.analysis.run import check_source
from asgiway_lint.config import Settings
from asgiway_lint.fixes.apply import apply_all
from asgiway_lint.fixes.model import Fix, Refusal
from asgiway_lint.fixes.plan import fixes_for
from tests.linter.fixes.psycopg_support import fixed, offers, postgresql, reason, setup

HEAD = """\
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy import orm
from sqlalchemy.exc import IntegrityError, NoResultFound
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()


class Base(DeclarativeBase):
    pass


class City(Base):
    __tablename__ = "city"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    people: Mapped[int | None]


"""
PROGRAMS = {
    "read": """
        async def main(session: Session):
            first = session.scalars(select(City).order_by(City.id)).first().name
            names = [city.name for city in session.scalars(select(City).order_by(City.id))]
            count = session.scalar(select(func.count()).select_from(City))  # all of them
            city = session.get(City, 2)
            pairs = [tuple(row) for row in session.execute(select(City.id, City.name).order_by(City.id)).all()]
            return first, names, count, city.name, pairs, session.get(City, 9)
        """,
    "write": """
        async def main(session: orm.Session):
            city = City(name="Moss", people=50)
            session.add(city)
            session.flush()
            session.commit()
            session.refresh(city)
            number = city.id
            session.delete(session.get(City, 1))
            session.execute(update(City).where(City.id == 2).values(people=0))
            session.commit()
            return number
        """,
    "not_committed": """
        async def main(session: Session):
            session.execute(delete(City))
            assert session.in_transaction()
            session.close()
        """,
    "conflict": """
        async def main(*, session: Session):
            session.add(City(name="Oslo"))
            try:
                session.commit()
            except IntegrityError as error:
                session.rollback()
                return type(error.orig).__name__.endswith("Error") or True
        """,
    "bare_except": """
        async def main(session: Session):
            try:
                session.add(City(name="Moss"))
                session.flush()
                raise KeyError("Moss")
            except:
                session.rollback()
                raise
            finally:
                session.close()
        """,
    "error": """
        async def main(session: Session):
            session.execute(select(City).where(City.name == "Moss")).scalar_one()
        """,
    "blocks": """
        async def main(session: Session):
            with session.begin():
                session.add_all([City(name="Moss"), City(name="Halden")])
                try:
                    with session.begin_nested():
                        session.add(City(name="Hamar"))
                        raise KeyError("Hamar")
                except KeyError:
                    pass
            with session:
                return len(session.new), session.scalar(text("SELECT count(*) FROM city"))
        """,
    "merged": """
        async def main(session: Session):
            with session.no_autoflush:
                city = session.merge(City(id=1, name="Christiania", people=1))
            return city in session, session.is_modified(city), session.commit()
        """,
    "shared": """
        async def main(session: Session):
            city = await find(session, "Oslo")
            await remove(city, db=session)
            return city.name

        async def find(session: Session, name: str) -> City:
            return session.scalars(select(City).where(City.name == name)).one()

        async def remove(city: City, *, db: Session):
            db.delete(city)
            db.flush()
        """,
    "loop": """
        async def main(session: Session):
            for city in session.scalars(select(City)):
                city.people = (city.people or 0) + session.execute(select(func.max(City.id))).scalar_one()
            session.commit()
        """,
    "annotated": """
        from collections.abc import AsyncIterator
        from sqlalchemy.ext.asyncio import AsyncSession

        async def get_session() -> AsyncIterator[AsyncSession]:
            yield

        async def main(session: Annotated[Session, Depends(get_session)]):
            return session.scalar(select(City.name).where(City.id == 1))
        """,
}
REFUSALS = {
    "dependency": (
        """
        def get_db():
            yield None

        @app.get("/")
        async def main(db: Session = Depends(get_db)):
            return db.scalar(select(City))
        """,
        "`get_db` gives the session",
    ),
    "alias": (
        """
        from storage import get_db
        SessionDep = Annotated[Session, Depends(get_db)]

        @app.get("/")
        async def main(db: SessionDep):
            return db.scalar(select(City))
        """,
        "`get_db` gives the session",
    ),
    "own": (
        """
        async def main(engine):
            with Session(engine) as session:
                return session.scalar(select(City))
        """,
        "made on a synchronous engine",
    ),
    "attribute": (
        """
        class Store:
            def __init__(self, session: Session):
                self.session = session

            async def main(self):
                return self.session.scalar(select(City))
        """,
        "`self.session` is no parameter",
    ),
    "query": ("async def main(session: Session):\n    return session.query(City).all()", "has no `query`"),
    "query_beside": (
        "async def main(session: Session):\n    session.commit()\n    return session.query(City)",
        "has no `query`",
    ),
    "bulk": ("async def main(session: Session):\n    session.bulk_save_objects([])", "insert(...)"),
    "connection": ("async def main(session: Session):\n    session.connection().close()", "`connection`"),
    "bind": ("async def main(session: Session):\n    session.commit()\n    session.get_bind()", "`get_bind`"),
    "stream": (
        "async def main(session: Session):\n    for x in session.scalars(select(City).execution_options(yield_per=10)): x",
        "session.stream",
    ),
    "handed_on": (
        "from other import save\nasync def main(session: Session):\n    session.commit()\n    await save(session)",
        "handed on to `save`",
    ),
    "helper": (
        "def save(s: Session): ...\nasync def main(session: Session):\n    session.commit()\n    save(session)",
        "`save`, which is synchronous",
    ),
    "returned": ("async def main(session: Session):\n    session.commit()\n    return session", "handed on (line"),
    "caller": (
        "async def other(e):\n    with Session(e) as s:\n        await main(s)\nasync def main(session: Session):\n    session.commit()",
        "synchronous engine",
    ),
    "two_of_one_name": (
        "async def save(): ...\nasync def save(session: Session):\n    session.commit()\nasync def x(s):\n    await save(s)",
        "the name of several things",
    ),
    "fixture": ("async def test_it(session: Session):\n    session.commit()", "a fixture gives `session`"),
    "decorator": (
        "from other import inject\n@inject\nasync def main(session: Session):\n    session.commit()",
        "`@inject` may give `session`",
    ),
    "callback": ("async def main(session: Session):\n    session.flush()\n    x = session.commit", "`commit`"),
    "other_caller": (
        "async def other(x):\n    await main(x.session)\nasync def main(session: Session):\n    session.commit()",
        "called in this file with a session that may be synchronous",
    ),
    "optional": ("async def main(session: Session | None):\n    session.commit()", "not simply the class"),
    "default": ("async def main(session: Session = None):\n    session.commit()", "has a default value"),
    "rebound": ("async def main(session: Session):\n    session.commit()\n    session = 1", "something else, too"),
    "lambda": (
        "async def main(session: Session):\n    session.commit()\n    return lambda: session",
        "a function inside",
    ),
    "generator": (
        "async def main(session: Session):\n    return any(session.get(City, n) for n in (1, 2))",
        "generator expression",
    ),
    "begin": ("async def main(session: Session):\n    session.begin()\n    session.commit()", "without `with`"),
}


def program(text: str) -> str:
    return HEAD + textwrap.dedent(text)


def outcome(source: str, url: str, asynchronous: bool) -> tuple[object, str, list[tuple[Any, ...]]]:
    """What `main` gives or raises, and the table afterwards."""
    module = types.ModuleType("program")
    exec(compile(source, "program.py", "exec", dont_inherit=True), module.__dict__)
    setup_engine = create_engine(url.replace("+psycopg:", "+psycopg2:").replace("+aiosqlite", ""))
    with setup_engine.begin() as connection:
        module.__dict__["Base"].metadata.drop_all(connection)
        module.__dict__["Base"].metadata.create_all(connection)
        connection.execute(text("INSERT INTO city (id, name, people) VALUES (1, 'Oslo', 700), (2, 'Bergen', 280)"))
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT setval('city_id_seq', 10)"))
    result, error = None, ""

    async def visit() -> object:
        if not asynchronous:
            with Session(setup_engine) as session:
                return await module.__dict__["main"](session=session)
        engine = create_async_engine(url)
        try:
            async with AsyncSession(engine) as session:
                return await module.__dict__["main"](session=session)
        finally:
            await engine.dispose()

    try:
        result = asyncio.run(visit())
    except Exception as raised:
        error = type(raised).__name__
    with setup_engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text("SELECT name, people FROM city ORDER BY id"))]
    setup_engine.dispose()
    return result, error, rows


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_it_does_the_same_before_and_after(name: str, database: str, tmp_path: Path) -> None:
    before = program(PROGRAMS[name])
    after = fixed(before, "sqlalchemy", "sqlalchemy.")
    if database == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path / 'city.sqlite'}"
    else:
        setup("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        url = postgresql().replace("postgresql:", "postgresql+psycopg:")
    assert outcome(after, url, True) == outcome(before, url, False)


@pytest.mark.parametrize("name", REFUSALS)
def test_it_is_refused_with_its_reason(name: str) -> None:
    source, expected = REFUSALS[name]
    assert expected in reason(program(source), "sqlalchemy")


DEPENDENCY = """\
from collections.abc import AsyncGenerator

from sqlalchemy.ext.asyncio import AsyncSession


async def get_session() -> AsyncGenerator[AsyncSession, None]:
    raise NotImplementedError
    yield
"""
ROUTES = """\
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select
from sqlalchemy.orm import Session

from .deps import get_session as session_of

__all__ = ["router"]

router = APIRouter()
SessionDep = Annotated[Session, Depends(session_of)]


@router.get("/first")
async def first(session: SessionDep):
    return await _one(session, 1)


@router.get("/second")
async def second(session: SessionDep):
    return session.scalar(select(2))


@router.get("/third")
async def third(session: Session = Depends(session_of)):
    return session.scalar(select(3))


async def _one(session: Session, number: int):
    return session.scalar(select(number))
"""


def write_project(root: Path, dependency: str, routes: str) -> tuple[Path, Settings]:
    (root / "app").mkdir()
    (root / "app" / "__init__.py").write_text("")
    (root / "app" / "session.py").write_text(dependency)
    (root / "app" / "deps.py").write_text("from app.session import get_session\n")
    (root / "app" / "routes.py").write_text(routes)
    return root / "app" / "routes.py", Settings(root=root, src=(root,))


def answers_of(path: Path, settings: Settings) -> list[Fix | Refusal]:
    found = check_source(path.read_bytes(), path, settings).findings
    several = fixes_for(path.read_bytes(), path, settings, found).values()
    return list(dict.fromkeys(answer for answers in several for answer in answers if answer.name == "sqlalchemy"))


def test_routes_follow_a_dependency_of_another_file_that_is_asynchronous_already(tmp_path: Path) -> None:
    path, settings = write_project(tmp_path, DEPENDENCY, ROUTES)
    found = check_source(path.read_bytes(), path, settings).findings
    applied = apply_all(
        path.read_bytes(),
        path,
        settings,
        found,
        unsafe=True,
        recheck=lambda source: check_source(source, path, settings).findings,
    )
    expected = (
        ROUTES.replace(
            "from sqlalchemy.orm import Session",
            "from sqlalchemy.ext.asyncio import AsyncSession\nfrom sqlalchemy.orm import Session",
        )
        .replace("[Session,", "[AsyncSession,")
        .replace("session: Session,", "session: AsyncSession,")
        .replace("session: Session =", "session: AsyncSession =")
        .replace("return session.scalar", "return await session.scalar")
    )
    assert applied.source.decode() == expected
    assert {fix.name for fix in applied.fixes} == {"sqlalchemy"}


@pytest.mark.parametrize(
    ("dependency", "routes", "expected"),
    [
        (DEPENDENCY.replace("AsyncSession, None", "object, None"), ROUTES, "a synchronous one as far as can be seen"),
        (DEPENDENCY + "\n\ndef get_session(): ...\n", ROUTES, "a synchronous one as far as can be seen"),
        (DEPENDENCY.replace("def", "deaf"), ROUTES, "a synchronous one as far as can be seen"),
        (DEPENDENCY, ROUTES.replace('__all__ = ["router"]\n', ""), "`SessionDep` may be imported by other files"),
        (
            DEPENDENCY,
            ROUTES.replace("async def second", "def second"),
            "`second` has `SessionDep`, too, and is synchronous",
        ),
        (DEPENDENCY, ROUTES + "\nx: list[SessionDep] = []\n", "is used for something else than parameters"),
    ],
)
def test_a_dependency_or_an_alias_that_others_use_is_refused(
    tmp_path: Path, dependency: str, routes: str, expected: str
) -> None:
    path, settings = write_project(tmp_path, dependency, routes)
    reasons = [answer.reason for answer in answers_of(path, settings) if isinstance(answer, Refusal)]
    assert [reason for reason in reasons if expected in reason], reasons


def test_the_notes_tell_of_attributes_that_load_when_they_are_read() -> None:
    (fix,) = offers(program(PROGRAMS["write"]), "sqlalchemy")
    assert isinstance(fix, Fix)
    assert "AsyncSession" in fix.reason
    assert any("selectinload" in note for note in fix.notes)
    assert any("expire_on_commit" in note for note in fix.notes)


def test_a_session_of_sqlmodel_gets_its_own_twin() -> None:
    before = "from sqlmodel import Session, select\n\n\nasync def main(session: Session, q):\n    return session.exec(q).one()\n"
    after = fixed(before, "sqlalchemy", "sqlmodel.")
    assert "from sqlmodel.ext.asyncio.session import AsyncSession\n" in after
    assert "async def main(session: AsyncSession, q):\n    return (await session.exec(q)).one()\n" in after
