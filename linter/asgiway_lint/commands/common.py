"""What `check` and `baseline` share: options to settings, complaints about paths, a run with a progress bar, printing."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import shutil
import sys
from argparse import Namespace
from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from asgiway_lint.check import Outcome, Screen, check_discovered
from asgiway_lint.config import OUTPUT_FORMATS, Layer, OutputFormat, Settings, parse_layer
from asgiway_lint.configfiles import Resolver, is_file, nearest_path, parse_inline
from asgiway_lint.errors import UsageError, nearest
from asgiway_lint.filtering import rule_codes
from asgiway_lint.finding import Finding
from asgiway_lint.fixes.model import Offer, Refusal
from asgiway_lint.output import Output, tell, wants_colour
from asgiway_lint.progress import with_progress
from asgiway_lint.project.discovery import Discovered
from asgiway_lint.report import Results, reporter
from asgiway_lint.report.style import Style
from asgiway_lint.report.summary import summary

if TYPE_CHECKING:
    from asgiway_lint.analysis.run import FileReport

__all__ = ["complain_about_missing", "print_results", "resolver_of", "run_check", "telling_what_is_not_written"]

log: logging.Logger = logging.getLogger(__name__)

_FORMAT_VARIABLE = "ASGIWAY_LINT_OUTPUT_FORMAT"
# These are for people, and end with a summary.
_MARKED = ("full", "concise", "grouped", "statistics")
_SUMMARISED = ("full", "concise", "grouped", "statistics")
# Formats whose paths CI counts from the top of its checkout, and where it says what that is.
_PROJECT_VARIABLES = {"github": "GITHUB_WORKSPACE", "sarif": "GITHUB_WORKSPACE", "gitlab": "CI_PROJECT_DIR"}


def resolver_of(arguments: Namespace, cwd: Path) -> Resolver:
    """Return what answers which settings hold for a file, the command line's included.

    Raises:
        UsageError: options make no sense.
    """
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
        **{
            key: getattr(arguments, key.replace("-", "_"), None)
            for key in ("fix", "fix-only", "show-fixes", "unsafe-fixes", "fixable", "extend-fixable", "unfixable")
        },
        "baseline": arguments.baseline,
        "cache-dir": arguments.cache_dir,
    }


def complain_about_missing(missing: Sequence[str], cwd: Path) -> None:
    """Say which named paths don't exist, and which ones are called almost the same."""
    for name in missing:
        log.error("no such file or folder: '%s'%s", name, nearest_path(cwd / name))


@contextlib.contextmanager
def telling_what_is_not_written(file: str | None) -> Generator[None]:
    """Say on Ctrl-C that a file has not been written that was to be; None: there is none."""
    path = None if file is None or (os.path.exists(file) and not os.path.isfile(file)) else Path(file)  # noqa: PTH110, PTH113
    before = None if path is None else _stamp(path)
    try:
        yield
    except KeyboardInterrupt:
        if path is not None:
            what = "not written" if _stamp(path) == before else "written"
            tell(f"{what}: {file}\n")
        raise


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes when a file is replaced; None for what is no file."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_ino, status.st_ctime_ns


def run_check(arguments: Namespace, discovered: Discovered, resolver: Resolver, screen: Screen) -> Outcome:
    """Check files as the options say, with a progress bar if there is somebody to see it."""

    def watch(reports: Iterable[FileReport]) -> Iterable[FileReport]:
        if arguments.quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
            return reports
        colour = wants_colour("auto", True, os.environ)
        return with_progress(reports, len(discovered.files), sys.stderr, colour=colour)

    return check_discovered(
        discovered, resolver, screen=screen, cache=not arguments.no_cache, jobs=arguments.jobs, watch=watch
    )


def print_results(results: Results, arguments: Namespace, resolver: Resolver, *, summarise: bool) -> None:
    """Print results in the format that is asked for.

    Args:
        results: what to print.
        arguments: the options; those about output may be missing.
        resolver: the settings; those of the current folder count.
        summarise: whether a text for people may end with a summary.
    """
    file: str | None = getattr(arguments, "output_file", None)
    to_terminal = file is None and sys.stdout.isatty()
    style = Style(
        colour=wants_colour(getattr(arguments, "color", "auto"), to_terminal, os.environ),
        width=max(40, shutil.get_terminal_size().columns - 8) if to_terminal else Style().width,
    )
    name = _format(arguments, resolver.for_folder(resolver.cwd), to_terminal)
    if getattr(arguments, "statistics", False):
        name = "statistics_json" if name == "json" else "statistics"
    results = _with_fixes(results, name, resolver)
    pieces: list[Iterable[str]] = [reporter(name)(replace(results, project=_project(name, resolver.cwd)), style)]
    if summarise and name in _SUMMARISED:
        pieces.append((summary(results),))
    with Output(file) as output:
        for piece in pieces:
            output.write(piece)


def _with_fixes(results: Results, name: str, resolver: Resolver) -> Results:
    """Add what the fixes are, where the format or the settings ask for them; else the marks that names alone allow."""

    def settings_of(path: str) -> Settings:
        place = Path(path)
        return resolver.for_file(place if place.is_absolute() else resolver.cwd / place)

    settings = resolver.for_folder(resolver.cwd)
    results = replace(results, unsafe_fixes=settings.unsafe_fixes)
    if name == "sarif" or settings.show_fixes:
        from asgiway_lint.fixing import offers_of  # libcst: only where it is needed

        offers: dict[Finding, tuple[Offer | Refusal, ...]] = {}
        for path, group in itertools.groupby(results.findings, key=lambda finding: finding.path):
            source = results.source_of(path)
            if source is not None:
                offers |= offers_of(list(group), source, path, settings_of(path))
        marks = {
            finding: offer.applicability
            for finding, found in offers.items()
            for offer in reversed(found)
            if isinstance(offer, Offer)
        }
        return replace(results, offers=offers, marks=marks, marks_known=True)
    if results.marks_known or name not in _MARKED:
        return results
    from asgiway_lint.fixes.likely import likely

    found = ((finding, likely(finding, settings_of(finding.path))) for finding in results.findings)
    return replace(results, marks={finding: mark for finding, mark in found if mark is not None})


def _project(name: str, cwd: Path) -> Path | None:
    folder = os.environ.get(_PROJECT_VARIABLES.get(name, ""))
    return Path(folder) if folder and cwd.is_relative_to(folder) else None


def _format(arguments: Namespace, settings: Settings, to_terminal: bool) -> str:
    if (chosen := getattr(arguments, "output_format", None)) is not None:
        return str(chosen)
    if wanted := os.environ.get(_FORMAT_VARIABLE):
        if wanted not in OUTPUT_FORMATS:
            choices = ", ".join(OUTPUT_FORMATS)
            raise UsageError(f"{_FORMAT_VARIABLE}='{wanted}' is none of {choices}{nearest(wanted, OUTPUT_FORMATS)}")
        return wanted
    default: OutputFormat = "full" if to_terminal else "concise"
    return settings.output_format or default
