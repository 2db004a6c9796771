"""What the client can do, and what it has asked for: the handshake's records boiled down to questions the server has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from lsprotocol import types
from pygls.capabilities import get_capability

from asgiway_lint.config import Layer, parse_layer
from asgiway_lint.errors import ConfigError, nearest
from asgiway_lint.filtering import rule_codes

__all__ = ["OPTION_KEYS", "Abilities", "Options", "options"]


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the client can do.

    Args:
        capabilities: as it says.
    """

    capabilities: types.ClientCapabilities

    @property
    def pulls(self) -> bool:
        """Whether it asks for diagnostics itself, and can be told to ask again when a helper has changed."""
        pulls = get_capability(self.capabilities, "text_document.diagnostic") is not None
        return pulls and bool(get_capability(self.capabilities, "workspace.diagnostics.refresh_support"))

    @property
    def watches(self) -> bool:
        """Whether it watches files for the server."""
        return bool(get_capability(self.capabilities, "workspace.did_change_watched_files.dynamic_registration"))

    @property
    def related(self) -> bool:
        """Whether it shows places that belong to a diagnostic."""
        own = get_capability(self.capabilities, "text_document.publish_diagnostics.related_information")
        # Clients that only pull say nothing of pushed diagnostics, and take the same records.
        return bool(own) or self.pulls

    @property
    def links(self) -> bool:
        """Whether it shows a link behind a code."""
        return bool(get_capability(self.capabilities, "text_document.publish_diagnostics.code_description_support"))

    @property
    def versioned_edits(self) -> bool:
        """Whether an edit may say which version of a document it is for."""
        return bool(get_capability(self.capabilities, "workspace.workspace_edit.document_changes"))

    @property
    def literal_actions(self) -> bool:
        """Whether it takes code actions, and not commands only."""
        return get_capability(self.capabilities, "text_document.code_action.code_action_literal_support") is not None

    @property
    def lazy_edits(self) -> bool:
        """Whether it asks for an action's edit when the user has chosen it."""
        support = get_capability(self.capabilities, "text_document.code_action.resolve_support")
        data = get_capability(self.capabilities, "text_document.code_action.data_support")
        return bool(data) and support is not None and "edit" in support.properties

    @property
    def hover_markdown(self) -> bool:
        """Whether it shows Markdown on hover."""
        formats = get_capability(self.capabilities, "text_document.hover.content_format") or ()
        return types.MarkupKind.Markdown in formats


@dataclass(frozen=True, slots=True)
class Options:
    """What the client sends as `initializationOptions`.

    Args:
        overrides: `settings`: keys as in a configuration file, which they come before.
        rule_page: `rulePage`: address of a rule's page, `{code}` stands for the code; empty: there is none.
        unsafe_fixes: `unsafeFixes`: whether fixes that may change behaviour are offered (one by one; never by fix all).
    """

    overrides: tuple[Layer, ...] = ()
    rule_page: str = ""
    unsafe_fixes: bool = True


OPTION_KEYS = ("settings", "rulePage", "unsafeFixes")


def options(sent: object, folder: Path) -> tuple[Options, list[str]]:
    """Read what the client sends.

    Args:
        sent: the `initializationOptions`; anything that JSON can say.
        folder: what relative paths in them start from.

    Returns:
        What can be used of it, and a sentence for each thing that cannot.
    """
    if sent is None:
        return Options(), []
    if not isinstance(sent, Mapping):
        return Options(), ["asgiway-lint: initializationOptions must be an object"]
    table = cast("Mapping[str, object]", sent)
    problems = [
        f"asgiway-lint: unknown initialization option '{key}'{nearest(key, OPTION_KEYS)}"
        for key in table
        if key not in OPTION_KEYS
    ]
    overrides: tuple[Layer, ...] = ()
    settings = table.get("settings", {})
    if not isinstance(settings, Mapping):
        problems.append("asgiway-lint: the initialization option 'settings' must be an object")
    elif settings:
        try:
            where = "the editor's settings"
            keys = cast("Mapping[str, object]", settings)
            overrides = (parse_layer(keys, where=where, folder=folder, codes=rule_codes()),)
        except ConfigError as error:
            problems.append(str(error))
    page = table.get("rulePage", "")
    if not isinstance(page, str) or (page and "{code}" not in page):
        problems.append("asgiway-lint: the initialization option 'rulePage' must be an address with {code} in it")
        page = ""
    unsafe = table.get("unsafeFixes", True)
    if not isinstance(unsafe, bool):
        problems.append("asgiway-lint: the initialization option 'unsafeFixes' must be true or false")
        unsafe = True
    return Options(overrides, page, unsafe), problems
