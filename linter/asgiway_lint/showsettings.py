"""`--show-settings`: the settings of a file, as TOML that could stand in a configuration file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from asgiway_lint.config import Settings
from asgiway_lint.filtering import enabled_for, fixable_codes

__all__ = ["settings_lines"]


def settings_lines(path: Path, settings: Settings) -> Iterator[str]:
    """Yield the lines.

    Args:
        path: absolute path of the file (or folder) that they hold for.
        settings: its settings.
    """
    enabled = sorted(enabled_for(str(path), settings).codes)
    yield f"# Settings for {path}"
    yield f"# from {settings.source}" if settings.source else "# no configuration file, so defaults and command line"
    yield f"# relative paths start from {settings.root}"
    yield f"select = {_list(enabled)}"
    yield f"exclude = {_list(glob.pattern for glob in settings.exclude)}"
    yield f"force-exclude = {_boolean(settings.force_exclude)}"
    yield f"respect-gitignore = {_boolean(settings.respect_gitignore)}"
    yield f"src = {_list(map(str, settings.src))}"
    yield _optional("async-library", settings.async_library, "by each module's imports, else asyncio")
    yield f"http-client = {_string(settings.http_client)}"
    yield f"postgres = {_string(settings.postgres)}"
    yield f"wrappers = {_list(settings.wrappers)}"
    yield f"transitive = {_boolean(settings.transitive)}"
    yield f"max-depth = {settings.max_depth}" if settings.max_depth else "# max-depth is not set: any number"
    yield f"min-severity = {_string(settings.min_severity)}"
    yield f"fix = {_boolean(settings.fix)}"
    yield f"fix-only = {_boolean(settings.fix_only)}"
    yield f"show-fixes = {_boolean(settings.show_fixes)}"
    yield f"unsafe-fixes = {_boolean(settings.unsafe_fixes)}"
    yield f"fixable = {_list(sorted(fixable_codes(settings)))}"
    yield f"prefer-fix = {_string(settings.prefer_fix)}"
    yield _optional("output-format", settings.output_format, "full on a terminal, else concise")
    yield _optional("baseline", None if settings.baseline is None else str(settings.baseline), "all findings are shown")
    yield f"cache-dir = {_string(str(settings.cache_dir))}"
    for title, patterns in (("blocking", settings.blocking), ("replacements", settings.replacements)):
        if patterns:
            yield ""
            yield f"[{title}]"
            yield from (f"{_string(p.text)} = {_string(p.value) if p.value else 'false'}" for p in patterns)
    if settings.per_file_ignores:
        yield ""
        yield "[per-file-ignores]"
        for entry in settings.per_file_ignores:
            pattern = ("!" if entry.negated else "") + entry.glob.pattern
            yield f"{_string(pattern)} = {_list(entry.selectors)}"


def _optional(key: str, value: str | None, default: str) -> str:
    return f"# {key} is not set: {default}" if value is None else f"{key} = {_string(value)}"


def _list(values: Iterable[str]) -> str:
    return "[" + ", ".join(map(_string, values)) + "]"


def _string(text: str) -> str:
    return json.dumps(
        text.encode("utf-8", "replace").decode(), ensure_ascii=False
    )  # a basic string of TOML has JSON's escapes


def _boolean(value: bool) -> str:
    return "true" if value else "false"
