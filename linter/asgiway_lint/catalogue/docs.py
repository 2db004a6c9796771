"""Writes the libraries' pages: ``python -m asgiway_lint.catalogue.docs linter/docs/libraries``.

A page is one file of the catalogue for people: each call, its rule and severity, what to use instead, when it does not block. The pages
are checked in, and a test fails when one is stale.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from asgiway_lint.catalogue import Catalogue, Entry, load
from asgiway_lint.catalogue.model import LibraryFile, Wrapper
from asgiway_lint.catalogue.predicates import PREDICATES
from asgiway_lint.pages import write_pages
from asgiway_lint.rules import rule_for

__all__ = ["main", "pages"]

_INDEX: Final = "README.md"
_WRAPPERS: Final = "wrappers.md"
_COMMAND: Final = "python -m asgiway_lint.catalogue.docs linter/docs/libraries"
_HEADER: Final = f"<!-- Written by `{_COMMAND}`; change the catalogue, not this page. -->"
_KINDS: Final[Mapping[str, str]] = {"context_manager": " (in `with`)", "constructor": " (making one)"}
_SPECIAL: Final[Mapping[str, str]] = {
    "*": "every method",
    "__bool__": "`if x:`",
    "__call__": "`x()`",
    "__enter__": "`with x:`",
    "__get__": "`x.key` of a foreign key",
    "__getitem__": "`x[0]`",
    "__len__": "`len(x)`",
    "__next__": "`for ... in x:`",
    "__repr__": "`repr(x)`",
}
_WRAPPER_KINDS: Final[Mapping[str, str]] = {
    "call": "runs it elsewhere",
    "converter": "makes an async function of it",
    "decorator": "as a decorator",
}


class _Asyncio:
    """The settings that a page shows replacements for: none."""

    async_library = None
    http_client = "httpx"
    postgres = "asyncpg"


def pages() -> dict[str, str]:
    """Every page: file name -> text."""
    catalogue = load()
    files = [file for package in sorted(catalogue.packages) if (file := catalogue.library(package)) is not None]
    found = {f"{file.package}.md": _page(file, catalogue) for file in files}
    found[_WRAPPERS] = _wrappers(catalogue)
    found[_INDEX] = _index(files)
    return found


def _page(file: LibraryFile, catalogue: Catalogue) -> str:
    entries = _entries(file)
    on = [entry for entry in entries if entry.default]
    off = [entry for entry in entries if not entry.default]
    title = f"[{file.library}]({file.url})" if file.url else file.library
    lines = [_HEADER, "", f"# {file.package}", "", f"What is known of {title}.", ""]
    if on:
        lines += ["## Reported", "", "| call | rule | severity | use instead | blocks |", "|---|---|---|---|---|"]
        lines += [_row(entry, catalogue) for entry in on]
        lines.append("")
    if off:
        lines += [
            "## Known, but off",
            "",
            "Too cheap, too often harmless, or answered from memory. `[tool.asgiway-lint.blocking]` turns a call on by its name.",
            "",
            "| call | rule | use instead |",
            "|---|---|---|",
        ]
        lines += [f"| {_name(entry)} | {_rule(entry)} | {_use(entry, catalogue)} |" for entry in off]
        lines.append("")
    conditions = sorted({entry.predicate for entry in entries if entry.predicate})
    if conditions:
        lines += ["## Conditions", ""]
        lines += [f"- **{name}**: {_sentence(name)}" for name in conditions]
        lines.append("")
    silencers = sorted({method for info in file.types.values() for method in info.silenced_by})
    if silencers:
        named = ", ".join(f"`{method}`" for method in silencers)
        lines += [f"After {named} on an object that makes it not wait, its calls are not reported.", ""]
    if file.aliases:
        lines += ["## Other names", ""]
        lines += [f"- `{alias}` is `{target}`" for alias, target in sorted(file.aliases.items())]
    return "\n".join(lines).rstrip() + "\n"


def _entries(file: LibraryFile) -> list[Entry]:
    found = [*file.entries.values(), *[info.any_method for info in file.types.values() if info.any_method is not None]]
    return sorted(found, key=lambda entry: (entry.kind == "method", entry.name))


def _row(entry: Entry, catalogue: Catalogue) -> str:
    severity = rule_for(entry.rule).severity
    when = f"[{entry.predicate}](#conditions)" if entry.predicate else "always"
    return f"| {_name(entry)} | {_rule(entry)} | {severity} | {_use(entry, catalogue)} | {when} |"


def _name(entry: Entry) -> str:
    owner, _, last = entry.name.rpartition(".")
    if entry.kind == "method" and last in _SPECIAL:
        return f"`{owner}`: {_SPECIAL[last]}"
    return f"`{entry.name}`{_KINDS.get(entry.kind, '')}"


def _rule(entry: Entry) -> str:
    return f"[{entry.rule}](../rules/{entry.rule}.md)"


def _use(entry: Entry, catalogue: Catalogue) -> str:
    short = catalogue.replacement(entry, _Asyncio())
    written = catalogue.replacement(dataclasses.replace(entry, use=entry.asyncio), _Asyncio())
    text = short if "`" in written or written.removeprefix("await ") == short else f"{short}: `{written}`"
    return text.replace("|", "\\|")


def _sentence(predicate: str) -> str:
    """What a predicate says of itself, as Markdown."""
    text = inspect.getdoc(PREDICATES[predicate]) or ""
    return " ".join(text.split()).replace("``", "`")


def _wrappers(catalogue: Catalogue) -> str:
    lines = [
        _HEADER,
        "",
        "# What runs code off the event loop",
        "",
        "A function, lambda or partial that is handed to one of these is not followed: what it calls blocks no loop. Wrappers of your own",
        "go into `wrappers` in `[tool.asgiway-lint]`.",
        "",
        "| wrapper | what it does with its function | argument |",
        "|---|---|---|",
    ]
    lines += [_wrapper(wrapper) for wrapper in catalogue.wrappers()]
    return "\n".join(lines) + "\n"


def _wrapper(wrapper: Wrapper) -> str:
    keyword = f" or `{wrapper.keyword}=`" if wrapper.keyword else ""
    note = ", on any object" if wrapper.any_receiver else ""
    return f"| `{wrapper.name}` | {_WRAPPER_KINDS[wrapper.kind]}{note} | {wrapper.position + 1}{keyword} |"


def _index(files: Sequence[LibraryFile]) -> str:
    lines = [
        _HEADER,
        "",
        "# Libraries that asgiway-lint knows",
        "",
        "One page each: what is reported, under which rule, what to use instead. [Wrappers](wrappers.md) are what takes code off the loop.",
        "Libraries of your own go into `[tool.asgiway-lint.blocking]`; additions to the catalogue are described in",
        "[its README](../../asgiway_lint/catalogue/README.md).",
        "",
        "| package | library | calls | off | rules |",
        "|---|---|---|---|---|",
    ]
    lines += list(_rows(files))
    return "\n".join(lines) + "\n"


def _rows(files: Sequence[LibraryFile]) -> Iterator[str]:
    for file in files:
        entries = _entries(file)
        off = sum(not entry.default for entry in entries)
        rules = ", ".join(sorted({entry.rule for entry in entries}))
        yield f"| [{file.package}]({file.package}.md) | {file.library} | {len(entries)} | {off or ''} | {rules} |"


def main(argv: Sequence[str] | None = None) -> int:
    """Write the pages into a folder, and remove pages of libraries that are gone.

    Args:
        argv: the arguments, without the program's name; `sys.argv` when None.

    Returns:
        0; 2 when the folder cannot be written.
    """
    return write_pages(argv, "python -m asgiway_lint.catalogue.docs", "linter/docs/libraries", pages)


if __name__ == "__main__":
    sys.exit(main())
