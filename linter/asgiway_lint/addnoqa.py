"""Put `# noqa` comments on findings (`--add-noqa`): pure text in, text out.

A comment goes behind the last line of what a finding marks, else behind its first, wherever a comment can stand: not inside of a
string, not behind a backslash. Where neither has room, it goes behind the end of the string or of the continued lines. Codes join a `# noqa: CODE` that is there already. The result is the same program, which is
checked before it is handed out.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from asgiway_lint.comments import find_comments, joined_lines
from asgiway_lint.errors import UsageError
from asgiway_lint.finding import Finding
from asgiway_lint.suppress import Directive, find_directives

__all__ = ["Added", "add_noqa", "check_reason"]

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
# Findings about the file or about suppressions: a comment would hide what has to be repaired instead.
_NEVER = ("AW001", "AW002", "AW003")


@dataclass(frozen=True, slots=True)
class Added:
    """A text with comments.

    Args:
        text: the new text; the old one if nothing was added.
        directives: how many comments were added or extended.
        left: findings for which there is no place.
    """

    text: str
    directives: int
    left: tuple[Finding, ...]


def check_reason(reason: str) -> str:
    """Return the reason if it can stand behind the codes of a comment.

    Raises:
        UsageError: it has several lines, or would be read as codes or as a comment of its own.
    """
    text = " ".join(reason.split(" ")).strip()
    if not text.isprintable():
        raise UsageError("--add-noqa: the reason has to be one line of printable text")
    before = "pass  # noqa: AW101"
    ends = [directive.end_column - 1 for directive in find_directives(f"{before} {text}")]
    if "#" in text or ends != [len(before)]:
        raise UsageError(
            f"--add-noqa: '{text}' would not be read as a reason; let it begin with a word and leave '#' out"
        )
    return text


def add_noqa(source: str, findings: Sequence[Finding], reason: str = "") -> Added:
    """Add comments that suppress findings.

    Args:
        source: text of the file, without byte order mark.
        findings: findings in this text.
        reason: what to write behind the codes, as `check_reason` returns it.
    """
    wanted = [finding for finding in findings if finding.code not in _NEVER]
    lines = _split(source)
    last_lines = {line: last for first, last in joined_lines(source) for line in range(first, last)}
    free = _places(source, lines, {line for finding in wanted for line in _lines_of(finding, last_lines)})
    codes: dict[int, set[str]] = {}
    left = [finding for finding in findings if finding.code in _NEVER]
    for finding in wanted:
        line = next((line for line in _lines_of(finding, last_lines) if line in free), None)
        if line is None:
            left.append(finding)
        else:
            codes.setdefault(line, set()).add(finding.code)
    directives = {each.line: each for each in find_directives(source) if not each.file_level}
    text = _edited(lines, codes, directives, reason)
    if codes and not _same_program(source, text):
        # One of the places was none after all; find out which.
        good = {
            line: found
            for line, found in codes.items()
            if _same_program(source, _edited(lines, {line: found}, directives, reason))
        }
        left += [
            finding
            for finding in wanted
            if finding not in left
            and not any(finding.code in good.get(line, ()) for line in _lines_of(finding, last_lines))
        ]
        codes, text = good, _edited(lines, good, directives, reason)
        if not _same_program(source, text):
            return Added(source, 0, tuple(findings))
    return Added(text, len(codes), tuple(sorted(left, key=lambda finding: (finding.line, finding.column))))


def _lines_of(finding: Finding, last_lines: Mapping[int, int]) -> tuple[int, ...]:
    """The lines on which a comment counts for a finding, the best first; the last of lines that are joined counts for all of them."""
    found = (finding.end_line, finding.line, *(last_lines.get(line, line) for line in (finding.end_line, finding.line)))
    return tuple(dict.fromkeys(found))


def _split(source: str) -> list[tuple[str, str]]:
    """Return the lines with their ends apart."""
    found: list[tuple[str, str]] = []
    for match in _LINE.finditer(source):
        body = match[0].rstrip("\r\n")
        found.append((body, match[0][len(body) :]))
    return found


def _places(source: str, lines: Sequence[tuple[str, str]], candidates: Iterable[int]) -> set[int]:
    """Return the lines behind which a comment is a comment."""
    commented = {comment.line for comment in find_comments(source)}
    asked: dict[int, int] = {}
    for line in candidates:
        if line > len(lines):
            continue
        body = lines[line - 1][0]
        if line not in commented and not body.endswith("\\"):
            asked[line] = len(body) + 1
    # Try all at once: what is text inside of a string changes nothing about the other lines.
    tried = "".join(body + ("#" if number in asked else "") + end for number, (body, end) in enumerate(lines, 1))
    found = {comment.line for comment in find_comments(tried) if asked.get(comment.line) == comment.column}
    return found | (commented & set(candidates))


def _edited(
    lines: Sequence[tuple[str, str]], codes: dict[int, set[str]], directives: dict[int, Directive], reason: str
) -> str:
    return "".join(
        _line(body, codes[number], directives.get(number), reason) + end if number in codes else body + end
        for number, (body, end) in enumerate(lines, 1)
    )


def _line(body: str, codes: set[str], directive: Directive | None, reason: str) -> str:
    tail = f" {reason}" if reason else ""
    if directive is None:
        return f"{body.rstrip()}  # noqa: {', '.join(sorted(codes))}{tail}"
    new = "".join(f", {code}" for code in sorted(codes - set(directive.codes)))
    before, after = body[: directive.end_column - 1], body[directive.end_column - 1 :]
    return f"{before}{new}{'' if reason in after else tail}{after}"


def _same_program(old: str, new: str) -> bool:
    one, other = _tree(old), _tree(new)
    return one is not None and other is not None and one == other


def _tree(text: str) -> str | None:
    """Return what identifies the program, comments aside; None if nobody can parse it."""
    tree: ast.AST | None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        from asgiway_lint.facts.reader import read_newer  # syntax newer than the interpreter's

        tree = read_newer(text)
    if tree is None:
        return None
    try:
        return ast.dump(tree)
    except RecursionError:
        return None
