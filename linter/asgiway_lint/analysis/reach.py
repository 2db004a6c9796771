"""Which bindings of a name a use may see: reaching definitions on the tree of blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from asgiway_lint.facts.model import ARM_ENDS, ARM_LOOP, Binding, Block

__all__ = ["END", "reaching"]

# As the place of a use: after everything in the scope.
END: Final = 1 << 60


def reaching(blocks: Sequence[Block], bindings: Sequence[Binding], seq: int, block: int) -> list[Binding]:
    """The bindings that a use may see, latest first.

    Args:
        blocks: the module's blocks.
        bindings: the bindings of one name in one scope, in order.
        seq, block: place of the use; (`END`, the scope's own block) for a use by code that runs later.
    """
    if len(bindings) == 1 and bindings[0].kind != "narrow":
        only = bindings[0]
        if only.seq < seq:
            return [] if only.block != block and _exclusive(blocks, only.block, block) else [only]
    around = _around(blocks, block)
    found: list[Binding] = []
    later: list[Binding] = []
    for binding in reversed(bindings):
        if binding.seq >= seq:
            if binding.kind != "narrow" and _share_loop(blocks, binding.block, around):
                later.append(binding)
            continue
        if binding.block in around:
            found.append(binding)
            if later and _in_loop_of(blocks, binding.block, later[0].block, around):
                later.clear()
            break
        if binding.kind == "narrow" or _exclusive(blocks, binding.block, block):
            continue
        if seq != END and _left(blocks, binding.block, around):
            continue
        found.append(binding)
    return found + later


def _around(blocks: Sequence[Block], block: int) -> dict[int, int]:
    """The blocks around a block, itself included, and how deep each is inside (0 for itself)."""
    found: dict[int, int] = {}
    while block >= 0:
        found[block] = len(found)
        block = blocks[block].parent
    return found


def _exclusive(blocks: Sequence[Block], one: int, other: int) -> bool:
    """Whether the two blocks lie in different arms of one statement."""
    while one >= 0 and not blocks[one].group:
        one = blocks[one].parent
    if one < 0:
        return False
    arms: dict[int, int] = {}
    while one >= 0:
        if blocks[one].group:
            arms[blocks[one].group] = one
        one = blocks[one].parent
    while other >= 0:
        if arms.get(blocks[other].group, other) != other:
            return True
        other = blocks[other].parent
    return False


def _left(blocks: Sequence[Block], block: int, around: dict[int, int]) -> bool:
    """Whether control never comes from a block to the use, because the block or one around it returns or raises."""
    while block >= 0 and block not in around:
        if blocks[block].flags & ARM_ENDS:
            return True
        block = blocks[block].parent
    return False


def _share_loop(blocks: Sequence[Block], block: int, around: dict[int, int]) -> bool:
    while block >= 0:
        if blocks[block].flags & ARM_LOOP and block in around:
            return True
        block = blocks[block].parent
    return False


def _in_loop_of(blocks: Sequence[Block], dominating: int, later: int, around: dict[int, int]) -> bool:
    """Whether the dominating binding lies in the innermost loop that `later` shares with the use."""
    while later >= 0 and not (blocks[later].flags & ARM_LOOP and later in around):
        later = blocks[later].parent
    while dominating >= 0:
        if dominating == later:
            return True
        dominating = blocks[dominating].parent
    return False
