"""What files ask each other is written down, whatever it is: what goes by unnoticed would not be asked again after a change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asgiway_lint.analysis import asked
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.values import CLASS, FUNCTION
from asgiway_lint.catalogue import load
from asgiway_lint.project.modules import ModuleFinder
from asgiway_lint.project.store import Store
from tests.linter.analysis.test_changed import check, write

# What is remembered of a file and looked up on behalf of another, and how that is known.
SHARED: dict[str, str] = {
    "There is a question of that kind, or one that leads to it.": """
        abstract asks attribute bases binding call decorators differs member returns
    """,
    "There is a question, by another name.": """
        fixed+attributes calls+of+self
    """,
    "It is read in the course of questions that say what is read of it (`has`, `own`, `sets`).": """
        assigned
    """,
    "What it says is a part of what a function leads to (`ends`).": """
        called+parameters
    """,
    "It is a part of handles.": """
        calls+parameters calls+self guarded
    """,
    "It is no finding's ground, but a part of how answers are kept.": """
        handle keys told
    """,
}


def test_what_is_shared_between_files_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[str] = set()

    def watched(method: Callable[..., Any]) -> Callable[..., Any]:
        def look(self: Evaluator, key: tuple[object, ...], compute: Callable[[], Any]) -> Any:
            if len(key) > 1 and isinstance(key[1], str) and key[1].endswith(".py") and key[1] != self.current:
                seen.add(str(key[0]).replace(" ", "+"))
            return method(self, key, compute)

        return look

    monkeypatch.setattr(Evaluator, "once", watched(Evaluator.once))
    monkeypatch.setattr(Evaluator, "table", watched(Evaluator.table))
    check(write(tmp_path))
    assert {"member", "attribute", "returns", "decorators"} <= seen <= set(" ".join(SHARED.values()).split())


def answer(folder: Path, text: str, question: str, *rest: Any) -> bytes:
    path = folder / "module.py"
    path.write_text(text)
    evaluator = Evaluator(Store(None, "test"), ModuleFinder(str(folder), ()), load())
    made = asked.decoded(evaluator, (question, *[_about(str(path), one) for one in rest]))
    return asked.told(evaluator, str(path), made)


def _about(path: str, part: Any) -> Any:
    return (part[0], path, part[1]) if isinstance(part, tuple) and part else path if part == "path" else part


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def f(a): pass", "def f(b): pass"),
        ("def f(a): pass", "def f(a=None): pass"),
        ("def f(a): pass", "async def f(a): pass"),
        ("def f(a): pass", "def f(a): yield 1"),
        ("def f(a): pass", "def f(a): a()"),
        ("def f(a): pass", "def f(a):\n  if a: b()"),
        ("def f(a):\n  def w(): a()\n  return w", "def f(a):\n  def w(): b()\n  return w"),
        ("class f: pass", "def f(): pass"),
        ("f = 1", "def f(): pass"),
    ],
)
def test_what_can_be_read_off_a_function_is_a_part_of_answers(tmp_path: Path, old: str, new: str) -> None:
    question = ("member", "path", "", "f")
    assert answer(tmp_path, old, *question) != answer(tmp_path, new, *question)
    assert answer(tmp_path, old, *question) == answer(tmp_path, f"# why\nx = 1\ndef g(): pass\n{old}", *question)


@pytest.mark.parametrize(
    ("old", "new", "question"),
    [
        ("def f(): return 1", "def f() -> str: return 1", ("returns", (FUNCTION, ".f"))),
        ("class A: pass", "class A(dict): pass", ("bases", (CLASS, ".A:"))),
        ("class A: x = 1", "class A: pass", ("stated", (CLASS, ".A:"), "x")),
        ("class A: pass", "class A:\n  def f(self): self.x = 1", ("has", (CLASS, ".A:"), "x")),
        ("class A: pass", "class A(metaclass=M): pass", ("metaclass", (CLASS, ".A:"))),
        ("def f(): pass", "@property\ndef f(): pass", ("kind", (FUNCTION, ".f"))),
        ("def f(): pass", "import time\ndef f(): time.sleep(1)", ("ends", (FUNCTION, ".f"), ())),
        (
            "import time\ndef f(): time.sleep(1)",
            "import time\n\ndef f(): time.sleep(1)",
            ("chain", (FUNCTION, ".f"), (), "AW101"),
        ),
    ],
)
def test_what_is_told(tmp_path: Path, old: str, new: str, question: tuple[Any, ...]) -> None:
    assert answer(tmp_path, old, *question) != answer(tmp_path, new, *question)


def test_what_is_gone_is_told_by_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        answer(tmp_path, "class f: pass", "returns", (FUNCTION, ".f"))
