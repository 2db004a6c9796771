"""What is shown when the pointer rests on a finding, or on a code in a suppression comment: the finding, its chain, the rule's page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from asgiway_lint.finding import Finding
from asgiway_lint.fixes.model import Applicability, Fix, Refusal
from asgiway_lint.rules import Rule, rule_for

__all__ = ["finding_page", "plain", "rule_page"]


def rule_page(code: str) -> str:
    """The page of a rule, in Markdown."""
    return _page(rule_for(code))


def finding_page(finding: Finding, offers: Sequence[Fix | Refusal], place: Callable[[str, int], str]) -> str:
    """What there is to say about a finding, in Markdown: the way to what blocks, what can be done, and its rule's page.

    Args:
        finding: the finding.
        offers: its fixes, and why there are no others.
        place: a link to a line of a file.
    """
    rule = rule_for(finding.code)
    chain = [
        f"{number}. `{link.call}` at {place(link.path, link.line)}" for number, link in enumerate(finding.chain, 1)
    ]
    fixes = [f"- {line}" for line in map(_offer, offers)]
    parts = [
        f"**{rule.code} {rule.slug}** ({finding.severity}): {finding.message}",
        "\n".join(chain),
        "\n".join(("Fixes:", "", *fixes)) if fixes else "",
        "---",
        _page(rule),
    ]
    return "\n\n".join(part for part in parts if part)


def _offer(offer: Fix | Refusal) -> str:
    if isinstance(offer, Refusal):
        return f"not {offer.name}: {offer.reason}"
    notes = "".join(f"; {note}" for note in offer.notes)
    needs = f"; needs {', '.join(offer.requires)}" if offer.requires else ""
    reason = "" if offer.applicability is Applicability.SAFE else f" (unsafe: {offer.reason})"
    return f"{offer.title}{reason}{needs}{notes}"


def _page(rule: Rule) -> str:
    preview = ", preview" if rule.preview else ""
    return f"### {rule.code} {rule.slug}\n\n{rule.summary}\n\nSeverity: {rule.severity}{preview}.\n\n{rule.explanation}"


def plain(markdown: str) -> str:
    """Markdown for a client that shows none."""
    return "\n".join(_plain(markdown.splitlines()))


def _plain(lines: Iterable[str]) -> Iterable[str]:
    in_code = False
    for line in lines:
        if line.startswith("```"):
            in_code = not in_code
        elif in_code:
            yield f"    {line}".rstrip()
        elif line != "---":
            yield line.lstrip("#").lstrip() if line.startswith("#") else line.replace("**", "")
