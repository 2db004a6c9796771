"""`asgiway-lint server`: the language server over stdin and stdout, until the editor ends it."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from argparse import Namespace
from typing import BinaryIO, cast

from asgiway_lint.process import ENDING

__all__ = ["run"]

log: logging.Logger = logging.getLogger(__name__)

# ast.parse and libcst use the C stack for nested code, and what a thread gets by default differs between systems.
_STACK = 64 << 20


def run(arguments: Namespace) -> int:
    """Serve; return 0 if the editor has said that it leaves, as the protocol wants it, else 1."""
    from asgiway_lint.server.analyst import ANALYSIS
    from asgiway_lint.server.connection import Output, brief
    from asgiway_lint.server.features import make_server  # pygls: 0.4 s that nobody else pays

    # Nothing has to be put in order, and the thread that reads from the client could not be ended.
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    protocol = Output(os.fdopen(os.dup(sys.stdout.fileno()), "wb"))
    # Whatever else is printed in this process must not get between the messages.
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    pygls = logging.getLogger("pygls")
    pygls.setLevel(logging.INFO if arguments.verbose else logging.ERROR)
    for handler in logging.getLogger("asgiway_lint").handlers:
        handler.addFilter(brief)
        pygls.addHandler(handler)
    pygls.propagate = False
    threading.stack_size(_STACK)
    server = make_server()
    try:
        server.start_io(sys.stdin.buffer, cast("BinaryIO", protocol))
    except MemoryError:
        log.error("there is not enough memory, or the client has announced a message of a size that cannot be true")
    finally:
        server.abandon()
    code = 0 if server.was_shut_down else 1
    for thread in threading.enumerate():
        if thread.name.startswith(ANALYSIS):
            thread.join(1.0)
            if thread.is_alive():  # fixes of a huge file, say: nobody is there any more to wait for them
                sys.stderr.flush()
                os._exit(code)
    return code
