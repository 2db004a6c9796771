"""Writes the rules' pages: ``python -m asgiway_lint.rules.docs linter/docs/rules``.

A page is the rule's docstring plus what the catalogue lists under its code, so nothing on it is written twice. The pages
are checked in, and a test fails when one is stale.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from asgiway_lint.catalogue import Catalogue, Entry, load
from asgiway_lint.pages import write_pages
from asgiway_lint.rules import Rule, all_rules

__all__ = ["main", "pages"]

_INDEX = "README.md"
_HEADER = "<!-- Written by `python -m asgiway_lint.rules.docs linter/docs/rules`; change the rule, not this page. -->"


def pages() -> dict[str, str]:
    """Every page: file name -> text."""
    catalogue = load()
    by_rule: dict[str, dict[str, list[Entry]]] = {}
    for entry in catalogue.entries():
        by_rule.setdefault(entry.rule, {}).setdefault(entry.name.partition(".")[0], []).append(entry)
    found = {f"{rule.code}.md": _page(rule, by_rule.get(rule.code, {}), catalogue) for rule in all_rules()}
    found[_INDEX] = _index(by_rule)
    return found


def _page(rule: Rule, packages: dict[str, list[Entry]], catalogue: Catalogue) -> str:
    preview = ", in preview: on when selected by its code" if rule.preview else ""
    lines = [
        _HEADER,
        "",
        f"# {rule.code} {rule.slug}",
        "",
        rule.summary,
        "",
        f"Severity: {rule.severity}. Since {rule.since}{preview}.",
        "",
        rule.explanation.rstrip(),
        "",
    ]
    if packages:
        lines += ["## What is reported", ""]
        lines += _names(packages, catalogue)
    return "\n".join(lines).rstrip() + "\n"


def _names(packages: dict[str, list[Entry]], catalogue: Catalogue) -> Iterator[str]:
    if any(not entry.default for entries in packages.values() for entry in entries):
        yield "Calls in *italics* are known but not reported: too cheap, or too often harmless."
        yield ""
    yield "Methods stand in brackets behind their class, `*` for every method."
    yield ""
    for package, entries in packages.items():
        file = catalogue.library(package)
        assert file is not None
        title = f"[{file.library}]({file.url})" if file.url else file.library
        yield f"- **{title}**: {', '.join(_grouped(entries))}"


def _grouped(entries: list[Entry]) -> Iterator[str]:
    """Methods are gathered by class, ``requests.Session: get, post``; everything else stands by its full name."""
    methods: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.kind == "method":
            methods.setdefault(entry.name.rpartition(".")[0], []).append(entry)
        else:
            mark = " (in `with`)" if entry.kind == "context_manager" else ""
            yield _marked(entry, entry.name) + mark
    for owner, members in methods.items():
        if len(members) == 1:
            yield _marked(members[0], members[0].name)
        else:
            yield f"`{owner}.` ({', '.join(_marked(entry, entry.name.rpartition('.')[2]) for entry in members)})"


def _marked(entry: Entry, text: str) -> str:
    return f"`{text}`" if entry.default else f"*`{text}`*"


def _index(by_rule: dict[str, dict[str, list[Entry]]]) -> str:
    lines = [
        _HEADER,
        "",
        "# Rules of asgiway-lint",
        "",
        "`asgiway-lint rule AW102` shows a page in the terminal. Findings of severity info are shown with `--min-severity info`,",
        "or when their rule is selected by name; only warnings and errors make the exit status 1. What is known of each library stands",
        "on [its own page](../libraries/README.md).",
        "",
        "| code | name | severity | calls known | what |",
        "|---|---|---|---|---|",
    ]
    for rule in all_rules():
        count = sum(len(entries) for entries in by_rule.get(rule.code, {}).values())
        summary = rule.summary.removesuffix(".")
        lines.append(f"| [{rule.code}]({rule.code}.md) | {rule.slug} | {rule.severity} | {count or ''} | {summary} |")
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Write the pages into a folder, and remove pages of rules that are gone.

    Args:
        argv: the arguments, without the program's name; `sys.argv` when None.

    Returns:
        0; 2 when the folder cannot be written.
    """
    return write_pages(argv, "python -m asgiway_lint.rules.docs", "linter/docs/rules", pages, "AW*.md")


if __name__ == "__main__":
    sys.exit(main())
