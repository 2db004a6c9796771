"""Which questions an edit of a module makes suspect: never too few, and few where few can be touched."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgiway_lint.analysis import asked, changed
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.suspects import Suspects, suspects
from asgiway_lint.analysis.warm import Grounds
from asgiway_lint.facts import read
from tests.linter.analysis.edited_project import PROJECT, STATEMENTS
from tests.linter.analysis.edits import EDITS, Edit
from tests.linter.analysis.test_changed import apply, check, write

MODULE = """
import time
from elsewhere import Base, helper

LIMIT = 3
limits = make(LIMIT)

def make(count):
    return [count]

def pause(seconds):
    time.sleep(seconds)

def rest():
    pause(LIMIT)

class Box(Base):
    size = LIMIT

    def __init__(self, path):
        self.path = path
        self.content = make(path)

    def __repr__(self):
        return self.describe()

    def __len__(self):
        return self.count()

    def describe(self):
        return self.path

    def count(self):
        return 1

    def rest(self):
        rest()

class Small(Box):
    pass

@helper(lambda: 1)
def decorated():
    pass
"""


def names(old: str, new: str) -> frozenset[str] | None:
    assert MODULE.count(old) == 1
    found = suspects(read(MODULE.encode()), read(MODULE.replace(old, new).encode()))
    return None if found is None else found.names - {"lambda", "comp", "gen"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param("import time\n", "# why\nimport time\n\n", "", id="a comment"),
        pytest.param("        return self.path", "        x = 1\n        return self.path", None, id="what repr needs"),
        pytest.param("        rest()", "        pause(1)", "rest", id="a body"),
        pytest.param("    pause(LIMIT)", "    pass", "rest", id="a function"),
        pytest.param("time.sleep(seconds)", "pass", "pause rest", id="a function that others call"),
        pytest.param("class Small", "def fresh(): pass\n\nclass Small", "fresh", id="a new function"),
        pytest.param("    def rest(self)", "    def fresh(self): pass\n    def rest(self)", "fresh", id="a new method"),
        pytest.param("class Small(Box):", "class New(Box): pass\n\nclass Small(Box):", "New", id="a new class"),
        pytest.param("class Small(Box):", "class Small:", None, id="another base"),
        pytest.param("LIMIT = 3", "LIMIT = 4", None, id="a constant that a class with a subclass is made of"),
        pytest.param("return 1\n\n", "return 2\n\n", None, id="what a special method calls"),
        pytest.param("@helper(lambda: 1)", "@helper(lambda: 2)", "decorated", id="in a decorator's arguments"),
        pytest.param("from elsewhere", "from other", None, id="a base that comes from elsewhere"),
    ],
)
def test_what_an_edit_makes_suspect(old: str, new: str, expected: str | None) -> None:
    found = names(old, new)
    if expected is None:
        assert found is None or {"Box", "describe", "LIMIT"} & found
    else:
        assert found == frozenset(expected.split())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["x = 1", "y = x", "x = 2"], ["x = 1", "x = 2", "y = x"]),
        (["if a:", "  x = 1"], ["if b:", "  x = 1"]),
        (["if a: x = 1", "else: y = 2"], ["if a: x = 1", "if b: y = 2"]),
        (["from a import *"], ["from b import *"]),
        (["class A:", "  def __enter__(self): f()"], ["class A:", "  def __enter__(self): g()"]),
        (["def f(self):", "  if self.x: g()"], ["def f(self):", "  if self.y: g()"]),
        (["x = a" + ".b" * 3000], ["x = a" + ".c" * 3000]),
    ],
)
def test_what_names_do_not_show_makes_all_suspect(old: list[str], new: list[str]) -> None:
    assert suspects(read("\n".join(old).encode()), read("\n".join(new).encode())) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["x = 1"], ["x = 1.0"]),
        (["x = 1"], ["x = True"]),
        (["def x(a): pass"], ["def x(b): pass"]),
        (["def x(a): pass"], ["def x(a=None): pass"]),
        (["def x(a): pass"], ["async def x(a): pass"]),
        (["def x(): return g(1)"], ["def x(): return g(2)"]),
        (["def x(): return 1"], ["def x(): yield 1"]),
        (["def x():", "  if c: return y", "  y = 1"], ["def x():", "  y = 1", "  if c: return y"]),
        (["def x():", "  if c: g()", "  h()"], ["def x():", "  if c: g(); h()"]),
        (["class A:", "  def f(self): self.x = 1"], ["class A:", "  def f(self): self.x = 2"]),
        (["class A:", "  def f(self): y = a; self.x = y"], ["class A:", "  def f(self): y = b; self.x = y"]),
        (["class A:", "  def f(self, y): self.x = y"], ["class A:", "  def f(self, y=1): self.x = y"]),
        (["@a(1)", "def x(): pass"], ["@a(2)", "def x(): pass"]),
        (["from a import b as x"], ["from a import c as x"]),
        (["def x():", "  def w(): f()", "  return w"], ["def x():", "  def w(): g()", "  return w"]),
        (["x = lambda: g()"], ["x = lambda: h()"]),
        (["x = [g() for a in b]"], ["x = [h() for a in b]"]),
        (["def y(): return 1", "def x(): return y()"], ["def y(): return 2", "def x(): return y()"]),
        (["def y(): pass", "def x(): getattr(a, 'y')()"], ["def y(): g()", "def x(): getattr(a, 'y')()"]),
        (["import y", "def x(): return y.z"], ["import z as y", "def x(): return y.z"]),
    ],
)
def test_x_is_suspect(old: list[str], new: list[str]) -> None:
    found = suspects(read("\n".join(old).encode()), read("\n".join(new).encode()))
    assert found is None or "x" in found.names


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(EDITS), st.sampled_from(sorted(PROJECT)), st.integers(0, 60), st.sampled_from(STATEMENTS))
def test_what_is_not_suspect_is_answered_as_before(edit: Edit, name: str, number: int, statement: str) -> None:
    """All of the rest is asked again here, to see."""
    wrong: list[object] = []

    def compared(
        evaluator: Evaluator, grounds: Grounds, edited: Mapping[str, Suspects | None]
    ) -> frozenset[str] | None:
        rest = [
            (path, question, told)
            for path, some in edited.items()
            if some is not None
            for question, told in grounds.told(path).items()
            if question not in some and told[0] != asked.UNSURE
        ]
        found = concerned_by(evaluator, grounds, edited)
        for path, question, told in rest:
            now = asked.told(evaluator, path, asked.decoded(evaluator, question))
            if found is not None and now != told[0] and not found.issuperset(grounds.askers(told)):
                wrong.append((path, question))
        return found

    concerned_by = changed.concerned_by
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        root = write(Path(folder))
        check(root)
        patch.setattr(changed, "concerned_by", compared)
        apply(root, (edit, name, number, statement))
        check(root)
    assert wrong == []
