"""`asgiway-lint check --fix`, `--fix-only` and `--diff`: repair, write or show it, report what is left."""

from __future__ import annotations

import contextlib
import io
import itertools
import logging
import os
import sys
import time
import tokenize
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from asgiway_lint.check import Outcome
from asgiway_lint.commands.common import print_results
from asgiway_lint.config import Settings
from asgiway_lint.configfiles import Resolver
from asgiway_lint.facts.text import decode
from asgiway_lint.finding import Finding
from asgiway_lint.fixes.diff import unified_diff
from asgiway_lint.fixes.model import Applicability, Fix
from asgiway_lint.fixes.write import Written, write_all
from asgiway_lint.fixing import FixedFile, fix_files
from asgiway_lint.output import Output, tell, wants_colour, write_bytes
from asgiway_lint.report.style import shown_path

__all__ = ["run"]

log: logging.Logger = logging.getLogger(__name__)


def run(
    arguments: Namespace,
    resolver: Resolver,
    check: Callable[[], Outcome],
    stdin: Callable[[], bytes] | None,
    recheck: Callable[[bytes], Outcome],
) -> int:
    """Repair what can be repaired.

    Args:
        arguments: the options.
        resolver: the settings; those of the current folder say what is wanted.
        check: makes the findings; asked again for what is left.
        stdin: the bytes of standard input, which is to be fixed in place of files; None: files.
        recheck: makes the findings of new bytes of standard input.

    Returns:
        0; 1 if something is left (not with --fix-only), would be changed (--diff), or was (--exit-non-zero-on-fix); 2 if a file
        could not be written.
    """
    settings = resolver.for_folder(resolver.cwd)
    started = time.time_ns()
    outcome = check()
    findings = outcome.results.findings
    sources = dict(_sources(findings, stdin))
    files = fix_files(
        findings,
        sources,
        resolver,
        only_these=arguments.diff_base is not None or any(each.by == "baseline" for each in outcome.results.suppressed),
        ignore_noqa=arguments.ignore_noqa,
        cache=not arguments.no_cache,
    )
    changed = [file for file in files if file.changed]
    if arguments.diff:
        _print_diffs(changed, arguments, resolver.cwd)
        _report(files, changed, settings, resolver.cwd, arguments, "Would fix")
        return int(bool(changed) and not arguments.exit_zero)
    if stdin is not None:
        after = files[0].applied.source if files else stdin()
        write_bytes(after)
        written = Written(())
        outcome = recheck(after) if changed else outcome
        report_to: contextlib.AbstractContextManager[object] = contextlib.redirect_stdout(sys.stderr)
    else:
        written = write_all(
            {file.path: (file.before, file.applied.source) for file in changed},
            started,
            lambda so_far: _tell(so_far, resolver.cwd),
        )
        for path, reason in written.failed.items():
            log.error("%s is not written: %s", shown_path(path, resolver.cwd), reason)
        if written.failed:
            _tell(written, resolver.cwd)
        changed = [file for file in changed if file.path in written.done]
        if not settings.fix_only and changed:
            outcome = check()
        report_to = contextlib.nullcontext()
    if settings.fix_only:
        _report(files, changed, settings, resolver.cwd, arguments, "Fixed")
    else:
        _report(files, changed, settings, resolver.cwd, arguments, "Fixed", count=False)
        results = replace(
            outcome.results,
            fixed=tuple(itertools.chain.from_iterable(file.fixed for file in changed)),
            marks=_marks(files, written),
            marks_known=True,
        )
        with report_to:
            print_results(results, arguments, resolver, summarise=not arguments.quiet)
    if written.failed:
        return 2
    if arguments.exit_zero:
        return 0
    if changed and arguments.exit_non_zero_on_fix:
        return 1
    return int(outcome.failed and not settings.fix_only)


def _sources(findings: Sequence[Finding], stdin: Callable[[], bytes] | None) -> Iterator[tuple[str, bytes]]:
    """The bytes of the files with findings; without those that cannot be read, or written in their encoding."""
    for path in dict.fromkeys(finding.path for finding in findings):
        try:
            data = Path(path).read_bytes() if stdin is None else stdin()
        except (OSError, ValueError):
            continue  # its finding says so
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            if decode(data).encode(encoding) != data:
                log.warning("%s is not fixed: its encoding, %s, would not survive it", path, encoding)
                continue
        except SyntaxError:
            continue  # its finding says so
        yield path, data


def _print_diffs(changed: Iterable[FixedFile], arguments: Namespace, cwd: Path) -> None:
    colour = wants_colour(arguments.color, arguments.output_file is None and sys.stdout.isatty(), os.environ)
    with Output(arguments.output_file) as output:
        for file in changed:
            before, after = decode(file.before), decode(file.applied.source)
            output.write(unified_diff(before, after, shown_path(file.path, cwd), colour=colour))


def _report(
    files: Sequence[FixedFile],
    changed: Sequence[FixedFile],
    settings: Settings,
    cwd: Path,
    arguments: Namespace,
    verb: str,
    *,
    count: bool = True,
) -> None:
    """Say on stderr what was done: how much, with --show-fixes each, and what the new code needs."""
    if arguments.quiet:
        return
    number = sum(len(file.fixed) for file in changed)
    if settings.show_fixes:
        _say(f"{verb} {_some(number, 'finding')}{':' if number else '.'}")
        for file in changed:
            _list(file, cwd)
        refused = [file for file in files if file.applied.refusals]
        if refused:
            _say("Not fixed:")
            for file in refused:
                _list_refusals(file, settings, cwd)
    elif count:
        hidden = _hidden(files, settings)
        if number:
            more = f" ({hidden} more with --unsafe-fixes)" if hidden else ""
            _say(f"{verb} {_some(number, 'finding')} in {_some(len(changed), 'file')}{more}.")
        else:
            _say(f"No safe fixes ({hidden} with --unsafe-fixes)." if hidden else "No fixes.")
    for file in files:
        for fix in file.applied.dropped:
            log.warning(
                "%s:%d: the fix %s would have left something wrong and was not used; please report this",
                shown_path(file.path, cwd),
                fix.removes[0].line,
                fix.name,
            )
    needed = sorted({name for file in changed for fix in file.applied.fixes for name in fix.requires})
    if needed:
        _say(f"The new code needs {', '.join(needed)}: add {'it' if len(needed) == 1 else 'them'} to the dependencies.")


def _list(file: FixedFile, cwd: Path) -> None:
    _say(f"- {shown_path(file.path, cwd)}:")
    counts = Counter((finding.code, fix.name, fix.reason) for fix in file.applied.fixes for finding in fix.removes)
    for (code, name, reason), count in sorted(counts.items()):
        _say(f"    {count} × {code} ({name}){f', unsafe: {reason}' if reason else ''}")  # noqa: RUF001
    for note in dict.fromkeys(note for fix in file.applied.fixes for note in fix.notes):
        _say(f"    look at this: {note}")


def _list_refusals(file: FixedFile, settings: Settings, cwd: Path) -> None:
    """The best that could be done about each finding; where that is nothing, every fixer's reason."""
    for finding, offers in file.applied.refusals:
        place = f"{shown_path(file.path, cwd)}:{finding.line}:{finding.column}: {finding.code}"
        best = next((offer for offer in offers if isinstance(offer, Fix)), None)
        if best is not None and not settings.unsafe_fixes:
            _say(f"    {place} ({best.name}) needs --unsafe-fixes: {best.reason}")
        for offer in offers if best is None else ():
            _say(f"    {place} ({offer.name}): {offer.reason}")


def _hidden(files: Iterable[FixedFile], settings: Settings) -> int:
    if settings.unsafe_fixes:
        return 0
    return sum(any(isinstance(offer, Fix) for offer in offers) for file in files for _, offers in file.applied.refusals)


def _marks(files: Iterable[FixedFile], written: Written) -> dict[Finding, Applicability]:
    """What could still be done about the findings that are left."""
    return {
        finding: offer.applicability
        for file in files
        if file.path not in written.failed
        for finding, offers in file.applied.refusals
        for offer in reversed(offers)
        if isinstance(offer, Fix)
    }


def _tell(written: Written, cwd: Path) -> None:
    for what, paths in (("written", written.done), ("not written", written.left)):
        _say(f"{what}: {', '.join(shown_path(path, cwd) for path in paths) or 'none'}")


def _say(text: str) -> None:
    tell(f"{text}\n")


def _some(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
