"""Code by people who know event loops better than a linter does stays silent, but for what it really does (issue 4, section 4)."""

from __future__ import annotations

import importlib.util
import sysconfig
from pathlib import Path

import pytest

from asgiway_lint.analysis.run import check_files
from asgiway_lint.config import Settings
from asgiway_lint.finding import Severity

_CERTIFICATES = "reads the system's certificates from the disk"
_ENDED = "joins a thread that has just said that it is done; it may still take its last steps"

# Package -> what is rightly reported in it, and why it is there.
REPORTED: dict[str, dict[str, str]] = {
    "asyncio": {
        "ssl.create_default_context": _CERTIFICATES,
        "threading.Thread.join": _ENDED,
        "subprocess.Popen": "starts the processes of asyncio.create_subprocess_exec, on the loop",
        "tempfile.mktemp": "looks for a free name for such a process's pipe, on Windows",
    },
    "anyio": {"ssl.create_default_context": _CERTIFICATES, "threading.Thread.join": _ENDED},
    "httpx": {},
    "httpcore": {"ssl.create_default_context": _CERTIFICATES},
    "h11": {},
    "starlette": {"concurrent.futures.Future.result": "its test client asks a task whose last message it has"},
    # Not in the development environment; checked where it is.
    "aiohttp": {"ssl.SSLContext.load_cert_chain": "reads its certificate when it starts"},
}


@pytest.mark.parametrize("package", REPORTED)
def test_known_clean_code_stays_silent(package: str) -> None:
    """At default severity."""
    if package == "asyncio":
        folder = Path(sysconfig.get_paths()["stdlib"]) / "asyncio"
    else:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            pytest.skip(f"{package} is not installed")
        folder = Path(spec.origin).parent
    settings = Settings(root=folder.parent, src=(folder.parent,))
    paths = sorted(folder.rglob("*.py"))
    assert paths
    found = {
        f"{finding.symbol} ({Path(finding.path).name}:{finding.line})": finding.symbol
        for report in check_files(paths, lambda _: settings, cache=False)
        for finding in report.findings
        if finding.severity is not Severity.INFO
    }
    assert {place: symbol for place, symbol in found.items() if symbol not in REPORTED[package]} == {}
