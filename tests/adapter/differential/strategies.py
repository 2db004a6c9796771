"""Requests and applications at random: whatever HTTP/1 and PEP 3333 allow, and some of what they do not."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from tests.adapter.differential.exchange import Request

__all__ = ["conversations"]

TOKEN = "abcXYZ019-!#$%&'*+.^`|~"
_path_pieces = st.one_of(
    st.sampled_from(
        b"/ // a . .. %2F %2e % %zz %4 + %20 %00 %25 %ff %c3%a9 %e8%bd%a6 %ed%a0%80 %EF%BF%BD ;p=1".split()
    ),
    st.sampled_from([bytes([byte]) for byte in b"a:@[]\"<>\\^`{|}~&=*'(!$,"]),
    st.integers(0, 255).map(lambda byte: b"%%%02X" % byte),
    # Seldom: no server takes it, so nothing else of such a request is compared.
    st.sampled_from([b"b"] * 19 + [b"\xc3\xa9"]),
)
_path = st.lists(_path_pieces, max_size=8).map(lambda pieces: b"/" + b"".join(pieces))
_query = st.one_of(
    st.just(b""), st.just(b"?"), st.lists(_path_pieces | st.just(b"?"), max_size=6).map(lambda p: b"?" + b"".join(p))
)
_target = st.tuples(_path, _query).map(b"".join) | st.just(b"/")

_name = st.one_of(
    st.sampled_from(
        [b"X-A", b"x-a", b"Accept", b"Cookie", b"Content-Type", b"If-None-Match", b"Referer", b"Range", b"Proxy"]
    ),
    st.sampled_from(
        [b"X_A", b"X-Under_Score", b"Authorization", b"X-Forwarded-Proto", b"User-Agent", b"TE", b"X-HTTP-Host"]
    ),
    st.text(TOKEN, min_size=1, max_size=8).map(lambda text: b"X" + text.encode()),
)
_value = st.one_of(
    st.sampled_from(
        [
            b"",
            b"1",
            b"a, b",
            b'"quoted, text"',
            b"a=1; b=2",
            b"caf\xe9",
            b"\xc3\xa9",
            b"\xa0x\x85",
            b"a\tb",
            b"  padded\t ",
        ]
    ),
    st.lists(st.sampled_from([*range(0x21, 0x7F), *range(0x80, 0x100)]), max_size=12).map(bytes),
)
_headers = st.lists(st.tuples(_name, _value), max_size=6).map(tuple)

_line_text = st.lists(
    st.sampled_from([b"a", b"line", b"\n", b"\r\n", b"\r", b"\0", b"\xff", b"0\r\n\r\n"]), max_size=12
).map(b"".join)
_body = st.one_of(
    st.none(),
    st.just(b""),
    _line_text,
    st.binary(max_size=60),
    st.tuples(_line_text, st.integers(1, 6000)).map(lambda pair: pair[0] * pair[1]),
)
_sizes = st.none() | st.lists(st.integers(1, 70_000) | st.integers(1, 9), max_size=6).map(tuple)

_size = st.sampled_from([-1, 0, 1, 2, 5, 100, 70_000])
_read = st.one_of(
    st.sampled_from([["read"], ["readline"], ["readlines"], ["iterate"], ["next"], ["read", None]]),
    st.tuples(st.sampled_from(["read", "readline", "readlines"]), _size).map(list),
)
_reads = st.lists(_read, min_size=1, max_size=6).map(lambda reads: {"reads": reads})

_status = st.sampled_from(
    [
        "200 OK",
        "200 OK",
        "200",
        "201 Created",
        "204 No Content",
        "206 Partial Content",
        "301 Moved",
        "302 Found",
        "304 Not Modified",
        "404 Not Found",
        "418 I'm a teapot",
        "500 Broken",
        "503 Busy",
        "599 Who knows",
        "200 Caf\xe9",
    ]
)
_bad_status = st.sampled_from(["200 \nX: y", "", "OK"])
_good_header = st.tuples(
    st.sampled_from(["Content-Type", "content-type", "X-B", "x-b", "Location", "Set-Cookie", "ETag", "Vary", "X!b~"]),
    st.sampled_from(
        ["", "text/plain", "/next?a=%20", "a=1; Path=/", "b=2", '"tag"', "caf\xe9", "a, b", "a\tb", " a", "a\t"]
    ),
)
_random_header = st.tuples(
    st.just("X-Random"), st.text([chr(code) for code in [*range(0x21, 0x7F), *range(0xA1, 0x100)]], max_size=10)
)
# What an application must not do.
_bad_header = st.one_of(
    st.tuples(st.just("X-Bad"), st.sampled_from(["a\nb", "a\rb", "車", "\0", "a\x01b", "\x0bc\x0c", "\x7f"])),
    st.tuples(st.sampled_from(["Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade"]), st.just("close")),
)
_response_headers = st.one_of(
    *[st.lists(_good_header | _random_header, max_size=4)] * 5,
    st.lists(_good_header | _random_header | _bad_header, max_size=4),
)
_chunk = st.tuples(
    st.sampled_from(["", "x", "two words", "\xff\0", "line\n", "0\r\n\r\n"]), st.sampled_from([1, 1, 1, 3, 20_000])
)
_chunks = st.lists(_chunk, max_size=4)


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    """What "respond" does.

    ``starts``: the calls of start_response; more than one with exc_info, or without. ``lazy``: they come from the
    iteration. ``writes``: calls of write(). ``shape``, ``chunks``: the iterable. ``fail``: where an exception is raised.
    ``restart``: start_response with exc_info after the body. ``read``: the request's body is read.
    """
    starts: list[Any] = []
    for _ in range(draw(st.sampled_from([1] * 17 + [2, 2, 0]))):
        starts.append([draw(_status if draw(st.integers(0, 9)) else _bad_status), draw(_response_headers)])
    shape = draw(
        st.sampled_from(["list", "tuple", "generator", "closing", "generator", "closing", "list"] * 2 + ["none"])
    )
    writes, chunks = draw(st.just([]) | _chunks), draw(_chunks)
    whole = sum(len(text) * times for text, times in [*writes, *chunks])
    sized: bool = draw(st.booleans())
    if starts and sized:
        length = max(0, whole + draw(st.sampled_from([0, 0, 0, 0, 1, -1, 1000, -1000])))
        starts[-1][1].append(["Content-Length", draw(st.sampled_from([str(length)] * 15 + ["x"]))])
    fail = draw(
        st.none()
        | st.none()
        | st.none()
        | st.tuples(
            st.sampled_from(["call", "iteration", "iteration", "close"]),
            st.sampled_from([0, 0, 1, 2]),
            st.sampled_from(["ValueError", "KeyError", "OSError"]),
        )
    )
    return {
        "starts": starts,
        "exc_info": draw(st.booleans()),
        "lazy": not writes and shape in ("generator", "closing") and draw(st.booleans()),
        "writes": writes,
        "shape": shape,
        "chunks": chunks,
        "fail": fail,
        "restart": draw(st.sampled_from([False, False, False, True])),
        "read": draw(st.booleans()),
    }


@st.composite
def _requests(draw: st.DrawFn) -> Request:
    program = draw(st.sampled_from(["echo", "respond"]))
    body = draw(_body)
    version = draw(st.sampled_from(["1.1"] * 9 + ["1.0"]))
    return Request(
        method=draw(
            st.sampled_from(["GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "GET", "POST"])
        ),
        target=draw(_target),
        headers=draw(_headers),
        program=program,
        plan=json.dumps(draw(_reads if program == "echo" else plans())),
        body=body,
        pieces=None if body is None or version == "1.0" else draw(_sizes),
        version=version,
    )


conversations = st.lists(_requests(), min_size=1, max_size=2)
