"""The reviewed knowledge of `to_thread.toml`: what may run in a thread, what may not, and why. Reading it checks it."""

from __future__ import annotations

import fnmatch
import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Function", "Threads", "threads"]


@dataclass(frozen=True, slots=True)
class Function:
    """A function on the allow-list.

    Args:
        unless: keywords with which it is not safe.
        because: why, with `{keyword}`.
        constants: whether constants and names of constants (`subprocess.PIPE`, `True`) are safe there, too.
    """

    unless: tuple[str, ...] = ()
    because: str = ""
    constants: bool = False


@dataclass(frozen=True, slots=True)
class Threads:
    """The file's tables; names are qualified, methods have their type in front."""

    functions: Mapping[str, Function]
    values: frozenset[str]
    owned: frozenset[str]
    iterators: frozenset[str]
    lists: frozenset[str]
    _never: tuple[tuple[str, str], ...]
    _never_moved: tuple[tuple[str, str], ...]
    _unsafe: tuple[tuple[str, str], ...]
    reasons: Mapping[str, str]

    def never(self, symbol: str, *, behind_helpers: bool = False) -> str:
        """Return why a call, or a helper around it, must not run in a thread; empty if nothing is against it."""
        return _first(self._never_moved if behind_helpers else self._never, symbol)

    def unsafe(self, symbol: str, code: str, receiver: str) -> str:
        """Return why a call that is not on the allow-list is for the user to decide.

        Args:
            symbol: its qualified name.
            code: code of the rule that found it.
            receiver: what the method is called on, or the function.
        """
        text = _first(self._unsafe, symbol) or self.reasons.get(code, self.reasons["other"])
        return text.replace("{receiver}", receiver)


def _first(patterns: tuple[tuple[str, str], ...], symbol: str) -> str:
    return next((reason for pattern, reason in patterns if fnmatch.fnmatchcase(symbol, pattern)), "")


@functools.cache
def threads() -> Threads:
    """Return the tables."""
    data: dict[str, Any] = tomllib.loads(Path(__file__).with_name("to_thread.toml").read_text(encoding="utf-8"))
    return Threads(
        {
            name: Function(tuple(group.get("unless", ())), group.get("because", ""), group.get("constants", False))
            for group in data["functions"]
            for name in group["names"]
        },
        _methods(data["values"]),
        _methods(data["owned"]),
        frozenset(data["iterators"]["names"]),
        frozenset(data["iterators"]["lists"]),
        _patterns(data["never"]),
        _patterns([group for group in data["never"] if group.get("behind_helpers")]),
        _patterns(data["unsafe"]),
        data["reasons"],
    )


def _methods(table: Mapping[str, list[str]]) -> frozenset[str]:
    return frozenset(f"{name}.{method}" for name, methods in table.items() for method in methods)


def _patterns(groups: list[Any]) -> tuple[tuple[str, str], ...]:
    return tuple((pattern, group["because"]) for group in groups for pattern in group["names"])
