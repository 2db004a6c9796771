"""What moves to a thread, in which words, safely or not and why; programs that do the same before and after."""

from __future__ import annotations

import asyncio
import http.server
import socketserver
import sys
import threading
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from asgiway_lint.catalogue import load
from asgiway_lint.fixes.model import Applicability, Fix
from asgiway_lint.fixes.threads import threads
from tests.linter.fixes.support import fixed, in_coroutine, offers, refused, with_library

IMPORTS = "import asyncio\nimport os\nimport requests\nimport shutil\nimport subprocess\nfrom pathlib import Path"


def line(call: str, *, library: str = "asyncio", imports: str = IMPORTS, unsafe: bool = False) -> str:
    """What becomes of a statement."""
    source = in_coroutine(*call.split("\n"), imports=imports)
    new = fixed(source, unsafe=unsafe, settings=with_library(library))
    body = new.partition("async def f(x):\n")[2]
    return "\n".join(each.removeprefix("    ") for each in body.splitlines())


# ---- words


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("os.stat(x)", "await asyncio.to_thread(os.stat, x)", id="one argument"),
        pytest.param("os.getcwd()", "os.getcwd()", id="not reported unasked"),
        pytest.param("Path(x).read_text()", "await asyncio.to_thread(Path(x).read_text)", id="no argument"),
        pytest.param(
            'Path(x).read_text(encoding="u8")',
            'await asyncio.to_thread(Path(x).read_text, encoding="u8")',
            id="keyword",
        ),
        pytest.param(
            "os.stat(x, *x, follow_symlinks=False, **x)",
            "await asyncio.to_thread(os.stat, x, *x, follow_symlinks=False, **x)",
            id="stars",
        ),
        pytest.param("y = requests.get(x).text", "y = (await asyncio.to_thread(requests.get, x)).text", id="attribute"),
        pytest.param("os . stat( x )", "await asyncio.to_thread(os . stat, x )", id="spaces"),
        pytest.param("os.stat(x,)", "await asyncio.to_thread(os.stat, x,)", id="trailing comma"),
        pytest.param(
            "requests.post(\n    x,  # where\n    json={},\n)",
            "await asyncio.to_thread(\n    requests.post,\n    x,  # where\n    json={},\n)",
            id="several lines",
        ),
        pytest.param(
            "requests.post(  # why\n    x,\n)",
            "await asyncio.to_thread(requests.post,  # why\n    x,\n)",
            id="a comment behind the parenthesis",
        ),
        pytest.param(
            "Path(x).read_text(\n    # nothing\n)",
            "await asyncio.to_thread(Path(x).read_text\n    # nothing\n)",
            id="a comment alone",
        ),
        pytest.param(
            "(x\n  / Path('a')).read_text()",
            "await asyncio.to_thread((x\n  / Path('a')).read_text)",
            id="a receiver in two lines",
        ),
        pytest.param(
            "return(Path(x)/'a').read_text()",
            "return await asyncio.to_thread((Path(x)/'a').read_text)",
            id="no space before",
        ),
        pytest.param(
            "f'{os.stat(x).st_size:>4}'", "f'{(await asyncio.to_thread(os.stat, x)).st_size:>4}'", id="f-string"
        ),
        pytest.param(
            "f\"{Path('x').read_text()}\"",
            "f\"{await asyncio.to_thread(Path('x').read_text)}\"",
            id="f-string with quotes inside",
        ),
        pytest.param(
            'f"""{Path("x").read_text()}"""',
            'f"""{await asyncio.to_thread(Path("x").read_text)}"""',
            id="f-string in triple quotes",
        ),
        pytest.param(
            "y = sorted(Path(x).glob('*'))", "y = await asyncio.to_thread(sorted, Path(x).glob('*'))", id="sorted"
        ),
        pytest.param(
            "await asyncio.to_thread(os.stat, os.readlink(x))",
            "await asyncio.to_thread(os.stat, await asyncio.to_thread(os.readlink, x))",
            id="an argument for a thread",
        ),
        pytest.param(
            "os.stat(os.readlink(x))",
            "await asyncio.to_thread(os.stat, await asyncio.to_thread(os.readlink, x))",
            id="one in the other",
        ),
    ],
)
def test_asyncio(old: str, new: str) -> None:
    assert line(old) == new


@pytest.mark.parametrize("library", ["anyio", "trio"])
def test_anyio_and_trio_take_no_keywords(library: str) -> None:
    run = f"await {library}.to_thread.run_sync"
    assert line("os.stat(x)", library=library) == f"{run}(os.stat, x)"
    assert line("os.stat(*x)", library=library) == f"{run}(os.stat, *x)"
    assert line("y = requests.get(x, timeout=1).text", library=library) == (
        f"y = ({run}(functools.partial(requests.get, x, timeout=1))).text"
    )
    assert line("requests.get(\n    x,\n    timeout=1,\n)", library=library) == (
        f"{run}(functools.partial(\n    requests.get,\n    x,\n    timeout=1,\n))"
    )
    assert "import functools\n" in fixed(
        in_coroutine("os.stat(x, **x)", imports=IMPORTS), settings=with_library(library)
    )


def test_the_module_decides_where_the_settings_are_silent() -> None:
    source = in_coroutine("os.stat(x)", imports="import os\n\nimport anyio")
    assert "    await anyio.to_thread.run_sync(os.stat, x)\n" in fixed(source)


DJANGO = """\
from django.contrib.auth.models import User
from django.core.mail import send_mail


def helper(name):
    return User.objects.get(username=name)


async def view(request):
    user = helper(request.name)
    send_mail("subject", "body", None, [user.email])
"""


def test_django_gets_its_own_thread() -> None:
    """The ORM's connections belong to one thread, which `sync_to_async` runs things in."""
    new = fixed(DJANGO, unsafe=True)
    assert "from asgiref.sync import sync_to_async\n" in new
    assert "    user = await sync_to_async(helper)(request.name)\n" in new
    assert '    await sync_to_async(send_mail)("subject", "body", None, [user.email])\n' in new


# ---- safe or not


@pytest.mark.parametrize(
    "call",
    [
        "os.makedirs(x, exist_ok=True)",
        "shutil.rmtree(x, ignore_errors=True)",
        "subprocess.check_output(['uname', x], text=True)",
        "subprocess.run(['uname'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)",
        "requests.get(x, stream=False, auth=('me', x), timeout=3)",
        "requests.post(x, json={'a': [1, x]}, headers=x)",
        "Path(x).write_text('text')",
        "with open(x) as y: pass",
        "with open(x, 'rb') as y: y.read()",
        "with requests.Session() as s: s.get(x)",
        "s = requests.Session()\ns.get(x)",
        "p = subprocess.Popen(['a'])  # noqa: AW107\np.communicate()",
    ],
)
def test_safe(call: str) -> None:
    found = offers(in_coroutine(*call.split("\n"), imports=IMPORTS))
    assert found
    for offer, *_ in ([each for each in some if isinstance(each, Fix) and each.name == "to-thread"] for some in found):
        assert (offer.applicability, offer.reason) == (Applicability.SAFE, "")


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        pytest.param("shutil.copytree(x, x, ignore=x)", "the function in `ignore` runs in the thread", id="callback"),
        pytest.param("requests.get(x, auth=x)", "what `auth` names is used in the thread", id="auth object"),
        pytest.param("requests.get(x, stream=True)", "", id="a constant is nobody's"),
        pytest.param("requests.post(x, data=open(x))", "`open(x)` would be used in the thread", id="a file"),
        pytest.param("y = open(x)  # noqa\nrequests.post(x, data=y)", "`y` would be used", id="a file by name"),
        pytest.param("requests.post(x, data=(b for b in x))", "the generator in its arguments", id="generator"),
        pytest.param("os.listdir(*[lambda: 1])", "the lambda in its arguments", id="lambda"),
        pytest.param("def g(): ...\nrequests.post(x, data=g)", "`g` is a function that would run", id="function"),
        pytest.param("subprocess.run(['a'], stdin=x)", "what `stdin` names may be used by others", id="stdin"),
        pytest.param("subprocess.run(['a'], preexec_fn=x)", "what `preexec_fn` names", id="preexec_fn"),
        pytest.param("with open(x, 'w') as y: pass", "only opening the file moves", id="a file to write"),
        pytest.param("with open(x, mode=x) as y: pass", "only opening the file moves", id="who knows how"),
        pytest.param("subprocess.Popen(['a'])", "the process is started", id="process"),
        pytest.param("S.get(x)", "no other task uses `S` in the meantime", id="a session of the module"),
        pytest.param("s = requests.Session()\nx(s)\ns.get(x)", "no other task uses `s`", id="handed to others"),
        pytest.param("s = requests.Session()\ndef g(): s\ns.get(x)", "no other task uses `s`", id="used in a closure"),
        pytest.param("s = requests.Session() if x else S\ns.get(x)", "no other task uses `s`", id="perhaps another's"),
        pytest.param("for y in Path(x).glob('*'): pass", "all of it is read before the first item", id="iterator"),
        pytest.param("L.acquire()", "other tasks run while the lock is held", id="lock"),
        pytest.param("Q.get()", "the wait takes a thread of the pool", id="queue"),
        pytest.param("input()", "the thread waits for the console", id="console"),
        pytest.param(
            "helper(x)", "all that `helper` does moves to the thread, `requests.get` and everything", id="helper"
        ),
        pytest.param("x.n += os.stat(x)", "`x.n` is read before the `await`", id="read, wait, write"),
        pytest.param("C().load(x)", "all that `C().load` does moves", id="method of the project"),
    ],
)
def test_unsafe_and_why(call: str, reason: str) -> None:
    shared = "import queue\nimport threading\nS = requests.Session()\nL = threading.Lock()\nQ = queue.Queue()\n"
    helpers = "def helper(x): requests.get(x)\nclass C:\n    def load(self, x): requests.get(x)"
    found = offers(in_coroutine(*call.split("\n"), imports=f"{IMPORTS}\n{shared}{helpers}"))
    given = [each for some in found for each in some if each.name == "to-thread" and isinstance(each, Fix)]
    offer = given[0] if "data=open" in call else given[-1]
    assert reason in offer.reason
    assert offer.applicability is (Applicability.UNSAFE if reason else Applicability.SAFE)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        pytest.param("sqlite3.connect(x)", "may be used in the thread only that opened it", id="sqlite3"),
        pytest.param("R.acquire()", "belongs to the thread that acquires it", id="RLock"),
        pytest.param("for y in os.walk(x): pass", "it reads while one iterates", id="walk"),
        pytest.param("with ThreadPoolExecutor() as y: pass", "the end of the `with` block", id="executor"),
        pytest.param("with managed(): pass", "`managed` is a generator", id="context manager"),
        pytest.param("for y in lines(): pass", "`lines` is a generator", id="generator"),
        pytest.param("with Entered(): pass", "what blocks is `__enter__`", id="class with __enter__"),
        pytest.param("x = Entered().size", "not a call", id="property"),
    ],
)
def test_refused_and_why(call: str, reason: str) -> None:
    imports = """\
import os, sqlite3, threading, time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

R = threading.RLock()

@contextmanager
def managed():
    time.sleep(1)
    yield

def lines():
    time.sleep(1)
    yield 1

class Entered:
    def __enter__(self): time.sleep(1)
    def __exit__(self, *x): pass
    @property
    def size(self): return time.sleep(1)
"""
    source = in_coroutine(call, imports=imports)
    assert fixed(source, unsafe=True) == source
    assert any(reason in each for each in refused(source)), refused(source)


def test_every_name_of_the_lists_is_one_that_the_catalogue_finds() -> None:
    """A name with a slip would never match."""
    known = threads()
    names = {*known.functions, *known.values, *known.iterators}
    assert [name for name in sorted(names) if load().find(name) is None] == KNOWN_TO_NOBODY
    assert known.lists <= known.iterators
    assert set(known.reasons) == {"other", *(f"AW1{number:02}" for number in range(1, 14))}
    # A contributor's new rule.
    assert (
        known.unsafe("knitting.knit", "AW199", "knitting") == "make sure that `knitting` may be used in another thread"
    )


# Safe if a project's own settings report them.
KNOWN_TO_NOBODY: list[str] = []


# ---- programs


@pytest.fixture(scope="module")
def server() -> Generator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"{self.command} {self.path} {self.headers.get('X-Name')}".encode()
            self.send_response(404 if "missing" in self.path else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, format: str, *arguments: object) -> None:
            """Be quiet."""

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        serving = threading.Thread(target=listening.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}"
        finally:
            listening.shutdown()
            serving.join()


PROGRAM = '''\
import contextvars
import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from urllib.request import urlopen

import requests

name = contextvars.ContextVar("name")


def helper(text: str) -> str:
    """Sees the caller's context variables in the thread, too."""
    with tempfile.TemporaryFile() as file:
        file.write(text.encode())
    return f"{text} for {name.get()}"


class Store:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.opened = 0

    def load(self, which: str, *, default: str = "") -> str:
        self.opened += 1
        path = self.folder / which
        return path.read_text() if path.exists() else default


async def main(url: str, folder: str) -> list[object]:
    name.set("Mirela")
    root = Path(folder)
    found: list[object] = []
    (root / "a").mkdir(parents=True, exist_ok=True)
    (root / "a" / "note.txt").write_text("counted\\n", encoding="utf-8")
    shutil.copyfile(root / "a" / "note.txt", root / "b.txt")
    found += [os.stat(root / "b.txt").st_size, sorted(os.listdir(root))]
    found += sorted(path.name for path in root.rglob("*.txt"))
    found.append(sorted(root.glob("*.txt")) == [root / "b.txt"])
    with requests.Session() as session:
        session.headers["X-Name"] = "session"
        found.append(session.get(f"{url}/one").text)
    found.append(requests.get(f"{url}/missing", timeout=5).status_code)
    with urlopen(f"{url}/two", timeout=5) as answer:
        found.append(answer.read())
    try:
        requests.get("http://127.0.0.1:9/", timeout=5)
    except requests.ConnectionError as error:
        found.append(type(error).__name__)
    found.append(subprocess.check_output(["echo", "hello"], text=True))
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    found.append(process.communicate(b"through cat")[0])
    found.append(hashlib.scrypt(b"x", salt=b"spoke", n=1024, r=8, p=1).hex()[:8])
    found.append(bool(socket.getaddrinfo("127.0.0.1", 80)))
    found.append(helper("text"))
    store = Store(root)
    found += [store.load("b.txt"), store.load("none", default="nothing"), store.opened]
    with open(root / "b.txt") as file:
        found += file.readlines()
    try:
        Path(root / "missing").read_text()
    except FileNotFoundError as error:
        found.append(error.filename == str(root / "missing"))
    shutil.rmtree(root / "a")
    os.remove(root / "b.txt")
    found.append(root.joinpath("b.txt").exists())
    return found
'''


@pytest.mark.parametrize(
    ("library", "unsafe"), [("asyncio", False), ("asyncio", True), ("anyio", True), ("trio", True)]
)
def test_a_program_does_the_same(library: str, unsafe: bool, server: str, tmp_path: Path) -> None:
    """Files, processes, HTTP, computing, helpers: before and after, with every library."""
    # Native HTTP and file access is the matter of other tests.
    new = fixed(PROGRAM, unsafe=unsafe, settings=replace(with_library(library), prefer_fix="thread"))
    assert new.count("await ") >= 20
    before, after = _run(PROGRAM, "asyncio", server, tmp_path / "1"), _run(new, library, server, tmp_path / "2")
    assert before == after
    assert before[-1] is False
    assert "text for Mirela" in before


def _run(text: str, library: str, url: str, folder: Path) -> list[object]:
    names: dict[str, Any] = {"__name__": "program"}
    exec(compile(text, "<program>", "exec"), names)
    folder.mkdir()
    if library == "trio":
        import trio

        return list(trio.run(names["main"], url, str(folder)))
    return list(asyncio.run(names["main"](url, str(folder))))


def test_the_loop_goes_on_meanwhile() -> None:
    source = (
        "import subprocess\n\n\nasync def main(ticks):\n"
        f"    subprocess.run([{sys.executable!r}, '-c', 'import time; time.sleep(0.3)'])\n    return len(ticks)\n"
    )

    async def run(text: str) -> int:
        names: dict[str, Any] = {}
        exec(compile(text, "<program>", "exec"), names)
        ticks: list[int] = []

        async def tick() -> None:
            while True:
                ticks.append(1)
                await asyncio.sleep(0.01)

        ticking = asyncio.create_task(tick())
        result = await names["main"](ticks)
        ticking.cancel()
        return int(result)

    assert asyncio.run(run(source)) == 0
    assert asyncio.run(run(fixed(source))) >= 3
