"""adapter/docs/acceptance.md says for each of the hundred promises which tests hold the adapter to it.

A test names its lines in its name (test_084_..., test_012_and_013_..., test_001_to_013_...), at the beginning of its
parameters' ids ("009-not-ascii"), or in its docstring ("Acceptance line 82").

python -m tests.adapter.test_acceptance     writes the column of tests anew
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "adapter" / "docs" / "acceptance.md"
ROW = re.compile(r"^\| (\d{3}) \| (.*?) \| (.*?) \|$", re.MULTILINE)


def promises_of_tests() -> dict[int, list[str]]:
    """Which test functions are about which line."""
    found: dict[int, list[str]] = {}
    for path in sorted((ROOT / "tests" / "adapter").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or not node.name.startswith("test_"):
                continue
            place = f"{path.relative_to(ROOT / 'tests' / 'adapter').as_posix()}::{node.name}"
            for number in sorted({*numbers_in(node.name), *numbers_in_parameters(node), *numbers_in_docstring(node)}):
                if place not in found.setdefault(number, []):
                    found[number].append(place)
    return found


def numbers_in_parameters(test: ast.FunctionDef | ast.AsyncFunctionDef) -> list[int]:
    ids = [
        keyword.value.value
        for decorator in test.decorator_list
        for node in ast.walk(decorator)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "id" and isinstance(keyword.value, ast.Constant)
    ]
    return [int(match[1]) for match in (re.match(r"(\d{3})\b", str(one)) for one in ids) if match]


def numbers_in_docstring(test: ast.FunctionDef | ast.AsyncFunctionDef) -> list[int]:
    return [int(number) for number in re.findall(r"\b(?:Acceptance line|Line) (\d+)\b", ast.get_docstring(test) or "")]


def numbers_in(name: str) -> list[int]:
    span = re.match(r"test_(\d{3})_to_(\d{3})_", name)
    if span:
        return list(range(int(span[1]), int(span[2]) + 1))
    numbers: list[int] = []
    for word in name.removeprefix("test_").split("_"):
        if re.fullmatch(r"\d{3}", word):
            numbers.append(int(word))
        elif word != "and":
            break
    return numbers


def column(tests: list[str]) -> str:
    return "<br>".join(f"`{test}`" for test in tests)


def render(text: str) -> str:
    by_line = promises_of_tests()
    return ROW.sub(lambda row: f"| {row[1]} | {row[2]} | {column(by_line.get(int(row[1]), []))} |", text)


def test_every_promise_has_tests_and_the_page_names_them() -> None:
    text = PAGE.read_text("utf-8")
    rows = ROW.findall(text)
    assert [int(number) for number, _, _ in rows] == list(range(1, 101))
    assert [number for number, _, tests in rows if not tests] == []
    assert render(text) == text, "stale: python -m tests.adapter.test_acceptance"


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text("utf-8")), "utf-8")
