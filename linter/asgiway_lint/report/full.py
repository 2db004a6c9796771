"""`--output-format full`: the concise line, the source it is about, what to use instead, and the way to the blocking call."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator

from asgiway_lint.facts.text import split_lines
from asgiway_lint.finding import Finding
from asgiway_lint.fixes.model import Refusal
from asgiway_lint.report import Results
from asgiway_lint.report.concise import line_of
from asgiway_lint.report.frame import Frame, frame_of
from asgiway_lint.report.style import Style, shown_path, visible

__all__ = ["render"]


def render(results: Results, style: Style) -> Iterable[str]:
    """Yield a block per finding, with an empty line behind it."""

    @functools.lru_cache(maxsize=1)  # findings are sorted by file
    def lines_of(path: str) -> list[str] | None:
        source = results.source_of(path)
        return None if source is None else split_lines(source)

    for finding in results.findings:
        yield line_of(finding, results, style) + "\n"
        lines = lines_of(finding.path)
        frame = None if lines is None else frame_of(finding, lines, style.width)
        for line in _block(finding, frame, results, style):
            yield line + "\n"
        yield "\n"


def _block(finding: Finding, frame: Frame | None, results: Results, style: Style) -> Iterator[str]:
    gutter = frame.gutter if frame is not None else 1
    bar = style.frame(" " * gutter + " |")
    if frame is not None:
        yield bar
        for row in frame.rows:
            number = "" if row.number is None else str(row.number)
            left = style.frame(f"{'...':<{gutter + 2}}" if row.elided else f"{number:>{gutter}} |")
            rail = style.severity(row.rail if row.text else row.rail.rstrip(), finding.severity)
            text = style.severity(row.text, finding.severity) if row.marks else row.text
            yield f"{left} {rail}{text}".rstrip()
        yield bar
    for name, lines in _notes(finding, results):
        label = f"{' ' * gutter} {style.frame('=')} {style.strong(name + ':')} "
        indent = " " * (gutter + len(name) + 3)
        yield label + lines[0]
        for line in lines[1:]:
            yield f"{indent}-> {line}"


def _notes(finding: Finding, results: Results) -> Iterator[tuple[str, list[str]]]:
    if finding.replacement:
        yield "help", [f"use {visible(finding.replacement)}"]
    if finding.chain:
        hops = [
            f"{visible(link.call)} ({visible(shown_path(link.path, results.cwd))}:{link.line}:{link.column})"
            for link in finding.chain
        ]
        yield "chain", hops
    for offer in results.offers.get(finding, ()):
        if isinstance(offer, Refusal):
            yield "no fix", [f"{offer.name}: {visible(offer.reason)}"]
        elif offer.reason:
            yield "unsafe fix", [f"{visible(offer.title)}; {visible(offer.reason)}"]
        else:
            yield "fix", [visible(offer.title)]
