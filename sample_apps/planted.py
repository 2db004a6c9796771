"""The blocking calls planted in ``shop_async``, read from the marks at the ends of their lines (see its docstring)."""

from __future__ import annotations

import re
import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

__all__ = ["Kind", "PlantedCall", "planted_calls"]

Kind = Literal["direct", "typed", "via"]

SHOP: Final = Path(__file__).parent / "shop_async"
MARK: Final = re.compile(r"# (AW\d{3})(?: (typed|via))?: (.+)")


@dataclass(frozen=True, slots=True, order=True)
class PlantedCall:
    """A call that blocks: ``file`` is relative to ``shop_async``, ``symbol`` what waits in the end."""

    file: str
    line: int
    code: str
    symbol: str


def planted_calls(kind: Kind) -> set[PlantedCall]:
    """Return the marked calls: "direct" by name, "typed" on a typed object, or "via" helpers."""
    found: set[PlantedCall] = set()
    for path in SHOP.rglob("*.py"):
        with tokenize.open(path) as file:
            for token in tokenize.generate_tokens(file.readline):
                mark = MARK.search(token.string) if token.type == tokenize.COMMENT else None
                if mark and (mark[2] or "direct") == kind:
                    symbol = mark[3].rsplit(" -> ", 1)[-1].strip()
                    found.add(PlantedCall(path.relative_to(SHOP).as_posix(), token.start[0], mark[1], symbol))
    return found
