"""What can be done about findings: fixes, the safe and preferred ones first, a suppression comment, and all safe fixes at once.

Runs in the analysis thread. libcst is imported when the first fix is asked for, and the file that fixes were last asked for is kept
parsed: a client asks again with every move of the cursor.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from asgiway_lint.addnoqa import add_noqa
from asgiway_lint.facts.reader import quick_reading
from asgiway_lint.finding import Finding
from asgiway_lint.fixes.model import Applicability, Edit, Fix, Refusal
from asgiway_lint.server.diagnostics import SOURCE
from asgiway_lint.server.edits import difference, workspace_edit
from asgiway_lint.server.knowledge import Checked
from asgiway_lint.server.positions import Text

if TYPE_CHECKING:
    from asgiway_lint.fixes.source import FixSource

__all__ = ["FIX_ALL", "FIX_ALL_COMMAND", "Fixes", "Maker", "wanted"]

log: logging.Logger = logging.getLogger(__name__)

FIX_ALL: Final = f"{types.CodeActionKind.SourceFixAll.value}.asgiway"
FIX_ALL_COMMAND: Final = "asgiway-lint.fixAll"
_QUICK: Final = types.CodeActionKind.QuickFix.value


def wanted(kind: str, only: Sequence[types.CodeActionKind | str] | None) -> bool:
    """Whether a client that asks for these kinds only wants actions of a kind; None: it wants all."""
    if only is None:
        return True
    asked = [str(getattr(each, "value", each)) for each in only]
    return any(not each or kind == each or kind.startswith(f"{each}.") for each in asked)


class Fixes:
    """The fixes of the file that was last asked for."""

    def __init__(self) -> None:
        self._checked: Checked | None = None
        self._source: FixSource | None = None
        self._offers: Mapping[Finding, tuple[Fix | Refusal, ...]] = {}

    def of(self, checked: Checked, text: Text) -> Mapping[Finding, tuple[Fix | Refusal, ...]]:
        """What there is to offer for each finding of a file."""
        if self._checked is not checked:
            from asgiway_lint.fixes.plan import fixes_of
            from asgiway_lint.fixes.source import FixSource
            from asgiway_lint.fixing import fixable_findings

            self._source = FixSource(text.body, Path(checked.document.path), checked.settings)
            self._offers = {}
            self._checked = checked
            try:
                with quick_reading():
                    self._offers = fixes_of(self._source, fixable_findings(checked.findings, checked.settings))
            except Exception:  # what else there is to offer must not be lost with the fixes
                log.exception("no fixes for %s: this is a bug in asgiway-lint; please report it", checked.document.path)
        return self._offers

    def edits(self, fix: Fix) -> Sequence[Edit]:
        """A fix's edits, those of its imports included; of the file that `of` was called for."""
        from asgiway_lint.fixes.apply import full_edits

        assert self._source is not None
        return full_edits(self._source, fix)


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the actions of one file.

    Args:
        checked: what is known of it.
        text: its text.
        uri: the client's name for it.
        versioned: whether the client takes edits for a version.
        unsafe: whether fixes that may change behaviour are offered.
        diagnostics: the client's diagnostics, to name those that an action ends.
    """

    checked: Checked
    text: Text
    uri: str
    versioned: bool
    unsafe: bool
    diagnostics: Sequence[types.Diagnostic] = ()

    def quick_fixes(self, findings: Sequence[Finding], fixes: Fixes) -> list[types.CodeAction]:
        """The actions for some findings."""
        offers = fixes.of(self.checked, self.text)
        found: list[types.CodeAction] = []
        seen: set[Fix] = set()
        for finding in findings:
            safe_before = False
            for fix in offers.get(finding, ()):
                # The same fix of a whole function is offered for each of its findings.
                if not isinstance(fix, Fix) or fix in seen:
                    continue
                seen.add(fix)
                safe = fix.applicability is Applicability.SAFE
                if not safe and not self.unsafe:
                    continue
                title = fix.title if safe else f"{fix.title} (unsafe: {fix.reason})"
                found.append(
                    types.CodeAction(
                        title=title,
                        kind=types.CodeActionKind.QuickFix,
                        diagnostics=self._matching(fix.removes),
                        is_preferred=safe and not safe_before,
                        edit=self._edit(fixes.edits(fix)),
                    )
                )
                safe_before |= safe
        return sorted(found, key=lambda action: not action.is_preferred)

    def suppressions(self, findings: Sequence[Finding]) -> list[types.CodeAction]:
        """A comment for the lines of some findings."""
        found: list[types.CodeAction] = []
        for finding in findings:
            same = [
                each
                for each in findings
                if each.code == finding.code and (each.line, each.end_line) == (finding.line, finding.end_line)
            ]
            if same[0] is not finding:
                continue
            with quick_reading():
                added = add_noqa(self.text.body, same)
            edits = difference(self.text.body, added.text)
            if edits:
                found.append(
                    types.CodeAction(
                        title=f"Disable {finding.code} for this line (# noqa)",
                        kind=types.CodeActionKind.QuickFix,
                        diagnostics=self._matching(same),
                        is_preferred=False,
                        edit=self._edit(edits),
                    )
                )
        return found

    def has_fix_for_all(self, fixes: Fixes) -> bool:
        """Whether there is anything that `fix_all` would do."""
        if not self.checked.findings:
            return False
        offers = fixes.of(self.checked, self.text).values()
        unsafe = self.checked.settings.unsafe_fixes
        return any(
            isinstance(offer, Fix) and (unsafe or offer.applicability is Applicability.SAFE)
            for each in offers
            for offer in each
        )

    def fix_all(self, recheck: Callable[[bytes], Sequence[Finding]]) -> types.WorkspaceEdit | None:
        """All safe fixes, and, where the settings have `unsafe-fixes`, the others; None if there are none.

        Args:
            recheck: what would be found in other bytes of the file.
        """
        from asgiway_lint.facts.text import decode
        from asgiway_lint.fixes.apply import Fixing
        from asgiway_lint.fixing import fixable_findings

        checked, settings = self.checked, self.checked.settings
        fixing = Fixing(
            checked.source,
            Path(checked.document.path),
            settings,
            fixable_findings(checked.findings, settings),
            unsafe=settings.unsafe_fixes,
            only_these=settings.baseline is not None,
        )
        while (candidate := fixing.step()) is not None:
            fixing.settle(fixable_findings(recheck(candidate), settings))
        # Not the client's text: its bytes may say less, but places are the same.
        edits = difference(*(decode(each).removeprefix("\ufeff") for each in (checked.source, fixing.result().source)))
        return self._edit(edits) if edits else None

    def _edit(self, edits: Sequence[Edit]) -> types.WorkspaceEdit:
        version = self.checked.document.version
        return workspace_edit(edits, self.text, self.uri, version, versioned=self.versioned)

    def _matching(self, findings: Sequence[Finding]) -> list[types.Diagnostic] | None:
        """The client's diagnostics of some findings."""
        places = [(finding.code, self.text.range_of(finding)) for finding in findings]
        found = [each for each in self.diagnostics if each.source == SOURCE and (each.code, each.range) in places]
        return found or None
