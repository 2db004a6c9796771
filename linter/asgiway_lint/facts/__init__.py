"""Source text -> `Facts` of one module: the only part of the linter that sees a syntax tree.

`read` is the door. `model` says what a record holds, `text` turns bytes into text, `collector` walks an ``ast`` tree,
`lowering` turns a libcst tree into an ``ast`` tree for
source that the running interpreter cannot parse.
"""

from __future__ import annotations

from asgiway_lint.facts.model import FORMAT, Facts
from asgiway_lint.facts.reader import SourceProblem, read, read_text

__all__ = ["FORMAT", "Facts", "SourceProblem", "read", "read_text"]
