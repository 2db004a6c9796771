"""`asgiway-lint check`: options to settings, settings to a run, results to stdout or a file."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path

from asgiway_lint.check import Outcome, check_discovered, check_text
from asgiway_lint.config import OUTPUT_FORMATS, Layer, OutputFormat, Settings, parse_layer
from asgiway_lint.configfiles import Resolver, is_file, parse_inline
from asgiway_lint.errors import UsageError, nearest
from asgiway_lint.filtering import rule_codes
from asgiway_lint.output import Output, wants_colour
from asgiway_lint.project.discovery import Discovered, discover
from asgiway_lint.report import reporter
from asgiway_lint.report.style import Style
from asgiway_lint.report.summary import summary

__all__ = ["run"]

log = logging.getLogger(__name__)

_FORMAT_VARIABLE = "ASGIWAY_LINT_OUTPUT_FORMAT"


def run(arguments: Namespace) -> int:
    """Run the command and return its exit code: 0 clean, 1 findings, 2 a named path does not exist.

    Raises:
        UsageError: options or configuration make no sense.
    """
    cwd = Path.cwd()
    resolver = _resolver(arguments, cwd)
    paths: list[str] = arguments.paths or ["."]
    if "-" in paths and len(paths) > 1:
        raise UsageError("'-' (standard input) cannot be combined with other paths")
    if arguments.stdin_filename is not None and paths != ["-"]:
        raise UsageError("--stdin-filename is for standard input: name - as the only path")

    if paths == ["-"]:
        name: str | None = arguments.stdin_filename
        place = None if name is None else Path(os.path.normpath(cwd / name))
        discovered = Discovered(files=(place or cwd / "-",))
    else:
        place = None
        discovered = discover(paths, cwd=cwd, settings_for=resolver.for_folder)
        _complain_about_missing(discovered.missing, cwd)

    if arguments.show_settings or arguments.show_files:
        failed = False
        _show(arguments, discovered, resolver, stdin=paths == ["-"])
    else:
        if not discovered.files and not discovered.unlisted and not discovered.missing:
            log.warning("no Python files found under the given path(s)")
        if paths == ["-"]:
            outcome = check_text(sys.stdin.buffer.read(), place, resolver, ignore_noqa=arguments.ignore_noqa)
        else:
            outcome = check_discovered(
                discovered,
                resolver,
                ignore_noqa=arguments.ignore_noqa,
                cache=not arguments.no_cache,
                jobs=arguments.jobs,
            )
        nothing_checked = bool(discovered.missing) and not discovered.files
        _report(outcome, arguments, resolver, summarise=not arguments.quiet and not nothing_checked)
        failed = outcome.failed
    if discovered.missing:
        return 2
    return int(failed and not arguments.exit_zero)


def _resolver(arguments: Namespace, cwd: Path) -> Resolver:
    codes = rule_codes()
    files: list[Path] = []
    inline: list[Layer] = []
    for text in arguments.config:
        if "=" not in text or is_file(cwd / text):
            files.append(Path(os.path.normpath(cwd / text)))
        else:
            inline.append(parse_inline(text, cwd=cwd, codes=codes))
    if len(files) > 1:
        raise UsageError(f"--config names two files, {files[0]} and {files[1]}; let one extend the other")
    if files and arguments.isolated:
        raise UsageError("--isolated ignores configuration files, --config names one: leave one of them out")
    table = {key: value for key, value in _table(arguments).items() if value is not None}
    options = parse_layer(table, where=None, folder=cwd, codes=codes)
    return Resolver(cwd, codes, (*inline, options), isolated=arguments.isolated, file=files[0] if files else None)


def _table(arguments: Namespace) -> dict[str, object]:
    """Return the options as a configuration file would have them, so that both are checked by the same code."""
    per_file: dict[str, list[str]] = {}
    for pattern, code in arguments.per_file_ignores or ():
        per_file.setdefault(pattern, []).append(code)
    return {
        "select": arguments.select,
        "extend-select": arguments.extend_select,
        "ignore": arguments.ignore,
        "per-file-ignores": per_file or None,
        "exclude": arguments.exclude,
        "extend-exclude": arguments.extend_exclude,
        "force-exclude": arguments.force_exclude,
        "respect-gitignore": arguments.respect_gitignore,
        "transitive": arguments.transitive,
        "max-depth": arguments.max_depth,
        "min-severity": arguments.min_severity,
        "cache-dir": arguments.cache_dir,
    }


def _complain_about_missing(missing: Sequence[str], cwd: Path) -> None:
    for name in missing:
        parent = (cwd / name).parent
        try:
            hint = nearest(Path(name).name, (entry.name for entry in parent.iterdir()))
        except OSError:
            hint = ""
        log.error("no such file or folder: '%s'%s", name, hint)


def _report(outcome: Outcome, arguments: Namespace, resolver: Resolver, *, summarise: bool) -> None:
    file: str | None = arguments.output_file
    to_terminal = file is None and sys.stdout.isatty()
    style = Style(
        colour=wants_colour(arguments.color, to_terminal, os.environ),
        width=max(40, shutil.get_terminal_size().columns - 8) if to_terminal else Style().width,
    )
    name = _format(arguments, resolver.for_folder(resolver.cwd), to_terminal)
    if arguments.statistics:
        name = "statistics_json" if name == "json" else "statistics"
    pieces: list[Iterable[str]] = [reporter(name)(outcome.results, style)]
    if summarise and "json" not in name:
        pieces.append((summary(outcome.results),))
    with Output(file) as output:
        for piece in pieces:
            output.write(piece)


def _format(arguments: Namespace, settings: Settings, to_terminal: bool) -> str:
    if arguments.output_format is not None:
        return str(arguments.output_format)
    if wanted := os.environ.get(_FORMAT_VARIABLE):
        if wanted not in OUTPUT_FORMATS:
            choices = ", ".join(OUTPUT_FORMATS)
            raise UsageError(f"{_FORMAT_VARIABLE}='{wanted}' is none of {choices}{nearest(wanted, OUTPUT_FORMATS)}")
        return wanted
    default: OutputFormat = "full" if to_terminal else "concise"
    return settings.output_format or default


def _show(arguments: Namespace, discovered: Discovered, resolver: Resolver, *, stdin: bool) -> None:
    lines: list[str] = []
    if arguments.show_settings:
        from asgiway_lint.showsettings import settings_lines

        path = discovered.files[0] if discovered.files else resolver.cwd
        settings = resolver.for_file(path) if discovered.files else resolver.for_folder(path)
        lines += settings_lines(path, settings)
    else:
        lines += ["-"] if stdin else map(str, discovered.files)
    with Output(arguments.output_file) as output:
        output.write(line + "\n" for line in lines)
