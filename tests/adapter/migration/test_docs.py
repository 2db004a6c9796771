"""`adapter/docs/migration.md` is true: its blocks are run in their order, its tables are compared with the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from asgiway.migration.conflicts import KINDS
from asgiway.migration.path_syntax import CONVERTERS
from tests.e2e.pages import ROOT, Reader, blocks_of

FILE = ROOT / "adapter" / "docs" / "migration.md"
PAGE = FILE.read_text("utf-8")


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    someone = Reader(tmp_path)
    yield someone
    someone.stop()


@pytest.mark.wire
def test_the_blocks_in_their_order(reader: Reader) -> None:
    ran = 0
    for block in blocks_of(FILE):
        if block.language == "python":
            (reader.folder / block.file).write_text(block.text, "utf-8")
        else:
            assert block.language == "console"
            for command, output in block.commands:
                done = reader.run(command)
                if command.startswith("uvicorn "):
                    assert reader.here(output).strip() in done.stdout
                else:
                    assert done.stdout == reader.here(output), done.stderr
                ran += 1
    reader.stop()
    assert ran == 14


def test_every_kind_of_conflict_is_described() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (error|warning|info) \|", PAGE, re.M)
    assert dict(rows) == KINDS


def test_every_converter_is_named() -> None:
    sentence = PAGE[PAGE.index("with the converters") : PAGE.index('`"*"` stands')]
    assert set(re.findall(r"`(\w+)`", sentence)) == set(CONVERTERS)


def test_links_lead_to_headings() -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^## (.*)$", PAGE, re.M)
    }
    assert set(re.findall(r"\]\(#([^)]*)\)", PAGE)) == headings
