"""Findings made by hand, with the sources they point at: every shape that a report has to cope with."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from asgiway_lint.finding import Finding, Link, Severity
from asgiway_lint.report import Results
from asgiway_lint.suppress import Suppressed

CWD = Path("/project")

SHOP = '''\
"""Rates."""

import requests
from shop import helpers


async def rates(currency: str) -> dict[str, float]:
    answer = requests.get(f"https://rates.example/{currency}")
    return helpers.clean(
        requests.post(
            "https://rates.example/clean",
            json=answer.json(),
            timeout=5,
        )
    )


async def stored() -> str:
    return helpers.load()
'''

WIDE = (
    "async def f():\n"
    '\tx = "日本語", "e\u0301", requests.get("http://例え.jp")  # ← \U0001f600 tab and wide\n'
    '\tname = "\x1b[31mred\u202e"; requests.get(name)\n'
)

LONG = "async def f():\n    " + "a = 1; " * 40 + "requests.get(url); " + "b = 2; " * 40 + "\n" + "c = 3; " * 60 + "\n"

MANY = "async def f():\n    x = requests.post(\n" + "".join(f"        {n},\n" for n in range(9)) + "    )\n"

SOURCES = {
    "/project/shop/rates.py": SHOP,
    "/project/wide.py": WIDE,
    "/project/long.py": LONG,
    "/project/many.py": MANY,
    "/project/broken.py": "async def f(:\r\n    pass\r\n",
    "/elsewhere/end.py": "x = (",
}


def _finding(
    path: str,
    place: tuple[int, int, int, int],
    code: str = "AW102",
    severity: Severity = Severity.ERROR,
    message: str = "`requests.get` waits for the HTTP answer on the event loop: use `httpx.AsyncClient`",
    symbol: str = "requests.get",
    replacement: str = "httpx.AsyncClient",
    chain: tuple[Link, ...] = (),
) -> Finding:
    line, column, end_line, end_column = place
    return Finding(
        path=path,
        code=code,
        message=message,
        severity=severity,
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
        symbol=symbol,
        replacement=replacement,
        chain=chain,
    )


def _of(path: str, part: str, **more: object) -> Finding:
    """Return a finding about a part of a source, which may span lines."""
    source = SOURCES[path]
    start = source.index(part)
    end = start + len(part)

    def place(offset: int) -> tuple[int, int]:
        before = source[:offset]
        return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1

    return _finding(path, (*place(start), *place(end)), **more)  # type: ignore[arg-type]


FINDINGS = (
    _finding(
        "/elsewhere/end.py",
        (1, 6, 1, 6),
        "AW001",
        message="Cannot be parsed: '(' was never closed",
        symbol="",
        replacement="",
    ),
    _finding(
        "/project/broken.py",
        (1, 13, 1, 14),
        "AW001",
        message="Cannot be parsed: invalid syntax",
        symbol="",
        replacement="",
    ),
    _of("/project/long.py", "requests.get(url)"),
    _of("/project/many.py", MANY[MANY.index("requests") : -1]),
    _finding(
        "/project/nothing.py",
        (1, 1, 1, 1),
        "AW002",
        message="Cannot be read: Permission denied",
        symbol="",
        replacement="",
    ),
    _finding(
        "/project/odd\nname\udcff.py", (1, 1, 1, 1), "AW002", message="Cannot be read: Is a\tdirectory", symbol=""
    ),
    _of("/project/shop/rates.py", 'requests.get(f"https://rates.example/{currency}")'),
    _of(
        "/project/shop/rates.py",
        SHOP[SHOP.index("requests.post(") : SHOP.index("    )\n\n\nasync def stored")].rstrip(),
        symbol="requests.post",
    ),
    _of(
        "/project/shop/rates.py",
        "helpers.load()",
        code="AW108",
        severity=Severity.WARNING,
        message="`helpers.load` comes to `open`, which opens a file on the event loop: use `anyio.open_file`",
        symbol="open",
        replacement="anyio.open_file",
        chain=(
            Link(call="helpers.load", path="/project/shop/rates.py", line=19, column=12),
            Link(call="_read", path="/project/shop/helpers.py", line=7, column=12),
            Link(call="open", path="/lib/files.py", line=3, column=10),
        ),
    ),
    _of("/project/wide.py", 'requests.get("http://例え.jp")'),
    _of("/project/wide.py", "requests.get(name)", code="AW109", severity=Severity.INFO, replacement=""),
)

SUPPRESSED = (
    Suppressed(_of("/project/many.py", "x = requests.post(", code="AW111", severity=Severity.WARNING), "baseline"),
    Suppressed(_of("/project/shop/rates.py", "answer.json()"), "noqa"),
)

RESULTS = Results(
    findings=FINDINGS,
    cwd=CWD,
    source_of=SOURCES.get,
    hidden=Counter({Severity.INFO: 2}),
    suppressed=SUPPRESSED,
)
CLEAN = Results(findings=(), cwd=CWD, source_of=SOURCES.get, hidden=Counter())
