"""Conflicts between native and legacy routes, and who serves what, on real frameworks' matchers."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi import Path as PathParameter
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute

from asgiway import MigrationRouter
from asgiway.migration.conflicts import KINDS
from asgiway.migration.survey import Row, Survey, survey
from asgiway.migration.url_patterns import Parameter, parse_django, parse_flask, parse_starlette, samples
from tests.adapter.migration.sites import FlaskRule, flask_site, native


def look(app: Any, *rules: FlaskRule, **listed: Any) -> Survey:
    return survey(MigrationRouter(flask_site(*rules), app, **listed))


def conflicts(app: Any, *rules: FlaskRule, **listed: Any) -> set[tuple[str, str, str | None, str]]:
    """(kind, native path, legacy endpoint, example)."""
    return {
        (each.kind, each.native.path, None if each.legacy is None else each.legacy.endpoint, each.example)
        for each in look(app, *rules, **listed).conflicts
    }


def rows(found: Survey) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """(methods but implied ones, path, side, replaces)."""

    def shown(row: Row) -> str:
        return ",".join(method for method in row.methods if method not in ("HEAD", "OPTIONS"))

    return [(shown(row), row.path, row.served_by, row.replaces) for row in found.rows]


def starlette(*routes: Any) -> Starlette:
    return Starlette(routes=list(routes))


def fastapi(path: str, endpoint: Any, **settings: Any) -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.add_api_route(path, endpoint, **settings)
    return app


async def by_id(id: int) -> int:
    return id


async def opaque(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("no handler runs")


class TestShadows:
    def test_the_same_route(self) -> None:
        app = starlette(native("/users/{id:int}"))
        found = look(app, ("/users/<int:id>", "user"), ("/x", "x"))
        assert conflicts(app, ("/users/<int:id>", "user")) == {("shadows", "/users/{id:int}", "user", "GET /users/1")}
        assert rows(found) == [("GET", "/users/{id:int}", "native", ("user",)), ("GET", "/x", "legacy", ())]

    def test_fewer_methods(self) -> None:
        app = starlette(native("/u", methods=["PUT"]))
        found = look(app, ("/u", "u", ("GET", "PUT", "DELETE")))
        assert [each.kind for each in found.conflicts] == ["shadows-methods"]
        assert "which keeps DELETE, GET" in found.conflicts[0].message
        assert rows(found) == [("PUT", "/u", "native", ("u",)), ("DELETE,GET", "/u", "legacy", ())]

    def test_a_narrower_converter(self) -> None:
        app = starlette(native("/items/{id:int}"))
        found = look(app, ("/items/<name>", "item"))
        assert [each.kind for each in found.conflicts] == ["shadows-part"]
        assert "/items/abc stays legacy" in found.conflicts[0].message
        assert rows(found)[1] == ("GET", "/items/<name>", "legacy", ())

    def test_one_url_of_a_legacy_route(self) -> None:
        assert conflicts(starlette(native("/items/me")), ("/items/<name>", "item")) == {
            ("shadows-part", "/items/me", "item", "GET /items/me")
        }

    def test_none(self) -> None:
        found = look(starlette(native("/new"), native("/x", methods=["PUT"])), ("/x", "x"))
        assert found.conflicts == ()


class TestSwallows:
    def test_urls_of_another_legacy_route(self) -> None:
        app = starlette(native("/orders/{id}"))
        assert conflicts(app, ("/orders/<int:id>", "order"), ("/orders/new", "new")) == {
            ("shadows", "/orders/{id}", "order", "GET /orders/1"),
            ("swallows", "/orders/{id}", "new", "GET /orders/new"),
        }

    def test_with_the_exact_twin_beside_it(self) -> None:
        app = starlette(native("/items/{name}"))
        assert {each[:3] for each in conflicts(app, ("/items/<name>", "named"), ("/items/<int:id>", "numbered"))} == {
            ("shadows", "/items/{name}", "named"),
            ("swallows", "/items/{name}", "numbered"),
        }

    def test_everything_by_a_wildcard(self) -> None:
        app = starlette(native("/{rest:path}"))
        assert conflicts(app, ("/a", "a"), ("/b/<x>", "b")) == {
            ("swallows", "/{rest:path}", "a", "GET /a"),
            ("swallows", "/{rest:path}", "b", "GET /b/abc"),
        }

    def test_only_other_methods_are_no_conflict(self) -> None:
        assert conflicts(starlette(native("/orders/{id}", methods=["PUT"])), ("/orders/new", "new")) == set()

    def test_pages_that_fastapi_makes(self) -> None:
        found = look(FastAPI(), ("/docs", "handbook"))
        assert [(each.kind, each.severity) for each in found.conflicts] == [("swallows", "error")]
        assert "docs_url" in found.conflicts[0].message


class TestMounts:
    def test_an_opaque_one_owns_its_prefix(self) -> None:
        app = starlette(Mount("/admin", opaque))
        assert {each[:3] for each in conflicts(app, ("/admin/login", "login"), ("/admin/<path:x>", "all"))} == {
            ("mount-owns", "/admin/{path:path}", "login"),
            ("shadows", "/admin/{path:path}", "all"),
        }

    def test_one_with_routes_is_entered(self) -> None:
        app = starlette(Mount("/api", Starlette(routes=[native("/a")])), Mount("/v2", Starlette(routes=[native("/a")])))
        found = look(app, ("/api/a", "a"), ("/api/b", "b"), ("/v2/a", "a2"))
        assert {(each.kind, each.native.path) for each in found.conflicts} == {
            ("shadows", "/api/a"),
            ("shadows", "/v2/a"),
        }
        assert rows(found)[-1] == ("GET", "/api/b", "legacy", ())


class TestUnreachable:
    def test_behind_an_opaque_mount(self) -> None:
        found = look(starlette(Mount("/a", opaque), native("/a/b")))
        assert [(each.kind, each.native.path) for each in found.conflicts] == [("unreachable", "/a/b")]
        assert "/a/{path:path}" in found.conflicts[0].message

    def test_behind_an_earlier_wildcard(self) -> None:
        assert conflicts(starlette(native("/u/{name}"), native("/u/me"))) == {
            ("unreachable", "/u/me", None, "GET /u/me")
        }

    def test_behind_a_mount_whose_routes_have_nothing_for_it(self) -> None:
        found = look(starlette(Mount("/api", routes=[native("/a")]), native("/api/b")), ("/api/b", "b"))
        assert [(each.kind, each.native.path) for each in found.conflicts] == [("unreachable", "/api/b")]
        assert "no native route is taken" in found.conflicts[0].message

    def test_for_some_methods(self) -> None:
        app = starlette(native("/u/{name}", methods=["GET"]), native("/u/me", methods=["GET", "PUT"]))
        (found,) = look(app).conflicts
        assert found.kind == "unreachable"
        assert "GET /u/me" in found.message
        assert "PUT" not in found.message

    def test_the_same_path_twice(self) -> None:
        app = starlette(native("/a", "first"), native("/a", "second"))
        assert [each.kind for each in look(app).conflicts] == []  # one function: there is nothing to tell them apart

    def test_not_where_a_converter_has_no_sample(self) -> None:
        class Plate(Convertor[str]):
            regex = "[A-Z]{2}-[0-9]{4}"

            def convert(self, value: str) -> str:
                return value

            def to_string(self, value: str) -> str:
                return value

        register_url_convertor("plate", Plate())
        assert conflicts(starlette(native("/cars/{plate:plate}"))) == set()

    def test_in_included_routers(self) -> None:
        router, app = APIRouter(), FastAPI(openapi_url=None)
        router.add_api_route("/{name}", lambda name: name)
        router.add_api_route("/me", lambda: "me")
        app.include_router(router, prefix="/u")
        assert {each[:2] for each in conflicts(app)} == {("unreachable", "/u/me")}


class TestRejects:
    def test_what_legacy_would_serve(self) -> None:
        app = fastapi("/items/{id}", by_id)
        assert ("rejects", "/items/{id}", "item", "GET /items/abc") in conflicts(app, ("/items/<name>", "item"))

    def test_not_what_legacy_would_not_serve(self) -> None:
        assert {each[0] for each in conflicts(fastapi("/items/{id}", by_id), ("/items/<int:id>", "item"))} == {
            "shadows"
        }

    def test_not_with_a_path_converter(self) -> None:
        found = conflicts(fastapi("/items/{id:int}", by_id), ("/items/<name>", "item"))
        assert {each[0] for each in found} == {"shadows-part"}

    def test_constraints_of_the_annotation(self) -> None:
        async def small(id: Annotated[int, PathParameter(lt=10)]) -> int:
            return id

        found = conflicts(fastapi("/items/{id}", small), ("/items/<int:id>", "item"))
        assert ("rejects", "/items/{id}", "item", "GET /items/42") in found

    def test_annotations_of_dependencies(self) -> None:
        async def depending(number: Annotated[int, Depends(by_id)]) -> int:
            return number

        app = fastapi("/items/{id}", depending)
        assert "rejects" in {each[0] for each in conflicts(app, ("/items/<name>", "item"))}

    def test_in_included_routers(self) -> None:
        router, app = APIRouter(), FastAPI(openapi_url=None)
        router.add_api_route("/{id}", by_id)
        app.include_router(router, prefix="/items")
        assert "rejects" in {each[0] for each in conflicts(app, ("/items/<name>", "item"))}


class TestSlashTwins:
    @pytest.mark.parametrize(("path", "rule"), [("/y", "/y/"), ("/y/", "/y"), ("/u/{a}", "/u/<b>/")])
    def test_differ_by_a_slash(self, path: str, rule: str) -> None:
        (found,) = look(starlette(native(path)), (rule, "y")).conflicts
        assert (found.kind, found.severity) == ("slash-twins", "warning")

    def test_not_where_legacy_has_both(self) -> None:
        assert {each[0] for each in conflicts(starlette(native("/y")), ("/y", "a"), ("/y/", "b"))} == {"shadows"}

    def test_not_with_other_methods(self) -> None:
        assert conflicts(starlette(native("/y", methods=["PUT"])), ("/y/", "y")) == set()


def test_hosts() -> None:
    app = starlette(Host("{sub}.api.test", Router([native("/a")])), Host("cdn.test", opaque))
    found = look(app, ("/a", "a"))
    assert [(row.host, row.path, row.served_by) for row in found.rows] == [
        ("{sub}.api.test", "/a", "native"),
        ("cdn.test", "/{path:path}", "native"),
        ("", "/a", "legacy"),
    ]


def test_listed_routes() -> None:
    assert conflicts(opaque, ("/a/<name>", "a"), routes=[("GET", "/a/{name}")]) == {
        ("shadows", "/a/{name}", "a", "GET /a/abc")
    }
    app = starlette(native("/b"))
    assert {each[:3] for each in conflicts(app, ("/b", "b"), ("/a", "a"), routes=[("GET", "/a")])} == {
        ("shadows", "/a", "a"),
        ("shadows", "/b", "b"),
    }


def test_a_legacy_application_of_unknown_routes() -> None:
    found = survey(MigrationRouter(lambda environ, start_response: [], starlette(native("/a"))))
    assert found.legacy_framework is None
    assert rows(found) == [("GET", "/a", "native", ())]


def test_websockets_are_listed() -> None:
    async def socket(websocket: Any) -> None:
        raise AssertionError

    found = look(starlette(WebSocketRoute("/ws", socket), Route("/ws", lambda request: None)))
    assert [(row.methods, row.path) for row in found.rows] == [(("WEBSOCKET",), "/ws"), (("GET", "HEAD"), "/ws")]
    assert found.conflicts == ()


def test_the_worst_comes_first() -> None:
    app = starlette(native("/y"), native("/a"), native("/o/{x}"))
    found = look(app, ("/y/", "y"), ("/a", "a"), ("/o/new", "new"))
    assert [each.severity for each in found.conflicts] == ["error", "warning", "info"]
    assert {each.kind for each in found.conflicts} <= set(KINDS)


class TestPatterns:
    def test_are_parsed(self) -> None:
        assert parse_starlette("/a/{b:int}/c{d}") == ("/a/", Parameter("int"), "/c", Parameter("str"))
        assert parse_flask("/a/<string(length=2):b>/<any(x, 'y'):c>") == (
            "/a/",
            Parameter("str"),
            "/",
            Parameter("any", ("x", "y")),
        )
        assert parse_django("a/<slug:b>/<c>/") == ("a/", Parameter("slug"), "/", Parameter("str"), "/")

    def test_give_a_bounded_number_of_samples(self) -> None:
        assert list(samples(parse_flask("/a/<any(x,y):b>"))) == ["/a/x", "/a/y"]
        assert len(list(samples(parse_starlette("/{a}/{b}/{c}/{d}/{e}/{f}")))) == 40
        assert list(samples(parse_starlette("/"))) == ["/"]
