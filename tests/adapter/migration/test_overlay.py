"""Who answers what when a native application lies over a legacy one, on asyncio, uvloop and trio.

The tests named ``measured_`` are the situations in which FastAPI with ``app.mount("/", bridge)`` was seen to go wrong.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import anyio
import fastapi.routing
import pytest
from fastapi import APIRouter, FastAPI
from flask import request, url_for
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

from asgiway import MigrationRouter
from tests.adapter.migration.sites import ask, flask_site, native
from tests.adapter.support import Connection, call, http_scope

pytestmark = pytest.mark.anyio


def fastapi_site() -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.post("/x")
    async def create() -> str:
        return "native x"

    @app.get("/items/{i:int}")
    async def item(i: int) -> str:
        return f"native item {i}"

    @app.get("/y")
    async def y() -> str:
        return "native y"

    return app


@pytest.fixture
def site() -> MigrationRouter:
    legacy = flask_site(("/x", "x"), ("/items/<name>", "item"), ("/y/", "y"), ("/only", "only", ("GET", "POST")))
    return MigrationRouter(legacy=legacy, native=fastapi_site())


async def test_measured_methods_of_one_url_are_served_by_two_applications(site: MigrationRouter) -> None:
    assert (await ask(site, "GET", "/x")).brief == (200, "legacy x")
    assert (await ask(site, "POST", "/x")).brief == (200, '"native x"')


async def test_measured_405_names_the_methods_of_both(site: MigrationRouter) -> None:
    """RFC 9110, 15.5.6."""
    answer = await ask(site, "DELETE", "/x")
    assert answer.status == 405
    assert answer.allow == {"GET", "HEAD", "OPTIONS", "POST"}
    assert "doctype" in answer.text  # legacy's own page


async def test_measured_options_names_the_methods_of_both(site: MigrationRouter) -> None:
    answer = await ask(site, "OPTIONS", "/x")
    assert answer.status == 200
    assert answer.allow == {"GET", "HEAD", "OPTIONS", "POST"}


async def test_measured_a_value_that_the_converter_refuses_is_legacy(site: MigrationRouter) -> None:
    assert (await ask(site, "GET", "/items/abc")).brief == (200, "legacy item abc")
    assert (await ask(site, "GET", "/items/7")).brief == (200, '"native item 7"')


async def test_measured_an_annotation_alone_stays_native_and_answers_422() -> None:
    app = FastAPI()

    @app.get("/items/{i}")
    async def item(i: int) -> int:
        return i

    site = MigrationRouter(legacy=flask_site(("/items/<name>", "item")), native=app)
    assert (await ask(site, "GET", "/items/abc")).status == 422


async def test_measured_forms_with_and_without_slash_are_two_urls(site: MigrationRouter) -> None:
    assert (await ask(site, "GET", "/y")).brief == (200, '"native y"')
    assert (await ask(site, "GET", "/y/")).brief == (200, "legacy y")


async def test_measured_a_route_added_later_is_served() -> None:
    app = FastAPI()
    router = APIRouter()
    app.include_router(router, prefix="/r")
    site = MigrationRouter(legacy=flask_site(("/late", "late")), native=app)
    assert (await ask(site, "GET", "/late")).brief == (200, "legacy late")

    async def late() -> str:
        return "native"

    app.add_api_route("/late", late)
    router.add_api_route("/later", late)
    assert (await ask(site, "GET", "/late")).brief == (200, '"native"')
    included_live = hasattr(fastapi.routing, "iter_route_contexts")
    assert (await ask(site, "GET", "/r/later")).status == (200 if included_live else 404)


async def test_measured_a_mount_with_routes_redirects_only_to_what_is_native() -> None:
    """Starlette's Mount("/m") answers GET /m with a redirect, whatever is below it."""
    inner = [native("/a")]
    legacy = flask_site(("/m", "m", ("GET", "POST")))
    site = MigrationRouter(legacy=legacy, native=Starlette(routes=[Mount("/m", routes=inner)]))
    assert (await ask(site, "POST", "/m")).brief == (200, "legacy m")
    bare = MigrationRouter(legacy=flask_site(), native=Starlette(routes=[Mount("/m", routes=inner)]))
    assert (await ask(bare, "GET", "/m")).status == 404
    with_index = Starlette(routes=[Mount("/m", routes=[native("/")])])
    assert (await ask(MigrationRouter(flask_site(), with_index), "GET", "/m")).status == 307


async def test_what_nobody_has_is_answered_by_legacy(site: MigrationRouter) -> None:
    answer = await ask(site, "GET", "/nowhere")
    assert answer.status == 404
    assert "doctype" in answer.text


async def test_405_of_a_path_that_only_the_native_side_has_is_native() -> None:
    app = Starlette(routes=[native("/n", methods=["GET"]), native("/n", methods=["PUT"])])
    answer = await ask(MigrationRouter(flask_site(), app), "DELETE", "/n")
    assert answer.brief == (405, "Method Not Allowed")
    assert answer.allow == {"GET", "HEAD", "PUT"}  # Starlette alone names the first route's only


async def test_405_of_a_path_that_only_legacy_has_is_untouched(site: MigrationRouter) -> None:
    assert (await ask(site, "DELETE", "/only")).allow == {"GET", "HEAD", "OPTIONS", "POST"}


async def test_405_without_allow_from_an_application_of_unknown_framework() -> None:
    def legacy(environ: Any, start_response: Any) -> list[bytes]:
        start_response("405 Method Not Allowed", [])
        return [b"no"]

    site = MigrationRouter(legacy, Starlette(routes=[native("/n")]))
    answer = await ask(site, "PUT", "/n")
    assert answer.brief == (405, "no")
    assert answer.allow == {"GET", "HEAD"}
    assert (await ask(site, "PUT", "/other")).allow == frozenset()


async def test_several_allow_fields_become_one() -> None:
    def legacy(environ: Any, start_response: Any) -> list[bytes]:
        start_response("405 Method Not Allowed", [("Allow", "PATCH"), ("X-Kept", "1"), ("Allow", "PUT, PATCH")])
        return []

    answer = await call(MigrationRouter(legacy, Starlette(routes=[native("/n")])), "DELETE", "/n")
    assert [value for name, value in answer.sent[0]["headers"] if name == b"allow"] == [b"GET, HEAD, PATCH, PUT"]
    assert answer.headers[b"x-kept"] == b"1"


async def test_an_allow_header_of_another_answer_is_left_alone() -> None:
    def legacy(environ: Any, start_response: Any) -> list[bytes]:
        start_response("404 Not Found", [("Allow", "PATCH")])
        return []

    answer = await ask(MigrationRouter(legacy, Starlette(routes=[native("/n")])), "OPTIONS", "/n")
    assert (answer.status, answer.allow) == (404, frozenset({"PATCH"}))


class TestHead:
    async def test_of_a_starlette_route(self) -> None:
        site = MigrationRouter(flask_site(("/n", "n")), Starlette(routes=[native("/n")]))
        answer = await ask(site, "HEAD", "/n")
        assert answer.status == 200
        assert answer.headers[b"content-length"] == b"9"  # "native /n"

    async def test_of_a_fastapi_route_which_knows_no_head(self, site: MigrationRouter) -> None:
        """RFC 9110, 9.3.2: as for GET, without the content. FastAPI alone answers 405."""
        answer = await ask(site, "HEAD", "/y")
        assert answer.brief == (200, "")
        assert answer.headers[b"content-length"] == b"10"  # '"native y"'

    async def test_of_a_path_whose_get_is_legacy(self, site: MigrationRouter) -> None:
        answer = await ask(site, "HEAD", "/x")
        assert answer.status == 200
        assert answer.headers[b"content-length"] == b"8"

    async def test_a_head_route_of_its_own_is_taken(self) -> None:
        app = FastAPI()

        @app.head("/n")
        async def head() -> PlainTextResponse:
            return PlainTextResponse("", headers={"x-who": "head"})

        @app.get("/n")
        async def get() -> str:
            return "get"

        answer = await ask(MigrationRouter(flask_site(), app), "HEAD", "/n")
        assert answer.headers[b"x-who"] == b"head"

    async def test_of_an_endless_stream_ends(self) -> None:
        app = FastAPI()
        closed = anyio.Event()

        @app.get("/events")
        async def events() -> StreamingResponse:
            async def endless() -> AsyncGenerator[bytes]:
                try:
                    while True:
                        yield b"data: 1\n\n"
                        await anyio.sleep(0.01)
                finally:
                    closed.set()

            return StreamingResponse(endless(), media_type="text/event-stream")

        answer = await ask(MigrationRouter(flask_site(), app), "HEAD", "/events")
        assert answer.brief == (200, "")
        assert answer.headers[b"content-type"].startswith(b"text/event-stream")
        assert closed.is_set()

    async def test_what_comes_after_the_answer_still_runs(self) -> None:
        app = FastAPI()
        ran: list[str] = []

        @app.get("/n")
        async def get() -> PlainTextResponse:
            return PlainTextResponse("hello", background=BackgroundTask(ran.append, "background"))

        await ask(MigrationRouter(flask_site(), app), "HEAD", "/n")
        assert ran == ["background"]

    async def test_a_file_sent_by_the_server_and_trailers(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            assert scope["method"] == "GET"
            await send({"type": "http.response.start", "status": 200, "headers": [], "trailers": True})
            await send({"type": "http.response.pathsend", "path": "/dev/null"})
            await send({"type": "http.response.trailers", "headers": []})

        connection = await call(MigrationRouter(flask_site(), app, routes=[("GET", "/f")]), "HEAD", "/f")
        assert [message["type"] for message in connection.sent] == ["http.response.start", "http.response.body"]
        assert connection.sent[0]["trailers"] is False


class TestSlashes:
    async def test_legacy_redirects_as_ever(self) -> None:
        site = MigrationRouter(flask_site(("/docs/", "docs")), Starlette(routes=[native("/n")]))
        answer = await ask(site, "GET", "/docs")
        assert (answer.status, answer.location) == (308, "http://test/docs/")

    async def test_native_redirects_when_legacy_has_neither_form(self) -> None:
        site = MigrationRouter(flask_site(("/other", "other")), Starlette(routes=[native("/n")]))
        answer = await ask(site, "GET", "/n/")
        assert (answer.status, answer.location) == (307, "http://test/n")

    async def test_legacy_decides_when_it_has_the_other_form(self) -> None:
        """Flask has /n without a slash, so /n/ is 404 as it was before."""
        site = MigrationRouter(flask_site(("/n", "n")), Starlette(routes=[native("/n")]))
        assert (await ask(site, "GET", "/n/")).status == 404

    async def test_native_redirects_only_if_it_would_alone(self) -> None:
        app = Starlette(routes=[native("/n")])
        app.router.redirect_slashes = False
        answer = await ask(MigrationRouter(flask_site(), app), "GET", "/n/")
        assert answer.status == 404
        assert "doctype" in answer.text

    async def test_legacy_whose_urls_are_unknown_decides(self) -> None:
        def legacy(environ: Any, start_response: Any) -> list[bytes]:
            start_response("404 Not Found", [])
            return [b"legacy"]

        site = MigrationRouter(legacy, Starlette(routes=[native("/n")]))
        assert (await ask(site, "GET", "/n/")).brief == (404, "legacy")


class TestPreflight:
    """Fetch: OPTIONS with Origin and Access-Control-Request-Method. No Allow header is touched."""

    CORS = Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"])

    @staticmethod
    def asking(method: str) -> list[tuple[bytes, bytes]]:
        return [
            (b"host", b"test"),
            (b"origin", b"https://shop.example"),
            (b"access-control-request-method", method.encode()),
        ]

    async def test_of_a_native_method_is_native_where_the_native_side_does_cors(self) -> None:
        app = Starlette(routes=[native("/x", methods=["PUT"])], middleware=[self.CORS])
        site = MigrationRouter(flask_site(("/x", "x")), app)
        assert (await ask(site, "OPTIONS", "/x", headers=self.asking("PUT"))).brief == (200, "OK")

    async def test_of_a_legacy_method_is_legacy(self) -> None:
        app = Starlette(routes=[native("/x", methods=["PUT"])], middleware=[self.CORS])
        site = MigrationRouter(flask_site(("/x", "x")), app)
        answer = await ask(site, "OPTIONS", "/x", headers=self.asking("GET"))
        assert answer.brief == (200, "")
        assert answer.allow == {"GET", "HEAD", "OPTIONS"}

    async def test_is_legacy_where_the_native_side_does_no_cors(self) -> None:
        site = MigrationRouter(flask_site(("/x", "x")), Starlette(routes=[native("/x", methods=["PUT"])]))
        answer = await ask(site, "OPTIONS", "/x", headers=self.asking("PUT"))
        assert answer.allow == {"GET", "HEAD", "OPTIONS"}

    async def test_of_a_path_that_only_the_native_side_has_is_native(self) -> None:
        app = CORSMiddleware(Starlette(routes=[native("/n", methods=["PUT"])]), allow_origins=["*"])
        site = MigrationRouter(flask_site(), app)
        answer = await ask(site, "OPTIONS", "/n", headers=self.asking("GET"))
        assert answer.headers[b"access-control-allow-origin"] == b"*"

    async def test_reaches_cors_of_a_mounted_application(self) -> None:
        def legacy(environ: Any, start_response: Any) -> list[bytes]:
            raise AssertionError("the preflight is not legacy's")

        inner = Starlette(routes=[native("/x", methods=["PUT"])], middleware=[self.CORS])
        site = MigrationRouter(legacy, Starlette(routes=[Mount("/api", inner)]))
        assert (await ask(site, "OPTIONS", "/api/x", headers=self.asking("PUT"))).status == 200


async def test_nothing_is_received_and_the_scope_is_as_it_was() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    router = FastAPI(openapi_url=None)
    inner = APIRouter()
    inner.add_api_route("/a", lambda: "a", methods=["GET"])
    router.include_router(inner, prefix="/p")
    site = MigrationRouter(flask_site(("/p/a", "a", ("POST",))), app, routes=[("POST", "/n")])
    connection = Connection([b"one", b"two"])
    scope = http_scope("POST", "/n")
    before = dict(scope)
    await site(scope, connection.receive, connection.send)
    assert connection.received == 0
    assert seen[0] is scope
    assert scope == before
    scope = http_scope("POST", "/p/a")
    before = dict(scope)
    assert MigrationRouter(flask_site(), router).decide(scope).side == "native"  # its own 405
    assert scope == before


async def test_an_upload_reaches_the_legacy_side_whole() -> None:
    legacy = flask_site()
    legacy.add_url_rule("/up", "up", lambda: str(len(request.get_data())), methods=["POST"])
    site = MigrationRouter(legacy, Starlette(routes=[native("/up")]))
    pieces = [b"a" * 1000] * 5
    headers = [(b"host", b"test"), (b"content-length", b"5000")]
    connection = await call(site, "POST", "/up", pieces, headers=headers)
    assert connection.body == b"5000"


class TestNativeApplicationIsCalledWhole:
    async def test_its_middleware_and_url_for_work(self) -> None:
        class Stamp:
            def __init__(self, app: Any) -> None:
                self.app = app

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                async def stamping(message: Any) -> None:
                    if message["type"] == "http.response.start":
                        message["headers"].append((b"x-native", b"1"))
                    await send(message)

                await self.app(scope, receive, stamping)

        async def where(request: Request) -> PlainTextResponse:
            return PlainTextResponse(str(request.url_for("where", id=3)))

        app = Starlette(routes=[Route("/w/{id:int}", where)], middleware=[Middleware(Stamp)])
        site = MigrationRouter(flask_site(("/x", "x")), app)
        answer = await ask(site, "GET", "/w/1")
        assert (answer.text, answer.headers[b"x-native"]) == ("http://test/w/3", b"1")
        assert app.url_path_for("where", id=5) == "/w/5"
        assert b"x-native" not in (await ask(site, "GET", "/x")).headers

    async def test_its_error_handlers_answer_for_its_routes_only(self) -> None:
        async def handler(request: Request, exc: Exception) -> PlainTextResponse:
            return PlainTextResponse("native page", status_code=getattr(exc, "status_code", 500))

        async def missing(request: Request) -> PlainTextResponse:
            raise HTTPException(404)

        app = Starlette(routes=[Route("/thing", missing), native("/put", methods=["PUT"])])
        app.add_exception_handler(404, handler)
        app.add_exception_handler(405, handler)
        site = MigrationRouter(flask_site(("/put", "put")), app)
        assert (await ask(site, "GET", "/thing")).brief == (404, "native page")
        assert "native" not in (await ask(site, "GET", "/nowhere")).text
        assert "native" not in (await ask(site, "DELETE", "/put")).text


class TestMountPoint:
    async def test_behind_a_root_path(self) -> None:
        legacy = flask_site()
        legacy.add_url_rule("/here", "here", lambda: url_for("here"))
        legacy.add_url_rule("/both", "both", lambda: "legacy")
        site = MigrationRouter(legacy, Starlette(routes=[native("/n"), native("/both", methods=["PUT"])]))
        at = {"root_path": "/app"}
        assert (await ask(site, "GET", "/app/n", raw_path=b"/app/n", **at)).text == "native /n"
        assert (await ask(site, "GET", "/app/here", raw_path=b"/app/here", **at)).text == "/app/here"
        assert (await ask(site, "DELETE", "/app/both", raw_path=b"/app/both", **at)).allow >= {"GET", "PUT"}
        assert (await ask(site, "GET", "/app/n/", raw_path=b"/app/n/", **at)).location == "http://test/app/n"

    async def test_mounted_in_another_router(self) -> None:
        legacy = flask_site()
        legacy.add_url_rule("/here", "here", lambda: url_for("here"))
        site = MigrationRouter(legacy, Starlette(routes=[native("/n")]))
        outer = Starlette(routes=[Mount("/app", site)])
        assert (await ask(outer, "GET", "/app/n")).text == "native /n"
        assert (await ask(outer, "GET", "/app/here")).text == "/app/here"
        assert (await ask(outer, "GET", "/app/")).status == 404
        async with site:
            assert (await ask(outer, "GET", "/app/here")).text == "/app/here"
        assert (await ask(outer, "GET", "/app/here")).status == 503  # drained

    @pytest.mark.filterwarnings("ignore:The `root_path` parameter is deprecated")
    async def test_root_path_of_fastapi_itself(self) -> None:
        app = FastAPI(root_path="/api")
        app.add_api_route("/n", lambda: "native", methods=["GET"])
        site = MigrationRouter(flask_site(("/n", "n")), app)
        assert (await ask(site, "GET", "/api/n")).text == '"native"'
