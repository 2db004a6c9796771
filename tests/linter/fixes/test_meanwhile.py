"""What other tasks may do at an inserted `await`, and what the coroutine then no longer does: such fixes are not safe."""

from __future__ import annotations

import asyncio

import pytest

from asgiway_lint.fixes.model import Applicability, Fix
from tests.linter.fixes.support import fixed, in_coroutine, offers, refused

IMPORTS = "import asyncio\nimport os\nimport subprocess\nimport tempfile\nimport time\nimport requests\nfrom pathlib import Path\ntable = {}\nLIMITS = {}"


def reasons(source: str) -> list[str]:
    """Of each finding the reason of the fix that the three safe fixers offer."""
    mine = ("to-thread", "async-sleep", "async-twin")
    found = [[each for each in some if isinstance(each, Fix) and each.name in mine] for some in offers(source)]
    assert all(found)
    for each, *_ in found:
        assert each.applicability is (Applicability.UNSAFE if each.reason else Applicability.SAFE)
    return [each.reason for each, *_ in found]


def of(text: str) -> list[str]:
    return reasons(in_coroutine(*text.split("\n"), imports=IMPORTS).replace("f(x)", "f(self, x)"))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("if self.y is None:\n    self.y = os.stat(x)", "self.y", id="made when first needed"),
        pytest.param("if x not in self.y:\n    self.y[x] = requests.get(x)", "self.y", id="a cache"),
        pytest.param("if x not in table:\n    table[x] = os.stat(x)", "table", id="a cache of the module"),
        pytest.param("if not self.busy:\n    self.busy = True\n    time.sleep(1)", "", id="set before the wait"),
        pytest.param(
            "if not self.busy:\n    time.sleep(1)\n    self.busy = True", "self.busy", id="set after the wait"
        ),
        pytest.param("if self.y and os.stat(x):\n    self.y = None", "self.y", id="asked, waited, set"),
        pytest.param("if self.y:\n    os.stat(self.y)\n    del self.y", "self.y", id="deleted"),
        pytest.param("while self.y:\n    os.stat(x)\n    self.y -= 1", "self.y", id="a loop"),
        pytest.param("if self.y:\n    return\nos.stat(x)\nself.y = True", "self.y", id="a guard"),
        pytest.param("if self.y:\n    pass\nos.stat(x)\nself.y = True", "", id="no guard"),
        pytest.param("y = self.y.get(x)\nif y is None:\n    self.y[x] = os.stat(x)", "self.y", id="by a name"),
        pytest.param("y = self.y\ntime.sleep(1)\nself.y = y + 1", "self.y", id="read, waited, written"),
        pytest.param("y = self.y\ntime.sleep(1)\nself.z = y + 1", "", id="read, waited, another written"),
        pytest.param("y = self.y\nawait x\ntime.sleep(1)\nself.y = y + 1", "", id="lost before"),
        pytest.param("y = None\nif y is None:\n    y = os.stat(x)", "", id="a name of its own"),
        pytest.param("if self.y:\n    self.z = os.stat(x)", "", id="another place"),
        pytest.param("if self.y:\n    self.z = 1\nelse:\n    self.y = os.stat(x)", "self.y", id="the other branch"),
        pytest.param(
            "if self.y is None:\n    await asyncio.sleep(0)\n    self.y = os.stat(x)", "", id="others came in before"
        ),
    ],
)
def test_asked_before_and_set_after(text: str, place: str) -> None:
    (reason,) = of(text)
    assert (f"`{place}` is read before the `await` and changed after it" in reason) if place else reason == ""


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("for y in self.ys:\n    os.stat(y)", "self.ys", id="attribute"),
        pytest.param("for y, z in self.ys.items():\n    os.stat(y)", "self.ys", id="items"),
        pytest.param("for y, z in enumerate(table):\n    os.stat(z)", "table", id="enumerate, of the module"),
        pytest.param("[os.stat(y) for y in self.ys]", "self.ys", id="comprehension"),
        pytest.param("[y for y in self.ys if os.path.exists(y)]", "self.ys", id="condition of a comprehension"),
        pytest.param("for y in self.ys:\n    await asyncio.sleep(0)\n    os.stat(y)", "", id="others came in before"),
        pytest.param("for y in list(self.ys):\n    os.stat(y)", "", id="a copy"),
        pytest.param("for y in LIMITS:\n    os.stat(y)", "", id="a constant"),
        pytest.param("for y in x:\n    os.stat(y)", "", id="a name of its own"),
        pytest.param("ys = [1]\nfor y in ys:\n    os.stat(y)", "", id="a list of its own"),
        pytest.param("for y in self.ys:\n    pass\nelse:\n    os.stat(x)", "", id="after the loop"),
    ],
)
def test_what_a_loop_goes_through(text: str, place: str) -> None:
    (reason,) = of(text)
    assert (f"the loop goes through `{place}`, which other tasks may change" in reason) if place else reason == ""


def test_a_wait_after_the_change_makes_one_before_it_no_safer() -> None:
    """The first run's `await` must not excuse another one in a second run; `fixed` makes that run."""
    source = in_coroutine("if self.y is None:", "    self.y = os.stat(x)", "    os.lstat(x)", imports=IMPORTS)
    new = fixed(source)
    assert "self.y = os.stat(x)" in new
    assert "await asyncio.to_thread(os.lstat, x)" in new
    inner = "for y in self.ys:\n    async def g(): await x\n    os.stat(y)"
    assert "the loop goes through" in of(inner)[0]


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        pytest.param("with open(x, 'w') as y:  # noqa: AW108\n    y.write('a')", False, id="write"),
        pytest.param("with open(x, mode='xb') as y:  # noqa: AW108\n    y.write(b'a')", False, id="keyword"),
        pytest.param("with open(x, 'r+') as y:  # noqa: AW108\n    y.read()", False, id="changed in place"),
        pytest.param("with open(x, 'w') as y:  # noqa: AW108\n    os.stat(x)", False, id="any wait"),
        pytest.param("y = open(x, 'w')  # noqa: AW108\ny.write('a')", False, id="without with"),
        pytest.param("with open(x) as y:  # noqa: AW108\n    y.read()", True, id="only read"),
        pytest.param("with open(x, 'a') as y:  # noqa: AW108\n    y.write('a')", True, id="appended"),
        pytest.param("with tempfile.TemporaryFile('w') as y:  # noqa: AW108\n    y.write('a')", True, id="its own"),
        pytest.param(
            "with open(x, 'w') as y:  # noqa: AW108\n    await asyncio.sleep(0)\n    y.write('a')", True, id="anyway"
        ),
    ],
)
def test_a_file_that_others_would_see_half_written(text: str, safe: bool) -> None:
    found = of(text)
    assert found
    for reason in found:
        assert reason == "" if safe else "other tasks may now see the file half-written" in reason


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        pytest.param("if not os.path.exists(x):\n    os.mkdir(x)", False, id="make"),
        pytest.param("if os.path.isfile(x) and x:\n    os.remove(x)", False, id="remove"),
        pytest.param("y = Path(x)\nif not y.is_dir():\n    y.mkdir(parents=True)", False, id="path"),
        pytest.param("if os.path.exists(x):\n    pass\nelse:\n    os.makedirs(x)", False, id="else"),
        pytest.param("if not os.path.exists(x):\n    os.makedirs(x, exist_ok=True)", True, id="exist_ok"),
        pytest.param("y = Path(x)\nif y.exists():\n    y.unlink(missing_ok=True)", True, id="missing_ok"),
        pytest.param("if os.path.exists(self.y):\n    os.remove(x)", True, id="another file"),
        pytest.param(
            "try:\n    if os.path.exists(x):\n        os.remove(x)\nexcept OSError:\n    pass", True, id="caught"
        ),
        pytest.param("if os.path.exists(x):\n    await asyncio.sleep(0)\n    os.remove(x)", True, id="anyway"),
    ],
)
def test_asked_whether_a_file_is_there(text: str, safe: bool) -> None:
    """Without an `await` in between, no other task has made or removed it: no FileExistsError, no FileNotFoundError."""
    found = of(text)
    assert len(found) == 2
    for reason in found:
        assert reason == "" if safe else "another task may have made or removed it in between" in reason


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        pytest.param("os.chdir(x)\ntime.sleep(1)\nos.chdir('/')", False, id="between"),
        pytest.param("old = os.umask(0)\nos.makedirs(x)\nos.umask(old)", False, id="umask"),
        pytest.param("os.chdir(x)\nawait asyncio.sleep(0)\ntime.sleep(1)\nos.chdir('/')", True, id="anyway"),
        pytest.param("os.chdir(x)\ntime.sleep(1)", True, id="for good"),
        pytest.param("time.sleep(1)\nold = os.umask(0)\nos.umask(old)", True, id="before"),
    ],
)
def test_while_the_process_has_another_folder_or_umask(text: str, safe: bool) -> None:
    for reason in of(text):
        assert reason == "" if safe else "is in force for the whole process" in reason
    assert of(text)


def test_what_suppresses_everything_would_suppress_a_cancellation() -> None:
    source = in_coroutine(
        "with suppress({}):", "    time.sleep(1)", imports="import time\nfrom contextlib import suppress"
    )
    assert refused(source.format("ValueError, BaseException")) == [
        "under a `suppress` that would swallow a cancellation"
    ]
    assert refused(source.format("Exception")) == []


def test_an_interrupt_no_longer_arrives_at_the_call() -> None:
    """At an `await` the event loop gets the KeyboardInterrupt, not the coroutine."""
    for caught in ("KeyboardInterrupt", "(ValueError, KeyboardInterrupt)"):
        (reason,) = of(f"try:\n    time.sleep(1)\nexcept {caught}:\n    pass")
        assert "`except KeyboardInterrupt` no longer sees it" in reason
    assert of("try:\n    time.sleep(1)\nexcept ValueError:\n    pass") == [""]
    assert of("try:\n    pass\nexcept KeyboardInterrupt:\n    time.sleep(1)") == [""]


def test_leaving_a_block_is_not_cut_short() -> None:
    """`__aexit__` runs as `finally` does, also when the task is cancelled."""
    method = "import time\n\nclass C:\n    async def {}(self, *x):\n        time.sleep(1)\n"
    assert "also runs when the task is cancelled" in reasons(method.format("__aexit__"))[0]
    assert reasons(method.format("__aenter__")) == [""]


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("requests.get(x, **self.options)", False),
        ("subprocess.run(['a'], **x)", False),
        ("requests.get(x, **{'timeout': 1})", True),
        ("requests.get(x, **{'auth': x})", False),
        ("os.mkdir(x, **x)", True),
    ],
)
def test_keywords_that_nobody_can_see(text: str, safe: bool) -> None:
    """`**options` may hold what is not safe when it is written out: `preexec_fn`, `auth`, `hooks`."""
    (reason,) = of(text)
    assert (reason == "") is safe


@pytest.mark.parametrize(
    "text",
    [
        "self.n, y = self.n + time.sleep(1), 1",
        "self.n: int = self.n + time.sleep(1)",
        "[self.n] = [self.n, os.stat(x)]",
    ],
)
def test_read_and_written_in_other_kinds_of_assignment(text: str) -> None:
    (reason,) = of(text)
    assert "`self.n` is read before the `await`" in reason


PROGRAM = """\
import asyncio
import os


class Cache:
    def __init__(self):
        self.sizes = {"a": 1, "b": 2}

    async def drop_lost(self):
        return [name for name, size in self.sizes.items() if not os.path.exists(f"/nowhere/{name}")]

    async def add(self):
        self.sizes["c"] = 3


async def main():
    cache = Cache()
    return (await asyncio.gather(cache.drop_lost(), cache.add()))[0]
"""


def test_a_dict_that_another_task_fills() -> None:
    """With an `await` in the loop it fails with "dictionary changed size during iteration"."""
    names: dict[str, object] = {}
    exec(compile(fixed(PROGRAM), "program", "exec"), names)
    assert asyncio.run(names["main"]()) == ["a", "b"]  # type: ignore[operator]
