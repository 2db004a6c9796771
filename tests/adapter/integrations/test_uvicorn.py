"""SendFile on real servers: uvicorn's two parsers on its two loops, and what must be left alone. Line 81."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from asgiway.errors import SettingsError
from asgiway.integrations.uvicorn import SendFile
from tests.adapter.integrations.pages import command, write_files
from tests.adapter.integrations.serving import PATIENCE, ServerProcess, serve, until
from tests.adapter.wire_support.raw_client import RawConnection

pytestmark = pytest.mark.wire

MIB = 1024 * 1024
SIZES = {"empty": 0, "small": 1000, "medium": MIB + 1, "large": 50 * MIB}
APP = "tests.adapter.integrations.file_site:app"
ROOT = Path(__file__).parents[3]
KINDS = {
    "h11-asyncio": (),
    "httptools-uvloop": (),
    "h11-uvloop": (pytest.mark.long,),
    "httptools-asyncio": (pytest.mark.long,),
}


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    block = os.urandom(MIB)
    for name, size in SIZES.items():
        (folder / name).write_bytes((block * (size // MIB + 1))[:size])
    return folder


class Site(ServerProcess):
    """A server with file_site."""

    def __init__(self, files: Path, folder: Path, *options: str, kind: str = "httptools-uvloop") -> None:
        http, loop = kind.split("-")
        words = ["uvicorn", APP, "--port", "{port}", "--http", http, "--loop", loop, "--log-level", "warning"]
        super().__init__([*words, *options], folder, self.environment(files))

    @staticmethod
    def environment(files: Path) -> dict[str, str]:
        return {"FILE_SITE": str(files), "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}

    def seen(self) -> dict[str, int]:
        found: dict[str, int] = self.http.get("/seen").json()
        return found

    def raw(self, receive_buffer: int = 0) -> RawConnection:
        return RawConnection(("127.0.0.1", self.port), receive_buffer)

    def plain(self, order: str, **query: Any) -> RawConnection:
        """Ask for these messages; see file_site.plain."""
        connection = self.raw()
        connection.send(target=str(httpx.URL("/plain", params={"order": order, **query})))
        return connection


@pytest.fixture(scope="module", params=[pytest.param(kind, marks=marks) for kind, marks in KINDS.items()])
def site(request: pytest.FixtureRequest, files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(files, tmp_path_factory.mktemp("site"), kind=request.param)
    yield site
    site.stop(errors_in_log=True)


@pytest.fixture
def calm(site: Site) -> Iterator[Site]:
    """Return a server in which the test must leave nothing open, running or unclosed."""
    site.seen()
    before = site.seen()
    yield site

    def at_rest() -> bool:
        now = site.seen()
        return (
            now["opened"] == now["closed"]
            and now["descriptors"] <= before["descriptors"]
            and now["tasks"] <= before["tasks"]
        )

    until(at_rest, f"before {before}, now {site.seen()}")


def digest(data: bytes) -> str:
    """What is compared: pytest would take minutes to show how two files differ."""
    return f"{len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}"


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("way", ["", "native/"])
def test_081_the_file_arrives(calm: Site, files: Path, way: str, name: str) -> None:
    """By the adapter, and by Starlette's own FileResponse, which looks for the same extension."""
    before = calm.seen()
    answer = calm.http.get(f"/{way}{name}")
    assert (answer.status_code, answer.headers["content-length"]) == (200, str(SIZES[name]))
    assert digest(answer.content) == digest((files / name).read_bytes())
    small = name in ("empty", "small")
    assert (calm.seen()["read"] > before["read"]) is (way == "" and small), "small ones are read"


def test_081_from_an_offset_on_it_is_read(calm: Site, files: Path) -> None:
    before = calm.seen()
    answer = calm.http.get("/medium?offset=1000")
    assert answer.status_code == 206
    assert digest(answer.content) == digest((files / "medium").read_bytes()[1000:])
    assert calm.seen()["read"] > before["read"]
    answer = calm.http.get("/native/medium", headers={"Range": "bytes=1000-1999"})
    assert (answer.status_code, answer.content) == (206, (files / "medium").read_bytes()[1000:2000])


def test_responses_follow_each_other_on_one_connection(calm: Site, files: Path) -> None:
    medium = digest((files / "medium").read_bytes())
    with calm.raw() as connection:
        for _ in range(3):
            assert connection.ask().body == b"hello"
            assert digest(connection.ask(target="/medium").body) == medium
            head = connection.ask("HEAD", "/medium")
            assert (head.status, head.get("content-length"), head.body) == (200, str(SIZES["medium"]), b"")
            assert digest(connection.ask(target="/native/medium").body) == medium
            assert connection.ask(target="/native/empty").body == b""
            assert connection.ask(target="/native/small").body == (files / "small").read_bytes()
            assert connection.ask("POST", "/medium", [("Content-Length", "4")], b"body").complete


def test_head_by_the_message_itself(calm: Site, files: Path) -> None:
    """Applications need not know that a HEAD has no body; neither has a 304."""
    path = files / "medium"
    with calm.raw() as connection:
        target = str(httpx.URL("/plain", params={"order": "start,path", "path": str(path), "length": "1048577"}))
        head = connection.ask("HEAD", target)
        assert (head.complete, head.get("content-length"), head.body) == (True, "1048577", b"")
        assert connection.ask(target=f"/plain?order=start,path&path={path}&status=304").status == 304
        assert connection.ask().body == b"hello"


def test_pipelined_requests(calm: Site, files: Path) -> None:
    names = ["/medium", "/", "/native/medium", "/large", "/native/small", "/medium", "/"]
    with calm.raw() as connection:
        connection.send_bytes(b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % name.encode("ascii") for name in names))
        for name in names:
            connection.expect_another("GET")
            expected = b"hello" if name == "/" else (files / name.rpartition("/")[2]).read_bytes()
            assert digest(connection.finish().body) == digest(expected)


@pytest.mark.parametrize("how", ["1.0", "close"])
def test_the_connection_ends_after_the_last_response(calm: Site, how: str) -> None:
    with calm.raw() as connection:
        headers = [("Connection", "close")] if how == "close" else []
        connection.send(target="/large", headers=headers, version="1.0" if how == "1.0" else "1.1")
        reply = connection.finish()
        assert (reply.complete, len(reply.body)) == (True, SIZES["large"])
        assert connection.closed_by_peer()


def test_087_clients_that_leave_half_way(calm: Site) -> None:
    for number in range(20):
        connection = calm.raw(receive_buffer=4096 if number % 2 else 0)
        connection.send(target="/large" if number % 4 < 2 else "/native/large")
        connection.body_until(number * MIB // 8)
        (connection.reset if number % 3 else connection.close)()
    until(lambda: calm.seen()["opened"] == calm.seen()["closed"], "all have been noticed")
    assert "without completing response" not in calm.log, "uvicorn takes the application for faulty"


def test_slow_clients(calm: Site, files: Path) -> None:
    """They hold a file and a socket each, but no memory and no thread that sends; others are served meanwhile."""
    before = calm.seen()
    slow = [calm.raw(receive_buffer=4096) for _ in range(40)]
    for connection in slow:
        connection.send(target="/native/large")
    for connection in slow:
        connection.head()
    for _ in range(3):
        assert digest(calm.http.get("/large").content) == digest((files / "large").read_bytes())
    now = calm.seen()
    assert now["resident"] - before["resident"] < 16 * MIB
    assert now["threads"] <= 8
    assert digest(slow[0].finish().body) == digest((files / "large").read_bytes())
    for connection in slow:
        connection.close()


def test_a_file_that_was_cut(calm: Site, files: Path) -> None:
    """Line 73: the client must be able to see that something is missing."""
    before = calm.seen()["failed"]
    with calm.plain("start,path", path=files / "medium", length=SIZES["medium"] + 5) as connection:
        reply = connection.finish()
        assert (reply.complete, len(reply.body)) == (False, SIZES["medium"])
    assert calm.seen()["failed"] == before + 1
    until(lambda: "it was cut while it was being sent" in calm.log, "the log tells")


def test_a_file_that_has_grown(calm: Site, files: Path) -> None:
    with calm.plain("start,path", path=files / "medium", length=1000) as connection:
        reply = connection.finish()
        assert (reply.complete, reply.body) == (True, (files / "medium").read_bytes()[:1000])
        assert connection.ask().body == b"hello"


def test_without_content_length_it_is_read(calm: Site, files: Path) -> None:
    """How long the body is has to be told the client in another way then."""
    with calm.plain("start,path", path=files / "medium") as connection:
        reply = connection.finish()
        assert reply.get("transfer-encoding") == "chunked"
        assert (reply.complete, digest(reply.body)) == (True, digest((files / "medium").read_bytes()))
        assert connection.ask().body == b"hello"


def test_what_the_kernel_does_not_send_is_read(calm: Site) -> None:
    """Linux: a file of /proc."""
    with calm.plain("start,path", path="/proc/self/cmdline", length=6) as connection:
        reply = connection.finish()
        assert (reply.complete, len(reply.body)) == (True, 6)
        assert connection.ask().body == b"hello"


@pytest.mark.parametrize("path", ["missing", ""])
def test_no_such_file(calm: Site, files: Path, path: str) -> None:
    """The headers are out: all that is left is to cut the connection. A folder is no file either."""
    with calm.plain("start,path", path=files / path, length=10) as connection:
        reply = connection.finish()
        assert (reply.status, reply.complete, reply.body) == (200, False, b"")
    assert calm.http.get("/").text == "hello"


@pytest.mark.parametrize(("order", "status"), [("path", 500), ("start,body,path", 200), ("start,end,path", 200)])
def test_messages_out_of_order(calm: Site, files: Path, order: str, status: int) -> None:
    before = calm.seen()["failed"]
    length = 0 if "end" in order else SIZES["medium"]
    with calm.plain(order, path=files / "medium", length=length) as connection:
        reply = connection.finish()
        assert reply.status == status
        assert len(reply.body) < 100
    until(lambda: calm.seen()["failed"] == before + 1, "the application is told")


def answers(address: str) -> bool:
    try:
        RawConnection(address).close()
    except OSError:
        return False
    return True


def test_a_unix_socket(files: Path, tmp_path: Path) -> None:
    address = str(tmp_path / "s")
    words = [sys.executable, "-m", "uvicorn", APP, "--uds", address, "--log-level", "warning"]
    process = subprocess.Popen(words, cwd=ROOT, env={**os.environ, **Site.environment(files)})
    try:
        until(lambda: answers(address), "uvicorn listens")
        with RawConnection(address) as connection:
            assert digest(connection.ask(target="/large").body) == digest((files / "large").read_bytes())
            assert connection.ask().body == b"hello"
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_over_tls_files_are_read(files: Path, tmp_path: Path) -> None:
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem")
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, *subject]
    subprocess.run(make, check=True, capture_output=True)

    class Encrypted(Site):
        def _listens(self) -> bool:
            self.http.close()
            context = ssl.create_default_context(cafile=certificate)
            self.http = httpx.Client(base_url=f"https://127.0.0.1:{self.port}", timeout=PATIENCE, verify=context)
            return super()._listens()

    site = Encrypted(files, tmp_path, "--ssl-keyfile", key, "--ssl-certfile", certificate)
    try:
        assert digest(site.http.get("/medium").content) == digest((files / "medium").read_bytes())
        assert site.http.get("/plain?order=start,end").status_code == 200
        seen = site.seen()
        assert (seen["offered"], seen["read"] > 0, seen["closed"]) == (0, True, 1)
    finally:
        site.stop()


def test_sigterm_lets_a_download_finish(files: Path, tmp_path: Path) -> None:
    """Line 92."""
    site = Site(files, tmp_path)
    with site.raw(receive_buffer=65536) as connection, ThreadPoolExecutor(1) as others:
        connection.send(target="/large")
        connection.body_until(MIB)
        ended = others.submit(site.stop)
        time.sleep(0.2)
        assert digest(connection.finish().body) == digest((files / "large").read_bytes())
        ended.result()


def test_shutdown_does_not_wait_for_ever(files: Path, tmp_path: Path) -> None:
    site = Site(files, tmp_path, "--timeout-graceful-shutdown", "1")
    with site.raw(receive_buffer=4096) as connection, site.raw(receive_buffer=4096) as another:
        connection.send(target="/large")
        another.send(target="/native/large")
        connection.body_until(1)
        another.body_until(1)
        site.stop(errors_in_log=True)


@pytest.mark.parametrize("server", ["hypercorn", "granian"])
def test_other_servers_are_left_alone(server: str, files: Path, tmp_path: Path) -> None:
    """granian has the extension itself; hypercorn has not, and files are read."""
    address = {"hypercorn": ["--bind", "127.0.0.1:{port}"], "granian": ["--interface", "asgi", "--port", "{port}"]}
    site = ServerProcess([server, *address[server], APP], tmp_path, Site.environment(files))
    try:
        assert digest(site.http.get("/medium").content) == digest((files / "medium").read_bytes())
        assert site.http.get("/plain?order=start,end").status_code == 200
        seen = site.http.get("/seen").json()
        assert (seen["offered"], seen["read"] > 0) == ((1, False) if server == "granian" else (0, True))
    finally:
        site.kill()


PROBE = """
import os
from pathlib import Path

sendfile = os.sendfile

def noted(*arguments):
    Path("sent-by-the-kernel").touch()
    return sendfile(*arguments)

os.sendfile = noted

from bridge import app
"""


@pytest.mark.parametrize("program", ["uvicorn", "gunicorn"])
def test_the_page(program: str, tmp_path: Path) -> None:
    write_files("frameworks/sendfile", tmp_path)
    (tmp_path / "probe.py").write_text(PROBE)
    content = os.urandom(MIB)
    (tmp_path / "manual.pdf").write_bytes(content)
    words = [
        word.replace("8000", "{port}").replace("bridge:app", "probe:app")
        for word in command("frameworks/sendfile", program)
    ]
    if program == "gunicorn":
        words.append("--no-control-socket")  # it lies in the home folder
    server = ServerProcess(words, tmp_path, {"DOWNLOADS": str(tmp_path)})
    try:
        assert not (tmp_path / "sent-by-the-kernel").exists()
        for path in ("/reports/manual.pdf", "/manual"):
            assert digest(server.http.get(path).content) == digest(content)
            (tmp_path / "sent-by-the-kernel").unlink()
            ranged = server.http.get(path, headers={"Range": "bytes=10-19"})
            assert (ranged.status_code, ranged.content) == (206, content[10:20])
            assert not (tmp_path / "sent-by-the-kernel").exists()
    finally:
        server.stop()


def test_the_frameworks_own_ways_to_serve_a_file(files: Path) -> None:
    """Which the page names."""
    words = [sys.executable, "-m", "tests.adapter.integrations.downloads", str(files / "medium")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    by_name = ["http.response.start", "http.response.pathsend"]
    assert json.loads(done.stdout) == dict.fromkeys(["flask", "bottle", "falcon", "pyramid", "django"], by_name)


class Cycle:
    """What send() may be a method of."""

    def __init__(self) -> None:
        self.transport: Any = socket.socket

    async def send(self, message: Any) -> None:
        raise AssertionError("never called")


async def scope_as_seen(send: Any, extensions: Any = None) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        found.append(scope)

    await SendFile(app)({"type": "http", "method": "GET", "extensions": extensions or {}}, None, send)  # type: ignore[arg-type]
    return found[0]


@pytest.mark.anyio
@pytest.mark.parametrize("parser", ["h11_impl", "httptools_impl", "zttp_impl", "next_impl"])
async def test_a_uvicorn_that_is_not_known(parser: str, caplog: pytest.LogCaptureFixture) -> None:
    """One warning, and files are read: neither a crash nor a response that is counted wrongly."""
    caplog.set_level(logging.WARNING)
    strange = type("RequestResponseCycle", (Cycle,), {"__module__": f"uvicorn.protocols.http.{parser}"})
    for _ in range(3):
        assert (await scope_as_seen(strange().send))["extensions"] == {}
    (record,) = caplog.records
    assert "files are read as without it" in record.getMessage()
    assert parser in record.getMessage()


@pytest.mark.parametrize("own", [None, {"http.response.pathsend": {"own": "true"}}])
def test_a_server_that_has_the_extension_keeps_it(own: dict[str, Any] | None) -> None:
    """uvicorn may have it some day."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["extensions"], send))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    inner = SendFile(app)

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        seen.append(send)
        await inner({**scope, "extensions": own}, receive, send)

    with serve(outer, lifespan="off") as client:
        assert client.get("/").status_code == 204
    send_of_uvicorn, (extensions, send) = seen
    assert extensions == (own or {"http.response.pathsend": {}})
    assert (send == send_of_uvicorn) is (own is not None)


@pytest.mark.anyio
async def test_what_is_not_uvicorn(caplog: pytest.LogCaptureFixture) -> None:
    async def send(message: Any) -> None: ...

    assert (await scope_as_seen(send))["extensions"] == {}
    assert (await scope_as_seen(Cycle().send))["extensions"] == {}
    assert not caplog.records


def test_how_many_threads() -> None:
    with pytest.raises(SettingsError, match=r"^threads=0 is not possible"):
        SendFile(Cycle().send, threads=0)
