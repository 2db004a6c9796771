"""An editor for the tests: pygls' client over stdin and stdout of the real process, and what a person would see in it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Union

from cattrs import Converter
from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidRequest
from pygls.lsp.client import LanguageClient
from pygls.protocol import default_converter

# A safety net; what is waited for takes milliseconds.
PATIENCE = 15.0

TEXT_DOCUMENT = types.TextDocumentClientCapabilities(
    publish_diagnostics=types.PublishDiagnosticsClientCapabilities(
        related_information=True, version_support=True, code_description_support=True
    ),
    code_action=types.CodeActionClientCapabilities(
        code_action_literal_support=types.ClientCodeActionLiteralOptions(
            types.ClientCodeActionKindOptions(["quickfix", "source.fixAll"])
        ),
        is_preferred_support=True,
        data_support=True,
        resolve_support=types.ClientCodeActionResolveOptions(["edit"]),
    ),
    hover=types.HoverClientCapabilities(content_format=[types.MarkupKind.Markdown, types.MarkupKind.PlainText]),
)
WORKSPACE = types.WorkspaceClientCapabilities(
    workspace_edit=types.WorkspaceEditClientCapabilities(document_changes=True),
    did_change_watched_files=types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True),
    workspace_folders=True,
)
FULL = types.ClientCapabilities(
    general=types.GeneralClientCapabilities(position_encodings=["utf-16"]),
    text_document=TEXT_DOCUMENT,
    workspace=WORKSPACE,
)


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a coroutine function as a test."""

    @functools.wraps(test)
    def run(*arguments: Any, **keywords: Any) -> None:
        asyncio.run(asyncio.wait_for(test(*arguments, **keywords), 4 * PATIENCE))

    return run


def shared(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a coroutine function as a test of the module's editor, `vim`; afterwards no document is open."""

    @functools.wraps(test)
    def run(vim: Editor, **keywords: Any) -> None:
        async def tidy() -> None:
            vim.messages.clear()
            try:
                await test(vim=vim, **keywords)
            finally:
                for uri in list(vim.texts):
                    vim.close(uri)

        assert vim.runner is not None
        vim.runner.run(asyncio.wait_for(tidy(), 4 * PATIENCE))

    return run


class Editor:
    """An editor with open documents; each is sent to the server as it is typed."""

    runner: asyncio.Runner | None = None

    def __init__(self, client: LanguageClient, refuses: bool) -> None:
        self.client = client
        self.refuses = refuses
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.published: list[types.PublishDiagnosticsParams] = []
        self.messages: list[str] = []
        self.logged: list[str] = []
        self.registered: list[types.Registration] = []
        self.refreshes = 0
        self.applied: list[types.WorkspaceEdit] = []
        self.server: types.InitializeResult | None = None
        self._news = asyncio.Event()

        def publish(params: types.PublishDiagnosticsParams) -> None:
            self.published.append(params)
            self._news.set()

        def show(params: types.ShowMessageParams) -> None:
            self.messages.append(params.message)
            self._news.set()

        def log(params: types.LogMessageParams) -> None:
            self.logged.append(params.message)
            self._news.set()

        def register(params: types.RegistrationParams) -> None:
            if self.refuses:
                raise JsonRpcInvalidRequest("nothing is watched here")
            self.registered.extend(params.registrations)
            self._news.set()

        def refresh(params: None) -> None:
            self.refreshes += 1
            self._news.set()

        def apply(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
            self.applied.append(params.edit)
            self._news.set()
            return types.ApplyWorkspaceEditResult(applied=True)

        client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(publish)
        client.feature(types.WINDOW_SHOW_MESSAGE)(show)
        client.feature(types.WINDOW_LOG_MESSAGE)(log)
        client.feature(types.CLIENT_REGISTER_CAPABILITY)(register)
        client.feature(types.WORKSPACE_DIAGNOSTIC_REFRESH)(refresh)
        client.feature(types.WORKSPACE_APPLY_EDIT)(apply)

    # ---- documents

    def open(self, path: Path | str, text: str | None = None, language: str = "python") -> str:
        """Open a file, or what has not been saved yet; returns its URI."""
        uri = path if isinstance(path, str) else path.as_uri()
        self.texts[uri] = Path(path).read_bytes().decode() if text is None else text
        self.versions[uri] = 1
        item = types.TextDocumentItem(uri, language, 1, self.texts[uri])
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def type(self, uri: str, text: str) -> int:
        """Give a document a new text; returns its version."""
        self.texts[uri] = text
        self.versions[uri] += 1
        identifier = types.VersionedTextDocumentIdentifier(version=self.versions[uri], uri=uri)
        change = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [change]))
        return self.versions[uri]

    def close(self, uri: str) -> None:
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))
        del self.texts[uri], self.versions[uri]

    def save(self, uri: str, path: Path) -> None:
        path.write_text(self.texts[uri])
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri)))

    def changed_on_disk(self, *paths: Path) -> None:
        """Tell what a watcher would tell."""
        changes = [types.FileEvent(path.as_uri(), types.FileChangeType.Changed) for path in paths]
        self.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams(changes))

    # ---- what is seen

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._news.clear()
                await self._news.wait()

    def shown(self, uri: str) -> list[types.Diagnostic] | None:
        """The diagnostics that the editor shows now; None if there never were any."""
        for params in reversed(self.published):
            if params.uri == uri:
                return list(params.diagnostics)
        return None

    def codes(self, uri: str) -> list[str] | None:
        """Their codes."""
        shown = self.shown(uri)
        return None if shown is None else [str(each.code) for each in shown]

    async def see(self, uri: str, *codes: str, version: int | None = None) -> list[types.Diagnostic]:
        """Wait until exactly these are shown, of the present version; returns the diagnostics."""
        version = self.versions[uri] if version is None else version

        def seen() -> bool:
            last = next((each for each in reversed(self.published) if each.uri == uri), None)
            return last is not None and last.version == version and self.codes(uri) == list(codes)

        try:
            await self.until(seen)
        except TimeoutError:
            raise AssertionError(f"waited for {codes} of version {version}, saw {self.published[-3:]}") from None
        return self.shown(uri) or []

    # ---- requests

    async def actions(
        self, uri: str, where: types.Range | types.Position, only: Sequence[str] | None = None
    ) -> list[types.CodeAction]:
        """The actions at a place."""
        range_ = where if isinstance(where, types.Range) else types.Range(where, where)
        context = types.CodeActionContext(diagnostics=self.shown(uri) or [], only=only)
        found = await self.client.text_document_code_action_async(
            types.CodeActionParams(types.TextDocumentIdentifier(uri), range_, context)
        )
        assert all(isinstance(each, types.CodeAction) for each in found or ())
        return [each for each in found or () if isinstance(each, types.CodeAction)]

    async def hover(self, uri: str, line: int, character: int) -> str:
        found = await self.client.text_document_hover_async(
            types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(line, character))
        )
        if found is None:
            return ""
        assert isinstance(found.contents, types.MarkupContent)
        return found.contents.value

    async def pull(self, uri: str, previous: str | None = None) -> Any:
        return await self.client.text_document_diagnostic_async(
            types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri), previous_result_id=previous)
        )

    async def apply(self, edit: types.WorkspaceEdit | None) -> None:
        """Do as an editor does: refuse edits of another version, apply the others from the end on, and send the new text."""
        assert edit is not None
        changes: list[tuple[str, Sequence[Any]]] = list((edit.changes or {}).items())
        for change in edit.document_changes or ():
            assert isinstance(change, types.TextDocumentEdit)
            assert change.text_document.version == self.versions[change.text_document.uri]
            changes.append((change.text_document.uri, change.edits))
        for uri, edits in changes:
            text = self.texts[uri]
            for each in sorted(edits, key=lambda one: (one.range.start.line, one.range.start.character), reverse=True):
                start, end = offset(text, each.range.start), offset(text, each.range.end)
                text = text[:start] + each.new_text + text[end:]
            self.type(uri, text)


def offset(text: str, position: types.Position) -> int:
    """Where a position in UTF-16 code units is in a text."""
    lines = text.replace("\r\n", "\n\n").replace("\r", "\n")  # as many characters as before
    start = 0
    for _ in range(position.line):
        start = lines.index("\n", start) + 1
        if text[start - 1 : start + 1] == "\r\n":
            start += 1
    rest = text[start:].encode("utf-16-le")[: 2 * position.character].decode("utf-16-le")
    return start + len(rest)


def _converter() -> Converter:
    """pygls' converter, which takes a code action with a command for a command."""
    make: Any = default_converter
    converter: Converter = make()

    def structure(value: Any, _: Any) -> types.Command | types.CodeAction:
        if isinstance(value.get("command"), str):
            return converter.structure(value, types.Command)
        return converter.structure(value, types.CodeAction)

    converter.register_structure_hook(types.Command | types.CodeAction, structure)
    converter.register_structure_hook(Union[types.Command, types.CodeAction], structure)  # noqa: UP007  (another type)
    return converter


@contextlib.asynccontextmanager
async def editor(
    *folders: Path,
    capabilities: types.ClientCapabilities = FULL,
    cwd: Path | None = None,
    root: Path | None = None,
    refuses: bool = False,
    **sent: Any,
) -> AsyncGenerator[Editor]:
    """Start the server and shake hands; leave as the protocol wants it, and see that it leaves, too.

    Args:
        folders: the workspace's.
        capabilities: what the editor can do.
        cwd: where the server is started.
        root: the only folder of an editor that knows no workspaces.
        refuses: whether it refuses to watch files though it has said that it would.
        sent: the initialization options.
    """
    client = LanguageClient("asgiway-lint-tests", "1", converter_factory=_converter)
    found = Editor(client, refuses)
    where = str(cwd or (folders[0] if folders else Path.cwd()))
    await client.start_io(sys.executable, "-m", "asgiway_lint", "server", cwd=where)
    try:
        found.server = await client.initialize_async(
            types.InitializeParams(
                capabilities=capabilities,
                root_uri=root.as_uri() if root else None,
                workspace_folders=[types.WorkspaceFolder(folder.as_uri(), folder.name) for folder in folders] or None,
                initialization_options=sent or None,
            )
        )
        client.initialized(types.InitializedParams())
        yield found
        await client.shutdown_async(None)
        client.exit(None)
        process = client._server
        assert process is not None
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
    finally:
        if (process := client._server) is not None and process.returncode is None:
            process.kill()
            await process.wait()
        with contextlib.suppress(asyncio.TimeoutError, ProcessLookupError):
            stop: Any = client.stop
            await asyncio.wait_for(stop(), PATIENCE)
