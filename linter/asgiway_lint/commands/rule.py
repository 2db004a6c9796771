"""`asgiway-lint rule` and `asgiway-lint rules`: what the rules are about, for people and for programs."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Iterator
from typing import Any

from asgiway_lint.errors import UsageError, nearest
from asgiway_lint.fixes.model import availability_of
from asgiway_lint.output import Output
from asgiway_lint.rules import Rule, all_rules

__all__ = ["run", "run_list"]


def run(arguments: Namespace) -> int:
    """Explain one rule or all of them; return 0.

    Raises:
        UsageError: there is no such rule, or neither or both of a code and `--all` were given.
    """
    if (arguments.code is None) is not arguments.all:
        raise UsageError("name one rule (asgiway-lint rule AW102) or --all; asgiway-lint rules lists them")
    rules = all_rules() if arguments.all else (_find(arguments.code),)
    with Output() as output:
        match arguments.output_format:
            case "json":
                from asgiway_lint.report.json import dumps

                objects = [_as_object(rule) for rule in rules]
                output.write([dumps(objects if arguments.all else objects[0])])
            case "markdown":
                output.write(["\n\n".join(f"# {_title(rule)}\n\n{_page(rule)}".rstrip() for rule in rules) + "\n"])
            case _:
                output.write(("\n" + "=" * 78 + "\n\n").join(_as_text(rule) for rule in rules))
    return 0


def run_list(arguments: Namespace) -> int:
    """List the rules; return 0."""
    rules = all_rules()
    width = max(len(rule.slug) for rule in rules)
    with Output() as output:
        for rule in rules:
            preview = " (preview)" if rule.preview else ""
            output.write([f"{rule.code}  {rule.slug:<{width}}  {rule.severity:<7}  {rule.summary}{preview}\n"])
    return 0


def _find(name: str) -> Rule:
    rules = all_rules()
    for rule in rules:
        if name.upper() == rule.code or name.lower() == rule.slug:
            return rule
    known = [rule.code for rule in rules] + [rule.slug for rule in rules]
    raise UsageError(f"unknown rule '{name}'{nearest(name, known)}; asgiway-lint rules lists them")


def _title(rule: Rule) -> str:
    return f"{rule.code} {rule.slug}"


_FIXES = {"Always": "Fix is always available.", "Sometimes": "Fix is sometimes available.", "None": None}


def _page(rule: Rule) -> str:
    return f"{rule.summary}\n\n{_status(rule)}\n\n{rule.explanation}"


def _status(rule: Rule) -> str:
    preview = ", preview: on only when selected by its code" if rule.preview else ""
    fix = _FIXES[availability_of(rule.code)]
    return f"Severity: {rule.severity}. Since {rule.since}{preview}.{f' {fix}' if fix else ''}"


def _as_text(rule: Rule) -> str:
    return "".join(line + "\n" for line in (_title(rule), "", *_plain(_page(rule).splitlines())))


def _plain(lines: Iterable[str]) -> Iterator[str]:
    """Turn a page's Markdown into what reads well in a terminal: headings without marks, code indented instead of fenced."""
    in_code = False
    for line in lines:
        if line.startswith("```"):
            in_code = not in_code
        elif in_code:
            yield f"    {line}".rstrip()
        elif line.startswith("## "):
            yield line[3:].upper()
        else:
            yield line


def _as_object(rule: Rule) -> dict[str, Any]:
    """Return the rule with the field names of `ruff rule --output-format json`, and its severity."""
    availability = availability_of(rule.code)
    return {
        "name": rule.slug,
        "code": rule.code,
        "linter": "asgiway-lint",
        "summary": rule.summary,
        "message_formats": [rule.message_format],
        "fix": _FIXES[availability],
        "fix_availability": availability,
        "explanation": rule.explanation,
        "severity": rule.severity.value,
        "preview": rule.preview,
        "status": {"Preview" if rule.preview else "Stable": {"since": rule.since}},
        "source_location": {"file": rule.source, "line": 1},
    }
