"""Patterns of `exclude` and `per-file-ignores` mean what they mean in ruff."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiway_lint.globs import AnyGlob, GlobError, compile_glob


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        pytest.param("migrations", "/p/shop/migrations/0001.py", True, id="a name covers a folder's files"),
        pytest.param("migrations", "/p/migrations.py", False, id="a name is a whole name"),
        pytest.param("*_pb2.py", "/p/a/b/x_pb2.py", True, id="a name with a star"),
        pytest.param("conf?.py", "/p/conf1.py", True, id="a question mark"),
        pytest.param("[!a]*.py", "/p/b.py", True, id="a negated class"),
        pytest.param("[!a]*.py", "/p/a.py", False, id="a negated class that does not match"),
        pytest.param("tests/*", "/p/tests/deep/er/test_x.py", True, id="a star crosses slashes"),
        pytest.param("tests/**", "/p/tests/test_x.py", True, id="two stars behind a slash"),
        pytest.param("tests/**/*.py", "/p/tests/test_x.py", True, id="two stars may stand for nothing"),
        pytest.param("**/tests/*", "/p/tests/x.py", True, id="leading stars may stand for nothing"),
        pytest.param("**/tests/*", "/p/a/tests/x.py", True, id="leading stars stand for folders"),
        pytest.param("src/legacy", "/p/src/legacy/x.py", True, id="a path covers a folder's files"),
        pytest.param("src/legacy/", "/p/src/legacy/x.py", True, id="a trailing slash"),
        pytest.param("./src/legacy", "/p/src/legacy/x.py", True, id="a leading dot"),
        pytest.param("legacy/x.py", "/p/src/legacy/x.py", False, id="a path starts from the root"),
        pytest.param("/p/src/*.py", "/p/src/x.py", True, id="an absolute path"),
        pytest.param("{a,b}.py", "/p/b.py", True, id="braces"),
        pytest.param("src/{a,b}/*.py", "/p/src/b/x.py", True, id="braces in a path"),
        pytest.param("a.py", "/p/axpy", False, id="a dot is a dot"),
        pytest.param("p", "/p/x.py", False, id="the root's own name does not count"),
    ],
)
def test_what_a_pattern_covers(pattern: str, path: str, covered: bool) -> None:
    assert compile_glob(pattern, "/p").covers(path, "/p") is covered


def test_matches_asks_about_the_path_itself() -> None:
    glob = compile_glob("migrations", "/p")
    assert glob.matches("/p/a/migrations")
    assert not glob.matches("/p/a/migrations/x.py")


@pytest.mark.parametrize("pattern", ["", "/", "./", "a[b", "a{b", "[z-a]"])
def test_malformed_patterns_say_so(pattern: str) -> None:
    with pytest.raises(GlobError, match="pattern"):
        compile_glob(pattern, "/p")


def test_special_characters_of_the_root_are_plain() -> None:
    assert compile_glob("a/*.py", "/p[1]+").covers("/p[1]+/a/b.py", "/p[1]+")


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_pattern_compiles_or_is_refused(pattern: str, name: str) -> None:
    try:
        glob = compile_glob(pattern, "/p")
    except GlobError:
        return
    assert glob.covers(f"/p/{name}", "/p") in (True, False)


@given(st.text(alphabet="abc._-é", min_size=1, max_size=10).filter(lambda name: name.strip(".")))
def test_a_plain_name_matches_itself_and_nothing_longer(name: str) -> None:
    glob = compile_glob(name, "/p")
    assert glob.matches(f"/p/x/{name}")
    assert not glob.matches(f"/p/x/{name}x")


@given(
    st.lists(st.sampled_from(["a", "*.py", "a/*", "b/{c,d}", "[!x]", "/p/a/b", "?"])),
    st.sampled_from(["a", "a/b", "b/c", "x", "x.py"]),
)
def test_patterns_together_match_what_one_of_them_matches(patterns: list[str], path: str) -> None:
    globs = [compile_glob(pattern, "/p") for pattern in patterns]
    together = AnyGlob(globs).matches(path.rpartition("/")[2], f"/p/{path}")
    assert together is any(glob.matches(f"/p/{path}") for glob in globs)
