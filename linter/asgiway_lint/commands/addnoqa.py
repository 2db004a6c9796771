"""`asgiway-lint check --add-noqa`: write the comments into the files, and say which were and which weren't written."""

from __future__ import annotations

import io
import itertools
import logging
import sys
import tokenize
from collections.abc import Sequence
from pathlib import Path

from asgiway_lint.addnoqa import Added, add_noqa
from asgiway_lint.facts.text import decode
from asgiway_lint.finding import Finding
from asgiway_lint.replacing import WriteError, write_atomically
from asgiway_lint.report import Results
from asgiway_lint.report.style import shown_path

__all__ = ["run"]

log = logging.getLogger(__name__)


def run(results: Results, reason: str, started: int, *, quiet: bool = False) -> int:
    """Add comments for all findings.

    Args:
        results: the findings.
        reason: what to write behind the codes; may be empty.
        started: when the check began, in nanoseconds since the epoch: files that have changed since are left alone.
        quiet: whether to leave the summary out.

    Returns:
        0; 1 if there are findings that no comment can suppress; 2 if a file could not be written.
    """
    groups = [(path, list(group)) for path, group in itertools.groupby(results.findings, key=lambda f: f.path)]
    written: list[str] = []
    directives = left = failed = 0
    try:
        for path, findings in groups:
            name = shown_path(path, results.cwd)
            try:
                added = _write(Path(path), findings, reason, started)
            except WriteError as error:
                failed += 1
                log.error("%s is not written: %s", name, error)
                continue
            left += len(added.left)
            for finding in added.left:
                log.warning("%s:%d:%d: %s stays: %s", name, finding.line, finding.column, finding.code, _why(finding))
            if added.directives:
                directives += added.directives
                written.append(path)
    except KeyboardInterrupt:
        done = {*written}
        _tell("written", [shown_path(path, results.cwd) for path, _ in groups if path in done])
        _tell("not written", [shown_path(path, results.cwd) for path, _ in groups if path not in done])
        raise
    if not quiet:
        _say(f"Added {_some(directives, 'noqa directive')} in {_some(len(written), 'file')}.")
    if failed and written:
        _tell("written", [shown_path(path, results.cwd) for path in written])
    return 2 if failed else int(left > 0)


def _write(path: Path, findings: Sequence[Finding], reason: str, started: int) -> Added:
    try:
        data = path.read_bytes()
        changed = path.stat().st_ctime_ns >= started
    except (OSError, ValueError) as error:
        if all(finding.code == "AW002" for finding in findings):
            return Added("", 0, tuple(findings))
        raise WriteError(getattr(error, "strerror", None) or str(error)) from error
    if changed:
        raise WriteError("it has changed since it was checked; run again")
    try:
        source = decode(data)
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        if source.encode(encoding) != data:
            raise WriteError(f"its encoding, {encoding}, would not survive it")
    except SyntaxError:
        return Added("", 0, tuple(findings))
    added = add_noqa(source, findings, reason)
    if added.directives:
        try:
            new = added.text.encode(encoding)
        except UnicodeEncodeError as error:
            raise WriteError(f"its encoding, {encoding}, has no place for the reason") from error
        write_atomically(path, new, expected=data)
    return added


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _tell(what: str, names: Sequence[str]) -> None:
    _say(f"{what}: {', '.join(names) if names else 'none'}")


def _some(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _why(finding: Finding) -> str:
    if finding.code in ("AW001", "AW002"):
        return "the file has to be repaired"
    if finding.code == "AW003":
        return "remove the comment that suppresses nothing"
    return (
        "a comment can stand neither on its first nor on its last line; use per-file-ignores, or rewrite the statement"
    )
