"""The shipped data: complete, consistent in itself, and true of the libraries that are installed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from asgiway_lint.catalogue import Catalogue, Entry
from asgiway_lint.catalogue.predicates import PREDICATES
from asgiway_lint.rules import all_rules

HERE = Path(__file__).parent

# Names that a look-up in the library does not find, and why they are right all the same.
UNRESOLVED = {
    "csv.reader": "a function, listed as the type of what it returns",
    "csv.writer": "a function, listed as the type of what it returns",
    "requests.Response.iter_": "methods, listed as the types of the generators that they return",
    "asgiref.sync.async_to_sync": "a function, listed as the type of what it returns",
    "django.db.backends.utils.CursorWrapper.": "passes on to the driver's cursor",
    "django.db.models.manager.RelatedManager": "made at run time for each relation",
    "django.db.models.query.QuerySet.__next__": "stands for iterating: a QuerySet has __iter__ only",
    "elasticsearch.Elasticsearch.indices": "set on the instance; stands for all of its namespaces",
    "hvac.Client.secrets.__call__": "stands for whatever is called below it",
    "multiprocessing.managers.SyncManager.shutdown": "set on the instance by start()",
    "opensearchpy.OpenSearch.indices": "set on the instance; stands for all of its namespaces",
    "pathlib.Path._Iterator": "stands for the generators of iterdir() and glob()",
    "pathlib.Path.is_junction": "Python 3.12",
    "pathlib.Path.walk": "Python 3.12",
    "sqlalchemy._Inspection": "stands for whatever inspect() returns",
    "psycopg2.pool.AbstractConnectionPool.getconn": "defined by each of its subclasses",
    "pymysql.connect": "the class Connection, under the name of a function",
    "pyodbc": "needs a shared library of the system to be imported",
    "queue._Unbounded": "stands for a queue that was made without a bound",
    "select.poll": "a factory function; its objects have no importable class",
    "sqlalchemy.orm.Query.__next__": "stands for iterating: a Query has __iter__ only",
    "tarfile.TarFile.__next__": "stands for iterating: a TarFile has __iter__ only",
    "threading.Condition.acquire": "set on the instance, from its lock",
    "threading.Lock.acquire": "threading.Lock is a factory function before Python 3.13",
    "threading.RLock.acquire": "threading.RLock is a factory function",
}
# Aliases that are neither the same object as their target nor a subclass of it, and what they are.
STAND_INS = {
    "asgiref.sync.AsyncToSync": "the class that async_to_sync() makes an instance of",
    "botocore.session.get_session": "a function that makes one",
    "configparser.RawConfigParser": "the base that defines read()",
    "docker.DockerClient.from_env": "a class method, bound anew at each access",
    "filelock.SoftFileLock": "a lock of the same interface",
    "filelock.WindowsFileLock": "the FileLock of another platform",
    "multiprocessing.JoinableQueue": "a function that makes one",
    "multiprocessing.Pool": "a function that makes one",
    "multiprocessing.Queue": "a function that makes one",
    "multiprocessing.process.BaseProcess": "the base that defines start() and join()",
    "psycopg.Connection.connect": "a class method, bound anew at each access",
    "redis.Redis.from_url": "the class method behind redis.from_url()",
    "redis.StrictRedis.from_url": "the class method behind redis.from_url()",
    "requests.session": "a function that makes one",
    "selectors.DefaultSelector": "one of those, by platform",
    "socket.SocketType": "the base in C",
    "tarfile.TarFile.open": "a method bound anew at each access",
}
OTHER_PLATFORMS = {
    "serial.serialwin32.Serial",
    "mysql.connector.connection_cext.CMySQLConnection",
    "mysql.connector.cursor_cext.CMySQLCursor",
    "asyncio.ProactorEventLoop",
    "selectors.DevpollSelector",
    "selectors.EpollSelector",
    "selectors.KqueueSelector",
}
OTHER_VERSIONS = {"pathlib._local.Path", "xml.etree.cElementTree", "asyncio.BaseEventLoop"}
# Not subclasses, but they answer to the same methods.
LOOKALIKES = {
    "confluent_kafka.DeserializingConsumer: confluent_kafka.Consumer",
    "confluent_kafka.SerializingProducer: confluent_kafka.Producer",
    "django.db.models.manager.Manager: django.db.models.query.QuerySet",
    "pymemcache.client.base.PooledClient: pymemcache.client.base.Client",
    "pymemcache.client.hash.HashClient: pymemcache.client.base.Client",
    "redis.RedisCluster: redis.Redis",
    "sqlalchemy.orm.scoped_session: sqlalchemy.orm.Session",
}


@pytest.fixture(scope="module")
def entries(catalogue: Catalogue) -> tuple[Entry, ...]:
    return tuple(catalogue.entries())


def seed() -> Iterator[str]:
    for line in (HERE / "seed.txt").read_text("utf-8").splitlines():
        owner, _, names = line.partition(": ")
        if not line.startswith("#"):
            yield from (f"{owner}.{name}" for name in names.split())


def test_every_name_of_the_seed_is_an_entry(catalogue: Catalogue) -> None:
    names = list(seed())
    assert len(names) == len(set(names)) == 1164
    assert [name for name in names if (found := catalogue.find(name)) is None or found.name != name] == []


def test_no_name_stands_in_two_places(entries: tuple[Entry, ...]) -> None:
    assert [name for name, count in Counter(entry.name for entry in entries).items() if count > 1] == []


def test_every_name_belongs_to_the_file_it_stands_in(catalogue: Catalogue) -> None:
    for package in catalogue.packages:
        file = catalogue.library(package)
        assert file is not None
        names = [*file.entries, *file.types, *file.returns]
        assert [name for name in names if name.partition(".")[0] != package] == []
        assert file.library
        assert file.url.startswith(("https://", "http://"))


def test_every_rule_code_exists_and_every_blocking_rule_has_names(entries: tuple[Entry, ...]) -> None:
    codes = {entry.rule for entry in entries}
    # These are about files, and about how code is used, whatever it calls.
    nameless = ("AW0", "AW201", "AW203", "AW3")
    assert codes == {rule.code for rule in all_rules() if not rule.code.startswith(nameless)}


def test_every_predicate_exists_and_is_used(catalogue: Catalogue, entries: tuple[Entry, ...]) -> None:
    used = {entry.predicate for entry in entries if entry.predicate}
    for package in catalogue.packages:
        file = catalogue.library(package)
        assert file is not None
        used |= {name for info in file.types.values() for name in info.silenced_by.values() if name}
    assert used == set(PREDICATES)


def test_every_type_that_is_referred_to_is_declared(catalogue: Catalogue) -> None:
    unknown: list[str] = []
    for package in catalogue.packages:
        file = catalogue.library(package)
        assert file is not None
        referred = list(file.returns.values())
        for info in file.types.values():
            referred += [*info.bases, *info.attributes.values(), *info.returns.values()]
            referred += [info.enter] if info.enter else []
        unknown += [f"{package}: {name}" for name in referred if not catalogue.is_type(name)]
    assert unknown == []


def test_every_alias_leads_to_a_name(catalogue: Catalogue) -> None:
    nowhere: list[str] = []
    for package in catalogue.packages:
        file = catalogue.library(package)
        assert file is not None
        for alias in file.aliases:
            target = catalogue.canonical(alias)
            aimed = catalogue.library(target.partition(".")[0])
            assert aimed is not None, f"{alias} leads to {target}, whose library is unknown"
            names = (*aimed.entries, *aimed.types, *aimed.returns)
            if not any(name == target or name.startswith(f"{target}.") for name in names):
                nowhere.append(f"{alias} -> {target}")
    assert nowhere == []


def test_texts_are_filled_in_and_concrete(entries: tuple[Entry, ...]) -> None:
    for entry in entries:
        for text in (entry.use, entry.use_anyio, entry.use_trio, entry.asyncio, entry.anyio):
            assert text
            left = text.replace("{http_client}", "").replace("{postgres}", "")
            assert "{name}" not in left
            assert "{call}" not in left
            assert "{object}" not in left
        for text in (entry.use, entry.use_anyio, entry.use_trio):
            # The message says "use ..."; its backticks and full stop are not the data's business.
            assert text == text.strip()
            assert "`" not in text
            assert not text.endswith(".")


def test_names_hold_in_the_libraries_that_are_installed() -> None:
    """Every name resolves, no twin is a coroutine function, aliases are what they stand for."""
    run = subprocess.run(
        [sys.executable, HERE / "import_check.py"], capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 0, run.stderr
    problems: dict[str, list[str]] = json.loads(run.stdout.splitlines()[-1])
    unresolved = problems["missing"] + problems["missing types"] + problems["kind"]
    assert [name for name in unresolved if not name.startswith(tuple(UNRESOLVED))] == []
    assert problems["coroutine functions"] == []
    assert set(problems["alias"]) <= STAND_INS.keys() | OTHER_PLATFORMS | OTHER_VERSIONS
    assert set(problems["missing aliases"]) <= OTHER_PLATFORMS | OTHER_VERSIONS
    assert set(problems["missing bases"]) <= LOOKALIKES
