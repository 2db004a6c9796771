"""Which URLs Flask has, and when its map is not the whole truth."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Rule

from asgiway.migration.legacy_routes import LegacyMap, legacy_map
from asgiway.migration.matching import probe
from tests.adapter.migration.sites import flask_site


def known(app: Any) -> LegacyMap:
    found = legacy_map(app)
    assert found is not None
    return found


def knows(app: Any, *paths: str, host: str = "") -> list[bool]:
    return [known(app).knows(probe("GET", path, host)) for path in paths]


def test_what_has_a_rule_for_any_method() -> None:
    app = flask_site(("/get", "get"), ("/post", "post", ("POST",)), ("/i/<int:id>", "i"))
    assert knows(app, "/get", "/post", "/i/1", "/i/x", "/get/", "/") == [True, True, True, False, False, False]


def test_what_redirects_counts() -> None:
    app = flask_site(("/a/", "a"))
    app.url_map.add(Rule("/old", endpoint="old", redirect_to="/new"))
    assert knows(app, "/a", "/a/", "/old", "//a/") == [True, True, True, True]  # merge_slashes


def test_a_catch_all_has_everything() -> None:
    assert knows(flask_site(("/<path:rest>", "rest")), "/a/b") == [True]


def test_a_websocket_rule_counts_as_a_url() -> None:
    app = flask_site()
    app.url_map.add(Rule("/ws", endpoint="ws", websocket=True))
    assert knows(app, "/ws") == [True]
    assert known(app).routes() == []


def test_rules_that_are_added_later_count() -> None:
    app = flask_site()
    urls = known(app)
    assert not urls.knows(probe("GET", "/late"))
    app.add_url_rule("/late", "late", lambda: "")
    assert urls.knows(probe("GET", "/late"))


def test_the_mount_point_is_no_part_of_the_path() -> None:
    urls = known(flask_site(("/x", "x")))
    assert urls.knows({**probe("GET", "/app/x"), "root_path": "/app"})
    assert not urls.knows(probe("GET", "/app/x"))


def test_a_path_that_is_no_ascii() -> None:
    assert knows(flask_site(("/grün", "g")), "/grün", "/rot") == [True, False]


def test_host_matching() -> None:
    app = Flask("legacy", static_folder=None, host_matching=True)
    app.add_url_rule("/x", "x", lambda: "", host="a.test")
    assert known(app).complete
    assert knows(app, "/x", host="a.test") == [True]
    assert knows(app, "/x", host="b.test") == [False]
    assert known(app).routes()[0].host == "a.test"
    app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]
    assert not known(app).complete


def test_subdomain_matching() -> None:
    app = Flask("legacy", static_folder=None, subdomain_matching=True)
    app.config["SERVER_NAME"] = "shop.test"
    app.add_url_rule("/x", "x", lambda: "", subdomain="api")
    assert knows(app, "/x", host="api.shop.test") == [True]
    assert knows(app, "/x", host="shop.test") == [False]
    assert known(app).routes()[0].host == "api.shop.test"


def test_a_host_that_is_not_trusted_is_for_flask_to_refuse() -> None:
    app = flask_site()
    app.config["TRUSTED_HOSTS"] = ["shop.test"]
    assert knows(app, "/none", host="evil.test") == [True]
    assert knows(app, "/none", host="shop.test") == [False]


class TestWhetherTheMapIsTheWholeTruth:
    def test_of_a_flask(self) -> None:
        app = flask_site()
        assert known(app).complete
        assert known(app.wsgi_app).complete

    def test_behind_proxy_fix(self) -> None:
        app = flask_site()
        assert known(ProxyFix(app)).complete
        app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]
        assert known(app).complete

    def test_behind_middleware_that_may_answer(self) -> None:
        app = flask_site()
        assert not known(DispatcherMiddleware(app, {"/other": app})).complete
        app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {})  # type: ignore[method-assign]
        assert not known(app).complete

    def test_of_a_subclass(self) -> None:
        class Quiet(Flask):
            pass

        class Answering(Flask):
            def __call__(self, environ: Any, start_response: Any) -> Any:
                raise AssertionError

        assert known(Quiet("quiet")).complete
        assert not known(Answering("answering")).complete

    @pytest.mark.parametrize("app", [lambda environ, start_response: [], object()])
    def test_of_something_else(self, app: Any) -> None:
        assert legacy_map(app) is None
