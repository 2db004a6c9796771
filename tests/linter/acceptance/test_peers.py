"""Section 3 of linter-acceptance: the false and missed alarms and the wishes that are on record for the peers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from asgiway_lint.analysis.run import check_files
from asgiway_lint.config import Settings
from asgiway_lint.finding import Severity
from tests.linter.acceptance.support import findings, holds, project, silent
from tests.linter.cli_support import Lint

BLOCKS = "import time\n\n\nasync def f():\n    time.sleep(1)\n"


# ---- flake8-async


def test_a_file_that_cannot_be_parsed_stops_nothing(tmp_path: Path) -> None:
    """flake8-async#304: continue with the other files."""
    (tmp_path / "bad.py").write_text("async def f(:\n", "utf-8")
    (tmp_path / "good.py").write_text(BLOCKS, "utf-8")
    paths = [tmp_path / "bad.py", tmp_path / "good.py"]
    reports = list(check_files(paths, lambda _: Settings(root=tmp_path), cache=False))
    assert [[finding.code for finding in report.findings] for report in reports] == [["AW001"], ["AW101"]]


def test_pathlib() -> None:
    """flake8-async#396, flake8-async#467, ruff#6892, ruff#9703: pathlib, Path.open included."""
    holds("""
        from pathlib import Path

        async def f(path: Path):
            Path("a").exists()  #! pathlib.Path.exists
            path.open()  #! pathlib.Path.open
            with (path / "a").open() as file:  #! pathlib.Path.open
                file.read()  #! io.TextIOWrapper.read
            path.is_dir()  #! pathlib.Path.is_dir
    """)


def test_noqa_is_supported_in_full(lint: Lint, tmp_path: Path) -> None:
    """flake8-async#185, ruff#12591: noqa with and without codes, several codes, for files; what is not used is said."""
    lines = ["# noqa", "# noqa: AW101", "# noqa: E501, AW101", "# NOQA:AW101", "# noqa: AW102", ""]
    body = "".join(f"    time.sleep(1)  {comment}\n" for comment in lines)
    (tmp_path / "a.py").write_text(f"import time\n\n\nasync def f():\n{body}", "utf-8")
    assert lint("check", "--isolated", "--output-format", "concise", ".").findings == [
        "a.py AW101",
        "a.py AW003",
        "a.py AW101",
    ]
    (tmp_path / "a.py").write_text(f"# asgiway-lint: noqa\nimport time\n\n\nasync def f():\n{body}", "utf-8")
    assert "AW101" not in lint("check", "--isolated", "--output-format", "concise", ".").out


def test_codes_can_be_ignored_anywhere(lint: Lint, tmp_path: Path) -> None:
    """flake8-async#230: every code, and every prefix of one, can be ignored in the configuration."""
    (tmp_path / "a.py").write_text(BLOCKS, "utf-8")
    for ignored in ("AW101", "AW1", "AW"):
        (tmp_path / "asgiway-lint.toml").write_text(f'ignore = ["{ignored}"]\n', "utf-8")
        assert lint("check", ".").code == 0


def test_the_wish_list() -> None:
    """flake8-async#58, flake8-async-archive#4, ruff#8451: HTTP, processes, files, paths, databases."""
    found = holds("""
        import os
        import sqlite3
        import subprocess
        import requests

        async def f():
            requests.get("u")  #! requests.get
            subprocess.Popen(["a"])  #! subprocess.Popen
            open("a")  #! builtins.open
            os.path.isfile("a")  #! os.path.isfile
            sqlite3.connect("a")  #! sqlite3.connect
    """)
    assert [finding.code for finding in found] == ["AW102", "AW107", "AW108", "AW109", "AW103"]


def test_configured_calls_that_are_awaited(lint: Lint, tmp_path: Path) -> None:
    """flake8-async#85: a user-configured call that is awaited is none."""
    (tmp_path / "asgiway-lint.toml").write_text('[blocking]\n"shop.gateway.*" = "AW102"\n', "utf-8")
    source = "from shop import gateway\n\n\nasync def f():\n    await gateway.post()\n    gateway.post()\n"
    (tmp_path / "a.py").write_text(source, "utf-8")
    ran = lint("check", "--output-format", "concise", "a.py")
    assert [line.split(":")[1] for line in ran.out.splitlines() if ": AW" in line] == ["6"]


def test_opening_files_is_a_rule_of_its_own() -> None:
    """flake8-async-archive#11: `open` apart from the rest, as its value is low: a warning that one line switches off."""
    (finding,) = holds("""
        async def f():
            open("a")  #! builtins.open
    """)
    assert (finding.code, finding.severity) == ("AW108", Severity.WARNING)


def test_names_that_only_look_like_sessions() -> None:
    """flake8-async 26.4.2: `read_session("a").get()` matched a pattern of names."""
    silent("""
        async def f(read_session, open_session):
            read_session("a").get("u")
            session = open_session()
            session.get("u")
            requests.get("u")
    """)


def test_what_the_evaluation_files_admit() -> None:
    """flake8-async eval files: assignments to tuples and attributes, lists, `from httpx import Client`, `await (x := f())`."""
    holds("""
        from httpx import Client

        class Holder: ...

        async def f(make, holder: Holder):
            a, b = Client(), 1
            a.get("u")  #! httpx.Client.get
            holder.client = Client()
            for each in [Client(), Client()]:
                each.get("u")  #! httpx.Client.get
            with Client() as c:
                c.post("u")  #! httpx.Client.post
            await (x := make())
            await (y := a.get("u"))
    """)


def test_suggestions_speak_of_the_library_in_use() -> None:
    """flake8-async default: "trio.sleep" in asyncio code; ruff#28008: trio and anyio recommended to users of asyncio."""
    for imports, expected in [("asyncio", "asyncio"), ("os", "asyncio"), ("anyio", "anyio"), ("trio", "trio")]:
        found = findings(f"""
            import {imports}
            import time
            from pathlib import Path

            async def f(path: Path):
                time.sleep(1)
                path.read_text()
        """)
        assert found[0].replacement == f"{expected}.sleep"
        assert found[1].replacement.startswith(f"{expected}.to_thread")


# ---- ruff


def test_indirect_calls(tmp_path: Path) -> None:
    """ruff#7807: nested and indirect calls, also through modules."""
    found = project(
        tmp_path,
        {
            "a.py": "import b\n\n\nasync def f():\n    b.one()\n",
            "b.py": "from c import two\n\n\ndef one():\n    return two()\n",
            "c.py": "import requests\n\n\ndef two():\n    return requests.get('u')\n",
        },
    )
    assert found == {"a.py": [(5, "requests.get")], "b.py": [], "c.py": []}


def test_user_defined_apis(lint: Lint, tmp_path: Path) -> None:
    """ruff#8451 (ASYNC200): user-defined blocking APIs, by patterns."""
    (tmp_path / "asgiway-lint.toml").write_text(
        '[blocking]\n"mylib.*" = "AW106"\n[replacements]\n"mylib.*" = "mylib.aio"\n', "utf-8"
    )
    (tmp_path / "a.py").write_text("import mylib\n\n\nasync def f():\n    mylib.fetch()\n", "utf-8")
    assert "mylib.aio" in lint("check", "a.py").out


def test_lazy_iterators_in_threads() -> None:
    """ruff#28040: Path.glob() whose iterator is handed to a thread."""
    silent("""
        import asyncio
        from pathlib import Path

        async def f(path: Path):
            await asyncio.to_thread(list, path.glob("*"))
            await asyncio.to_thread(sorted, path.rglob("*"))
            await asyncio.get_running_loop().run_in_executor(None, list, path.iterdir())
    """)


def test_lambdas() -> None:
    """ruff#23425, ruff#23426: a lambda that is handed over."""
    silent("""
        import anyio
        from pathlib import Path

        async def f(path: Path):
            await anyio.to_thread.run_sync(lambda: path.exists())
    """)


def test_httpx2() -> None:
    """ruff#28063, ruff#28187: httpx2 is known."""
    holds("""
        import httpx2

        async def f():
            httpx2.get("u")  #! httpx2.get
            with httpx2.Client() as client:
                client.get("u")  #! httpx2.Client.get
            async with httpx2.AsyncClient() as right:
                await right.get("u")
    """)


def test_calls_that_were_forgotten() -> None:
    """ruff#28015 requests.request; ruff#28012 builtins.open."""
    holds("""
        import builtins
        import requests

        async def f():
            requests.request("GET", "u")  #! requests.request
            builtins.open("a")  #! builtins.open
    """)


def test_starting_a_process() -> None:
    """ruff#14806: Popen does wait, for the fork and the exec; the message says so."""
    (finding,) = holds("""
        import subprocess

        async def f():
            subprocess.Popen(["a"])  #! subprocess.Popen
    """)
    assert "starts" in finding.message


def test_indirect_paths() -> None:
    """ruff#19294: paths that come out of operators, attributes, functions."""
    holds("""
        from pathlib import Path

        def folder() -> Path:
            return Path("a")

        class Store:
            def __init__(self, root: Path):
                self.root = root / "store"

            async def use(self):
                (self.root / "a").open()  #! pathlib.Path.open
                folder().joinpath("b").open()  #! pathlib.Path.open
                inner = self.root
                inner.parent.exists()  #! pathlib.Path.exists
    """)


def test_there_is_always_a_way_without_a_new_dependency() -> None:
    """ruff#28008: "I didn't want to add a third-party dependency": the pages show the thread, too."""
    pages = Path(__file__).parents[3] / "linter" / "docs" / "rules"
    for code in ("AW102", "AW103", "AW105", "AW106", "AW108", "AW109", "AW110"):
        text = (pages / f"{code}.md").read_text("utf-8")
        assert re.search(r"asyncio\.to_thread|asyncio\.open_connection|getaddrinfo", text), code


def test_baselines(lint: Lint, tmp_path: Path) -> None:
    """ruff#1149, agentfield#620, agentfield#812, infrahub#4970, orchestrator-core#1692: a baseline that can only shrink."""
    (tmp_path / "asgiway-lint.toml").write_text('baseline = "known.json"\n', "utf-8")
    (tmp_path / "a.py").write_text(BLOCKS, "utf-8")
    assert lint("baseline", "create").code == 0
    assert lint("check").code == 0
    (tmp_path / "b.py").write_text(BLOCKS, "utf-8")
    assert lint("check", "--output-format", "concise").findings == ["b.py AW101"]
    (tmp_path / "b.py").unlink()
    (tmp_path / "a.py").write_text("", "utf-8")
    assert lint("baseline", "check").code == 1
    assert lint("baseline", "shrink").code == 0
    assert '"findings": []' in (tmp_path / "known.json").read_text("utf-8")


def test_sarif_has_fixes(lint: Lint, tmp_path: Path) -> None:
    """ruff#19962, semgrep#9072: the fix is a part of SARIF."""
    (tmp_path / "a.py").write_text(BLOCKS, "utf-8")
    assert '"fixes"' in lint("check", "--output-format", "sarif", ".").out


@pytest.mark.parametrize("code", ["AW108", "AW109"])
def test_file_system_noise_is_mild(code: str) -> None:
    """kurigram#438, N.E.K.O#842, claude_skills#334, claude_skills#336, ert#12325, AstrBot#5729, ArcReel#2234: "judge 38 ASYNC240 one by
    one"; what asks the file system is info and not shown unasked, and never asked to become the next finding."""
    source = {"AW108": "path.read_text()", "AW109": "path.exists()"}[code]
    (finding,) = findings(f"""
        import asyncio
        from pathlib import Path

        async def f(path: Path):
            {source}
            await asyncio.to_thread({source.partition("(")[0]})
    """)
    assert finding.code == code
    assert finding.severity is {"AW108": Severity.WARNING, "AW109": Severity.INFO}[code]


# ---- sonar-python, semgrep


def test_clients_of_httpx() -> None:
    """SONARPY-2965: httpx.Client; S7488: the quick fix without await."""
    (finding,) = holds("""
        import httpx

        async def f():
            with httpx.Client() as client:
                client.get("u")  #! httpx.Client.get
    """)
    assert finding.replacement == "httpx.AsyncClient"


def test_pools_and_stars() -> None:
    """sonar-python fixtures: PoolManager.request_encode_*, star imports; mcp-context-forge#2164, plugwise#762."""
    holds("""
        from time import *
        import urllib3

        async def f(pool: urllib3.PoolManager):
            sleep(1)  #! time.sleep
            pool.request_encode_url("GET", "u")  #! urllib3.PoolManager.request_encode_url
            pool.request_encode_body("POST", "u")  #! urllib3.PoolManager.request_encode_body
    """)


def test_async_and_sync_are_told_apart() -> None:
    """semgrep#8897, semgrep#10571: the same body in `def` and in `async def`."""
    holds("""
        import time

        def plain():
            time.sleep(1)

        async def coroutine():
            time.sleep(1)  #! time.sleep
    """)


def test_rules_that_were_made_by_hand() -> None:
    """terrapod#422, bamf#217: pbkdf2, tarfile, subprocess."""
    holds("""
        import hashlib
        import subprocess
        import tarfile

        async def f():
            hashlib.pbkdf2_hmac("sha256", b"", b"", 1)  #! hashlib.pbkdf2_hmac
            subprocess.run(["a"])  #! subprocess.run
            with tarfile.open("a") as archive:  #! tarfile.open
                archive.extractall()  #! tarfile.TarFile.extractall
    """)


# ---- blockbuster, pyleak and others


def test_what_is_read_once() -> None:
    """httpx#3486, fastapi#13290: cached one-time reads behind helpers are nobody's accusation; blockbuster#45: without patching."""
    silent("""
        import functools
        import importlib.metadata
        import mimetypes

        @functools.cache
        def version():
            return importlib.metadata.version("a")

        _types = None

        def types():
            global _types
            if _types is None:
                _types = open("types").read()
            return _types

        async def f():
            version()
            types()
            mimetypes.guess_type("a")
    """)


def test_files_of_archives_and_sending_files() -> None:
    """blockbuster#57, blockbuster#58: sendfile; blockbuster#70: files inside of archives; pyleak#7: os.stat."""
    holds("""
        import os
        import tarfile

        async def f(archive: tarfile.TarFile):
            os.sendfile(1, 2, 0, 10)  #! os.sendfile
            archive.extractfile("a").read()  #! io.BufferedReader.read
            os.stat("a")  #! os.stat
    """)


def test_awaitables_that_are_not_awaited_are_not_called_blocking() -> None:
    """mypy#2499, mypy#12649: an asynchronous twin that nobody awaits is another mistake, not this one."""
    silent("""
        import httpx
        import asyncio

        async def f(client: httpx.AsyncClient):
            client.get("u")
            asyncio.sleep(1)
    """)


# ---- the worlds of FastAPI and Django


def test_sessions_in_endpoints() -> None:
    """open-webui#11233, sparkth#386, mem0#6355: a synchronous Session in `async def` is an error, in `def` it is none."""
    holds("""
        from fastapi import Depends, FastAPI
        from sqlalchemy.orm import Session

        app = FastAPI()

        def get_db() -> Session: ...

        @app.get("/a")
        async def a(db: Session = Depends(get_db)):  #! a
            return db.query(1).all()  #! sqlalchemy.orm.Query.all

        @app.get("/b")
        def b(db: Session = Depends(get_db)):
            return db.query(1).all()
    """)


def test_endpoints_that_need_not_be_coroutines() -> None:
    """taskdog#1090, xagent#2237: the cure is `def`."""
    found = holds("""
        import time
        from fastapi import APIRouter

        router = APIRouter()

        @router.get("/a")
        async def a():  #! a
            time.sleep(1)  #! time.sleep

        @router.get("/b")
        async def b(other):
            time.sleep(1)  #! time.sleep
            await other()
    """)
    assert [f.replacement for f in found if f.code == "AW203"] == ["def a"]


def test_synchronous_only_operations() -> None:
    """channels#1464, dj-bolt#92, casbin#30, reactpy-django#79: Django raises SynchronousOnlyOperation; found before it runs."""
    holds("""
        from django.contrib.auth.models import User
        from django.db import models

        class Book(models.Model):
            name = models.CharField(max_length=10)

            def stored(self):
                return Book.objects.count()

        async def f(book: Book):
            User.objects.first()  #! django.db.models.manager.Manager.first
            book.stored()  #! django.db.models.manager.Manager.count
            for each in Book.objects.all():  #! django.db.models.query.QuerySet
                pass
    """)


def test_sleeps_in_synchronous_functions_are_left_alone(lint: Lint, tmp_path: Path) -> None:
    """agno#7112: a bulk edit put an asyncio.sleep that nobody awaits into synchronous functions."""
    source = "import time\n\n\ndef plain():\n    time.sleep(1)\n\n\nasync def f():\n    time.sleep(1)\n    plain()\n"
    (tmp_path / "a.py").write_text(source, "utf-8")
    lint("check", "--fix", "--unsafe-fixes", "--isolated", ".")
    fixed = (tmp_path / "a.py").read_text("utf-8")
    assert "def plain():\n    time.sleep(1)\n" in fixed
    assert fixed.count("asyncio.sleep") == fixed.count("await asyncio.sleep") == 1


def test_threads_queues_and_locks() -> None:
    """N.E.K.O#842, agents-aea#1245: waiting for threads."""
    holds("""
        import queue
        import threading

        class Agent:
            def __init__(self):
                self.inbox = queue.Queue()
                self.lock = threading.Lock()

            async def step(self):
                self.inbox.get()  #! queue.Queue.get
                with self.lock:
                    pass
                self.lock.acquire()  #! threading.Lock.acquire
    """)
