"""The labels as data, and where the labelled sources are.

One file per package in `labels/`: the wheel (name, version, checksum), how its functions were drawn, and for each function every call
that was judged when it was read. What is not listed in a labelled function is clean.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

__all__ = ["FOLDER", "Corpus", "Function", "Kind", "Package", "Site", "Verdict", "load", "root", "source_folder"]

Verdict = Literal["blocks", "clean", "debatable"]
Kind = Literal["direct", "typed", "helper"]

FOLDER = Path(__file__).parent / "labels"


@dataclass(frozen=True, slots=True)
class Site:
    """One judged line: where its call begins, what is called, and why the verdict."""

    line: int
    verdict: Verdict
    kind: Kind
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Function:
    """A coroutine that was read from its first line to its last."""

    file: str
    name: str
    first: int
    last: int
    sites: tuple[Site, ...]


@dataclass(frozen=True, slots=True)
class Package:
    """One wheel and the functions that were drawn from it; held out means that nobody mended the linter by it before it was measured."""

    name: str
    version: str
    sha256: str
    draws: tuple[str, ...]
    held_out: bool
    functions: tuple[Function, ...]


Corpus = tuple[Package, ...]


def load(folder: Path = FOLDER) -> Corpus:
    """All packages, by name. Raises ValueError that names the file and the line number of a label with an unknown verdict or kind."""
    return tuple(_package(path) for path in sorted(folder.glob("*.toml")))


def root() -> Path:
    """Where unpacked wheels are kept: $ASGIWAY_CORPUS, by default a folder in the user's cache. Sources are never committed."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("ASGIWAY_CORPUS") or Path(cache) / "asgiway-corpus")


def source_folder(package: Package) -> Path:
    """The folder of this package's unpacked wheel, whether it is there or not."""
    return root() / f"{package.name}-{package.version}"


def _package(path: Path) -> Package:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    functions = tuple(
        Function(
            item["file"], item["name"], item["first"], item["last"], tuple(_site(path, site) for site in item["sites"])
        )
        for item in data["functions"]
    )
    return Package(data["package"], data["version"], data["sha256"], tuple(data["draws"]), data["held_out"], functions)


def _site(path: Path, item: dict[str, Any]) -> Site:
    site = Site(**item)
    for value, allowed in ((site.verdict, get_args(Verdict)), (site.kind, get_args(Kind))):
        if value not in allowed:
            raise ValueError(f"{path.name}, label of line {site.line}: {value!r} is none of {', '.join(allowed)}")
    return site
