"""`python -m asgiway_lint`: the same as the command `asgiway-lint`."""

from __future__ import annotations

import sys

from asgiway_lint.cli import main

if __name__ == "__main__":
    sys.exit(main())
