"""`subprocess.run(...)` -> `asyncio.create_subprocess_exec`; `run_process` where a file uses anyio or trio: unsafe.

`command` reads the call, `execed` writes asyncio's form of it, `run_process` that of anyio and trio.
"""

from __future__ import annotations

from collections.abc import Sequence

from asgiway_lint.finding import Finding
from asgiway_lint.fixes.awaits import writable_call
from asgiway_lint.fixes.create_subprocess.command import command_of
from asgiway_lint.fixes.create_subprocess.execed import execed
from asgiway_lint.fixes.create_subprocess.run_process import run_process
from asgiway_lint.fixes.drafting import Unclear
from asgiway_lint.fixes.flavours import anyio_or_trio
from asgiway_lint.fixes.model import Fix, Refusal
from asgiway_lint.fixes.source import FixSource

__all__ = ["NAME", "NATIVE", "offer"]

NAME = "create-subprocess"
NATIVE = True

_FUNCTIONS = frozenset(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output"))


def offer(source: FixSource, finding: Finding, findings: Sequence[Finding]) -> Fix | Refusal | None:
    """Return the fix of a call that runs a process to its end."""
    if finding.symbol not in _FUNCTIONS or finding.chain or finding.code != "AW107":
        return None
    call = writable_call(source, finding, NAME)
    if isinstance(call, Refusal):
        return call
    if source.resolve(call.func) != finding.symbol:
        return Refusal(NAME, f"`{source.code(call.func)}` may stand for something else than `{finding.symbol}`")
    try:
        command = command_of(source, call)
        module = anyio_or_trio(source)
        return run_process(source, command, module, finding) if module else execed(source, command, finding)
    except Unclear as reason:
        return Refusal(NAME, str(reason))
