"""Runs the benchmarks and writes what came out to adapter/docs/performance.md, with a chart for each.

    python -m tests.benchmarks.adapter.report [--rounds 3]

Takes some minutes. The machine should be quiet: CPU time swings less than wall time, but it swings.
"""

from __future__ import annotations

import argparse
import platform
import warnings
from collections.abc import Mapping
from datetime import date
from html import escape
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.adapter import governor, in_process, on_server

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "adapter" / "docs"

BAR, GAP, LABEL, WIDTH = 20, 6, 120, 560


def chart(title: str, values: Mapping[str, float], unit: str) -> str:
    """A horizontal bar for each value, the shortest being the best; ours stands out."""
    most = max(values.values())
    height = 34 + len(values) * (BAR + GAP)
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LABEL + WIDTH + 110}" height="{height}" '
        f'font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="{escape(title)}">',
        f'<rect width="100%" height="100%" fill="#ffffff"/><text x="8" y="18" font-weight="600">{escape(title)}</text>',
    ]
    for index, (name, value) in enumerate(values.items()):
        y = 30 + index * (BAR + GAP)
        width = max(2.0, value / most * WIDTH)
        colour = "#0b7285" if name == "asgiway" else "#adb5bd"
        rows.append(f'<text x="{LABEL - 8}" y="{y + 15}" text-anchor="end">{escape(name)}</text>')
        rows.append(f'<rect x="{LABEL}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{colour}"/>')
        rows.append(f'<text x="{LABEL + width + 6:.1f}" y="{y + 15}">{value:.3g} {escape(unit)}</text>')
    return "\n".join([*rows, "</svg>", ""])


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows), ""])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    packages = ["asgiway", "a2wsgi", "asgiref", "starlette", "uvicorn", "uvloop", "gunicorn", "waitress", "flask"]
    page = [
        "# How fast it is",
        "",
        "Written by `python -m tests.benchmarks.adapter.report`, which measures all rivals in one run, interleaved. CPU time of",
        "the whole server is what counts: it swings less than requests a second on a machine that is shared. Read ratios of one",
        "table, not figures of two.",
        "",
        f"{date.today():%d %B %Y}, {platform.python_implementation()} {platform.python_version()}, {platform.system()} "
        f"{platform.machine()}; " + ", ".join(f"{name} {version(name)}" for name in packages) + ".",
        "",
        "## Without sockets",
        "",
        "CPU microseconds for one request, ten threads; *inline* is the WSGI call made on the loop itself, which blocks it, and is",
        "the floor. `tests/benchmarks/adapter/in_process.py`",
        "",
    ]
    results = in_process.measure(options.rounds, 4000, 10)
    peers = list(next(iter(results.values())))
    page.append(
        table(["case", *peers], [[case, *(f"{row[peer]:.1f}" for peer in peers)] for case, row in results.items()])
    )
    first = "hello, 64 in flight"
    (DOCS / "performance-in-process.svg").write_text(chart(f"{first}: CPU per request", results[first], "us"))
    page += ["![CPU per request](performance-in-process.svg)", ""]

    page += [
        "## On servers",
        "",
        "CPU seconds for 1000 requests over 64 connections (8 for the chunks). asgiway, a2wsgi and Starlette's bridge run behind",
        "uvicorn, gunicorn with ten threads, waitress with ten; *pure asgi* is no WSGI at all. `tests/benchmarks/adapter/on_server.py`",
        "",
    ]
    for load, title in (
        ("hello", "13 bytes"),
        ("flask", "a Flask view with JSON"),
        ("chunks", "1000 chunks of 100 bytes"),
    ):
        figures = on_server.compare(load, on_server.WAYS, options.rounds, 8 if load == "chunks" else 64, 2.0)
        ours = figures["asgiway"][0]
        page += [f"### {title[0].upper()}{title[1:]}", ""]
        page.append(
            table(
                ["", "CPU s / 1000", "times asgiway's", "requests/s"],
                [[way, f"{cpu:.3f}", f"{cpu / ours:.2f}", f"{rate:.0f}"] for way, (cpu, rate) in figures.items()],
            )
        )
        (DOCS / f"performance-{load}.svg").write_text(
            chart(f"{title}: CPU seconds for 1000 requests", {way: cpu for way, (cpu, _) in figures.items()}, "s")
        )
        page += [f"![CPU for 1000 requests](performance-{load}.svg)", ""]

    page += [
        "## A native route beside slow handlers",
        "",
        "40 clients call a WSGI handler all the time, one more asks a native route. Each cell: requests a second of the handler,",
        "and the native route's latency, median / 99th percentile in milliseconds. *governed* is the default pool, numbers are",
        "`workers=`. `tests/benchmarks/adapter/governor.py`",
        "",
    ]
    loads = {
        "sleep": "sleeps 100 ms",
        "compute": "computes 20 ms in Python",
        "mixed": "sleeps 5 ms, computes 5 ms",
        "kdf": "pbkdf2, which releases the GIL",
        "database": "50 ms behind 15 connections",
        "quick+slow": "every tenth sleeps 200 ms, the others nothing",
    }
    pools = ["governed", "4", "10", "40", "a2wsgi"]
    rows: list[list[str]] = []
    for load, title in loads.items():
        cells = [governor.measure(pool, load, 3.0) for pool in pools]
        rows.append([title, *(f"{rate:.0f}/s, {p50:.1f} / {p99:.0f}" for rate, p50, p99 in cells)])
    page.append(table(["the handler", *pools], rows))
    (DOCS / "performance.md").write_text("\n".join(page), "utf-8")
    print(f"wrote {DOCS / 'performance.md'}")


if __name__ == "__main__":
    main()
