"""Which library gives a file what the standard library has no asynchronous form of: files, paths, processes that end with their task."""

from __future__ import annotations

from asgiway_lint.fixes.awaits import library
from asgiway_lint.fixes.source import FixSource

__all__ = ["anyio_or_trio", "imports"]


def anyio_or_trio(source: FixSource) -> str:
    """Return `anyio` or `trio` if the settings or the imports say that a file uses it; empty if asyncio is all that it has."""
    used = library(source)
    if used != "asyncio":
        return used
    return "anyio" if imports(source, "anyio") else ""


def imports(source: FixSource, package: str) -> bool:
    """Whether a file imports a package, or something of it, when it runs."""
    return any(
        bound.dotted.partition(".")[0] == package and not bound.typing_only
        for bounds in source.scopes.module.names.values()
        for bound in bounds
    )
