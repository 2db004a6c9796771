"""The fixes of one file: what every fixer says about every finding, the preferred one first.

Safe ones only: an exact asynchronous twin comes before a thread. With unsafe ones: code that is asynchronous all the way (unless
`prefer-fix = "thread"`), then safe fixes, then `async def` -> `def`, then threads that have to be thought about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from asgiway_lint.config import Settings
from asgiway_lint.facts.reader import quick_reading
from asgiway_lint.facts.text import decode
from asgiway_lint.finding import Finding
from asgiway_lint.fixes.model import Applicability, Fix, Refusal
from asgiway_lint.fixes.registry import fixers
from asgiway_lint.fixes.source import FixSource, UnparsableError

__all__ = ["fixes_for", "fixes_of", "is_native"]


def fixes_for(
    source: bytes, path: Path, settings: Settings, findings: Sequence[Finding]
) -> Mapping[Finding, tuple[Fix | Refusal, ...]]:
    """Return the fixes and refusals of each finding.

    Args:
        source: the file's bytes, the same that the findings are about.
        path: its absolute path (or `-`).
        settings: the settings that hold for it.
        findings: its findings, all of those that may be fixed.
    """
    try:
        text = decode(source)
    except SyntaxError:
        return dict.fromkeys(findings, ())
    return fixes_of(FixSource(text.removeprefix("\ufeff"), path, settings), findings)


def fixes_of(source: FixSource, findings: Sequence[Finding]) -> dict[Finding, tuple[Fix | Refusal, ...]]:
    """Return the same for a file that is a `FixSource` already."""
    with quick_reading():  # deep chains of attributes need frames
        return _fixes_of(source, findings)


def _fixes_of(source: FixSource, findings: Sequence[Finding]) -> dict[Finding, tuple[Fix | Refusal, ...]]:
    found: dict[Finding, tuple[Fix | Refusal, ...]] = {}
    for finding in findings:
        offers: list[Fix | Refusal] = []
        for fixer in fixers():
            try:
                offer = fixer.offer(source, finding, findings)
            except UnparsableError as error:
                offer = Refusal(fixer.NAME, f"libcst cannot parse the file: {error}")
            if offer is not None:
                offers.append(offer)
        offers.sort(key=lambda offer: _rank(offer, source.settings))
        found[finding] = tuple(offers)
    return found


def is_native(name: str) -> bool:
    """Whether a fixer's code is asynchronous all the way, where others use threads."""
    return any(name == fixer.NAME and getattr(fixer, "NATIVE", False) for fixer in fixers())


def _rank(offer: Fix | Refusal, settings: Settings) -> tuple[int, str]:
    if isinstance(offer, Refusal):
        return 9, offer.name
    if offer.applicability is Applicability.SAFE:
        return (2 if offer.name == "to-thread" else 1), offer.name
    if is_native(offer.name):
        return (4 if settings.prefer_fix == "thread" else 0), offer.name
    return 3, offer.name
