"""The adapter mounted inside the middleware that people use: line 100 of the acceptance list."""

from __future__ import annotations

import gzip
import json

import pytest

from tests.adapter.wire_support.raw_client import RawConnection
from tests.adapter.wire_support.servers import ServerProcess

SITES = ["base-http", "gzip", "cors", "session"]
ORIGIN = ("Origin", "https://other.test")
GZIP = ("Accept-Encoding", "gzip")


@pytest.mark.parametrize("site", SITES)
def test_100_ordinary_request(sites: ServerProcess, site: str) -> None:
    body = b"some body " * 1000
    headers = (ORIGIN, GZIP)
    reply = sites.ask("echo", "/legacy/x", method="POST", headers=headers, body=body, host=f"{site}.test")
    assert (reply.status, reply.complete) == (200, True)
    if site == "gzip":
        assert reply.get("content-encoding") == "gzip"
        assert gzip.decompress(reply.body) == body
    else:
        assert reply.body == body
    if site == "cors":
        assert reply.get("access-control-allow-origin") == "https://other.test"
    if site == "base-http":
        assert reply.get("x-passed") == "base-http"


@pytest.mark.parametrize("site", SITES)
def test_100_two_cookies_and_environ(sites: ServerProcess, site: str) -> None:
    reply = sites.ask("cookies_and_case", "/legacy/", host=f"{site}.test")
    assert reply.all("set-cookie")[:2] == ["a=1", "b=2; Path=/"]
    environ = json.loads(sites.ask("environ", "/legacy/a%2Fb", host=f"{site}.test").body)
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/legacy", "/a/b")


@pytest.mark.parametrize("site", SITES)
def test_100_empty_responses(sites: ServerProcess, site: str) -> None:
    for target, method in (("/legacy/empty-list?204", "GET"), ("/legacy/list", "HEAD"), ("/legacy/list?304", "GET")):
        reply = sites.ask("returns", target, method=method, headers=(GZIP,), host=f"{site}.test")
        assert (reply.complete, reply.body) == (True, b""), (target, reply)


@pytest.mark.parametrize("site", SITES)
def test_100_events_arrive_one_by_one(sites: ServerProcess, key: str, site: str) -> None:
    with sites.connect() as connection:
        connection.send(target="/legacy/", headers=sites.headers("events", key, (ORIGIN, GZIP)), host=f"{site}.test")
        expected = b""
        for number in range(3):
            if number:
                sites.control.release(key, str(number))
            expected += b"data: %d\n\n" % number
            assert connection.body_until(len(expected)) == expected
        assert connection.finish().complete


@pytest.mark.parametrize("site", SITES)
def test_100_client_leaves(sites: ServerProcess, key: str, site: str) -> None:
    connection: RawConnection
    with sites.connect() as connection:
        connection.send(target="/legacy/", headers=sites.headers("endless_ticks", key), host=f"{site}.test")
        connection.body_until(10)
    assert sites.control.wait(key, "closed") == ["same thread"]
    sites.wait_for_pool(site, in_flight=0)


@pytest.mark.parametrize("site", SITES)
def test_100_client_leaves_an_application_blocked_in_send(sites: ServerProcess, key: str, site: str) -> None:
    with sites.connect(receive_buffer=64 * 1024) as connection:
        connection.send(target="/legacy/", headers=sites.headers("endless", key), host=f"{site}.test")
        sites.settled(key, "yielded")
    assert sites.control.wait(key, "closed") == ["same thread"]
    sites.wait_for_pool(site, in_flight=0)


@pytest.mark.parametrize("site", SITES)
def test_100_failure_before_the_start(sites: ServerProcess, key: str, site: str) -> None:
    reply = sites.ask("fails_at_once", "/legacy/?Boom", key=key, host=f"{site}.test")
    assert reply.status == 500
    sites.log.wait_for(f"Boom: at once, {key}")
    sites.wait_for_pool(site, in_flight=0)


@pytest.mark.parametrize("site", SITES)
def test_100_failure_after_the_start(sites: ServerProcess, key: str, site: str) -> None:
    reply = sites.ask("fails_in_the_middle", "/legacy/?Boom", key=key, host=f"{site}.test")
    sites.log.wait_for(f"Boom: in the middle, {key}")
    sites.wait_for_pool(site, in_flight=0)
    assert (reply.status, reply.complete) == (200, False)


def test_100_cors_preflight_does_not_reach_the_application(sites: ServerProcess, key: str) -> None:
    headers = sites.headers("hold", key, (ORIGIN, ("Access-Control-Request-Method", "GET")))
    with sites.connect() as connection:
        reply = connection.ask("OPTIONS", "/legacy/", headers, host="cors.test")
    assert reply.status == 200
    assert sites.control.values(key, "entered") == []
