"""``asgiway routes`` as its users run it: a process of its own, its output and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SITE = """
from fastapi import FastAPI
from flask import Flask
from starlette.middleware.gzip import GZipMiddleware
from asgiway import MigrationRouter

print("the module prints")
legacy = Flask("shop", static_folder=None)
legacy.add_url_rule("/products", "products", lambda: "", methods=["GET", "POST"])
legacy.add_url_rule("/products/<int:id>", "product", lambda id: "")
legacy.add_url_rule("/cart", "cart", lambda: "")
native = FastAPI(openapi_url=None)

@native.get("/products")
async def list_products(): ...

{extra}
app = MigrationRouter(legacy=legacy, native=native)
wrapped = GZipMiddleware(app)

class Holder:
    router = app
"""
LOSING = """
@native.get("/{page}")
async def page(page: str): ...
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "asgiway.cli", "routes", *arguments],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {"PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def site(folder: Path, extra: str = "") -> Path:
    (folder / "site_module.py").write_text(SITE.format(extra=extra), "utf-8")
    return folder


def test_table(tmp_path: Path) -> None:
    done = run(site(tmp_path), "site_module:app", "--check")
    assert (done.returncode, done.stderr) == (0, "the module prints\n")
    table, conflicts, summary = done.stdout.split("\n\n")
    assert [line.split() for line in table.splitlines()] == [
        ["METHOD", "PATH", "SERVED", "BY", "ENDPOINT", "REPLACES"],
        ["GET", "/cart", "legacy", "cart"],
        ["GET", "/products", "native", "site_module.list_products", "products"],
        ["POST", "/products", "legacy", "products"],
        ["GET", "/products/<int:id>", "legacy", "product"],
    ]
    assert conflicts == (
        "info: native GET /products (site_module.list_products) has taken GET over from legacy /products (products), "
        "which keeps POST [shadows-methods]\n"
        "  for example GET /products"
    )
    assert summary == "1 native route, 3 legacy routes; 1 info\n"


def test_check_fails_only_where_urls_are_lost(tmp_path: Path) -> None:
    site(tmp_path, LOSING)
    assert run(tmp_path, "site_module:app").returncode == 0
    done = run(tmp_path, "site_module:app", "--check")
    assert done.returncode == 1
    assert "error: native GET /{page} (site_module.page) swallows URLs of legacy /cart (cart)" in done.stdout


def test_json(tmp_path: Path) -> None:
    done = run(site(tmp_path, LOSING), "site_module:app", "--format", "json", "--check")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert document["version"] == 1
    assert document["legacy_framework"] == "Flask"
    assert document["routes"][0] == {
        "methods": ["GET", "HEAD"],
        "path": "/products",
        "host": "",
        "served_by": "native",
        "endpoint": "site_module.list_products",
        "replaces": ["products"],
    }
    (lost,) = [conflict for conflict in document["conflicts"] if conflict["severity"] == "error"]
    assert {key: lost[key] for key in ("kind", "example", "native", "legacy")} == {
        "kind": "swallows",
        "example": "GET /cart",
        "native": {"methods": ["GET", "HEAD"], "path": "/{page}", "endpoint": "site_module.page"},
        "legacy": {"methods": ["GET", "HEAD", "OPTIONS"], "path": "/cart", "endpoint": "cart"},
    }


@pytest.mark.parametrize("target", ["site_module:wrapped", "site_module:Holder.router"])
def test_the_router_is_found_where_it_is(tmp_path: Path, target: str) -> None:
    done = run(site(tmp_path), target)
    assert done.returncode == 0
    assert "/products" in done.stdout


def test_another_folder(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    site(inner)
    assert run(tmp_path, "site_module:app", "--app-dir", "inner").returncode == 0


def test_an_unknown_legacy_application(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text(
        "from asgiway import MigrationRouter\nfrom starlette.applications import Starlette\n"
        "app = MigrationRouter(lambda environ, start: [], Starlette())\n"
    )
    done = run(tmp_path, "other:app", "--check")
    assert done.returncode == 0
    assert "The routes of the legacy application are not known" in done.stdout


@pytest.mark.parametrize(
    ("target", "module", "sentence"),
    [
        ("site_module", "", "'site_module' names no router; write module:attribute"),
        (":app", "", "':app' names no router"),
        ("site_module:", "", "'site_module:' names no router"),
        ("site_module:ap", "", "site_module has no attribute 'ap'; did you mean 'app'?"),
        ("site_module:app.tble", "", "site_module.app has no attribute 'tble'; did you mean 'table'?"),
        ("site_module:legacy", "", "site_module:legacy is no MigrationRouter but of type Flask"),
        ("site_modul:app", "", "there is no module 'site_modul' in"),
        ("site_module.deep:app", "", "there is no module 'site_module.deep' in"),
        ("broken:app", "import json\nraise ValueError('no\\nkey')", "broken.py:2): ValueError: no key"),
        (
            "broken:app",
            "import missing_library",
            "broken.py:1): ModuleNotFoundError: No module named 'missing_library'",
        ),
        ("broken:app", "def f(:", "importing 'broken' failed: SyntaxError: invalid syntax (broken.py, line 1)"),
        ("broken:app", "import sys; sys.exit(3)", "broken.py:1): SystemExit: 3"),
    ],
)
def test_what_leads_to_no_router_is_said_in_a_sentence(tmp_path: Path, target: str, module: str, sentence: str) -> None:
    site(tmp_path)
    (tmp_path / "broken.py").write_text(module, "utf-8")
    done = run(tmp_path, target)
    said = done.stderr.removeprefix("the module prints\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert said.startswith("asgiway routes: ")
    assert sentence in said
    assert said.count("\n") == 1


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    done = run(tmp_path, "site_module:app", "--app-dir", "none")
    assert (done.returncode, done.stderr) == (2, "asgiway routes: --app-dir none: there is no such folder\n")


def test_a_urlconf_that_cannot_be_imported(tmp_path: Path) -> None:
    (tmp_path / "project.py").write_text(
        "import django\nfrom django.conf import settings\nfrom django.core.handlers.wsgi import WSGIHandler\n"
        "from starlette.applications import Starlette\nfrom asgiway import MigrationRouter\n"
        "settings.configure(ROOT_URLCONF='nowhere')\ndjango.setup()\n"
        "app = MigrationRouter(WSGIHandler(), Starlette())\n"
    )
    done = run(tmp_path, "project:app")
    assert done.returncode == 2
    assert "asgiway routes: importing the legacy application's URLs failed" in done.stderr
    assert "No module named 'nowhere'" in done.stderr


def test_the_adapter_alone_imports_no_framework() -> None:
    """The router is imported when it is asked for, a framework when an application of it is there."""
    program = (
        "import sys, asgiway\n"
        "assert 'asgiway.migration' not in sys.modules\n"
        "from asgiway import MigrationRouter\n"
        "async def native(scope, receive, send): ...\n"
        "MigrationRouter(lambda environ, start: [], native, routes=[('GET', '/')])\n"
        "loaded = {'starlette', 'fastapi', 'flask', 'django', 'werkzeug', 'pydantic'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
