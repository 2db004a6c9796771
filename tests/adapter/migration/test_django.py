"""A native application over a Django project, whose URLs are asked of its resolver."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}

SERVE = "import anyio; from tests.adapter.migration import django_site; anyio.run(django_site.main)"

REQUESTS: dict[str, tuple[int, str | None, set[str], str]] = {
    "GET /x": (200, "legacy GET", set(), ""),
    "POST /x": (200, '"native x"', set(), ""),
    # A function view answers every method: there is no 405 to merge.
    "DELETE /x": (200, "legacy DELETE", set(), ""),
    "GET /articles/a-b/": (200, "legacy article a-b", set(), ""),
    "PUT /articles/a-b/": (200, '"native article a-b"', set(), ""),
    "DELETE /articles/a-b/": (405, "", {"GET", "POST", "HEAD", "OPTIONS", "PUT"}, ""),
    "OPTIONS /articles/a-b/": (200, "", {"GET", "POST", "HEAD", "OPTIONS", "PUT"}, ""),
    # Only the native side takes a slug with a dot.
    "DELETE /articles/a.b/": (405, '{"detail":"Method Not Allowed"}', {"PUT"}, ""),
    "GET /articles/a-b": (301, "", set(), "/articles/a-b/"),  # APPEND_SLASH
    "GET /shop": (301, "", set(), "/shop/"),
    "GET /archive/2024/": (200, '"native archive 2024"', set(), ""),
    "POST /archive/2024/": (200, "legacy POST 2024", set(), ""),
    "GET /archive/2024/page-2/": (200, "legacy GET 2024 2", set(), ""),
    "POST /archive/20245/": (405, '{"detail":"Method Not Allowed"}', {"GET", "HEAD"}, ""),
    "GET /old/7": (200, '"native old 7"', set(), ""),
    "POST /old/7": (200, "legacy old 7", set(), ""),
    "HEAD /fresh": (200, "", set(), ""),
    "GET /fresh/": (307, "", set(), "http://test/fresh"),
    "GET /shop/fresh": (307, "", set(), "http://test/shop/fresh/"),
    "GET /nowhere": (404, None, set(), ""),
}


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", SERVE],
        input="\n".join(REQUESTS),
        env=ENVIRONMENT,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(REQUESTS, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("request_line", REQUESTS)
def test_answers(answers: dict[str, Any], request_line: str) -> None:
    status, text, allow, location = REQUESTS[request_line]
    got_status, got_text, got_allow, got_location = answers[request_line]
    assert (got_status, set(got_allow), got_location) == (status, allow, location)
    if text is None:
        assert "native" not in got_text
    else:
        assert got_text == text


@pytest.fixture(scope="module")
def survey() -> dict[str, Any]:
    command = [sys.executable, "-m", "asgiway.cli", "routes", "tests.adapter.migration.django_site:app"]
    done = subprocess.run(
        [*command, "--format", "json"], env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_routes_are_read_from_the_resolver(survey: dict[str, Any]) -> None:
    assert survey["legacy_framework"] == "Django"
    legacy = {
        (route["path"], route["endpoint"].rpartition(".")[2]): route["methods"]
        for route in survey["routes"]
        if route["served_by"] == "legacy"
    }
    assert legacy["/x", "show"] == []
    assert legacy["/articles/<slug:slug>/", "Article"] == ["GET", "HEAD", "OPTIONS", "POST"]
    assert "/shop/orders/<int:pk>/" in {path for path, _ in legacy}  # other methods than GET
    assert r"/^archive/(?P<year>[0-9]{4})/(?:page-(?P<page>[0-9]+)/)?$" in {path for path, _ in legacy}


def test_conflicts(survey: dict[str, Any]) -> None:
    found = {
        (conflict["kind"], conflict["native"]["path"], (conflict["legacy"] or {}).get("path"))
        for conflict in survey["conflicts"]
    }
    assert found == {
        ("shadows-methods", "/x", "/x"),
        ("shadows-methods", "/shop/orders/{pk}/", "/shop/orders/<int:pk>/"),
        ("swallows", "/shop/orders/{pk}/", "/shop/orders/new/"),
        ("shadows-methods", "/old/{number:int}", r"/^old/(\d+)$"),
        ("shadows-part", "/archive/{year:int}/", r"/^archive/(?P<year>[0-9]{4})/(?:page-(?P<page>[0-9]+)/)?$"),
    }


def test_a_path_whose_prefix_is_a_language() -> None:
    """LocaleMiddleware activates the language of the path before the URLs are resolved."""
    program = """
import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.conf.urls.i18n import i18n_patterns
from django.urls import path
from asgiway.migration.legacy_routes import legacy_map
from asgiway.migration.matching import probe

class urls:
    urlpatterns = []

settings.configure(ROOT_URLCONF=urls, LANGUAGE_CODE="en", LANGUAGES=[("en", ""), ("fr", "")], USE_I18N=True,
                   MIDDLEWARE=["django.middleware.locale.LocaleMiddleware"])
django.setup()
urls.urlpatterns += i18n_patterns(path("shop/", lambda request: None))
known = legacy_map(WSGIHandler())
assert known.complete
found = [known.knows(probe("GET", url)) for url in ("/en/shop/", "/fr/shop/", "/fr/shop", "/de/shop/", "/shop/")]
assert found == [True, True, False, False, False], found

class Derived(WSGIHandler):
    pass

assert not legacy_map(Derived()).complete
"""
    done = subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
