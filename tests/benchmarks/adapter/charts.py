"""SVG charts of the benchmarks' figures: bars to compare, lines over time. Plain text, no library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

__all__ = ["bars", "lines"]

BAR, GAP, LABEL, WIDTH = 20, 6, 120, 560
PANEL, PLOT = 120, 640
COLOURS = ["#0b7285", "#e8590c", "#5f3dc4", "#868e96"]


def _begin(width: int, height: int, title: str) -> list[str]:
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="{escape(title)}">',
        f'<rect width="100%" height="100%" fill="#ffffff"/><text x="8" y="18" font-weight="600">{escape(title)}</text>',
    ]


def bars(title: str, values: Mapping[str, float], unit: str) -> str:
    """A horizontal bar for each value, the shortest being the best; ours stands out."""
    most = max(values.values())
    rows = _begin(LABEL + WIDTH + 110, 34 + len(values) * (BAR + GAP), title)
    for index, (name, value) in enumerate(values.items()):
        y = 30 + index * (BAR + GAP)
        width = max(2.0, value / most * WIDTH)
        colour = "#0b7285" if name == "asgiway" else "#adb5bd"
        rows.append(f'<text x="{LABEL - 8}" y="{y + 15}" text-anchor="end">{escape(name)}</text>')
        rows.append(f'<rect x="{LABEL}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{colour}"/>')
        rows.append(f'<text x="{LABEL + width + 6:.1f}" y="{y + 15}">{value:.3g} {escape(unit)}</text>')
    return "\n".join([*rows, "</svg>", ""])


def lines(title: str, panels: Mapping[str, tuple[Sequence[float], Mapping[str, Sequence[float]]]]) -> str:
    """A panel for each entry: seconds, and what was measured then; each line is drawn against its own highest value."""
    rows = _begin(LABEL + PLOT + 150, 40 + len(panels) * (PANEL + 30), title)
    for index, (name, (seconds, series)) in enumerate(panels.items()):
        top = 40 + index * (PANEL + 30)
        span = max(seconds) or 1.0
        rows.append(f'<text x="8" y="{top + 14}" font-weight="600">{escape(name)}</text>')
        rows.append(f'<rect x="{LABEL}" y="{top}" width="{PLOT}" height="{PANEL}" fill="#f8f9fa"/>')
        for number, (label, values) in enumerate(series.items()):
            most = max(values) or 1.0
            colour = COLOURS[number % len(COLOURS)]
            points = " ".join(
                f"{LABEL + at / span * PLOT:.1f},{top + PANEL - value / most * (PANEL - 8):.1f}"
                for at, value in zip(seconds, values, strict=True)
            )
            rows.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
            rows.append(
                f'<text x="{LABEL + PLOT + 8}" y="{top + 16 + number * 18}" fill="{colour}">'
                f"{escape(label)} (most {most:.3g})</text>"
            )
        rows.append(f'<text x="{LABEL}" y="{top + PANEL + 16}" fill="#868e96">0 s</text>')
        rows.append(
            f'<text x="{LABEL + PLOT}" y="{top + PANEL + 16}" text-anchor="end" fill="#868e96">{span:.1f} s</text>'
        )
    return "\n".join([*rows, "</svg>", ""])
