"""Bytes -> text by the rules of the language, and byte offsets -> columns in code points."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiway_lint.facts.text import Columns, decode, split_lines


@pytest.mark.parametrize(
    ("source", "text"),
    [
        pytest.param(b"x = 1\n", "x = 1\n", id="ascii"),
        pytest.param("x = 'é'\n".encode(), "x = 'é'\n", id="utf-8 is the default"),
        pytest.param(codecs.BOM_UTF8 + "x = 'é'\n".encode(), "x = 'é'\n", id="a byte order mark is no text"),
        pytest.param(b"# coding: latin-1\nx = '\xe9'\n", "# coding: latin-1\nx = 'é'\n", id="a latin-1 cookie"),
        pytest.param(
            b"#!/x\n# -*- coding: cp1252 -*-\n'\x80'", "#!/x\n# -*- coding: cp1252 -*-\n'€'", id="in line two"
        ),
        pytest.param(b"x = 1\r\ny = 2\r\n", "x = 1\r\ny = 2\r\n", id="line ends stay"),
        pytest.param(b"", "", id="empty"),
    ],
)
def test_decode(source: bytes, text: str) -> None:
    assert decode(source) == text


@pytest.mark.parametrize(
    ("source", "message"),
    [
        pytest.param(b"x = 1\ny = '\xe9'\n", "line 2", id="not utf-8"),
        pytest.param(b"# coding: martian\n", "martian", id="an unknown encoding"),
        pytest.param(b"# coding: rot13\nk = 1\n", "rot13", id="a codec that is no text encoding"),
        pytest.param(codecs.BOM_UTF8 + b"# coding: latin-1\n", "utf-8", id="a cookie against the byte order mark"),
    ],
)
def test_what_is_no_text_is_said_so(source: bytes, message: str) -> None:
    with pytest.raises(SyntaxError, match=message):
        decode(source)


def test_lines_end_where_the_tokenizer_ends_them() -> None:
    assert split_lines("a\nb\r\nc\rd\x0ce\u2028f") == ["a", "b", "c", "d\x0ce\u2028f"]


@given(st.text(alphabet=st.sampled_from("aé€😀\t\x0c")), st.text(alphabet=st.sampled_from("aé€😀\n\r")))
def test_columns_count_code_points(before: str, rest: str) -> None:
    text = f"{before}{rest}"
    offset = len(before.encode())
    assert Columns(text).column(1, offset) == len(before) + 1


def test_surrogates_do_not_break_columns() -> None:
    assert Columns("x = '\ud800', y").column(1, 10) > 1
