"""What the language server takes on a real project, beside `ruff server` on the same edits: milliseconds and megabytes. Run by hand.

    python tests/benchmarks/linter/server.py FOLDER [FILE]

Opens every tenth file of the folder, then edits FILE (default: the one nearest to 1,000 lines that has a coroutine): a call that blocks
is put in and taken out again, each time with one more blank line, so that every result is a new one. Printed are the times from the
edit to its diagnostics; from an unsaved edit in a helper to the diagnostics of another file that calls it; the longest wait for an answer that
needs no analysis (what the event loop is kept from); and the memory of the server. The time of a client that waits as long as a
person types between edits, not of one that floods the server.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Optional

import cattrs
import psutil
from lsprotocol import types
from pygls.lsp.client import LanguageClient
from pygls.protocol import default_converter

_EDITS = 30
_PAUSE = 0.3


class Measured:
    """A server under measurement.

    Args:
        command: how it is started.
        root: the project.
    """

    def __init__(self, command: list[str], root: Path) -> None:
        self.command = command
        self.root = root
        self.client = LanguageClient("benchmark", "1", converter_factory=_converter)
        self.seen: dict[str, tuple[int | None, list[str]]] = {}
        self.news = asyncio.Event()
        self.versions: dict[str, int] = {}
        self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(self._publish())

    def _publish(self) -> object:
        def publish(params: types.PublishDiagnosticsParams) -> None:
            self.seen[params.uri] = (params.version, [str(each.code) for each in params.diagnostics])
            self.news.set()

        return publish

    async def start(self) -> psutil.Process:
        """Start it and shake hands."""
        await self.client.start_io(*self.command, cwd=str(self.root))
        await self.client.initialize_async(
            types.InitializeParams(
                capabilities=types.ClientCapabilities(
                    text_document=types.TextDocumentClientCapabilities(
                        code_action=types.CodeActionClientCapabilities(
                            code_action_literal_support=types.ClientCodeActionLiteralOptions(
                                types.ClientCodeActionKindOptions([])
                            )
                        ),
                        publish_diagnostics=types.PublishDiagnosticsClientCapabilities(
                            version_support=True, related_information=True
                        ),
                    )
                ),
                workspace_folders=[types.WorkspaceFolder(self.root.as_uri(), self.root.name)],
                initialization_options={"settings": {"lint": {"select": ["ASYNC"]}}}
                if "ruff" in self.command[0]
                else None,
            )
        )
        self.client.initialized(types.InitializedParams())
        process = self.client._server
        assert process is not None
        return psutil.Process(process.pid)

    async def open(self, path: Path, text: str) -> float:
        """Open a document; returns the seconds until its diagnostics come."""
        uri = path.as_uri()
        self.versions[uri] = 1
        item = types.TextDocumentItem(uri, "python", 1, text)
        begun = time.perf_counter()
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        await self._wait(uri, 1)
        return time.perf_counter() - begun

    async def edit(self, path: Path, text: str, *, see: Path | None = None) -> float:
        """Change a document; returns the seconds until its diagnostics (or, for `see`, new ones of another file) come."""
        uri = path.as_uri()
        self.versions[uri] += 1
        before = self.seen.get(see.as_uri()) if see else None
        identifier = types.VersionedTextDocumentIdentifier(version=self.versions[uri], uri=uri)
        change = types.TextDocumentContentChangeWholeDocument(text)
        begun = time.perf_counter()
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [change]))
        if see is None:
            await self._wait(uri, self.versions[uri])
        else:
            while self.seen.get(see.as_uri()) == before:
                await self._next()
        return time.perf_counter() - begun

    async def _wait(self, uri: str, version: int) -> None:
        while uri not in self.seen or self.seen[uri][0] != version:
            await self._next()

    async def _next(self) -> None:
        self.news.clear()
        await asyncio.wait_for(self.news.wait(), 60)

    async def answer(self) -> float:
        """The seconds until something is answered that needs no analysis."""
        begun = time.perf_counter()
        identifier = types.TextDocumentIdentifier("file:///nobody/has/opened/this.py")
        await self.client.text_document_hover_async(types.HoverParams(identifier, types.Position(0, 0)))
        return time.perf_counter() - begun

    async def actions(self, path: Path, line: int) -> float:
        """The seconds until the quick fixes at a line come."""
        place = types.Position(line, 6)
        params = types.CodeActionParams(
            types.TextDocumentIdentifier(path.as_uri()),
            types.Range(place, place),
            types.CodeActionContext(diagnostics=[], only=[types.CodeActionKind.QuickFix]),
        )
        begun = time.perf_counter()
        found = await self.client.text_document_code_action_async(params)
        assert found, "there is no finding at that line"
        return time.perf_counter() - begun

    async def stop(self) -> None:
        """Leave."""
        await self.client.shutdown_async(None)
        self.client.exit(None)
        process = self.client._server
        assert process is not None
        await asyncio.wait_for(process.wait(), 60)


def _converter() -> cattrs.Converter:
    """pygls' converter, which does not know what to make of the notebooks that ruff speaks of."""
    make: Any = default_converter
    converter: cattrs.Converter = make()
    notebook = str | types.NotebookDocumentFilterNotebookType | types.NotebookDocumentFilterScheme
    converter.register_structure_hook(
        Optional[notebook | types.NotebookDocumentFilterPattern],  # noqa: UP045  (as it is there)
        lambda value, _: value,
    )
    return converter


def row(name: str, seconds: list[float]) -> None:
    """Print a line of the table."""
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    print(f"{name:58}{statistics.median(ordered) * 1e3:8.1f}{p95 * 1e3:8.1f}{ordered[-1] * 1e3:8.1f}", flush=True)


def chosen(files: list[Path]) -> Path:
    """The file nearest to 1,000 lines that has a coroutine."""
    candidates = [path for path in files if b"\nasync def " in path.read_bytes()]
    return min(candidates, key=lambda path: abs(path.read_bytes().count(b"\n") - 1000))


async def measure(command: list[str], root: Path, target: Path, files: list[Path]) -> None:
    """Measure one server."""
    ours = "asgiway_lint" in command
    server = Measured(command, root)
    begun = time.perf_counter()
    process = await server.start()
    print(f"{'started, ready for documents':58}{(time.perf_counter() - begun) * 1e3:8.1f}")
    text = target.read_text()
    row("first document, nothing known", [await server.open(target, text)])
    waits: list[float] = []

    async def keep_asking() -> None:
        while True:
            waits.append(await server.answer())
            await asyncio.sleep(0.01)

    asking = asyncio.create_task(keep_asking()) if ours else None
    row("each of the other open documents", [await server.open(path, path.read_text()) for path in files])
    if asking is not None:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        row("an answer without analysis, meanwhile", waits)
    times: list[float] = []
    for number in range(_EDITS):
        call = "    time.sleep(1)\n" if number % 2 else "    pass\n"
        await asyncio.sleep(_PAUSE)
        times.append(
            await server.edit(target, f"{text}\n\nimport time\n{chr(10) * number}\nasync def edited():\n{call}")
        )
    row(f"edit -> diagnostics, {text.count(chr(10))} lines", times)
    if ours:
        times = []
        for number in range(_EDITS // 3):
            call = "    time.sleep(1)\n" * (number + 1)
            await server.edit(target, f"{text}\n\nimport time\n\nasync def edited():\n{call}")
            await asyncio.sleep(_PAUSE)
            times.append(await server.actions(target, text.count("\n") + 5))
        row("quick fixes of a finding, the first time after an edit", times)
        helper, caller = root / "asgiway_helper.py", root / "asgiway_caller.py"
        await server.open(helper, "def help():\n    pass\n")
        await server.open(caller, "from asgiway_helper import help\n\n\nasync def f():\n    help()\n")
        times = []
        for number in range(_EDITS):
            call = "pass" if number % 2 else "open('x')"
            await asyncio.sleep(_PAUSE)
            times.append(await server.edit(helper, f"import os\n\n\ndef help():\n    {call}\n", see=caller))
        row("edit in an unsaved helper -> diagnostics of its caller", times)
    memory = process.memory_info().rss / 1e6
    used = process.cpu_times()
    await server.stop()
    print(f"{'memory, MB':58}{memory:8.1f}\n{'CPU of all that, s':58}{used.user + used.system:8.2f}")


def main(arguments: list[str]) -> int:
    """Measure both servers on copies of a project."""
    if not arguments:
        print(__doc__)
        return 2
    origin = Path(arguments[0]).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / origin.name
        shutil.copytree(origin, root)
        files = sorted(root.rglob("*.py"))
        target = root / Path(arguments[1]).resolve().relative_to(origin) if len(arguments) > 1 else chosen(files)
        others = [path for path in files[::10] if path != target]
        print(f"{origin}: {len(files)} files, {len(others) + 1} of them open; edited: {target.relative_to(root)}")
        servers = [[sys.executable, "-m", "asgiway_lint", "server"]]
        if ruff := shutil.which("ruff", path=str(Path(sys.executable).parent)):
            servers.append([ruff, "server"])
        for command in servers:
            print(f"\n{Path(command[0]).name if len(command) == 2 else 'asgiway-lint'} server, milliseconds")
            print(f"{'':58}{'median':>8}{'p95':>8}{'worst':>8}")
            asyncio.run(measure(command, root, target, others))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
