"""``asgiway conformance``: its options and exit status."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

from asgiway.console import complain, report

__all__ = ["add_arguments", "run"]

_CLEAN, _BREACHES, _UNUSABLE = 0, 1, 2


def add_arguments(commands: Any) -> None:
    """Register the command with the subparsers of ``asgiway``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "conformance",
        help="tell which rules of PEP 3333 a WSGI application breaks",
        description="Makes requests of a WSGI application through wsgiref.validate and the adapter, without a server, and "
        "prints which rules of PEP 3333 it breaks, and where. Each request is made up to four times.",
        epilog="Exit status: 0 no breach, 1 breaches, 2 the application can't be loaded or the command line is wrong.",
    )
    parser.add_argument("app", metavar="module:app", help="the WSGI application, such as shop.wsgi:application")
    parser.add_argument("--factory", action="store_true", help="module:app is a function that returns the application")
    parser.add_argument("--path", action="append", metavar="PATH", help="path to ask for, again for more (default: /)")
    parser.add_argument(
        "--method", action="append", metavar="METHOD", help="method to use, again for more (default: GET and HEAD)"
    )
    parser.add_argument(
        "--header",
        action="append",
        default=[],
        type=_header,
        metavar="'NAME: VALUE'",
        help="request header, again for more",
    )
    parser.add_argument("--data", default="", metavar="TEXT", help="request body, or @FILE to read it from a file")
    parser.add_argument("--timeout", type=_seconds, default=10.0, help="seconds for one answer (default: %(default)g)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="(default: %(default)s)")


def run(options: argparse.Namespace) -> int:
    """Check the application; returns the exit status."""
    from asgiway.conformance.checking import check
    from asgiway.conformance.drive import Request
    from asgiway.conformance.load import LoadError, load
    from asgiway.conformance.report import as_json, as_text

    try:
        body = Path(options.data[1:]).read_bytes() if options.data.startswith("@") else options.data.encode()
        paths = options.path or ["/"]
        wrong = [path for path in paths if not path.startswith("/")]
        if wrong:
            raise LoadError(f"--path {wrong[0]!r} does not begin with a slash")
        loaded = load(options.app, factory=options.factory)
    except OSError as error:
        complain(f"asgiway conformance: {error.filename} can't be read: {error.strerror}")
        return _UNUSABLE
    except LoadError as error:
        complain(f"asgiway conformance: {error}")
        return _UNUSABLE
    requests = [
        Request(method, path, tuple(options.header), body)
        for path in paths
        for method in options.method or ["GET", "HEAD"]
    ]
    adapter_log = logging.getLogger("asgiway")
    adapter_log.addFilter(_nothing)  # what it has to say is in the report
    try:
        found = check(loaded.app, requests, seconds=options.timeout, roots=[loaded.root] if loaded.root else [])
    finally:
        adapter_log.removeFilter(_nothing)
    report(as_json(found) if options.format == "json" else as_text(found))
    return _BREACHES if found.breaches else _CLEAN


def _nothing(record: logging.LogRecord) -> bool:
    return False


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not (colon and name.strip()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a header; write 'Name: value'")
    return name.strip(), value.strip()


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds
