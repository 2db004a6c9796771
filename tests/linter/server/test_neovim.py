"""Neovim without a screen, set up as linter/docs/editors.md says: it shows a finding, repairs it, and follows an unsaved helper."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[3] / "linter" / "docs" / "editors.md"

APP = """\
import time

from helper import wait


async def f():
    print("😀"); time.sleep(1)  # why


async def g():
    wait()
"""

FIXED = "    await asyncio.sleep(2)\n    await asyncio.sleep(3)"

# Neovim's own functions do what a user's keys would do.
SCRIPT = """\
local seen = {}

local function diagnostics(count)
  local found
  assert(vim.wait(60000, function()
    found = vim.diagnostic.get(0)
    return #found == count
  end, 20), "waited for " .. count .. " diagnostics, saw " .. vim.inspect(vim.diagnostic.get(0)))
  local shown = {}
  for _, each in ipairs(found) do
    table.insert(shown, {
      line = each.lnum, column = each.col, last = each.end_col, code = each.code, message = each.message,
      source = each.source, severity = vim.diagnostic.severity[each.severity],
    })
  end
  return shown
end

local function main()
  seen.first = diagnostics(1)

  -- the preferred quick fix under the cursor
  vim.api.nvim_win_set_cursor(0, { 7, 20 })
  if vim.fn.has("nvim-0.8") == 1 then
    vim.lsp.buf.code_action({ apply = true, filter = function(action) return action.isPreferred end })
    assert(vim.wait(60000, function() return vim.bo.modified end, 20), "no fix came")
  else
    local params = vim.lsp.util.make_range_params()
    params.context = { diagnostics = vim.lsp.diagnostic.get_line_diagnostics() }
    for id, answer in pairs(vim.lsp.buf_request_sync(0, "textDocument/codeAction", params, 60000)) do
      local client = vim.lsp.get_client_by_id(id)
      vim.lsp.util.apply_workspace_edit(answer.result[1].edit, client.offset_encoding)
    end
  end
  seen.fixed = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\\n")
  seen.after = diagnostics(0)
  vim.cmd("write")

  -- a helper that is edited and not saved
  vim.o.hidden = true
  vim.cmd("edit helper.py")
  vim.api.nvim_buf_set_lines(0, 0, -1, false, { "import time", "", "", "def wait():", "    time.sleep(1)" })
  vim.cmd("buffer app.py")
  seen.caller = diagnostics(1)

  if vim.fn.exists(":AsgiwayFixAll") == 2 then
    vim.api.nvim_buf_set_lines(0, 7, 7, false, { "    time.sleep(2)", "    time.sleep(3)" })
    diagnostics(3)
    vim.cmd("AsgiwayFixAll")
    diagnostics(1)
    seen.all = table.concat(vim.api.nvim_buf_get_lines(0, 7, 9, false), "\\n")
  end
end

local ok, problem = pcall(main)
seen.problem = not ok and tostring(problem) or nil
local file = io.open("seen.json", "w")
file:write(vim.fn.json_encode(seen))
file:close()
vim.cmd("qall!")
"""


def editors() -> list[str]:
    """Each Neovim there is: the one that came with the `dev` extra, and the system's."""
    folders = dict.fromkeys(
        [str(Path(sys.executable).parent), *os.environ.get("PATH", "").split(os.pathsep), "/usr/bin"]
    )
    found = [shutil.which("nvim", path=folder) for folder in folders]
    return list(dict.fromkeys(os.path.realpath(each) for each in found if each))


def setup_for(nvim: str) -> str:
    """What the documentation says for this version."""
    said = subprocess.run([nvim, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
    match = re.match(r"NVIM v(\d+)\.(\d+)", said)
    assert match is not None, said
    wanted = "0.11" if (int(match[1]), int(match[2])) >= (0, 11) else "0.7"
    block = re.search(rf"<!-- neovim {re.escape(wanted)} -->\n```lua\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert block is not None
    return block[1]


@pytest.mark.parametrize("nvim", editors() or [""], ids=lambda path: Path(path).parent.parent.name or "none")
def test_neovim_shows_and_repairs_a_finding_and_follows_a_helper(tmp_path: Path, nvim: str) -> None:
    if not nvim:
        pytest.skip("there is no nvim: neither from the dev extra (Linux on x86-64 only) nor from the system")
    (tmp_path / "project").mkdir()
    project = tmp_path / "project"
    (project / "app.py").write_text(APP)
    (project / "helper.py").write_text("def wait():\n    pass\n")
    (project / "pyproject.toml").write_text("[tool.asgiway-lint]\n")
    (tmp_path / "init.lua").write_text(f"vim.o.swapfile = false\n{setup_for(nvim)}")
    (tmp_path / "script.lua").write_text(SCRIPT)
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "asgiway-lint").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m asgiway_lint "$@"\n')
    (commands / "asgiway-lint").chmod(0o755)
    ran = subprocess.run(
        [nvim, "--headless", "-n", "-i", "NONE", "-u", "../init.lua", "app.py", "-c", "luafile ../script.lua"],
        cwd=project,
        env={
            **os.environ,
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
            **{f"XDG_{kind}_HOME": str(tmp_path / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")},
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (project / "seen.json").exists(), ran.stderr
    seen: dict[str, Any] = json.loads((project / "seen.json").read_text())
    assert seen.get("problem") is None, ran.stderr
    (first,) = seen["first"]
    assert first["message"] == "`time.sleep` puts the whole event loop to sleep: use asyncio.sleep"
    assert (first["code"], first["source"], first["severity"]) == ("AW101", "asgiway-lint", "ERROR")
    # Neovim's columns are bytes: four for the emoji.
    assert (first["line"], first["column"], first["last"]) == (6, 19, 32)
    assert 'print("😀"); await asyncio.sleep(1)  # why' in seen["fixed"]
    assert seen["fixed"].startswith("import asyncio\nimport time\n")
    assert not seen["after"]
    assert (project / "app.py").read_text() == seen["fixed"] + "\n"
    (caller,) = seen["caller"]
    assert caller["code"] == "AW101"
    assert caller["message"].startswith("`helper.wait() -> time.sleep`")
    assert seen.get("all", FIXED) == FIXED
    assert ("all" in seen) == ("AsgiwayFixAll" in setup_for(nvim))
    assert (project / "helper.py").read_text() == "def wait():\n    pass\n"
