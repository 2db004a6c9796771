"""What the overlay costs a request: MigrationRouter beside FastAPI with the legacy application mounted at "/".

    python tests/benchmarks/adapter/router.py [--rounds 5] [--requests 2000]

First the decision alone, in microseconds; then whole requests without sockets, CPU microseconds of the process,
interleaved. Native routes are the last of their table, legacy ones are in no native table: the dearest cases.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import time
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop
from a2wsgi import WSGIMiddleware as A2wsgi
from fastapi import APIRouter, FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.routing import Route

from asgiway import MigrationRouter, WSGIMiddleware
from asgiway.migration.matching import probe

ASGI = Callable[..., Awaitable[None]]
IN_FLIGHT = 16


def legacy_site(routes: int) -> Flask:
    app = Flask("legacy", static_folder=None)
    for at in range(routes):
        app.add_url_rule(f"/legacy{at}/<int:id>", f"view{at}", lambda id: "x")
    return app


async def endpoint(id: int) -> int:
    return id


def starlette_site(routes: int) -> Starlette:
    async def view(request: Any) -> None:
        raise NotImplementedError

    return Starlette(routes=[Route(f"/native{at}/{{id:int}}", view) for at in range(routes)])


def fastapi_site(routes: int) -> FastAPI:
    app = FastAPI(openapi_url=None)
    for at in range(routes):
        app.add_api_route(f"/native{at}/{{id:int}}", endpoint)
    return app


def included_site(routes: int) -> FastAPI:
    """The same routes in routers of ten."""
    app = FastAPI(openapi_url=None)
    for first in range(0, routes, 10):
        router = APIRouter()
        for at in range(first, first + 10):
            router.add_api_route(f"/native{at}/{{id:int}}", endpoint)
        app.include_router(router)
    return app


def decisions(rounds: int) -> None:
    """The decision alone: for a native route, a legacy one, and a 405 that both sides know of."""
    sites: dict[str, Callable[[int], Any]] = {
        "Starlette": starlette_site,
        "FastAPI": fastapi_site,
        "FastAPI, included routers": included_site,
    }
    print(f"{'decision, us (native routes)':40}{'native':>10}{'legacy':>10}{'405':>10}")
    for routes in (10, 100, 300):
        for name, make in sites.items():
            router = MigrationRouter(legacy_site(routes), make(routes))
            native = f"/native{routes - 1}/1"
            scopes = [probe("GET", native), probe("GET", "/legacy0/1"), probe("PUT", native)]
            figures = [best_of(rounds, router.decide, scope) for scope in scopes]
            print(f"{f'{name} ({routes})':40}" + "".join(f"{figure:10.1f}" for figure in figures))


def best_of(rounds: int, call: Callable[[Any], Any], argument: Any) -> float:
    best = float("inf")
    for _ in range(rounds):
        before = time.perf_counter()
        for _ in range(1000):
            call(argument)
        best = min(best, time.perf_counter() - before)
    return best * 1000


async def one_request(app: ASGI, path: str) -> None:
    never: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    first = True
    statuses: list[int] = []

    async def receive() -> Any:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": b"", "more_body": False}
        return await never

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = probe("GET", path) | {"client": ("127.0.0.1", 50000), "raw_path": path.encode()}  # type: ignore[operator]
    await app(scope, receive, send)
    if statuses != [200]:
        raise RuntimeError(f"{path} answered {statuses}")


async def drive(app: ASGI, path: str, requests: int) -> float:
    async def client(count: int) -> None:
        for _ in range(count):
            await one_request(app, path)

    await asyncio.gather(*(client(20) for _ in range(IN_FLIGHT)))
    share = max(1, requests // IN_FLIGHT)
    gc.collect()
    before = time.process_time()
    await asyncio.gather(*(client(share) for _ in range(IN_FLIGHT)))
    return (time.process_time() - before) / (share * IN_FLIGHT) * 1e6


def mounted(routes: int, bridge: Callable[[Any], Any]) -> FastAPI:
    app = fastapi_site(routes)
    app.mount("/", bridge(legacy_site(routes)))
    return app


def requests_through(rounds: int, requests: int) -> None:
    """Whole requests."""
    for routes in (10, 100):
        peers: dict[str, Callable[[int], ASGI]] = {
            "MigrationRouter": lambda routes: MigrationRouter(legacy_site(routes), fastapi_site(routes), workers=10),
            "mount asgiway": lambda routes: mounted(routes, lambda flask: WSGIMiddleware(flask, 10)),
            "mount a2wsgi": lambda routes: mounted(routes, lambda flask: A2wsgi(flask, workers=10)),
        }
        print(f"{f'CPU us per request, {routes} native routes':40}" + "".join(f"{name:>18}" for name in peers))
        for kind, path in (("native", f"/native{routes - 1}/1"), ("legacy", "/legacy0/1")):
            figures: dict[str, list[float]] = {peer: [] for peer in peers}
            for _ in range(rounds):
                for peer, make in peers.items():
                    figures[peer].append(uvloop.run(drive(make(routes), path, requests)))
            print(f"{kind:40}" + "".join(f"{statistics.median(figures[peer]):18.1f}" for peer in peers))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=2000)
    options = parser.parse_args()
    decisions(options.rounds)
    requests_through(options.rounds, options.requests)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
