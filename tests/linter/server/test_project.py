"""Knowledge of the whole project: buffers before files, and what changes in one file is seen in the others."""

from __future__ import annotations

import functools
import json
import shutil
from pathlib import Path
from typing import Any

import attrs
from lsprotocol import types

from tests.linter.server.editor import FULL, WORKSPACE, Editor, editor, in_loop, shared

WAITS = "import time\n\n\ndef wait():\n    time.sleep(1)\n"
RETURNS = "def wait():\n    return 1\n"
CALLER = "from helper import wait\n\n\nasync def f():\n    wait()\n"

UNWATCHED = attrs.evolve(FULL, workspace=attrs.evolve(WORKSPACE, did_change_watched_files=None))


def was_shown(vim: Editor, uri: str) -> bool:
    return vim.shown(uri) is not None


def last_place(vim: Editor, uri: str) -> types.Position | None:
    """Where the chain of the first diagnostic ends."""
    shown = vim.shown(uri)
    related = list(shown[0].related_information or ()) if shown else []
    return related[-1].location.range.start if related else None


@shared
async def test_an_unsaved_edit_in_a_helper_is_seen_in_the_open_files_that_call_it(vim: Editor, tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text(RETURNS)
    (tmp_path / "middle.py").write_text("import helper\n\n\ndef pause():\n    helper.wait()\n")
    near = vim.open(tmp_path / "near.py", CALLER)
    far = vim.open(tmp_path / "far.py", "from middle import pause\n\n\nasync def f():\n    pause()\n")
    other = vim.open(tmp_path / "other.py", "async def f():\n    pass\n")
    helper = vim.open(tmp_path / "helper.py")
    for uri in (near, far, other, helper):
        await vim.see(uri)
    vim.type(helper, WAITS)
    await vim.see(near, "AW101")
    await vim.see(far, "AW101")
    # A comment below changes nothing for the others, a line above moves the places of the chain.
    vim.type(helper, f"# about waiting\n{WAITS}# the end\n")
    await vim.see(helper)
    place = types.Position(5, 4)
    await vim.until(lambda: last_place(vim, near) == last_place(vim, far) == place)
    vim.close(helper)  # without saving: the file counts again
    await vim.see(near)
    await vim.see(far)
    assert [each.uri for each in vim.published].count(other) == 1


@in_loop
async def test_the_editor_shows_what_the_command_line_prints() -> None:
    from tests.linter.cli_support import process

    shop = Path(__file__).parents[3] / "sample_apps" / "shop_async"
    printed: dict[str, list[tuple[str, int, str]]] = {}
    for each in json.loads(process("check", "--no-cache", "--output-format", "json", cwd=shop).stdout):
        found = (each["code"], each["location"]["row"] - 1, each["message"])
        printed.setdefault(each["filename"], []).append(found)
    assert printed
    async with editor(shop) as vim:
        for path in sorted(shop.rglob("*.py")):
            uri = vim.open(path)
            await vim.until(functools.partial(was_shown, vim, uri))
            shown = [(str(each.code), each.range.start.line, each.message) for each in vim.shown(uri) or ()]
            assert sorted(shown) == sorted(printed.get(str(path), []))


@shared
async def test_a_new_file_counts_before_it_is_saved_and_after_it_is_deleted_no_more(
    vim: Editor, tmp_path: Path
) -> None:
    caller = vim.open(tmp_path / "caller.py", CALLER)
    await vim.see(caller)
    helper = vim.open(tmp_path / "helper.py", WAITS)
    await vim.see(caller, "AW101")
    vim.save(helper, tmp_path / "helper.py")
    vim.close(helper)
    vim.type(caller, f"{CALLER}\n")
    await vim.see(caller, "AW101")
    (tmp_path / "helper.py").unlink()
    vim.changed_on_disk(tmp_path / "helper.py")
    await vim.see(caller)
    package = tmp_path / "helper"
    package.mkdir()
    (package / "__init__.py").write_text("from .inner import wait\n")
    (package / "inner.py").write_text(WAITS)
    vim.changed_on_disk(package / "__init__.py", package / "inner.py")
    await vim.see(caller, "AW101")
    package.rename(tmp_path / "helpers")
    vim.changed_on_disk(package, tmp_path / "helpers")
    await vim.see(caller)
    vim.type(caller, CALLER.replace("helper", "helpers"))
    await vim.see(caller, "AW101")


@shared
async def test_the_client_is_asked_to_watch_python_and_configuration_files(vim: Editor, tmp_path: Path) -> None:
    await vim.until(lambda: vim.registered)
    (registration,) = vim.registered
    assert registration.method == types.WORKSPACE_DID_CHANGE_WATCHED_FILES
    options: Any = registration.register_options
    globs = [each["globPattern"] for each in options["watchers"]]
    assert globs == ["**/*.{py,pyi}", "**/pyproject.toml", "**/*asgiway-lint*.{toml,json}"]


@in_loop
async def test_a_client_that_does_not_watch_files_is_served_by_looking(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text(WAITS)
    async with editor(tmp_path, capabilities=UNWATCHED) as vim:
        caller = vim.open(tmp_path / "caller.py", CALLER)
        await vim.see(caller, "AW101")
        assert not vim.registered
        (tmp_path / "helper.py").write_text(RETURNS)
        await vim.see(caller)
        (tmp_path / "helper.py").write_text(WAITS)
        await vim.see(caller, "AW101")
        (tmp_path / "asgiway-lint.toml").write_text('ignore = ["AW101"]\n')
        await vim.see(caller)


@in_loop
async def test_an_editor_with_one_folder_that_refuses_to_watch_it(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "helper.py").write_text(WAITS)
    async with editor(root=tmp_path, cwd=Path.cwd(), refuses=True) as vim:
        # Only who knows the folder finds `lib` from there.
        caller = vim.open(tmp_path / "apps" / "caller.py", CALLER.replace("helper", "lib.helper"))
        await vim.see(caller, "AW101")
        (tmp_path / "lib" / "helper.py").write_text(RETURNS)
        await vim.see(caller)
        assert vim.messages == []


@shared
async def test_configuration_is_followed_and_a_broken_one_said_once(vim: Editor, tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text(WAITS)
    config = tmp_path / "pyproject.toml"
    caller = vim.open(tmp_path / "caller.py", f"{CALLER}    open('x')\n")
    await vim.see(caller, "AW101", "AW108")
    config.write_text('[tool.asgiway-lint]\nignore = ["AW108"]\n')
    vim.changed_on_disk(config)
    await vim.see(caller, "AW101")
    config.write_text('[tool.asgiway-lint]\nignore = ["AW999"]\n')
    vim.changed_on_disk(config)
    await vim.until(lambda: vim.messages)
    vim.type(caller, f"{CALLER}    open('y')\n")
    await vim.see(caller, "AW101")  # the last one that made sense goes on
    assert len(vim.messages) == 1
    assert "AW999" in vim.messages[0]
    assert str(config) in vim.messages[0]
    assert vim.messages[0] in vim.logged
    shared = tmp_path / "conf" / "shared.toml"
    shared.parent.mkdir()
    shared.write_text('extend-exclude = ["caller.py"]\n')
    config.write_text('[tool.asgiway-lint]\nextend = "conf/shared.toml"\n')
    vim.changed_on_disk(config)
    await vim.see(caller)
    shared.write_text("transitive = false\n")
    vim.changed_on_disk(shared)
    await vim.see(caller, "AW108")
    assert len(vim.messages) == 1


@in_loop
async def test_each_folder_of_a_workspace_has_its_settings_and_the_client_may_overrule_them(tmp_path: Path) -> None:
    for name, ignored in (("one", "AW101"), ("two", "AW108"), ("three", "AW102")):
        (tmp_path / name / "src").mkdir(parents=True)
        (tmp_path / name / "src" / "helper.py").write_text(WAITS)
        (tmp_path / name / "asgiway-lint.toml").write_text(f'ignore = ["{ignored}"]\n')
    text = f"{CALLER}    open('x')\n    input()\n"
    async with editor(tmp_path / "one", tmp_path / "two", settings={"extend-select": ["AW112"], "nonsense": 1}) as vim:
        await vim.until(lambda: vim.messages)
        assert "nonsense" in vim.messages[0]
        one = vim.open(tmp_path / "one" / "app.py", text)
        two = vim.open(tmp_path / "two" / "app.py", text)
        await vim.see(one, "AW108", "AW112")
        await vim.see(two, "AW101", "AW112")
        three = types.WorkspaceFolder((tmp_path / "three").as_uri(), "three")
        gone = types.WorkspaceFolder((tmp_path / "one").as_uri(), "one")
        change = types.WorkspaceFoldersChangeEvent(added=[three], removed=[gone])
        vim.client.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(change))
        await vim.see(vim.open(tmp_path / "three" / "app.py", text), "AW101", "AW108", "AW112")
    async with editor(tmp_path / "one", settings={"select": ["AW112"]}) as vim:
        await vim.see(vim.open(tmp_path / "one" / "app.py", text), "AW112")
        assert vim.messages == []


@shared
async def test_findings_of_the_baseline_are_not_shown(vim: Editor, tmp_path: Path) -> None:
    from tests.linter.cli_support import process

    (tmp_path / "a.py").write_text("import time\n\n\nasync def f():\n    time.sleep(1)\n")
    (tmp_path / "asgiway-lint.toml").write_text('baseline = "old.json"\n')
    assert process("baseline", "create", "--baseline", "old.json", cwd=tmp_path).returncode == 0
    uri = vim.open(tmp_path / "a.py")
    await vim.see(uri)
    vim.type(
        uri,
        "import time\n\n\nasync def f():\n    open('x')\n    time.sleep(1)\n\n\nasync def g():\n    time.sleep(1)\n",
    )
    await vim.see(uri, "AW108", "AW101")
    shutil.move(tmp_path / "old.json", tmp_path / "older.json")
    vim.changed_on_disk(tmp_path / "old.json")
    await vim.see(uri, "AW108", "AW101", "AW101")
    await vim.until(lambda: vim.messages)
    assert "there is no baseline" in vim.messages[0]
