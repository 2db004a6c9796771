"""Whether real code of every kind goes through the linter: ``python -m tests.benchmarks.linter.robustness``, by hand.

Every Python file of the standard libraries at hand (their tests with bad syntax and odd encodings included) and of 25 big packages is checked
with all rules. It counts what must not be: a crash, a file without a report, a file that cannot be parsed and is not said to be, and a
finding that a file has in the full run but not when it is named alone, or the other way round.

Options: ``--folder`` keeps the packages between runs, ``--packages`` says how many of them, ``--named`` how many files are checked alone.
Exit code: 0 all is well, 1 something of the above, 2 a package cannot be had.
"""

from __future__ import annotations

import argparse
import ast
import random
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from asgiway_lint.analysis.run import FileReport, check_files
from asgiway_lint.config import Settings
from asgiway_lint.facts import SourceProblem, read
from asgiway_lint.project.store import may_run_on_loop

PACKAGES: Final = (
    "aiohttp", "ansible-core", "botocore", "celery", "dask", "distributed", "django", "fastapi", "homeassistant==2024.3.3", "ipython",
    "jupyter-server", "langchain-core", "litellm", "matplotlib", "mitmproxy", "mypy", "networkx", "pandas", "prefect", "pydantic",
    "scikit-learn", "sqlalchemy", "sympy", "transformers", "twisted",
)  # fmt: skip
_UNREADABLE: Final = frozenset({"AW001", "AW002"})


@dataclass(slots=True)
class Tally:
    """What one source of files gave."""

    name: str
    files: int = 0
    lines: int = 0
    findings: int = 0
    unreadable: int = 0
    named: int = 0
    seconds: float = 0.0
    problems: list[str] | None = None


def standard_libraries() -> Iterator[tuple[str, Path]]:
    """Name and folder of the standard library of each Python of this or another version that can be found."""
    seen: set[Path] = set()
    for version in ("3.11", "3.12", "3.13", "3.14"):
        command = ["-c", "import sysconfig; print(sysconfig.get_paths()['stdlib'])"]
        candidates = [
            f"python{version}",
            *map(str, sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))),
        ]
        for candidate in candidates:
            try:
                done = subprocess.run([candidate, *command], capture_output=True, text=True, check=True, timeout=60)
            except (OSError, subprocess.SubprocessError):
                continue
            folder = Path(done.stdout.strip())
            if folder.is_dir() and f"python{version}" in folder.name and folder.resolve() not in seen:
                seen.add(folder.resolve())
                yield f"Python {version}, standard library", folder
                break


def package(name: str, folder: Path) -> Path:
    """The unpacked wheel of a package, downloaded if it is not there yet.

    Raises:
        subprocess.CalledProcessError: it cannot be downloaded.
    """
    place = folder / name.partition("==")[0]
    if not place.is_dir():
        with tempfile.TemporaryDirectory() as scratch:
            command = [
                sys.executable,
                "-m",
                "pip",
                "download",
                "-q",
                "--no-deps",
                "--only-binary",
                ":all:",
                "-d",
                scratch,
                name,
            ]
            subprocess.run(command, check=True, timeout=600)
            (wheel,) = Path(scratch).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(place)
    return place


def check(name: str, folder: Path, named: int) -> Tally:
    """Check all files of a folder, and some of them again alone."""
    paths = [path for path in sorted(folder.rglob("*.py")) if "site-packages" not in path.parts]
    settings = Settings(root=folder, src=(folder,))
    tally = Tally(name, files=len(paths), problems=[])
    problems = tally.problems = []
    begin = time.perf_counter()
    try:
        reports = list(check_files(paths, lambda _: settings, cache=False))
    except Exception:
        problems.append(f"crash: {traceback.format_exc()[-1000:]}")
        return tally
    tally.seconds = time.perf_counter() - begin
    if [report.path for report in reports] != list(map(str, paths)):
        problems.append("the reports are not those of the files, in their order")
    for path, report in zip(paths, reports, strict=True):
        source = path.read_bytes()
        tally.lines += source.count(b"\n")
        tally.findings += len(report.findings)
        unreadable = any(finding.code in _UNREADABLE for finding in report.findings)
        tally.unreadable += unreadable
        if may_run_on_loop(source) and unreadable is parses(source):
            problems.append(f"{path}: {'reported as unreadable' if unreadable else 'not reported as unreadable'}")
    for report in sample(reports, named):
        tally.named += 1
        (alone,) = check_files([Path(report.path)], lambda _: settings, cache=False)
        if alone != report:
            problems.append(
                f"{report.path}: named alone it has {len(alone.findings)}, not {len(report.findings)} findings"
            )
    return tally


def parses(source: bytes) -> bool:
    """Whether a source can be parsed, by this interpreter or by the reader of newer syntax."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        try:
            read(source)
        except SourceProblem:
            return False
    return True


def sample(reports: list[FileReport], count: int) -> list[FileReport]:
    """Some reports, at random but the same ones each time; mostly those with findings."""
    chosen = random.Random(len(reports))
    found = [report for report in reports if report.findings]
    clean = [report for report in reports if not report.findings]
    first = chosen.sample(found, min(len(found), count * 3 // 4))
    return [*first, *chosen.sample(clean, min(len(clean), count - len(first)))]


def main() -> int:
    """Run, print a line for each source of files and what is wrong."""
    parser = argparse.ArgumentParser(description="Real code of every kind through the linter.")
    parser.add_argument("--folder", type=Path, help="where the packages are kept [default: a temporary folder]")
    parser.add_argument("--packages", type=int, default=len(PACKAGES), help="how many of the packages [default: all]")
    parser.add_argument("--named", type=int, default=20, help="how many files of each are checked alone [default: 20]")
    arguments = parser.parse_args()
    print(
        f"{'source':<32} {'files':>6} {'lines':>9} {'findings':>8} {'unreadable':>10} {'alone':>5} {'problems':>8} {'s':>6}"
    )
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder: Path = arguments.folder or Path(scratch)
        sources = [*standard_libraries(), *[(name, None) for name in PACKAGES[: arguments.packages]]]
        total = Tally("all", problems=[])
        for name, place in sources:
            try:
                tally = check(name, place or package(name, folder), arguments.named)
            except subprocess.CalledProcessError as error:
                print(f"{name}: cannot be downloaded: {error}", file=sys.stderr)
                return 2
            problems = tally.problems or []
            wrong += len(problems)
            total.files += tally.files
            total.lines += tally.lines
            total.findings += tally.findings
            total.unreadable += tally.unreadable
            total.named += tally.named
            total.seconds += tally.seconds
            show(tally)
            for problem in problems:
                print(f"    {problem}")
        show(total, wrong)
    return 1 if wrong else 0


def show(tally: Tally, wrong: int | None = None) -> None:
    """One line of the table."""
    problems = len(tally.problems or []) if wrong is None else wrong
    print(
        f"{tally.name:<32} {tally.files:>6} {tally.lines:>9} {tally.findings:>8} {tally.unreadable:>10} {tally.named:>5} "
        f"{problems:>8} {tally.seconds:>6.1f}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
