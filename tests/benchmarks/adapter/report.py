"""Runs the benchmarks and writes what came out to adapter/docs/performance.md, with a chart for each.

    python -m tests.benchmarks.adapter.report [--rounds 3]

Takes a quarter of an hour. The machine should be quiet: CPU time swings less than wall time, but it swings.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.adapter import governor, in_process, memory, on_server
from tests.benchmarks.adapter.charts import bars, lines
from tests.benchmarks.adapter.client import burst
from tests.benchmarks.adapter.servers import WAYS, running

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "adapter" / "docs"
APART = {"echo": 300.0, "stream": 75.0}
"""Loads whose cost is the kernel's copying, and requests a second that every rival reaches."""
PACKAGES = [
    "asgiway",
    "a2wsgi",
    "asgiref",
    "starlette",
    "uvicorn",
    "uvloop",
    "granian",
    "gunicorn",
    "waitress",
    "flask",
]


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows), ""])


def draw(name: str, text: str, svg: str) -> str:
    """Write a chart beside the page; the line that shows it."""
    (DOCS / f"performance-{name}.svg").write_text(svg, "utf-8")
    return f"![{text}](performance-{name}.svg)\n"


def head() -> Iterator[str]:
    yield "# How fast it is\n"
    yield (
        "Written by `python -m tests.benchmarks.adapter.report`, which measures all rivals in one run, interleaved. CPU time\n"
        "of the whole server is what counts: it swings less than requests a second on a machine that is shared. Read ratios\n"
        "of one table, not figures of two. Where a rival's figure is the better one, it is **bold**.\n"
    )
    yield (
        f"{date.today():%d %B %Y}, {os.cpu_count()} cores, {platform.python_implementation()} "
        f"{platform.python_version()}, {platform.system()} {platform.machine()};\n"
        + ", ".join(f"{name} {version(name)}" for name in PACKAGES)
        + ".\n"
    )


def in_process_part(rounds: int) -> Iterator[str]:
    yield "## Without sockets\n"
    yield (
        "CPU microseconds for one request, ten threads, one core; *inline* is the same environ and the same rules for the\n"
        "response, but the call made on the loop itself, which blocks it: the floor. `tests/benchmarks/adapter/in_process.py`\n"
    )
    results = in_process.measure(rounds, 4000, 10)
    peers = list(next(iter(results.values())))
    yield table(["case", *peers], [[case, *(f"{row[peer]:.1f}" for peer in peers)] for case, row in results.items()])
    first = "hello, 64 in flight"
    yield draw("in-process", "CPU per request", bars(f"{first}: CPU per request", results[first], "us"))


def figures_table(figures: dict[str, tuple[float, float]]) -> str:
    """CPU seconds for 1000 requests and requests a second, rivals that are better in bold."""
    ours = figures["asgiway"][0]
    rows: list[list[str]] = []
    for way, (cpu, rate) in figures.items():
        better = cpu < ours and way in WAYS
        rows.append([way, f"**{cpu:.3f}**" if better else f"{cpu:.3f}", f"{cpu / ours:.2f}", f"{rate:.1f}"])
    return table(["", "CPU s / 1000", "times asgiway's", "requests/s"], rows)


def on_server_part(rounds: int) -> Iterator[str]:
    yield "## On servers\n"
    yield (
        "CPU seconds for 1000 requests. asgiway, a2wsgi and Starlette's bridge run behind uvicorn, gunicorn (gthread) and\n"
        "waitress with ten threads; *pure asgi* is no WSGI at all, *inline* blocks the loop. `tests/benchmarks/adapter/on_server.py`\n"
    )
    for load, how in on_server.LOADS.items():
        title = how.title
        figures = on_server.compare(load, rounds, 2.0 if load != "file" else 4.0)
        yield f"### {title[0].upper()}{title[1:]}\n"
        if load == "file":
            yield (
                "gunicorn has the kernel send files; so does uvicorn with *sendfile*, which is [`SendFile`](frameworks/sendfile.md) around\n"
                "the application: the adapter with `wsgi.file_wrapper`, or Starlette's *FileResponse*. granian is given the file's name,\n"
                "and reads it.\n"
            )
        yield figures_table(figures)
        if load in APART:
            yield (
                "Nearly all of that is the kernel's copying, which costs the less the nearer the client is: a server that has one thread\n"
                "only is often put on its client's core, where what it writes is read from the cache. With a core for the server and\n"
                "another one for the client, as for a client that is another machine:\n"
            )
            yield figures_table(on_server.compare(load, rounds + 4, 2.0, apart=True))
            yield f"The same where all are asked for {APART[load]:g} a second, so that the client waits as often for each:\n"
            yield figures_table(on_server.compare(load, rounds + 2, 2.0, rate=APART[load], apart=True))
        values = {way: cpu for way, (cpu, _) in figures.items()}
        yield draw(load, "CPU for 1000 requests", bars(f"{title}: CPU seconds for 1000 requests", values, "s"))


def memory_part() -> Iterator[str]:
    yield "## Memory\n"
    yield (
        "MiB by which the server grows: while 1 GB is uploaded to a handler that reads it in pieces of 64 KiB; for each of 100\n"
        "clients that ask for 50 MiB and hardly read; while two clients fetch a file of 50 MiB.\n"
        "Starlette's bridge joins the body anew for each message and does not come to the end of 1 GB.\n"
        "`tests/benchmarks/adapter/memory.py`\n"
    )
    rows: list[list[str]] = []
    for way in [*WAYS, "pure asgi"]:
        endless = way == "starlette"
        cells = ["-" if endless and load == "upload" else f"{memory.measure(way, load):.1f}" for load in memory.CASES]
        rows.append([way, *cells])
    yield table(["", "upload of 1 GB", "each slow reader", "file of 50 MiB"], rows)


def burst_part(rounds: int) -> Iterator[str]:
    yield "## 100 requests that take 100 ms, at once\n"
    yield "Milliseconds until all are answered, each server with its defaults (gunicorn and waitress: ten threads).\n"
    rows: list[list[str]] = []
    for way in [*WAYS, "pure asgi"]:
        with running(way, "sleep100") as server:
            took: list[float] = []
            for number in range(rounds + 1):
                seconds = asyncio.run(burst(server.port, 100, "/sleep100"))
                if number:  # the first is the warm-up
                    took.append(seconds * 1000)
                time.sleep(0.3)
        rows.append([way, f"{statistics.median(took):.0f}"])
    yield table(["", "ms"], rows)


LOADS = {
    "sleep": "sleeps 100 ms",
    "compute": "computes 20 ms in Python",
    "mixed": "sleeps 5 ms, computes 5 ms",
    "kdf": "pbkdf2, which releases the GIL",
    "database": "50 ms behind 15 connections",
    "quick+slow": "every tenth sleeps 200 ms, the others nothing",
}


def governor_part(rounds: int) -> Iterator[str]:
    yield "## A native route beside slow handlers\n"
    yield (
        "40 clients call a WSGI handler all the time, one more asks a native route. Each cell: requests a second of the handler,\n"
        "and the native route's latency, median / 99th percentile in milliseconds; medians of the rounds. *governed* is the\n"
        "default pool, numbers are `workers=`. `tests/benchmarks/adapter/governor.py`\n"
    )
    pools = ["governed", "4", "10", "40", "a2wsgi"]
    rows: list[list[str]] = []
    for load, title in LOADS.items():
        figures: dict[str, list[tuple[float, float, float]]] = {pool: [] for pool in pools}
        for _ in range(rounds):
            for pool in pools:
                figures[pool].append(governor.measure(pool, load, 3.0))
        cells = [tuple(statistics.median(column) for column in zip(*figures[pool], strict=True)) for pool in pools]
        rows.append([title, *(f"{rate:.0f}/s, {p50:.1f} / {p99:.0f}" for rate, p50, p99 in cells)])
    yield table(["the handler", *pools], rows)
    panels: dict[str, tuple[list[float], dict[str, list[float]]]] = {
        load: (
            [sample.seconds for sample in samples],
            {
                "permits": [float(sample.permits) for sample in samples],
                "threads": [float(sample.threads) for sample in samples],
                "queue": [float(sample.queued) for sample in samples],
                "CPU cores": [sample.cores for sample in samples],
            },
        )
        for load, samples in ((load, governor.timeline(load)) for load in LOADS)
    }
    yield "What the governor does meanwhile, from a cold start to the end of the load:\n"
    yield draw("governor", "Permits, threads, queue and CPU over time", lines("The governed pool over time", panels))


def import_part() -> Iterator[str]:
    yield "## Import\n"

    def cost(code: str) -> float:
        import resource

        best = float("inf")
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        for _ in range(10):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, "-c", code], check=True, env=environment)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return best * 1000

    nothing = cost("pass")
    codes = ["import asgiway", "import asyncio", "import a2wsgi", "import asgiref.wsgi"]
    yield "CPU milliseconds above those of an empty program, the least of ten; most of ours is asyncio's.\n"
    yield table(["", "ms"], [[f"`{code}`", f"{cost(code) - nothing:.0f}"] for code in codes])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    parts = [
        head(),
        in_process_part(options.rounds),
        on_server_part(options.rounds),
        memory_part(),
        burst_part(options.rounds),
        governor_part(1),
        import_part(),
    ]
    page: list[str] = []
    for part in parts:
        for text in part:
            print(text, flush=True)
            page.append(text)
    (DOCS / "performance.md").write_text("\n".join(page), "utf-8")
    print(f"wrote {DOCS / 'performance.md'}")


if __name__ == "__main__":
    main()
