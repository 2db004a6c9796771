"""`path.read_text()` -> `await anyio.Path(path).read_text()`, trio's: programs on real folders do the same (acceptance row 34)."""

from __future__ import annotations

import inspect
import pathlib
from collections import Counter
from pathlib import Path

import anyio
import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asgiway_lint.comments import find_comments
from asgiway_lint.fixes import anyio_path
from asgiway_lint.fixes.model import Applicability, Fix, Refusal
from tests.linter.fixes.files_support import outcome, program, rewritten
from tests.linter.fixes.support import applied, fixed, in_coroutine, offers, with_library

IMPORTS = "import os\nimport pathlib\nfrom pathlib import Path"
PROGRAMS = {
    "read": """
        path = folder / "in.txt"
        return path.read_text(encoding="utf-8"), path.read_bytes(), (folder / "sub" / "deep.txt").read_text()
        """,
    "write": """
        out = Path(folder, "out.txt")
        counts = out.write_text("a", encoding="utf-8"), pathlib.Path(folder / "b").write_bytes(b"bb")
        out.touch()
        out.chmod(0o600)
        return counts, out.stat().st_size, oct(out.stat(follow_symlinks=False).st_mode), out.lstat().st_nlink
        """,
    "questions": """
        path = folder / "in.txt"
        if path.exists() and not path.is_dir() and (folder / "sub").is_dir():
            return path.is_file(), path.is_symlink(), path.samefile(folder / "sub" / ".." / "in.txt"), path.owner()
        """,
    "folders": """
        (folder / "a" / "b").mkdir(parents=True, exist_ok=True)
        (folder / "link").symlink_to(folder / "in.txt")
        (folder / "hard").hardlink_to(folder / "in.txt")
        (folder / "a" / "b").rmdir()
        (folder / "empty.txt").unlink()
        (folder / "missing").unlink(missing_ok=True)
        (folder / "in.txt").rename(folder / "renamed.txt")
        (folder / "sub" / "deep.txt").replace(folder / "deep.txt")
        """,
    "precedence": """
        path = folder / "in.txt"
        return path.read_text().split()[0], -path.stat().st_size, f"{path.exists()}", [path.read_bytes()[0] for _ in "ab"]
        """,
    "missing": """
        return (folder / "missing").read_text()
        """,
    "not_empty": """
        try:
            (folder / "sub").rmdir()
        except OSError as error:
            return error.errno, str(error.filename)
        """,
}
LOOPS = {
    "loop": """
        found = []
        for each in folder.iterdir():  # all
            if each.is_file():
                found.append((each.name, each.stat().st_size, str(each), f"{each}", each.suffix))
            elif each.is_dir():
                continue
        return sorted(found)
        """,
    "comprehension": """
        sizes = {each.name: each.stat().st_size for each in folder.rglob("*.txt") if each.is_file()}
        return sizes, sorted([os.fspath(each) for each in Path(folder).glob("*")])
        """,
    "nested": """
        found = []
        for each in folder.glob("s*"):
            found += [inner.read_text() for inner in (folder / "sub").iterdir()]
        return found
        """,
    "changed": """
        for each in (folder / "sub").iterdir():
            each.write_text(each.read_text() * 2)
            with open(each, "a") as file:
                file.write("!")
            each.rename(folder / each.name)
        """,
    "no_folder": """
        for each in (folder / "missing").iterdir():
            print(each.name)
        """,
    "one_name": """
        found = []
        for each in (folder / "sub").iterdir():
            found.append(each.read_text())
        for each in ["a", "b"]:
            found.append(each.upper())
        for each in folder.glob("sub"):
            found.append(each.is_dir())
        with open(folder / "empty.txt") as each:
            found.append(each.read())
        return found
        """,
    "inner_break": """
        for each in (folder / "sub").iterdir():
            while each.exists():
                break
        else:
            return "at its end"
        """,
}


@pytest.mark.parametrize(("library", "backend"), [("anyio", "asyncio"), ("anyio", "trio"), ("trio", "trio")])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_does_the_same(name: str, library: str, backend: str, tmp_path: Path) -> None:
    text = program(PROGRAMS[name], IMPORTS)
    new = rewritten(text, "anyio-path", library)
    assert f"{library}.Path(" in new
    assert "to_thread" not in new
    assert outcome(new, tmp_path / "x", backend) == outcome(text, tmp_path / "x", backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_does_the_same(name: str, backend: str, tmp_path: Path) -> None:
    text = program(LOOPS[name], IMPORTS)
    new = rewritten(text, "anyio-path", "anyio")
    assert "async for each in" in new
    assert "to_thread" not in new
    assert outcome(new, tmp_path / "x", backend) == outcome(text, tmp_path / "x", backend)


def test_as_a_reviewer_sees_it() -> None:
    source = in_coroutine(
        "for each in Path(x).iterdir():  # all",
        "    if each.is_file() and not (x / each.name).exists():",
        "        each.rename(x)",
        imports="from pathlib import Path\n\nimport anyio",
    ).replace("(x)", "(x: Path)", 1)
    assert fixed(source, unsafe=True) == in_coroutine(
        "async for each in anyio.Path(x).iterdir():  # all",
        "    if await each.is_file() and not await anyio.Path(x / each.name).exists():",
        "        await each.rename(x)",
        imports="from pathlib import Path\n\nimport anyio",
    ).replace("(x)", "(x: Path)", 1)


def test_what_the_fix_says_of_itself() -> None:
    source = in_coroutine("Path(x).read_text()", imports="from pathlib import Path")
    (offer, safe), *_ = offers(source, with_library("trio"))
    assert isinstance(offer, Fix)
    assert isinstance(safe, Fix)
    assert (offer.name, offer.applicability, offer.requires) == ("anyio-path", Applicability.UNSAFE, ("trio",))
    assert "subclass" in offer.reason
    assert (safe.name, safe.applicability) == ("to-thread", Applicability.SAFE)


def test_a_file_for_asyncio_alone_stays_with_threads() -> None:
    """`asyncio.to_thread` does the same as `anyio.Path` there, safely and without a dependency."""
    source = in_coroutine("Path(x).read_text()", imports="import asyncio\nfrom pathlib import Path")
    assert [each.name for each in offers(source)[0]] == ["to-thread"]
    assert "await asyncio.to_thread(Path(x).read_text)" in fixed(source, unsafe=True)


def test_another_name_for_anyio_s() -> None:
    source = in_coroutine("path.Path(x).exists()", imports="import pathlib as path\nfrom anyio import Path")
    assert "await Path(x).exists()" in fixed(source, unsafe=True)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["y = Path(x).rename('b')"], "`rename` would give"),
        (["Path(x).stat(**x)"], "cannot be told"),
        (["Path(x).read_text(newline='')"], "may have no `newline`"),
        (["Path(x).mkdir(x)", "any(Path(x).exists() for y in x)"], ""),
        (["y = Path(x).iterdir()"], "not looped over at once"),
        (["y = sorted(Path(x).glob('*'))"], "not looped over at once"),
        (["y = any(e.name for e in Path(x).glob('*'))"], "would become an asynchronous one"),
        (["for e in Path(x).glob('*', case_sensitive=True):", "    print(e.name)"], "these arguments"),
        (["for e in Path(x).iterdir():", "    x(e)"], "is handed on in line 7"),
        (["for e in Path(x).iterdir():", "    print(f'{e!r}')"], "is handed on in line 7"),
        (["for e in Path(x).iterdir():", "    print(e.parent)"], "`e.parent` is not the same"),
        (["for e in Path(x).iterdir():", "    y = e.rename('b')"], "`rename` would give"),
        (["for e in Path(x).iterdir():", "    y = e / 'b'"], "is handed on in line 7"),
        (["for e in Path(x).iterdir():", "    pass", "print(e.name)"], "used outside of the loop"),
        (
            ["for e in x:", "    for e in Path(x).iterdir():", "        e.stat()", "    print(e)"],
            "used outside of the loop",
        ),
        (["for e in Path(x).iterdir():", "    e = str(e)"], "also bound"),
        (["for e in Path(x).iterdir():", "    x(lambda: e.stat())"], "inside a lambda"),
        (["for e in Path(x).iterdir():", "    if e.is_dir():", "        break"], "unfinished"),
        (["for e in Path(x).iterdir():", "    while x:", "        return e.name"], "unfinished"),
        (["for e, in Path(x).iterdir():", "    pass"], "to pieces"),
        (["anyio = Path = 1", "for e in x.iterdir(): pass"], ""),
    ],
)
def test_refusals(lines: list[str], reason: str) -> None:
    source = in_coroutine(*lines, imports="import anyio\nfrom pathlib import Path")
    found = [each for found in offers(source) for each in found if each.name == "anyio-path"]
    refusals = [each.reason for each in found if isinstance(each, Refusal)]
    if not reason:
        return
    assert any(reason in each for each in refusals)
    assert " async for" not in fixed(source, unsafe=True)


def test_trio_reads_whole_folders() -> None:
    source = in_coroutine(
        "for e in Path(x).iterdir():", "    e.stat()", imports="import trio\nfrom pathlib import Path"
    )
    (first, *_), *_ = [sorted(found, key=lambda each: each.name) for found in offers(source)]
    assert isinstance(first, Refusal)
    assert "trio reads the whole folder" in first.reason
    assert "await trio.Path(e).stat()" in fixed(source, unsafe=True)


@pytest.mark.parametrize("kind", [anyio.Path, trio.Path])
def test_the_methods_are_there_with_the_same_parameters(kind: type) -> None:
    for name in anyio_path._VALUES | anyio_path._MOVES:
        theirs = getattr(kind, name)
        assert inspect.iscoroutinefunction(theirs), name
        parameters = inspect.signature(theirs).parameters
        ours = inspect.signature(getattr(pathlib.Path, name)).parameters
        for keyword in anyio_path._KEYWORDS.get(name, ()):
            if keyword in ours:
                assert keyword in parameters or "kwargs" in parameters, (name, keyword)


# ---- random programs

PATHS = st.sampled_from(
    ["folder", "(folder / 'sub')", "Path(folder, 'in.txt')", "folder.joinpath('empty.txt')", "path"]
)
ACTS = st.sampled_from(
    [
        "out.append({}.exists())",
        "out.append({}.is_dir() and 1)  # one",
        "out.append(not {}.is_file() or 2)",
        "out.append({}.stat().st_size > 0)",
        "if {}.is_file(): out.append({}.read_bytes()[:3])",
        "for e in folder.iterdir():\n    out.append(e.name)  # two\n    out.append(e.is_file())",
        "out += [e.read_text() for e in folder.glob('*.txt') if e.is_file() and e.suffix]",
        "out += [(e.name, y) for y in 'ab' for e in folder.glob('*')]",
        "(folder / 'new').write_text(str({}.exists()))",
    ]
)
STATEMENTS = st.builds(lambda act, path: act.replace("{}", path), ACTS, PATHS)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    statements=st.lists(STATEMENTS, min_size=1, max_size=4),
    library=st.sampled_from(["anyio", "trio"]),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_random_programs_do_the_same(statements: list[str], library: str, newline: str, tmp_path: Path) -> None:
    body = "\n".join(
        ["out: list = []", "path = Path(folder) / 'sub' / 'deep.txt'", *statements, "return sorted(map(str, out))"]
    )
    text = program(body, "from pathlib import Path").replace("\n", newline)
    chosen = with_library(library)
    result = applied(text, unsafe=True, settings=chosen)
    assert result.dropped == ()
    new = result.source.decode()
    compile(new, "<program>", "exec")
    assert applied(new, unsafe=True, settings=chosen).source == result.source, "a second run changes nothing"
    assert Counter(each.text for each in find_comments(new)) == Counter(each.text for each in find_comments(text))
    assert new.count("\n") == new.count(newline)
    backend = "trio" if library == "trio" else "asyncio"
    assert outcome(new, tmp_path / "x", backend) == outcome(text, tmp_path / "x", backend)
