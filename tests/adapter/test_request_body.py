"""request_body: wsgi.input over what has arrived. Numbers: acceptance lines."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiway.errors import ClientDisconnected, RequestTooLargeError
from asgiway.request_body import BodyBuffer, open_body


def arriving(messages: Iterable[bytes], **options: int) -> io.BufferedReader:
    """wsgi.input of a request whose next message comes whenever the application has to wait."""
    buffer = BodyBuffer(options.get("limit"), options.get("declared"))
    waiting = iter(list(messages))

    def wait() -> None:
        message = next(waiting, None)
        if message is None:
            buffer.feed(b"", False)
        else:
            buffer.feed(message, True)

    return open_body(buffer, wait)


MESSAGES = [b"one\ntw", b"", b"o\nthree", b"\n\nend"]
WHOLE = b"".join(MESSAGES)


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        pytest.param(lambda body: body.read(), WHOLE, id="039 read()"),
        pytest.param(lambda body: body.read(-1), WHOLE, id="039 read(-1)"),
        pytest.param(lambda body: body.read(None), WHOLE, id="039 read(None)"),
        pytest.param(lambda body: body.read(0), b"", id="039 read(0)"),
        pytest.param(lambda body: body.read(8), WHOLE[:8], id="039 read(n) over messages"),
        pytest.param(lambda body: body.read(10_000), WHOLE, id="039 read(n) beyond the end"),
        pytest.param(lambda body: (body.read(3), body.read()), (WHOLE[:3], WHOLE[3:]), id="039 read(n), read()"),
        pytest.param(lambda body: body.readline(), b"one\n", id="040 readline()"),
        pytest.param(lambda body: body.readline(2), b"on", id="040 readline(n) shorter than the line, fresh"),
        pytest.param(lambda body: body.readline(100), b"one\n", id="040 readline(n) longer than the line"),
        pytest.param(lambda body: (body.readline(), body.readline()), (b"one\n", b"two\n"), id="040 over messages"),
        pytest.param(lambda body: body.readlines(), WHOLE.splitlines(keepends=True), id="041 readlines()"),
        pytest.param(lambda body: body.readlines(5), [b"one\n", b"two\n"], id="041 readlines(hint)"),
        pytest.param(list, WHOLE.splitlines(keepends=True), id="042 iteration"),
        pytest.param(next, b"one\n", id="042 next()"),
        pytest.param(lambda body: (body.read(), body.read(), body.read(5)), (WHOLE, b"", b""), id="043 past the end"),
        pytest.param(
            lambda body: io.TextIOWrapper(body, "ascii").read(), WHOLE.decode(), id="045 io.TextIOWrapper over it"
        ),
        pytest.param(lambda body: io.BufferedReader(body.raw).read(), WHOLE, id="045 io.BufferedReader over it"),
        pytest.param(
            lambda body: (body.readable(), body.closed, body.writable()), (True, False, False), id="045 flags"
        ),
    ],
)
def test_039_to_045_reading(read: Callable[[io.BufferedReader], object], expected: object) -> None:
    assert read(arriving(MESSAGES)) == expected


def test_042_an_empty_body_has_no_lines() -> None:
    body = arriving([])
    assert (list(body), body.readlines(), body.readline()) == ([], [], b"")


def test_044_at_most_the_declared_length() -> None:
    assert arriving([b"abc", b"def"], declared=4).read() == b"abcd"


def test_043_the_declared_length_ends_the_body_without_waiting() -> None:
    buffer = BodyBuffer(declared=3)
    buffer.feed(b"abc", True)

    def wait() -> None:
        raise AssertionError("waited for a byte that is not announced")

    assert open_body(buffer, wait).read() == b"abc"


def test_046_a_broken_off_body_is_an_error_and_no_end() -> None:
    buffer = BodyBuffer()
    buffer.feed(b"abc", True)
    body = open_body(buffer, lambda: buffer.fail(ClientDisconnected("gone")))
    assert body.read(3) == b"abc"
    for _ in range(2):
        with pytest.raises(OSError, match="gone"):
            body.read()


def test_046_a_disconnect_after_the_end_does_no_harm() -> None:
    buffer = BodyBuffer()
    buffer.feed(b"abc", False)
    buffer.fail(ClientDisconnected("gone"))
    assert open_body(buffer, lambda: None).read() == b"abc"


def test_050_a_body_that_is_kept_is_joined_once() -> None:
    """Whatever its size: what has arrived is not copied when more arrives, or large uploads would cost quadratic time."""
    pieces = [bytes([number % 256]) * 1000 for number in range(2000)]
    buffer = BodyBuffer()
    for number, piece in enumerate(pieces):
        buffer.feed(piece, number + 1 < len(pieces))
    kept = list(buffer._chunks)  # pyright: ignore[reportPrivateUsage]
    assert all(mine is piece for mine, piece in zip(kept, pieces, strict=True))
    assert buffer.take_all() == b"".join(pieces)
    assert buffer.buffered == 0


def test_051_a_body_over_the_limit() -> None:
    with pytest.raises(RequestTooLargeError, match="max_body_size \\(5 bytes\\)"):
        arriving([b"abc", b"def"], limit=5).read()


@given(
    messages=st.lists(st.binary(max_size=50), max_size=10),
    reads=st.lists(st.tuples(st.sampled_from(["read", "readline", "read1"]), st.integers(-1, 60)), max_size=20),
)
def test_039_to_043_like_a_file_of_the_same_bytes(messages: list[bytes], reads: list[tuple[str, int]]) -> None:
    body, model = arriving(messages), io.BytesIO(b"".join(messages))
    for method, size in reads:
        if method == "read1":  # may return less, but only b"" at the end, and never other bytes
            got = body.read1(size)
            assert got == model.read(len(got))
            continue
        assert getattr(body, method)(size) == getattr(model, method)(size)
    assert body.read() == model.read()
