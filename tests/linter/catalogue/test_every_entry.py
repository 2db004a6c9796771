"""The whole catalogue through the real engine: each entry, called as users call it in a coroutine, is reported, or is off."""

from __future__ import annotations

from pathlib import Path

import pytest

from asgiway_lint.analysis.run import check_source
from asgiway_lint.catalogue import Catalogue, Entry
from asgiway_lint.config import Settings

# Arguments with which a call blocks, for the predicates that say no to a call without arguments.
ARGUMENTS = {
    "asynchronous-false": "asynchronous=False",
    "auto-bind": "auto_bind=True",
    "file-argument": "open('x')",
    "host-given": "'mail.example'",
    "interval-given": "1",
    "lock-mode-waits": "file, fcntl.LOCK_EX",
    "options-zero": "pid, 0",
    "os-lock-mode-waits": "fd, os.F_LOCK, 0",
    "path-argument": "'cat.png'",
    "redis-message": "timeout=1",
    "second-file-argument": "data, open('x', 'w')",
    "spawn-waits": "os.P_WAIT, 'ls'",
    "wait3-options-zero": "0",
    "waitid-waits": "os.P_PID, pid, os.WEXITED",
}


def statement(entry: Entry, callee: str, receiver: str) -> str:
    """The call, or the `with` or `for`, that `entry` is about."""
    arguments = ARGUMENTS.get(entry.predicate, "")
    method = entry.name.rpartition(".")[2]
    if entry.kind == "context_manager":
        return f"with {callee}({arguments}): pass"
    if entry.kind != "method":
        return f"{callee}({arguments})"
    match method:
        case "__enter__":
            return f"with {receiver}: pass"
        case "__next__":
            return f"for item in {receiver}: pass"
        case "__call__":
            return f"{receiver}({arguments})"
        case "*":
            return f"{receiver}.some_method({arguments})"
        case _:
            return f"{receiver}.{method}({arguments})"


def parameter(catalogue: Catalogue, owner: str) -> tuple[str, str]:
    """The annotation of a parameter `x`, and the receiver made of it: an attribute's type is reached through its object, what stands
    for the result of a method through a call."""
    holder, _, attribute = owner.rpartition(".")
    file = catalogue.library(owner.partition(".")[0])
    if file is not None and owner in file.entries and catalogue.is_type(holder):
        return holder, f"x.{attribute}()"
    return (holder, f"x.{attribute}") if catalogue.is_type(holder) else (owner, "x")


def module(catalogue: Catalogue, entries: list[Entry], form: str) -> tuple[str, dict[int, Entry]]:
    """A module with one coroutine per entry; its source, and the entry that stands on each line with a call."""
    packages = sorted({entry.name.partition(".")[0] for entry in entries} | {"os", "fcntl"})
    lines = [f"import {package}" for package in packages]
    places: dict[int, Entry] = {}
    for number, entry in enumerate(entries):
        owner, _, name = entry.name.rpartition(".")
        if entry.kind == "method":
            annotation, receiver = parameter(catalogue, owner)
            lines += [f"async def f{number}(x: {annotation}):", f"    {statement(entry, '', receiver)}"]
        elif form == "dotted":
            lines += [f"async def f{number}():", f"    {statement(entry, entry.name, '')}"]
        else:
            lines += [
                f"async def f{number}():",
                f"    from {owner} import {name} as g",
                f"    {statement(entry, 'g', '')}",
            ]
        places[len(lines)] = entry
    return "\n".join(lines) + "\n", places


@pytest.mark.parametrize("form", ["dotted", "from-import"])
def test_every_entry_is_reported_unless_it_is_off(catalogue: Catalogue, form: str) -> None:
    """Every name of the catalogue is found by the engine, under its own code; those with default = false are not."""
    entries = list(catalogue.entries())
    source, places = module(catalogue, entries, form)
    report = check_source(source.encode(), Path("/project/module.py"), Settings())
    found: dict[int, set[str]] = {line: set() for line in places}
    for finding in report.findings:
        found[finding.line].add(finding.code)
    wrong = [
        f"{entry.name}: {sorted(found[line])}"
        for line, entry in places.items()
        if found[line] != ({entry.rule} if entry.default else set[str]())
    ]
    assert wrong == []
