"""`asgiway-lint baseline`: write, check and shorten the list of findings that are known."""

from __future__ import annotations

import itertools
import logging
import os
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from asgiway_lint.arguments import BASELINE_ACTIONS
from asgiway_lint.baseline import DEFAULT_NAME, Baseline, Entry, dump, key_of
from asgiway_lint.baselinefiles import BaselineFiles, read_baseline
from asgiway_lint.check import Screen
from asgiway_lint.commands.common import (
    complain_about_missing,
    print_results,
    resolver_of,
    run_check,
    telling_what_is_not_written,
)
from asgiway_lint.configfiles import Resolver
from asgiway_lint.errors import UsageError
from asgiway_lint.identity import identities
from asgiway_lint.output import Output
from asgiway_lint.project.discovery import Discovered, discover
from asgiway_lint.replacing import WriteError, write_atomically
from asgiway_lint.report import Results
from asgiway_lint.report.style import shown_path

__all__ = ["run"]

log: logging.Logger = logging.getLogger(__name__)


def run(arguments: Namespace) -> int:
    """Run one of the actions.

    Returns:
        0; 1 if there are new findings or, for `check`, entries whose findings are gone.

    Raises:
        UsageError: options or configuration make no sense, or the baseline cannot be read or written.
    """
    if arguments.action is None:
        raise UsageError(f"name what to do: asgiway-lint baseline {', '.join(BASELINE_ACTIONS)} (one of them)")
    cwd = Path.cwd()
    resolver = resolver_of(arguments, cwd)
    paths: list[str] = arguments.paths or ["."]
    if "-" in paths:
        raise UsageError("a baseline is about files, and '-' (standard input) is none")
    if arguments.force and arguments.action != "create":
        raise UsageError("--force is for create: check and shrink never replace what they don't know")
    file = _file(resolver)
    if arguments.action == "create" and file.exists() and not arguments.force:
        raise UsageError(
            f"{file} is there already; asgiway-lint baseline shrink removes what is repaired from it,"
            " create --force replaces it"
        )
    known = None if arguments.action == "create" else read_baseline(file)
    discovered = discover(paths, cwd=cwd, settings_for=resolver.for_folder)
    complain_about_missing(discovered.missing, cwd)
    if discovered.missing:
        return 2
    writes = arguments.action in ("create", "shrink")
    with telling_what_is_not_written(shown_path(str(file), cwd) if writes else None):
        if known is None:
            return _create(arguments, discovered, resolver, file)
        return _compare(arguments, discovered, resolver, file, known)


def _file(resolver: Resolver) -> Path:
    settings = resolver.for_folder(resolver.cwd)
    return Path(os.path.normpath(settings.baseline or settings.root / DEFAULT_NAME))


def _create(arguments: Namespace, discovered: Discovered, resolver: Resolver, file: Path) -> int:
    outcome = run_check(arguments, discovered, resolver, Screen(ignore_noqa=arguments.ignore_noqa))
    entries = list(_entries(outcome.results, file.parent))
    _write(file, entries)
    if not arguments.quiet:
        name = shown_path(str(file), resolver.cwd)
        lines = [f"Recorded {_some(len(entries), 'finding')} in {name}.\n"]
        if arguments.baseline is not None or resolver.for_folder(resolver.cwd).baseline is None:
            lines.append(
                f'To use it: asgiway-lint check --baseline {name}, or baseline = "{name}" in the configuration.\n'
            )
        with Output() as output:
            output.write(lines)
    return 0


def _entries(results: Results, folder: Path) -> Iterator[Entry]:
    for path, group in itertools.groupby(results.findings, key=lambda finding: finding.path):
        key = key_of(path, folder)
        for identity in identities(list(group), results.source_of(path)):
            yield key, identity


def _compare(arguments: Namespace, discovered: Discovered, resolver: Resolver, file: Path, known: Baseline) -> int:
    outcome = run_check(
        arguments,
        discovered,
        resolver,
        Screen(ignore_noqa=arguments.ignore_noqa, baselines=BaselineFiles({file: known}, only=file)),
    )
    stale = known.stale(_checked(known, discovered, resolver.cwd, arguments.paths or ["."]))
    gone = sum(stale.values())
    if arguments.action == "shrink" and stale:
        _write(file, {entry: count - stale.get(entry, 0) for entry, count in known.entries.items()})
    print_results(outcome.results, arguments, resolver, summarise=False)
    name = shown_path(str(file), resolver.cwd)
    lines: list[str] = []
    if arguments.action == "check":
        lines += (f"{path}: {identity.code} {identity.symbol} is gone ({name})\n" for path, identity in stale)
    if not arguments.quiet:
        lines.append(_summary(arguments.action, len(outcome.results.findings), gone, sum(known.entries.values()), name))
    with Output() as output:
        output.write(lines)
    return int(outcome.failed or (arguments.action == "check" and gone > 0))


def _summary(action: str, new: int, gone: int, total: int, name: str) -> str:
    found = f"{_some(new, 'new finding')}" if new else "No new findings"
    if action == "shrink":
        return f"{found}; {name}: {_some(gone, 'finding')} removed, {total - gone} left.\n"
    hint = "; asgiway-lint baseline shrink removes what is gone" if gone else ""
    return f"{found}; {name}: {_some(total, 'finding')}, {gone} of them gone{hint}.\n"


def _checked(known: Baseline, discovered: Discovered, cwd: Path, paths: Iterable[str]) -> set[str]:
    """Return the files (as the baseline names them) of which this run can tell that findings are gone."""
    checked = {key_of(str(path), known.folder) for path in discovered.files}
    folders = [os.path.normpath(cwd / path) for path in paths]
    for key, _ in known.entries:
        place = os.path.normpath(known.folder / key)
        # A file that is left out by now, or does not exist any more.
        if any(Path(place).is_relative_to(folder) for folder in folders) or not Path(place).exists():
            checked.add(key)
    return checked


def _write(file: Path, entries: Mapping[Entry, int] | Iterable[Entry]) -> None:
    existed = file.exists()
    try:
        write_atomically(file, dump(entries).encode("utf-8"))
    except WriteError as error:
        kept = "; it is as it was before" if existed else ""
        raise UsageError(f"cannot write to {file}: {error}{kept}") from error


def _some(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
