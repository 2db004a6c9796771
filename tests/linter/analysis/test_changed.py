"""A run after a change says what a run without any knowledge says, and looks only at what the change concerns."""

from __future__ import annotations

import ast
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgiway_lint import analysis
from asgiway_lint.analysis import warm
from asgiway_lint.analysis.changed import leading_to, seen_alike
from asgiway_lint.analysis.check import check_module
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.run import FileReport, check_files
from asgiway_lint.analysis.session import Session
from asgiway_lint.config import Settings
from asgiway_lint.facts import Facts, read
from asgiway_lint.finding import Finding
from asgiway_lint.project.store import Store

PROJECT = {
    "base.py": """
import time, asyncio, functools, contextlib
import requests

def passes_on(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper

def retry(count, function):
    for _ in range(count):
        function()

def asks():
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True

def quiet(value=None):
    if value is not None:
        time.sleep(value)

@passes_on
def slow():
    time.sleep(1)

class Client:
    session = None

    def __init__(self, url):
        self.url = url
        self.http = requests.Session()

    @property
    def status(self):
        return self.http.get(self.url)

    def fetch(self):
        return self.http.get(self.url)

    def close(self):
        pass

    @contextlib.contextmanager
    def opened(self):
        yield self
""",
    "mid.py": """
from base import Client, asks, quiet, retry, slow
import base as whole

class Special(Client):
    def fetch(self):
        return super().fetch()

    def both(self):
        self.close()
        return self.fetch()

def make() -> Special:
    return Special("u")

def guess():
    return Special("u")

def careful():
    if asks():
        return None
    return slow()

def through(function):
    retry(3, function)

def nothing():
    whole.quiet()
""",
    "app.py": """
import mid
from mid import careful, guess, make, nothing, through
from base import slow

async def one():
    slow()
    careful()
    nothing()

async def two():
    make().both()
    guess().status
    with guess().opened() as client:
        client.close()

async def three():
    through(slow)
    mid.through(print)
""",
    "calm.py": """
from base import Client
from mid import nothing

async def calm():
    Client("u").close()
    nothing()
""",
    "leaf.py": """
from time import sleep

async def leaf():
    sleep(1)
""",
}

STATEMENTS = (
    "pass",
    "x = 1",
    "# a comment",
    "time.sleep(2)",
    "import time; time.sleep(3)",
    "return None",
    "return slow()",
    "return Client('u')",
    "slow()",
    "quiet(1)",
    "function()",
    "self.close()",
    "self.http = None",
    "self.extra = Client('v')",
    "asyncio.get_running_loop()",
    "if asks(): return",
    "yield 1",
    "global slow; slow = print",
    "value = lambda: time.sleep(1)",
    "retry(2, lambda: time.sleep(1))",
    "@property",
    "def inner(): time.sleep(1)",
    "class Client: pass",
    "raise ValueError",
    "for _ in range(3): pass",
    "x = = 1",
)


def write(root: Path) -> Path:
    for name, text in PROJECT.items():
        (root / name).write_text(text)
    return root


def check(root: Path, *, cache: bool = True, jobs: int = 1) -> list[FileReport]:
    chosen = Settings(root=root, src=(root,), cache_dir=root / ".cache")
    return list(check_files(sorted(root.glob("*.py")), lambda _: chosen, cache=cache, jobs=jobs))


def insert(path: Path, number: int, statement: str) -> None:
    """Put a statement behind a line, indented as that line is, or deeper if that opens a block."""
    lines = path.read_text().split("\n")
    before = lines[number % len(lines)]
    indent = len(before) - len(before.lstrip()) + 4 * before.rstrip().endswith(":")
    lines.insert(number % len(lines) + 1, " " * indent + statement)
    path.write_text("\n".join(lines))


def remove(path: Path, number: int, _: str) -> None:
    lines = path.read_text().split("\n")
    del lines[number % len(lines)]
    path.write_text("\n".join(lines))


def restore(path: Path, _: int, __: str) -> None:
    path.write_text(PROJECT[path.name])


def delete(path: Path, _: int, __: str) -> None:
    path.unlink(missing_ok=True)


def hide(path: Path, number: int, _: str) -> None:
    """A new module of the project with the name of a library's."""
    name = ("time.py", "requests.py", "asyncio.py")[number % 3]
    (path.parent / name).write_text("def sleep(x): pass\n")


EDITS: tuple[Callable[[Path, int, str], None], ...] = (insert,) * 6 + (remove,) * 2 + (restore, delete, hide)

edits = st.lists(
    st.tuples(
        st.sampled_from(EDITS), st.sampled_from(sorted(PROJECT)), st.integers(0, 60), st.sampled_from(STATEMENTS)
    ),
    min_size=1,
    max_size=6,
)


def apply(root: Path, edit: tuple[Callable[[Path, int, str], None], str, int, str]) -> None:
    change, name, number, statement = edit
    path = root / name
    if not path.exists():
        restore(path, 0, "")
    change(path, number, statement)


@settings(max_examples=120, deadline=None)
@given(edits=edits, at_once=st.integers(1, 3))
def test_random_edits_warm_equals_cold(
    edits: list[tuple[Callable[[Path, int, str], None], str, int, str]], at_once: int
) -> None:
    """Issue 4, section 1: with cache or without, the findings are the same."""
    with tempfile.TemporaryDirectory() as folder:
        root = write(Path(folder))
        check(root)
        for number, edit in enumerate(edits, 1):
            apply(root, edit)
            if number % at_once == 0 or number == len(edits):
                assert check(root) == check(root, cache=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path)
    check(tmp_path)
    return tmp_path


@pytest.fixture
def analysed(project: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are analysed from here on, not recalled."""
    seen: list[str] = []

    def counted(evaluator: Evaluator, path: str, facts: Facts, settings: Settings) -> tuple[Finding, ...]:
        seen.append(Path(path).name)
        return check_module(evaluator, path, facts, settings)

    monkeypatch.setattr("asgiway_lint.analysis.session.check_module", counted)
    return seen


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        pytest.param("leaf.py", "sleep(1)", "sleep(2)", "leaf", id="a leaf"),
        pytest.param("base.py", "pass\n", "len(self.url)\n", "app base", id="a body that blocks no more"),
        pytest.param("base.py", "pass\n", "time.sleep(1)\n", "app base calm", id="a body that blocks now"),
        pytest.param("base.py", "import time, asy", "\nimport time, asy", "app base", id="lines that findings name"),
        pytest.param("mid.py", "retry(3, f", "retry(4, f", "app", id="lines of a chain"),
        pytest.param("mid.py", "    whole.quiet()", "    whole.asks()", "app", id="a call of something as harmless"),
        pytest.param("mid.py", "    whole.quiet()", "    whole.quiet(1)", "app calm", id="a call of what blocks then"),
        pytest.param("mid.py", "-> Special:", "-> str:", "app calm", id="a signature"),
        pytest.param("base.py", "requests.Session()", "None", "app base calm", id="an attribute"),
        pytest.param("base.py", "return function(*args)", "return None", "app base calm", id="a decorator's wrapper"),
        pytest.param(
            "base.py", "        function()", "        print()", "app base calm", id="a parameter that is called"
        ),
        pytest.param("app.py", "nothing()", "nothing( )", "app", id="the file itself"),
    ],
)
def test_only_what_a_change_concerns_is_analysed(
    project: Path, analysed: list[str], name: str, old: str, new: str, expected: str
) -> None:
    edit(project / name, old, new)
    after = check(project)
    assert analysed == [f"{module}.py" for module in expected.split()]
    analysed.clear()
    assert check(project) == after
    assert analysed == []
    assert check(project, cache=False) == after


def test_two_changes_one_after_the_other(project: Path, analysed: list[str]) -> None:
    """What the second run rests on is known though it looked at one file only."""
    edit(project / "base.py", "pass\n", "len(self.url)\n")
    check(project)
    edit(project / "base.py", "len(self.url)\n", "time.sleep(1)\n")
    assert check(project) == check(project, cache=False)
    edit(project / "base.py", "time.sleep(1)\n\n    @c", "pass\n\n    @c")
    assert check(project) == check(project, cache=False)
    assert analysed.count("leaf.py") == 2  # in the two runs without a cache


def test_changes_in_many_files_and_processes(tmp_path: Path) -> None:
    root = write(tmp_path)
    for number in range(30):
        (root / f"user{number}.py").write_text(PROJECT["app.py"])
    check(root, jobs=2)
    rng = random.Random(3)
    for _ in range(4):
        for path in rng.sample(sorted(root.glob("user*.py")), 5):
            insert(path, rng.randrange(20), "time.sleep(1)")
        insert(root / "base.py", rng.randrange(40), rng.choice(STATEMENTS[:12]))
        assert check(root, jobs=2) == check(root, cache=False)


def test_old_files_are_not_read_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times, size and number of a file that was not young tell that it is the same."""
    monkeypatch.setattr(warm, "_YOUNG_NS", -(10**12))  # even a file of this moment is old enough
    shutil.rmtree(project / ".cache")
    first = check(project)

    def refuse(path: Path) -> bytes:
        raise AssertionError(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        assert check(project) == first
    (project / "leaf.py").write_text(PROJECT["leaf.py"].replace("sleep(1)", "print(1)"))
    assert check(project) == check(project, cache=False) != first


def test_a_young_file_is_read_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two changes within one tick of the clock leave the same times."""
    same = (1, 1, 1, 1)
    monkeypatch.setattr(warm, "_stamp", lambda _: same)
    monkeypatch.setattr("asgiway_lint.analysis.warm.time.time_ns", lambda: 2)
    shutil.rmtree(project / ".cache")
    check(project)
    edit(project / "leaf.py", "sleep(1)", "print(1)")
    assert check(project) == check(project, cache=False)


def test_files_that_only_look_changed_are_remembered(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = check(project)
    for path in project.glob("*.py"):
        path.touch()
    monkeypatch.setattr(warm, "_YOUNG_NS", -(10**12))
    assert check(project) == first
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(str(path)))
    assert check(project) == first


def lines(*texts: str) -> bytes:
    return "\n".join(texts).encode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["x = 1"], ["# why", "", "x = 1"]),
        (["def f():", "    g()", "    return 1"], ["def f():", "    h()", "    if x: g()", "    return 1"]),
        (["def f():", "    x = g()", "    x.y()"], ["def f():", "    k(lambda: 1)", "    x = g()", "    x.z()"]),
        (["class A:", "  def f(self): self.x = 1"], ["class A:", "  def f(self): [a for a in b]; self.x = 1"]),
    ],
)
def test_what_cannot_be_seen_from_outside(before: list[str], after: list[str]) -> None:
    assert seen_alike(read(lines(*before)), read(lines(*after))) is not None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["x = 1"], ["x = 2"]),
        (["x = 1"], ["x = 1.0"]),
        (["x = 1"], ["x = True"]),
        (["def f(a): pass"], ["def f(b): pass"]),
        (["def f(a): pass"], ["def f(a=None): pass"]),
        (["def f(a): pass"], ["async def f(a): pass"]),
        (["def f(): return g()"], ["def f(): return h()"]),
        (["def f(): return g(1)"], ["def f(): return g(2)"]),
        (["def f(): return 1"], ["def f(): yield 1"]),
        (["x = a", "x = b"], ["x = b", "x = a"]),
        (["if c: x = a", "else: x = b"], ["if c: x = a", "if d: x = b"]),
        (["def f():", "  if c: return x", "  x = 1"], ["def f():", "  x = 1", "  if c: return x"]),
        (["class A:", "  def f(self): self.x = 1"], ["class A:", "  def f(self): self.x = 2"]),
        (["class A(B): pass"], ["class A(C): pass"]),
        (["from a import b"], ["from a import c as b"]),
        (["from a import *"], ["from b import *"]),
        (["@a", "def f(): pass"], ["@b", "def f(): pass"]),
        (["def f(g): pass"], ["def f(g): g()"]),
        (["def f(g): pass"], ["def f(g):", "  if g: h()"]),
        (["def d(f):", "  def w(): f()", "  return w"], ["def d(f):", "  def w(): g()", "  return w"]),
        (["f = lambda: g()"], ["f = lambda: h()"]),
        (["x = [g() for a in b]"], ["x = [h() for a in b]"]),
    ],
)
def test_what_can_be_seen_from_outside(before: list[str], after: list[str]) -> None:
    assert seen_alike(read(lines(*before)), read(lines(*after))) is None


FIXTURES = Path(__file__).parents[1] / "fixtures"


class Asked(Store):
    """A store that writes down whose facts are asked for."""

    def __init__(self) -> None:
        super().__init__(None, "test")
        self.asked: set[str] = set()

    def facts(self, path: str) -> Facts | None:
        self.asked.add(path)
        return super().facts(path)


@pytest.mark.parametrize("folder", sorted((FIXTURES / "projects").iterdir()), ids=lambda folder: folder.stem)
def test_whatever_is_looked_at_lies_along_the_edges(folder: Path) -> None:
    """A module that is looked at past `ModuleFinder.find` and `submodule` needs a `tie`, or its changes are not felt."""
    chosen = Settings(root=folder, src=(folder, folder / "src"))
    for file in sorted(folder.rglob("*.py")):
        store = Asked()
        session = Session(store)
        session.check(str(file), chosen)
        edges = {(whole_of(a), whole_of(b)) for a, b in session.edges()}
        backwards = [(b, a) for a, b in edges]
        assert store.asked <= leading_to([str(file)], backwards)


def whole_of(name: str) -> str:
    return name.removesuffix(f"{os.sep}*")


# Who looks at the calls, events or blocks of a module, and why a change of these is felt where it matters.
BODY_READERS: dict[str, str] = {
    "It looks only at the module under check.": """
        callbacks.callbacks endpoints.never_await hazards._monkey_patches hazards._state_on_app
        hazards._thread_locals hazards._uwsgi views._registered_with_flask
    """,
    "What it says is a part of `Answers.ends`.": """
        blocking._awaited_later blocking._is_calm blocking._is_new blocking._silenced blocking._takers blocking.direct_call
        blocking.handed_over contexts._run_in_place guards._inside guards.excluded guards.made_once
        hops._is_given_away hops._sorted_by_scope hops.hops_of questions.__init__ questions._around
        questions._first_seq questions._is_handler questions._leaves questions._of_block questions._of_guard
        questions._parents questions.holds questions.with_a_loop relations._query states.of_receiver
    """,
    "What it says is a part of `Answers.asks`.": """
        questions._is_question
    """,
    "It looks at calls, or the order of bindings, that are a part of the outline.": """
        decorators._inner evaluate.call members._own_member names._member names.lookup
    """,
    "`seen_alike` compares what it says.": """
        changed._asked_attributes changed._called_from_inside decorators._calls guards.asked_parameters
        handed.calls_parameters states._fixed
    """,
    "It is tied to the whole of the file.": """
        views._routed views._says
    """,
}


def body_readers() -> Iterator[str]:
    for path in sorted(Path(analysis.__path__[0]).glob("*.py")):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Attribute) and node.attr in ("calls", "events", "blocks"):
                        yield f"{path.stem}.{function.name}"
                        break


def test_who_looks_at_bodies_is_known() -> None:
    """A new one that looks at other modules' bodies changes findings by edits that `outline` does not see: see `analysis.changed`."""
    assert sorted(set(body_readers())) == sorted(" ".join(BODY_READERS.values()).split())


def test_what_is_nested_too_deeply_counts_as_seen() -> None:
    source = ("x = a" + ".b" * 3000).encode()
    assert seen_alike(read(source), read(source)) is None


def test_leading_to() -> None:
    edges: Iterator[tuple[str, str]] = iter([("a", "b"), ("b", "c"), ("c", "b"), ("d", "a"), ("x", "y")])
    assert leading_to(["c"], edges) == {"a", "b", "c", "d"}
    assert leading_to([], [("a", "b")]) == frozenset()
