"""Diagnostics in an editor: what is shown, and where."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
from lsprotocol import types

from tests.linter.server.editor import FULL, TEXT_DOCUMENT, WORKSPACE, Editor, editor, in_loop, shared

BLOCKING = 'import time\n\n\nasync def f():\n    print("😀é"); time.sleep(1)\n'


def span(line: int, start: int, end: int) -> types.Range:
    return types.Range(types.Position(line, start), types.Position(line, end))


@shared
async def test_a_finding_is_shown_where_it_is_with_code_severity_and_source(vim: Editor, tmp_path: Path) -> None:
    uri = vim.open(tmp_path / "a.py", BLOCKING)
    (shown,) = await vim.see(uri, "AW101")
    assert shown.range == span(4, 18, 31)  # the emoji is two UTF-16 code units
    assert shown.severity is types.DiagnosticSeverity.Error
    assert shown.source == "asgiway-lint"
    assert shown.message == "`time.sleep` puts the whole event loop to sleep: use asyncio.sleep"
    assert shown.code_description is None  # the pages have no address of their own
    vim.type(uri, BLOCKING.replace("time.sleep(1)", "pass"))
    await vim.see(uri)
    vim.type(uri, BLOCKING)
    await vim.see(uri, "AW101")
    vim.close(uri)
    await vim.until(lambda: vim.shown(uri) == [])


@pytest.mark.parametrize(("encoding", "start", "end"), [("utf-8", 21, 34), ("utf-16", 18, 31), ("utf-32", 17, 30)])
def test_positions_count_what_the_client_has_negotiated(tmp_path: Path, encoding: str, start: int, end: int) -> None:
    @in_loop
    async def test() -> None:
        general = types.GeneralClientCapabilities(position_encodings=[encoding, "utf-16"])
        async with editor(tmp_path, capabilities=attrs.evolve(FULL, general=general)) as vim:
            assert vim.server is not None
            assert vim.server.capabilities.position_encoding == encoding
            uri = vim.open(tmp_path / "a.py", BLOCKING)
            (shown,) = await vim.see(uri, "AW101")
            assert shown.range == span(4, start, end)

    test()


@shared
async def test_line_ends_form_feeds_and_a_byte_order_mark_do_not_move_anything(vim: Editor, tmp_path: Path) -> None:
    for number, text in enumerate(
        (
            "import time\r\n\x0c\r\nasync def f():\r\n    time.sleep(1)\r\n",
            "import time\n# \u2028 \x85 \x0b\nasync def f():\n    time.sleep(1)",
            "\ufeffimport time\r\rasync def f():\r    time.sleep(1)",
        )
    ):
        uri = vim.open(tmp_path / f"{number}.py", text)
        (shown,) = await vim.see(uri, "AW101")
        assert shown.range == span(3, 4, 17)


@shared
async def test_a_declared_encoding_is_the_one_that_is_read(vim: Editor, tmp_path: Path) -> None:
    uri = vim.open(tmp_path / "a.py", "# coding: latin-1\nimport time\nasync def f():\n    'é'; time.sleep(1)\n")
    (shown,) = await vim.see(uri, "AW101")
    assert shown.range == span(3, 9, 22)
    vim.type(uri, "# coding: latin-1\nimport time\nasync def f():\n    '😀'; time.sleep(1)\n")
    (shown,) = await vim.see(uri, "AW101")  # that it cannot be saved like this is the editor's to say
    assert shown.range == span(3, 10, 23)
    vim.type(uri, "# coding: none-such\nasync def f():\n    pass\n")
    (shown,) = await vim.see(uri, "AW002")


@shared
async def test_a_chain_comes_with_its_places(vim: Editor, tmp_path: Path) -> None:
    (tmp_path / "gateway.py").write_text(
        "import requests\n\n\ndef post():\n    '😀'; return requests.post('https://x')\n"
    )
    (tmp_path / "app.py").write_text(
        "import gateway\n\n\nasync def f():\n    charge()\n\n\ndef charge():\n    gateway.post()\n"
    )
    uri = vim.open(tmp_path / "app.py")
    (shown,) = await vim.see(uri, "AW102")
    assert shown.range == span(4, 4, 12)
    related = [(each.location.uri, each.location.range, each.message) for each in shown.related_information or ()]
    assert related == [
        (uri, span(8, 4, 16), "calls gateway.post()"),
        ((tmp_path / "gateway.py").as_uri(), span(4, 17, 30), "requests.post blocks"),
    ]


@in_loop
async def test_what_a_client_does_not_show_is_not_sent(tmp_path: Path) -> None:
    async with editor(
        tmp_path, capabilities=types.ClientCapabilities(), rulePage="https://pages.example/{code}"
    ) as vim:
        uri = vim.open(tmp_path / "a.py", "import time\n\n\ndef g():\n    time.sleep(1)\n\n\nasync def f():\n    g()\n")
        (shown,) = await vim.see(uri, "AW101")
        assert shown.related_information is None
        assert shown.code_description is None


@in_loop
async def test_pages_that_have_an_address_are_linked(tmp_path: Path) -> None:
    async with editor(tmp_path, rulePage="https://pages.example/{code}.md") as vim:
        uri = vim.open(tmp_path / "a.py", BLOCKING)
        (shown,) = await vim.see(uri, "AW101")
        assert shown.code_description == types.CodeDescription("https://pages.example/AW101.md")


@shared
async def test_severities_and_tags(vim: Editor, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.asgiway-lint]\nmin-severity = "info"\n')
    text = "import os\n\n\nasync def f():\n    open('x')\n    os.stat('x')\n    pass  # noqa: AW101\n"
    uri = vim.open(tmp_path / "a.py", text)
    content, metadata, unused = await vim.see(uri, "AW108", "AW109", "AW003")
    assert content.severity is types.DiagnosticSeverity.Warning
    assert metadata.severity is types.DiagnosticSeverity.Information
    assert list(unused.tags or ()) == [types.DiagnosticTag.Unnecessary]


@shared
async def test_a_text_that_cannot_be_parsed_yet_is_said_and_spoils_nothing_else(vim: Editor, tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("import time\n\n\ndef wait():\n    time.sleep(1)\n")
    caller = vim.open(tmp_path / "caller.py", "from helper import wait\n\n\nasync def f():\n    wait()\n")
    await vim.see(caller, "AW101")
    helper = vim.open(tmp_path / "helper.py")
    await vim.see(helper)
    vim.type(helper, "import time\n\n\ndef wait():\n    time.sleep(\n\n\nasync def g():\n    pass\n")
    (shown,) = await vim.see(helper, "AW001")
    assert "never closed" in shown.message
    assert shown.range == span(4, 14, 15)
    # What calls into it is judged by the last text that could be read, so nothing flickers.
    vim.type(caller, "from helper import wait\n\n\nasync def f():\n    pass\n    wait()\n")
    (shown,) = await vim.see(caller, "AW101")
    assert shown.range == span(5, 4, 10)
    vim.type(helper, "import time\n\n\ndef wait():\n    pass\n")
    await vim.see(helper)
    await vim.see(caller)


@in_loop
async def test_only_python_that_is_ours_is_checked(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    installed = tmp_path / ".venv" / "lib" / "site-packages" / "x.py"
    async with editor(tmp_path / "project") as vim:
        quiet = [
            vim.open(tmp_path / "project" / "notes.txt", BLOCKING, "plaintext"),
            vim.open(tmp_path / "project" / "build" / "a.py", BLOCKING),  # excluded by default
            vim.open(installed, BLOCKING),
            vim.open("git:/a.py?ref=HEAD", BLOCKING),
        ]
        shown = [
            vim.open(tmp_path / "project" / "script", BLOCKING, "python"),
            vim.open(tmp_path / "elsewhere" / "a.py", BLOCKING),
            vim.open("untitled:Untitled-1", BLOCKING),
        ]
        for uri in shown:
            await vim.see(uri, "AW101")
        assert [vim.shown(uri) for uri in quiet] == [None] * len(quiet)
        assert await vim.hover(quiet[0], 4, 20) == ""
        assert await vim.actions(quiet[1], types.Position(4, 20)) == []


@shared
async def test_a_single_file_without_a_workspace(vim: Editor, tmp_path: Path) -> None:
    (tmp_path / "asgiway-lint.toml").write_text('ignore = ["AW108"]\n')
    (tmp_path / "helper.py").write_text("import time\n\n\ndef wait():\n    time.sleep(1)\n")
    text = "import helper\n\n\nasync def f():\n    helper.wait()\n    open('x')\n"
    await vim.see(vim.open(tmp_path / "a.py", text), "AW101")


@shared
async def test_of_many_quick_edits_the_last_one_counts_and_versions_never_go_back(vim: Editor, tmp_path: Path) -> None:
    uri = vim.open(tmp_path / "a.py", BLOCKING)
    for number in range(50):
        calls = "    time.sleep(1)\n" * (number % 5)
        vim.type(uri, f"import time\n\n\nasync def f():\n    pass\n{calls}")
    await vim.see(uri, *["AW101"] * 4)
    seen = [(each.version or 0, len(each.diagnostics)) for each in vim.published if each.uri == uri]
    assert seen == sorted(seen)
    assert all(count == (version - 2) % 5 for version, count in seen if version > 1)


PULLS = attrs.evolve(
    FULL,
    text_document=attrs.evolve(TEXT_DOCUMENT, diagnostic=types.DiagnosticClientCapabilities()),
    workspace=attrs.evolve(WORKSPACE, diagnostics=types.DiagnosticWorkspaceClientCapabilities(refresh_support=True)),
)


@in_loop
async def test_a_client_that_pulls_gets_full_and_unchanged_reports_and_nothing_pushed(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("def wait():\n    pass\n")
    async with editor(tmp_path, capabilities=PULLS) as vim:
        assert vim.server is not None
        provider = vim.server.capabilities.diagnostic_provider
        assert isinstance(provider, types.DiagnosticOptions)
        assert provider.inter_file_dependencies
        uri = vim.open(tmp_path / "a.py", f"from helper import wait\n{BLOCKING}\n\nasync def g():\n    wait()\n")
        first = await vim.pull(uri)
        assert [each.code for each in first.items] == ["AW101"]
        again = await vim.pull(uri, first.result_id)
        assert isinstance(again, types.RelatedUnchangedDocumentDiagnosticReport)
        assert again.result_id == first.result_id

        helper = vim.open(tmp_path / "helper.py", "import time\n\n\ndef wait():\n    time.sleep(1)\n")
        await vim.until(lambda: vim.refreshes == 1)
        third = await vim.pull(uri, first.result_id)
        assert [each.code for each in third.items] == ["AW101", "AW101"]
        vim.type(uri, "async def g(): pass\n")
        fourth = await vim.pull(uri, third.result_id)
        assert not fourth.items
        assert not (await vim.pull(helper)).items
        assert not (await vim.pull("file:///nobody/knows.py")).items
        assert vim.published == []


@in_loop
async def test_a_client_that_cannot_be_told_to_pull_again_is_pushed_to(tmp_path: Path) -> None:
    workspace = attrs.evolve(WORKSPACE, diagnostics=None)
    async with editor(tmp_path, capabilities=attrs.evolve(PULLS, workspace=workspace)) as vim:
        assert vim.server is not None
        assert vim.server.capabilities.diagnostic_provider is None  # or everything would be shown twice
        await vim.see(vim.open(tmp_path / "a.py", BLOCKING), "AW101")
