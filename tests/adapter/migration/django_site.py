"""A small Django project with a router over it. Django's settings belong to a process: run it in one of its own.

``main`` answers the requests on the standard input, one "METHOD PATH" a line.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django  # type: ignore[import-untyped]
from django.conf import settings  # type: ignore[import-untyped]
from django.core.handlers.wsgi import WSGIHandler  # type: ignore[import-untyped]
from django.http import HttpResponse  # type: ignore[import-untyped]
from django.urls import include, path, re_path  # type: ignore[import-untyped]
from django.views import View  # type: ignore[import-untyped]
from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from asgiway import MigrationRouter
from tests.adapter.migration.sites import ask

settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="for tests",
    USE_I18N=False,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
)
django.setup()


def text(content: str) -> Any:
    return HttpResponse(content.encode())


def show(request: Any, **arguments: Any) -> Any:
    return text(" ".join(["legacy", request.method, *map(str, arguments.values())]))


class Article(View):  # type: ignore[misc]
    def get(self, request: Any, slug: str) -> Any:
        return text(f"legacy article {slug}")

    def post(self, request: Any, slug: str) -> Any:
        return text(f"legacy article {slug} written")


shop_urls = [
    path("", show, name="shop"),
    path("orders/<int:pk>/", show, name="order"),
    path("orders/new/", show, name="new-order"),
]

urlpatterns = [
    path("x", show),
    path("articles/<slug:slug>/", Article.as_view()),
    path("shop/", include(shop_urls)),
    re_path(r"^archive/(?P<year>[0-9]{4})/(?:page-(?P<page>[0-9]+)/)?$", show),
    re_path(r"^old/(\d+)$", lambda request, number: text(f"legacy old {number}")),
]

native = FastAPI(openapi_url=None)


@native.post("/x")
async def create() -> str:
    return "native x"


@native.put("/articles/{slug}/")
async def replace(slug: str) -> str:
    return f"native article {slug}"


@native.get("/archive/{year:int}/")
async def archive(year: int) -> str:
    return f"native archive {year}"


@native.get("/shop/orders/{pk}/")
async def order(pk: str) -> str:
    return f"native order {pk}"


@native.get("/fresh")
async def fresh() -> str:
    return "native fresh"


@native.get("/shop/fresh/")
async def shop_fresh() -> str:
    return "native shop fresh"


@native.get("/old/{number:int}")
async def old(number: int) -> str:
    return f"native old {number}"


native.mount("/static", StaticFiles(directory="."))

handler: Any = WSGIHandler()
app = MigrationRouter(legacy=handler, native=native)


async def main() -> None:
    for line in sys.stdin.read().splitlines():
        method, url = line.split(" ")
        answer = await ask(app, method, url)
        sys.stdout.write(json.dumps([answer.status, answer.text, sorted(answer.allow), answer.location]) + "\n")
    await app.aclose()
