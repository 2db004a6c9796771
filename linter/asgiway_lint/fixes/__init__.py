"""Fixes: one module (or subpackage) per fixer, each turning findings into edits of the source text.

`model` has the words, `source` the file that fixers look at, `contexts` where an `await` may stand, `imports` how new code names what
it needs, `plan` the fixes of a file, `apply` the text with fixes, `write` the files. Only a run that computes fixes imports libcst.
"""

from __future__ import annotations
