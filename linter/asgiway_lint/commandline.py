"""From a command line to an exit code: picks the command, and turns every error into a sentence.

0: nothing found. 1: errors or warnings found. 2: something is wrong with the command line, the configuration, the installation
or the tool. Findings and pages go to stdout, everything else to stderr.
"""

from __future__ import annotations

import contextlib
from argparse import Namespace
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING

from asgiway_lint import __version__
from asgiway_lint.arguments import COMMANDS, PROGRAM, build, overview
from asgiway_lint.errors import MissingExtraError, UsageError, nearest
from asgiway_lint.output import Output, tell

if TYPE_CHECKING:
    from logging import LogRecord

__all__ = ["run"]

_EXTRA = ("libcst", "pathspec", "pygls", "lsprotocol")


def run(argv: Sequence[str]) -> int:
    """Run a command line and return its exit code.

    Args:
        argv: the arguments without the program's name.
    """
    try:
        return _dispatch(list(argv))
    except UsageError as error:
        _complain(str(error))
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library in _EXTRA:
            _complain(str(MissingExtraError(library)))
        else:
            _complain_about_bug()
    except MemoryError:
        _complain("there is not enough memory; check fewer files at once, or with fewer processes (--jobs 1)")
    except Exception:  # anything else would end in exit code 1, which means "findings"
        _complain_about_bug()
    return 2


def _dispatch(argv: list[str]) -> int:
    if not argv:
        tell(overview())
        return 2
    command, *rest = argv
    if command in ("-h", "--help", "help"):
        return _print(overview())
    if command in ("-V", "--version", "version") and not rest:
        return _version()
    if command not in COMMANDS:
        raise UsageError(_unknown(command))
    parser = build(command)
    if "-h" in rest or "--help" in rest:
        return _print(parser.format_help())
    arguments = parser.parse(rest)
    with _logging(command, arguments):
        return _RUN[command](arguments)


def _unknown(word: str) -> str:
    from pathlib import Path

    if word.startswith("-"):
        return f"unknown option '{word}'; options follow the command, as in {PROGRAM} check --quiet"
    with contextlib.suppress(OSError):  # no path at all, but something far too long
        if Path(word).exists():
            return f"unknown command '{word}'; to check this path: {PROGRAM} check {word}"
    return f"unknown command '{word}'{nearest(word, COMMANDS)}; see {PROGRAM} --help"


def _check(arguments: Namespace) -> int:
    from asgiway_lint.commands import check

    return check.run(arguments)


def _baseline(arguments: Namespace) -> int:
    from asgiway_lint.commands import baseline

    return baseline.run(arguments)


def _rule(arguments: Namespace) -> int:
    from asgiway_lint.commands import rule

    return rule.run(arguments)


def _rules(arguments: Namespace) -> int:
    from asgiway_lint.commands import rule

    return rule.run_list(arguments)


def _server(arguments: Namespace) -> int:
    from asgiway_lint.commands import server

    return server.run(arguments)


def _clean(arguments: Namespace) -> int:
    from asgiway_lint.commands import clean

    return clean.run(arguments)


def _version(arguments: Namespace | None = None) -> int:
    return _print(f"{PROGRAM} {__version__}\n")


def _print(text: str) -> int:
    with Output() as output:
        output.write([text])
    return 0


_RUN: dict[str, Callable[[Namespace], int]] = {
    "check": _check,
    "baseline": _baseline,
    "rule": _rule,
    "rules": _rules,
    "server": _server,
    "clean": _clean,
    "version": _version,
}


def _complain(message: str) -> None:
    tell(f"error: {message}\n")


def _complain_about_bug() -> None:
    import traceback

    tell(traceback.format_exc())
    _complain("this is a bug in asgiway-lint; please report it with the lines above")


def _lower_level(record: LogRecord) -> bool:
    record.level = record.levelname.lower()
    return True


def _once() -> Callable[[LogRecord], bool]:
    """A filter that lets each sentence through once: many parts of a run may come upon the same full disk."""
    said: set[str] = set()

    def new(record: LogRecord) -> bool:
        message = record.getMessage()
        known = message in said
        said.add(message)
        return not known

    return new


@contextlib.contextmanager
def _logging(command: str, arguments: Namespace) -> Generator[None]:
    """Send what the package logs to stderr while a command runs."""
    import logging  # 10 ms that --help and --version need not pay

    logger = logging.getLogger("asgiway_lint")
    handler = logging.StreamHandler()
    handler.addFilter(_lower_level)
    if command != "server":  # which may live for weeks
        handler.addFilter(_once())
    handler.setFormatter(logging.Formatter("%(level)s: %(message)s"))
    verbose, quiet = getattr(arguments, "verbose", False), getattr(arguments, "quiet", False)
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if verbose else logging.ERROR if quiet else logging.WARNING)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.level, logger.propagate = before
