"""Positions: engine and client mean the same character, whatever the client counts and however lines end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from asgiway_lint.finding import Finding, Severity
from asgiway_lint.server.positions import Text

UNITS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
TEXTS = st.text(st.sampled_from("ab\n\r\t\f\x0b\x1c\x85\u2028é€😀🏳\u0301 "), max_size=40)
ENCODINGS = st.sampled_from(list(UNITS))


def place(line: int, character: int) -> types.Position:
    return types.Position(line, character)


def units(text: str, encoding: str) -> int:
    name, size = UNITS[encoding]
    return len(text.encode(name)) // size


def reference(text: str, offset: int, encoding: str) -> types.Position:
    """What the protocol says: lines end with LF, CRLF or CR, and the rest is counting code units."""
    before = text[:offset]
    if before.endswith("\r") and text[offset : offset + 1] == "\n":
        before = before[:-1]
    lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return place(len(lines) - 1, units(lines[-1], encoding))


@given(TEXTS, ENCODINGS, st.data())
def test_an_offset_is_where_the_protocol_has_it_and_comes_back(text: str, encoding: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(text)))
    if text[:offset].endswith("\r") and text[offset : offset + 1] == "\n":
        offset -= 1
    subject = Text(text, encoding)
    position = subject.position_at(offset)
    assert position == reference(text, offset, encoding)
    assert subject.offset(position) == offset


@given(TEXTS, ENCODINGS, st.integers(0, 9), st.integers(0, 60))
def test_no_position_is_outside_of_the_text(text: str, encoding: str, line: int, character: int) -> None:
    assert 0 <= Text(text, encoding).offset(place(line, character)) <= len(text)
    position = Text(text, encoding).position(line + 1, character + 1)
    assert Text(text, encoding).position_at(Text(text, encoding).offset(position)) == position


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 15), ("utf-16", 10), ("utf-32", 9)])
def test_what_stands_behind_an_emoji_and_an_accent(encoding: str, column: int) -> None:
    text = Text('x = "😀é€" ; f()\n', encoding)
    assert text.position(1, 10) == place(0, column)
    assert text.offset(place(0, column)) == 9


def test_a_form_feed_does_not_end_a_line() -> None:
    text = Text("a\n\x0cb\x0cc\nd", "utf-16")
    assert [text.line(number) for number in (1, 2, 3, 4)] == ["a", "\x0cb\x0cc", "d", ""]
    assert text.position_at(7) == place(2, 0)


def test_a_byte_order_mark_counts_for_the_client_only() -> None:
    text = Text("\ufefff()\ng()\n", "utf-16")
    assert text.body == "f()\ng()\n"
    assert text.position(1, 1) == place(0, 1)
    assert text.position_at(0) == place(0, 1)
    assert text.offset(place(0, 1)) == 0
    assert text.offset(place(0, 0)) == 0
    assert text.position_at(4) == place(1, 0)
    assert text.word(1, 1) == types.Range(place(0, 1), place(0, 2))


def finding(line: int, column: int, end_line: int, end_column: int) -> Finding:
    return Finding(
        path="/a.py",
        code="AW001",
        message="m",
        severity=Severity.ERROR,
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
    )


def test_a_finding_without_length_marks_what_it_points_at() -> None:
    text = Text("😀 = requests.get\n\n", "utf-16")
    assert text.range_of(finding(1, 1, 1, 2)) == types.Range(place(0, 0), place(0, 2))
    assert text.range_of(finding(1, 5, 1, 5)) == types.Range(place(0, 5), place(0, 17))
    assert text.range_of(finding(1, 3, 1, 3)) == types.Range(place(0, 3), place(0, 4))
    # The parser points behind the end of a line, or of the file.
    assert text.range_of(finding(1, 17, 1, 17)) == types.Range(place(0, 16), place(0, 17))
    assert text.range_of(finding(2, 1, 2, 1)) == types.Range(place(1, 0), place(1, 0))
    assert text.range_of(finding(9, 4, 9, 4)).end == place(2, 0)
