"""One server for many tests: it takes longer to start than to answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.linter.server.editor import Editor, editor


@pytest.fixture(scope="module")
def vim() -> Iterator[Editor]:
    """An editor without a workspace: a file's own folder counts as one."""
    with asyncio.Runner() as runner:
        context = editor()
        found = runner.run(context.__aenter__())
        found.runner = runner
        yield found
        runner.run(context.__aexit__(None, None, None))
