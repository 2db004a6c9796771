"""Views with an event loop of their own: Flask's, and Django's under WSGI, are info (design: linter, decisions)."""

from __future__ import annotations

from pathlib import Path

import pytest

from asgiway_lint.analysis.run import check_files
from asgiway_lint.config import Settings
from asgiway_lint.finding import Finding, Severity

DJANGO_VIEWS = """\
import time

from django.http import HttpRequest
from django.views import View
from django.views.generic import ListView


async def annotated(request: HttpRequest):
    time.sleep(1)


async def routed(request):
    time.sleep(1)


async def helper(request):
    time.sleep(1)


class Page(View):
    async def get(self, request):
        time.sleep(1)

    async def helper(self):
        time.sleep(1)


class Pages(ListView):
    async def post(self, request):
        time.sleep(1)
"""
URLS = """\
from django.urls import path

from . import views

urlpatterns = [path("a", views.routed), path("b", views.Page.as_view())]
"""
WSGI = "from django.core.wsgi import get_wsgi_application\n\napplication = get_wsgi_application()\n"
ASGI = "from django.core.asgi import get_asgi_application\n\napplication = get_asgi_application()\n"
MILD = {"annotated": True, "routed": True, "helper": False, "Page.get": True, "Page.helper": False, "Pages.post": True}


def project(folder: Path, **files: str) -> Path:
    for name, text in {"shop/views.py": DJANGO_VIEWS, "shop/urls.py": URLS, "shop/__init__.py": "", **files}.items():
        path = folder / name.replace("__slash__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def findings(folder: Path, name: str = "shop/views.py") -> tuple[Finding, ...]:
    settings = Settings(root=folder, src=(folder,), cache_dir=folder / ".cache")
    cold = list(check_files([folder / name], lambda _: settings, cache=True))
    warm = list(check_files([folder / name], lambda _: settings, cache=True))
    assert cold == warm
    return cold[0].findings


def mild(found: tuple[Finding, ...]) -> dict[str, bool]:
    assert all(
        (f.severity is Severity.INFO) == ("this Django view has an event loop of its own" in f.message) for f in found
    )
    assert len(found) == len(MILD)
    return dict(zip(MILD, [f.severity is Severity.INFO for f in found], strict=True))


@pytest.mark.parametrize(
    "files",
    [
        {"shop/wsgi.py": WSGI},
        {"config/wsgi.py": WSGI},
        {"wsgi.py": WSGI},
        {"config/settings.py": "WSGI_APPLICATION = 'config.wsgi.application'\n"},
        {"config/settings/base.py": "WSGI_APPLICATION = 'config.wsgi.application'\n"},
        {"config/settings/base.py": "WSGI_APPLICATION = 'a'\n", "config/asgi.py": "# not in use\n"},
    ],
    ids=["beside", "in a folder beside", "above", "settings", "settings in a folder", "an empty asgi.py"],
)
def test_django_under_wsgi(tmp_path: Path, files: dict[str, str]) -> None:
    """Issue 4, section 2: coroutines registered as views on Django under WSGI are info."""
    assert mild(findings(project(tmp_path, **files))) == MILD


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"config/asgi.py": ASGI},
        {"config/wsgi.py": WSGI, "config/asgi.py": ASGI},
        {"config/settings.py": "WSGI_APPLICATION = 'a'\nASGI_APPLICATION = 'b'\n"},
        {"config/wsgi.py": "application = None\n"},
        {
            "config/wsgi.py": WSGI,
            "shop/routing.py": "from channels.routing import ProtocolTypeRouter\nProtocolTypeRouter({})\n",
        },
        {"config/wsgi.py": "syntax error"},
    ],
    ids=["nothing known", "ASGI", "both", "both in settings", "another wsgi.py", "channels", "unreadable"],
)
def test_django_that_may_share_a_loop(tmp_path: Path, files: dict[str, str]) -> None:
    """As `startproject` writes both, a project with both is taken to serve ASGI."""
    assert mild(findings(project(tmp_path, **files))) == dict.fromkeys(MILD, False)


def test_the_nearest_project_counts(tmp_path: Path) -> None:
    project(tmp_path / "old", **{"config/wsgi.py": WSGI})
    project(tmp_path / "new", **{"config/asgi.py": ASGI})
    assert mild(findings(tmp_path, "old/shop/views.py")) == MILD
    assert mild(findings(tmp_path, "new/shop/views.py")) == dict.fromkeys(MILD, False)


def test_a_change_of_the_entry_points_is_noticed_by_the_cache(tmp_path: Path) -> None:
    project(tmp_path, **{"config/wsgi.py": WSGI})
    assert mild(findings(tmp_path)) == MILD
    (tmp_path / "config" / "asgi.py").write_text(ASGI, "utf-8")
    assert mild(findings(tmp_path)) == dict.fromkeys(MILD, False)
    (tmp_path / "config" / "asgi.py").write_text("", "utf-8")
    assert mild(findings(tmp_path)) == MILD


FLASK = """\
import time

from flask import Blueprint, Flask
from flask.views import MethodView

app = Flask(__name__)


@app.get("/")
async def decorated():
    time.sleep(1)


@app.before_request
async def before():
    time.sleep(1)


class Page(MethodView):
    async def get(self):
        time.sleep(1)


async def added():
    time.sleep(1)


app.add_url_rule("/added", view_func=added)


async def helper():
    time.sleep(1)


def helper_of_view():
    time.sleep(1)


@app.get("/helped")
async def helped():
    helper_of_view()
"""


def test_flask(tmp_path: Path) -> None:
    """Views by decorator, hook, class and add_url_rule; what another coroutine does is judged as ever."""
    (tmp_path / "app.py").write_text(FLASK, "utf-8")
    found = findings(tmp_path, "app.py")
    severities = [finding.severity for finding in found]
    assert severities == [Severity.INFO] * 4 + [Severity.ERROR, Severity.INFO]
    assert ["this Flask view has an event loop of its own" in finding.message for finding in found] == [
        severity is Severity.INFO for severity in severities
    ]
