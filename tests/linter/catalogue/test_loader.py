"""Look-ups: lazy, through aliases and bases, silent on what is unknown."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import asgiway_lint.catalogue
from asgiway_lint.catalogue import Catalogue, CatalogueError

FOLDER = Path(asgiway_lint.catalogue.__file__).parent


@dataclass(frozen=True)
class Settings:
    async_library: str | None = None
    http_client: str = "httpx"
    postgres: str = "asyncpg"


# ---- lazy


def test_only_the_file_that_is_needed_gets_parsed() -> None:
    catalogue = Catalogue(FOLDER)
    assert catalogue.known_package("requests")
    assert not catalogue.known_package("fastapi")
    assert not catalogue.known_package("wrappers")
    assert list(catalogue.parsed_packages) == []
    assert catalogue.find("requests.get") is not None
    assert catalogue.find("fastapi.FastAPI") is None
    assert list(catalogue.parsed_packages) == ["requests"]
    assert catalogue.find_method("sqlmodel.Session", "scalars") is not None
    assert list(catalogue.parsed_packages) == ["requests", "sqlalchemy", "sqlmodel"]


def test_a_file_is_parsed_once() -> None:
    catalogue = Catalogue(FOLDER)
    assert catalogue.library("requests") is catalogue.library("requests")


def test_importing_the_catalogue_reads_no_library_and_no_parser() -> None:
    script = (
        "import sys, asgiway_lint.catalogue as c; c.load().known_package('os');"
        "print(c.load().parsed_packages, [m for m in ('libcst', 'pathspec', 'requests', 'anyio') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == "() []"


# ---- names


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        pytest.param("requests.get", "requests.get", id="as it stands"),
        pytest.param("requests.api.get", "requests.get", id="the module it is defined in"),
        pytest.param(
            "requests.sessions.Session.get", "requests.Session.get", id="a method through the defining module"
        ),
        pytest.param("redis.client.Redis.get", "redis.Redis.get", id="the class's own module"),
        pytest.param(
            "redis.client.Pipeline.execute",
            "redis.client.Pipeline.execute",
            id="a canonical name inside an aliased module",
        ),
        pytest.param("sqlalchemy.orm.session.Session.execute", "sqlalchemy.orm.Session.execute", id="a module prefix"),
        pytest.param(
            "sqlalchemy.Connection.execute", "sqlalchemy.engine.Connection.execute", id="a re-export at the top"
        ),
        pytest.param(
            "pymongo.synchronous.collection.Collection.find_one",
            "pymongo.collection.Collection.find_one",
            id="a synchronous sub-package",
        ),
        pytest.param("posixpath.exists", "os.path.exists", id="another file's package"),
        pytest.param("posix.stat", "os.stat", id="a whole module under another name"),
        pytest.param("pathlib.PosixPath.read_text", "pathlib.Path.read_text", id="a platform's class"),
        pytest.param(
            "requests_oauthlib.OAuth2Session.put", "requests.Session.put", id="a method of a base in another library"
        ),
        pytest.param("django.core.cache.cache.get", "django.core.cache.cache.get", id="a module-level object"),
        pytest.param("sys.stdin.readline", "sys.stdin.readline", id="a standard stream"),
        pytest.param("psycopg.Connection.connect", "psycopg.connect", id="a class method that is also a function"),
        pytest.param(
            "concurrent.futures.thread.ThreadPoolExecutor.map", "concurrent.futures.Executor.map", id="alias and base"
        ),
    ],
)
def test_find(catalogue: Catalogue, name: str, entry: str) -> None:
    found = catalogue.find(name)
    assert found is not None
    assert found.name == entry


@pytest.mark.parametrize(
    "name",
    [
        "httpx.AsyncClient.get",
        "httpx.AsyncClient",
        "redis.asyncio.Redis.get",
        "redis.asyncio.from_url",
        "sqlalchemy.ext.asyncio.AsyncSession.execute",
        "sqlalchemy.ext.asyncio.create_async_engine",
        "psycopg.AsyncConnection.connect",
        "pymongo.AsyncMongoClient",
        "pymongo.asynchronous.collection.AsyncCollection.find_one",
        "elasticsearch.AsyncElasticsearch.search",
        "openai.AsyncOpenAI",
        "niquests.aget",
        "django.shortcuts.aget_object_or_404",
        "grpc.aio.insecure_channel",
        "dns.asyncresolver.resolve",
        "zmq.asyncio.Context",
        "asyncio.sleep",
        "asyncio.Queue.get",
        "asyncio.Lock.acquire",
        "asyncio.Event.wait",
        "anyio.Path.read_text",
        "aiofiles.open",
    ],
)
def test_asynchronous_twins_are_unknown(catalogue: Catalogue, name: str) -> None:
    assert catalogue.find(name) is None
    owner, _, method = name.rpartition(".")
    assert catalogue.find_method(owner, method) is None


@pytest.mark.parametrize(
    "name", ["", ".", "requests", "requests.", "requests..get", "requests.Session.nothing", "nothing.at.all", "os.path"]
)
def test_odd_names_are_unknown(catalogue: Catalogue, name: str) -> None:
    assert catalogue.find(name) is None
    assert catalogue.result_type(name) is None


@pytest.mark.parametrize("method", ["get", "put", "acquire", "wait", "join", "result", "read", "execute"])
def test_common_method_names_match_only_by_type(catalogue: Catalogue, method: str) -> None:
    for type_name in ("dict", "builtins.dict", "unknown.Thing", "asyncio.Queue", "asyncio.Future", "io.StringIO"):
        assert catalogue.find_method(type_name, method) is None


@pytest.mark.parametrize(
    ("type_name", "method", "entry"),
    [
        ("queue.Queue", "get", "queue.Queue.get"),
        ("queue.PriorityQueue", "join", "queue.Queue.join"),
        ("queue.SimpleQueue", "put", None),
        ("queue.Queue", "get_nowait", None),
        ("threading.Lock", "acquire", "threading.Lock.acquire"),
        ("threading.Lock", "release", None),
        ("threading.Timer", "join", "threading.Thread.join"),
        ("sqlmodel.Session", "commit", "sqlmodel.Session.commit"),
        ("sqlmodel.Session", "scalars", "sqlalchemy.orm.Session.scalars"),
        ("sqlmodel.Session", "add", None),
        ("urllib3.HTTPSConnectionPool", "request_encode_url", "urllib3.HTTPConnectionPool.request_encode_url"),
        ("django.contrib.auth.models.User", "save", "django.db.models.Model.save"),
        ("django.db.models.Manager", "get", "django.db.models.query.QuerySet.get"),
        ("django.db.models.query.QuerySet", "filter", None),
        ("django.db.models.query.QuerySet", "__next__", "django.db.models.query.QuerySet.__next__"),
        ("redis.StrictRedis", "zincrby", "redis.Redis.zincrby"),
        ("redis.Redis", "pipeline", None),
        ("redis.Redis", "_private", None),
        ("redis.client.Pipeline", "set", None),
        ("redis.client.Pipeline", "execute", "redis.client.Pipeline.execute"),
        ("botocore.client.BaseClient", "put_object", "botocore.client.BaseClient.put_object"),
        ("botocore.client.BaseClient", "generate_presigned_url", None),
        ("xmlrpc.client.ServerProxy", "add", "xmlrpc.client.ServerProxy.add"),
        ("psycopg2.extras.RealDictCursor", "fetchall", "psycopg2.extensions.cursor.fetchall"),
    ],
)
def test_find_method(catalogue: Catalogue, type_name: str, method: str, entry: str | None) -> None:
    found = catalogue.find_method(type_name, method)
    assert (found.name if found else None) == entry


def test_a_catch_all_speaks_of_the_method_that_was_called(catalogue: Catalogue) -> None:
    found = catalogue.find_method("botocore.client.BaseClient", "put_object")
    assert found is not None
    assert found.use == "put_object of an aioboto3 client"
    assert found.asyncio.startswith("await client.put_object(...)")
    other = catalogue.find_method("botocore.client.BaseClient", "head_object")
    assert other is not None
    assert other.name == "botocore.client.BaseClient.head_object"


# ---- types


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("psycopg2.connect", "psycopg2.extensions.connection"),
        ("psycopg2.extensions.connection.cursor", "psycopg2.extensions.cursor"),
        ("sqlite3.connect", "sqlite3.Connection"),
        ("sqlite3.Connection.cursor", "sqlite3.Cursor"),
        ("sqlite3.Connection.execute", "sqlite3.Cursor"),
        ("requests.Session", "requests.Session"),
        ("requests.session", "requests.Session"),
        ("requests.sessions.Session", "requests.Session"),
        ("sqlalchemy.create_engine", "sqlalchemy.engine.Engine"),
        ("sqlalchemy.engine.Engine.connect", "sqlalchemy.engine.Connection"),
        ("sqlalchemy.orm.sessionmaker", "sqlalchemy.orm.sessionmaker"),
        ("sqlalchemy.orm.sessionmaker.__call__", "sqlalchemy.orm.Session"),
        ("sqlalchemy.orm.Session.query", "sqlalchemy.orm.Query"),
        ("sqlalchemy.orm.Query.filter_by", "sqlalchemy.orm.Query"),
        ("boto3.client", "botocore.client.BaseClient"),
        ("boto3.Session.client", "botocore.client.BaseClient"),
        ("pathlib.Path", "pathlib.Path"),
        ("pathlib.PosixPath", "pathlib.Path"),
        ("pathlib.Path.__truediv__", "pathlib.Path"),
        ("pathlib.Path.iterdir", "pathlib.Path._Iterator"),
        ("pathlib.Path._Iterator.__iter__", "pathlib.Path"),
        ("pathlib.Path.open", "io.TextIOWrapper"),
        ("builtins.open", "io.TextIOWrapper"),
        ("urllib.request.urlopen", "http.client.HTTPResponse"),
        ("subprocess.Popen", "subprocess.Popen"),
        ("pymongo.MongoClient.__getitem__", "pymongo.database.Database"),
        ("concurrent.futures.ThreadPoolExecutor.submit", "concurrent.futures.Future"),
        ("asyncio.get_running_loop", "asyncio.AbstractEventLoop"),
        ("django.db.models.manager.Manager.filter", "django.db.models.query.QuerySet"),
        ("requests.head", "requests.Response"),
        ("time.sleep", None),
        ("httpx.AsyncClient", None),
        ("redis.asyncio.Redis", None),
    ],
)
def test_result_type(catalogue: Catalogue, name: str, result: str | None) -> None:
    assert catalogue.result_type(name) == result


def test_attribute_types(catalogue: Catalogue) -> None:
    chat = catalogue.attribute_type("openai.AzureOpenAI", "chat")
    assert chat == "openai.resources.chat.Chat"
    completions = catalogue.attribute_type(chat, "completions")
    assert completions is not None
    assert catalogue.find_method(completions, "create") is not None
    assert catalogue.attribute_type("pathlib.Path", "parent") == "pathlib.Path"
    assert catalogue.attribute_type("pathlib.Path", "name") is None
    assert catalogue.attribute_type("django.contrib.auth.models.User", "objects") == "django.db.models.manager.Manager"
    assert catalogue.attribute_type("unknown.Thing", "x") is None


def test_any_attribute_leaves_methods_and_private_names_alone(catalogue: Catalogue) -> None:
    assert catalogue.attribute_type("pymongo.MongoClient", "shop") == "pymongo.database.Database"
    assert catalogue.attribute_type("pymongo.database.Database", "orders") == "pymongo.collection.Collection"
    assert catalogue.attribute_type("pymongo.collection.Collection", "find") is None
    assert catalogue.attribute_type("pymongo.collection.Collection", "insert_one") is None
    assert catalogue.attribute_type("pymongo.MongoClient", "_topology") is None


def test_enter_type(catalogue: Catalogue) -> None:
    assert catalogue.enter_type("requests.sessions.Session") == "requests.Session"
    assert catalogue.enter_type("unknown.Thing") is None


def test_silenced_by(catalogue: Catalogue) -> None:
    assert catalogue.silenced_by("socket.socket") == {"setblocking": "false-argument", "settimeout": "zero-argument"}
    assert catalogue.silenced_by("ssl.SSLSocket") == catalogue.silenced_by("socket.socket")
    assert catalogue.silenced_by("concurrent.futures.Future") == {"done": "", "add_done_callback": ""}
    assert catalogue.silenced_by("requests.Session") == {}


# ---- replacements


@pytest.mark.parametrize(
    ("name", "settings", "text"),
    [
        pytest.param("requests.get", Settings(), "httpx.AsyncClient", id="the default client"),
        pytest.param("requests.get", Settings(http_client="aiohttp"), "aiohttp.ClientSession", id="the client that is set"),
        pytest.param("requests.get", Settings("trio", "aiohttp"), "httpx.AsyncClient", id="a client that runs on trio"),
        pytest.param("httpx.get", Settings(http_client="aiohttp"), "httpx.AsyncClient", id="httpx stays httpx"),
        pytest.param("psycopg2.connect", Settings(), "asyncpg.connect or psycopg.AsyncConnection.connect", id="both drivers"),
        pytest.param("psycopg2.connect", Settings(postgres="psycopg"), "psycopg.AsyncConnection.connect", id="the driver that is set"),
        pytest.param("psycopg2.connect", Settings("trio"), "trio.to_thread.run_sync(psycopg2.connect, ...)", id="no driver on trio"),
        pytest.param("time.sleep", Settings(), "asyncio.sleep", id="asyncio by default"),
        pytest.param("time.sleep", Settings("asyncio"), "asyncio.sleep", id="asyncio"),
        pytest.param("time.sleep", Settings("anyio"), "anyio.sleep", id="anyio"),
        pytest.param("time.sleep", Settings("trio"), "trio.sleep", id="trio"),
        pytest.param("os.remove", Settings(), "asyncio.to_thread(os.remove, ...)", id="a thread"),
        pytest.param("os.remove", Settings("anyio"), "anyio.to_thread.run_sync(os.remove, ...)", id="a thread of anyio"),
        pytest.param("os.remove", Settings("trio"), "trio.to_thread.run_sync(os.remove, ...)", id="a thread of trio"),
        pytest.param("pathlib.Path.read_text", Settings(), "asyncio.to_thread(path.read_text, ...)", id="a method in a thread"),
        pytest.param("builtins.input", Settings(), "asyncio.to_thread(input, ...)", id="a builtin as one writes it"),
        pytest.param("sqlalchemy.orm.Session.execute", Settings("anyio"), "sqlalchemy.ext.asyncio.AsyncSession.execute", id="the twin under anyio"),
        pytest.param("sqlalchemy.orm.Session.execute", Settings("trio"), "trio.to_thread.run_sync(session.execute, ...)", id="no twin on trio"),
        pytest.param("openai.resources.embeddings.Embeddings.create", Settings("trio"), "openai.AsyncOpenAI", id="a twin that runs everywhere"),
    ],
)  # fmt: skip
def test_replacement(catalogue: Catalogue, name: str, settings: Settings, text: str) -> None:
    entry = catalogue.find(name)
    assert entry is not None
    assert catalogue.replacement(entry, settings) == text


# ---- wrappers


def test_wrappers(catalogue: Catalogue) -> None:
    sanctioned = [
        "asyncio.to_thread",
        "asyncio.AbstractEventLoop.run_in_executor",
        "anyio.to_thread.run_sync",
        "anyio.to_process.run_sync",
        "trio.to_thread.run_sync",
        "asgiref.sync.sync_to_async",
        "channels.db.database_sync_to_async",
        "starlette.concurrency.run_in_threadpool",
        "starlette.concurrency.iterate_in_threadpool",
        "fastapi.concurrency.run_in_threadpool",
        "asyncer.asyncify",
        "homeassistant.core.HomeAssistant.async_add_executor_job",
        "concurrent.futures.ThreadPoolExecutor.submit",
        "threading.Thread",
        "multiprocessing.Process",
        "sqlalchemy.ext.asyncio.AsyncSession.run_sync",
        "sqlalchemy.ext.asyncio.AsyncConnection.run_sync",
    ]
    assert [name for name in sanctioned if not catalogue.is_sanctioned(name)] == []
    on_the_loop = [
        "asyncio.AbstractEventLoop.call_soon",
        "asyncio.Future.add_done_callback",
        "asyncio.run",
        "time.sleep",
    ]
    assert [name for name in on_the_loop if catalogue.is_sanctioned(name)] == []


def test_a_wrapper_says_which_argument_it_runs(catalogue: Catalogue) -> None:
    executor = catalogue.wrapper_method("run_in_executor")
    assert executor is not None
    assert (executor.position, executor.keyword) == (1, "func")
    thread = catalogue.wrapper("threading.Thread")
    assert thread is not None
    assert (thread.position, thread.keyword, thread.kind) == (1, "target", "call")
    converter = catalogue.wrapper("asgiref.sync.sync_to_async")
    assert converter is not None
    assert (converter.position, converter.kind) == (0, "converter")
    # Too common a name to count without its type.
    assert catalogue.wrapper_method("submit") is None
    assert catalogue.wrapper_method("run_sync") is None


# ---- malformed files


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = [", "lib.toml: is not valid TOML"),
        ('colour = "red"', "lib.toml: colour: unknown key; allowed here: aliases, any_loop,"),
        ('rule = "E501"', "lib.toml: rule: expected a rule code such as AW102, found 'E501'"),
        ("rule = 102", "lib.toml: rule: expected a string, found 102"),
        ('default = "no"', "lib.toml: default: expected true or false, found 'no'"),
        ('[[functions]]\nnames = ["f"]', "lib.toml: functions[0]: no rule for lib.f: set rule ="),
        ('rule = "AW101"\n[[functions]]\nnames = "f"', "lib.toml: functions[0].names: expected a list of strings, found 'f'"),
        ('rule = "AW101"\n[[functions]]\nnames = ["f", 1]', "lib.toml: functions[0].names[1]: expected a string, found 1"),
        ('rule = "AW101"\n[[functions]]\nnames = ["a b"]', "lib.toml: functions[0].names[0]: expected a dotted name, found 'a b'"),
        ('rule = "AW101"\n[[functions]]\nnames = ["f", "f"]', "lib.toml: functions[0].names[1]: lib.f stands in this file twice"),
        ('rule = "AW101"\n[[functions]]\nname = ["f"]', "lib.toml: functions[0].name: unknown key"),
        ('rule = "AW101"\n[[functions]]\nnames = ["f"]\npredicate = "maybe"', "lib.toml: functions[0].predicate: no such predicate 'maybe'; there are: "),
        ('rule = "AW101"\n[[functions]]\nnames = ["f"]\nuse = "{nam}"', "lib.toml: functions[0].use: unknown placeholder {nam}"),
        ('rule = "AW101"\n[[functions]]\nnames = ["f"]\nkind = "thing"', "lib.toml: functions[0].kind: expected"),
        ('rule = "AW101"\n[functions]\nnames = ["f"]', "lib.toml: functions: expected an array of tables"),
        ('[types.X]\nmethod = ["m"]', "lib.toml: types.X.method: unknown key"),
        ('[types.X]\nreturns = { ".Y" = "m" }', "lib.toml: types.X.returns..Y: expected a list of strings, found 'm'"),
        ('[types.X]\nreturns = { ".Y" = ["m"], ".Z" = ["m"] }', "lib.toml: types.X.returns..Z: m stands here twice"),
        ('[types.X]\nsilenced_by = { m = "maybe" }', "lib.toml: types.X.silenced_by.m: no such predicate"),
        ("[types]\nX = 1", "lib.toml: types.X: expected a table, found 1"),
        ('[aliases]\n"other.f" = "lib.f"', "lib.toml: aliases.other.f: an alias in this file must begin with 'lib'"),
        ('[types.X]\n[aliases]\n"lib.X" = "lib.Y"', "lib.toml: aliases.lib.X: is a canonical name of this file"),
    ],
)  # fmt: skip
def test_a_malformed_file_is_an_error_that_names_file_and_key(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "lib.toml").write_text(text, "utf-8")
    with pytest.raises(CatalogueError) as error:
        Catalogue(tmp_path).find("lib.f")
    assert str(error.value).startswith(message)


def test_a_file_that_is_not_utf_8_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "lib.toml").write_bytes(b'library = "\xff"')
    with pytest.raises(CatalogueError, match=r"lib\.toml: is not valid TOML"):
        Catalogue(tmp_path).find("lib.f")


def test_aliases_in_a_circle_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "lib.toml").write_text('[aliases]\n"lib.a" = "lib.b"\n"lib.b" = "lib.a"\n', "utf-8")
    with pytest.raises(CatalogueError, match=r"lead in a circle.*lib\.toml"):
        Catalogue(tmp_path).find("lib.a.f")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[wrappers]]\nnames = ["a.b"]\nposition = -1', "wrappers.toml: wrappers[0].position: expected the index of an argument, found -1"),
        ('[[wrappers]]\nnames = ["a.b"]\nkind = "magic"', "wrappers.toml: wrappers[0].kind: expected one of call, converter, decorator"),
        ('[[wrappers]]\nnames = ["a.b", "a.b"]', "wrappers.toml: wrappers[0].names[1]: a.b stands in this file twice"),
    ],
)  # fmt: skip
def test_a_malformed_wrapper_is_an_error_that_names_file_and_key(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "wrappers.toml").write_text(text, "utf-8")
    with pytest.raises(CatalogueError) as error:
        Catalogue(tmp_path).wrapper("a.b")
    assert str(error.value).startswith(message)


# ---- settings nest


def test_the_nearest_setting_counts_and_a_new_use_drops_the_outer_variants(tmp_path: Path) -> None:
    (tmp_path / "lib.toml").write_text(
        """
rule = "AW103"
use = "lib.aio"
use_trio = "lib.trio"
asyncio = "await lib.aio.{name}()"

[[functions]]
names = ["f"]

[[functions]]
names = ["g"]
use = "lib.other"

[types.T]
rule = "AW105"
object = "thing"

[[types.T.methods]]
names = ["m"]

[[types.T.methods]]
names = ["n"]
rule = "AW108"
default = false
use = "asyncio.to_thread({call}, ...)"
""",
        "utf-8",
    )
    catalogue = Catalogue(tmp_path)
    found = {name: catalogue.find(f"lib.{name}") for name in ("f", "g", "T.m", "T.n")}
    f, g, m, n = (found[name] for name in ("f", "g", "T.m", "T.n"))
    assert f
    assert g
    assert m
    assert n
    assert (f.rule, f.use, f.use_trio, f.asyncio) == ("AW103", "lib.aio", "lib.trio", "await lib.aio.f()")
    assert (g.use, g.use_trio, g.asyncio) == ("lib.other", "trio.to_thread.run_sync(lib.g, ...)", "lib.other")
    assert (m.rule, m.default, m.asyncio) == ("AW105", True, "await lib.aio.m()")
    assert (n.rule, n.default, n.use) == ("AW108", False, "asyncio.to_thread(thing.n, ...)")
