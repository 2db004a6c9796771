"""What a client asks for at a place in a document: the page of what is there, and what can be done about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Final

from lsprotocol import types

from asgiway_lint.filtering import rule_codes
from asgiway_lint.server import actions, pages
from asgiway_lint.server.app import Server
from asgiway_lint.server.knowledge import Checked, Knowledge
from asgiway_lint.server.positions import Text
from asgiway_lint.suppress import find_directives

__all__ = ["Answers"]

_CODE: Final = re.compile(r"AW\d{3}", re.IGNORECASE)


class Answers:
    """Answers one client.

    Args:
        server: its server.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._fixes = actions.Fixes()

    async def hover(self, params: types.HoverParams) -> types.Hover | None:
        """What there is to be said about a place."""

        def job(_: Knowledge, checked: Checked) -> types.Hover | None:
            text = self._server.text(checked.document.text)
            offset = text.offset(params.position)
            found = [(each, text.range_of(each)) for each in checked.findings]
            under = [(each, range_) for each, range_ in found if _touches(text, range_, offset, offset)]
            if under:
                offers = self._fixes.of(checked, text)
                parts = [pages.finding_page(each, offers.get(each, ()), self._link) for each, _ in under]
                return self._hover("\n\n---\n\n".join(dict.fromkeys(parts)), under[0][1])
            code, range_ = _code_at(text, params.position)
            return self._hover(pages.rule_page(code), range_) if code else None

        return await self._server.ask(params.text_document.uri, job)

    def _hover(self, page: str, range_: types.Range) -> types.Hover:
        if self._server.client.hover_markdown:
            return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, page), range_)
        return types.Hover(types.MarkupContent(types.MarkupKind.PlainText, pages.plain(page)), range_)

    def _link(self, path: str, line: int) -> str:
        name = f"{PurePath(path).name}:{line}"
        return f"[{name}]({self._server.uri_of(path)}#L{line})" if self._server.client.hover_markdown else name

    async def code_actions(self, params: types.CodeActionParams) -> list[types.CodeAction | types.Command]:
        """What can be done at a place, or about a document."""
        uri, only = params.text_document.uri, params.context.only
        if not self._server.client.literal_actions:
            return []

        def job(knowledge: Knowledge, checked: Checked) -> list[types.CodeAction | types.Command]:
            maker = self._maker(checked, uri, params.context.diagnostics)
            found: list[types.CodeAction | types.Command] = []
            start, end = maker.text.offset(params.range.start), maker.text.offset(params.range.end)
            findings = [
                each
                for each in checked.findings
                if _touches(maker.text, maker.text.range_of(each), min(start, end), max(start, end))
            ]
            if findings and actions.wanted(types.CodeActionKind.QuickFix.value, only):
                found += maker.quick_fixes(findings, self._fixes)
                found += maker.suppressions(findings)
            if actions.wanted(actions.FIX_ALL, only) and (only is not None or findings):
                found += self._fix_all_action(knowledge, maker, asked_for=only is not None)
            return found

        return await self._server.ask(uri, job) or []

    def _fix_all_action(
        self, knowledge: Knowledge, maker: actions.Maker, *, asked_for: bool
    ) -> list[types.CodeAction | types.Command]:
        checked, uri = maker.checked, maker.uri
        action = types.CodeAction("Fix all that asgiway-lint can fix", kind=actions.FIX_ALL)
        if not maker.has_fix_for_all(self._fixes):
            return []
        if self._server.client.lazy_edits:
            action.data = uri
        elif asked_for:
            action.edit = maker.fix_all(lambda source: knowledge.recheck(checked.document, source))
        else:
            action.command = types.Command(action.title, actions.FIX_ALL_COMMAND, arguments=[uri])
        return [action]

    async def resolve(self, action: types.CodeAction) -> types.CodeAction:
        """The client has chosen an action that has no edit yet."""
        if isinstance(action.data, str):  # the document's URI
            action.edit = await self._fix_all(action.data) or types.WorkspaceEdit()
        return action

    async def fix_all(self, uri: str) -> None:
        """Fix what can be fixed in a document (a command, for clients that cannot ask for an action's edit later)."""
        edit = await self._fix_all(uri)
        if edit is not None:
            await self._server.workspace_apply_edit_async(
                types.ApplyWorkspaceEditParams(edit, "Fix all that asgiway-lint can fix")
            )

    async def _fix_all(self, uri: str) -> types.WorkspaceEdit | None:
        def job(knowledge: Knowledge, checked: Checked) -> types.WorkspaceEdit | None:
            maker = self._maker(checked, uri)
            return maker.fix_all(lambda source: knowledge.recheck(checked.document, source))

        return await self._server.ask(uri, job)

    def _maker(self, checked: Checked, uri: str, shown: Sequence[types.Diagnostic] = ()) -> actions.Maker:
        text = self._server.text(checked.document.text)
        return actions.Maker(
            checked, text, uri, self._server.client.versioned_edits, self._server.options.unsafe_fixes, shown
        )


def _touches(text: Text, range_: types.Range, start: int, end: int) -> bool:
    """Whether a range and the stretch between two offsets have a place in common; their ends count."""
    return text.offset(range_.start) <= end and start <= text.offset(range_.end)


def _code_at(text: Text, position: types.Position) -> tuple[str, types.Range]:
    """The rule's code that stands in a suppression comment at a place, and its range; else empty."""
    line, offset = position.line + 1, text.offset(position)
    content = text.line(line).removeprefix("\ufeff")
    start = text.offset(types.Position(position.line, 0))
    if "noqa" in content.lower():
        known = rule_codes()
        for directive in find_directives(text.body):
            if directive.line != line:
                continue
            for match in _CODE.finditer(content, directive.column - 1, directive.end_column - 1):
                if start + match.start() <= offset <= start + match.end() and match[0].upper() in known:
                    return match[0].upper(), text.span(start + match.start(), start + match.end())
    return "", types.Range(position, position)
