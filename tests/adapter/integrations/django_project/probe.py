"""The page's site, and beside it routes that show what happens to database connections with and without its middleware."""

# Django has no types.
# pyright: reportMissingTypeStubs=false, reportMissingImports=false

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import beside  # type: ignore[import-not-found]  # the page's, it is there when this runs
import reports  # type: ignore[import-not-found]
import shop.urls  # type: ignore[import-not-found]  # it counts signals from the first request on
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User  # type: ignore[import-untyped]
from django.db import connections  # type: ignore[import-untyped]
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route

from asgiway.integrations.django import DatabaseConnections, closing_connections


def server_process() -> int:
    with connections["pg"].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


async def use_postgres(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(await sync_to_async(server_process)()))


def use_postgres_in_pool(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(server_process()))


async def unsafe(request: Request) -> JSONResponse:
    return JSONResponse({"users": User.objects.count()})


async def nothing(request: Request) -> PlainTextResponse:
    return PlainTextResponse("no database")


async def counts(request: Request) -> JSONResponse:
    """What Django's views and signals have counted, told without a request of Django's."""
    return JSONResponse(dict(shop.urls.SIGNALS))


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncGenerator[None]:
    async with beside.legacy:
        yield


kept: Any = DatabaseConnections(Starlette(routes=[Route("/async", use_postgres), Route("/nothing", nothing)]))
app = Starlette(
    routes=[
        Route("/counts", counts),
        Route("/bare/async", use_postgres),
        Route("/bare/sync", use_postgres_in_pool),
        Route("/bare/unsafe", unsafe),
        Mount("/kept", kept),
        Route("/kept-sync", closing_connections(use_postgres_in_pool)),
        Mount("/reports", reports.app),
        Mount("/old", beside.legacy),
        Mount("/", beside.app),
    ],
    lifespan=lifespan,
)
