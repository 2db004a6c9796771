"""Settings: what every option is called, what it may be, and its default."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from asgiway_lint.finding import Severity

__all__ = ["AsyncLibrary", "HttpClient", "Postgres", "Selection", "Settings"]

AsyncLibrary = Literal["asyncio", "anyio", "trio"]
HttpClient = Literal["httpx", "aiohttp"]
Postgres = Literal["asyncpg", "psycopg"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which rules one layer (a configuration file, the command line) turns on and off."""

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings that hold for one file."""

    root: Path = field(default_factory=Path.cwd)
    selections: tuple[Selection, ...] = ()
    exclude: tuple[str, ...] = ()
    extend_exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    respect_gitignore: bool = True
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    src: tuple[Path, ...] = ()
    async_library: AsyncLibrary | None = None
    http_client: HttpClient = "httpx"
    postgres: Postgres = "asyncpg"
    min_severity: Severity = Severity.WARNING
    output_format: str | None = None
    cache_dir: Path | None = None
