"""Properties of the overlay, for random routes on both sides and random requests.

Alone, each application is called without any router: what they say is the truth that the overlay is held to.
"""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from asgiway import MigrationRouter, WSGIMiddleware
from asgiway.migration.matching import probe
from tests.adapter.migration.sites import Answer, ask, flask_site, native

SEGMENTS = ("a", "b", "1", "{}", "{int}", "{path}")
METHODS = ("GET", "POST", "PUT", "DELETE")
paths = st.tuples(st.lists(st.sampled_from(SEGMENTS), max_size=3), st.booleans()).map(
    lambda parts: "/" + "/".join(parts[0]) + ("/" if parts[1] and parts[0] else "")
)
routes = st.lists(st.tuples(paths, st.sets(st.sampled_from(METHODS), min_size=1, max_size=2)), max_size=4)
requests = st.lists(
    st.tuples(
        st.sampled_from((*METHODS, "HEAD", "OPTIONS", "PATCH")),
        st.tuples(st.lists(st.sampled_from(("a", "b", "1", "x", "22")), max_size=4), st.booleans()).map(
            lambda parts: "/" + "/".join(parts[0]) + ("/" if parts[1] and parts[0] else "")
        ),
    ),
    min_size=1,
    max_size=8,
)


def flask_rule(path: str) -> str:
    return _numbered(path, {"{}": "<p{}>", "{int}": "<int:p{}>", "{path}": "<path:p{}>"})


def starlette_path(path: str) -> str:
    return _numbered(path, {"{}": "{{p{}}}", "{int}": "{{p{}:int}}", "{path}": "{{p{}:path}}"})


def _numbered(path: str, forms: dict[str, str]) -> str:
    """Parameters need names of their own."""
    return "/".join(forms[part].format(at) if part in forms else part for at, part in enumerate(path.split("/")))


Routes = list[tuple[str, set[str]]]


def build(legacy_routes: Routes, native_routes: Routes, mounted: Routes, unknown: bool) -> tuple[Any, Any, Any]:
    flask = flask_site(*((flask_rule(path), f"v{at}", sorted(ways)) for at, (path, ways) in enumerate(legacy_routes)))

    def opaque_flask(environ: Any, start_response: Any) -> Any:
        return flask(environ, start_response)

    legacy: Any = opaque_flask if unknown else flask
    top: list[Route | Mount] = [
        native(starlette_path(path), f"n{at}", ways) for at, (path, ways) in enumerate(native_routes)
    ]
    top.insert(
        len(top) // 2,
        Mount("/a", routes=[native(starlette_path(path), f"m{at}", ways) for at, (path, ways) in enumerate(mounted)]),
    )
    app = Starlette(routes=top)
    return flask, app, MigrationRouter(legacy, app, workers=1)


@settings(max_examples=60, deadline=None)
@given(legacy_routes=routes, native_routes=routes, mounted=routes, asked=requests, unknown=st.booleans())
def test_what_legacy_would_have_answered_is_answered(
    legacy_routes: Routes, native_routes: Routes, mounted: Routes, asked: list[tuple[str, str]], unknown: bool
) -> None:
    async def check() -> None:
        flask, app, site = build(legacy_routes, native_routes, mounted, unknown)
        alone = WSGIMiddleware(flask, 1)
        async with alone, site:
            for method, path in asked:
                check_one(
                    method,
                    await ask(alone, method, path),
                    await ask(app, method, path),
                    await ask(site, method, path),
                    {each: (await ask(app, each, path)).status for each in METHODS},
                    unknown,
                )

    asyncio.run(check())


def check_one(
    method: str, old: Answer, new: Answer, overlay: Answer, native_statuses: dict[str, int], unknown: bool
) -> None:
    served_natively = {each for each, status in native_statuses.items() if status == 200}
    if new.status == 200:  # a native route has path and method
        assert overlay == new
        return
    if old.status not in (404, 405):
        assert (overlay.brief, overlay.location) == (old.brief, old.location)
    elif old.status == 405:
        assert overlay.brief == old.brief
    elif overlay.status != 404:
        # Nobody is robbed: legacy has nothing there. Only what the native side says for itself takes its place.
        assert not unknown
        assert overlay.status == new.status
        assert overlay.status in (307, 405)
    if overlay.status == 405 or (overlay.status == 200 and method == "OPTIONS"):
        ways = served_natively | ({"HEAD"} if "GET" in served_natively else set())
        assert ways <= overlay.allow
        assert overlay.allow <= ways | old.allow | (new.allow if old.status == 404 else set())


@settings(max_examples=100, deadline=None)
@given(legacy_routes=routes, native_routes=routes, mounted=routes, asked=requests, unknown=st.booleans())
def test_the_native_application_does_what_was_expected_of_it(
    legacy_routes: Routes, native_routes: Routes, mounted: Routes, asked: list[tuple[str, str]], unknown: bool
) -> None:
    """Called whole, its router takes the route that the table has found."""

    async def check() -> None:
        _, app, site = build(legacy_routes, native_routes, mounted, unknown)
        for method, path in asked:
            scope = probe(method, path)
            match = site.table.match(scope)
            if site.decide(scope).side != "native":
                continue
            status = (await ask(app, method, path)).status
            if match.served:
                assert status == 200
            elif match.methods:
                # Not 405 where Starlette enters a mount in vain that comes after the route that has the path.
                assert status in (405, 404, 307)
            else:
                assert status == 307

    asyncio.run(check())
