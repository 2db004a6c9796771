"""Which rules are on: selectors (`AW102`, `AW1`, `ALL`), their layers, and what they come to.

The arithmetic is ruff's. Within a layer (one configuration file, or the command line) the longer selector wins, and of two equal ones
the one that ignores. A layer that has `select` starts anew; one without it changes what the layers below have come to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from asgiway_lint.errors import nearest

__all__ = ["Enabled", "Selection", "SelectorError", "check_selector", "enabled_rules", "expand"]

ALL = "ALL"


class SelectorError(ValueError):
    """A selector matches no rule; the message names the nearest one that does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What one layer turns on and off.

    Args:
        select: replaces everything that lower layers say; None to build on them.
        extend_select: turned on in addition.
        ignore: turned off.
    """

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Enabled:
    """The rules that are on, and those of them that somebody asked for by their full code."""

    codes: frozenset[str]
    by_name: frozenset[str]


def check_selector(selector: str, codes: Iterable[str]) -> str:
    """Return the selector in upper case.

    Raises:
        SelectorError: no code starts with it, and it is not `ALL`.
    """
    wanted, known = selector.upper(), list(codes)
    if wanted == ALL or (wanted and any(code.startswith(wanted) for code in known)):
        return wanted
    raise SelectorError(
        f"unknown rule code '{selector}'{nearest(wanted, [*known, ALL])}; `asgiway-lint rules` lists them"
    )


def expand(selectors: Iterable[str], codes: Iterable[str]) -> frozenset[str]:
    """Return the codes that any of the (valid) selectors matches."""
    wanted = tuple(selectors)
    if ALL in wanted:
        return frozenset(codes)
    return frozenset(code for code in codes if code.startswith(wanted))


def enabled_rules(layers: Sequence[Selection], stable: Iterable[str], preview: Iterable[str] = ()) -> Enabled:
    """Add the layers up, lowest first.

    Args:
        layers: with valid selectors.
        stable: codes of the rules that are on when nobody says anything.
        preview: codes of the rules that only their full code turns on.
    """
    on: set[str] = set()
    by_name: set[str] = set()
    hidden = frozenset(preview)
    everything = frozenset(stable) | hidden
    for layer in (Selection(select=(ALL,)), *layers):
        if layer.select is not None:
            on.clear()
            by_name.clear()
        chosen = (*(layer.select or ()), *layer.extend_select)
        for code in everything:
            turned_on = max((_weight(s, code) for s in chosen if s == code or code not in hidden), default=-1)
            turned_off = max((_weight(s, code) for s in layer.ignore), default=-1)
            if turned_off >= 0 and turned_off >= turned_on:
                on.discard(code)
                by_name.discard(code)
            elif turned_on >= 0:
                on.add(code)
                if code in chosen:
                    by_name.add(code)
    return Enabled(frozenset(on), frozenset(by_name))


def _weight(selector: str, code: str) -> int:
    """How closely a selector matches a code: -1 not at all, 0 for `ALL`, else the selector's length."""
    if selector == ALL:
        return 0
    return len(selector) if code.startswith(selector) else -1
