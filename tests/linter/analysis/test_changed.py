"""A run after a change says what a run without any knowledge says, and looks only at what the change concerns."""

from __future__ import annotations

import ast
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgiway_lint import analysis
from asgiway_lint.analysis import warm
from asgiway_lint.analysis.check import check_module
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.run import FileReport, check_files
from asgiway_lint.analysis.session import Session
from asgiway_lint.config import Settings
from asgiway_lint.facts import Facts
from asgiway_lint.finding import Finding, Severity
from asgiway_lint.project.cache import FactsCache
from asgiway_lint.project.store import Store
from tests.linter.analysis.edited_project import PROJECT, STATEMENTS
from tests.linter.analysis.edits import EDITS, FILE_EDITS, Edit, insert


def write(root: Path) -> Path:
    (root / "package").mkdir()
    for name, text in PROJECT.items():
        (root / name).write_text(text)
    return root


def check(root: Path, *, cache: bool = True, jobs: int = 1) -> list[FileReport]:
    chosen = Settings(root=root, src=(root,), cache_dir=root / ".cache")
    return list(check_files(sorted(root.rglob("*.py")), lambda _: chosen, cache=cache, jobs=jobs))


def restore(path: Path, _: int, __: str) -> None:
    path.write_text(PROJECT[path.relative_to(path.parents[path.parent.name == "package"]).as_posix()])


def delete(path: Path, _: int, __: str) -> None:
    path.unlink(missing_ok=True)


def hide(path: Path, number: int, _: str) -> None:
    """A new module of the project with the name of a library's."""
    name = ("time.py", "requests.py", "asyncio.py")[number % 3]
    (path.parent / name).write_text("def sleep(x): pass\n")


edits = st.lists(
    st.tuples(
        st.sampled_from((*EDITS, *FILE_EDITS, restore, delete, hide)),
        st.sampled_from(sorted(PROJECT)),
        st.integers(0, 60),
        st.sampled_from(STATEMENTS),
    ),
    min_size=1,
    max_size=6,
)


def apply(root: Path, edit: tuple[Edit, str, int, str]) -> None:
    change, name, number, statement = edit
    path = root / name
    if not path.exists():
        restore(path, 0, "")
    change(path, number, statement)


@settings(max_examples=80, deadline=None)
@given(edits=edits, at_once=st.integers(1, 3))
def test_random_edits_warm_equals_cold(edits: list[tuple[Edit, str, int, str]], at_once: int) -> None:
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
    return watch(monkeypatch)


def watch(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are analysed from here on, in order."""
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
        pytest.param("base.py", "pass\n", "len(self.url)\n", "base", id="a body that blocks no more"),
        pytest.param("base.py", "pass\n", "time.sleep(1)\n", "base calm app", id="a body that blocks now"),
        pytest.param(
            "base.py", "import time, asy", "\nimport time, asy", "base app sky", id="lines that findings name"
        ),
        pytest.param("mid.py", "retry(3, f", "retry(4, f", "", id="lines of a chain"),
        pytest.param("mid.py", "    whole.quiet()", "    whole.quiet(None)", "", id="a call of something as harmless"),
        pytest.param(
            "mid.py", "    whole.quiet()", "    whole.asks()", "app calm", id="what blocks for no caller at all"
        ),
        pytest.param("mid.py", "    whole.quiet()", "    whole.quiet(1)", "app calm", id="a call of what blocks then"),
        pytest.param("mid.py", "-> Special:", "-> str:", "app", id="a signature"),
        pytest.param("base.py", "requests.Session()", "None", "base app sky", id="an attribute"),
        pytest.param("base.py", "return function(*args)", "return None", "base app sky", id="a decorator's wrapper"),
        pytest.param("base.py", "        function()", "        print()", "base app", id="a parameter that is called"),
        pytest.param("app.py", "nothing()", "nothing( )", "app", id="the file itself"),
        pytest.param("base.py", "        yield self", "        x = 1\n        yield self", "base", id="a variable"),
        pytest.param(
            "base.py",
            "        yield self",
            "        self.x = 1\n        yield self",
            "base",
            id="an attribute not asked for",
        ),
        pytest.param("base.py", "yield self\n", "yield self\n\ndef fresh(): pass\n", "base", id="a function"),
        pytest.param("base.py", "yield self\n", "yield self\n\nclass Fresh: pass\n", "base", id="a class"),
        pytest.param("base.py", "yield self\n", "yield self\nimport colorsys\n", "base", id="an import"),
        pytest.param("base.py", "yield self\n", "yield self\n    def fresh(self): pass\n", "base", id="a method"),
        pytest.param(
            "stars.py", "    slow()\n", "    slow()\ndef deep(): pass\n", "sky", id="a name that hides a star's"
        ),
        pytest.param(
            "values.py",
            "        return Plain()",
            "        return None",
            "flow",
            id="a result, through another module",
        ),
        pytest.param(
            "values.py", "return plain", "return plain\ndef three(): pass", "", id="a name asked for elsewhere"
        ),
        pytest.param("passed.py", "    return one()", "    return None", "flow unmade", id="a result"),
        pytest.param("passed.py", "    return one()", "    return one", "flow unmade", id="a result that is no object"),
        pytest.param("passed.py", "class Mine(Kept):", "class Mine:", "flow unmade", id="a base"),
        pytest.param("passed.py", "def calm():", "def serene():", "calmer", id="a name that goes"),
        pytest.param("passed.py", "mine = Mine()", "mine = nothing", "flow", id="a value"),
        pytest.param(
            "package/inner.py",
            "        apply(self",
            "        print(self",
            "",
            id="who is called by what is handed over",
        ),
    ],
)
def test_only_what_a_change_concerns_is_analysed(
    project: Path, analysed: list[str], name: str, old: str, new: str, expected: str
) -> None:
    edit(project / name, old, new)
    after = check(project)
    assert set(analysed) == {f"{module}.py" for module in expected.split()}
    analysed.clear()
    assert check(project) == after
    assert analysed == []
    assert check(project, cache=False) == after


def many(root: Path) -> None:
    """Files that have nothing to do with the others: of few files one more is another project."""
    for number in range(30):
        (root / f"other{number}.py").write_text("async def other(): pass\n")


def write_module(name: str, text: str = "def deep(): pass\n") -> Callable[[Path], object]:
    return lambda root: (root / name).write_text(text)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(write_module("alone.py", "async def f(): pass"), "alone", id="a module that nobody imports"),
        pytest.param(write_module("missing.py"), "vain", id="a module that somebody imports in vain"),
        pytest.param(write_module("package/missing.py"), "vain", id="a submodule that somebody imports in vain"),
        pytest.param(write_module("time.py", "def sleep(x): pass"), "leaf", id="a module that hides a library's"),
        pytest.param(lambda root: (root / "leaf.py").unlink(), "", id="a module goes that nobody imports"),
        pytest.param(lambda root: (root / "package" / "inner.py").unlink(), "sky", id="a module goes"),
        pytest.param(lambda root: (root / "mid.py").rename(root / "made.py"), "app calm", id="a module is renamed"),
        pytest.param(lambda root: (root / "notes.txt").write_text(""), "", id="a file that is no module"),
    ],
)
def test_only_what_a_file_concerns_that_comes_or_goes_is_analysed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object], expected: str
) -> None:
    root = write(tmp_path)
    many(root)
    (root / "vain.py").write_text(
        "from missing import deep\nfrom package.missing import deep as other\n\nasync def f():\n    deep()\n    other()\n"
    )
    check(root)
    seen = watch(monkeypatch)
    change(root)
    after = check(root)
    found = {name.removesuffix(".py") for name in seen}
    assert found >= set(expected.split())
    assert not {name for name in found if name.startswith("other")}
    assert len(found) <= 6
    seen.clear()
    assert check(root) == after
    assert seen == []
    assert check(root, cache=False) == after


def test_files_come_and_go_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the second run rests on is known though it looked at few files, and had another list of them."""
    root = write(tmp_path)
    many(root)
    check(root)
    seen = watch(monkeypatch)
    for name in ("time.py", "fresh.py", "package/fresh.py"):
        (root / name).write_text("def sleep(x): pass\n")
        assert check(root) == check(root, cache=False)
    (root / "leaf.py").write_text("from fresh import sleep\n\nasync def leaf():\n    sleep(1)\n")
    assert check(root) == check(root, cache=False)
    (root / "fresh.py").write_text("import requests\n\ndef sleep(x): requests.get('u')\n")
    seen.clear()
    after = check(root)
    assert seen == ["leaf.py"]
    assert after == check(root, cache=False)
    (root / "fresh.py").unlink()
    (root / "time.py").unlink()
    seen.clear()
    after = check(root)
    assert 0 < len(seen) < 8
    assert after == check(root, cache=False)


def test_files_come_and_go_where_settings_differ(tmp_path: Path) -> None:
    """What was told under other settings is not kept apart: then a file that comes makes the run a full one."""
    root = write(tmp_path)
    many(root)
    cache = root / ".cache"
    chosen = [Settings(root=root, src=(root,), cache_dir=cache), Settings(root=root, src=(), cache_dir=cache)]

    def both(*, cache: bool) -> list[FileReport]:
        files = sorted(root.rglob("*.py"))
        return list(check_files(files, lambda path: chosen[path.stem.startswith("s")], cache=cache, jobs=1))

    before = both(cache=True)
    for change in (
        write_module("time.py", "def sleep(x): pass"),
        lambda root: (root / "mid.py").unlink(),
        lambda root: edit(root / "base.py", "def fetch(self):", "def fetched(self):"),
    ):
        change(root)
        after = both(cache=True)
        assert after == both(cache=False)
    assert before != after


def test_two_changes_one_after_the_other(project: Path, analysed: list[str]) -> None:
    """What the second run rests on is known though it looked at one file only."""
    edit(project / "base.py", "pass\n", "len(self.url)\n")
    check(project)
    edit(project / "base.py", "len(self.url)\n", "time.sleep(1)\n")
    assert check(project) == check(project, cache=False)
    edit(project / "base.py", "time.sleep(1)\n\n    @c", "pass\n\n    @c")
    assert check(project) == check(project, cache=False)
    assert analysed.count("leaf.py") == 2  # in the two runs without a cache


JOBS = (
    "class Base:\n    def run(self):\n        self.other()\n    def other(self):\n        print()\n"
    "    def step(self):\n        pass\nclass Job(Base):\n    def step(self):\n        time.sleep(1)\n"
)


@pytest.mark.parametrize(
    ("helper", "old", "new", "caller"),
    [
        pytest.param(
            "def load(path=None):\n    time.sleep(1)\n",
            "time.sleep(1)",
            "if path: time.sleep(1)",
            "load()",
            id="a parameter that is asked about now",
        ),
        pytest.param(
            "class Log:\n    def __init__(self, path=None):\n        self.path = path\n"
            "    def write(self):\n        time.sleep(1)\n",
            "time.sleep(1)",
            "if self.path: time.sleep(1)",
            "Log().write()",
            id="an attribute that is asked about now",
        ),
        pytest.param(
            "class Log:\n    def __init__(self, path=None):\n        self.file = path\n"
            "    def write(self):\n        if self.path: time.sleep(1)\n",
            "self.file = path",
            "self.path = path",
            "Log().write()",
            id="an attribute that has been asked about",
        ),
        pytest.param(
            "def through(function):\n    def wrapper():\n        return function()\n    return wrapper\n"
            "@through\ndef load():\n    time.sleep(1)\n",
            "return function()",
            "return None",
            "load()",
            id="a wrapper that calls nothing now",
        ),
        pytest.param(
            "class Log:\n    def __enter__(self):\n        time.sleep(1)\ndef load():\n    with Log():\n        pass\n",
            "__enter__",
            "__leave__",
            "load()",
            id="a special method",
        ),
        pytest.param(
            "def run(function):\n    print()\n",
            "print()",
            "function()",
            "run(time.sleep)",
            id="a parameter that is called now",
        ),
        pytest.param(
            JOBS,
            "self.other()",
            "self.step()",
            "Job().run()",
            id="a method that a base calls of its object now",
        ),
        pytest.param(
            JOBS,
            "print()",
            "self.step()",
            "Job().run()",
            id="a method that a base calls of its object now, by another one",
        ),
        pytest.param(
            JOBS.replace("self.other()", "self.step()"),
            "def step(self):\n        time",
            "def stop(self):\n        time",
            "Job().run()",
            id="a method that the object's own class has no more",
        ),
    ],
)
def test_what_tells_calls_apart(tmp_path: Path, helper: str, old: str, new: str, caller: str) -> None:
    """A call's arguments, or the object that it is made on, may matter now where they did not."""
    (tmp_path / "helper.py").write_text(f"import time\n\n{helper}")
    (tmp_path / "user.py").write_text(f"import time\nfrom helper import *\n\nasync def user():\n    {caller}\n")
    before = check(tmp_path)
    edit(tmp_path / "helper.py", old, new)
    after = check(tmp_path)
    assert after == check(tmp_path, cache=False)
    assert sorted(len(report.findings) for report in (before[1], after[1])) == [0, 1]


def test_a_file_that_is_looked_at_as_a_whole(tmp_path: Path) -> None:
    """Whether Django runs a view depends on ``urls.py``, which the view does not import, and on what that imports."""
    (tmp_path / "settings.py").write_text("WSGI_APPLICATION = 'app'\n")
    (tmp_path / "compat.py").write_text("from django.urls import path\n")
    (tmp_path / "urls.py").write_text("from compat import path\nimport views\npatterns = [path('', views.view)]\n")
    (tmp_path / "views.py").write_text("import django, time\n\nasync def view(request):\n    time.sleep(1)\n")
    before = check(tmp_path)
    edit(tmp_path / "compat.py", "from django.urls import path", "from nowhere import path")
    after = check(tmp_path)
    assert after == check(tmp_path, cache=False)
    assert [report[3].findings[0].severity for report in (before, after)] == [Severity.INFO, Severity.ERROR]


def test_a_wrapper_that_calls_something_else(tmp_path: Path) -> None:
    """The chain of calls does not lead through the decorator's module."""
    (tmp_path / "wraps.py").write_text("def wraps(f):\n    def inner():\n        f()\n    return inner\n")
    (tmp_path / "helper.py").write_text("import time\nfrom wraps import wraps\n@wraps\ndef load(): time.sleep(1)\n")
    (tmp_path / "user.py").write_text("from helper import load\n\nasync def user():\n    load()\n")
    before = check(tmp_path)
    edit(tmp_path / "wraps.py", "        f()", "        f = print\n        f()")
    after = check(tmp_path)
    assert after == check(tmp_path, cache=False)
    assert [len(report[1].findings) for report in (before, after)] == [1, 0]


def test_a_function_that_was_handed_over_is_gone(project: Path) -> None:
    """What was said of a helper that calls it is forgotten; it must not be asked for by its number again."""
    edit(project / "values.py", "class Thin", "def last():\n    pass\n\nclass Thin")
    edit(project / "chained.py", "run(other.get)", "run(other.get)\n    run(values.last)")
    edit(project / "chained.py", "from passed", "import values\nfrom passed")
    assert check(project) == check(project, cache=False)
    (project / "values.py").write_text("class Plain:\n    pass\nother = shared = Plain()\n")
    assert check(project) == check(project, cache=False)
    edit(project / "passed.py", "    function()\n\ndef calm", "    function\n\ndef calm")
    assert check(project) == check(project, cache=False)


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
        blocking._awaited_later blocking._is_calm blocking._is_new blocking._silenced blocking.direct_call
        contexts._run_in_place given._collect given.is_awaited_elsewhere given.is_handed_over
        guards._inside guards.excluded guards.made_once
        handed.called_parameters hops._is_given_away hops._sorted_by_scope hops.hops_of questions.__init__ questions._around
        questions._first_seq questions._is_handler questions._is_inside questions._leaves questions._of_block questions._of_guard
        questions.holds questions.with_a_loop relations._query states.of_receiver
    """,
    "What it says is a part of `Answers.asks`.": """
        questions._is_question
    """,
    "What it says is a part of the answers to questions (`asked`).": """
        evaluate.call members.own_member names._member names.lookup
    """,
    "What it says is a part of a handle, or a question of its own.": """
        decorators._calls decorators._inner guards.asked_parameters handed.calls_parameters receivers.calls_self states.conditions
    """,
    "It is tied to the whole of the file.": """
        views._routed views._says
    """,
    "It compares a module with what it was before.": """
        parts._arms parts._blocks parts._function parts._inner_call parts.conditions parts.parts
    """,
}


def readers(*attributes: str) -> Iterator[str]:
    """The functions of the engine that read some attributes of facts or scopes."""
    for path in sorted(Path(analysis.__path__[0]).glob("*.py")):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Attribute) and node.attr in attributes:
                        yield f"{path.stem}.{function.name}"
                        break


# Who looks for names, members or attributes, and how it is known what was looked for.
NAME_READERS: dict[str, str] = {
    "It looks only at the module under check, or is tied to the whole of the file.": """
        callbacks._is_future hazards._uwsgi libraries._imported views._imports views._says
    """,
    "It writes down what is asked for, or is called by one that does.": """
        members.stated members.own_member members._collect_assigned names._member
    """,
    "It looks names up for answers to questions (`asked`).": """
        names.lookup names._from_stars
    """,
    "What it says is a part of a handle.": """
        decorators._calls decorators._inner decorators.runs_its_function handed._add handed.is_constant receivers._owner
        states.stored
    """,
    "It compares a module with what it was before.": """
        parts._attribute parts._bindings parts._bound parts._function parts._inner_scope parts._scope
        parts.frame parts.parts
    """,
    "It looks at bodies: what it says is a part of `Answers.ends`.": """
        blocking._awaited_later blocking._is_datagram blocking._is_new guards._filled guards.given_to_call
        handed.called_parameters names.is_fixed
        questions.__init__ questions._first_seq receivers._means_self relations._query states._made targets._iterated
    """,
}


def test_who_looks_for_names_is_known() -> None:
    """A new one that looks for a name of another module without writing it down does not feel when the name comes or goes."""
    known = sorted(" ".join(NAME_READERS.values()).split())
    assert sorted(set(readers("bindings", "attributes", "stars"))) == known


def test_who_looks_at_bodies_is_known() -> None:
    """A new one that looks at other modules' bodies changes findings by edits that nobody feels: see `analysis.asked`."""
    assert sorted(set(readers("calls", "events", "blocks"))) == sorted(" ".join(BODY_READERS.values()).split())


def leading_to(changed: list[str], edges: Iterable[tuple[str, str]]) -> frozenset[str]:
    """As it is answered after the edges have been kept and recalled."""
    with tempfile.TemporaryDirectory() as folder:
        cache = FactsCache(Path(folder))
        warm.remember(cache, b"key", [], warm.Grounds(edges=dict.fromkeys(edges)))
        grounds = warm.Grounds()
        cache.close()
        cache = FactsCache(Path(folder))
        assert warm.recall_ties(cache, b"key", grounds)
        cache.close()
        return grounds.leading_to(changed)


def test_leading_to() -> None:
    edges = [("a", "b"), ("b", "c"), ("c", "b"), ("d", "a"), ("x", "y")]
    assert leading_to(["c"], edges) == {"a", "b", "c", "d"}
    assert leading_to(["d", "new"], edges) == {"d", "new"}
    assert leading_to([], [("a", "b")]) == frozenset()
