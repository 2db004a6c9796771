"""`asgiway-lint check --add-noqa`: write the comments into the files, and say which were and which weren't written."""

from __future__ import annotations

import io
import itertools
import logging
import time
import tokenize
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from asgiway_lint.addnoqa import Added, add_noqa
from asgiway_lint.facts.text import decode
from asgiway_lint.finding import Finding
from asgiway_lint.output import tell
from asgiway_lint.replacing import WriteError, write_atomically
from asgiway_lint.report import Results
from asgiway_lint.report.style import shown_path

__all__ = ["run"]

log: logging.Logger = logging.getLogger(__name__)

# Reported only where a call that no comment suppresses blocks: perhaps no more when the others have theirs.
_LAST = ("AW203",)


def run(check: Callable[[], Results], reason: str, *, quiet: bool = False) -> int:
    """Add comments for all findings.

    Args:
        check: makes the findings; asked a second time for those that the first comments may have made groundless.
        reason: what to write behind the codes; may be empty.
        quiet: whether to leave the summary out.

    Returns:
        0; 1 if there are findings that no comment can suppress; 2 if a file could not be written.
    """
    work = _Work(reason)
    started = time.time_ns()
    results = check()
    try:
        work.write(results, [finding for finding in results.findings if finding.code not in _LAST], started)
        if any(finding.code in _LAST for finding in results.findings):
            started = time.time_ns()
            results = check()
            work.write(results, [finding for finding in results.findings if finding.code in _LAST], started)
    except KeyboardInterrupt:
        _tell("written", work.written)
        _tell("not written", [name for name in work.wanted if name not in work.written])
        raise
    if not quiet:
        _say(f"Added {_some(work.directives, 'noqa directive')} in {_some(len(work.written), 'file')}.")
    if work.failed and work.written:
        _tell("written", work.written)
    return 2 if work.failed else int(work.left > 0)


@dataclass(slots=True)
class _Work:
    """What has been done so far, by names of files."""

    reason: str
    wanted: list[str] = field(default_factory=list[str])
    written: list[str] = field(default_factory=list[str])
    failed: list[str] = field(default_factory=list[str])
    directives: int = 0
    left: int = 0

    def write(self, results: Results, findings: Iterable[Finding], started: int) -> None:
        """Write the comments of some findings into their files."""
        groups = [
            (path, shown_path(path, results.cwd), list(group))
            for path, group in itertools.groupby(findings, key=lambda finding: finding.path)
        ]
        self.wanted += (name for _, name, _ in groups if name not in self.wanted)
        for path, name, found in groups:
            if name in self.failed:
                continue
            try:
                added = _write(Path(path), found, self.reason, started)
            except WriteError as error:
                self.failed.append(name)
                log.error("%s is not written: %s", name, error)
                continue
            self.left += len(added.left)
            for finding in added.left:
                log.warning("%s:%d:%d: %s stays: %s", name, finding.line, finding.column, finding.code, _why(finding))
            if added.directives:
                self.directives += added.directives
                if name not in self.written:
                    self.written.append(name)


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
    tell(f"{text}\n")


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
