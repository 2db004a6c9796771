"""Discovery: which files a run looks at."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from asgiway_lint.config import Settings, parse_layer
from asgiway_lint.project.discovery import Discovered, discover

Run = Callable[..., Discovered]


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def settings(root: Path, **table: object) -> Settings:
    keys = {key.replace("_", "-"): value for key, value in table.items()}
    return Settings.from_layers(root, [parse_layer(keys, where="test", folder=root, codes=["AW101"])])


def found(root: Path, *paths: str, **table: object) -> list[str]:
    chosen = settings(root, **table)
    result = discover(paths or (".",), cwd=root, settings_for=lambda folder: chosen)
    return [str(path.relative_to(root)) for path in result.files]


def test_python_files_in_order_whatever_the_folder_lists_first(tmp_path: Path) -> None:
    make(tmp_path, "b.py", "a/z.pyi", "a/B.py", "a.py", "c.txt", "d.pyc", "README", "a/deep/er/x.py")
    assert found(tmp_path) == ["a.py", "a/B.py", "a/deep/er/x.py", "a/z.pyi", "b.py"]


def test_default_exclusions(tmp_path: Path) -> None:
    folders = [".git", ".venv", "venv", "__pycache__", "node_modules", "build", "dist", ".tox", ".mypy_cache"]
    make(tmp_path, "a.py", *(f"x/{folder}/y.py" for folder in folders))
    assert found(tmp_path) == ["a.py"]


def test_exclude_replaces_and_extend_exclude_adds(tmp_path: Path) -> None:
    make(tmp_path, "a.py", "build/b.py", "gen/c_pb2.py", "gen/d.py")
    assert found(tmp_path, exclude=["gen"]) == ["a.py", "build/b.py"]
    assert found(tmp_path, extend_exclude=["*_pb2.py"]) == ["a.py", "gen/d.py"]
    assert found(tmp_path, extend_exclude=["gen/*"]) == ["a.py"]


def test_named_paths_are_taken_though_excluded_unless_forced(tmp_path: Path) -> None:
    make(tmp_path, "build/b.py", "build/gen/c.py", "script")
    assert found(tmp_path, "build/b.py", "script") == ["build/b.py", "script"]
    assert found(tmp_path, "build") == ["build/b.py", "build/gen/c.py"]
    assert found(tmp_path, "build/b.py", "build/gen", "script", force_exclude=True) == ["script"]


def test_duplicates_are_removed_however_they_are_named(tmp_path: Path) -> None:
    make(tmp_path, "a/x.py")
    assert found(tmp_path, "a", "./a/x.py", "a/../a", str(tmp_path / "a" / "x.py"), ".") == ["a/x.py"]


def test_missing_paths_are_told_apart_and_do_not_stop_the_rest(tmp_path: Path) -> None:
    make(tmp_path, "a.py")
    result = discover(["nope", "a.py", "a.py/x", "nope"], cwd=tmp_path, settings_for=lambda _: settings(tmp_path))
    assert result.missing == ("nope", "a.py/x")
    assert result.files == (tmp_path / "a.py",)


def test_symbolic_links(tmp_path: Path) -> None:
    """Loops end, files behind links are taken, dangling links (editors' lock files) are not."""
    make(tmp_path, "a/x.py", "elsewhere.txt")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to("self")
    (tmp_path / "linked.py").symlink_to("elsewhere.txt")
    (tmp_path / ".#x.py").symlink_to("user@host.123")
    (tmp_path / "a" / "self.py").symlink_to("self.py")
    assert found(tmp_path) == ["a/x.py", "linked.py"]
    assert found(tmp_path, "a/loop/a/x.py") == ["a/loop/a/x.py"]


def test_what_only_looks_like_a_python_file(tmp_path: Path) -> None:
    make(tmp_path, "folder.py/inner.py")
    os.mkfifo(tmp_path / "pipe.py")
    assert found(tmp_path) == ["folder.py/inner.py"]


def test_file_names_that_are_not_utf8(tmp_path: Path) -> None:
    make(tmp_path, "a.py")
    with open(os.fsencode(tmp_path) + b"/\xff.py", "wb"):
        pass
    assert found(tmp_path) == ["a.py", os.fsdecode(b"\xff.py")]


def test_a_folder_that_cannot_be_listed_is_reported_and_does_not_stop_the_walk(tmp_path: Path) -> None:
    """A path name beyond the system's limit, as permissions mean nothing to root."""
    make(tmp_path, "a.py")
    here = os.getcwd()
    try:
        os.chdir(tmp_path)
        for _ in range(20):
            os.mkdir("d" * 250)
            os.chdir("d" * 250)
    finally:
        os.chdir(here)
    result = discover(["."], cwd=tmp_path, settings_for=lambda _: settings(tmp_path))
    assert result.files == (tmp_path / "a.py",)
    assert [unlisted.reason for unlisted in result.unlisted] == ["File name too long"]


def test_each_folder_is_judged_by_its_own_settings(tmp_path: Path) -> None:
    make(tmp_path, "one/gen/x.py", "two/gen/x.py")
    chosen = settings(tmp_path / "one", extend_exclude=["gen"])
    default = settings(tmp_path)
    result = discover(
        ["."], cwd=tmp_path, settings_for=lambda folder: chosen if folder.is_relative_to(tmp_path / "one") else default
    )
    assert result.files == (tmp_path / "two" / "gen" / "x.py",)


# --- .gitignore ---------------------------------------------------------------------------------------------------------

TREE = ["a.py", "keep/gen.py", "gen.py", "out/x.py", "sub/out/y.py", "sub/b.py", "sub/c.py", "sub/deep/b.py", "x y.py"]


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({".gitignore": "gen.py\n"}, id="a name anywhere"),
        pytest.param({".gitignore": "/gen.py\n"}, id="anchored"),
        pytest.param({".gitignore": "out/\n"}, id="folders"),
        pytest.param({".gitignore": "*.py\n!a.py\n"}, id="all but one"),
        pytest.param({".gitignore": "*\n!*/\n!b.py\n"}, id="take back in folders"),
        pytest.param({".gitignore": "sub/*\n!sub/deep/\n"}, id="take back a folder"),
        pytest.param({".gitignore": "sub/\n!sub/b.py\n"}, id="nothing comes back from an ignored folder"),
        pytest.param({".gitignore": "b.py\n", "sub/.gitignore": "!b.py\n"}, id="the nearer file wins"),
        pytest.param({"sub/.gitignore": "/b.py\nout\n"}, id="nested and anchored there"),
        pytest.param({".gitignore": "**/deep\nsub/**/y.py\n"}, id="double stars"),
        pytest.param({".gitignore": "# comment\n\n\\#x\nx\\ y.py\n[ab].py\n"}, id="escapes and classes"),
        pytest.param({".gitignore": "gen.py  \r\nc.py\r\n"}, id="trailing blanks"),
        pytest.param({".git/info/exclude": "c.py\n"}, id="the repository's own list"),
        pytest.param({".gitignore": "!\n//\nc.py\n"}, id="odd patterns"),
    ],
)
def test_git_ignores_the_same_files(tmp_path: Path, files: dict[str, str]) -> None:
    make(tmp_path, *TREE)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for name, text in files.items():
        (tmp_path / name).write_bytes(text.encode())
    listed = subprocess.run(
        ["git", "-C", tmp_path, "-c", "core.excludesFile=", "ls-files", "-z", "-o", "--exclude-standard", "*.py"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert found(tmp_path) == sorted(listed.stdout.split("\0")[:-1])


def test_files_above_count_up_to_the_top_of_the_repository(tmp_path: Path) -> None:
    make(tmp_path, "repo/a/b/x.py", "repo/a/b/y.py", "repo/a/b/z.py")
    subprocess.run(["git", "init", "-q", tmp_path / "repo"], check=True)
    (tmp_path / ".gitignore").write_text("z.py\n")
    (tmp_path / "repo" / ".gitignore").write_text("x.py\n")
    assert found(tmp_path, "repo/a/b") == ["repo/a/b/y.py", "repo/a/b/z.py"]


def test_outside_of_a_repository_the_files_on_the_way_count(tmp_path: Path) -> None:
    make(tmp_path, "a/x.py", "a/b/x.py", "a/b/y.py")
    (tmp_path / "a" / ".gitignore").write_text("x.py\n")
    assert found(tmp_path, "a") == ["a/b/y.py"]


def test_whoever_names_an_ignored_path_means_it(tmp_path: Path) -> None:
    make(tmp_path, "out/x.py", "out/deep/y.py")
    (tmp_path / ".gitignore").write_text("out/\n")
    assert found(tmp_path) == []
    assert found(tmp_path, "out") == ["out/deep/y.py", "out/x.py"]
    assert found(tmp_path, "out/x.py") == ["out/x.py"]


def test_gitignore_can_be_left_alone(tmp_path: Path) -> None:
    make(tmp_path, "x.py")
    (tmp_path / ".gitignore").write_text("x.py\n")
    assert found(tmp_path, respect_gitignore=False) == ["x.py"]


def test_a_malformed_pattern_is_passed_by_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make(tmp_path, "x.py", "y.py")
    (tmp_path / ".gitignore").write_text("!\nx.py\n")
    assert found(tmp_path) == ["y.py"]
    assert "the pattern '!' is malformed" in caplog.text


_PART = st.sampled_from(["a", "b", "a.py", "b.py", "*", "*.py", "**", "?", "[ab]", "sub"])


def _pattern(negated: str, anchored: str, parts: list[str], folder: str) -> str:
    return f"{negated}{anchored}{'/'.join(parts)}{folder}"


_PATTERN = st.builds(
    _pattern,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "", "/"]),
    st.lists(_PART, min_size=1, max_size=3),
    st.sampled_from(["", "", "/"]),
)


@settings_of_hypothesis(max_examples=60, deadline=None)
@given(top=st.lists(_PATTERN, max_size=4), nested=st.lists(_PATTERN, max_size=3))
@example(top=["*", "!*/", "!b.py"], nested=[])
@example(top=["sub", "!/sub/"], nested=["/a.py"])
def test_git_ignores_the_same_files_whatever_the_patterns(
    tmp_path_factory: pytest.TempPathFactory, top: list[str], nested: list[str]
) -> None:
    if any("**/" in f"{pattern}/" and pattern.endswith("/") for pattern in (*top, *nested)):
        return  # pathspec reads a final `**/` as `**`
    root = tmp_path_factory.mktemp("ignored")
    make(root, "a.py", "b.py", "sub/a.py", "sub/b.py", "sub/a/a.py", "a/b.py", "a/sub/b/a.py", "b/a/sub/b.py")
    subprocess.run(["git", "init", "-q", root], check=True)
    (root / ".gitignore").write_text("\n".join(top))
    (root / "sub" / ".gitignore").write_text("\n".join(nested))
    listed = subprocess.run(
        ["git", "-C", root, "-c", "core.excludesFile=", "ls-files", "-z", "-o", "--exclude-standard", "*.py"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert found(root) == sorted(listed.stdout.split("\0")[:-1])
