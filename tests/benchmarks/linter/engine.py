"""What a lint run costs, beside its rivals in the same run: the table of `linter/docs/performance.md`. Run by hand.

    python tests/benchmarks/linter/engine.py --large DIR --small DIR [--flake8 PATH] [--compiled DIR] [--write]

``--large`` is an unpacked wheel of homeassistant 2024.3.3, ``--small`` one of open_webui 0.12.4; any other project will do to compare
two versions of the linter. Every command is run several times and the best time counts: other work on the machine only ever
adds. ruff is looked for beside the interpreter and on the PATH; flake8 with flake8-async is taken from there or from ``--flake8``
(it takes a minute, so it is run once). ``--compiled`` is a folder with the packages of a wheel that was built with ``ASGIWAY_COMPILE=1``
(unpack it there): two rows more. ``--write`` replaces the page.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from asgiway_lint import __version__
from asgiway_lint.analysis.session import Session
from asgiway_lint.config import Settings
from asgiway_lint.facts.reader import quick_reading
from asgiway_lint.server.store import LiveStore

PAGE = Path(__file__).parents[3] / "linter" / "docs" / "performance.md"
LINT = [sys.executable, "-m", "asgiway_lint"]
# These need not be anywhere in the project: the benchmark makes the changes in a copy.
CALM_LEAF = "\n\nasync def zz_benchmark():\n    import time\n    time.sleep(1)\n"
CALM_BODY = '        len("benchmark")\n'
NEW_VARIABLE = '        zz_benchmark = len("benchmark")\n'
NEW_ATTRIBUTE = "        self.zz_benchmark = 1\n"
NEW_METHOD = "    def zz_benchmark(self):\n        pass\n\n"
NEW_FUNCTION = "\n\ndef zz_benchmark():\n    pass\n"
NEW_CLASS = "\n\nclass ZzBenchmark:\n    def zz_benchmark(self):\n        pass\n"
NEW_IMPORT = "import colorsys\n"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took: seconds, and megabytes of the largest process and of all together."""

    cpu: float
    wall: float
    largest: int
    together: int


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the page."""

    what: str
    goal: str
    measured: str
    rival: str
    reached: bool | None


def run(command: list[str], folder: Path) -> Cost:
    """Run a command to its end.

    Raises:
        RuntimeError: it failed otherwise than by finding something.
    """
    code = (
        "import json, resource, subprocess, sys; done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL,"
        " stderr=subprocess.PIPE); used = resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss // 1024]));"
        "sys.exit(0 if done.returncode in (0, 1) else sys.stderr.write(done.stderr.decode()) and 2)"
    )
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", code, *command], cwd=folder, stdout=subprocess.PIPE, text=True, env=_environment()
    )
    with _watched(process.pid) as peak:
        out, _ = process.communicate()
    wall = time.perf_counter() - start
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed")
    cpu, largest = (float(part) for part in out.strip("[]\n").split(","))
    return Cost(cpu, wall - _overhead(), int(largest), peak[0])


def _environment() -> dict[str, str]:
    """That of a user: installed packages have their bytecode."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


_measured_overhead: list[float] = []


def _overhead() -> float:
    """The seconds that the interpreter around a command takes by itself."""
    if not _measured_overhead:
        times: list[float] = []
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-S", "-c", "import json, resource, subprocess"], check=True)
            times.append(time.perf_counter() - start)
        _measured_overhead.append(min(times))
    return _measured_overhead[0]


@contextmanager
def _watched(pid: int) -> Generator[list[int]]:
    """Ask four times a second for the memory of a process and its descendants, shared pages counted once; megabytes (0 off Linux)."""
    peak = [0]
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.25):
            peak[0] = max(peak[0], sum(map(_memory, _family(pid))) // 1024)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()


def _family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        try:
            text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        except OSError:
            continue
        found += map(int, text.split())
    return found


def _memory(pid: int) -> int:
    """Kilobytes of a process, its part of shared pages included."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def best(command: list[str], folder: Path, times: int = 3, before: Callable[[], object] = lambda: None) -> Cost:
    """The least of several runs, each figure by itself; of the memory the most."""
    costs: list[Cost] = []
    for _ in range(times):
        before()
        costs.append(run(command, folder))
    return Cost(
        min(cost.cpu for cost in costs),
        min(cost.wall for cost in costs),
        max(cost.largest for cost in costs),
        max(cost.together for cost in costs),
    )


def find(name: str) -> str | None:
    """A rival's command."""
    return shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


def describe(folder: Path) -> str:
    """The size of a project."""
    files = list(folder.rglob("*.py"))
    lines = sum(path.read_bytes().count(b"\n") for path in files)
    return f"{len(files):,} files, {lines:,} lines"


def large(folder: Path, ruff: list[str]) -> Iterator[Row]:
    """The rows about a large project."""
    check = [*LINT, "check", "--isolated", "."]
    rival = best([*ruff, "."], folder, 5)
    beside = f"ruff {rival.cpu:.2f} s CPU, {rival.wall:.2f} s wall"
    one = best([*check, "--no-cache", "--jobs", "1"], folder, 1)
    several = best([*check, "--no-cache"], folder, 2)
    for name, cost in (("one process", one), ("default", several)):
        yield Row(
            f"no cache, {name}: CPU",
            "<= 10x ruff's",
            f"{cost.cpu:.2f} s = {cost.cpu / rival.cpu:.1f}x (wall {cost.wall:.2f} s)",
            beside,
            cost.cpu <= 10 * rival.cpu,
        )
    yield Row(
        "no cache, default: peak memory",
        "< 600 MB",
        f"{several.together} MB in all processes, {several.largest} MB in the largest; one process {one.largest} MB",
        f"ruff {rival.largest} MB",
        max(several.together, one.largest) < 600,
    )
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "project"
        shutil.copytree(folder, copy)
        time.sleep(2.5)  # files as young as these are not known by their times
        cached = [*check, "--cache-dir", f"{scratch}/cache"]
        cold = run(cached, copy)
        yield Row("cold cache", "", f"{cold.cpu:.2f} s CPU, {cold.wall:.2f} s wall", beside, None)
        warm = best(cached, copy, 5)
        yield _quick("warm cache, nothing changed: wall", warm, rival.wall, beside, "<= ruff's uncached run")
        for what, path, edit in changes(copy):
            source = path.read_bytes()

            def restore(path: Path = path, source: bytes = source) -> None:
                path.write_bytes(source)
                path.with_name("zz_benchmark.py").unlink(missing_ok=True)
                run(cached, copy)

            def change(path: Path = path, edit: Callable[[Path], object] = edit) -> None:
                restore()
                edit(path)

            # A second run over the same files would find its own reports.
            cost = best(cached, copy, 1 if what.startswith("one more") or what.endswith("is removed") else 4, change)
            restore()
            yield _quick(f"warm cache, {what}: wall", cost, rival.wall + 0.2, beside, "<= ruff's uncached run + 0.2 s")
        yield from named(copy, cached)


def changes(folder: Path) -> Iterator[tuple[str, Path, Callable[[Path], object]]]:
    """What is changed between two runs: the file that fewest import, and the one that most do."""
    counts: dict[str, int] = {}
    files = sorted(folder.rglob("*.py"))
    sources = {path: path.read_text("utf-8", "replace") for path in files}
    for text in sources.values():
        for line in text.splitlines():
            if line.startswith("from ") and " import " in line and not line.startswith("from ."):
                name = line.split()[1]
                counts[name] = counts.get(name, 0) + 1
    modules = {".".join(path.relative_to(folder).with_suffix("").parts): path for path in files}
    central = modules[max((name for name in counts if name in modules), key=lambda name: counts[name])]
    leaf = random.Random(1).choice([path for path in files if "async def" in sources[path] and path.name == "light.py"])

    def append(text: str) -> Callable[[Path], object]:
        return lambda path: path.write_text(path.read_text("utf-8") + text, "utf-8")

    def in_method(text: str, offset: int = 2) -> Callable[[Path], object]:
        """So many lines behind the first one of the last method that is no coroutine and has a docstring of one line."""

        def insert(path: Path) -> None:
            lines = path.read_text("utf-8").splitlines(keepends=True)
            for number in range(len(lines) - 2, 0, -1):
                method = lines[number].startswith("    def ") and lines[number].rstrip().endswith(":")
                if method and lines[number + 1].count('"""') == 2 and not lines[number - 1].lstrip().startswith("@"):
                    lines.insert(number + offset, text)
                    path.write_text("".join(lines), "utf-8")
                    return
            raise RuntimeError(f"no method to change in {path}")

        return insert

    def retype(path: Path) -> None:
        """Another stated result of the first function that states it on a line of its own."""
        text, count = re.subn(r"(?m)^(def \w+\(.*\)) -> [^:]+:$", r"\1 -> complex:", path.read_text("utf-8"), count=1)
        if not count:
            raise RuntimeError(f"no function to change in {path}")
        path.write_text(text, "utf-8")

    def rebase(path: Path) -> None:
        """A base for the class of the file that is named most often."""
        text = path.read_text("utf-8")
        names = re.findall(r"(?m)^class (\w+):$", text)
        most = max(names, key=lambda name: sum(source.count(name) for source in sources.values()))
        path.write_text(text.replace(f"\nclass {most}:\n", f"\nclass {most}(dict):\n"), "utf-8")

    def beside(text: str) -> Callable[[Path], object]:
        return lambda path: path.with_name("zz_benchmark.py").write_text(text, "utf-8")

    where = central.relative_to(folder)
    yield f"a file that nobody imports has a new coroutine ({leaf.relative_to(folder)})", leaf, append(CALM_LEAF)
    yield f"a comment in the file that most import ({where})", central, append("# a comment\n")
    yield f"a call in a method's body in {where}", central, in_method(CALM_BODY)
    yield f"a new variable in that body in {where}", central, in_method(NEW_VARIABLE)
    yield f"a new attribute in {where}", central, in_method(NEW_ATTRIBUTE)
    yield f"a new method in {where}", central, in_method(NEW_METHOD, 0)
    yield f"a new function in {where}", central, append(NEW_FUNCTION)
    yield f"a new class in {where}", central, append(NEW_CLASS)
    yield f"a new import in {where}", central, append(NEW_IMPORT)
    yield f"another type of what a function of {where} returns", central, retype
    yield f"a base for the class of {where} whose name is said most", central, rebase
    yield f"one more file beside {leaf.relative_to(folder)}", leaf, beside(CALM_LEAF)
    yield f"{leaf.relative_to(folder)} is removed", leaf, Path.unlink


def named(folder: Path, cached: list[str]) -> Iterator[Row]:
    """Five named files: what a pre-commit hook runs."""
    files = sorted(folder.rglob("*.py"))
    base = [*LINT, "check", "--isolated"]
    chosen = [
        [str(path.relative_to(folder)) for path in random.Random(seed).sample(files, min(5, len(files)))]
        for seed in range(4)
    ]
    cache = cached[cached.index("--cache-dir") : cached.index("--cache-dir") + 2]
    again = [best([*base, *cache, *names], folder, 3).cpu for names in chosen]
    yield Row(
        "five named files, warm cache: CPU",
        "<= 300 ms",
        f"{_ms(min(again))} to {_ms(max(again))} over {len(chosen)} samples",
        "",
        max(again) <= 0.3,
    )
    fresh = [best([*base, "--no-cache", *names], folder, 2).cpu for names in chosen]
    yield Row(
        "five named files, without any cache: CPU",
        "<= 3 s",
        f"{_ms(min(fresh))} to {_ms(max(fresh))} over {len(chosen)} samples",
        "",
        max(fresh) <= 3,
    )


def _quick(what: str, cost: Cost, limit: float, beside: str, goal: str) -> Row:
    return Row(what, goal, f"{cost.wall:.2f} s ({cost.cpu:.2f} s CPU)", beside, cost.wall <= limit)


def small(folder: Path, ruff: list[str], flake8: str | None) -> Iterator[Row]:
    """The rows about a smaller project."""
    cost = best([*LINT, "check", "--isolated", "--no-cache", "."], folder)
    one = best([*LINT, "check", "--isolated", "--no-cache", "--jobs", "1", "."], folder)
    beside = f"ruff {best([*ruff, '.'], folder, 5).cpu:.2f} s"
    measured = f"{cost.cpu:.2f} s (one process {one.cpu:.2f} s)"
    if flake8 is None:
        yield Row("no cache: CPU", "<= 1/30 of flake8-async's", measured, f"{beside}; flake8-async is not here", None)
        return
    rival = run([flake8, "--isolated", "--select", "ASYNC2", "--jobs", "1", "."], folder)
    yield Row(
        "no cache: CPU",
        "<= 1/30 of flake8-async's",
        f"{measured} = 1/{rival.cpu / cost.cpu:.0f}",
        f"flake8-async {rival.cpu:.1f} s; {beside}",
        cost.cpu * 30 <= rival.cpu,
    )


def compiled(packages: Path, folder: Path, ruff: list[str]) -> Row:
    """The engine that mypyc has compiled, over a project without a cache."""
    lint = ["env", f"PYTHONPATH={packages}", *LINT]
    where = subprocess.run(
        [*lint[:3], "-c", "import asgiway_lint.analysis.evaluate as e; print(e.__file__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    if not where.stdout.strip().endswith((".so", ".pyd")):
        raise RuntimeError(f"{packages} holds no compiled engine")
    cost = best([*lint, "check", "--isolated", "--no-cache", "."], folder)
    one = best([*lint, "check", "--isolated", "--no-cache", "--jobs", "1", "."], folder)
    rival = best([*ruff, "."], folder, 5)
    return Row(
        f"{folder.name}, no cache, default: CPU",
        "",
        f"{cost.cpu:.2f} s = {cost.cpu / rival.cpu:.1f}x (wall {cost.wall:.2f} s); one process {one.cpu:.2f} s",
        f"ruff {rival.cpu:.2f} s CPU, {rival.wall:.2f} s wall",
        None,
    )


def editor(folder: Path) -> Row:
    """A file of about 1,000 lines after an edit, everything else in memory."""
    files = [path for path in folder.rglob("*.py") if b"async def" in path.read_bytes()]
    path = min(files, key=lambda path: abs(path.read_bytes().count(b"\n") - 1000))
    source = path.read_bytes()
    settings = Settings(root=folder, src=(folder,))
    store = LiveStore(threading.Event())
    times: list[float] = []
    for number in range(12):
        store.put(str(path), source + f"\nasync def zz{number}():\n    open('x').read()\n".encode())
        start = time.perf_counter()
        store.begin()
        with quick_reading():
            Session(store).check(str(path), settings)
        times.append(time.perf_counter() - start)
    warm = sorted(times[2:])
    return Row(
        f"{path.name} ({source.count(bytes([10])):,} lines) after an edit, engine warm",
        "<= 60 ms",
        f"median {_ms(warm[len(warm) // 2])}, worst {_ms(warm[-1])}",
        "",
        warm[len(warm) // 2] <= 0.06,
    )


def startup(folder: Path) -> Iterator[Row]:
    """Commands that check nothing."""
    for arguments in (["--version"], ["--help"], ["rule", "AW102"]):
        cost = best([*LINT, *arguments], folder, 15)
        yield Row(
            f"`{' '.join(arguments)}`",
            "<= 60 ms",
            f"{_ms(cost.cpu)} CPU ({_ms(cost.wall)} wall)",
            "",
            cost.cpu <= 0.06,
        )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def page(sections: list[tuple[str, list[Row]]], versions: list[str]) -> str:
    """The page as Markdown."""
    lines = [
        "# What a run costs",
        "",
        "Made by `tests/benchmarks/linter/engine.py`; the figures are of one machine at one moment, rivals in the same run. The",
        "best of several runs counts; wall time depends on what else the machine does, CPU time less so.",
        "",
        f"{datetime.now(tz=UTC):%Y-%m-%d}, {_machine()}, {', '.join(versions)}.",
        "",
    ]
    for title, rows in sections:
        lines += [f"## {title}", "", "| | goal | measured | rival | reached |", "|---|---|---|---|---|"]
        for row in rows:
            reached = "" if row.reached is None else "yes" if row.reached else "**no**"
            lines.append(f"| {row.what} | {row.goal} | {row.measured} | {row.rival} | {reached} |")
        lines.append("")
    lines += [
        "## Where a rival wins",
        "",
        "ruff is written in Rust and looks at one file at a time: without a cache it is many times faster than any linter in Python,",
        "and needs a tenth of the memory. asgiway-lint reads what the files import as well, follows types, and follows calls through the",
        "whole project; a third of its time goes into the interpreter's own parser. `ASGIWAY_COMPILE=1 pip wheel .` (or `pip install` from a",
        "source distribution) builds a wheel whose engine mypyc has compiled; it needs a C compiler there. With its cache, an unchanged project takes",
        "less time than ruff without one, and after a change only those files are analysed that the change concerns. What one file finds",
        "out about another goes through questions (what is this name, this attribute, the result of this function, what does it block by?)",
        "whose answers are kept; those about a changed file are asked again, and only who was told something else is concerned. So a new",
        "function, class, method, attribute or variable concerns nobody until somebody asks for it, another result of a function those who",
        "use it, another base of a class those who use what comes from there, and a file that comes or goes those whose imports mean",
        "something else then. A change that concerns more than 1,500 files (a base for the class that all use) makes the run a full one, as does an",
        "`__init__.py` that comes or goes.",
        "",
    ]
    return "\n".join(lines)


def _machine() -> str:
    model = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{platform.system()}, {count} CPUs ({model}), CPython {platform.python_version()}"


def version_of(command: list[str]) -> str:
    """What a rival says of its version."""
    said = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout.split()
    return " ".join(said[:2]) if said[0].isalpha() else "flake8 " + " ".join(said[:3]).strip("(,")


def main() -> int:
    """Measure and print; 2 without a rival to compare with."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--large", type=Path, help="unpacked wheel of homeassistant")
    parser.add_argument("--small", type=Path, help="unpacked wheel of open_webui")
    parser.add_argument("--flake8", default=find("flake8"), help="flake8 with flake8-async; it may take minutes")
    parser.add_argument("--compiled", type=Path, help="folder with the packages of a compiled wheel")
    parser.add_argument("--write", action="store_true", help=f"replace {PAGE.name}")
    arguments = parser.parse_args()
    ruff = find("ruff")
    if ruff is None:
        print("ruff is not here: there is nothing to compare with", file=sys.stderr)
        return 2
    command = [ruff, "check", "--select", "ASYNC", "--isolated", "--no-cache", "-q"]
    versions = [f"asgiway-lint {__version__}", version_of([ruff])]
    sections: list[tuple[str, Iterator[Row]]] = [("Start", startup(Path.cwd()))]
    if arguments.small is not None:
        if arguments.flake8 is not None:
            versions.append(version_of([arguments.flake8]))
        rows = small(arguments.small, command, arguments.flake8)
        sections.append((f"{arguments.small.name}: {describe(arguments.small)}", rows))
        sections.append(("In an editor", iter([editor(arguments.small)])))
    if arguments.large is not None:
        sections.append((f"{arguments.large.name}: {describe(arguments.large)}", large(arguments.large, command)))
    if arguments.compiled is not None:
        folders = [folder for folder in (arguments.small, arguments.large) if folder is not None]
        rows = (compiled(arguments.compiled.resolve(), folder, command) for folder in folders)
        sections.append(("With the engine compiled (a wheel built with `ASGIWAY_COMPILE=1`)", rows))
    done: list[tuple[str, list[Row]]] = []
    for title, rows in sections:
        print(f"\n{title}", flush=True)
        done.append((title, []))
        for row in rows:
            done[-1][1].append(row)
            reached = {True: "yes", False: "NO", None: ""}[row.reached]
            print(f"  {reached:4}{row.what}: {row.measured}  [{row.goal}]  {row.rival}", flush=True)
    if arguments.write:
        PAGE.write_text(page(done, versions), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
