"""The command `asgiway-lint`: begins with the process as it finds it, and ends it as it should.

The exit codes are those of `commandline`, and 130: interrupted. All other imports stand where Ctrl-C is heeded already.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        argv: the arguments without the program's name; None: those of the process, whose streams and signals are then taken care of.
    """
    if argv is not None:
        return _run(argv)
    try:
        from asgiway_lint.process import Signals, give_up_complaints, open_streams

        signals = Signals()
        signals.install()
        try:
            open_streams()
            return _run(sys.argv[1:])
        finally:
            # The process ends here, and would first look through millions of facts for cycles: a fifth of a long run.
            gc.freeze()
            give_up_complaints()
            signals.leave()
    except KeyboardInterrupt:  # before it was taken care of
        return 130


def _run(argv: Sequence[str]) -> int:
    try:
        from asgiway_lint.commandline import run

        return run(argv)
    except KeyboardInterrupt:
        from asgiway_lint.output import tell

        tell("error: interrupted\n")
        return 130
