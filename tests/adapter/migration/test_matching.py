"""Which requests are native: the ways in which Starlette and FastAPI applications are put together, and listed routes."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from a2wsgi import WSGIMiddleware as A2wsgi
from bottle import Bottle  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Host, Match, Mount, Route, Router, WebSocketRoute

from asgiway import MigrationRouter, SettingsError, WSGIMiddleware
from asgiway.migration.matching import NativeMatch, inner_apps, native_table, probe
from tests.adapter.migration.sites import flask_site, native


async def endpoint(request: Request) -> PlainTextResponse:
    return PlainTextResponse("native")


async def opaque(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("nothing is called here")


def ask(app: Any, method: str, path: str, host: str = "", **listed: Any) -> NativeMatch:
    return native_table(app, listed.get("routes")).match(probe(method, path, host))


def served(app: Any, *requests: str) -> list[bool]:
    return [ask(app, *each.split(" ")).served for each in requests]


class TestStarlette:
    def test_converters(self) -> None:
        app = Starlette(
            routes=[native("/i/{a:int}"), native("/p/{a:path}"), native("/u/{a:uuid}"), native("/f/{a:float}")]
        )
        uuid = "6f1c3f0e-8f5d-4c3a-9a51-0d9c0c6d2b7e"
        yes = ["GET /i/1", "GET /p/a/b", "GET /p/", f"GET /u/{uuid}", "GET /f/1.5"]
        no = ["GET /i/x", "GET /i/1/", "GET /p", "GET /u/1", "GET /f/x", "GET /"]
        assert served(app, *yes, *no) == [True] * 5 + [False] * 6

    def test_a_number_too_long_for_int_is_not_native(self) -> None:
        """Starlette alone fails with 500 there."""
        app = Starlette(routes=[native("/i/{a:int}"), native("/i/{a}")])
        assert ask(app, "GET", "/i/" + "9" * 5000) == NativeMatch(served=False)

    def test_a_converter_of_its_own(self) -> None:
        class Even(Convertor[int]):
            regex = "[0-9]*[02468]"

            def convert(self, value: str) -> int:
                return int(value)

            def to_string(self, value: int) -> str:
                return str(value)

        register_url_convertor("even", Even())
        assert served(Starlette(routes=[native("/e/{a:even}")]), "GET /e/4", "GET /e/5") == [True, False]

    def test_the_first_full_match_counts(self) -> None:
        inner = [native("/a")]
        app = Starlette(routes=[Mount("/api", routes=inner), native("/api/b"), native("/c")])
        # The mount is taken for /api/b, and has nothing there: the native application alone answers 404.
        assert served(app, "GET /api/a", "GET /api/b", "GET /c") == [True, False, True]

    def test_methods_that_were_seen_before_a_mount_is_entered(self) -> None:
        app = Starlette(
            routes=[native("/api/a", methods=["PUT"]), Mount("/api", routes=[native("/a", methods=["GET"])])]
        )
        assert served(app, "PUT /api/a", "GET /api/a") == [True, True]
        assert ask(app, "DELETE", "/api/a").methods == {"PUT", "GET", "HEAD"}

    def test_mounts_in_mounts_and_parameters_in_their_paths(self) -> None:
        deep = Mount("/{lang}", routes=[Mount("/b", routes=[native("/c/{d:int}")])])
        app = Starlette(routes=[deep])
        assert served(app, "GET /en/b/c/1", "GET /en/b/c/x", "GET /en/b", "GET /en") == [True, False, False, False]
        assert dict(ask(app, "GET", "/en/b/c/1").params) == {"lang": "en", "d": 1}

    def test_an_opaque_mount_owns_its_prefix(self) -> None:
        app = Starlette(routes=[Mount("/static", opaque)])
        assert served(app, "GET /static/x", "PUT /static/", "GET /static", "GET /staticx") == [True, True, False, False]

    def test_an_empty_router_is_no_opaque_mount(self) -> None:
        inner = Starlette()
        app = Starlette(routes=[Mount("/api", inner)])
        assert served(app, "GET /api/a") == [False]
        inner.routes.append(native("/a"))
        assert served(app, "GET /api/a") == [True]

    def test_a_mounted_router_with_a_default_of_its_own_owns_its_prefix(self) -> None:
        app = Starlette(routes=[Mount("/spa", Router([native("/a")], default=opaque))])
        assert served(app, "GET /spa/whatever") == [True]

    def test_middleware_around_a_mounted_application(self) -> None:
        app = Starlette(
            routes=[
                Mount("/a", GZipMiddleware(Starlette(routes=[native("/x")]))),
                Mount("/b", routes=[native("/x")], middleware=[Middleware(GZipMiddleware)]),
            ]
        )
        assert served(app, "GET /a/x", "GET /a/y", "GET /b/x", "GET /b/y") == [True, False, True, False]

    def test_a_mounted_wsgi_application_is_opaque(self) -> None:
        """Bottle has a list named `routes`, too."""
        bottle = Bottle()
        bottle.route("/x", callback=lambda: "x")
        assert served(Starlette(routes=[Mount("/b", WSGIMiddleware(bottle))]), "GET /b/none") == [True]

    def test_host_routes(self) -> None:
        app = Starlette(
            routes=[Host("{sub}.example.org", Router([native("/a")])), Host("static.test", opaque), native("/b")]
        )
        assert ask(app, "GET", "/a", "x.example.org").served
        assert not ask(app, "GET", "/b", "x.example.org").served  # the host is taken, and has no /b
        assert ask(app, "GET", "/any", "static.test").served
        assert not ask(app, "GET", "/a", "other").served
        assert ask(app, "GET", "/b", "other").served

    def test_an_endpoint_class_serves_the_methods_it_defines(self) -> None:
        class Both(HTTPEndpoint):
            async def get(self, request: Request) -> PlainTextResponse:
                return PlainTextResponse("")

            async def patch(self, request: Request) -> PlainTextResponse:
                return PlainTextResponse("")

        app = Starlette(routes=[Route("/c", Both), native("/c", methods=["PUT"])])
        assert served(app, "GET /c", "HEAD /c", "PATCH /c", "POST /c") == [True, True, True, False]
        # The class is taken for every method: the route behind it is out of reach.
        assert served(app, "PUT /c") == [False]
        assert ask(app, "PUT", "/c").methods == {"GET", "HEAD", "PATCH"}

    def test_an_application_as_endpoint_serves_all_methods(self) -> None:
        class Inner:
            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                raise AssertionError

        assert served(Starlette(routes=[Route("/c", Inner())]), "GET /c", "PURGE /c") == [True, True]

    def test_a_websocket_route_is_not_for_http(self) -> None:
        async def socket(websocket: Any) -> None:
            raise AssertionError

        app = Starlette(routes=[WebSocketRoute("/ws", socket)])
        assert ask(app, "GET", "/ws") == NativeMatch(served=False)

    def test_a_route_class_with_a_matcher_of_its_own_is_asked(self) -> None:
        class Versioned(Route):
            def matches(self, scope: Any) -> tuple[Match, Any]:
                return super().matches({**scope, "path": scope["path"].removeprefix("/v2")})

        class Anything(BaseRoute):
            def matches(self, scope: Any) -> tuple[Match, Any]:
                return (Match.FULL if scope["path"].startswith("/any") else Match.NONE), {}

        app = Starlette(routes=[Versioned("/a", endpoint), Anything()])
        assert served(app, "GET /v2/a", "GET /anyone", "GET /b") == [True, True, False]

    def test_another_error_of_a_matcher_is_not_hidden(self) -> None:
        class Broken(Route):
            def matches(self, scope: Any) -> tuple[Match, Any]:
                raise LookupError("broken")

        with pytest.raises(LookupError, match="broken"):
            ask(Starlette(routes=[Broken("/a", endpoint)]), "GET", "/")

    def test_middleware_around_the_application_is_looked_through(self) -> None:
        class Slotted:
            __slots__ = ("app",)

            def __init__(self, app: Any) -> None:
                self.app = app

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                raise AssertionError

        app = Slotted(GZipMiddleware(Starlette(routes=[native("/a")])))
        assert served(app, "GET /a", "GET /b") == [True, False]
        app.app = app
        assert inner_apps(app) == [app]

    def test_routes_that_are_replaced_and_removed(self) -> None:
        app = Starlette(routes=[native("/a")])
        table = native_table(app, None)
        app.router.routes = list[BaseRoute]([native("/b")])
        assert [table.match(probe("GET", path)).served for path in ("/a", "/b")] == [False, True]
        del app.router.routes[0]
        assert not table.match(probe("GET", "/b")).served


class TestFastAPI:
    def test_included_routers_of_included_routers(self) -> None:
        inner, outer, app = APIRouter(prefix="/in"), APIRouter(), FastAPI(openapi_url=None)
        inner.add_api_route("/{a:int}", lambda a: a, methods=["GET"])
        outer.include_router(inner, prefix="/x")
        outer.routes.append(native("/plain"))
        app.include_router(outer, prefix="/out")
        assert served(app, "GET /out/x/in/1", "GET /out/x/in/a", "GET /out/plain", "GET /plain") == [
            True,
            False,
            True,
            False,
        ]
        assert ask(app, "PUT", "/out/x/in/1").methods == {"GET", "HEAD"}

    def test_an_included_router_is_read_again_when_it_grows(self) -> None:
        router, app = APIRouter(), FastAPI(openapi_url=None)
        router.add_api_route("/a", lambda: "a")
        app.include_router(router, prefix="/r")
        app.add_api_route("/r/b", lambda: "b", methods=["PUT"])
        table = native_table(app, None)
        assert table.match(probe("GET", "/r/a")).served
        assert not table.match(probe("GET", "/r/b")).served
        assert table.match(probe("GET", "/r/b")).methods == {"PUT"}
        late = APIRouter()
        late.add_api_route("/c", lambda: "c")
        app.include_router(late)
        assert table.match(probe("GET", "/c")).served

    def test_a_mount_in_an_included_router(self) -> None:
        router, app = APIRouter(), FastAPI(openapi_url=None)
        router.mount("/m", Starlette(routes=[native("/a")]))
        app.include_router(router)
        assert served(app, "GET /m/a", "GET /m/b") == [True, False]

    def test_an_application_can_be_forgotten(self) -> None:
        router, app = APIRouter(), FastAPI(openapi_url=None)
        router.add_api_route("/a", lambda: "a")
        app.include_router(router)
        assert served(app, "GET /a") == [True]
        gone = weakref.ref(app)
        del app, router
        gc.collect()
        assert gone() is None

    def test_what_frontend_serves_has_to_be_listed(self, tmp_path: Any) -> None:
        """It is no route but what FastAPI falls back to; so does the router, to the legacy side."""
        app = FastAPI(openapi_url=None)
        app.add_api_route("/api", lambda: "api")
        if not hasattr(app, "frontend"):
            pytest.skip("this version of FastAPI has no frontend()")
        app.frontend("/ui", directory=tmp_path)
        assert served(app, "GET /ui/a.js") == [False]
        assert ask(app, "GET", "/ui/a.js", routes=[("GET", "/ui/{rest:path}")]).served
        assert ask(app, "GET", "/api", routes=[("GET", "/ui/{rest:path}")]).served


class TestListed:
    ROUTES = (("GET", "/users/{id:int}"), (("POST", "PUT"), "/users"), ["*", "/files/{path:path}"], ("get", "/low"))

    def test_are_matched_by_path_and_method(self) -> None:
        table = native_table(opaque, self.ROUTES)
        found = [
            table.match(probe(*each.split(" "))).served
            for each in ("GET /users/1", "GET /users/x", "PUT /users", "PURGE /files/a/b", "GET /low", "GET /users/1/")
        ]
        assert found == [True, False, True, True, True, False]
        assert table.match(probe("DELETE", "/users")).methods == {"POST", "PUT"}
        assert table.match(probe("DELETE", "/users/1")).methods == {"GET", "HEAD"}

    def test_literal_text_is_no_expression(self) -> None:
        table = native_table(opaque, [("GET", "/a.b/(c)/{x}.json")])
        assert table.match(probe("GET", "/a.b/(c)/1.json")).served
        assert not table.match(probe("GET", "/aXb/(c)/1.json")).served

    def test_come_on_top_of_what_is_read(self) -> None:
        app = Starlette(routes=[native("/a"), native("/b", methods=["PUT"])])
        assert ask(app, "GET", "/a", routes=[("GET", "/b")]).served
        assert ask(app, "GET", "/b", routes=[("GET", "/b")]).served
        assert ask(app, "DELETE", "/b", routes=[("GET", "/b")]).methods == {"GET", "HEAD", "PUT"}

    @pytest.mark.parametrize(
        ("entry", "message"),
        [
            ("GET /a", "not a pair of a method and a path"),
            (("GET", "a"), "begin with a slash"),
            (("GET", "/{a:even_}"), "unknown converter 'even_'"),
            (("GET", "/{a"), "a brace that is no parameter"),
            (("GET", "/<int:a>{}"), "a brace that is no parameter"),
            (("GE T", "/a"), "'GE T' is not a method"),
            (("", "/a"), "'' is not a method"),
            (((), "/a"), "not a pair"),
            (("GET", 5), "not a pair"),
            ((5, "/a"), "not a pair"),
            (5, "not a pair"),
        ],
    )
    def test_that_make_no_sense_are_refused(self, entry: Any, message: str) -> None:
        with pytest.raises(SettingsError, match=message):
            native_table(opaque, [entry])


class TestConstruction:
    def test_routes_that_cannot_be_read_have_to_be_listed(self) -> None:
        with pytest.raises(SettingsError, match=r"cannot be read.*list them"):
            MigrationRouter(flask_site(), opaque)

    def test_the_two_sides_in_each_others_place(self) -> None:
        with pytest.raises(TypeError, match="in each other's place"):
            MigrationRouter(legacy=Starlette(), native=flask_site())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    def test_an_asgi_application_is_no_legacy_one(self) -> None:
        with pytest.raises(TypeError, match="is an ASGI one"):
            MigrationRouter(A2wsgi(flask_site()), Starlette())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    @pytest.mark.parametrize("side", ["legacy", "native"])
    def test_what_is_no_application(self, side: str) -> None:
        sides: dict[str, Any] = {"legacy": flask_site(), "native": Starlette()} | {side: "main:app"}
        with pytest.raises(TypeError, match=f"{side} has to be .* but is 'main:app'"):
            MigrationRouter(**sides)

    def test_settings_go_to_the_adapter(self) -> None:
        router = MigrationRouter(flask_site(), Starlette(), workers=3)
        assert router.legacy.settings.workers == 3
        assert repr(router).startswith("<MigrationRouter of <starlette")

    def test_an_adapter_that_is_made_already(self) -> None:
        adapter = WSGIMiddleware(flask_site(), 2)
        assert MigrationRouter(adapter, Starlette()).legacy is adapter
        with pytest.raises(TypeError, match="give workers to that"):
            MigrationRouter(adapter, Starlette(), workers=3)

    def test_a_setting_that_does_not_exist(self) -> None:
        with pytest.raises(TypeError, match="wrokers"):
            MigrationRouter(flask_site(), Starlette(), wrokers=3)
