"""response: start_response, write() and the iterable, without threads or loops. Numbers: acceptance lines."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiway.errors import AppProtocolError, AppValueError, ResponseTruncatedError
from asgiway.response import Response, Start, encode_header, parse_status

TEXT = [("Content-Type", "text/plain")]


def _named(value: object) -> str:
    """repr(), without a memory address: a test has the same name in each run."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


class Recorder(Response):
    """Keeps what a bridge would send."""

    def __init__(self, head: bool = False) -> None:
        super().__init__(head, "the app")
        self.emitted: list[tuple[Start | None, bytes, bool]] = []

    def emit(self, start: Start | None, data: bytes, final: bool) -> None:
        self.emitted.append((start, data, final))

    @property
    def start(self) -> Start:
        starts = [start for start, _, _ in self.emitted if start is not None]
        assert len(starts) == 1
        assert self.emitted[0][0] is starts[0]
        return starts[0]

    @property
    def body(self) -> bytes:
        return b"".join(data for _, data, _ in self.emitted)

    def run(self, iterable: Any) -> Recorder:
        self.consume(iterable, lambda: False)
        return self


def started(status: str = "200 OK", headers: list[tuple[str, str]] | None = None, head: bool = False) -> Recorder:
    response = Recorder(head)
    response.start_response(status, TEXT if headers is None else headers)
    return response


def test_056_nothing_leaves_before_the_first_non_empty_piece() -> None:
    response = started()
    seen: list[int] = []

    def body() -> Iterator[bytes]:
        yield b""
        seen.append(len(response.emitted))
        yield b"x"
        seen.append(len(response.emitted))

    response.run(body())
    assert seen == [0, 1]


def test_058_a_second_call_without_exc_info_is_the_applications_error() -> None:
    response = started()
    with pytest.raises(AssertionError, match="the app called start_response\\(\\) a second time"):
        response.start_response("200 OK", [])


def test_059_exc_info_before_sending_replaces_status_and_headers() -> None:
    response = started(headers=[("X-Old", "1"), ("Content-Length", "100")])
    try:
        raise KeyError("x")
    except KeyError:
        response.start_response("500 Oops", [("X-New", "1")], sys.exc_info())
    response.run([b"sorry"])
    assert response.start == (500, [(b"x-new", b"1"), (b"content-length", b"5")])
    assert response.body == b"sorry"


def test_060_exc_info_after_sending_raises_it_in_the_application() -> None:
    response = started()
    response.write(b"x")
    error = KeyError("x")
    with pytest.raises(KeyError) as caught:
        response.start_response("500 Oops", [], (KeyError, error, None))
    assert caught.value is error


@pytest.mark.parametrize("body", [[], (), [b""], iter(()), [b"x"]], ids=_named)
def test_062_start_response_never_called(body: Any) -> None:
    with pytest.raises(AssertionError, match=r"the app .* calling start_response"):
        Recorder().run(body)


def test_063_start_response_from_within_the_generator() -> None:
    response = Recorder()

    def body() -> Iterator[bytes]:
        response.start_response("200 OK", TEXT)
        yield b"late"

    response.run(body())
    assert (response.start[0], response.body) == (200, b"late")


def test_064_write_then_iterable_in_order() -> None:
    response = Recorder()
    write = response.start_response("200 OK", TEXT)
    write(b"a")
    write(b"b")
    response.run([b"c"])
    assert response.body == b"abc"
    assert [final for _, _, final in response.emitted] == [False, False, False, True]
    assert response.start[1] == [(b"content-type", b"text/plain")]


def test_065_write_after_returning_is_the_applications_error() -> None:
    response = Recorder()
    write = response.start_response("200 OK", TEXT)

    def body() -> Iterator[bytes]:
        write(b"no")
        yield b"x"

    with pytest.raises(AppProtocolError, match="called write\\(\\) after returning"):
        response.run(body())


@pytest.mark.parametrize("status", ["200", "200 ", "200 OK", "200 Fine, Really"])
def test_066_the_reason_may_be_anything(status: str) -> None:
    assert parse_status(status) == 200


@pytest.mark.parametrize(
    "status", ["", "abc", "20", "2000", "20x OK", "\u0662\u0660\u0660 OK", "099 Low", "200 a\r\nb"]
)
def test_066_a_bad_status(status: str) -> None:
    with pytest.raises(AppValueError):
        parse_status(status)


@pytest.mark.parametrize("status", [200, None, b"200 OK", ["200"]], ids=_named)
def test_066_a_status_that_is_no_str(status: Any) -> None:
    with pytest.raises(TypeError, match="as a str such as '200 OK'"):
        parse_status(status)


@pytest.mark.parametrize("bad", [("X", 1), (1, "x"), (b"X", "x"), ("X", None), (None, "x")], ids=_named)
def test_067_headers_must_be_str(bad: Any) -> None:
    with pytest.raises(TypeError, match="header"):
        encode_header(*bad)


@pytest.mark.parametrize("bad", ["X", ("X",), ("X", "y", "z"), 3, None], ids=_named)
def test_067_headers_must_be_pairs(bad: Any) -> None:
    with pytest.raises(TypeError, match="pairs"):
        Recorder().start_response("200 OK", [bad])


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\0b", "a\r\nSet-Cookie: x"])
def test_067_no_line_breaks_in_values(value: str) -> None:
    with pytest.raises(ValueError, match="'X-A' contains a line break"):
        encode_header("X-A", value)


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\n", "é", "a\r\nb"])
def test_067_names_are_tokens(name: str) -> None:
    with pytest.raises(ValueError, match="not a valid response header name"):
        encode_header(name, "x")


def test_068_values_are_latin_1() -> None:
    assert encode_header("X-A", "\xe9") == (b"x-a", b"\xe9")
    with pytest.raises(AppValueError, match="does not fit latin-1") as caught:
        encode_header("X-A", "中")
    assert not isinstance(caught.value, UnicodeError)


def test_069_hop_by_hop_headers_are_stripped_and_noted() -> None:
    response = started(headers=[("Connection", "close"), ("X-A", "1"), ("Transfer-Encoding", "chunked")])
    response.run([b"x"])
    assert response.start[1] == [(b"x-a", b"1"), (b"content-length", b"1")]
    assert response.stripped == ["Connection", "Transfer-Encoding"]


def test_070_names_are_lower_case_and_cookies_stay_apart() -> None:
    response = started(headers=[("Set-Cookie", "a=1"), ("SET-COOKIE", "b=2"), ("Content-Length", "0")]).run([])
    assert response.start[1] == [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"content-length", b"0")]


def test_071_headers_are_copied() -> None:
    headers = [("X-A", "1")]
    response = started(headers=headers)
    headers.append(("X-B", "2"))
    response.run(iter([b"x"]))
    assert response.start[1] == [(b"x-a", b"1")]


@pytest.mark.parametrize(
    ("body", "length"), [([b"abc"], b"3"), ((b"abc",), b"3"), ([], b"0"), ([b"a", b"", b"bc"], b"3")], ids=_named
)
def test_072_and_077_a_known_body_gets_its_length_in_one_message(body: Any, length: bytes) -> None:
    response = started(headers=[]).run(body)
    assert response.emitted == [((200, [(b"content-length", length)]), b"".join(body), True)]


@pytest.mark.parametrize(("status", "head"), [("200 OK", True), ("204 No Content", False), ("304 Not Modified", False)])
@pytest.mark.parametrize(
    "body", [[b"abc"], [], iter([b"abc", b"def"]), iter(())], ids=["list", "empty", "iter", "none"]
)
def test_072_075_076_077_no_length_is_added_where_there_is_no_body(status: str, head: bool, body: Any) -> None:
    if not isinstance(body, list):
        body = iter(list(body) or [b"abc", b"def"])  # parametrised iterators are used up by their first test
    response = started(status, [], head).run(body)
    assert response.emitted == [((int(status[:3]), []), b"", True)]


def test_073_a_body_shorter_than_its_length() -> None:
    response = started(headers=[("Content-Length", "5")])
    with pytest.raises(ResponseTruncatedError, match="ended 2 bytes too early"):
        response.run(iter([b"abc"]))
    assert response.emitted[-1][2] is False


def test_074_a_body_longer_than_its_length_is_cut_and_not_asked_for_more() -> None:
    asked: list[int] = []

    def body() -> Iterator[bytes]:
        for number in range(10):
            asked.append(number)
            yield b"abc"

    response = started(headers=[("Content-Length", "5")])
    response.run(body())
    assert response.body == b"abcab"
    assert [final for _, _, final in response.emitted] == [False, True]
    assert asked == [0, 1]
    assert response.surplus


def test_074_a_generator_that_reaches_its_length_still_runs_to_its_end() -> None:
    ended: list[bool] = []

    def body() -> Iterator[bytes]:
        yield b"abc"
        ended.append(True)

    response = started(headers=[("Content-Length", "3")]).run(body())
    assert ended == [True]
    assert response.emitted == [(response.start, b"abc", True)]  # one message: nothing waits for the generator's end


@pytest.mark.parametrize("body", [[b"abcdef"], (b"abc", b"def")], ids=_named)
def test_074_a_list_is_cut_too(body: Any) -> None:
    response = started(headers=[("Content-Length", "4")]).run(body)
    assert response.body == b"abcd"
    assert response.emitted[-1][2]


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified", "103 Early Hints"])
def test_075_content_length_is_removed_where_there_is_no_body(status: str) -> None:
    length = [("Content-Length", "3")]
    assert started(status, length).run([b"abc"]).emitted == [((int(status[:3]), []), b"", True)]


def test_076_head_keeps_the_length_of_get_and_asks_for_no_more_body() -> None:
    asked: list[int] = []

    def body() -> Iterator[bytes]:
        for number in range(10):
            asked.append(number)
            yield b"abc"

    response = started(headers=[("Content-Length", "30")], head=True).run(body())
    assert response.emitted == [((200, [(b"content-length", b"30")]), b"", True)]
    assert asked == [0]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (["str"], "str, not bytes; encode it first"),
        ([""], "str, not bytes"),
        ([1], "int, not bytes"),
        (iter([b"a", "b"]), "str, not bytes"),
        ([None], "NoneType, not bytes"),
        (b"abc", "returned bytes, not an iterable of bytes"),
        ("abc", "returned str, not an iterable"),
        (None, "returned None instead of an iterable"),
    ],
    ids=_named,
)
def test_078_what_is_no_bytes_is_named(body: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        started().run(body)


@pytest.mark.parametrize("chunk", [bytearray(b"abc"), memoryview(b"abc"), memoryview(b"a1b1c1")[::2]], ids=_named)
def test_079_other_bytes_are_copied(chunk: Any) -> None:
    assert started().run([chunk]).body == b"abc"
    assert started().run(iter([chunk])).body == b"abc"


def test_a_call_with_a_bad_header_changes_nothing() -> None:
    response = Recorder()
    with pytest.raises(AppValueError):
        response.start_response("200 OK", [("X-A", "1"), ("X-B", "a\nb")])
    response.start_response("404 Not Found", [])
    response.run([b"x"])
    assert response.start == (404, [(b"content-length", b"1")])


@pytest.mark.parametrize("lengths", [["x"], ["1", "2"], ["-1"], ["\u0663"]], ids=_named)
def test_content_length_of_a_response_must_make_sense(lengths: list[str]) -> None:
    with pytest.raises(AppValueError):
        Recorder().start_response("200 OK", [("Content-Length", length) for length in lengths])


@given(
    chunks=st.lists(st.binary(max_size=20), max_size=20), declared=st.none() | st.integers(0, 100), head=st.booleans()
)
def test_whatever_the_pieces_the_messages_are_legal(chunks: list[bytes], declared: int | None, head: bool) -> None:
    headers = [] if declared is None else [("Content-Length", str(declared))]
    whole = b"".join(chunks)
    for body in (list(chunks), iter(chunks)):
        response = started(headers=headers, head=head)
        try:
            response.run(body)
        except ResponseTruncatedError:
            assert declared is not None
            assert len(whole) < declared
            assert not response.emitted[-1][2]
            assert response.body == whole
            continue
        assert response.start[0] == 200
        assert [final for _, _, final in response.emitted].count(True) == 1
        assert response.emitted[-1][2]
        assert response.body == (b"" if head else whole if declared is None else whole[:declared])
