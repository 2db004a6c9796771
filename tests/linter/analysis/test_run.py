"""The engine's door: bad files, order, processes, cache, prefilter; and that real code never crashes it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from asgiway_lint.analysis.run import FileReport, check_files, check_source
from asgiway_lint.config import Settings
from asgiway_lint.finding import Severity
from asgiway_lint.project.store import may_run_on_loop

BLOCKS = b"import time\nasync def f():\n    time.sleep(1)\n"
PATHS = sysconfig.get_paths()


def check(
    paths: Sequence[Path], root: Path, *, cache: bool = False, jobs: int | None = None, **options: object
) -> list[FileReport]:
    settings = Settings(root=root, src=(root,), cache_dir=root / "cache", **options)  # type: ignore[arg-type]
    return list(check_files(paths, lambda _: settings, cache=cache, jobs=jobs))


def test_a_finding_names_the_call_its_place_and_the_replacement(tmp_path: Path) -> None:
    (finding,) = check_source(BLOCKS, tmp_path / "a.py", Settings(root=tmp_path)).findings
    assert (finding.code, finding.severity, finding.symbol) == ("AW101", Severity.ERROR, "time.sleep")
    assert (finding.line, finding.column, finding.end_line, finding.end_column) == (3, 5, 3, 18)
    assert finding.path == str(tmp_path / "a.py")
    assert "time.sleep" in finding.message
    assert "asyncio.sleep" in finding.message
    assert finding.chain == ()


def test_replacements_follow_the_settings(tmp_path: Path) -> None:
    (finding,) = check_source(BLOCKS, tmp_path / "a.py", Settings(root=tmp_path, async_library="anyio")).findings
    assert finding.replacement == "anyio.sleep"


@pytest.mark.parametrize(
    ("imports", "expected"),
    [
        ("import anyio", "anyio.sleep"),
        ("from anyio.abc import TaskGroup", "anyio.sleep"),
        ("import trio", "trio.sleep"),
        ("import trio, asyncio", "asyncio.sleep"),
        ("from .trio import x", "asyncio.sleep"),
        ("import requests", "asyncio.sleep"),
    ],
)
def test_replacements_follow_the_imports_where_the_settings_are_silent(
    tmp_path: Path, imports: str, expected: str
) -> None:
    source = f"{imports}\n".encode() + BLOCKS
    (finding,) = check_source(source, tmp_path / "a.py", Settings(root=tmp_path)).findings
    assert finding.replacement == expected
    (finding,) = check_source(source, tmp_path / "a.py", Settings(root=tmp_path, async_library="trio")).findings
    assert finding.replacement == "trio.sleep"


def test_one_bad_file_is_a_finding_and_stops_nothing(tmp_path: Path) -> None:
    """Row 62 of the feature table, flake8-async's #304: the other files are checked."""
    sources = {
        "good.py": BLOCKS,
        "syntax.py": b"async def f():\n    x = = 1\n",
        "encoding.py": b"# coding: martian\nasync = 1\n",
        "bytes.py": b"async def f(): '\xff'\n",
        "nul.py": b"async def f(): pass\n\x00",
        "last.py": BLOCKS,
    }
    for name, source in sources.items():
        (tmp_path / name).write_bytes(source)
    paths = [*(tmp_path / name for name in sources), tmp_path / "missing.py", tmp_path]
    reports = check(paths, tmp_path)
    assert [Path(report.path) for report in reports] == paths
    assert [[finding.code for finding in report.findings] for report in reports] == [
        ["AW101"],
        ["AW001"],
        ["AW002"],
        ["AW002"],
        ["AW001"],
        ["AW101"],
        ["AW002"],
        ["AW002"],
    ]
    syntax = reports[1].findings[0]
    assert (syntax.line, syntax.column) == (2, 9)
    assert "No such file" in reports[6].findings[0].message


def test_directives_are_reported_also_where_nothing_can_block(tmp_path: Path) -> None:
    for source in (b"x = 1  # noqa: AW102\n", BLOCKS + b"# noqa: AW102\n", b"async def f(: # noqa: AW102\n"):
        report = check_source(source, tmp_path / "a.py", Settings(root=tmp_path))
        assert [directive.codes for directive in report.directives] == [("AW102",)]


def test_stubs_have_no_findings_but_their_syntax_errors(tmp_path: Path) -> None:
    """A stub with bodies is never run; what it declares is not of interest to others either."""
    assert check_source(BLOCKS, tmp_path / "a.pyi", Settings(root=tmp_path)).findings == ()
    (finding,) = check_source(b"async def f(:\n", tmp_path / "a.pyi", Settings(root=tmp_path)).findings
    assert finding.code == "AW001"


def test_paths_come_back_as_they_were_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a b é.py").write_bytes(BLOCKS)
    monkeypatch.chdir(tmp_path)
    (report,) = check([Path("a b é.py")], tmp_path)
    assert report.path == "a b é.py"
    assert [finding.path for finding in report.findings] == ["a b é.py"]


@pytest.fixture(scope="module")
def sample() -> list[Path]:
    """Real files of all sorts: the standard library's (its tests with bad syntax included) and site-packages'."""
    chosen = random.Random(1)
    stdlib = sorted(Path(PATHS["stdlib"]).rglob("*.py"))
    mentions_async = [path for path in stdlib if "asyncio" in path.parts or "lib2to3" in path.parts]
    installed = sorted(Path(PATHS["purelib"]).rglob("*.py"))
    return [*chosen.sample(stdlib, 150), *mentions_async, *chosen.sample(installed, 250)]


def test_processes_cache_and_order_change_nothing(tmp_path: Path, sample: list[Path]) -> None:
    root = Path(PATHS["purelib"])

    def run(paths: Sequence[Path], **options: object) -> dict[str, FileReport]:
        settings = Settings(root=root, src=(root,), cache_dir=tmp_path / "cache")
        return {r.path: r for r in check_files(paths, lambda _: settings, **options)}  # type: ignore[arg-type]

    expected = run(sample, cache=False, jobs=1)
    assert any(report.findings for report in expected.values())
    assert run(sample, cache=True, jobs=2) == expected
    assert run(sample[::-1], cache=True, jobs=1) == expected
    for path in [name for name, report in expected.items() if report.findings][:15]:
        assert run([Path(path)], cache=False) == {path: expected[path]}


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_without_a_usable_cache_folder_there_is_one_warning_and_all_findings(tmp_path: Path, jobs: str) -> None:
    (tmp_path / "cache").write_text("not a folder")
    for number in range(4):
        (tmp_path / f"m{number}.py").write_bytes(BLOCKS)
    command = [sys.executable, "-m", "asgiway_lint", "check", "--isolated", "--cache-dir", "cache", "--jobs", jobs, "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stdout.count("AW101") == 4
    assert done.stderr.count("without a cache") == 1


def test_what_the_prefilter_skips_has_no_findings(tmp_path: Path, sample: list[Path]) -> None:
    skipped = 0
    for path in sample:
        source = path.read_bytes()
        if may_run_on_loop(source):
            continue
        skipped += 1
        # The same code with the word in a comment is read in full.
        report = check_source(source + b"\n# async\n", path, Settings(root=tmp_path))
        assert [f for f in report.findings if f.code not in ("AW001", "AW002")] == []
    assert skipped > 100


@pytest.mark.long
@pytest.mark.parametrize("folder", ["stdlib", "purelib"])
def test_no_real_file_crashes_the_engine(tmp_path: Path, folder: str) -> None:
    paths = sorted(Path(PATHS[folder]).rglob("*.py"))
    assert len(check(paths, tmp_path)) == len(paths)


STATEMENTS = st.recursive(
    st.sampled_from(
        [
            "x = y",
            "y = requests.Session()",
            "x = time",
            "x.sleep(1)",
            "y.get(x)",
            "import time",
            "from time import *",
            "from . import x",
            "x: 'y' = x",
            "x, (y, *z) = y",
            "return x",
            "await x",
            "yield x",
            "del x",
            "global x",
            "x = [y.get() for y in x if (z := y)]",
            "(lambda x: x.sleep(1))(time)",
            "self.x = self.y = x",
            "x = x / y | z",
            "y = super().y",
            "x = x(y)",
            "x = x[0]",
            "x[y] = z",
            "del x[y]",
            "x += y",
            "x = y in x and not x",
            "x = len(x) + y",
            "x = list(map(x, y))",
            "sorted(x, key=y)",
            "x(y, z=x)",
            "y.enter_context(x)",
            "return self",
            "x.y = y",
            "loop = asyncio.get_running_loop()",
            "y = x.y(x)",
        ]
    ).map(lambda line: [line]),
    lambda inner: st.tuples(
        st.sampled_from(
            [
                "if isinstance(x, y):",
                "for x in y:",
                "async for x in y:",
                "while x:",
                "with x as y:",
                "async with x() as y:",
                "try:",
                "def x(y, z: x = y) -> x:",
                "async def y(self, x=x):",
                "class x(y, x):",
                "class y:",
                "def __iter__(self):",
                "def __next__(self):",
                "def __getitem__(self, x):",
                "def __init__(self, x=None):",
                "@property\ndef y(self):",
                "@y.setter\ndef y(self, x):",
                "@contextmanager\ndef z(x=y):",
                "if self.x is None:",
                "if loop is None:",
                "@x\ndef z():",
                "match x:",
            ]
        ),
        st.lists(inner, min_size=1, max_size=4),
    ).map(lambda pair: block(pair[0], [line for lines in pair[1] for line in lines])),
    max_leaves=30,
)


def block(head: str, body: list[str]) -> list[str]:
    *before, head = head.split("\n")
    if head == "match x:":
        return [head, "    case [x, *y]:", *(f"        {line}" for line in body)]
    rest = ["except x as y:", "    raise"] if head == "try:" else []
    return [*before, head, *(f"    {line}" for line in body), *rest]


@given(st.lists(STATEMENTS, max_size=8))
@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_generated_modules_never_crash_it(statements: list[list[str]]) -> None:
    source = (
        "import asyncio, time, requests\nfrom contextlib import contextmanager\n"
        + "\n".join(line for lines in statements for line in lines)
        + "\n# async"
    )
    first = check_source(source.encode(), Path("generated.py"), Settings(root=Path(os.sep)))
    assert first == check_source(source.encode(), Path("generated.py"), Settings(root=Path(os.sep)))
    assert all(finding.code != "AW002" for finding in first.findings)


def test_flask_views_are_info_because_their_loop_is_their_own() -> None:
    path = Path(__file__).parents[1] / "fixtures" / "single" / "flask_views.py"
    findings = check_source(path.read_bytes(), path, Settings(root=path.parent)).findings
    assert [finding.severity for finding in findings] == [Severity.INFO, Severity.INFO, Severity.ERROR]
    assert ["loop of its own" in finding.message for finding in findings] == [True, True, False]
