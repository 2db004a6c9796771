"""`# noqa` and `# asgiway-lint: noqa`: what is a directive, what it silences, when it is unused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiway_lint.finding import Finding, Severity
from asgiway_lint.suppress import apply, find_directives


def finding(code: str, line: int, end_line: int | None = None) -> Finding:
    return Finding(
        path="/p/a.py",
        code=code,
        message="m",
        severity=Severity.ERROR,
        line=line,
        column=1,
        end_line=end_line or line,
        end_column=2,
    )


def codes_in(comment: str) -> list[tuple[str, ...]]:
    return [directive.codes for directive in find_directives(f"x = 1  {comment}\n")]


@pytest.mark.parametrize(
    ("comment", "codes"),
    [
        pytest.param("# noqa", (), id="blanket"),
        pytest.param("#noqa", (), id="without a space"),
        pytest.param("# NoQA", (), id="in any case"),
        pytest.param("# noqa words that follow", (), id="with words behind it"),
        pytest.param("# noqa: AW102", ("AW102",), id="one code"),
        pytest.param("# noqa:AW102", ("AW102",), id="without a space before the code"),
        pytest.param("# noqa : AW102", ("AW102",), id="with a space before the colon"),
        pytest.param("# noqa: aw102", ("AW102",), id="lower case"),
        pytest.param("# noqa: AW102, E501", ("AW102", "E501"), id="another tool's code beside ours"),
        pytest.param("# noqa: AW102 E501", ("AW102", "E501"), id="codes separated by spaces"),
        pytest.param("# noqa: AW102,AW102", ("AW102",), id="the same code twice"),
        pytest.param("# noqa: AW102 until the client is ported", ("AW102",), id="a reason behind the code"),
        pytest.param("# pragma: no cover # noqa: AW102", ("AW102",), id="behind another comment"),
        pytest.param("# type: ignore[x]  # noqa", (), id="behind a type comment"),
        pytest.param("# noqa: AW101 # noqa: AW102", ("AW101",), id="the first one of a comment counts"),
        pytest.param("# noqa: AW1", ("AW1",), id="a prefix is a (foreign) code, and matches nothing"),
    ],
)
def test_line_directive(comment: str, codes: tuple[str, ...]) -> None:
    assert codes_in(comment) == [codes]


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: because",
        "# noqa:",
        "# noqa: blocking-http",
        "# noqa-foo",
        "# noqaAW102",
        "# noqa, AW102",
        "# no qa",
        "# see noqa",
        "# flake8: noqa",
        "# ruff: noqa: AW102",
        "# asgiway-lint: noqa",
    ],
)
def test_no_directive_on_a_line_of_code(comment: str) -> None:
    """A colon promises codes; other tools' file-level directives are theirs; ours stands on a line of its own."""
    assert codes_in(comment) == []


def test_text_in_strings_is_no_directive() -> None:
    source = 'x = "# noqa"\ny = """\n# asgiway-lint: noqa\nrequests.get(u)  # noqa: AW102\n"""\n'
    assert find_directives(source) == ()


def test_file_level_directive() -> None:
    (blanket,) = find_directives("import x\n\n  # asgiway-lint: noqa\n")
    assert (blanket.file_level, blanket.codes, blanket.line) == (True, (), 3)
    (coded,) = find_directives("#asgiway-lint:noqa: AW102,AW108\n")
    assert (coded.file_level, coded.codes) == (True, ("AW102", "AW108"))


def test_place_of_a_directive() -> None:
    (directive,) = find_directives("é = 1  # why # noqa: AW102, E501 and more\n")
    assert (directive.line, directive.column, directive.end_column) == (1, 14, 33)


def test_directives_of_a_file_with_a_syntax_error_are_found() -> None:
    assert [d.line for d in find_directives("def f(:\n    x = 'open\n    g()  # noqa\n")] == [3]


@given(st.text())
def test_any_text_is_accepted(source: str) -> None:
    for directive in find_directives(source + "\n# noqa"):
        assert directive.column < directive.end_column


@pytest.mark.parametrize(
    ("source", "left"),
    [
        pytest.param("f()  # noqa", [], id="blanket"),
        pytest.param("f()  # noqa: AW102", [], id="its code"),
        pytest.param("f()  # noqa: AW101", ["AW102"], id="another code"),
        pytest.param("f()  # noqa: AW1", ["AW102"], id="no prefixes"),
        pytest.param("f()  # noqa: E501", ["AW102"], id="another tool's code"),
        pytest.param("f()\n# noqa", ["AW102"], id="another line"),
        pytest.param("f()\n# asgiway-lint: noqa", [], id="whole file"),
        pytest.param("# asgiway-lint: noqa: AW102\nf()", [], id="one code in the whole file"),
        pytest.param("f()\n# asgiway-lint: noqa: AW101", ["AW102"], id="another code in the whole file"),
        pytest.param("# asgiway-lint: noqa: AW101\nf()  # noqa: AW102", [], id="line and file"),
    ],
)
def test_what_is_silenced(source: str, left: list[str]) -> None:
    line = source.split("\n").index(next(text for text in source.split("\n") if text.startswith("f()"))) + 1
    applied = apply([finding("AW102", line)], find_directives(source))
    assert [each.code for each in applied.findings] == left


@pytest.mark.parametrize(("line", "silenced"), [(1, True), (2, False), (3, True)])
def test_first_and_last_line_of_a_call_count(line: int, silenced: bool) -> None:
    source = "\n".join(
        text + ("  # noqa: AW102" if number == line else "") for number, text in enumerate(["f(", "1", ")"], 1)
    )
    assert (apply([finding("AW102", 1, 3)], find_directives(source)).findings == ()) is silenced


@pytest.mark.parametrize(
    ("source", "unused"),
    [
        pytest.param("f()  # noqa: AW102", [], id="it silences"),
        pytest.param("f()  # noqa: AW101", ["AW101"], id="it silences nothing"),
        pytest.param("f()  # noqa: AW101, AW102, E501", ["AW101"], id="only what is unused, and ours"),
        pytest.param("# noqa", [], id="a blanket may serve other tools"),
        pytest.param("# asgiway-lint: noqa", [], id="a file-level blanket"),
        pytest.param("# asgiway-lint: noqa: AW101\nf()  # noqa: AW102", ["AW101"], id="a file-level code"),
        pytest.param("f()\n# noqa: AW101, AW003", [], id="told to stay"),
        pytest.param("# asgiway-lint: noqa: AW003\n# noqa: AW101", [], id="told to stay for the file"),
        pytest.param("f()  # noqa: AW999", ["AW999"], id="a code that looks like ours"),
        pytest.param("f()  # noqa: AWS100", [], id="a code that only begins like ours"),
    ],
)
def test_unused_codes(source: str, unused: list[str]) -> None:
    line = next((n for n, text in enumerate(source.split("\n"), 1) if text.startswith("f()")), 99)
    applied = apply([finding("AW102", line)], find_directives(source))
    assert [code for each in applied.unused for code in each.codes] == unused


@pytest.mark.parametrize(
    ("source", "first"),
    [
        pytest.param("f() or \\\n    1  # noqa", 1, id="a backslash"),
        pytest.param("f() or \\\r\n    g() or \\\r\n    1  # noqa", 1, id="two, CRLF"),
        pytest.param('f("""\n\n""")  # noqa', 1, id="a string"),
        pytest.param("f('a\\\nb')  # noqa", 1, id="a continued string"),
        pytest.param('f("""\n""" + \\\n g() + """\n""")  # noqa', 1, id="both"),
        pytest.param('f("""\n""")\ng()  # noqa', 3, id="a string above"),
        pytest.param("f()  # why \\\ng()  # noqa", 2, id="a backslash in a comment"),
        pytest.param("f(\n    1,\n)  # noqa", 3, id="parentheses: the lines have room of their own"),
    ],
)
def test_a_comment_counts_for_the_lines_that_have_no_room_for_one(source: str, first: int) -> None:
    """ruff's convention: behind the string or the continued lines."""
    (directive,) = find_directives(source)
    assert directive.first == first
    lines = source.count("\n") + 1
    left = [n for n in range(1, lines + 1) if apply([finding("AW101", n)], [directive]).findings]
    assert left == list(range(1, first))
