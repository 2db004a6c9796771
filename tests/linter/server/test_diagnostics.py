"""Diagnostics in an editor: what is shown, where, and when."""

from __future__ import annotations

from pathlib import Path

from lsprotocol import types

from tests.linter.server.editor import editor, in_loop

BLOCKING = 'import time\n\n\nasync def f():\n    print("😀é"); time.sleep(1)\n'


def span(line: int, start: int, end: int) -> types.Range:
    return types.Range(types.Position(line, start), types.Position(line, end))


@in_loop
async def test_a_finding_is_shown_where_it_is_with_code_severity_and_source(tmp_path: Path) -> None:
    async with editor(tmp_path) as vim:
        uri = vim.open(tmp_path / "a.py", BLOCKING)
        (shown,) = await vim.see(uri, "AW101")
        assert shown.range == span(4, 18, 31)  # the emoji is two UTF-16 code units
        assert shown.severity is types.DiagnosticSeverity.Error
        assert shown.source == "asgiway-lint"
        assert shown.message == "`time.sleep` puts the whole event loop to sleep: use asyncio.sleep"
        assert shown.code_description is None  # the pages have no address of their own
        version = vim.type(uri, BLOCKING.replace("time.sleep(1)", "pass"))
        await vim.see(uri, version=version)
