"""The command ``asgiway``: its arguments and exit codes; what a command does stands in a module of its own.

0: done. 1: ``demo --once`` found an answer that is wrong, or ``routes --check`` a conflict that loses URLs. 2: the command
line, the folder or the installation is not as it has to be, or what is found cannot be written; the sentence on stderr says what
to do. 130: ``demo --once`` was interrupted. Nothing is imported before the command is known.

Ctrl-C ends ``routes`` and ``conformance`` by the signal itself (130 in a shell's count): what they try may not end otherwise.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from asgiway import __version__
from asgiway.console import OutputError, complain, give_up_complaints, open_streams, report

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters:
        argv: the arguments without the program's name; None: those of the process.
    """
    if argv is None:
        open_streams()
    try:
        return _run(argv)
    except OutputError as error:
        complain(f"asgiway: {error}")
        return 2
    except KeyboardInterrupt:
        complain("asgiway: interrupted")
        if argv is None and os.name == "posix":  # else the interpreter would wait for the threads of an application
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        return 130
    finally:
        if argv is None:
            give_up_complaints()


def _run(argv: Sequence[str] | None) -> int:
    parser = _parser()
    try:
        options = parser.parse_args(argv)
    except SystemExit as ended:  # argparse has printed its help (0) or what is wrong (2)
        return int(ended.code or 0)
    if options.command == "version":
        report(f"asgiway {__version__}\n")
        return 0
    if options.command == "demo":
        from asgiway.demo import run

        return run(host=options.host, port=options.port, once=options.once)
    if options.command == "routes":
        from asgiway.migration.command import run as run_routes

        return run_routes(options)
    if options.command == "conformance":
        from asgiway.conformance import command

        return command.run(options)
    complain(parser.format_help().rstrip())
    return 2


def _parser() -> argparse.ArgumentParser:
    from asgiway.conformance import command as conformance

    parser = argparse.ArgumentParser(prog="asgiway", description="Run WSGI applications inside ASGI.")
    parser.add_argument("--version", action="version", version=f"asgiway {__version__}", help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="command", title="commands")
    demo = commands.add_parser(
        "demo",
        help="serve the sample shop beside native async routes, and lint its half-migrated twin",
        description="Serves the legacy Flask shop of ./sample_apps beside native async routes, then lints the half-migrated "
        "shop. Its data is kept in ./.asgiway-demo. Ctrl-C drains and ends it.",
        epilog="Exit status: 0 ended as asked, 1 a check of --once failed, 2 something has to be put right first, "
        "130 --once was interrupted.",
    )
    demo.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    demo.add_argument(
        "--port", type=_port, help="port to listen on, 0 for any free one (default: 8000; with --once any free one)"
    )
    demo.add_argument(
        "--once", action="store_true", help="make the requests, check the answers, print a line each, and end"
    )
    _add_routes(commands)
    conformance.add_arguments(commands)
    commands.add_parser("version", help="print the version")
    return parser


def _add_routes(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]
    routes = commands.add_parser(
        "routes",
        help="print which routes of a MigrationRouter are native, which are legacy, and their conflicts",
        description="Prints who serves what in a MigrationRouter, and where native and legacy routes get into each "
        "other's way. The module is imported; no handler runs.",
        epilog="Exit status: 0 done, 1 with --check a conflict loses URLs, 2 the router cannot be loaded.",
    )
    routes.add_argument("router", metavar="module:router", help="where the MigrationRouter is, as servers take it")
    routes.add_argument("--format", choices=("text", "json"), default="text", help="default: %(default)s")
    routes.add_argument(
        "--check", action="store_true", help="exit with 1 if a conflict of severity error is found: URLs would be lost"
    )
    routes.add_argument(
        "--app-dir", default=".", metavar="DIR", help="folder to import from (default: the current one)"
    )


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a number from 0 to 65535")
    return port


if __name__ == "__main__":
    sys.exit(main())
