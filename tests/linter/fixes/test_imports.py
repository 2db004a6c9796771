"""Imports of fixes: once, in a legal place, where ruff and isort would put them; what is bound is reused, what is taken is respected."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from asgiway_lint.fixes.apply import apply_edits
from asgiway_lint.fixes.model import NeededImport
from asgiway_lint.fixes.placement import import_edits
from asgiway_lint.fixes.source import FixSource
from tests.linter.fixes.support import PATH, SETTINGS, fixed, refused, with_library

F = "\n\nasync def f(x):\n    time.sleep(1)\n"


def with_imports(text: str, *imports: NeededImport) -> str:
    source = FixSource(text, PATH, SETTINGS)
    return apply_edits(text, import_edits(source, imports))


ASYNCIO = NeededImport(module="asyncio")
HTTPX = NeededImport(module="httpx")
PATH_OF_ANYIO = NeededImport(module="anyio", name="Path")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("import time\n", "import asyncio\nimport time\n", id="sorted"),
        pytest.param("import abc\nimport time\n", "import abc\nimport asyncio\nimport time\n", id="in the middle"),
        pytest.param("import abc\n", "import abc\nimport asyncio\n", id="at the end"),
        pytest.param("from time import sleep\n", "import asyncio\nfrom time import sleep\n", id="before from"),
        pytest.param(
            "import httpx\n", "import asyncio\n\nimport httpx\n", id="a section of its own, before third parties"
        ),
        pytest.param("from . import x\n", "import asyncio\n\nfrom . import x\n", id="before relative imports"),
        pytest.param("", "import asyncio\n", id="an empty file"),
        pytest.param("x = 1\n", "import asyncio\n\nx = 1\n", id="no imports"),
        pytest.param('"""Doc."""\n\nx = 1\n', '"""Doc."""\n\nimport asyncio\n\nx = 1\n', id="behind the docstring"),
        pytest.param('"""Doc."""\nx = 1\n', '"""Doc."""\n\nimport asyncio\n\nx = 1\n', id="docstring without a gap"),
        pytest.param('"""Doc."""', '"""Doc."""\n\nimport asyncio\n', id="docstring alone"),
        pytest.param(
            "from __future__ import annotations\n\nx = 1\n",
            "from __future__ import annotations\n\nimport asyncio\n\nx = 1\n",
            id="behind __future__",
        ),
        pytest.param(
            '"""Doc."""\n\nfrom __future__ import annotations\n\nimport time\n',
            '"""Doc."""\n\nfrom __future__ import annotations\n\nimport asyncio\nimport time\n',
            id="docstring, __future__ and imports",
        ),
        pytest.param(
            "#!/usr/bin/env python\n# coding: utf-8\nx = 1\n",
            "#!/usr/bin/env python\n# coding: utf-8\n\nimport asyncio\n\nx = 1\n",
            id="shebang and coding",
        ),
        pytest.param("# Licence.\n\nx = 1\n", "# Licence.\n\nimport asyncio\n\nx = 1\n", id="licence"),
        pytest.param(
            "# about x\nx = 1\n", "import asyncio\n\n# about x\nx = 1\n", id="a comment on the first statement"
        ),
        pytest.param(
            "# standard\nimport time\n# third\nimport httpx\n",
            "# standard\nimport asyncio\nimport time\n# third\nimport httpx\n",
            id="below the heading",
        ),
        pytest.param(
            "import abc\n# about time\nimport time\n",
            "import abc\nimport asyncio\n# about time\nimport time\n",
            id="above a comment",
        ),
        pytest.param("import time, abc\n", "import asyncio\nimport time, abc\n", id="several in one statement"),
        pytest.param(
            "import time\nimport abc\nimport os\n",
            "import time\nimport abc\nimport os\nimport asyncio\n",
            id="unsorted",
        ),
        pytest.param("import time  # why\n", "import asyncio\nimport time  # why\n", id="a comment behind"),
        pytest.param("import abc  # why\n", "import abc  # why\nimport asyncio\n", id="behind a comment"),
        pytest.param("import abc; x = 1\n", "import asyncio\n\nimport abc; x = 1\n", id="a statement on the line"),
        pytest.param("import abc\r\nimport os\r\n", "import abc\r\nimport asyncio\r\nimport os\r\n", id="CRLF"),
        pytest.param("import abc", "import abc\nimport asyncio\n", id="no line end at the end"),
        pytest.param(
            "try:\n    import x\nexcept ImportError:\n    x = None\n",
            "import asyncio\n\ntry:\n    import x\nexcept ImportError:\n    x = None\n",
            id="only a guarded import",
        ),
        pytest.param(
            "__all__ = ['f']\n\nimport os\n",
            "__all__ = ['f']\n\nimport asyncio\nimport os\n",
            id="imports further down",
        ),
        pytest.param(
            "from abc import (\n    ABC,\n)\nimport os\n",
            "from abc import (\n    ABC,\n)\nimport asyncio\nimport os\n",
            id="sorted by name alone",
        ),
    ],
)
def test_where_an_import_goes(before: str, after: str) -> None:
    assert with_imports(before, ASYNCIO) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("from anyio import run\n", "from anyio import Path, run\n", id="one line"),
        pytest.param(
            "from anyio import (\n    Event,\n    run,\n)\n",
            "from anyio import (\n    Event,\n    Path,\n    run,\n)\n",
            id="in parentheses",
        ),
        pytest.param(
            "from anyio import (\n    Event,\n)\n", "from anyio import (\n    Event,\n    Path,\n)\n", id="at the end"
        ),
        pytest.param(
            "from anyio import run  # why\n", "from anyio import Path, run  # why\n", id="a comment behind stays"
        ),
        pytest.param("from anyio import *\n", "from anyio import *\nfrom anyio import Path\n", id="a star"),
        pytest.param("import anyio.abc\n", "import anyio.abc\nfrom anyio import Path\n", id="the module"),
        pytest.param(
            "import os\n",
            "import os\n\nfrom anyio import Path\n",
            id="a section of its own, behind the standard library",
        ),
        pytest.param("from zlib import crc32\nfrom .a import b\n", "from zlib import crc32\n", id="between sections"),
    ],
)
def test_names_join_a_statement_that_is_there(before: str, after: str) -> None:
    new = with_imports(before, PATH_OF_ANYIO)
    assert new.startswith(after)
    compile(new, "<new>", "exec")


def test_several_imports_at_once_are_sorted_and_parted() -> None:
    new = with_imports('"""Doc."""\n', HTTPX, ASYNCIO, PATH_OF_ANYIO, NeededImport(module="functools"))
    assert new == '"""Doc."""\n\nimport asyncio\nimport functools\n\nimport httpx\nfrom anyio import Path\n'


BLOCKS = [
    "import os\nimport time\n\nimport requests\n",
    "import abc\nfrom os import path\n\nimport requests\nfrom flask import Flask\n\nfrom . import models\n",
    "from __future__ import annotations\n\nimport os\n\nfrom .models import X\n",
    '"""Doc."""\n\nfrom __future__ import annotations\n\nfrom zlib import crc32\n',
    "import yaml\n",
    "from anyio import run\n",
    "import collections.abc\nfrom collections import abc\n\nimport anyio\n",
]


def test_a_block_that_ruff_finds_sorted_stays_sorted(tmp_path: Path) -> None:
    """With ruff itself."""
    (tmp_path / "before").mkdir()
    (tmp_path / "after").mkdir()
    for number, block in enumerate(BLOCKS):
        text = f"{block}\nx = 1\n"
        (tmp_path / "before" / f"m{number}.py").write_text(text)
        for name, imports in {"a": [ASYNCIO], "h": [HTTPX], "all": [HTTPX, ASYNCIO, PATH_OF_ANYIO]}.items():
            (tmp_path / "after" / f"m{number}_{name}.py").write_text(with_imports(text, *imports))
    for folder in ("before", "after"):
        command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "I", "--no-cache", folder]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout


def test_first_party_comes_behind_third_party(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("")
    text = "import time\n\nimport shop\n"
    source = FixSource(text, tmp_path / "module.py", SETTINGS)
    assert apply_edits(text, import_edits(source, [HTTPX])) == "import time\n\nimport httpx\n\nimport shop\n"


@pytest.mark.parametrize(
    ("imports", "call"),
    [
        pytest.param("import asyncio\nimport time", "await asyncio.sleep(1)", id="there"),
        pytest.param("import asyncio as aio\nimport time", "await aio.sleep(1)", id="another name"),
        pytest.param("from asyncio import sleep as s\nimport time", "await s(1)", id="by name, another name"),
        pytest.param("import asyncio.tasks\nimport time", "await asyncio.sleep(1)", id="a submodule"),
    ],
)
def test_what_is_bound_is_reused(imports: str, call: str) -> None:
    assert fixed(imports + "\n" + F) == imports + "\n" + F.replace("time.sleep(1)", call)


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(
            "import time\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import asyncio\n", id="typing"
        ),
        pytest.param("import time\n\ntry:\n    import asyncio\nexcept ImportError:\n    pass\n", id="guarded"),
        pytest.param("import time\n\n\ndef g():\n    import asyncio\n    return asyncio\n", id="in another function"),
    ],
)
def test_what_may_not_be_there_at_run_time_does_not_count(before: str) -> None:
    assert fixed(before + F) == "import asyncio\n" + before + F.replace("time.sleep", "await asyncio.sleep")


def test_an_import_in_the_function_counts_behind_it_only() -> None:
    source = "import time\n\n\nasync def f(x):\n{}    import asyncio\n{}"
    assert "import asyncio\nimport time" not in fixed(source.format("", "    time.sleep(1)\n"))
    # Before it the name is unbound, whatever the module imports.
    early = source.format("    time.sleep(1)\n", "")
    assert fixed(early) in (
        early,
        early.replace("import time", "import time\nfrom asyncio import sleep").replace("time.sleep", "await sleep"),
    )
    branch = "import time\n\n\nasync def f(x):\n    if x:\n        import asyncio\n    time.sleep(1)\n"
    assert "await asyncio.sleep" not in fixed(branch)


@pytest.mark.parametrize(
    ("source", "new"),
    [
        pytest.param("import time\n\nasyncio = 1\n" + F, "await sleep(1)", id="a name of the module: imported by name"),
        pytest.param("import time\n" + F.replace("f(x)", "f(asyncio)"), "await sleep(1)", id="a parameter"),
        pytest.param("import time\n" + F + "    asyncio = 1\n", "await sleep(1)", id="bound later in the function"),
        pytest.param("import time\n\n\nclass asyncio: pass\n" + F, "await sleep(1)", id="a class"),
        pytest.param("import time\nimport trio as asyncio\n" + F, "await asyncio.sleep(1)", id="another library's"),
    ],
)
def test_a_name_that_means_something_else(source: str, new: str) -> None:
    assert new in fixed(source)


def test_where_every_name_is_taken_there_is_no_fix() -> None:
    source = "import time\n" + F.replace("f(x)", "f(asyncio, sleep)")
    assert fixed(source) == source
    assert refused(source) == ["`asyncio` and `sleep` mean something else here"]


def test_anyio_and_trio_have_to_thread_in_a_submodule() -> None:
    source = "import os\n\n\nasync def f(x):\n    os.stat(x)\n"
    assert fixed(source, settings=with_library("anyio")) == "import os\n\nimport anyio\n" + source.removeprefix(
        "import os\n"
    ).replace("os.stat(x)", "await anyio.to_thread.run_sync(os.stat, x)")
    by_name = "from anyio import to_thread\n" + source
    assert "await to_thread.run_sync(os.stat, x)" in fixed(by_name, settings=with_library("anyio"))
    assert "await run_sync(os.stat, x)" in fixed("from trio.to_thread import run_sync\n" + source)


def test_an_import_is_added_once() -> None:
    source = "import os\nimport time\n\n\nasync def f(x):\n    time.sleep(1)\n    os.stat(x)\n    time.sleep(2)\n"
    assert fixed(source).count("import asyncio") == 1


def test_a_star_import_does_not_hide_builtins_that_are_meant() -> None:
    text = textwrap.dedent(
        """\
        from os import *
        import time


        async def f(x):
            time.sleep(1)
        """
    )
    assert "await asyncio.sleep(1)" in fixed(text)
