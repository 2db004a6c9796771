"""Propagation over random call graphs, recursion included: what is found is what can be reached, by a shortest way, in any order."""

from __future__ import annotations

import tempfile
from collections import deque
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asgiway_lint.analysis.propagate import Propagation
from asgiway_lint.analysis.run import check_files, check_source
from asgiway_lint.config import Settings
from asgiway_lint.finding import Finding

SIZE = 7
GRAPHS = st.tuples(
    st.lists(st.lists(st.integers(0, SIZE - 1), max_size=3, unique=True), min_size=SIZE, max_size=SIZE),
    st.sets(st.integers(0, SIZE - 1), max_size=2),  # functions that block by themselves
    st.lists(st.integers(0, 2), min_size=SIZE, max_size=SIZE),  # the module that each lies in
    st.permutations(range(SIZE)),
)


def distances(edges: list[list[int]], blocking: set[int]) -> dict[int, int]:
    """How many functions lie between a call of each function and what blocks, itself included: by breadth-first search."""
    found: dict[int, int] = {}
    for start in range(SIZE):
        seen, queue = {start}, deque([(start, 1)])
        while queue:
            node, count = queue.popleft()
            if node in blocking:
                found[start] = count
                break
            for other in edges[node]:
                if other not in seen:
                    seen.add(other)
                    queue.append((other, count + 1))
    return found


def write(root: Path, edges: list[list[int]], blocking: set[int], homes: list[int], order: list[int]) -> None:
    sources = [[f"import time, m{(number + 1) % 3}, m{(number + 2) % 3}"] for number in range(3)]
    for node in order:
        prefixes = ["" if homes[other] == homes[node] else f"m{homes[other]}." for other in range(SIZE)]
        body = [f"    {prefixes[other]}f{other}()" for other in edges[node]]
        body += ["    time.sleep(1)"] if node in blocking else []
        sources[homes[node]] += [f"def f{node}():", *(body or ["    pass"])]
    for number, lines in enumerate(sources):
        (root / f"m{number}.py").write_text("\n".join(lines) + "\n")
    for node in range(SIZE):
        (root / f"app{node}.py").write_text(f"import m{homes[node]}\nasync def a():\n    m{homes[node]}.f{node}()\n")


def check(root: Path, nodes: list[int], jobs: int = 1, depth: int | None = None) -> dict[int, tuple[Finding, ...]]:
    chosen = Settings(root=root, src=(root,), max_depth=depth)
    paths = [root / f"app{node}.py" for node in nodes]
    reports = check_files(paths, lambda _: chosen, cache=False, jobs=jobs)
    return {node: report.findings for node, report in zip(nodes, reports, strict=True)}


@given(GRAPHS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_found_is_what_can_be_reached(
    graph: tuple[list[list[int]], set[int], list[int], list[int]],
) -> None:
    edges, blocking, homes, order = graph
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        write(root, edges, blocking, homes, order)
        nodes = list(range(SIZE))
        found = check(root, nodes)
        expected = distances(edges, blocking)
        assert {node: len(findings[0].chain) - 1 for node, findings in found.items() if findings} == expected
        # The same for each file alone, and in the opposite order: the chain's every hop included.
        assert check(root, nodes[::-1]) == found
        for node in nodes[::3]:
            assert check(root, [node]) == {node: found[node]}
        near = check(root, nodes, depth=2)
        assert {node for node, findings in near.items() if findings} == {
            n for n, count in expected.items() if count <= 2
        }


def test_a_long_chain_needs_no_deep_stack(tmp_path: Path) -> None:
    count = 3000
    lines = ["import time", "def f0():", "    time.sleep(1)"]
    for number in range(1, count):
        lines += [f"def f{number}():", f"    f{number - 1}()"]
    lines += ["async def a():", f"    f{count - 1}()"]
    (tmp_path / "app0.py").write_text("\n".join(lines) + "\n")
    (finding,) = check(tmp_path, [0])[0]
    assert len(finding.chain) == count + 1
    assert finding.message.startswith(
        f"`f{count - 1}() -> f{count - 2}() -> f{count - 3}() -> ... -> f0() -> time.sleep`"
    )


# What a function does with its parameters, and with those of the others: call it, hand it on, ask about it.
STEPS = st.sampled_from(
    [
        "call()",
        "if flag:\n        time.sleep(1)",
        "if flag is None:\n        time.sleep(1)",
        "f{0}(call, flag)",
        "f{0}(flag=True, call=call)",
        "f{0}(time.sleep, None)",
        "f{0}(slow)",
        "f{0}(lambda: slow(), flag)",
        "sorted([], key=call)",
        "list(g{0}(call))",
        "[f{0}(one) for one in (call,)]",
        "Base{0}().run(call)",
        "Own{0}().run(slow, flag)",
        "with m{0}(call):\n        pass",
    ]
)
BODIES = st.lists(st.lists(st.tuples(STEPS, st.integers(0, 2)), max_size=3), min_size=3, max_size=3)
AROUND = """
def g{0}(call):
    yield call()
@contextlib.contextmanager
def m{0}(call):
    yield
    call()
class Base{0}:
    def run(self, call, flag=None):
        self.step(call)
        f{0}(call)
    def step(self, call):
        pass
class Own{0}(Base{0}):
    def step(self, call):
        call()
"""
USES = [
    "f{0}()",
    "f{0}(slow)",
    "f{0}(len, True)",
    "f{0}(call=len)",
    "Own{0}().run(slow)",
    "Base{0}().run(len)",
    "g{0}(slow)",
]


def program(bodies: list[list[tuple[str, int]]]) -> bytes:
    lines = ["import contextlib, time", "def slow():\n    time.sleep(1)"]
    for number, steps in enumerate(bodies):
        lines += [f"def f{number}(call=None, flag=None):", "    pass"]
        lines += [f"    {text.format(other)}" for text, other in steps]
        lines.append(AROUND.format(number))
    lines.append("async def a():")
    lines += [f"    {use.format(number)}" for number in range(len(bodies)) for use in USES]
    return "\n".join(lines).encode()


@given(BODIES)
@settings(max_examples=150, deadline=None)
def test_arguments_are_looked_at_wherever_they_matter(bodies: list[list[tuple[str, int]]]) -> None:
    """Whoever leads to nothing whatever is given leads to nothing for each of the callers, too."""
    source, chosen = program(bodies), Settings(root=Path("/project"))
    found = check_source(source, Path("/project/app.py"), chosen).findings
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Propagation, "is_cold", lambda *_: False)
        assert check_source(source, Path("/project/app.py"), chosen).findings == found
