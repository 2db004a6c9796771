"""Comments are found as the tokenizer finds them, also where it would give up."""

from __future__ import annotations

import io
import sys
import sysconfig
import tokenize
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgiway_lint.comments import find_comments


def texts(source: str) -> list[str]:
    return [comment.text for comment in find_comments(source)]


def by_tokenize(path: Path) -> tuple[str, list[tuple[str, int, int]]] | None:
    data = path.read_bytes()
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        source = data.decode(encoding).removeprefix("\ufeff")
        tokens = list(tokenize.tokenize(io.BytesIO(data).readline))
    except (SyntaxError, ValueError, tokenize.TokenError):
        return None  # lib2to3's and test's broken samples
    return source, [(t.string, t.start[0], t.start[1] + 1) for t in tokens if t.type == tokenize.COMMENT]


def standard_library(step: int) -> list[Path]:
    return sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py"))[::step]


def assert_same_as_tokenize(paths: list[Path], at_least: int) -> None:
    compared = 0
    for path in paths:
        if (expected := by_tokenize(path)) is not None:
            source, comments = expected
            assert [(c.text, c.line, c.column) for c in find_comments(source)] == comments, path
            compared += 1
    assert compared >= at_least


def test_same_comments_as_the_tokenizer_on_the_standard_library() -> None:
    assert_same_as_tokenize(standard_library(25), at_least=40)


@pytest.mark.long
def test_same_comments_as_the_tokenizer_on_everything_installed() -> None:
    installed = sorted(Path(sysconfig.get_path("purelib")).rglob("*.py"))
    assert_same_as_tokenize([*standard_library(1), *installed], at_least=1000)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("x = 1  # a\n# b\n", ["# a", "# b"], id="after code and alone"),
        pytest.param("x = '# no'\ny = \"# no\"  # yes", ["# yes"], id="inside strings"),
        pytest.param('"""\n# no\n"""  # yes', ["# yes"], id="inside a docstring"),
        pytest.param(r"x = 'it\'s # no'  # yes", ["# yes"], id="escaped quote"),
        pytest.param(r"x = r'\'  # no'  # yes", ["# yes"], id="a backslash keeps a quote also in a raw string"),
        pytest.param("x = 'a\\\n# no'  # yes", ["# yes"], id="continued string"),
        pytest.param("x = ''  # yes", ["# yes"], id="empty string"),
        pytest.param("x = ''''''  # yes", ["# yes"], id="empty long string"),
        pytest.param("f'{\"# no\"}'  # yes", ["# yes"], id="string in a field"),
        pytest.param("f'{'# no'}'  # yes", ["# yes"], id="PEP 701: the same quotes in a field"),
        pytest.param("f'{x['a']:{'>'}{'# no'}}'  # yes", ["# yes"], id="PEP 701: nested in a format specification"),
        pytest.param("f'{x:# no}'  # yes", ["# yes"], id="hash in a format specification"),
        pytest.param("f'{x:'  # no\n# yes", ["# no", "# yes"], id="field without end"),
        pytest.param("f'''{\n  x  # yes\n}'''", ["# yes"], id="PEP 701: a comment in a field"),
        pytest.param("f'a}'  # yes", ["# yes"], id="a lone brace"),
        pytest.param("f'open  # no\n# yes", ["# yes"], id="unclosed f-string ends with its line"),
        pytest.param("f'''{x:'>10} {y:\n}'''  # yes", ["# yes"], id="quotes and line ends in a format specification"),
        pytest.param("f'{x:\\t}'  # yes", ["# yes"], id="escape in a format specification"),
        pytest.param("f'{{# no}}'  # yes", ["# yes"], id="doubled braces"),
        pytest.param("f'{f'{f'{1}'}'}'  # yes", ["# yes"], id="f-strings in f-strings"),
        pytest.param("rf'\\{x}'  # yes", ["# yes"], id="backslash before a field"),
        pytest.param("f'\\N{HASH # no}'  # yes", ["# yes"], id="named character"),
        pytest.param("f'{d[\"a\"]!r}'  # yes", ["# yes"], id="conversion"),
        pytest.param("f'{ {1: 2}[1] }'  # yes", ["# yes"], id="dictionary in a field"),
        pytest.param("t'{'# no'}'  # yes", ["# yes"], id="template string"),
        pytest.param("x = 'never closed  # no\ny = 1  # yes", ["# yes"], id="unclosed string ends with its line"),
        pytest.param("'''never closed\n# no", [], id="unclosed long string ends with the file"),
        pytest.param("def f(:\n    pass  # yes", ["# yes"], id="syntax error"),
        pytest.param("\tx = (  # one\n  ]  # two", ["# one", "# two"], id="unbalanced brackets, odd indentation"),
        pytest.param("x = 1  # a\r\ny = 2  # b\r", ["# a", "# b"], id="CRLF and CR"),
        pytest.param("x = 1  # a\x0cb\u2028c\n", ["# a\x0cb\u2028c"], id="form feed and U+2028 end no line"),
    ],
)
def test_what_is_a_comment(source: str, expected: list[str]) -> None:
    assert texts(source) == expected


def test_places_are_in_code_points() -> None:
    (comment,) = find_comments("\n'日本' # x")
    assert (comment.line, comment.column, comment.own_line) == (2, 6, False)


@pytest.mark.parametrize("source", ["f'{" * 3000, "f'''{" * 3000, "f'{'{" * 3000, "f'{x:{" * 3000, "f'{\n" * 3000])
def test_half_typed_f_strings_end_in_time_and_in_no_error(source: str) -> None:
    assert texts(source + "\n# the end")[-1:] in ([], ["# the end"])


@settings(max_examples=300)
@given(st.text(alphabet="fr'\"{}[]():!#\\\n xN", max_size=60))
def test_any_text_has_comments_that_are_in_it(source: str) -> None:
    for comment in find_comments(source):
        line = source.split("\n")[comment.line - 1]
        assert line[comment.column - 1 :] == comment.text
        assert comment.text.startswith("#")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the tokenizer knows PEP 701 from 3.12 on")
@given(st.text(alphabet="fr'\"{}[]():!#\\ xN", max_size=20))
def test_valid_expressions_are_read_as_the_tokenizer_reads_them(text: str) -> None:
    source = f"({text}\n)  # end\n"
    try:
        compile(source, "<test>", "eval")
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (SyntaxError, ValueError, tokenize.TokenError):
        return
    assert texts(source) == [t.string for t in tokens if t.type == tokenize.COMMENT]
