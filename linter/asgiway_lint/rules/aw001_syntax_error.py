"""A file that is not valid Python, so that nothing in it could be checked.

## What it does
Reports a file that neither the running interpreter's parser nor libcst (which also knows newer Python versions) can
parse. The finding stands where the parser gave up. All other files are checked as usual.

## Why is this bad?
A file that cannot be parsed is a file whose blocking calls nobody sees. A linter that stopped here, or that passed over
the file in silence, would report a clean project that is not.

## Example
```python
async def handler(request):
    return {"ok": True
```

Use instead:
```python
async def handler(request):
    return {"ok": True}
```

## Limits
A template or a fixture with broken code on purpose belongs into `exclude`, as a `# noqa` needs a file that can be read.
A file without a trace of a coroutine or of a loop's callbacks is not read unless somebody calls into it, so its mistakes stay unseen:
the interpreter tells of them soon enough.

## References
- [Python: full grammar specification](https://docs.python.org/3/reference/grammar.html)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(__name__, severity=Severity.ERROR, message="Cannot be parsed: {symbol}", since="0.1.0")
