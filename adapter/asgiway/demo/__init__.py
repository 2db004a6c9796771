"""``asgiway demo``: from the checks before the start to the orderly end.

``place`` finds what it needs, ``server`` serves it, ``tour`` says what to try and lints, ``checks`` is ``--once``. The
last three use libraries of the extra "demo", so they are imported when ``place`` has found these.
"""

from __future__ import annotations

import sys

from asgiway.demo.place import DemoError, find_place, listen
from asgiway.demo.signals import Ending, ending_signals

__all__ = ["DemoError", "run"]

DEFAULT_PORT = 8000
INTERRUPTED = 130  # as a shell names a program ended by SIGINT


def run(host: str = "127.0.0.1", port: int | None = None, *, once: bool = False) -> int:
    """Run the demonstration in the current folder and return the exit code.

    Parameters:
        host, port: where to listen; port 0 is any free one, None is 8000, or any free one with `once`.
        once: make the requests, check the answers and end, instead of serving until SIGINT or SIGTERM.
    """
    # From here on both signals mean the same: end in good order.
    with ending_signals() as ending:
        try:
            return _run(host, port, once, ending)
        except DemoError as error:
            sys.stderr.write(f"asgiway demo: {error}\n")
            return 2
        except KeyboardInterrupt:
            if once:
                sys.stderr.write("asgiway demo: interrupted before all checks were made.\n")
                return INTERRUPTED
            sys.stderr.write("asgiway demo: ended before it had started.\n")
            return 0


def _run(host: str, port: int | None, once: bool, ending: Ending) -> int:
    place = find_place()
    with ending.held():
        place.require_libraries()
        place.prepare_state()
    if port is None:
        port = 0 if once else DEFAULT_PORT
    with listen(host, port) as listener:
        with ending.held():
            from asgiway.demo.checks import run_checks
            from asgiway.demo.server import Server
            from asgiway.demo.tour import show_tour

            site = place.build_site()
        with Server(site, listener) as server:
            if once:
                return run_checks(server.address, place)
            with ending.on_signal(server.end):
                show_tour(server.address, place)
                server.wait()
    sys.stdout.write("Ended; requests under way were cut off.\n" if server.forced else "Drained and ended.\n")
    return 0
