"""Modules that a grammar makes up: both readers agree on them, and nothing crashes."""

from __future__ import annotations

import warnings
from pathlib import Path

import hypothesmith
import libcst as cst
import pytest
from hypothesis import HealthCheck, given, settings

from asgiway_lint.analysis.run import check_source
from asgiway_lint.config import Settings
from tests.linter.facts.test_lowering import through_ast, through_libcst

UNHURRIED = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def holds(source: str) -> None:
    """The readers agree, and the engine has an answer, twice the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected, lowered = through_ast(source), through_libcst(source)
    if lowered is not None:
        assert expected == lowered
    text = f"async def f():\n    pass\n{source}"
    first = check_source(text.encode("utf-8", "surrogatepass"), Path("generated.py"), Settings(root=Path("/")))
    assert first == check_source(text.encode("utf-8", "surrogatepass"), Path("generated.py"), Settings(root=Path("/")))


@given(hypothesmith.from_node(cst.FunctionDef))
@settings(max_examples=10, deadline=None, suppress_health_check=UNHURRIED)
def test_functions(source: str) -> None:
    """Issue 4, section 4: hypothesis-generated modules never crash it."""
    holds(source)


@pytest.mark.long
@given(hypothesmith.from_node(cst.Module))
@settings(max_examples=300, deadline=None, suppress_health_check=UNHURRIED)
def test_modules(source: str) -> None:
    holds(source)


@pytest.mark.long
@given(hypothesmith.from_grammar())
@settings(max_examples=500, deadline=None, suppress_health_check=UNHURRIED)
def test_whatever_the_grammar_allows(source: str) -> None:
    holds(source)
