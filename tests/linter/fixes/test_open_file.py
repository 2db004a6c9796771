"""`with open(...)` -> `anyio.open_file`, trio's, aiofiles': programs on real files do the same (acceptance row 31)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asgiway_lint.comments import find_comments
from asgiway_lint.fixes.model import Applicability, Fix, Refusal
from tests.linter.fixes.files_support import outcome, program, rewritten, settings_for
from tests.linter.fixes.support import applied, fixed, in_coroutine, offers

IMPORTS = "import io\nimport json\nimport os\nfrom pathlib import Path"
PROGRAMS = {
    "read": """
        with open(folder / "in.txt", encoding="utf-8") as file:
            return file.read()
        """,
    "pieces": """
        with open(folder / "in.txt", "rb") as file:
            first = file.read(2), file.tell()
            file.seek(-3, 2)
            second = file.read()
            file.seek(0)
            return first, second, file.readline(), file.readlines(), file.mode, file.fileno() > 2
        """,
    "lines": """
        found = []
        with open(folder / "in.txt", encoding="utf-8", newline="") as file:
            for line in file:  # every line
                if not line.strip():
                    continue
                found.append(line)
            else:
                found.append("end")
        return found
        """,
    "comprehensions": """
        with open(folder / "in.txt", encoding="utf-8") as file:
            long = [line.strip() for line in file if len(line) > 2]
        with open(folder / "in.txt", encoding="utf-8") as file:
            lengths = {line: len(line) for line in file}
        with open(folder / "in.txt", encoding="utf-8") as file:
            return long, lengths, list(file)
        """,
    "sorted": """
        with open(folder / "in.txt", encoding="utf-8") as file:
            return sorted(file, key=len)
        """,
    "write": """
        with open(folder / "out.txt", "w", encoding="utf-8") as out:
            count = out.write("a\\n")
            out.writelines(["b", "c"])
            out.flush()
            os.fsync(out.fileno())
        with open(folder / "out.txt", "r+b") as out:
            out.truncate(2)
        with io.open(folder / "out.txt", mode="a") as out:
            out.write("end")
        return count
        """,
    "two": """
        with open(folder / "in.txt", "rb") as source, open(folder / "copy", "wb") as target:
            while chunk := source.read(3):
                target.write(chunk)
        """,
    "one_name": """
        with open(folder / "in.txt", "rb") as file:
            text = file.read()
        for file in ["a", "b"]:
            text += file.encode()
        with open(folder / "sub" / "deep.txt") as file:
            return text, file.read()
        """,
    "nested": """
        with open(folder / "in.txt", "rb") as source:
            with open(folder / "copy", "wb") as target:
                target.write(source.read()[::-1])
        """,
    "precedence": """
        with open(folder / "in.txt", "rb") as file:
            total = len(file.read(3)) + -len(file.readline().split()[0]) ** 2
            return total, f"{file.read(1)!r} {file.tell()}", not file.read()
        """,
    "path": """
        with folder.joinpath("in.txt").open("rb") as file:
            text = file.read()
        with (folder / "new").open(
            "w",
        ) as file:
            file.write("new")
        with Path(folder, "new").open() as file:
            return text, file.read()
        """,
    "missing": """
        with open(folder / "missing.txt") as file:
            return file.read()
        """,
    "caught": """
        try:
            with open(folder / "sub") as file:
                return file.read()
        except OSError as error:
            return type(error), error.errno
        """,
    "failing": """
        with open(folder / "out.txt", "w") as file:
            file.write("half")
            raise KeyError("half")
        """,
    "wrong_mode": """
        with open(folder / "in.txt") as file:
            file.write("x")
        """,
    "undecodable": """
        with open(folder / "in.txt", encoding="ascii") as file:
            return [line for line in file]
        """,
    "handler": """
        try:
            raise KeyError
        except KeyError:
            with open(folder / "log", "a") as file:
                file.write("caught")
        """,
}
LIBRARIES = [("default", "asyncio"), ("anyio", "trio"), ("trio", "trio"), ("aiofiles", "asyncio")]


@pytest.mark.parametrize(("library", "backend"), LIBRARIES)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_does_the_same(name: str, library: str, backend: str, tmp_path: Path) -> None:
    head = IMPORTS + ("\n\nimport aiofiles" if library == "aiofiles" else "")
    text = program(PROGRAMS[name], head)
    new = rewritten(text, "open-file", "default" if library == "aiofiles" else library)
    module = "anyio" if library == "default" else library
    assert ("aiofiles.open(" if library == "aiofiles" else f"await {module}.open_file(") in new
    assert " with open" not in new
    assert outcome(new, tmp_path / "x", backend) == outcome(text, tmp_path / "x", backend)


def test_as_a_reviewer_sees_it() -> None:
    source = in_coroutine(
        "with open(x) as lines, open(x + '.new', 'w') as out:  # both",
        "    for line in lines:",
        "        out.write(line.upper())  # louder",
    )
    assert fixed(source, unsafe=True) == in_coroutine(
        "async with await anyio.open_file(x) as lines, await anyio.open_file(x + '.new', 'w') as out:  # both",
        "    async for line in lines:",
        "        await out.write(line.upper())  # louder",
        imports="import time\n\nimport anyio",
    )


def test_what_the_fix_says_of_itself() -> None:
    source = in_coroutine("with open(x, 'w') as f:", "    f.write(f.readline())")
    (offer, *_), *others = offers(source)
    assert isinstance(offer, Fix)
    assert offer.applicability is Applicability.UNSAFE
    assert "half-written" in offer.reason
    assert offer.requires == ("anyio",)
    assert "more at once" in offer.notes[0]
    assert len(offer.removes) == 3
    assert [found[0] for found in others] == [offer, offer]
    (reading, *_), *_ = offers(in_coroutine("with open(x) as f:", "    f.read()", imports="import anyio"))
    assert isinstance(reading, Fix)
    assert reading.requires == ()
    assert "change the file" in reading.reason


def test_what_others_may_change_in_between_is_said() -> None:
    (offer, *_), *_ = offers(in_coroutine("with open(x) as f:", "    x.total += len(f.read())"))
    assert isinstance(offer, Fix)
    assert "`x.total` is read before the `await`" in offer.reason


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["with open(x) as f:", "    return json.load(f)"], "`f` is handed on: line 6, `return json.load(f)`"),
        (["with open(x) as f:", "    print('a', file=f)"], "is handed on"),
        (["with open(x) as f:", "    for n, line in enumerate(f): print(n)"], "is handed on"),
        (["with open(x) as f:", "    return f"], "not only read and written"),
        (["with open(x) as f:", "    g = f"], "not only read and written"),
        (["with open(x) as f:", "    iter(f.readline, '')"], "`f.readline` is handed on"),
        (["with open(x) as f:", "    f.readline(3)"], "does not take these arguments"),
        (["with open(x) as f:", "    f.readinto(x)"], "no `readinto`"),
        (["with open(x) as f:", "    f.close()"], "no `close`"),
        (["with open(x, 'w') as f:", "    f.writelines(str(y) for y in x)"], "`writelines` may run in the thread"),
        (["with open(x, 'w') as f:", "    f.writelines(map(str, x))"], "`writelines` may run in the thread"),
        (["with open(x) as f:", "    any(line for line in f)"], "would become an asynchronous one"),
        (["with open(x) as f:", "    x(lambda: f.read())"], "inside a lambda"),
        (["with open(x) as f:", "    def g():", "        return f.read()", "    g()"], "not `async def`"),
        (["with open(x) as f:", "    f.read()", "print(f.closed)"], "used outside of the block"),
        (["f = 1", "with open(x) as f:", "    f.read()"], "used outside of the block"),
        (["with open(x) as f:", "    with open(x) as f:", "        f.read()"], "bound to something else"),
        (["with open(x) as f:", "    f.read()", "    f = 1"], "bound to something else"),
        (["global f", "with open(x) as f:", "    f.read()"], "others see"),
        (["with open(x) as x.f:", "    x.f.read()"], "no name of its own"),
        (["with open(x), open(x) as g:", "    g.read()"], "no name of its own"),
        (["with open(x) as f, x.lock:", "    f.read()"], "also enters `x.lock`"),
        (["with open(x, opener=x) as f:", "    f.read()"], "`opener`"),
        (["with x.lock:", "    with open(x) as f:", "        f.read()"], "thread lock"),
        (["try: pass", "finally:", "    with open(x) as f:", "        f.read()"], "`finally`"),
        (["anyio = open_file = 1", "with open(x) as f:", "    f.read()"], "the name of something else"),
    ],
)
def test_refusals(lines: list[str], reason: str) -> None:
    source = in_coroutine(*lines, imports="import json")
    found = [each for each in offers(source)[0] if each.name == "open-file"]
    assert [type(each) for each in found] == [Refusal]
    assert reason in found[0].reason
    assert "open_file(" not in fixed(source, unsafe=True)


def test_a_loop_that_is_left_early(tmp_path: Path) -> None:
    """anyio's lines come from a generator, and trio warns when one is not read to its end; asyncio closes it."""
    body = "with open(folder / 'in.txt') as file:\n    for line in file:\n        if line:\n            return line"
    text = program(body, IMPORTS)
    assert "async for" in (new := rewritten(text, "open-file"))
    assert outcome(new, tmp_path / "x") == outcome(text, tmp_path / "x")
    assert "trio.open_file" in (new := rewritten(text, "open-file", "trio"))
    assert outcome(new, tmp_path / "x", "trio") == outcome(text, tmp_path / "x")
    (refusal,) = [each for each in offers(text, settings_for("anyio"))[0] if each.name == "open-file"]
    assert isinstance(refusal, Refusal)
    assert "trio warns" in refusal.reason


def test_other_ways_to_open_are_no_business_of_this_fixer() -> None:
    for lines in (["f = open(x)", "f.read()"], ["open(x).read()"], ["with x.open() as f:", "    f.read()"]):
        assert all(each.name != "open-file" for found in offers(in_coroutine(*lines)) for each in found)


# ---- random blocks

CONTENTS = st.lists(st.sampled_from(["", "a", "bb", "\r", "  x", "é"]), max_size=4).map("\n".join)
READS = st.sampled_from(
    [
        "out.append(f.read(2))",
        "out.append(f.readline().strip())  # one",
        "out += f.readlines()",
        "out.append([f.tell() and 1, f.seek(0)])",
        "out.append((f.read() or 'none')[0])",
        "out += [line for line in f if line]",
        "out += sorted(f)",
        "for line in f:\n    # each\n    out.append(line)",
        "while chunk := f.read(3):\n    out.append(chunk)",
        "if not f.readline():\n    out.append(f'{f.read()}')",
        "with open(folder / 'copy', 'a', encoding='utf-8', newline='') as g:\n    out.append(g.write(f.read(1)))",
    ]
)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))


BLOCKS = st.lists(
    st.lists(READS, min_size=1, max_size=3).map(
        lambda lines: "with open(folder / 'a', encoding='utf-8') as f:\n" + "\n".join(map(_indented, lines))
    ),
    min_size=1,
    max_size=3,
).map("\n".join)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    blocks=BLOCKS,
    content=CONTENTS,
    library=st.sampled_from(["default", "trio"]),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_random_blocks_read_and_write_the_same(
    blocks: str, content: str, library: str, newline: str, tmp_path: Path
) -> None:
    body = f"out = []\nprepare(folder)\n{blocks}\nreturn out"
    prepare = f"\n\n\ndef prepare(folder):\n    (folder / 'a').write_bytes({content.encode()!r})"
    text = program(body, f"from pathlib import Path{prepare}").replace("\n", newline)
    chosen = settings_for(library)
    result = applied(text, unsafe=True, settings=chosen)
    assert result.dropped == ()
    new = result.source.decode()
    compile(new, "<program>", "exec")
    assert applied(new, unsafe=True, settings=chosen).source == result.source, "a second run changes nothing"
    assert Counter(each.text for each in find_comments(new)) == Counter(each.text for each in find_comments(text))
    assert " with open" not in new.replace("async with", "")
    assert new.count("\n") == new.count(newline)
    backend = "trio" if library == "trio" else "asyncio"
    assert outcome(new, tmp_path / "x", backend) == outcome(text, tmp_path / "x", backend)
