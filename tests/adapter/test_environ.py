"""environ: ASGI scope -> WSGI environ, without a server. Numbers are the lines of the acceptance list."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiway.environ import MAX_REPEATED_FIELDS, EnvironBuilder, content_length, split_path
from asgiway.errors import BadRequestError


def scope(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": None,
        "query_string": b"",
        "root_path": "",
        "headers": [],
        "client": ("127.0.0.1", 1234),
        "server": ("127.0.0.1", 8000),
    }
    return base | changes


def environ(**changes: Any) -> dict[str, Any]:
    return EnvironBuilder({}).build(scope(**changes))[0]


@pytest.mark.parametrize(
    ("path", "root_path", "raw_path", "expected"),
    [
        pytest.param("/中", "", b"/%E4%B8%AD", ("", "/\xe4\xb8\xad"), id="001 utf-8 bytes as latin-1"),
        pytest.param("/\ufffd", "", b"/%ff", ("", "/\xff"), id="002 bytes that are no utf-8 survive"),
        pytest.param("/a\ufffd", "/r", b"/r/a%ff", ("/r", "/a\xff"), id="002 a path without the root of raw_path"),
        pytest.param("/r/a\ufffd", "/r", b"/r/a%ff", ("/r", "/a\xff"), id="002 raw_path with the root in front"),
        pytest.param("/admin\ufffd", "", b"/public%ff", ("", "/admin\xef\xbf\xbd"), id="002 a rewritten path wins"),
        pytest.param("/a/b", "", b"/a%2Fb", ("", "/a/b"), id="003 an encoded slash"),
        pytest.param("/api/x", "/api", None, ("/api", "/x"), id="004 root_path"),
        pytest.param("/api", "/api", None, ("/api", ""), id="005 the mount point itself"),
        pytest.param("/apiary", "/api", None, ("/api", "/apiary"), id="006 segment boundary"),
        pytest.param("/x", "/api", None, ("/api", "/x"), id="007 a path without its root"),
        pytest.param("/api/x", "/api/", None, ("/api", "/x"), id="008 trailing slash"),
        pytest.param("/api//x", "/api/", b"/api//x", ("/api", "/x"), id="008 put in front with its slash"),
        pytest.param("/api//x", "/api", b"/api//x", ("/api", "//x"), id="012 slashes of the client stay"),
        pytest.param(
            "/%E4%B8%AD/文", "/%E4%B8%AD", None, ("/\xe4\xb8\xad", "/\xe6\x96\x87"), id="010 put in front encoded"
        ),
        pytest.param("/中/文", "/中", None, ("/\xe4\xb8\xad", "/\xe6\x96\x87"), id="009 both encoded"),
        pytest.param("/a b/x", "/a%20b", b"/a%20b/x", ("/a b", "/x"), id="010 encoded root_path"),
        pytest.param("/é/\ufffd", "/é", b"/%C3%A9/%ff", ("/\xc3\xa9", "/\xff"), id="010 stripped after decoding"),
        pytest.param("/a/b/x", "/a/b", None, ("/a/b", "/x"), id="011 nested mounts"),
        pytest.param("//double//slash", "", None, ("", "//double//slash"), id="012 slashes kept"),
        pytest.param("*", "", b"*", ("", "*"), id="013 asterisk form"),
        pytest.param("", "", b"", ("", "/"), id="PEP: one of the two is not empty"),
        pytest.param("/x", "/", None, ("", "/x"), id="008 root_path of a slash"),
        pytest.param("/api/x", "api", None, ("/api", "/x"), id="008 root_path without its slash"),
    ],
)
def test_001_to_013_script_name_and_path_info(
    path: str, root_path: str, raw_path: bytes | None, expected: tuple[str, str]
) -> None:
    assert split_path(path, root_path, raw_path) == expected
    built = environ(path=path, root_path=root_path, raw_path=raw_path)
    assert (built["SCRIPT_NAME"], built["PATH_INFO"]) == expected


def test_003_the_undecoded_path_is_kept_in_request_uri() -> None:
    built = environ(path="/a/b", raw_path=b"/a%2Fb", query_string=b"q=%20")
    assert built["REQUEST_URI"] == built["RAW_URI"] == "/a%2Fb?q=%20"
    assert environ(path="/a b")["REQUEST_URI"] == "/a%20b"


def test_014_and_015_query_string() -> None:
    assert environ(query_string=b"a=\xff")["QUERY_STRING"] == "a=\xff"
    assert environ()["QUERY_STRING"] == ""


def test_016_the_process_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPT_NAME", "/wrong")
    assert environ(path="/x")["SCRIPT_NAME"] == ""


def test_017_and_018_method_and_protocol() -> None:
    built = environ(method="PROPFIND", http_version="2")
    assert (built["REQUEST_METHOD"], built["SERVER_PROTOCOL"]) == ("PROPFIND", "HTTP/2")
    assert environ()["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert environ(http_version="1")["SERVER_PROTOCOL"] == "HTTP/1.0"


@pytest.mark.parametrize(
    ("server", "scheme", "host", "expected"),
    [
        (None, "http", None, ("localhost", "80")),
        (None, "https", None, ("localhost", "443")),
        (None, "http", b"shop.example:81", ("shop.example", "81")),
        (None, "https", b"[::1]:8443", ("::1", "8443")),
        (None, "http", b"[::1]", ("::1", "80")),
        (None, "http", b"evil:port", ("evil", "80")),
        (("/run/x.sock", None), "http", b"shop.example", ("shop.example", "80")),
        (("/run/x.sock", None), "https", None, ("localhost", "443")),
        (("/run/x.sock", "0"), "http", b"shop.example:81", ("shop.example", "81")),
        (("::1", 8000), "http", b"shop.example", ("::1", "8000")),
    ],
)
def test_019_and_020_server_is_never_empty(
    server: Any, scheme: str, host: bytes | None, expected: tuple[str, str]
) -> None:
    headers = [(b"host", host)] if host is not None else []
    built = environ(server=server, scheme=scheme, headers=headers)
    assert (built["SERVER_NAME"], built["SERVER_PORT"]) == expected


def test_021_and_022_client() -> None:
    assert "REMOTE_ADDR" not in environ(client=None)
    assert not {"REMOTE_ADDR", "REMOTE_PORT"} & environ(client=("", "0")).keys()
    built = environ(client=("::1", 4711))
    assert (built["REMOTE_ADDR"], built["REMOTE_PORT"]) == ("::1", "4711")


@pytest.mark.parametrize(
    ("scheme", "expected"), [("http", "http"), ("https", "https"), ("ws", "http"), ("wss", "https")]
)
def test_023_url_scheme_is_http_or_https(scheme: str, expected: str) -> None:
    assert environ(scheme=scheme)["wsgi.url_scheme"] == expected


def test_024_content_headers_in_any_case() -> None:
    built = environ(headers=[(b"Content-TYPE", b"text/plain"), (b"CONTENT-length", b"3")])
    assert (built["CONTENT_TYPE"], built["CONTENT_LENGTH"]) == ("text/plain", "3")
    assert not [key for key in built if key.startswith("HTTP_")]


def test_025_and_026_repeated_fields() -> None:
    built = environ(
        headers=[(b"accept", b"a"), (b"cookie", b"x=1"), (b"Accept", b"b"), (b"cookie", b"y=2"), (b"cookie", b"z=3")]
    )
    assert built["HTTP_ACCEPT"] == "a,b"
    assert built["HTTP_COOKIE"] == "x=1; y=2; z=3"


def test_026_cookies_in_fields_of_their_own_may_be_many() -> None:
    """Browsers send each cookie in a field of its own over HTTP/2 (RFC 9113, 8.2.3), and may have 180 of a site."""
    built = environ(http_version="2", headers=[(b"cookie", b"c%d=1" % number) for number in range(300)])
    assert built["HTTP_COOKIE"] == "; ".join(f"c{number}=1" for number in range(300))


def test_027_repeated_content_length() -> None:
    assert environ(headers=[(b"content-length", b"3")] * 2)["CONTENT_LENGTH"] == "3"
    with pytest.raises(BadRequestError, match="contradicting Content-Length fields: 3, 4") as caught:
        environ(headers=[(b"content-length", b"3"), (b"content-length", b"4")])
    assert caught.value.status_hint == 400


@pytest.mark.parametrize("value", ["", "+3", "-1", "1_0", "0x3", "3.0", "\u0663", " 3", "9" * 19])
def test_027_content_length_is_a_decimal_number(value: str) -> None:
    with pytest.raises(BadRequestError):
        content_length(value)


def test_028_underscores_are_dropped_and_told_once() -> None:
    told: list[str] = []
    builder = EnvironBuilder({}, told.append)
    for _ in range(2):
        built, _chunked = builder.build(scope(headers=[(b"x_forwarded_user", b"evil"), (b"x-forwarded-user", b"good")]))
        assert built["HTTP_X_FORWARDED_USER"] == "good"
    assert told == ["x_forwarded_user"]


def test_028_underscores_can_be_refused() -> None:
    builder = EnvironBuilder({}, pytest.fail, "refuse")
    for _ in range(2):  # the table of names has it the second time
        with pytest.raises(BadRequestError, match="'x_forwarded_user' has an underscore in its name") as caught:
            builder.build(scope(headers=[(b"x_forwarded_user", b"evil")]))
        assert caught.value.status_hint == 400
    assert builder.build(scope(headers=[(b"x-a", b"1")]))[0]["HTTP_X_A"] == "1"


def test_028_underscores_can_be_allowed() -> None:
    builder = EnvironBuilder({}, pytest.fail, "allow")
    headers = [(b"x_user", b"one"), (b"x-user", b"two"), (b"transfer_encoding", b"chunked"), (b"content_length", b"7")]
    built, chunked = builder.build(scope(headers=headers))
    assert built["HTTP_X_USER"] == "one,two"
    assert not chunked  # it is another field, and must not become the one that frames the body
    assert not {"HTTP_TRANSFER_ENCODING", "CONTENT_LENGTH"} & built.keys()


def test_029_and_032_proxy_and_transfer_encoding_are_never_exposed() -> None:
    built, chunked = EnvironBuilder({}).build(
        scope(headers=[(b"Proxy", b"http://evil"), (b"Transfer-Encoding", b"chunked")])
    )
    assert "HTTP_PROXY" not in built
    assert "HTTP_TRANSFER_ENCODING" not in built
    assert chunked
    assert not EnvironBuilder({}).build(scope())[1]


def test_030_many_repeated_headers_are_refused() -> None:
    with pytest.raises(BadRequestError, match="'x-a' repeats more than") as caught:
        environ(headers=[(b"x-a", b"1")] * 10_000)
    assert caught.value.status_hint == 431
    allowed = environ(headers=[(b"x-a", b"1")] * MAX_REPEATED_FIELDS)
    assert allowed["HTTP_X_A"].count("1") == MAX_REPEATED_FIELDS


def test_030_the_table_of_names_is_bounded() -> None:
    builder = EnvironBuilder({})
    for number in range(3000):
        built, _chunked = builder.build(scope(headers=[(b"x-%d" % number, b"v")]))
        assert built[f"HTTP_X_{number}"] == "v"
    assert len(builder._keys) <= 1024  # pyright: ignore[reportPrivateUsage]


def test_031_header_values_are_latin_1() -> None:
    assert environ(headers=[(b"x-name", b"\xe9")])["HTTP_X_NAME"] == "\xe9"


def test_034_and_038_a_plain_fresh_dict_with_the_scope() -> None:
    builder = EnvironBuilder({"wsgi.errors": None})
    request = scope()
    first, _ = builder.build(request)
    second, _ = builder.build(request)
    assert type(first) is dict
    first["changed"] = True
    assert "changed" not in second
    assert second["asgi.scope"] is request
    assert second["wsgi.input_terminated"] is True  # line 37


@given(path=st.text(), root=st.text(), raw=st.one_of(st.none(), st.binary()))
def test_any_path_gives_latin_1_text(path: str, root: str, raw: bytes | None) -> None:
    script, info = split_path(path, root, raw)
    (script + info).encode("latin-1")
    assert script == "" or script.startswith("/")
    assert not script.endswith("/")
    assert info == "" or info == path or info.startswith("/") or not path.startswith("/")


@given(st.binary())
def test_002_every_path_of_bytes_is_lossless(raw: bytes) -> None:
    encoded = "/" + quote(raw, safe="")
    script, info = split_path(unquote(encoded), "", encoded.encode())
    assert (script, info.encode("latin-1")) == ("", b"/" + raw)


@given(st.lists(st.tuples(st.binary(min_size=1), st.binary()), max_size=50))
def test_any_headers_give_str_values(headers: list[tuple[bytes, bytes]]) -> None:
    try:
        built, _ = EnvironBuilder({}).build(scope(headers=headers))
    except BadRequestError:
        assert len({value for name, value in headers if name.lower() == b"content-length"}) > 1
        return
    assert all(isinstance(value, str) for key, value in built.items() if key.isupper())
