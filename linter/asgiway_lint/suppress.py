"""Suppression comments: `# noqa` on a line, `# asgiway-lint: noqa` for a file.

Two steps that know nothing of each other's callers: `find_directives` reads them from source text (parsable or not), `apply`
decides which findings they silence and which of them silence nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Directive", "find_directives"]


@dataclass(frozen=True, slots=True)
class Directive:
    """One suppression comment.

    Args:
        line: 1-based line of the comment.
        column: 1-based column of its `#`, in code points.
        end_column: 1-based column behind the directive (exclusive).
        codes: the codes that it names, upper case, ours and other tools'; empty for a blanket directive.
        file_level: whether it holds for the whole file.
    """

    line: int
    column: int
    end_column: int
    codes: tuple[str, ...]
    file_level: bool


def find_directives(source: str) -> tuple[Directive, ...]:
    """Return the directives of a source text in order."""
    return ()
