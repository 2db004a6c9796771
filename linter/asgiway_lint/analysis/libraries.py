"""Which asynchronous library a module is written for, where the settings do not say."""

from __future__ import annotations

from collections.abc import Iterator

from asgiway_lint.config import AsyncLibrary
from asgiway_lint.facts import Facts

__all__ = ["async_library"]


def async_library(facts: Facts) -> AsyncLibrary:
    """The library whose replacements fit: trio or anyio for a module that imports it and not asyncio; else asyncio."""
    imported = set(_imported(facts))
    if "asyncio" in imported:
        return "asyncio"
    if "trio" in imported:
        return "trio"
    return "anyio" if "anyio" in imported else "asyncio"


def _imported(facts: Facts) -> Iterator[str]:
    """The top-level packages that a module imports."""
    for scope in facts.scopes:
        for bindings in scope.bindings.values():
            for binding in bindings:
                if binding.kind == "import":
                    yield str(binding.a).partition(".")[0]
                elif binding.kind == "from" and not binding.b:
                    yield str(binding.a[0]).partition(".")[0]
