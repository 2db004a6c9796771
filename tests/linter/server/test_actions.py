"""What can be done about a finding: fixes, comments, all at once; each edit is minimal, for one version, and does what it says."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from asgiway_lint.fixes.apply import apply_edits
from asgiway_lint.server.actions import Fixes, Maker
from asgiway_lint.server.edits import difference
from asgiway_lint.server.knowledge import Document, Knowledge
from asgiway_lint.server.positions import Text
from tests.linter.server.editor import Editor, editor, in_loop, shared

SLEEPS = '"""😀"""\r\nimport asyncio\r\nimport time\r\n\r\n\r\nasync def f():\r\n    "😀"; time.sleep(1)  # why\r\n'


def at(line: int, character: int) -> types.Position:
    return types.Position(line, character)


def edits_of(action: types.CodeAction) -> list[tuple[types.Range, str]]:
    assert action.edit is not None
    found: list[tuple[types.Range, str]] = []
    for change in action.edit.document_changes or ():
        assert isinstance(change, types.TextDocumentEdit)
        found += [(each.range, each.new_text) for each in change.edits if isinstance(each, types.TextEdit)]
    return found


@shared
async def test_a_safe_fix_is_preferred_minimal_and_ends_its_finding(vim: Editor, tmp_path: Path) -> None:
    uri = vim.open(tmp_path / "a.py", SLEEPS)
    (shown,) = await vim.see(uri, "AW101")
    assert await vim.actions(uri, at(5, 3)) == []
    fix, disable, everything = await vim.actions(uri, shown.range)
    assert (fix.kind, fix.is_preferred, list(fix.diagnostics or ())) == (
        types.CodeActionKind.QuickFix,
        True,
        [shown],
    )
    assert "asyncio.sleep" in fix.title
    assert [text for _, text in edits_of(fix)] == ["await asyncio.sleep"]
    assert edits_of(fix)[0][0] == types.Range(at(6, 10), at(6, 20))
    assert disable.title == "Disable AW101 for this line (# noqa)"
    assert not disable.is_preferred
    assert everything.kind == "source.fixAll.asgiway"
    await vim.apply(fix.edit)
    assert vim.texts[uri] == SLEEPS.replace("time.sleep(1)", "await asyncio.sleep(1)")
    await vim.see(uri)
    assert await vim.actions(uri, at(6, 12)) == []


@shared
async def test_an_import_comes_along_and_the_comment_goes_where_it_counts(vim: Editor, tmp_path: Path) -> None:
    text = "import time\n\n\nasync def f():\n    time.sleep(\n        1\n    )\n"
    uri = vim.open(tmp_path / "a.py", text)
    await vim.see(uri, "AW101")
    fix, disable, _ = await vim.actions(uri, at(4, 6))
    assert [text for _, text in edits_of(fix)] == ["import asyncio\n", "await asyncio.sleep"]
    assert edits_of(disable) == [(types.Range(at(6, 5), at(6, 5)), "  # noqa: AW101")]
    await vim.apply(disable.edit)
    await vim.see(uri)
    page = await vim.hover(uri, 6, 16)  # on the code in the comment
    assert page.startswith("### AW101 blocking-sleep")
    assert await vim.hover(uri, 6, 2) == ""


@in_loop
async def test_unsafe_fixes_say_why_and_can_be_left_out(tmp_path: Path) -> None:
    text = "import time\n\n\ndef g():\n    time.sleep(1)\n\n\nasync def f():\n    g()\n"
    async with editor(tmp_path) as vim:
        uri = vim.open(tmp_path / "a.py", text)
        await vim.see(uri, "AW101")
        first, disable = await vim.actions(uri, at(8, 4))
        assert not first.is_preferred
        assert "(unsafe: " in first.title
        assert disable.title.startswith("Disable")
        page = await vim.hover(uri, 8, 5)
        assert "1. `g()` at [a.py:9](file://" in page
        assert "2. `time.sleep` at [a.py:5](file://" in page
        assert "(unsafe: " in page
        assert "## What it does" in page
    async with editor(tmp_path, unsafeFixes=False) as vim:
        uri = vim.open(tmp_path / "a.py", text)
        await vim.see(uri, "AW101")
        (only,) = await vim.actions(uri, at(8, 4))
        assert only.title.startswith("Disable")


HELPER = "\n\ndef g():\n    open('x')\n"
MANY = f"import time\n\n\nasync def f():\n    time.sleep(1)\n    g()\n    time.sleep(2)\n{HELPER}"
FIXED = (
    "import asyncio\nimport time\n\n\n"
    f"async def f():\n    await asyncio.sleep(1)\n    g()\n    await asyncio.sleep(2)\n{HELPER}"
)


@shared
async def test_fix_all_is_made_when_it_is_chosen(vim: Editor, tmp_path: Path) -> None:
    uri = vim.open(tmp_path / "a.py", MANY)
    await vim.see(uri, "AW101", "AW108", "AW101")
    whole = types.Range(at(0, 0), at(7, 0))
    assert await vim.actions(uri, whole, only=["refactor"]) == []
    (action,) = await vim.actions(uri, at(0, 0), only=["source.fixAll"])
    assert action.edit is None
    resolved = await vim.client.code_action_resolve_async(action)
    assert [text for _, text in edits_of(resolved)] == ["import asyncio\n", "await asyncio", "await asyncio"]
    await vim.apply(resolved.edit)
    assert vim.texts[uri] == FIXED
    await vim.see(uri, "AW108")
    assert await vim.actions(uri, whole, only=["source.fixAll.asgiway"]) == []


@in_loop
async def test_fix_all_for_clients_that_cannot_ask_later(tmp_path: Path) -> None:
    literal = types.ClientCodeActionLiteralOptions(types.ClientCodeActionKindOptions([]))
    plain = types.ClientCapabilities(
        text_document=types.TextDocumentClientCapabilities(
            code_action=types.CodeActionClientCapabilities(code_action_literal_support=literal)
        ),
        workspace=types.WorkspaceClientCapabilities(apply_edit=True),
    )
    async with editor(tmp_path, capabilities=plain) as vim:
        uri = vim.open(tmp_path / "a.py", MANY)
        await vim.see(uri, "AW101", "AW108", "AW101")
        (asked,) = await vim.actions(uri, at(0, 0), only=["source.fixAll"])
        assert asked.edit is not None
        assert list(asked.edit.changes or ()) == [uri]  # no versions: it would not know what they are
        *_, offered = await vim.actions(uri, at(4, 5))
        assert offered.command is not None
        await vim.client.workspace_execute_command_async(
            types.ExecuteCommandParams(offered.command.command, offered.command.arguments)
        )
        await vim.until(lambda: vim.applied)
        await vim.apply(vim.applied[0])
        assert vim.texts[uri] == FIXED
        plain_page = await vim.hover(uri, 6, 5)
        assert plain_page.startswith("AW108 blocking-file-content (warning): ")
        assert "```" not in plain_page


@shared
async def test_settings_say_what_may_be_fixed_and_a_baseline_is_left_alone(vim: Editor, tmp_path: Path) -> None:
    from tests.linter.cli_support import process

    text = "import time\n\n\nasync def f():\n    time.sleep(1)\n"
    (tmp_path / "a.py").write_text(text)
    (tmp_path / "asgiway-lint.toml").write_text('baseline = "old.json"\n')
    assert process("baseline", "create", "--baseline", "old.json", cwd=tmp_path).returncode == 0
    uri = vim.open(tmp_path / "a.py", f"{text}\n\nasync def g():\n    time.sleep(2)\n")
    await vim.see(uri, "AW101")
    (action,) = await vim.actions(uri, at(0, 0), only=["source.fixAll"])
    resolved = await vim.client.code_action_resolve_async(action)
    await vim.apply(resolved.edit)
    assert vim.texts[uri] == f"import asyncio\n{text}\n\nasync def g():\n    await asyncio.sleep(2)\n"
    (tmp_path / "asgiway-lint.toml").write_text('unfixable = ["AW101"]\n')
    vim.changed_on_disk(tmp_path / "asgiway-lint.toml")
    await vim.see(uri, "AW101")
    (only,) = await vim.actions(uri, at(5, 5))
    assert only.title.startswith("Disable")


@shared
async def test_actions_are_for_the_text_that_the_editor_has_now(vim: Editor, tmp_path: Path) -> None:
    uri = vim.open(tmp_path / "a.py", SLEEPS)
    await vim.see(uri, "AW101")
    vim.type(uri, f"# 1\r\n# 2\r\n{SLEEPS}")
    fix, *_ = await vim.actions(uri, at(8, 12))  # nobody has waited for the new diagnostics
    await vim.apply(fix.edit)  # which refuses what is for another version
    assert "await asyncio.sleep(1)" in vim.texts[uri]
    vim.type(uri, "async def f(:\n    pass\n")
    await vim.see(uri, "AW001")
    assert await vim.actions(uri, types.Range(at(0, 0), at(2, 0))) == []


def test_a_fixer_that_breaks_takes_nothing_else_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    knowledge = Knowledge(threading.Event())
    knowledge.put(Document(str(tmp_path / "a.py"), 1, MANY))
    checked = knowledge.current(str(tmp_path / "a.py"))
    assert checked is not None
    maker = Maker(checked, Text(MANY, "utf-16"), "file:///a.py", versioned=True, unsafe=True)
    monkeypatch.setattr("asgiway_lint.fixes.plan.fixes_of", broken)
    fixes = Fixes()
    assert maker.quick_fixes(checked.findings, fixes) == []
    assert len(maker.suppressions(checked.findings)) == 3
    assert not maker.has_fix_for_all(fixes)
    assert [record.getMessage().startswith("no fixes for ") for record in caplog.records] == [True]


LINES = st.lists(st.sampled_from(["a = 1", "b = '😀'", "c()", "", "    d = [", "\x0c"]), max_size=8)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


@given(LINES, LINES, ENDS, ENDS)
def test_the_difference_of_two_texts_makes_one_the_other(
    old: list[str], new: list[str], old_end: str, new_end: str
) -> None:
    before, after = old_end.join(old), new_end.join(new)
    edits = difference(before, after)
    assert apply_edits(before, edits) == after
    assert (edits == []) == (before == after)
    assert edits == sorted(edits)
    for edit in edits:
        assert before[edit.start : edit.end] != edit.text
        for place in (edit.start, edit.end):  # a client cannot point into the middle of a line's end
            assert before[place - 1 : place + 1] != "\r\n" or place == 0


def test_a_difference_is_no_longer_than_the_words_that_differ() -> None:
    old = "import os\n\nx = time.sleep(1)  # a\ny = 2\n"
    new = "import os\n\nx = await asyncio.sleep(1)  # a\ny = 2\n"
    (edit,) = difference(old, new)
    assert (old[edit.start : edit.end], edit.text) == ("time", "await asyncio")
