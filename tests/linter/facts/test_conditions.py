"""Conditions on names, and the blocks that they stand over, by both readers."""

from __future__ import annotations

import ast
import textwrap

import pytest

from asgiway_lint.facts import read
from asgiway_lint.facts.collector import collect
from asgiway_lint.facts.conditions import conditions
from asgiway_lint.facts.reader import read_newer
from asgiway_lint.facts.text import Columns


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("x", [("x", "true")]),
        ("not x", [("x", "false")]),
        ("not not x", [("x", "true")]),
        ("x is None", [("x", "none")]),
        ("x is not None", [("x", "some")]),
        ("not x is None", [("x", "some")]),
        ("x and y is None and f(1)", [("x", "true"), ("y", "none")]),
        ("x and y is None and f()", [("x", "true"), ("y", "none"), ("f()", "true")]),
        ("x.is_running()", [("x.is_running()", "true")]),
        ("not x.y.is_running()", [("x.y.is_running()", "false")]),
        ("x.is_running(1)", []),
        ("x().is_running()", []),
        ("x or y", []),
        ("x is None or y", [("x", "perhaps")]),
        ("not x or y", [("x", "perhaps")]),
        ("z and (x is None or y)", [("z", "true"), ("x", "perhaps")]),
        ("not (x is None or y)", []),
        ("not (x and y)", []),
        ("not (x or y)", []),
        ("-x", []),
        ("x == None", []),
        ("x.y is None", [("x.y", "none")]),
        ("not x.y.z", [("x.y.z", "false")]),
        ("x().y", []),
        ("x[0].y is None", []),
        ("None is x", []),
        ("x is None is y", []),
        ("x is y", []),
        ("not hasattr(x, 'y')", [("x.y", "perhaps")]),
        ("not hasattr(x, 'y') or x.y is None", [("x.y", "perhaps")]),
        ("not not hasattr(x, 'y')", []),
        ("hasattr(x, 'y')", []),
        ("not hasattr(x, y)", []),
        ("not hasattr(x(1), 'y')", []),
    ],
)
def test_what_a_test_says_of_names(test: str, expected: list[tuple[str, str]]) -> None:
    assert list(conditions(ast.parse(test, mode="eval").body)) == expected


SOURCE = textwrap.dedent("""
    if x:
        a()
    elif y is not None:
        b()
    else:
        c()
    if x and y:
        d()
    else:
        e()
""")


def test_each_arm_stands_under_its_condition_and_the_others_opposite() -> None:
    facts = read(SOURCE.encode())
    guards: list[list[tuple[str, str]]] = []
    for call in facts.calls:
        found: list[tuple[str, str]] = []
        block = call.block
        while block >= 0:
            found += facts.blocks[block].guard
            block = facts.blocks[block].parent
        guards.append(found)
    assert guards == [
        [("x", "true")],
        [("y", "some"), ("x", "false")],
        [("y", "none"), ("x", "false")],
        [("x", "true"), ("y", "true")],
        [],
    ]


def test_libcst_says_the_same() -> None:
    tree = read_newer(SOURCE)
    assert tree is not None
    assert collect(tree, Columns(""), ()).blocks == read(SOURCE.encode()).blocks
