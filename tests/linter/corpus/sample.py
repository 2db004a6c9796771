"""Which functions the corpus is made of: random coroutines of real packages, chosen without the linter.

    python -m tests.linter.corpus.sample FOLDER [--seed N] [--sync N] [--helper N] [--io N] [--any N] [--without PREFIX] [--read]

FOLDER is an unpacked wheel. Most random functions have nothing to do with the loop, so there are four strata: `sync`, coroutines
whose text has a word that in much code stands for a synchronous library; `helper`, coroutines that call, by name, a synchronous
function of the package whose text has such a word; `io`, coroutines whose text smells of input or output at all; and `any`, all
coroutines with a call in them. Nothing but `ast` and two regular expressions decides, and they are wide on purpose: what a
linter knows must not choose what it is judged by.
"""

from __future__ import annotations

import argparse
import ast
import random
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

IO_WORDS = re.compile(
    r"""\bopen\( | \bos\. | \bPath\( | \bshutil\b | \bsubprocess\b | \bPopen\b | \btempfile\b | \bsocket\b | \bglob\(
      | \brequests\b | \burllib | \bhttpx\. | \bsession\b | \bSession\b | \bdb\b | \bcursor\b | \bconn(ection)?\b | \bengine\b
      | \bsleep\( | \.execute\( | \.query\( | \.commit\( | \.objects\b | \.save\( | \.delete\( | \.filter\( | \.create\(
      | \.read\w*\( | \.write\w*\( | \.load\w*\( | \.dump\w*\( | \.exists\( | \.mkdir\( | \.unlink\( | \.upload\w*\(
      | \.download\w*\( | \.invoke\( | \.recv\( | \.send\( | \.acquire\( | \.join\(\) | \.result\( | \.wait\( | \bImage\.
      | \bhash\w*\b | \bbcrypt\b | \bpickle\b | \bclient\b | \bredis\b | \bcache\b | \bstorage\b | \binput\(
    """,
    re.VERBOSE,
)
SYNC_WORDS = re.compile(
    r"""\bopen\( | \bos\.(?!environ|getenv|linesep|sep\b) | \bPath\( | \bshutil\. | \bsubprocess\. | \btempfile\. | \bsocket\. | \bglob\.
      | \brequests\. | \burllib\.request | \bhttpx\.(?!Async) | \btime\.sleep | \.objects\. | \bImage\.open | \bboto3\b
      | \bcursor\. | \.(read|write)_(text|bytes)\( | \.(exists|mkdir|unlink|iterdir|is_file|is_dir|rglob)\( | \b(json|yaml|pickle|toml)\.(load|dump)\(
      | \bsqlite3\b | \bzipfile\. | \bsmtplib\b | \bbcrypt\b | \bpandas\b | \bpd\.read | \.acquire\( | \.result\( | \binput\(
      | \bget_db\b | \bSessionLocal\b | \.save\( | \bPdfReader\b | \bThread\( | \.communicate\(
    """,
    re.VERBOSE,
)
STRATA = ("sync", "helper", "io", "any")
# Names so common that a call by that name says nothing about which function is meant.
COMMON = frozenset(
    re.findall(
        r"\w+",
        """
        get set add pop update keys values items append copy close run read write open load dump
        encode decode format join split strip replace start stop send create delete info debug warning error exception log
        """,
    )
)


@dataclass(frozen=True, slots=True)
class Function:
    """A coroutine of the package: where it is and to which strata it belongs."""

    file: str
    name: str
    line: int
    end: int
    strata: frozenset[str]
    helpers: tuple[str, ...]


def functions(root: Path) -> list[Function]:
    """Every `async def` with a call in it, in the order of files and lines."""
    texts: dict[str, str] = {}
    trees: dict[str, ast.Module] = {}
    for path in sorted(root.rglob("*.py")):
        try:
            text = path.read_text(encoding="utf-8")
            trees[path.relative_to(root).as_posix()] = ast.parse(text)
        except (SyntaxError, UnicodeDecodeError, ValueError):
            continue
        texts[path.relative_to(root).as_posix()] = text
    smelly: dict[str, list[str]] = defaultdict(list)
    for file, tree in trees.items():
        lines = texts[file].splitlines()
        for _, node in _definitions(tree):
            if isinstance(node, ast.FunctionDef) and node.name not in COMMON and _smells(SYNC_WORDS, lines, node):
                smelly[node.name].append(f"{file}:{node.lineno}")
    found: list[Function] = []
    for file, tree in trees.items():
        lines = texts[file].splitlines()
        for name, node in _definitions(tree):
            if not isinstance(node, ast.AsyncFunctionDef):
                continue
            called = {_last_name(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)} - {""}
            if not called:
                continue
            helpers = tuple(sorted(helper for helper in called if helper in smelly))
            strata = {
                "sync": _smells(SYNC_WORDS, lines, node),
                "helper": bool(helpers),
                "io": _smells(IO_WORDS, lines, node),
                "any": True,
            }
            belongs = frozenset(stratum for stratum, yes in strata.items() if yes)
            found.append(Function(file, name, node.lineno, node.end_lineno or 0, belongs, helpers))
    return found


def choose(found: list[Function], stratum: str, count: int, seed: int) -> list[Function]:
    """`count` functions of one stratum, in random order that depends on the seed alone."""
    pool = [function for function in found if stratum in function.strata]
    # Long functions are read whole, too, but one of 2,000 lines is a package of its own.
    pool = [function for function in pool if function.end - function.line <= 150]
    return random.Random(f"{seed} {stratum}").sample(pool, min(count, len(pool)))


def _definitions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + node.name, node
            yield from _definitions(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.ClassDef):
            yield from _definitions(node, f"{prefix}{node.name}.")
        else:
            yield from _definitions(node, prefix)


def _smells(words: re.Pattern[str], lines: list[str], node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(words.search(line) for line in lines[node.lineno : node.end_lineno])


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def arguments() -> argparse.ArgumentParser:
    """The command's arguments, as the labels quote them under `draws`."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.linter.corpus.sample", description="Sample coroutines to label."
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=4)
    for stratum in STRATA:
        parser.add_argument(
            f"--{stratum}", type=int, default=0, metavar="N", help=f"functions of the stratum {stratum!r}"
        )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="PREFIX",
        help="draw none of the files whose paths begin so, for packages that ship their tests; may be repeated",
    )
    parser.add_argument("--read", action="store_true", help="print the text, too")
    return parser


def draw(found: list[Function], options: argparse.Namespace) -> dict[Function, list[str]]:
    """The functions that these arguments choose, each with the strata it was chosen from."""
    found = [function for function in found if not function.file.startswith(tuple(options.without))]
    chosen: dict[Function, list[str]] = {}
    for stratum in STRATA:
        for function in choose(found, stratum, getattr(options, stratum), options.seed):
            chosen.setdefault(function, []).append(stratum)
    return chosen


def main(argv: list[str] | None = None) -> int:
    """Print the chosen functions, with `--read` their text and the helpers to follow."""
    options = arguments().parse_args(argv)
    found = functions(options.folder)
    chosen = draw(found, options)
    for function, strata in chosen.items():
        print(f"### {function.file}:{function.line}-{function.end} {function.name} [{', '.join(strata)}]")
        if function.helpers:
            print(f"# helpers: {' '.join(function.helpers)}")
        if options.read:
            lines = (options.folder / function.file).read_text(encoding="utf-8").splitlines()
            for number in range(function.line, function.end + 1):
                print(f"{number:5} {lines[number - 1]}")
    sizes = {stratum: sum(stratum in function.strata for function in found) for stratum in STRATA}
    print("# the strata have", ", ".join(f"{size} {stratum}" for stratum, size in sizes.items()), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
