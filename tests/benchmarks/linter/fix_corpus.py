"""Apply all fixes to real packages, by hand: `python tests/benchmarks/linter/fix_corpus.py FOLDER...` (unpacked wheels, say).

Each folder is copied to a scratch place and fixed there twice. Every changed file has to be a program as before, no fix may have been
dropped, and the second run must change nothing. Prints what was fixed by which fixer, what not and why; exits with 1 if a promise is
broken. `--safe` leaves the unsafe fixes out, `--keep` the copies in place.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

from asgiway_lint.check import Screen, check_discovered
from asgiway_lint.config import Layer
from asgiway_lint.configfiles import Resolver
from asgiway_lint.facts.reader import read_newer
from asgiway_lint.facts.text import decode
from asgiway_lint.filtering import rule_codes
from asgiway_lint.finding import Severity
from asgiway_lint.fixes.model import Fix, Refusal
from asgiway_lint.fixing import FixedFile, fix_files
from asgiway_lint.project.discovery import discover


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--safe", action="store_true")
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    broken = 0
    for folder in arguments.folders:
        scratch = Path(tempfile.mkdtemp(prefix="fix-corpus-")) / folder.name
        shutil.copytree(folder, scratch, ignore=_all_but_python)
        try:
            broken += _one(scratch, unsafe=not arguments.safe)
        finally:
            if arguments.keep:
                print(f"  kept in {scratch}")
            else:
                shutil.rmtree(scratch.parent)
    return int(broken > 0)


def _all_but_python(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not name.endswith((".py", ".pyi")) and not Path(folder, name).is_dir()]


def _one(root: Path, *, unsafe: bool) -> int:
    """Fix a folder twice; returns how many promises were broken."""
    layer = Layer(unsafe_fixes=unsafe, min_severity=Severity.INFO)
    resolver = Resolver(root, rule_codes(), (layer,), isolated=True)
    started = time.perf_counter()
    files, found = _fix(root, resolver)
    changed = [file for file in files if file.changed]
    print(
        f"{root.name}: {found} findings, {sum(len(file.fixed) for file in changed)} fixed in {len(changed)} files,",
        end=" ",
    )
    print(f"{time.perf_counter() - started:.1f} s")
    for name, count in Counter(
        (fix.name, fix.applicability.value) for file in changed for fix in file.applied.fixes for _ in fix.removes
    ).most_common():
        print(f"  {count:5} {name[0]} ({name[1]})")
    broken = 0
    for file in files:
        for fix in file.applied.dropped:
            broken += 1
            print(f"  DROPPED {file.path}:{fix.removes[0].line} {fix.name}: {fix.title}")
        if file.changed and not _sound(file):
            broken += 1
            print(f"  BROKEN {file.path}")
    for file in changed:
        Path(file.path).write_bytes(file.applied.source)
    again, left = _fix(root, resolver)
    for file in again:
        if file.changed:
            broken += 1
            print(f"  AGAIN {file.path}: {[(fix.name, fix.title, fix.removes[0].line) for fix in file.applied.fixes]}")
    print(f"  {left} left")
    for reason, count in _reasons(again).most_common(25):
        print(f"  {count:5} {reason}")
    return broken


def _fix(root: Path, resolver: Resolver) -> tuple[tuple[FixedFile, ...], int]:
    discovered = discover([str(root)], cwd=root, settings_for=resolver.for_folder)
    outcome = check_discovered(discovered, resolver, screen=Screen(), cache=True)
    findings = outcome.results.findings
    sources = {path: Path(path).read_bytes() for path in {finding.path for finding in findings}}
    return fix_files(findings, sources, resolver, only_these=False), len(findings)


def _sound(file: FixedFile) -> bool:
    before, after = decode(file.before), decode(file.applied.source)
    if not _compiles(before):
        return read_newer(after) is not None
    return _compiles(after)


def _compiles(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<corpus>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _reasons(files: tuple[FixedFile, ...]) -> Counter[str]:
    found: Counter[str] = Counter()
    for file in files:
        for _, offers in file.applied.refusals:
            if not any(isinstance(offer, Fix) for offer in offers):
                found.update(f"{each.name}: {each.reason[:110]}" for each in offers if isinstance(each, Refusal))
    return found


if __name__ == "__main__":
    sys.exit(main())
