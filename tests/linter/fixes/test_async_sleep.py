"""`time.sleep` -> `await asyncio.sleep`, anyio's, trio's; and that the program still does the same."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from tests.linter.fixes.support import fixed, in_coroutine, offers, refused, with_library


@pytest.mark.parametrize("library", ["asyncio", "anyio", "trio"])
def test_by_settings(library: str) -> None:
    new = fixed(in_coroutine("time.sleep(x)"), settings=with_library(library))
    assert f"    await {library}.sleep(x)\n" in new
    assert f"import {library}\n" in new


@pytest.mark.parametrize(
    ("imports", "call", "new"),
    [
        pytest.param("import time\nimport trio", "time.sleep(1)", "trio.sleep", id="trio by import"),
        pytest.param("import time\nimport anyio as io", "time.sleep(1)", "io.sleep", id="anyio by another name"),
        pytest.param("from asyncio import sleep\nimport time", "time.sleep(1)", "sleep", id="imported by name"),
        pytest.param("from time import sleep", "sleep(1)", "asyncio.sleep", id="from time"),
        pytest.param("from time import sleep as pause", "pause(1)", "asyncio.sleep", id="with another name"),
        pytest.param("import time as t", "t.sleep(1)", "asyncio.sleep", id="module with another name"),
        pytest.param("import time\npause = time.sleep", "pause(1)", "asyncio.sleep", id="an alias of the module"),
    ],
)
def test_names(imports: str, call: str, new: str) -> None:
    assert f"    await {new}(1)\n" in fixed(in_coroutine(call, imports=imports))


def test_an_alias_that_may_be_something_else_is_refused() -> None:
    source = in_coroutine("pause = time.sleep", "if x:", "    pause = print", "pause(1)")
    assert fixed(source) == source
    assert refused(source) in ([], ["`pause` may stand for something else than `time.sleep`"])


@pytest.mark.parametrize("call", ["time.sleep(*x)", "time.sleep(**x)", "time.sleep()", "time.sleep(1, 2)"])
def test_odd_arguments_are_refused(call: str) -> None:
    source = in_coroutine(call)
    assert fixed(source) == source


def test_what_the_wait_lets_others_do_is_unsafe() -> None:
    """`self.n += await f()` reads before the wait and writes after it."""
    source = in_coroutine("x.total += time.sleep(1) or 1")
    assert fixed(source) == source
    assert "x.total += await asyncio.sleep(1) or 1" in fixed(source, unsafe=True)
    ((offer,),) = offers(source)
    assert "`x.total` is read before the `await`" in offer.reason
    assert "n += await asyncio.sleep(1) or 1" in fixed(in_coroutine("n = 0", "n += time.sleep(1) or 1"))
    for lines in (
        ["x.n = x.n + time.sleep(1)"],
        ["x[0] = y = [x[0], time.sleep(1)]"],
        ["global g", "g = g or time.sleep(1)"],
    ):
        source = in_coroutine(*lines)
        assert fixed(source) == source
    for line in ("x.n = x.m + time.sleep(1)", "n = x.n + time.sleep(1)", "x[0] = time.sleep(1)"):
        assert "await asyncio.sleep(1)" in fixed(in_coroutine(line))


PROGRAM = """\
import time

import asyncio

log = []


async def step(name, pause):
    for n in range(3):
        time.sleep(pause)
        log.append(f"{name}{n}")
    return [time.sleep(0) for _ in range(2)]


async def main():
    return await asyncio.gather(step("a", 0.03), step("b", 0.02))
"""


def test_a_program_does_the_same_and_no_longer_in_a_row() -> None:
    def run(text: str) -> tuple[Any, list[str], float]:
        names: dict[str, Any] = {}
        exec(compile(text, "<program>", "exec"), names)
        started = time.perf_counter()
        return asyncio.run(names["main"]()), names["log"], time.perf_counter() - started

    before, after = run(PROGRAM), run(fixed(PROGRAM))
    assert before[0] == after[0] == [[None, None], [None, None]]
    assert before[1] == ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert sorted(before[1]) == sorted(after[1])
    assert after[1][:2] == ["b0", "a0"]
