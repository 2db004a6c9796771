"""What a request becomes in the environ, over real sockets: lines 1 to 37 of the acceptance list."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.adapter.wire.conftest import Fleet
from tests.adapter.wire_support.conforming import CONFORMING
from tests.adapter.wire_support.raw_client import Header
from tests.adapter.wire_support.servers import ServerProcess


def environ_of(
    server: ServerProcess,
    target: str | bytes = "/",
    headers: tuple[Header, ...] = (),
    method: str = "GET",
    body: bytes = b"",
    host: str = "wire.test",
) -> dict[str, Any]:
    reply = server.ask("environ", target, method=method, headers=headers, body=body, host=host)
    assert reply.status == 200, reply
    environ: dict[str, Any] = json.loads(reply.body)
    return environ


@pytest.mark.parametrize(
    ("target", "path_info", "script_name"),
    [
        pytest.param("/%E4%B8%AD", "/中".encode().decode("latin-1"), "", id="001-utf8"),
        pytest.param("/%ff", "/\xff", "", id="002-not-utf8"),
        pytest.param("/%ff%E4%B8%AD", "/\xff" + "中".encode().decode("latin-1"), "", id="002-mixed"),
        pytest.param("/a%2Fb", "/a/b", "", id="003-encoded-slash"),
        pytest.param("/a%20b%25", "/a b%", "", id="003-percent"),
        pytest.param("/", "/", "", id="005-root"),
        pytest.param("//double//slash", "//double//slash", "", id="012-double-slash"),
        pytest.param("/a/../b/./c", "/a/../b/./c", "", id="012-dots"),
    ],
)
def test_path(server: ServerProcess, target: str, path_info: str, script_name: str) -> None:
    environ = environ_of(server, target)
    assert environ["PATH_INFO"] == path_info
    assert environ["SCRIPT_NAME"] == script_name
    assert environ["REQUEST_URI"] == environ["RAW_URI"] == target


def test_013_options_asterisk(server: ServerProcess) -> None:
    assert environ_of(server, "*", method="OPTIONS")["PATH_INFO"] == "*"


def test_014_raw_bytes_in_query(server: ServerProcess) -> None:
    environ = environ_of(server, b"/?a=\xff")
    assert environ["QUERY_STRING"] == "a=\xff"


def test_014_escaped_bytes_in_query(server: ServerProcess) -> None:
    assert environ_of(server, "/p?a=%ff&b=%E4")["QUERY_STRING"] == "a=%ff&b=%E4"


def test_015_empty_query(server: ServerProcess) -> None:
    assert environ_of(server, "/?")["QUERY_STRING"] == environ_of(server, "/")["QUERY_STRING"] == ""


@pytest.mark.parametrize("method", ["PROPFIND", "PATCH", "DELETE"])
def test_017_method_is_kept(server: ServerProcess, method: str) -> None:
    assert environ_of(server, method=method)["REQUEST_METHOD"] == method


def test_017_unknown_method_is_kept(server: ServerProcess) -> None:
    assert environ_of(server, method="FROBNICATE")["REQUEST_METHOD"] == "FROBNICATE"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_018_server_protocol(server: ServerProcess, version: str) -> None:
    with server.connect() as connection:
        reply = connection.ask(headers=server.headers("environ"), version=version)
    assert json.loads(reply.body)["SERVER_PROTOCOL"] == f"HTTP/{version}"


def test_019_server_and_client_addresses(server: ServerProcess) -> None:
    with server.connect() as connection:
        own_port = connection.socket.getsockname()[1]
        environ = json.loads(connection.ask(headers=server.headers("environ")).body)
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("127.0.0.1", str(server.port))
    assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("127.0.0.1", str(own_port))


def test_024_content_headers_in_any_case(server: ServerProcess) -> None:
    headers = (("CONTENT-type", "text/x"), ("cOnTeNt-LeNgTh", "2"))
    with server.connect() as connection:
        environ = json.loads(connection.ask("POST", "/", server.headers("environ", headers=headers), b"ab").body)
    assert (environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"]) == ("text/x", "2")
    assert not {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"} & environ.keys()


def test_025_repeated_fields(server: ServerProcess) -> None:
    assert environ_of(server, headers=(("accept", "a"), ("X-Between", "1"), ("Accept", "b")))["HTTP_ACCEPT"] == "a,b"


def test_026_cookies(server: ServerProcess) -> None:
    cookies = tuple(("Cookie", f"{name}=1") for name in "abc")
    assert environ_of(server, headers=cookies)["HTTP_COOKIE"] == "a=1; b=1; c=1"


def test_027_equal_content_lengths(server: ServerProcess) -> None:
    environ = environ_of(server, method="POST", headers=(("Content-Length", "2"),), body=b"ab")
    assert environ["CONTENT_LENGTH"] == "2"


def test_027_different_content_lengths(server: ServerProcess) -> None:
    server.log.allow_noise()
    reply = server.ask("environ", method="POST", headers=(("Content-Length", "3"),), body=b"ab")
    assert reply.status == 400
    assert server.ask().body == b"hello"


def test_028_underscore_headers(server: ServerProcess, key: str) -> None:
    name = f"x_forwarded_user_{key}"
    for _ in range(2):
        environ = environ_of(server, headers=((name, "admin"), ("X-Forwarded-User", "nobody")))
        assert [value for field, value in environ.items() if "FORWARDED_USER" in field] == ["nobody"]
    log = server.log.wait_for(name)
    assert log.count(name) == 1, log


def test_029_proxy_header(server: ServerProcess) -> None:
    assert "HTTP_PROXY" not in environ_of(server, headers=(("Proxy", "http://evil.test"),))


def test_030_ten_thousand_duplicates(server: ServerProcess) -> None:
    server.log.allow_noise()
    with server.connect() as connection:
        try:
            connection.send(headers=server.headers("environ", headers=[("x-a", "1")] * 10_000))
        except ConnectionError:
            pass  # the server has answered, and closed, before it read everything
        status = connection.finish().status
    assert status in (400, 431)
    assert server.ask().body == b"hello"


def test_030_duplicates_within_the_limit_of_the_server(server: ServerProcess) -> None:
    server.log.allow_noise()
    reply = server.ask("environ", headers=[("a", "")] * 90)
    assert json.loads(reply.body)["HTTP_A"] == "," * 89
    reply = server.ask("environ", headers=[("a", "")] * 150)
    assert reply.status == 431


def test_031_latin1_header_value(server: ServerProcess) -> None:
    assert environ_of(server, headers=(("X-Name", b"caf\xe9"),))["HTTP_X_NAME"] == "caf\xe9"


def test_032_transfer_encoding_is_not_exposed(server: ServerProcess) -> None:
    with server.connect() as connection:
        headers = server.headers("environ", headers=(("Transfer-Encoding", "chunked"),))
        connection.send("POST", headers=headers)
        connection.send_chunk(b"abc")
        connection.send_chunk(b"")
        environ = json.loads(connection.finish().body)
    assert "HTTP_TRANSFER_ENCODING" not in environ
    assert environ["CONTENT_LENGTH"] == "3"


@pytest.mark.parametrize("program", CONFORMING)
def test_033_programs_pass_the_validator(sites: ServerProcess, key: str, program: str) -> None:
    method, target, body = CONFORMING[program]
    reply = sites.ask(program, target, key=key, method=method, body=body, host="validated.test")
    assert reply.complete
    assert reply.status == (500 if program == "exc_info_replaces" else 201 if program == "lazy" else 200), reply
    if program == "fails_in_close":
        sites.log.wait_for(f"Boom: in close, {key}")


def test_036_and_037_flags(server: ServerProcess, sites: ServerProcess) -> None:
    environ = environ_of(server)
    assert environ["wsgi.input_terminated"] is True
    assert environ["wsgi.multithread"] is True
    assert environ["wsgi.run_once"] is False
    assert environ_of(sites, host="narrow.test")["wsgi.multithread"] is False


# ------------------------------------------------------------------ root_path


def in_process_of(fleet: Fleet, root_path: str, target: str) -> tuple[str, str]:
    environ = environ_of(fleet.get("alone:app", root_path), target)
    return environ["SCRIPT_NAME"], environ["PATH_INFO"]


def prefix_in_request(fleet: Fleet, prefix: str) -> str:
    """What a request has to carry: uvicorn adds its root path to what it receives, the others expect it there."""
    return "" if fleet.kind.module == "uvicorn" else prefix


@pytest.mark.parametrize(
    ("rest", "path_info"),
    [
        pytest.param("/x", "/x", id="004-inside"),
        pytest.param("/x%2Fy/%E4%B8%AD", "/x/y/" + "中".encode().decode("latin-1"), id="004-escapes"),
        pytest.param("/%ff", "/\xff", id="002-not-utf8"),
        pytest.param("/", "/", id="005-slash"),
    ],
)
def test_root_path(fleet: Fleet, rest: str, path_info: str) -> None:
    assert in_process_of(fleet, "/api", prefix_in_request(fleet, "/api") + rest) == ("/api", path_info)


def test_005_path_equals_root_path(fleet: Fleet) -> None:
    # uvicorn can't be asked for the mount point without a slash: its own part of the path is never empty.
    expected = "/" if fleet.kind.module == "uvicorn" else ""
    assert in_process_of(fleet, "/api", prefix_in_request(fleet, "/api") or "/") == ("/api", expected)


def test_006_root_path_ends_at_a_segment(fleet: Fleet) -> None:
    expected = "/apiary"
    assert in_process_of(fleet, "/api", "/apiary") == ("/api", expected)


def test_007_proxy_has_stripped_the_root_path(fleet: Fleet) -> None:
    assert in_process_of(fleet, "/api", "/x") == ("/api", "/x")


def test_008_root_path_with_a_slash_at_its_end(fleet: Fleet) -> None:
    assert in_process_of(fleet, "/api/", prefix_in_request(fleet, "/api") + "/x") == ("/api", "/x")


def test_009_root_path_not_ascii(fleet: Fleet) -> None:
    script_name, path_info = in_process_of(fleet, "/中", prefix_in_request(fleet, "/%E4%B8%AD") + "/%E6%96%87")
    assert (script_name, path_info) == ("/中".encode().decode("latin-1"), "/文".encode().decode("latin-1"))


def test_010_root_path_percent_encoded(fleet: Fleet) -> None:
    target = prefix_in_request(fleet, "/%E4%B8%AD") + "/%E6%96%87"
    script_name, path_info = in_process_of(fleet, "/%E4%B8%AD", target)
    assert path_info == "/文".encode().decode("latin-1")
    assert script_name == "/中".encode().decode("latin-1")


# --------------------------------------------------------------------- mounts


@pytest.mark.parametrize(
    ("host", "target", "script_name", "path_info"),
    [
        pytest.param("starlette", "/legacy/x", "/legacy", "/x", id="004-starlette"),
        pytest.param("fastapi", "/legacy/x", "/legacy", "/x", id="004-fastapi"),
        pytest.param("starlette", "/legacy/", "/legacy", "/", id="005-slash"),
        pytest.param("starlette", "/legacy//x", "/legacy", "//x", id="012-double-slash"),
        pytest.param("starlette", "/legacy/%ff", "/legacy", "/\xff", id="002-not-utf8"),
        pytest.param("starlette", "/legacy/a%2Fb", "/legacy", "/a/b", id="003-encoded-slash"),
        pytest.param(
            "starlette",
            "/%E4%B8%AD/%E6%96%87",
            "/中".encode().decode("latin-1"),
            "/文".encode().decode("latin-1"),
            id="009-not-ascii",
        ),
        pytest.param("starlette", "/outer/inner/x", "/outer/inner", "/x", id="011-nested"),
    ],
)
def test_mounted_path(sites: ServerProcess, host: str, target: str, script_name: str, path_info: str) -> None:
    environ = environ_of(sites, target, host=f"{host}.test")
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == (script_name, path_info)
    assert environ["REQUEST_URI"] == target


@pytest.mark.parametrize("host", ["starlette", "fastapi"])
def test_native_routes_beside_the_mount(sites: ServerProcess, host: str) -> None:
    assert sites.ask(target="/native", host=f"{host}.test").body == b"native"
    assert sites.ask(target="/legacyish", host=f"{host}.test").status == 404
