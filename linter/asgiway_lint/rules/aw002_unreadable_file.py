"""A file that could not be read, so that nothing in it could be checked.

## What it does
Reports a file that was named or discovered but could not be read: it does not exist, permission was refused, it vanished
during the run, or its bytes are not text in the encoding it declares. All other files are checked as usual.

## Why is this bad?
As with a syntax error: a file that was not read was not checked, and a clean exit status would say that it was.

## Example
```text
$ chmod a-r shop/payments.py
$ asgiway-lint check shop
shop/payments.py:1:1: AW002 Cannot be read: Permission denied
```

Use instead:
```text
$ chmod a+r shop/payments.py
$ asgiway-lint check shop
All checks passed!
```

## References
- [PEP 263: defining Python source code encodings](https://peps.python.org/pep-0263/)
"""

from __future__ import annotations

from asgiway_lint.finding import Severity
from asgiway_lint.rules.base import define

RULE = define(__name__, severity=Severity.ERROR, message="Cannot be read: {symbol}", since="0.1.0")
