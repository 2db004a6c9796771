"""What a rule is, and how a rule's module turns into one: identity from the file name, page from the docstring."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from asgiway_lint.finding import Severity

__all__ = ["HEADINGS", "MODULE_NAME", "Rule", "RuleError", "define"]

MODULE_NAME: Final = re.compile(r"(?P<code>aw\d{3})_(?P<slug>[a-z][a-z0-9]*(?:_[a-z0-9]+)*)")

# Headings of a page, in this order; those in OPTIONAL may be left out.
HEADINGS: Final = ("What it does", "Why is this bad?", "Example", "Limits", "References")
OPTIONAL: Final = frozenset({"Limits"})


class RuleError(Exception):
    """A rule's module is malformed; the message names the file and what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule.

    Attributes:
        code: ``"AW102"``; public for ever.
        slug: ``"blocking-http"``.
        summary: one line that says what is reported.
        severity: severity of its findings.
        explanation: the page, in Markdown, without the title.
        since: version of asgiway that it first appeared in.
        message_format: the message, with ``{symbol}`` and ``{replacement}``.
        preview: off unless asked for, may still change.
        source: path of the module, relative to the import root (``asgiway_lint/rules/aw102_blocking_http.py``).
    """

    code: str
    slug: str
    summary: str
    severity: Severity
    explanation: str
    since: str
    message_format: str
    preview: bool = False
    source: str = ""

    def message(self, symbol: str, replacement: str) -> str:
        """The message of one finding, a sentence without a full stop.

        Args:
            symbol: what is reported: the qualified name of the call (``requests.get``), or, for the AW0 rules, what is wrong.
            replacement: what to use instead, as `Catalogue.replacement` gives it; unused by the AW0 rules.
        """
        return self.message_format.format(symbol=symbol, replacement=replacement)


def define(module: str, *, severity: Severity, message: str, since: str, preview: bool = False) -> Rule:
    """The rule that the module with this name and docstring describes.

    Args:
        module: the calling module's ``__name__``; its last part gives code and slug.
        severity: severity of the findings.
        message: format of the message, with ``{symbol}`` and, where there is a replacement, ``{replacement}``.
        since: version it appeared in.
        preview: see `Rule`.

    Raises:
        RuleError: the file's name or docstring does not follow the schema.
    """
    name = module.rpartition(".")[2]
    match = MODULE_NAME.fullmatch(name)
    if match is None:
        raise RuleError(f"{name}.py: a rule's file is named like aw102_blocking_http.py")
    summary, explanation = _split(name, sys.modules[module].__doc__ or "")
    return Rule(
        code=match["code"].upper(),
        slug=match["slug"].replace("_", "-"),
        summary=summary,
        severity=severity,
        explanation=explanation,
        since=since,
        message_format=message,
        preview=preview,
        source=PurePath("asgiway_lint", "rules", f"{name}.py").as_posix(),
    )


def _split(name: str, docstring: str) -> tuple[str, str]:
    summary, _, page = docstring.strip().partition("\n\n")
    headings = [line[3:].strip() for line in page.splitlines() if line.startswith("## ")]
    expected = [heading for heading in HEADINGS if heading in headings or heading not in OPTIONAL]
    if headings != expected:
        raise RuleError(
            f"{name}.py: the docstring has the headings {headings}; a rule's page has {expected}, in this order"
        )
    if "\n" in summary or not summary:
        raise RuleError(f"{name}.py: the docstring must begin with a summary of one line, then an empty line")
    return summary, page.strip() + "\n"
