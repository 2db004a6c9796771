"""Precision and recall on code that no one here wrote: `python -m tests.linter.corpus [--flake8 PATH] [--details]`.

Runs asgiway-lint, ruff and flake8-async over the labelled packages (fetch them first: `python -m tests.linter.corpus.fetch`)
and prints what each found, side by side. `--details` lists every line that asgiway-lint missed or falsely raised.
"""

from __future__ import annotations

import argparse
import sys

from tests.linter.corpus.data import Package, load, source_folder
from tests.linter.corpus.score import KINDS, Score, judge
from tests.linter.corpus.tools import Alarm, ToolError, asgiway_lint, flake8_async, ruff


def main(argv: list[str] | None = None) -> int:
    """Print the table; 2 if sources or a linter are missing."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.linter.corpus", description="Precision and recall, side by side."
    )
    parser.add_argument(
        "--flake8", default="flake8", metavar="PATH", help="a flake8 that has flake8-async [default: flake8]"
    )
    parser.add_argument("--only", action="append", metavar="PACKAGE", help="only this package; may be repeated")
    parser.add_argument(
        "--tool", action="append", choices=["asgiway-lint", "ruff", "flake8-async"], help="only this tool"
    )
    parser.add_argument("--details", action="store_true", help="list what asgiway-lint missed and falsely raised")
    options = parser.parse_args(argv)
    packages = [package for package in load() if not options.only or package.name in options.only]
    absent = [f"{package.name} {package.version}" for package in packages if not source_folder(package).is_dir()]
    if absent or not packages:
        print(
            f"no sources of {', '.join(absent) or 'such a package'}: run python -m tests.linter.corpus.fetch",
            file=sys.stderr,
        )
        return 2
    groups = {
        "packages by which the linter was mended": [package for package in packages if not package.held_out],
        "held-out packages": [package for package in packages if package.held_out],
    }
    ours: list[Score] = []
    try:
        for title, group in groups.items():
            if not group:
                continue
            functions = sum(len(package.functions) for package in group)
            print(
                f"\n{functions} functions of {len(group)} {title}: found/sites by kind, recall, false alarms, precision"
            )
            for tool in options.tool or ["asgiway-lint", "ruff", "flake8-async"]:
                total = Score()
                for package in group:
                    score = judge(package, _alarms(tool, package, options.flake8))
                    total.add(score)
                    if tool == "asgiway-lint":
                        print(f"  {package.name + ' ' + package.version:24} {_row(score)}")
                        ours.append(score)
                print(f"{tool:26} {_row(total)}")
    except ToolError as error:
        print(error, file=sys.stderr)
        return 2
    for score in ours if options.details else ():
        for name, file, site in score.missed:
            print(f"missed  {name} {file}:{site.line} [{site.kind}] {site.what} ({site.why})")
        for name, alarm in score.false:
            print(f"false   {name} {alarm.file}:{alarm.line} {alarm.code} {alarm.text}")
    return 0


def _alarms(tool: str, package: Package, flake8: str) -> list[Alarm]:
    folder = source_folder(package)
    if tool == "asgiway-lint":
        return asgiway_lint(folder)
    if tool == "ruff":
        return ruff(folder)
    return flake8_async(folder, (function.file for function in package.functions), flake8)


def _row(score: Score) -> str:
    kinds = "  ".join(f"{kind} {score.found[kind]}/{score.sites[kind]}" for kind in KINDS)
    return (
        f"{kinds:44} direct+typed {score.recall('direct', 'typed'):.3f}  helper {score.recall('helper'):.3f}"
        f"  false {len(score.false)}  precision {score.precision:.3f}"
    )


if __name__ == "__main__":
    sys.exit(main())
