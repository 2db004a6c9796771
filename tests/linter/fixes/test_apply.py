"""Fixes of one file together: turns, overlaps, imports merged; a fix that does not keep its word is taken back."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from asgiway_lint.finding import Finding
from asgiway_lint.fixes import plan, registry
from asgiway_lint.fixes.apply import apply_edits, full_edits
from asgiway_lint.fixes.model import Applicability, Edit, Fix, NeededImport, Refusal
from asgiway_lint.fixes.source import FixSource
from tests.linter.fixes.support import PATH, SETTINGS, applied, findings_of, fixed, in_coroutine, refused

Offer = Callable[[FixSource, Finding, Sequence[Finding]], Fix | Refusal | None]


def test_edits_apply_in_order_and_must_not_overlap() -> None:
    assert apply_edits("abcdef", [Edit(4, 5, "E"), Edit(0, 0, ">"), Edit(1, 3, "")]) == ">adEf"
    assert apply_edits("abc", []) == "abc"
    with pytest.raises(ValueError, match="overlap"):
        apply_edits("abcdef", [Edit(0, 3, ""), Edit(2, 4, "")])


def test_a_fix_is_checked_when_it_is_made() -> None:
    (finding,) = findings_of(in_coroutine("time.sleep(1)").encode())

    def made(**changes: Any) -> Fix:
        given: dict[str, Any] = {
            "name": "x",
            "title": "t",
            "applicability": Applicability.SAFE,
            "edits": (Edit(0, 1, ""),),
            "removes": (finding,),
        }
        return Fix(**given | changes)

    assert made().reason == ""
    with pytest.raises(ValueError, match="needs its reason"):
        made(applicability=Applicability.UNSAFE)
    with pytest.raises(ValueError, match="ends findings"):
        made(removes=())
    with pytest.raises(ValueError, match="must be sorted"):
        made(edits=(Edit(3, 4, ""), Edit(0, 1, "")))


def test_what_an_editor_applies_has_the_imports() -> None:
    text = in_coroutine("time.sleep(1)")
    (finding,) = findings_of(text.encode())
    source = FixSource(text, PATH, SETTINGS)
    ((fix, *_),) = plan.fixes_of(source, [finding]).values()
    assert isinstance(fix, Fix)
    assert fix.imports == (NeededImport(module="asyncio"),)
    assert apply_edits(text, full_edits(source, fix)) == fixed(text)


def test_many_fixes_in_one_file_compose() -> None:
    lines = [f"x = os.stat(os.readlink(requests.get(time.sleep({n})).text))" for n in range(20)]
    text = in_coroutine(*lines, imports="import os\nimport requests\nimport time")
    new = fixed(text)
    assert new.count("import asyncio\n") == 1
    assert new.count("await ") == 80
    assert findings_of(new.encode()) == ()


@pytest.fixture
def fixer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Offer], None]:
    """Add a fixer to those that there are, before all others."""

    def add(name: str, offer: Offer) -> None:
        module = types.ModuleType(name)
        module.NAME, module.NATIVE, module.offer = name, True, offer  # type: ignore[attr-defined]
        everything = (module, *registry.fixers())
        monkeypatch.setattr(plan, "fixers", lambda: everything)

    return add


def _fix(finding: Finding, *edits: Edit, **more: Any) -> Fix:
    return Fix(name="a-wrong", title="t", applicability=Applicability.SAFE, edits=edits, removes=(finding,), **more)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("await asyncio.sleep(", id="that no parser accepts"),
        pytest.param("lambda: (await x)", id="that the compiler refuses"),
        pytest.param("time.sleep(2)", id="that leaves the finding"),
        pytest.param("time . sleep(1)", id="that changes nothing that matters"),
    ],
)
def test_a_fix_with_a_result(text: str, fixer: Callable[[str, Offer], None]) -> None:
    """It is dropped, the others of the same round are kept, and the next best one has its turn."""
    source = in_coroutine("time.sleep(1)", "os.stat(x)", imports="import os\nimport time")

    def offer(file: FixSource, finding: Finding, findings: Sequence[Finding]) -> Fix | None:
        call = file.call_at(finding)
        if finding.symbol != "time.sleep" or call is None:
            return None
        return _fix(finding, Edit(*file.offset(call), text))

    fixer("a-wrong-one", offer)
    result = applied(source)
    assert [fix.name for fix in result.dropped] == ["a-wrong"]
    assert sorted(fix.name for fix in result.fixes) == ["async-sleep", "to-thread"]
    assert result.findings == ()
    assert result.source.decode() == "import asyncio\n" + source.replace("time.sleep", "await asyncio.sleep").replace(
        "os.stat(x)", "await asyncio.to_thread(os.stat, x)"
    )


def test_overlapping_fixes_take_turns(fixer: Callable[[str, Offer], None]) -> None:
    """One rewrites the line of two findings, for one of them."""
    source = in_coroutine("time.sleep(1); os.stat(x)", imports="import os\nimport time")

    def offer(file: FixSource, finding: Finding, findings: Sequence[Finding]) -> Fix | None:
        if finding.symbol != "time.sleep":
            return None
        start = file.offset_of(finding.line, 1)
        end = file.offset_of(finding.line + 1, 1)
        return _fix(finding, Edit(start, end, file.text[start:end].replace("time.sleep(1)", "await x.wait()")))

    fixer("a-line", offer)
    assert fixed(source) == "import asyncio\n" + source.replace("time.sleep(1)", "await x.wait()").replace(
        "os.stat(x)", "await asyncio.to_thread(os.stat, x)"
    )


def test_fixes_that_undo_each_other_end(fixer: Callable[[str, Offer], None]) -> None:
    """A fix that brings a new finding whose fix brings the old one back must not run for ever."""
    source = in_coroutine("time.sleep(1)")

    def offer(file: FixSource, finding: Finding, findings: Sequence[Finding]) -> Fix | None:
        call = file.call_at(finding)
        assert call is not None
        other = "os.stat(x)" if finding.symbol == "time.sleep" else "time.sleep(1)"
        return _fix(finding, Edit(*file.offset(call), other), imports=(NeededImport(module="os"),))

    fixer("ping-pong", offer)
    text = applied(source).source.decode()
    assert "time.sleep(1)" in text or "os.stat(x)" in text
    compile(text, "<text>", "exec")


def test_a_file_that_only_libcst_can_read_is_fixed_too() -> None:
    source = in_coroutine("type X[T = int] = list[T]", "time.sleep(1)")
    new = fixed(source)
    assert "    await asyncio.sleep(1)\n" in new


def test_a_file_that_libcst_cannot_read_is_left_alone() -> None:
    """Whatever the interpreter thinks of it."""
    source = in_coroutine("time.sleep(1)")
    broken = FixSource(source + "\ndef (:\n", PATH, SETTINGS)
    (finding,) = findings_of(source.encode())
    ((offer, *_),) = plan.fixes_of(broken, [finding]).values()
    assert isinstance(offer, Refusal)
    assert offer.reason.startswith("libcst cannot parse the file")


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("x" + ".a()" * 4000, id="calls"),
        pytest.param("+".join(["x"] * 4000), id="operators"),
        pytest.param("if x: pass\n" + "".join(f"    elif x == {n}: pass\n" for n in range(4000)), id="elif"),
    ],
)
def test_what_would_end_the_process_is_left_alone(line: str) -> None:
    """libcst overflows its stack there."""
    source = in_coroutine("time.sleep(1)") + f"    {line}\n"
    assert fixed(source) == source
    assert refused(source) == ["libcst cannot parse the file: it is nested too deeply"]


def test_deep_nesting_and_long_files() -> None:
    for line in ("x" + ".a()" * 590, "x" + ".a" * 1150, "time" + ".a" * 1150 + "(os.stat(x))"):
        assert "await asyncio.to_thread(os.stat, y)" in fixed(
            in_coroutine(line, "os.stat(y)", imports="import os, time")
        )
    deep = in_coroutine("x = " + "(" * 80 + "os.stat(x)" + ")" * 80, imports="import os")
    assert "await asyncio.to_thread(os.stat, x)" in fixed(deep)
    long = in_coroutine(*(["x = 1"] * 3000), "os.stat(x)", imports="import os")
    assert fixed(long).count("\n") == long.count("\n") + 1
