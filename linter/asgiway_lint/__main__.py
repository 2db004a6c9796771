"""`python -m asgiway_lint`: the same as the command `asgiway-lint`.

``-m`` puts the current folder in front of everything that can be imported. That folder is the project under check, and its
``types.py`` or ``json.py`` must not take the place of the standard library's.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    if not sys.flags.safe_path:  # else -P, -I or PYTHONSAFEPATH have left the folder out already
        del sys.path[0]

    from asgiway_lint.cli import main

    sys.exit(main())
