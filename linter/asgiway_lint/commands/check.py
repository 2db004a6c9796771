"""`asgiway-lint check`: options to settings, settings to a run, results to stdout, a file, or comments in the source."""

from __future__ import annotations

import functools
import logging
import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from asgiway_lint.baselinefiles import BaselineFiles
from asgiway_lint.check import Outcome, Screen, check_text
from asgiway_lint.commands.common import (
    complain_about_missing,
    print_results,
    resolver_of,
    run_check,
    telling_what_is_not_written,
)
from asgiway_lint.configfiles import Resolver
from asgiway_lint.errors import UsageError
from asgiway_lint.output import Output
from asgiway_lint.project.discovery import Discovered, discover

if TYPE_CHECKING:
    from asgiway_lint.changes import Changes

__all__ = ["run"]

log: logging.Logger = logging.getLogger(__name__)


def run(arguments: Namespace) -> int:
    """Run the command and return its exit code: 0 clean, 1 findings, 2 a named path does not exist or a file cannot be written.

    Raises:
        UsageError: options or configuration make no sense.
    """
    cwd = Path.cwd()
    resolver = resolver_of(arguments, cwd)
    paths: list[str] = arguments.paths or ["."]
    stdin = paths == ["-"]
    _refuse_contradictions(arguments, paths)

    if stdin:
        name: str | None = arguments.stdin_filename
        place = None if name is None else Path(os.path.normpath(cwd / name))
        discovered = Discovered(files=(place or cwd / "-",))
    else:
        place = None
        discovered = discover(paths, cwd=cwd, settings_for=resolver.for_folder)
        complain_about_missing(discovered.missing, cwd)

    if arguments.show_settings or arguments.show_files:
        _show(arguments, discovered, resolver, stdin=stdin)
        return 2 if discovered.missing else 0
    if not discovered.files and not discovered.unlisted and not discovered.missing:
        log.warning("no Python files found under the given path(s)")
    changes = _changes(arguments, cwd)
    settings = resolver.for_folder(cwd)

    def screen() -> Screen:
        return Screen(
            ignore_noqa=arguments.ignore_noqa,
            baselines=None if arguments.ignore_baseline else BaselineFiles(),
            changes=changes,
        )

    @functools.cache
    def standard_input() -> bytes:
        return sys.stdin.buffer.read()

    def check_bytes(source: bytes) -> Outcome:
        return check_text(source, place, resolver, screen=screen())

    def check() -> Outcome:
        return check_bytes(standard_input()) if stdin else run_check(arguments, discovered, resolver, screen())

    if arguments.add_noqa is not None:
        from asgiway_lint.addnoqa import check_reason
        from asgiway_lint.commands import addnoqa

        code = addnoqa.run(lambda: check().results, check_reason(arguments.add_noqa), quiet=arguments.quiet)
    elif arguments.diff or settings.fix or settings.fix_only:
        from asgiway_lint.commands import fix

        with telling_what_is_not_written(arguments.output_file):
            code = fix.run(arguments, resolver, check, standard_input if stdin else None, check_bytes)
    else:
        with telling_what_is_not_written(arguments.output_file):
            outcome = check()
            nothing_checked = bool(discovered.missing) and not discovered.files
            print_results(outcome.results, arguments, resolver, summarise=not arguments.quiet and not nothing_checked)
        code = int(outcome.failed and not arguments.exit_zero)
    return 2 if discovered.missing else code


def _refuse_contradictions(arguments: Namespace, paths: list[str]) -> None:
    stdin = paths == ["-"]
    if "-" in paths and not stdin:
        raise UsageError("'-' (standard input) cannot be combined with other paths")
    if arguments.stdin_filename is not None and not stdin:
        raise UsageError("--stdin-filename is for standard input: name - as the only path")
    if stdin and arguments.diff_base is not None:
        raise UsageError("--diff-base compares files, and standard input is none: name the file instead of -")
    if arguments.add_noqa is not None:
        if stdin:
            raise UsageError("--add-noqa changes files, and standard input is none: name the file instead of -")
        if arguments.fix or arguments.fix_only or arguments.diff:
            raise UsageError(
                "--add-noqa and --fix are two ways to deal with the same findings: run one after the other"
            )
        if arguments.ignore_noqa:
            raise UsageError("--add-noqa and --ignore-noqa contradict each other: leave one of them out")
        if arguments.output_file is not None:
            raise UsageError("--add-noqa changes files and prints no findings: leave --output-file out")


def _changes(arguments: Namespace, cwd: Path) -> Changes | None:
    if arguments.diff_base is None:
        return None
    from asgiway_lint.changes import changes_since

    return changes_since(arguments.diff_base, cwd)


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
