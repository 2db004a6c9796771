"""The preview rules AW301 to AW304: only what can be decided, and only where they are selected by their full code."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from asgiway_lint.analysis.run import check_source
from asgiway_lint.config import Settings
from asgiway_lint.selection import Selection

SOURCES = {
    "AW301": """
        import gevent.monkey
        from gevent import monkey as m
        from eventlet import monkey_patch
        gevent.monkey.patch_all()  # !
        m.patch_socket()  # !
        monkey_patch(socket=True)  # !
        unknown.monkey.patch_all()
        m.get_original("a", "b")
    """,
    "AW302": """
        import threading
        state = threading.local()
        class Mine(threading.local):
            x = 1
        mine = Mine()
        other = object()
        def sync():
            state.user = 1
        async def f(given: Mine, unknown):
            state.user = 1  # !
            state.user += 1  # !
            print(mine.x)  # !
            del given.x, other.x
            other.x = unknown.y = 1
            def inner():
                return state.user
            return [state.user for _ in "ab"]  # !
    """,
    "AW303": """
        from flask import current_app, g
        from fastapi import Request
        def view(x):
            current_app.user = x  # !
            current_app.config["x"] = x
            g.user = x
            app.user = x
            return current_app.user
        async def endpoint(request: Request, unknown):
            request.app.state.user = 1  # !
            request.state.user = 1
            unknown.app.state.user = 1
    """,
    "AW304": """
        import uwsgi
        from uwsgidecorators import timer
        uwsgi.cache_set("a", b"b")  # !
        @timer(3)  # !
        def tick(number): ...
    """,
}


def lines(source: str, code: str, tmp_path: Path) -> list[int]:
    settings = Settings(root=tmp_path, selections=(Selection(select=(code,)),))
    report = check_source(source.encode(), tmp_path / "m.py", settings)
    assert {finding.code for finding in report.findings} <= {code}
    return [finding.line for finding in report.findings]


@pytest.mark.parametrize("code", SOURCES)
def test_what_is_reported_and_what_is_not(code: str, tmp_path: Path) -> None:
    source = textwrap.dedent(SOURCES[code])
    expected = [number for number, line in enumerate(source.splitlines(), 1) if line.endswith("# !")]
    assert sorted(set(lines(source, code, tmp_path))) == expected
    for other in ("ALL", "AW3", "AW101"):
        assert lines(source, other, tmp_path) == []
