"""One client's server: its documents, handed to the analysis thread, and their diagnostics, handed back, pushed or pulled.

Everything here runs on the event loop and only passes things on; what takes time (settings, files, analysis, fixes) is a job for the
`Analyst`. A document is sent whole at each change: positions of partial changes depend on what the client takes for the end of a
line, and a misunderstanding there would spoil every result until the file is opened anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path

from asgiway_lint import __version__
from asgiway_lint.project.modules import absolute
from asgiway_lint.server.analyst import Analyst, Delivery
from asgiway_lint.server.client import Abilities, Options, options
from asgiway_lint.server.connection import end_with, watchable
from asgiway_lint.server.diagnostics import diagnostics
from asgiway_lint.server.knowledge import Checked, Document, Knowledge
from asgiway_lint.server.logs import ClientLog
from asgiway_lint.server.positions import Text

__all__ = ["NAME", "Server"]

log: logging.Logger = logging.getLogger(__name__)

T = TypeVar("T")

NAME: Final = "asgiway-lint"
# Seconds between looks at the disk for clients that do not watch it for us.
_LOOK: Final = 1.0
_WATCHED: Final = ("**/*.{py,pyi}", "**/pyproject.toml", "**/*asgiway-lint*.{toml,json}")

Report = list[types.Diagnostic]


class Server(LanguageServer):
    """The server of one client."""

    def __init__(self) -> None:
        kind = types.TextDocumentSyncKind.Full
        super().__init__(NAME, __version__, kind)  # pyright: ignore[reportUnknownMemberType]  (its *args have no type)
        self.client: Abilities = Abilities(types.ClientCapabilities())
        self.options: Options = Options()
        self.encoding: str = "utf-16"
        self._analyst: Analyst[Report] | None = None
        self._folders: dict[str, str] = {}
        self._paths: dict[str, str] = {}
        self._uris: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self._reports: dict[str, tuple[int, Report]] = {}
        self._said: frozenset[str] = frozenset()
        self._looker: asyncio.Task[None] | None = None
        self._companion: asyncio.Task[None] | None = None
        self._log: ClientLog | None = None
        self.was_shut_down: bool = False

    # ---- beginning and end

    def begin(self, params: types.InitializeParams) -> None:
        """The client has connected."""
        self._log = ClientLog(self.window_log_message, asyncio.get_running_loop())
        logging.getLogger("asgiway_lint").addHandler(self._log)
        self.client = Abilities(params.capabilities)
        encoding = self.workspace.position_encoding
        self.encoding = str(getattr(encoding, "value", encoding))
        folders = params.workspace_folders or ()
        self._folders = {folder.uri: path for folder in folders if (path := _path(folder.uri)) is not None}
        root = self.workspace.root_uri
        if not folders and root and (path := _path(root)) is not None:
            self._folders = {root: path}
        first = next(iter(self._folders.values()), str(Path.cwd()))
        self.options, problems = options(params.initialization_options, Path(first))
        for problem in problems:
            self.say(problem)
        self._analyst = Analyst(self._report, self._deliver, self._complain, self.options.overrides)
        self._analyst.folders(tuple(self._folders.values()))
        if params.process_id is not None and watchable(params.process_id):
            self._companion = asyncio.create_task(end_with(params.process_id))

    async def connected(self) -> None:
        """The client is ready for requests."""
        if not self.client.watches or not await self._watch():
            self._looker = asyncio.create_task(self._look_again_and_again())

    async def _watch(self) -> bool:
        """Ask the client to watch files; return whether it does."""
        watchers = [types.FileSystemWatcher(glob) for glob in _WATCHED]
        registration = types.Registration(
            id="files",
            method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
            register_options=types.DidChangeWatchedFilesRegistrationOptions(watchers),
        )
        try:
            await self.client_register_capability_async(types.RegistrationParams([registration]))
        except JsonRpcException as error:
            log.info("the client does not watch files after all: %s", error)
            return False
        return True

    async def end(self) -> None:
        """The client is about to leave."""
        self.was_shut_down = True
        if self._looker is not None:
            self._looker.cancel()
        if self._analyst is not None:
            await self._analyst.close_down()

    def abandon(self) -> None:
        """The client is gone: end what the analysis thread is doing."""
        if self._log is not None:
            logging.getLogger("asgiway_lint").removeHandler(self._log)
        if self._analyst is not None:
            self._analyst.stop()

    @property
    def analyst(self) -> Analyst[Report]:
        """The analysis thread; there is one as soon as a client has connected."""
        assert self._analyst is not None
        return self._analyst

    def say(self, message: str) -> None:
        """Show a message to the user."""
        log.warning("%s", message)
        self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, message))

    async def _look_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            if self._versions:
                self.analyst.look()

    # ---- documents

    def opened(self, uri: str, language: str | None) -> None:
        """A document is open."""
        path = self._place(uri)
        if path is not None and (language == "python" or path.endswith((".py", ".pyi"))):
            self._paths[uri] = path
            self._uris[path] = uri
            self.changed(uri)

    def changed(self, uri: str) -> None:
        """A document has a new text."""
        path = self._paths.get(uri)
        if path is not None:
            document = self.workspace.get_text_document(uri)
            version = self._versions[path] = document.version or 0
            self.analyst.open(Document(path, version, document.source))

    def closed(self, uri: str) -> None:
        """A document is closed: there is nothing to be said of it any more."""
        path = self._paths.pop(uri, None)
        if path is None:
            return
        self._uris.pop(path, None)
        self._versions.pop(path, None)
        self.analyst.close(path)
        if self._reports.pop(path, None) is not None and not self.client.pulls:
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    def folders_changed(self, event: types.WorkspaceFoldersChangeEvent) -> None:
        """The workspace has other folders."""
        for folder in event.removed:
            self._folders.pop(folder.uri, None)
        for folder in event.added:
            if (path := _path(folder.uri)) is not None:
                self._folders[folder.uri] = path
        self.analyst.folders(tuple(self._folders.values()))

    def _place(self, uri: str) -> str | None:
        """The absolute path that a document has, or, if it has never been saved, could have; None for what is none of ours."""
        if uri.startswith("untitled:"):
            name = uri.removeprefix("untitled:").rpartition("/")[2]
            return str(Path(next(iter(self._folders.values()), Path.cwd())) / name)
        return _path(uri)

    def uri_of(self, path: str) -> str:
        """The client's name for a file."""
        return self._uris.get(path) or from_fs_path(path) or ""

    # ---- diagnostics

    def text(self, text: str) -> Text:
        """A text with the positions that the client counts."""
        return Text(text, self.encoding)

    def _report(self, knowledge: Knowledge, checked: Checked) -> Report:
        """Runs in the analysis thread."""
        texts: dict[str, Text] = {}

        def text_of(path: str) -> Text:
            if path not in texts:
                texts[path] = self.text(knowledge.text(path))
            return texts[path]

        return diagnostics(
            checked.findings,
            text_of(checked.document.path),
            text_of=text_of if self.client.related else None,
            uri_of=self.uri_of,
            rule_page=self.options.rule_page if self.client.links else "",
        )

    def _deliver(self, delivery: Delivery[Report]) -> None:
        path, version = delivery.path, delivery.version
        uri = self._uris.get(path)
        known = self._reports.get(path)
        report = delivery.report or []
        if uri is None:
            return
        if self.client.pulls:
            # It has asked for this version already, and got something else: a helper has changed.
            if known is not None and known[0] == self._versions[path] and known[1] != report:
                self._refresh()
        elif known != (self._versions[path], report) and (known is not None or version is not None):
            self._reports[path] = (self._versions[path], report)
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, report, self._versions[path]))

    def _refresh(self) -> None:
        for path in list(self._reports):
            self._reports[path] = (-1, self._reports[path][1])  # until it asks again
        self.workspace_diagnostic_refresh(None)

    async def pulled(self, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
        """The client asks for a document's diagnostics."""
        path = self._paths.get(params.text_document.uri)
        if path is None:
            return types.RelatedFullDocumentDiagnosticReport([])

        def job(knowledge: Knowledge) -> Report:
            checked = knowledge.current(path)
            return [] if checked is None else self._report(knowledge, checked)

        while True:
            version = self._versions.get(path)
            report = await self.analyst.ask(path, job)
            if version is None or path not in self._versions:  # closed in the meantime
                return types.RelatedFullDocumentDiagnosticReport([])
            if version == self._versions[path]:
                break
        self._reports[path] = (version, report)
        name = f"{hash(repr(report)):x}"
        if params.previous_result_id == name:
            return types.RelatedUnchangedDocumentDiagnosticReport(name)
        return types.RelatedFullDocumentDiagnosticReport(report, result_id=name)

    def _complain(self, complaints: list[str]) -> None:
        for complaint in complaints:
            if complaint not in self._said:
                self.say(complaint)
        self._said = frozenset(complaints)

    # ---- everything else

    async def ask(self, uri: str, job: Callable[[Knowledge, Checked], T]) -> T | None:
        """An answer about a document as it is now; None if there is nothing to be said about it."""
        path = self._paths.get(uri)
        if path is None:
            return None

        def ask(knowledge: Knowledge) -> T | None:
            checked = knowledge.current(path)
            return None if checked is None else job(knowledge, checked)

        return await self.analyst.ask(path, ask)


def _path(uri: str) -> str | None:
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return absolute(path) if path else None
