"""Every code block of the README is run as its reader would run it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from asgiway_lint.rules import all_rules
from tests.e2e.pages import Reader
from tests.e2e.readme import README, ROOT, blocks, line
from tests.e2e.serving import free_port

SECONDS = 60


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    someone = Reader(tmp_path)
    yield someone
    someone.stop()


def test_the_blocks_in_their_order(reader: Reader) -> None:
    ran = 0
    for block in blocks():
        if block.file:
            (reader.folder / block.file).write_text(block.text, "utf-8")
            if block.language == "toml":
                tomllib.loads(block.text)
            elif block.language == "yaml":
                assert yaml.safe_load(block.text)
        elif block.language == "console":
            for command, output in block.commands:
                assert output, f"the README does not show what {command!r} prints"
                done = reader.run(command)
                if command.startswith("uvicorn "):
                    reader.wait_for(re.compile(re.escape(reader.here(output).strip())))
                else:
                    assert done.stdout.rstrip() == reader.here(output).rstrip(), done.stderr
                ran += 1
        else:
            assert block.line, f"no test runs this block: {block.text}"
    assert ran >= 7
    # With the settings in place the linter takes them, and finds the same.
    done = reader.run("asgiway-lint check .")
    assert (done.returncode, done.stderr) == (1, "")
    assert "Found 6 errors, 1 warning." in done.stdout


def test_the_hook_of_the_readme_exists() -> None:
    (configuration,) = [block for block in blocks() if block.file == ".pre-commit-config.yaml"]
    (repository,) = yaml.safe_load(configuration.text)["repos"]
    known = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    assert {hook["id"] for hook in repository["hooks"]} <= known


def test_the_table_of_rules_is_complete() -> None:
    rows = re.findall(r"^\| \[(AW\d{3})\]\((\S+)\) (\S+) \| (.+) \| (\w+) \|$", README.read_text("utf-8"), re.M)
    assert rows == [
        (rule.code, f"linter/docs/rules/{rule.code}.md", rule.slug, rule.summary, rule.severity.value)
        for rule in all_rules()
    ]


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README.read_text("utf-8"))
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_ci_runs_the_line_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "<!-- line: test -->" in script
    shown = subprocess.run(
        ["bash", str(ROOT / ".ci" / "run"), "--show-test-line"], capture_output=True, text=True, check=True, timeout=10
    )
    assert shown.stdout.strip() == line("test")


@pytest.mark.network
def test_the_line_that_runs_the_demonstration(tmp_path: Path) -> None:
    """In a fresh clone, exactly as printed, but for --once, which ends by itself."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True, timeout=SECONDS)
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        ["bash", "-c", f"{line('run')} --once --port {free_port()}"],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "checks passed" in done.stdout
    shutil.rmtree(clone)
