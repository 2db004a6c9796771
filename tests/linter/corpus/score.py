"""Judge alarms by the labels: what was found, missed and falsely raised. No I/O.

Lines are compared, not calls: two calls that block on one line are one site, and a tool finds it with either.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import get_args

from tests.linter.corpus.data import Kind, Package, Site
from tests.linter.corpus.tools import Alarm

__all__ = ["KINDS", "Score", "judge"]

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(slots=True)
class Score:
    """Sums over packages: sites by kind, and every line that was missed or falsely raised, with its package."""

    found: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    sites: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    missed: list[tuple[str, str, Site]] = field(default_factory=list)
    false: list[tuple[str, Alarm]] = field(default_factory=list)

    def recall(self, *kinds: Kind) -> float:
        """Share of the sites of these kinds that were found; 1.0 when there are none."""
        sites = sum(self.sites[kind] for kind in kinds)
        return sum(self.found[kind] for kind in kinds) / sites if sites else 1.0

    @property
    def precision(self) -> float:
        """Share of the lines with alarms that block, debatable ones left out; 1.0 without alarms."""
        right = sum(self.found.values())
        lines = {(package, alarm.file, alarm.line) for package, alarm in self.false}
        return right / (right + len(lines)) if right + len(lines) else 1.0

    def add(self, other: Score) -> None:
        """Add another package's sums to these."""
        for kind in KINDS:
            self.found[kind] += other.found[kind]
            self.sites[kind] += other.sites[kind]
        self.missed += other.missed
        self.false += other.false


def judge(package: Package, alarms: Iterable[Alarm]) -> Score:
    """Compare alarms with the labels of one package. Alarms outside its labelled functions are not looked at."""
    raised: dict[tuple[str, int], Alarm] = {(alarm.file, alarm.line): alarm for alarm in alarms}
    score = Score()
    for function in package.functions:
        judged = {site.line: site for site in function.sites}
        for site in function.sites:
            if site.verdict != "blocks":
                continue
            score.sites[site.kind] += 1
            if (function.file, site.line) in raised:
                score.found[site.kind] += 1
            else:
                score.missed.append((package.name, function.file, site))
        for (file, line), alarm in raised.items():
            if file == function.file and function.first <= line <= function.last:
                site_there = judged.get(line)
                if site_there is None or site_there.verdict == "clean":
                    score.false.append((package.name, alarm))
    return score
